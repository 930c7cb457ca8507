"""The tape: what it keeps, and what it refuses. Its order, depth and reuse: see test_trust.py."""

import copy
import gc
import weakref

import numpy as np
import pytest

import qt
from qt.tensor import Tensor, record


def leaf(*values: float) -> Tensor:
    return Tensor(np.array(values), requires_grad=True)


def test_first_example() -> None:
    x = Tensor(3.0, requires_grad=True)
    y = x * x + x
    y.backward()
    assert float(x.grad) == 7.0


def test_gradients_accumulate_until_they_are_forgotten() -> None:
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    optimizer = qt.optim.SGD([x], lr=0.1)
    optimizer.zero_grad()
    assert x.grad is None


def test_no_grad_records_nothing() -> None:
    x = leaf(1.0)
    with qt.no_grad():
        y = x * 2
    assert not y.requires_grad
    assert y.is_leaf
    assert (x * 2).requires_grad


def test_a_gradient_is_not_shared_with_another() -> None:
    a, b = leaf(1.0), leaf(2.0)
    (a + b).backward(np.ones(1))
    a.grad += 5
    assert b.grad.tolist() == [1.0]


def test_dtypes_stay() -> None:
    for dtype in (np.float32, np.float64):
        x = Tensor(np.ones((2, 2), dtype), requires_grad=True)
        y = ((2 * x + 1.0) / 3 - np.ones(2, dtype)).sum() ** 2
        assert y.dtype == dtype
        y.backward()
        assert x.grad.dtype == dtype


@pytest.mark.parametrize(
    "other",
    [2, 2.5, True, np.int64(3), np.float64(2.0), np.array(2.0), np.arange(2), [1.0, 2.0],
     Tensor([1, 2])],
)  # fmt: skip
def test_float32_stays_float32_beside_anything_that_is_not_a_tensor_of_floats(other) -> None:
    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    for y in (x + other, other - x, x * other, other / x, x**other):
        assert y.dtype == np.float32
        y.sum().backward()
        assert x.grad.dtype == np.float32


def test_a_single_number() -> None:
    x = Tensor(np.array(3.0), requires_grad=True)
    for _ in range(2):
        (x * x).backward()
    assert isinstance(x.grad, np.ndarray)
    assert float(x.grad) == 12.0
    assert qt.optim.clip_grad_norm_(x, 1.0) == 12.0
    assert float(x.grad) == pytest.approx(1.0)
    qt.optim.AdamW([x], lr=0.5, weight_decay=0.0).step()
    assert f"{x:.1f}" == "2.5"
    assert bool(x)
    assert not Tensor(0.0)


def test_numpy_functions_do_not_drop_the_tape_silently() -> None:
    with pytest.raises(TypeError):
        np.exp(leaf(1.0))


def test_mixed_dtypes_promote_and_gradients_come_back_in_their_own() -> None:
    a = Tensor(np.ones(2, np.float32), requires_grad=True)
    b = Tensor(np.ones(2, np.float64), requires_grad=True)
    y = (a * b).sum()
    assert y.dtype == np.float64
    y.backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)


def test_a_tensor_as_index() -> None:
    x = leaf(1.0, 2.0, 3.0)
    y = x[Tensor([0, 2, 0])]
    assert y.data.tolist() == [1, 3, 1]
    y.sum().backward()
    assert x.grad.tolist() == [2, 0, 1]
    assert x[Tensor(np.array([True, False, True]))].data.tolist() == [1, 3]


def test_max_shares_ties() -> None:
    x = leaf(1.0, 3.0, 3.0)
    x.max().backward()
    assert x.grad.tolist() == [0, 0.5, 0.5]


def test_power_at_zero() -> None:
    x = leaf(0.0, 0.0)
    (x ** np.array([0.0, 2.0])).sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_nothing_keeps_a_tape_alive() -> None:
    """No reference cycles: the tape goes when its result goes, without the garbage collector."""
    gc.disable()
    try:
        x = leaf(1.0)
        y = (x * 2).exp().sum()
        middle = weakref.ref(y._parents[0])
        y.backward()
        assert middle() is None
        z = (x * 2).exp().sum()
        middle = weakref.ref(z._parents[0])
        del z
        assert middle() is None
    finally:
        gc.enable()


