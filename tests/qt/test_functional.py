"""Every differentiable operation: gradients by finite differences, dtypes, values, bad input."""

import math

import numpy as np
import pytest
from gradcheck import check_op
from hypothesis import given
from hypothesis import strategies as st

import qt.functional as F
from qt.tensor import Tensor

T = np.array([3, 0, 4, 1, 3])
MASK = np.array([[True, False, True], [True, True, False]])

# name: (function, shapes, lowest input, highest input)
OPERATIONS = {
    "add": (lambda a, b: a + b, [(2, 3), (3,)], -2, 2),
    "add number": (lambda a: 1.5 + a, [(2, 3)], -2, 2),
    "sub": (lambda a, b: a - b, [(2, 1, 3), (4, 1)], -2, 2),
    "rsub": (lambda a: 3 - a, [(4,)], -2, 2),
    "mul": (lambda a, b: a * b, [(2, 3), (2, 1)], -2, 2),
    "neg": (lambda a: -a, [(3,)], -2, 2),
    "div": (lambda a, b: a / b, [(2, 3), (1, 3)], 0.5, 2),
    "rdiv": (lambda a: 2 / a, [(2, 3)], 0.5, 2),
    "pow": (lambda a, b: a**b, [(2, 3), (3,)], 0.5, 2),
    "square": (lambda a: a**2, [(2, 3)], -2, 2),
    "rpow": (lambda a: 2**a, [(2, 3)], -2, 2),
    "used twice": (lambda a: a * a + a, [(3,)], -2, 2),
    "matmul": (lambda a, b: a @ b, [(2, 3), (3, 4)], -2, 2),
    "matmul batched": (lambda a, b: a @ b, [(2, 1, 3, 4), (5, 4, 2)], -2, 2),
    "matmul vector matrix": (lambda a, b: a @ b, [(3,), (2, 3, 4)], -2, 2),
    "matmul matrix vector": (lambda a, b: a @ b, [(2, 4, 3), (3,)], -2, 2),
    "matmul dot": (lambda a, b: a @ b, [(3,), (3,)], -2, 2),
    "exp": (lambda a: a.exp(), [(2, 3)], -2, 2),
    "log": (lambda a: a.log(), [(2, 3)], 0.5, 2),
    "sqrt": (lambda a: a.sqrt(), [(2, 3)], 0.5, 2),
    "tanh": (lambda a: a.tanh(), [(2, 3)], -2, 2),
    "sum": (lambda a: a.sum(), [(2, 3)], -2, 2),
    "sum axis": (lambda a: a.sum(axis=1), [(2, 3, 2)], -2, 2),
    "sum axes": (lambda a: a.sum(axis=(0, -1), keepdims=True), [(2, 3, 2)], -2, 2),
    "mean": (lambda a: a.mean(), [(2, 3)], -2, 2),
    "mean axis": (lambda a: a.mean(axis=-1, keepdims=True), [(2, 3)], -2, 2),
    "max": (lambda a: a.max(), [(2, 3)], -2, 2),
    "max axis": (lambda a: a.max(axis=0), [(4, 3)], -2, 2),
    "reshape": (lambda a: a.reshape(3, -1), [(2, 3)], -2, 2),
    "transpose two": (lambda a: a.transpose(0, 2), [(2, 3, 4)], -2, 2),
    "transpose permutation": (lambda a: a.transpose(0, 2, -2), [(2, 3, 4)], -2, 2),
    "T": (lambda a: a.T, [(2, 3)], -2, 2),
    "slice": (lambda a: a[1::2, ..., ::-1], [(4, 3)], -2, 2),
    "slice new axis": (lambda a: a[:, None, 1], [(4, 3)], -2, 2),
    "repeated index": (lambda a: a[[0, 2, 0, 0]], [(3, 2)], -2, 2),
    "two index arrays": (lambda a: a[[0, 1, 0], [1, 1, 1]], [(3, 2)], -2, 2),
    "boolean index": (lambda a: a[MASK], [(2, 3)], -2, 2),
    "relu": (F.relu, [(2, 5)], -2, 2),
    "gelu": (F.gelu, [(2, 5)], -3, 3),
    "gelu tanh": (lambda a: F.gelu(a, approximate="tanh"), [(2, 5)], -3, 3),
    "silu": (F.silu, [(2, 5)], -3, 3),
    "sigmoid": (F.sigmoid, [(2, 5)], -3, 3),
    "F.tanh": (F.tanh, [(2, 5)], -3, 3),
    "swiglu": (F.swiglu, [(2, 5), (2, 5)], -2, 2),
    "softmax": (F.softmax, [(2, 5)], -3, 3),
    "softmax dim": (lambda a: F.softmax(a, dim=0), [(3, 2)], -3, 3),
    "log_softmax": (F.log_softmax, [(2, 5)], -3, 3),
    "cross_entropy": (lambda a: F.cross_entropy(a, T), [(5, 6)], -3, 3),
    "cross_entropy sum": (lambda a: F.cross_entropy(a, T, reduction="sum"), [(5, 6)], -3, 3),
    "cross_entropy none": (lambda a: F.cross_entropy(a, T, reduction="none"), [(5, 6)], -3, 3),
    "cross_entropy ignore": (lambda a: F.cross_entropy(a, T, ignore_index=3), [(5, 6)], -3, 3),
    "cross_entropy smooth": (
        lambda a: F.cross_entropy(a, T, ignore_index=0, label_smoothing=0.1), [(5, 6)], -3, 3),
    "linear": (F.linear, [(2, 3, 4), (5, 4), (5,)], -2, 2),
    "linear no bias": (F.linear, [(3, 4), (5, 4)], -2, 2),
    "embedding": (lambda w: F.embedding([[1, 0], [1, 3]], w), [(4, 3)], -2, 2),
    "rms_norm": (F.rms_norm, [(2, 3, 4), (4,)], -2, 2),
    "layer_norm": (F.layer_norm, [(2, 3, 4), (4,), (4,)], -2, 2),
    "layer_norm no bias": (F.layer_norm, [(3, 4), (4,)], -2, 2),
    "dropout": (
        lambda a: F.dropout(a, 0.5, generator=np.random.default_rng(1)), [(4, 5)], -2, 2),
    "apply_rope": (lambda a: F.apply_rope(a, [3, 5, 9]), [(1, 2, 3, 4)], -2, 2),
    "apply_rope pairs": (
        lambda a: F.apply_rope(a, [0, 1, 2], interleaved=True), [(1, 2, 3, 4)], -2, 2),
    "attention": (F.scaled_dot_product_attention, [(2, 2, 3, 4)] * 3, -1, 1),
    "attention causal": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        [(1, 2, 3, 4)] * 3, -1, 1),
    "attention grouped": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        [(2, 4, 2, 4), (2, 2, 3, 4), (2, 2, 3, 4)], -1, 1),
    "attention masked": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=MASK),
        [(1, 2, 2, 4), (1, 1, 3, 4), (1, 1, 3, 4)], -1, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_gradient(name: str, record_property) -> None:
    fn, shapes, low, high = OPERATIONS[name]
    record_property("worst_relative_error", check_op(fn, shapes, low, high))


