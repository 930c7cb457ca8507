"""Modules: names, sharing, containers, hooks."""

import numpy as np
import pytest

import qt
from qt import nn
from qt.tensor import Tensor


class Nest(nn.Module):
    def __init__(self) -> None:
        shared = nn.Linear(2, 2, bias=False)
        self.first = shared
        self.again = shared
        self.stack = [[nn.Linear(2, 3), nn.Dropout(0.5)], (nn.Embedding(3, 2),)]
        self.named = {"a": nn.Parameter(np.zeros(1))}

    def forward(self, x: Tensor) -> Tensor:
        return self.again(self.first(x))


def test_names_reach_into_containers_and_shared_parts_count_once() -> None:
    nest = Nest()
    assert [name for name, _ in nest.named_parameters()] == [
        "first.weight", "stack.0.0.weight", "stack.0.0.bias", "stack.1.0.weight", "named.a",
    ]  # fmt: skip
    assert nest.num_parameters() == 4 + 9 + 6 + 1
    assert dict(nest.named_modules())["stack.0.1"].p == 0.5
    assert not any(module.training for module in nest.eval().modules())
    nest.load_state_dict({name: array + 1 for name, array in nest.state_dict().items()})
    assert nest.named["a"].data.tolist() == [1]


def test_base_classes_say_what_a_subclass_must_define() -> None:
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define forward"):
        Empty()(1)
    with pytest.raises(AttributeError, match="module 'qt' has no attribute 'Transformer'"):
        qt.Transformer  # noqa: B018


def test_a_hook_sees_the_output_and_may_replace_it() -> None:
    layer = nn.Linear(2, 2)
    x, seen = Tensor(np.ones((1, 2), np.float32)), []
    look = layer.register_forward_hook(lambda module, args, out: seen.append((module, args, out)))
    out = layer(x)
    assert seen == [(layer, (x,), out)]
    double = layer.register_forward_hook(lambda module, args, out: out * 2)
    np.testing.assert_array_equal(layer(x).data, 2 * out.data)
    look.remove()
    double.remove()
    double.remove()  # once more does no harm
    np.testing.assert_array_equal(layer(x).data, out.data)
    assert len(seen) == 2
    other = nn.Linear(2, 2)
    other(x)
    assert len(seen) == 2, "a hook belongs to one module"


def test_a_hook_takes_its_handle_off_whichever_came_first() -> None:
    layer, seen = nn.Identity(), []
    handles = [
        layer.register_forward_hook(lambda module, args, out, i=i: seen.append(i)) for i in range(3)
    ]
    handles[1].remove()
    layer(1)
    handles[0].remove()
    layer(1)
    assert seen == [0, 2, 2]


def test_activations_of_every_layer() -> None:
    """The residual stream after each block, without touching the model's code."""
    model = qt.GPT(qt.GPTConfig(vocab_size=7, d_model=8, n_head=2, n_layer=3))
    sizes = {}
    for name, module in model.named_modules():
        if name.startswith("layers.") and name.count(".") == 1:
            module.register_forward_hook(
                lambda module, args, out, name=name: sizes.__setitem__(name, out.shape)
            )
    model(np.array([[1, 2, 3]]))
    assert sizes == {f"layers.{i}": (1, 3, 8) for i in range(3)}


def test_summary() -> None:
    model = qt.GPT(qt.GPTConfig(vocab_size=65, n_kv_head=2))
    text = model.summary()
    assert "layers.0.self_attn.k_proj.weight          (64, 128)" in text
    assert "layers.1 … layers.3" in text
    assert f"{model.num_parameters():,}" in text
    rows = [line.split()[-1].replace(",", "") for line in text.splitlines()[1:-3]]
    assert sum(map(int, rows)) == model.num_parameters(), "the rows add up"


def test_flops_of_a_token_by_counting_multiplications() -> None:
    """Every product of two matrices that a forward pass makes, counted where it happens."""
    config = qt.GPTConfig(vocab_size=11, block_size=6, d_model=16, n_head=4, n_kv_head=2, n_layer=2)
    for changes in ({}, {"ffn": "gelu", "bias": True, "tie_embeddings": False}):
        model = qt.GPT(config.replace(**changes))
        c, counted = model.config, 0
        for name, p in model.named_parameters():
            if name.endswith("proj.weight") or name == "lm_head.weight":
                counted += 2 * p.shape[0] * p.shape[1]
        if c.tie_embeddings:
            counted += 2 * c.vocab_size * c.d_model
        counted += c.n_layer * c.n_head * 2 * (2 * c.head_dim * c.block_size)
        assert qt.summary.sizes(model)["forward_flops_per_token"] == counted
        cache = model.new_cache(1, 1)
        assert qt.summary.sizes(model)["kv_cache_bytes_per_token"] == cache.nbytes


def test_what_is_no_tensor_is_named() -> None:
    with pytest.raises(TypeError, match="x of relu must be a Tensor, not ndarray"):
        qt.functional.relu(np.ones(2))
    with pytest.raises(TypeError, match="weight of linear must be a Tensor, not ndarray"):
        qt.functional.linear(Tensor(np.ones(2)), np.ones((2, 2)))
