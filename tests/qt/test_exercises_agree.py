"""The exercises teach what `qt` does: each solution gives what the library gives."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import qt
import qt.functional as F
from qt.distributed import cost_model
from qt.exercises import EXERCISES
from qt.exercises.compare import first_difference
from qt.tensor import Tensor


def solution(id: str) -> Callable[..., Any]:
    return EXERCISES[id].solution


def cases(id: str) -> Iterator[tuple[Any, ...]]:
    yield from EXERCISES[id].cases(np.random.default_rng(1))


def cross_entropy_gradient(logits: np.ndarray, target: int) -> np.ndarray:
    x = qt.Tensor(logits[None], requires_grad=True)
    F.cross_entropy(x, np.array([target])).backward()
    assert x.grad is not None
    return x.grad[0]


def multiply_backward(gradient: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[Any, Any]:
    x, y = qt.Tensor(a, requires_grad=True), qt.Tensor(b, requires_grad=True)
    (x * y).backward(gradient=gradient)
    return x.grad, y.grad


def causal_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> qt.Tensor:
    heads = (qt.Tensor(x[None, None]) for x in (q, k, v))  # (1, 1, T, D)
    return F.scaled_dot_product_attention(*heads, is_causal=True)[0, 0]


def cache_bytes(
    n_layer: int, n_head: int, n_kv_head: int, d_model: int, tokens: int, _: int
) -> int:
    if d_model > 100:
        return solution("heads.cache_bytes")(n_layer, n_head, n_kv_head, d_model, tokens, 2)
    config = qt.GPTConfig(
        vocab_size=2, block_size=tokens, n_layer=n_layer, n_head=n_head, n_kv_head=n_kv_head,
        d_model=d_model, position="learned",
    )  # fmt: skip
    return qt.GPT(config).new_cache().nbytes


def swiglu(x: np.ndarray, gate: np.ndarray, up: np.ndarray, down: np.ndarray) -> qt.Tensor:
    x_, gate_, up_, down_ = map(qt.Tensor, (x, gate, up, down))
    return F.linear(F.silu(F.linear(x_, gate_)) * F.linear(x_, up_), down_)


def count_parameters(V: int, n_layer: int, d_model: int, n_head: int, n_kv: int, d_ff: int) -> int:
    if V > 10_000:  # GPT-2's size, which need not be built: Llama's formula for 12 layers
        return V * d_model + n_layer * (d_model * (4 * d_model + 3 * d_ff) + 2 * d_model) + d_model
    config = qt.GPTConfig(
        vocab_size=V, n_layer=n_layer, d_model=d_model, n_head=n_head, n_kv_head=n_kv, d_ff=d_ff
    )
    return qt.GPT(config).num_parameters()


def next_token_loss(logits: np.ndarray, ids: np.ndarray) -> float:
    return float(F.cross_entropy(qt.Tensor(logits[None, :-1]), ids[None, 1:]))


def sgd_step(w: np.ndarray, g: np.ndarray, v: np.ndarray, lr: float, momentum: float) -> Any:
    if momentum == 0:  # then the optimizer keeps no v
        return w - lr * g, g
    p = qt.nn.Parameter(w.copy())
    optimizer = qt.optim.SGD([p], lr=lr, momentum=momentum)
    saved = optimizer.state_dict() | {"state": {0: {"momentum_buffer": v}}}
    optimizer.load_state_dict(saved)
    p.grad = g
    optimizer.step()
    return p.data, optimizer.state_dict()["state"][0]["momentum_buffer"]


def adam_step(
    w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, t: int, lr: float, *rest: float
) -> Any:
    p = qt.nn.Parameter(w.copy())
    optimizer = qt.optim.Adam([p], lr=lr, betas=rest[:2], eps=rest[2])
    before = {"step": t - 1, "exp_avg": m, "exp_avg_sq": v}
    optimizer.load_state_dict(optimizer.state_dict() | {"state": {0: before}})
    p.grad = g
    optimizer.step()
    state = optimizer.state_dict()["state"][0]
    return p.data, state["exp_avg"], state["exp_avg_sq"]


def pair_counts(ids: list[int]) -> dict[tuple[int, int], int]:
    pairs = list(pairwise(ids))
    return {pair: pairs.count(pair) for pair in pairs}


def merge(ids: list[int], pair: tuple[int, int], new_id: int) -> list[int]:
    """On text, where replacing from the left is what Python's own `replace` does."""
    text = "".join(map(chr, ids)).replace(chr(pair[0]) + chr(pair[1]), chr(new_id))
    return [ord(c) for c in text]


