"""The operations behind `Tensor`'s operators, each forward beside its backward.

Notation: `out = f(a, b)`; `g` is the gradient of the loss with respect to `out`, and the inner
function `backward(g)` returns the gradients with respect to `a` and `b`. Arrays of different
shapes broadcast as in NumPy; the backward of broadcasting is a sum (`unbroadcast`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from qt.tensor import Array, Axis, Operand, Tensor, record


def unbroadcast(g: Array, like: Array) -> Array:
    """Sum `g` over the axes along which `like` was repeated, so that it has `like`'s shape.

    A value that was used n times gets the sum of its n gradients.
    """
    if g.shape != like.shape:
        extra = g.ndim - like.ndim
        repeated = [
            i + extra for i, n in enumerate(like.shape) if n == 1 and g.shape[i + extra] != 1
        ]
        g = g.sum(axis=(*range(extra), *repeated), keepdims=True).reshape(like.shape)
    return g


def _pair(a: Operand, b: Operand) -> tuple[Tensor, Tensor]:
    """Both operands as tensors; numbers, arrays and integers take a floating tensor's dtype."""
    a, b = _like(a, b), _like(b, a)
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"shapes {a.shape} and {b.shape} do not broadcast together") from None
    return a, b


def _like(value: Operand, other: Operand) -> Tensor:
    if isinstance(value, Tensor) and value.dtype.kind == "f":
        return value
    array = value.data if isinstance(value, Tensor) else np.asarray(value)
    if isinstance(other, Tensor) and other.dtype.kind == "f":
        array = array.astype(other.dtype, copy=False)
    return Tensor(array)


def add(a: Operand, b: Operand) -> Tensor:
    """out = a + b; each operand receives g."""
    a, b = _pair(a, b)

    def backward(g: Array) -> tuple[Array, Array]:
        return unbroadcast(g, a.data), unbroadcast(g, b.data)

    return record(a.data + b.data, (a, b), backward)


def sub(a: Operand, b: Operand) -> Tensor:
    """out = a - b."""
    a, b = _pair(a, b)

    def backward(g: Array) -> tuple[Array, Array]:
        return unbroadcast(g, a.data), unbroadcast(-g, b.data)

    return record(a.data - b.data, (a, b), backward)


def mul(a: Operand, b: Operand) -> Tensor:
    """out = a b; d/da = b, d/db = a."""
    a, b = _pair(a, b)

    def backward(g: Array) -> tuple[Array | None, Array | None]:
        return (
            unbroadcast(g * b.data, a.data) if a.requires_grad else None,
            unbroadcast(g * a.data, b.data) if b.requires_grad else None,
        )

    return record(a.data * b.data, (a, b), backward)


def div(a: Operand, b: Operand) -> Tensor:
    """out = a / b; d/da = 1/b, d/db = -a/b²."""
    a, b = _pair(a, b)

    def backward(g: Array) -> tuple[Array | None, Array | None]:
        return (
            unbroadcast(g / b.data, a.data) if a.requires_grad else None,
            unbroadcast(-g * (a.data / b.data) / b.data, b.data) if b.requires_grad else None,
        )

    return record(a.data / b.data, (a, b), backward)


def pow(a: Operand, b: Operand) -> Tensor:
    """out = aᵇ; d/da = b aᵇ⁻¹, d/db = aᵇ ln a (0 where a = 0 and b ≥ 0, as the limit is)."""
    a, b = _pair(a, b)
    out = a.data**b.data

    def backward(g: Array) -> tuple[Array | None, Array | None]:
        ga = gb = None
        if a.requires_grad:
            # b = 0 is a constant: its slope is 0 even at a = 0, where a^(b-1) is infinite
            slope = np.where(
                b.data == 0, 0, b.data * a.data ** np.where(b.data == 0, 1, b.data - 1)
            )
            ga = unbroadcast(g * slope, a.data)
        if b.requires_grad:
            log_a = np.log(np.where(a.data == 0, 1, a.data))
            gb = unbroadcast(g * out * log_a, b.data)
        return ga, gb

    return record(out, (a, b), backward)


def matmul(a: Operand, b: Operand) -> Tensor:
    """(…, N, K), (…, K, M) -> (…, N, M): out = a b; d/da = g bᵀ, d/db = aᵀ g.

    A vector on the left counts as a row, on the right as a column, as in NumPy. Raises
    `ValueError` when the inner sizes differ.
    """
    a, b = _like(a, b), _like(b, a)
    inner = b.shape[-2 if b.ndim > 1 else -1] if b.ndim else None
    if not a.ndim or a.shape[-1] != inner:
        raise ValueError(
            f"matmul of shapes {a.shape} and {b.shape}: the last size of the first "
            "must equal the last but one of the second"
        )
    row, column = a.ndim == 1, b.ndim == 1

    def backward(g: Array) -> tuple[Array | None, Array | None]:
        a2 = a.data[None, :] if row else a.data  # (…, N, K)
        b2 = b.data[:, None] if column else b.data  # (…, K, M)
        if row:
            g = np.expand_dims(g, -1 if column else -2)
        if column:
            g = np.expand_dims(g, -1)
        ga = gb = None
        if a.requires_grad:
            ga = unbroadcast(g @ b2.swapaxes(-1, -2), a2).reshape(a.shape)
        if b.requires_grad:
            gb = unbroadcast(a2.swapaxes(-1, -2) @ g, b2).reshape(b.shape)
        return ga, gb

    return record(np.asarray(a.data @ b.data), (a, b), backward)


