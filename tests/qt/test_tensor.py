"""The tape: order, depth, reuse, and what it refuses."""

import gc
import weakref

import numpy as np
import pytest

import qt
from qt.tensor import Tensor


def leaf(*values: float) -> Tensor:
    return Tensor(np.array(values), requires_grad=True)


def test_first_example() -> None:
    x = Tensor(3.0, requires_grad=True)
    y = x * x + x
    y.backward()
    assert float(x.grad) == 7.0


def test_a_value_used_twice_gets_both_gradients() -> None:
    x = leaf(2.0)
    y = x * 3
    (y * y + y).backward(np.array([1.0]))  # 9x² + 3x
    assert x.grad.tolist() == [18 * 2 + 3]


def test_order_is_topological_not_depth_first() -> None:
    """A diamond of unequal arms: naive recursion would pass a half-summed gradient on."""
    x = leaf(1.5)
    a = x * 2
    b = a * 3
    c = b * a  # 12 x²
    d = c + a  # + 2x
    d.backward(np.ones(1))
    assert x.grad.tolist() == pytest.approx([24 * 1.5 + 2])


def test_a_deep_chain_does_not_recurse() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward(np.ones(1))
    assert x.grad.tolist() == [1.0]
    del y  # freeing the chain must not recurse either


def test_gradients_accumulate_until_they_are_forgotten() -> None:
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    optimizer = qt.optim.SGD([x], lr=0.1)
    optimizer.zero_grad()
    assert x.grad is None


def test_second_backward() -> None:
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


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