def probabilities(p: np.ndarray, **dial: Any) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return qt.generation.next_token_probabilities(np.log(p), **dial)


def least_seconds(n: int, k: int, m: int, peak: float, bandwidth: float) -> float:
    n_bytes = np.empty((n, k), "f4").nbytes + np.empty((k, m), "f4").nbytes + 4 * n * m
    return cost_model.roofline_seconds(2 * n * k * m, n_bytes, peak, bandwidth)


def swiglu_by_name(x: Tensor, weights: dict[str, Tensor], prefix: str) -> Tensor:
    gate, up, down = (weights[f"{prefix}{name}_proj.weight"] for name in ("gate", "up", "down"))
    return F.linear(F.silu(F.linear(x, gate)) * F.linear(x, up), down)


QT: dict[str, Callable[..., Any]] = {
    "tokenization.pairs": pair_counts,
    "tokenization.merge": merge,
    "autograd.cross_entropy_gradient": cross_entropy_gradient,
    "autograd.multiply_backward": multiply_backward,
    "positions.sinusoidal": lambda t, C: qt.positions.sinusoidal_table(t + 1, C)[t],
    "positions.angles": qt.positions.rope_angles,
    "attention.softmax": lambda x: F.softmax(qt.Tensor(x)),
    "attention.causal_mask": qt.attention.causal_mask,
    "attention.causal": causal_attention,
    "heads.cache_bytes": cache_bytes,
    "blocks.rms_norm": lambda x, w, eps: F.rms_norm(qt.Tensor(x), qt.Tensor(w), eps),
    "blocks.layer_norm": lambda x, w, b, eps: F.layer_norm(*map(qt.Tensor, (x, w, b)), eps),
    "blocks.swiglu": swiglu,
    "gpt.parameters": count_parameters,
    "gpt.loss": next_token_loss,
    "optimizers.momentum": sgd_step,
    "optimizers.adam": adam_step,
    "optimizers.cosine": qt.optim.cosine_with_warmup,
    "generation.temperature": qt.generation.next_token_probabilities,
    "generation.top_k": lambda p, k: probabilities(p, top_k=k),
    "generation.top_p": lambda p, top_p: probabilities(p, top_p=top_p),
    "build.rms_norm": F.rms_norm,
    "build.attend": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    "build.swiglu": swiglu_by_name,
    "build.loss": F.cross_entropy,
    "scaling.product": least_seconds,
    "scaling.machines": cost_model.step_seconds,
}


@pytest.mark.parametrize("id", QT)
def test_solution_is_what_qt_does(id: str) -> None:
    for case in cases(id):
        if id == "heads.cache_bytes":
            case = (*case[:-1], 4 if case[3] <= 100 else 2)  # qt's caches are float32
        difference = first_difference(QT[id](*case), solution(id)(*case))
        assert difference is None, (case, difference)


def test_rope_is_what_qt_does() -> None:
    x = np.random.default_rng(0).normal(size=(5, 8))
    angles = solution("positions.angles")(np.arange(3, 8), 8, 10000.0)
    ours = F.apply_rope(qt.Tensor(x[None, None]), np.arange(3, 8))[0, 0]
    assert first_difference(ours, solution("positions.rope")(x, angles)) is None
    heads = solution("build.rope")(Tensor(x[None, None]), angles)
    assert first_difference(ours, heads[0, 0]) is None
    turned = solution("positions.rotate")(x[2, 1], x[2, 5], angles[2, 1])  # one pair by itself
    assert first_difference((ours.data[2, 1], ours.data[2, 5]), turned) is None