def exp(x: Tensor) -> Tensor:
    """out = eˣ, which is its own derivative."""
    out = np.exp(x.data)
    return record(out, (x,), lambda g: (g * out,))


def log(x: Tensor) -> Tensor:
    """out = ln x; d/dx = 1/x."""
    return record(np.log(x.data), (x,), lambda g: (g / x.data,))


def sqrt(x: Tensor) -> Tensor:
    """out = √x; d/dx = 1/(2√x)."""
    out = np.sqrt(x.data)
    return record(out, (x,), lambda g: (g / (2 * out),))


def tanh(x: Tensor) -> Tensor:
    """out = tanh x; d/dx = 1 - tanh² x."""
    out = np.tanh(x.data)
    return record(out, (x,), lambda g: (g * (1 - out * out),))


def _expand(reduced: Array, like: Array, axis: Axis, keepdims: bool) -> Array:
    """Put the axes back that a reduction removed, so that the result broadcasts against `like`."""
    if axis is None:
        return reduced.reshape((1,) * like.ndim)
    return reduced if keepdims else np.expand_dims(reduced, axis)


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Sum over `axis` (all by default): every summand receives g."""

    def backward(g: Array) -> tuple[Array]:
        return (np.broadcast_to(_expand(g, x.data, axis, keepdims), x.shape),)

    return record(np.asarray(x.data.sum(axis=axis, keepdims=keepdims)), (x,), backward)


def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Mean over `axis` (all by default): every one of n values receives g/n."""
    out = np.asarray(x.data.mean(axis=axis, keepdims=keepdims))
    n = x.size / out.size if out.size else 1.0

    def backward(g: Array) -> tuple[Array]:
        return (np.broadcast_to(_expand(g, x.data, axis, keepdims) / n, x.shape).astype(x.dtype),)

    return record(out, (x,), backward)


def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Largest value over `axis` (all by default): it receives g, and ties share it equally."""
    out = np.asarray(x.data.max(axis=axis, keepdims=keepdims))

    def backward(g: Array) -> tuple[Array]:
        winners = (x.data == _expand(out, x.data, axis, keepdims)).astype(x.dtype)
        winners /= winners.sum(axis=axis, keepdims=True)
        return (winners * _expand(g, x.data, axis, keepdims),)

    return record(out, (x,), backward)


def reshape(x: Tensor, shape: tuple[Any, ...]) -> Tensor:
    """The same values in the same order, in another shape; one size may be -1."""
    if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = tuple(shape[0])
    return record(x.data.reshape(shape), (x,), lambda g: (g.reshape(x.shape),))


def transpose(x: Tensor, axes: tuple[Any, ...]) -> Tensor:
    """Swap two axes as PyTorch does, `transpose(1, 2)`, or permute all as NumPy does.

    Without arguments all axes are reversed. With two arguments on a two-dimensional tensor both
    readings agree but for `transpose(0, 1)`, which swaps, as in PyTorch.
    """
    if len(axes) == 1 and isinstance(axes[0], (tuple, list)):
        axes = tuple(axes[0])  # a tuple is always a permutation
    elif len(axes) == 2:
        permutation = list(range(x.ndim))
        i, j = normalize_axis_tuple(axes, x.ndim, allow_duplicate=True)
        permutation[i], permutation[j] = permutation[j], permutation[i]
        axes = tuple(permutation)
    order = normalize_axis_tuple(axes, x.ndim) or tuple(reversed(range(x.ndim)))
    return record(x.data.transpose(order), (x,), lambda g: (g.transpose(np.argsort(order)),))


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index]: slices, integers, masks and arrays of indices, which may repeat."""
    parts = index if isinstance(index, tuple) else (index,)
    index = tuple(part.data if isinstance(part, Tensor) else part for part in parts)

    def backward(g: Array) -> tuple[Array]:
        gx = np.zeros_like(x.data)
        if _is_basic(index):
            gx[index] = g
        else:
            np.add.at(gx, index, g)  # an element that was taken twice gets both gradients
        return (gx,)

    return record(np.asarray(x.data[index]), (x,), backward)


def _is_basic(index: Any) -> bool:
    """True when no element can be taken twice: slices, integers, None, `...`, tuples of them."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or isinstance(p, (int, np.integer, slice)) for p in parts)
