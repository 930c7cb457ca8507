"""The differentiable operations: their values, and bad input. Gradients: see test_trust.py."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qt
import qt.functional as F
from qt.tensor import Tensor

# Values


def test_activations_at_known_points() -> None:
    x = Tensor(np.array([-1.0, 0.0, 2.0]))
    assert F.relu(x).data.tolist() == [0, 0, 2]
    phi = [0.5 * (1 + math.erf(v / math.sqrt(2))) for v in (-1.0, 0.0, 2.0)]
    np.testing.assert_allclose(F.gelu(x).data, x.data * phi, rtol=1e-15)
    assert F.gelu(Tensor(-9.0)).item() == pytest.approx(-9 * 1.1285884e-19, rel=1e-6)
    assert F.sigmoid(Tensor(np.float32(-20))).item() == pytest.approx(math.exp(-20), rel=1e-5)
    np.testing.assert_allclose(F.gelu(x, "tanh").data, F.gelu(x).data, atol=5e-4)
    inner = math.sqrt(2 / math.pi) * (2 + 0.044715 * 2**3)
    assert F.gelu(x, "tanh").data[2] == pytest.approx(1 + math.tanh(inner), rel=1e-14)
    np.testing.assert_allclose(F.sigmoid(x).data, 1 / (1 + np.exp(-x.data)))
    np.testing.assert_allclose(F.silu(x).data, x.data / (1 + np.exp(-x.data)))


def test_extreme_inputs_stay_finite() -> None:
    big = Tensor(np.array([[-1e30, 0, 1e30]], dtype=np.float32), requires_grad=True)
    for fn in (F.softmax, F.log_softmax, F.sigmoid, F.silu):
        assert np.isfinite(fn(big).data).all()
    loss = F.cross_entropy(big, [0])
    loss.backward()
    assert loss.item() == pytest.approx(2e30)
    np.testing.assert_allclose(big.grad, [[-1, 0, 1]])


def test_cross_entropy_of_even_logits_is_log_v() -> None:
    assert F.cross_entropy(Tensor(np.zeros((2, 3, 65))), np.ones((2, 3), int)).item() == (
        pytest.approx(math.log(65))
    )


def test_cross_entropy_ignores() -> None:
    logits = np.random.default_rng(0).normal(size=(4, 5))
    some = F.cross_entropy(Tensor(logits), [1, -100, 2, -100])
    assert some.item() == pytest.approx(F.cross_entropy(Tensor(logits[::2]), [1, 2]).item())
    logits[1] = logits[3] = np.nan  # ignored, whatever they hold
    broken = Tensor(logits, requires_grad=True)
    again = F.cross_entropy(broken, [1, -100, 2, -100], label_smoothing=0.0)
    assert again.item() == pytest.approx(some.item())
    again.backward()
    assert (broken.grad[1::2] == 0).all()
    logits[:] = 0
    nothing = F.cross_entropy(Tensor(logits, requires_grad=True), [-100] * 4)
    assert nothing.item() == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_with_label_smoothing_by_its_definition(smoothing: float) -> None:
    """Surprise against q = (1 - ε) one-hot + ε/V; the gradient is (p - q)/N."""
    rng = np.random.default_rng(0)
    logits = Tensor(rng.normal(size=(4, 5)), requires_grad=True)
    y = np.array([2, 0, 4, 2])
    wanted = (1 - smoothing) * np.eye(5)[y] + smoothing / 5
    p = np.exp(logits.data) / np.exp(logits.data).sum(axis=-1, keepdims=True)
    loss = F.cross_entropy(logits, y, label_smoothing=smoothing)
    assert loss.item() == pytest.approx(-(wanted * np.log(p)).sum(axis=-1).mean())
    loss.backward()
    np.testing.assert_allclose(logits.grad, (p - wanted) / 4, atol=1e-12)


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_norms_by_their_definition(eps: float) -> None:
    """ε stands under the root, beside the mean of the squares: it matters for small rows."""
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(3, 8)) * 1e-2, rng.normal(size=8), rng.normal(size=8)
    tensors = [Tensor(a) for a in (x, w, b)]
    rms = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * w
    np.testing.assert_allclose(F.rms_norm(*tensors[:2], eps).data, rms, rtol=1e-12)
    layer = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    np.testing.assert_allclose(F.layer_norm(*tensors, eps).data, layer * w + b, rtol=1e-10)
    assert {qt.norms.RMSNorm(8).eps, qt.norms.LayerNorm(8).eps} == {1e-5}


def test_rms_norm_gives_unit_size() -> None:
    x = np.random.default_rng(0).normal(size=(3, 64)) * 100
    y = F.rms_norm(Tensor(x), Tensor(np.ones(64))).data
    np.testing.assert_allclose((y * y).mean(-1), 1, rtol=1e-6)


def test_dropout_keeps_the_mean_and_its_generator_decides() -> None:
    x = Tensor(np.ones(100_000))
    a = F.dropout(x, 0.3, generator=np.random.default_rng(0)).data
    assert abs(a.mean() - 1) < 0.01
    assert abs((a == 0).mean() - 0.3) < 0.01
    assert (a == F.dropout(x, 0.3, generator=np.random.default_rng(0)).data).all()
    assert F.dropout(x, 0.3, training=False) is x
    assert (F.dropout(x).data != F.dropout(x).data).any()


# Attention


def attention_by_loops(q, k, v, allowed):
    """The definition, one query at a time."""
    B, H, T, D = q.shape
    group = H // k.shape[1]
    out = np.zeros((B, H, T, v.shape[-1]))
    for b, h, t in np.ndindex(B, H, T):
        keys = [s for s in range(k.shape[2]) if allowed[t, s]]
        scores = np.array([q[b, h, t] @ k[b, h // group, s] / math.sqrt(D) for s in keys])
        weights = np.exp(scores) / np.exp(scores).sum()
        out[b, h, t] = sum(w * v[b, h // group, s] for w, s in zip(weights, keys))
    return out


@given(st.integers(1, 3), st.sampled_from([(1, 1), (2, 1), (4, 2)]), st.integers(1, 4),
       st.integers(0, 3))  # fmt: skip
def test_attention_equals_loops(B: int, heads: tuple[int, int], T: int, extra: int) -> None:
    rng = np.random.default_rng(0)
    q = rng.normal(size=(B, heads[0], T, 4))
    k, v = (rng.normal(size=(B, heads[1], T + extra, 4)) for _ in range(2))
    allowed = np.tril(np.ones((T, T + extra), bool), extra)  # aligned at the last
    tensors = [Tensor(a) for a in (q, k, v)]
    expected = attention_by_loops(q, k, v, allowed)
    causal = F.scaled_dot_product_attention(*tensors, is_causal=True).data
    np.testing.assert_allclose(causal, expected, rtol=1e-10, atol=1e-12)
    masked = F.scaled_dot_product_attention(*tensors, attn_mask=allowed).data
    np.testing.assert_allclose(masked, expected, rtol=1e-10, atol=1e-12)
    added = np.where(allowed, 0.0, -np.inf)
    masked = F.scaled_dot_product_attention(*tensors, attn_mask=added).data
    np.testing.assert_allclose(masked, expected, rtol=1e-10, atol=1e-12)


def test_a_query_that_may_look_nowhere_gets_zeros() -> None:
    x = Tensor(np.ones((1, 1, 2, 4)), requires_grad=True)
    out = F.scaled_dot_product_attention(x, x, x, attn_mask=np.array([[False] * 2, [True] * 2]))
    assert (out.data[0, 0, 0] == 0).all()
    out.sum().backward()
    assert np.isfinite(x.grad).all()


# Bad input

X = Tensor(np.ones((2, 3)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: F.cross_entropy(X, [0, 3]),
            ValueError,
            "target 3 is outside the vocabulary, which runs from 0 to 2",
        ),
        (lambda: F.cross_entropy(X, [0, -1]), ValueError, "target -1 is outside"),
        (
            lambda: F.cross_entropy(X, [0.0, 1.0]),
            TypeError,
            "targets must be integers, not float64",
        ),
        (lambda: F.cross_entropy(X, [0]), ValueError, r"targets have shape \(1,\)"),
        (lambda: F.cross_entropy(X, [0, 1], reduction="max"), ValueError, "reduction is"),
        (lambda: F.cross_entropy(X, [0, 1], label_smoothing=2), ValueError, "label_smoothing"),
        (lambda: F.rms_norm(X, Tensor([1.0])), ValueError, r"need shape \(3,\), not \(1,\)"),
        (lambda: F.layer_norm(X, Tensor([1.0] * 3), Tensor([1.0])), ValueError, "need shape"),
        (lambda: F.linear(X, X, Tensor([1.0])), ValueError, r"need shape \(2,\)"),
        (lambda: F.embedding([0, 7], X), ValueError, "id 7 is outside the vocabulary"),
        (lambda: F.embedding([-1], X), ValueError, "id -1 is outside the vocabulary"),
        (lambda: F.embedding([0.5], X), TypeError, "ids must be integers"),
        (lambda: F.linear(X, Tensor(np.ones((4, 2)))), ValueError, "x has width 3"),
        (lambda: F.gelu(X, approximate="fast"), ValueError, "'fast'"),
        (lambda: F.dropout(X, 1.0), ValueError, "must be in"),
        (lambda: F.apply_rope(Tensor(np.ones((1, 1, 2, 3))), [0, 1]), ValueError, "width 3 is odd"),
        (lambda: F.apply_rope(Tensor(np.ones((1, 1, 2, 4))), [0]), ValueError, "positions have"),
        (lambda: X @ X, ValueError, r"matmul of shapes \(2, 3\) and \(2, 3\)"),
        (lambda: X + Tensor(np.ones(4)), ValueError, "could not be broadcast"),
    ],
)
def test_bad_input(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_attention_refuses_what_does_not_fit() -> None:
    def ones(*shape: int) -> Tensor:
        return Tensor(np.ones(shape))

    attend = F.scaled_dot_product_attention
    with pytest.raises(ValueError, match="H a multiple of H_kv"):
        attend(ones(1, 3, 2, 4), ones(1, 2, 2, 4), ones(1, 2, 2, 4))
    with pytest.raises(ValueError, match="at least as many keys"):
        attend(ones(1, 1, 3, 4), ones(1, 1, 2, 4), ones(1, 1, 2, 4), is_causal=True)
    with pytest.raises(ValueError, match="not both: combine"):
        attend(*[ones(1, 1, 2, 4)] * 3, attn_mask=np.ones((2, 2), bool), is_causal=True)