def test_clipping_is_what_qt_does() -> None:
    for gradients, max_norm in cases("optimizers.clip"):
        parameters = [qt.nn.Parameter(np.zeros_like(g)) for g in gradients]
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g.copy()
        norm = qt.optim.clip_grad_norm_(parameters, max_norm)
        clipped, ours = solution("optimizers.clip")(gradients, max_norm)
        assert norm == pytest.approx(ours)
        for p, c in zip(parameters, clipped, strict=True):
            np.testing.assert_allclose(
                p.grad, c, rtol=1e-5
            )  # qt, as PyTorch, adds 1e-6 to the norm


def test_numerical_gradient_is_what_autograd_gives() -> None:
    x = qt.Tensor(np.array([[0.5, -1.0], [2.0, 0.1]]), requires_grad=True)
    F.tanh(x * x).sum().backward()
    by_numbers = solution("autograd.numerical_gradient")(
        lambda x: float(np.tanh(x * x).sum()), x.data, 1e-5
    )
    np.testing.assert_allclose(by_numbers, x.grad, rtol=1e-7)


def test_heads_are_cut_joined_and_shared_as_in_qt() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 12))
    split, join, repeat = (solution(f"heads.{name}") for name in ("split", "join", "repeat"))
    np.testing.assert_array_equal(join(split(x, 3)), x)
    np.testing.assert_array_equal(split(x, 3)[1], x[:, 4:8])
    q, k, v = (rng.normal(size=(heads, 5, 4)) for heads in (6, 2, 2))
    grouped = F.scaled_dot_product_attention(*(qt.Tensor(a[None]) for a in (q, k, v)))
    full = F.scaled_dot_product_attention(
        *(qt.Tensor(a[None]) for a in (q, repeat(k, 6), repeat(v, 6)))
    )
    assert first_difference(grouped, full) is None


def test_encoding_undoes_to_the_text() -> None:
    for text, merges in cases("tokenization.encode"):
        vocabulary = [bytes([i]) for i in range(256)] + [b""] * 8
        for (left, right), new_id in merges.items():
            vocabulary[new_id] = vocabulary[left] + vocabulary[right]
        ids = solution("tokenization.encode")(text, merges)
        assert solution("tokenization.decode")(ids, vocabulary) == text


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_the_steps_of_a_ring_end_with_the_sum_on_every_rank(n: int) -> None:
    start = np.random.default_rng(n).integers(0, 100, size=(n, n))
    chunks = start
    for step in range(2 * (n - 1)):
        assert not (chunks == start.sum(axis=0)).all()  # none is superfluous
        chunks = solution("scaling.ring")(chunks, step)
    assert (chunks == start.sum(axis=0)).all()


def test_a_power_law_is_found_again() -> None:
    sizes = np.geomspace(1e3, 1e9, 7)
    A, alpha = solution("scaling.power_law")(sizes, 1.7 + 406.4 / sizes**0.34, 1.7)
    np.testing.assert_allclose([A, alpha], [406.4, 0.34], rtol=1e-9)


def test_youngs_interval_loses_the_least_time() -> None:
    best = solution("scaling.checkpoints")(60.0, 1024, 50_000.0)
    every = best * np.geomspace(0.5, 2, 101)
    lost = 60 / every + every / 2 / (50_000 * 3600 / 1024)  # saving, and what a failure takes
    assert lost.argmin() == 50


# Lesson 12: all parts together are `qt.GPT`


def assembled(config: qt.GPTConfig) -> Callable[[np.ndarray, dict[str, Tensor]], Tensor]:
    """The model that the parts make, as lesson 12 puts them together."""
    names = "rms_norm", "rope", "attend", "attention", "swiglu", "block", "forward"
    norm, rope, attend, attention, swiglu, block, forward = (
        solution(f"build.{name}") for name in names
    )

    def logits(ids: np.ndarray, weights: dict[str, Tensor]) -> Tensor:
        angles = qt.positions.rope_angles(np.arange(ids.shape[1]), config.head_dim)

        def layer_attention(x: Tensor, weights: dict[str, Tensor], prefix: str) -> Tensor:
            return attention(x, weights, prefix, config.n_head, lambda x: rope(x, angles), attend)

        def layer(x: Tensor, weights: dict[str, Tensor], prefix: str) -> Tensor:
            return block(x, weights, prefix, norm, layer_attention, swiglu)

        return forward(ids, weights, config.n_layer, layer, norm)

    return logits