def test_numpy_on_the_left() -> None:
    x = leaf(1.0, 2.0)
    y = np.array([3.0, 4.0]) * x
    assert isinstance(y, Tensor)
    assert y.data.tolist() == [3.0, 8.0]


def test_what_a_tensor_says_of_itself() -> None:
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    assert repr(x) == str(x) == f"{x}" == "Tensor([1., 2.], dtype=float32, requires_grad=True)"
    assert repr(Tensor(0.5)) == f"{Tensor(0.5)}" == "Tensor(0.5)"
    assert f"{Tensor(0.5):.3f}" == "0.500"
    assert len(x) == 2
    assert x.numpy() is x.data
    assert np.asarray(x).tolist() == [1, 2]
    assert repr(qt.nn.Parameter([1.0], "norm.weight")) == (
        "Parameter(norm.weight, shape=(1,), dtype=float64)"
    )


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (1,)])
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions_are_numpys(name: str, axis: object, keepdims: bool) -> None:
    a = np.random.default_rng(0).normal(size=(2, 3, 4))
    ours = getattr(Tensor(a), name)(axis=axis, keepdims=keepdims).data
    np.testing.assert_allclose(ours, getattr(a, name)(axis=axis, keepdims=keepdims), rtol=1e-14)


def test_operators_are_numpys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0.5, 2, (2, 3, 4)), rng.uniform(0.5, 2, (3, 1))
    x, y = Tensor(a), Tensor(b)
    for ours, theirs in (
        (x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b), (x**y, a**b),
        (3 - x, 3 - a), (3 / x, 3 / a), (3**x, 3**a), (-x, -a), (x @ x.transpose(1, 2), None),
        (x.exp(), np.exp(a)), (x.log(), np.log(a)), (x.sqrt(), np.sqrt(a)), (x.tanh(), np.tanh(a)),
        (x.transpose((2, 0, 1)), a.transpose(2, 0, 1)), (x.T, a.T), (x[1, ::-2], a[1, ::-2]),
        (x.reshape(4, -1), a.reshape(4, 6)),
    ):  # fmt: skip
        expected = np.einsum("bij,bkj->bik", a, a) if theirs is None else theirs
        np.testing.assert_allclose(ours.data, expected, rtol=1e-14)


def test_a_detached_tensor_is_cut_off() -> None:
    x = leaf(2.0)
    y = x * x.detach()
    y.backward(np.ones(1))
    assert x.grad.tolist() == [2.0], "the detached factor is a constant"
    assert not x.detach().requires_grad


def test_numpy_matrix_on_the_left() -> None:
    x = leaf(1.0, 2.0)
    y = np.array([[3.0, 4.0], [5.0, 6.0]]) @ x
    assert y.data.tolist() == [11.0, 17.0]
    y.sum().backward()
    assert x.grad.tolist() == [8.0, 10.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Tensor(["a"]), TypeError, "real numbers"),
        (lambda: Tensor([1, 2], requires_grad=True), TypeError, "int64"),
        (lambda: (leaf(1.0, 2.0) * 2).backward(), ValueError, r"scalar, not shape \(2,\)"),
        (lambda: (leaf(1.0) * 2).backward(np.ones(3)), ValueError, r"shape \(3,\)"),
        (lambda: Tensor([1.0]).backward(), RuntimeError, "nothing to differentiate"),
        (lambda: Tensor(np.ones((2, 2, 2))).transpose(5, 4, 3), ValueError, "out of bounds"),
        (lambda: Tensor(np.ones((2, 2))).transpose(0, 5), ValueError, "out of bounds"),
        (lambda: qt.optim.AdamW(leaf(1.0)), TypeError, "a list of parameters"),
    ],
)
def test_bad_input(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_copy_as_old_as_its_original_shares_a_tape_with_it() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = copy.deepcopy(x)
    (x * y + y).sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    np.testing.assert_array_equal(x.grad, [1, 2])
    np.testing.assert_array_equal(y.grad, [2, 3])


def test_a_gradient_is_worked_out_only_where_it_is_wanted() -> None:
    x, constant = Tensor([2.0], requires_grad=True), Tensor([3.0])
    asked = []

    def part(name: str) -> np.ndarray:
        asked.append(name)
        return np.ones(1)

    record(
        x.data, (x, constant), lambda g: (lambda: part("x"), lambda: part("constant"))
    ).backward()
    assert asked == ["x"]
