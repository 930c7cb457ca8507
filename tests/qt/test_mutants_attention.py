"""What attention promises beside its usual path; from mutants of `qt.attention`."""

import numpy as np
import pytest

import qt.functional as F
from qt.attention import KVCache, MultiHeadAttention
from qt.norms import RMSNorm
from qt.positions import rope_turns
from qt.tensor import Array, Tensor

C, H, H_KV, D, T = 16, 4, 2, 4, 5


def layer_and_input(**settings: object) -> tuple[MultiHeadAttention, Tensor]:
    rng = np.random.default_rng(0)
    layer = MultiHeadAttention(C, H, H_KV, rng=rng, **settings).astype(np.float64)
    for p in layer.parameters():
        p.data[:] = rng.normal(size=p.shape)
    return layer, Tensor(rng.normal(size=(2, T, C)))


def heads(x: Tensor) -> Tensor:
    """(B, T, H·D) -> (B, H, T, D)."""
    return x.reshape(2, T, -1, D).transpose(1, 2)


@pytest.mark.parametrize("settings", [{}, {"interleaved": True}, {"interleaved": False}])
@pytest.mark.parametrize("normed", [False, True])
def test_queries_and_keys_turn_in_the_pairs_that_were_asked_for(
    settings: dict[str, bool], normed: bool
) -> None:
    """Head by head, with `apply_rope`: the layer itself turns all heads at once."""
    layer, x = layer_and_input(qk_norm=normed, **settings)
    q, k, v = (heads(p(x)) for p in (layer.q_proj, layer.k_proj, layer.v_proj))
    q, k = layer.q_norm(q), layer.k_norm(k)
    q, k = (F.apply_rope(part, np.arange(T), **settings) for part in (q, k))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    expected = layer.o_proj(mixed.transpose(1, 2).reshape(2, T, C)).data
    turns = np.tile(rope_turns(np.arange(T), D, 10000.0, None, np.float64), H + H_KV)
    np.testing.assert_allclose(layer(x, turns).data, expected, rtol=1e-10)


def test_a_layer_normalises_queries_and_keys_with_the_eps_of_rms_norm() -> None:
    layer, _ = layer_and_input(qk_norm=True)
    assert layer.q_norm.eps == layer.k_norm.eps == RMSNorm(D).eps == 1e-5


@pytest.mark.parametrize(
    ("settings", "biased"), [({}, ""), ({"bias": True}, "qkvo"), ({"qkv_bias": True}, "qkv")]
)
def test_biases_stand_where_they_were_asked_for(settings: dict[str, bool], biased: str) -> None:
    layer, _ = layer_and_input(**settings)
    names = {name for name, _ in layer.named_parameters() if name.endswith("bias")}
    assert names == {f"{part}_proj.bias" for part in biased}


def test_the_generator_decides_every_weight() -> None:
    a, b = (MultiHeadAttention(C, H, H_KV, rng=np.random.default_rng(7)) for _ in range(2))
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        assert (p.data == q.data).all()


PARTS = ["q_proj", "k_proj", "v_proj", "q_norm", "k_norm"]


@pytest.mark.parametrize("parts", [*([part] for part in PARTS), PARTS], ids="+".join)
def test_a_hook_on_a_part_sees_its_output_and_may_replace_it(parts: list[str]) -> None:
    layer, x = layer_and_input()
    before, seen = layer(x).data, []
    handles = [
        getattr(layer, part).register_forward_hook(
            lambda module, args, output: seen.append(output) or output * 2
        )
        for part in parts
    ]
    assert np.abs(layer(x).data - before).max() > 1e-3
    assert [out.shape[:2] for out in seen] == [(2, T)] * len(parts)
    for handle in handles:
        handle.remove()
    np.testing.assert_array_equal(layer(x).data, before)


def test_a_hook_on_the_weights_gets_them_without_being_asked_for_elsewhere() -> None:
    layer, x = layer_and_input()
    seen: list[Array] = []
    layer.attn_weights.register_forward_hook(lambda module, args, output: seen.append(output))
    layer(x)
    assert [w.shape for w in seen] == [(2, H, T, T)]
    np.testing.assert_allclose(seen[0].sum(axis=-1), 1)
    np.testing.assert_array_equal(seen[0], np.tril(seen[0]))


def test_a_layer_alone_keeps_its_keys_in_the_first_place_of_a_cache() -> None:
    layer, x = layer_and_input()
    cache = KVCache(1, 2, H_KV, T, D, np.float64)
    np.testing.assert_allclose(layer(x, cache=cache).data, layer(x).data)
    np.testing.assert_allclose(cache.keys[0], heads(layer.k_proj(x)).data)
    np.testing.assert_allclose(cache.values[0], heads(layer.v_proj(x)).data)


def test_a_cache_does_not_slide_unless_asked_to() -> None:
    layer, x = layer_and_input()
    cache = KVCache(1, 2, H_KV, T - 1, D)
    with pytest.raises(ValueError, match=r"^the cache holds 4 tokens, not 5: use new_cache\("):
        layer(x, cache=cache)