def small_gpt(n_kv_head: int, dtype: str) -> tuple[qt.GPT, dict[str, Tensor]]:
    """A model, and copies of its weights by name; larger than at the start, so that all count."""
    config = qt.GPTConfig(
        vocab_size=11, block_size=8, n_layer=2, n_head=4, n_kv_head=n_kv_head, d_model=16
    )
    model = qt.GPT(config).astype(dtype)
    for parameter in model.parameters():
        parameter.data *= 5
    weights = {n: Tensor(w.copy(), requires_grad=True) for n, w in model.state_dict().items()}
    return model, weights


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n_kv_head", [4, 2, 1])
def test_the_parts_together_are_gpt(n_kv_head: int, dtype: str) -> None:
    """The same logits, the same loss and the same gradient of every weight."""
    model, weights = small_gpt(n_kv_head, dtype)
    ids, targets = np.random.default_rng(0).integers(0, 11, size=(2, 3, 8))
    logits = assembled(model.config)(ids, weights)
    np.testing.assert_allclose(logits.data, model(ids).data, rtol=1e-5, atol=1e-5)
    loss = loss_on(model.config, ids, targets, weights)
    loss.backward()
    expected = F.cross_entropy(model(ids), targets)
    expected.backward()
    assert loss.dtype == dtype
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for name, parameter in model.named_parameters():
        ours = weights[name].grad
        assert ours is not None
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, parameter.grad, rtol=1e-4, atol=1e-5, err_msg=name)


def loss_on(
    config: qt.GPTConfig, ids: np.ndarray, targets: np.ndarray, weights: dict[str, Tensor]
) -> Tensor:
    return solution("build.loss")(assembled(config)(ids, weights), targets)


def test_a_step_is_what_qt_does() -> None:
    model, weights = small_gpt(2, "float64")
    groups = qt.optim.decay_groups(model, 0.1)
    optimizer = qt.optim.AdamW(groups, betas=(0.9, 0.99), eps=1e-8)
    moments: dict[str, Any] = {}
    norms = []
    rng = np.random.default_rng(0)
    for t, lr in enumerate((0.01, 0.02, 0.005), start=1):
        ids, targets = rng.integers(0, 11, size=(2, 3, 8))
        loss_of = partial(loss_on, model.config, ids, targets)
        loss = solution("build.step")(weights, moments, t, lr, loss_of)
        optimizer.zero_grad()
        expected = F.cross_entropy(model(ids), targets)
        expected.backward()
        norms.append(qt.optim.clip_grad_norm_(model.parameters(), 1.0))
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.step()
        assert loss == pytest.approx(expected.item(), rel=1e-6)
    assert max(norms) > 1  # so that the clipping is seen
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(weights[name].data, parameter.data, rtol=1e-5, atol=1e-8)


def test_writing_is_what_qt_does() -> None:
    """The best token each time; and drawn tokens come as often as their probabilities say."""
    model, weights = small_gpt(2, "float64")
    gpt, write = assembled(model.config), solution("build.generate")
    rng = np.random.default_rng(0)
    best = qt.generate(model, [[3, 1]], max_new_tokens=6, temperature=0.0)
    assert write(lambda ids: gpt(ids, weights), [3, 1], 6, 0.0, 8, rng) == best[0, 2:].tolist()
    logits = model(np.array([[3, 1]]))
    drawn = write(lambda ids: logits, [3, 1], 4000, 0.5, 8, rng)
    p = qt.generation.next_token_probabilities(logits.data[0, -1], 0.5)
    np.testing.assert_allclose(np.bincount(drawn, minlength=11) / 4000, p, atol=0.03)