def test_every_public_operation_is_in_the_table() -> None:
    tested = " ".join(OPERATIONS)
    public = [n for n, f in vars(F).items() if getattr(f, "__module__", "") == F.__name__]
    helpers = {"rotate", "attention_with_weights"}  # inside apply_rope and attention
    renamed = {"scaled_dot_product_attention": "attention", "tanh": "F.tanh"}
    for name in public:
        if not name.startswith("_") and name not in helpers:
            assert renamed.get(name, name) in tested, f"{name} has no gradient check"


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.data())
def test_broadcasting_any_shapes(shape: list[int], data: st.DataObject) -> None:
    a = tuple(data.draw(st.sampled_from([1, n])) for n in shape)
    b = tuple(data.draw(st.sampled_from([1, n])) for n in shape)[data.draw(st.integers(0, 2)) :]
    check_op(lambda x, y: x * y + y, [a, b])


# Values


def test_activations_at_known_points() -> None:
    x = Tensor(np.array([-1.0, 0.0, 2.0]))
    assert F.relu(x).data.tolist() == [0, 0, 2]
    phi = [0.5 * (1 + math.erf(v / math.sqrt(2))) for v in (-1.0, 0.0, 2.0)]
    np.testing.assert_allclose(F.gelu(x).data, x.data * phi, rtol=1e-15)
    assert F.gelu(Tensor(-9.0)).item() == pytest.approx(-9 * 1.1285884e-19, rel=1e-6)
    assert F.sigmoid(Tensor(np.float32(-20))).item() == pytest.approx(math.exp(-20), rel=1e-5)
    np.testing.assert_allclose(F.gelu(x, "tanh").data, F.gelu(x).data, atol=5e-4)
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


# RoPE, and attention: the trust tests of their lessons


@pytest.mark.parametrize("interleaved", [False, True])
def test_rope_scores_depend_on_distance_only(interleaved: bool) -> None:
    rng = np.random.default_rng(0)
    q, k = (Tensor(rng.normal(size=(1, 1, 1, 8))) for _ in range(2))

    def score(m: int, n: int) -> float:
        turned = (F.apply_rope(x, [p], interleaved=interleaved).data for x, p in ((q, m), (k, n)))
        a, b = turned
        return float((a * b).sum())

    assert score(5, 2) == pytest.approx(score(103, 100), rel=1e-12)
    assert score(5, 2) != pytest.approx(score(5, 3), rel=1e-3)


def test_rope_pairings_agree_up_to_a_permutation() -> None:
    x = np.random.default_rng(0).normal(size=(1, 1, 5, 8))
    order = [0, 2, 4, 6, 1, 3, 5, 7]  # neighbours to halves
    halves = F.apply_rope(Tensor(x[..., order]), np.arange(5)).data
    pairs = F.apply_rope(Tensor(x), np.arange(5), interleaved=True).data
    np.testing.assert_allclose(halves, pairs[..., order], rtol=1e-12)


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
        (lambda: F.cross_entropy(X, [0, 3]), ValueError, "target 3 is not a class id"),
        (lambda: F.cross_entropy(X, [0, -1]), ValueError, "target -1 is not a class id"),
        (lambda: F.cross_entropy(X, [0.0, 1.0]), TypeError, "integer class ids, not float64"),
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
        (lambda: X + Tensor(np.ones(4)), ValueError, "do not broadcast"),
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
    with pytest.raises(ValueError, match="not both"):
        attend(*[ones(1, 1, 2, 4)] * 3, attn_mask=np.ones((2, 2), bool), is_causal=True)
