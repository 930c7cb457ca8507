"""`Tensor`: an array that remembers how it was made, so that gradients can flow back.

Every operation's result keeps the tensors it was made from (its parents) and a function that turns
its own gradient into theirs. Together these records are the *tape*. `backward()` walks it once,
from the end to the start: reverse-mode differentiation (Baydin et al. 2018, section 3.2).

>>> x = Tensor(3.0, requires_grad=True)
>>> y = x * x + x
>>> y.backward()
>>> float(x.grad)               # dy/dx = 2x + 1
7.0

Notation: `out = f(a, b)`; `g` is the gradient of the loss with respect to `out`.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Axis = int | tuple[int, ...] | None
Backward = Callable[[Array], Sequence[Array | Callable[[], Array]]]

_recording: ContextVar[bool] = ContextVar("recording", default=True)
_births = itertools.count()


@contextmanager
def no_grad() -> Iterator[None]:
    """Switch the tape off inside a `with` block: results do not remember how they were made."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


class Tensor:
    """An n-dimensional array with a gradient.

    `data` is a NumPy array, `grad` None or an array of its shape and dtype that `backward()` adds
    to; as in PyTorch only leaves (tensors that no recorded operation made) get one. Shapes
    broadcast as in NumPy. `TypeError` for data that is not numbers, or `requires_grad` of integers.
    """

    __slots__ = ("__weakref__", "_backward", "_birth", "_parents", "data", "grad", "requires_grad")
    __array_ufunc__ = None  # `array * tensor` calls our operator; np.exp(tensor) is refused

    def __init__(self, data: npt.ArrayLike | Tensor, requires_grad: bool = False) -> None:
        array = data.data if isinstance(data, Tensor) else np.asarray(data)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"a Tensor holds real numbers, not {array.dtype}")
        if requires_grad and array.dtype.kind != "f":
            raise TypeError(f"{array.dtype} has no gradients: use floats, as .astype('float32')")
        self.data: Array = array
        self.grad: Array | None = None
        self.requires_grad = requires_grad
        self._parents: tuple[Tensor, ...] = ()
        self._backward: Backward | None = None
        self._birth = next(_births)

    shape: Any = property(lambda self: self.data.shape)
    dtype: Any = property(lambda self: self.data.dtype)
    ndim: Any = property(lambda self: self.data.ndim)
    size: Any = property(lambda self: self.data.size)
    is_leaf: Any = property(lambda self: self._backward is None)
    T: Any = property(lambda self: self.transpose())

    @property
    def op(self) -> str:
        """The operation that made this tensor ("add", "softmax", …); "" for a leaf."""
        made_by = getattr(self._backward, "__qualname__", "").split(".<locals>")[0]
        return made_by.split(".")[-1].strip("_")

    def numpy(self) -> Array:
        """The array itself, not a copy."""
        return self.data

    def item(self) -> float:
        """The single number that this tensor holds. `ValueError` when it holds more or none."""
        return self.data.item()

    def detach(self) -> Tensor:
        """The same data, cut off from the tape."""
        return Tensor(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __float__(self) -> float:
        return float(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __format__(self, spec: str) -> str:
        return format(self.item() if spec else repr(self), spec)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        text = np.array2string(
            self.data, precision=4, separator=", ", threshold=20, prefix="Tensor("
        )
        kind = "" if self.dtype == np.float64 else f", dtype={self.dtype}"
        return f"Tensor({text}{kind}{', requires_grad=True' if self.requires_grad else ''})"

    # The tape

    def backward(self, gradient: npt.ArrayLike | None = None, retain_graph: bool = False) -> None:
        """Add d(self)/d(leaf) to the `.grad` of every leaf that this tensor was made from.

        `gradient` is the upstream gradient, of this tensor's shape; a scalar needs none. The tape
        is used up on the way, so that its arrays are free early, unless `retain_graph=True`.
        `RuntimeError` without a tape, `ValueError` for a gradient missing or of another shape.
        """
        for leaf, g in self.leaf_gradients(gradient, retain_graph).items():
            leaf.grad = g if leaf.grad is None else np.asarray(leaf.grad + g)

    def leaf_gradients(
        self, gradient: npt.ArrayLike | None = None, retain_graph: bool = False
    ) -> dict[Tensor, Array]:
        """What `backward` would add, by leaf, without touching any `.grad`: for threads."""
        if not self.requires_grad:
            why = "no tensor in this computation has requires_grad=True, or it ran under no_grad()"
            raise RuntimeError(f"nothing to differentiate: {why}")
        if gradient is None and self.size != 1:
            hint = "reduce it with .sum() or .mean(), or pass gradient="
            raise ValueError(f"backward() needs a scalar, not shape {self.shape}: {hint}")
        upstream = np.asarray(np.ones_like(self.data) if gradient is None else gradient, self.dtype)
        if upstream.shape != self.shape:
            raise ValueError(f"gradient has shape {upstream.shape}, but the tensor {self.shape}")
        gradients: dict[Tensor, Array] = {self: upstream}
        ours: set[Tensor] = set()  # tensors whose gradient array was made here: free to add into
        leaves: dict[Tensor, Array] = {}
        tape = [(-self._birth, id(self), self)]  # a heap: children, being younger, come first
        while tape:
            node = heapq.heappop(tape)[-1]
            g = gradients.pop(node)
            if node._backward is None:
                leaves[node] = g if node in ours else np.array(g)
                continue
            for parent, part in zip(node._parents, node._backward(g)):
                if not parent.requires_grad:
                    continue
                made_here = callable(part)
                part = np.asarray(part() if callable(part) else part, parent.data.dtype)
                part = unbroadcast(part, parent.data.shape)
                if parent in ours:
                    gradients[parent] += part
                    continue
                if parent in gradients:
                    part = np.add(gradients[parent], part, out=part if made_here else None)
                    made_here = True
                else:
                    heapq.heappush(tape, (-parent._birth, id(parent), parent))
                gradients[parent] = part
                if made_here:
                    ours.add(parent)
            if not retain_graph:
                node._backward, node._parents = _used_up, ()
        return leaves

    # Operators, each with its gradient beside it

    def __add__(self, other: Operand) -> Tensor:
        """out = a + b; each operand receives g."""
        a, b = _pair(self, other)
        return record(a.data + b.data, (a, b), lambda g: (g, g))

    def __mul__(self, other: Operand) -> Tensor:
        """out = a b; d/da = b, d/db = a."""
        a, b = _pair(self, other)
        return record(a.data * b.data, (a, b), lambda g: (lambda: g * b.data, lambda: g * a.data))

    def __sub__(self, other: Operand) -> Tensor:
        """out = a - b."""
        a, b = _pair(self, other)
        return record(a.data - b.data, (a, b), lambda g: (g, lambda: -g))

    def __truediv__(self, other: Operand) -> Tensor:
        """out = a / b; d/da = 1/b, d/db = -a/b²."""
        a, b = _pair(self, other)
        out = a.data / b.data
        return record(out, (a, b), lambda g: (lambda: g / b.data, lambda: -g * out / b.data))

    def __pow__(self, other: Operand) -> Tensor:
        """out = aᵇ; d/da = b aᵇ⁻¹, d/db = aᵇ ln a (0 where a = 0 and b ≥ 0, as the limit is)."""
        a, b = _pair(self, other)
        out = a.data**b.data

        def slope() -> Array:
            return b.data * a.data ** np.where(b.data == 0, 1, b.data - 1)  # a⁰ is flat, even at 0

        def log_a() -> Array:
            return np.log(np.where(a.data == 0, 1, a.data))

        return record(out, (a, b), lambda g: (lambda: g * slope(), lambda: g * out * log_a()))

    def __matmul__(self, other: Operand) -> Tensor:
        """(…, N, K), (…, K, M) -> (…, N, M): out = a b; d/da = g bᵀ, d/db = aᵀ g.

        A vector on the left is a row, on the right a column. `ValueError` if inner sizes differ.
        """
        a, b = _pair(self, other)
        if not (a.ndim and b.ndim) or a.shape[-1] != b.shape[-2 if b.ndim > 1 else -1]:
            wanted = "the last size of the first must equal the last but one of the second"
            raise ValueError(f"matmul of shapes {a.shape} and {b.shape}: {wanted}")
        rows = a.data[None, :] if a.ndim == 1 else a.data  # (…, N, K)
        columns = b.data[:, None] if b.ndim == 1 else b.data  # (…, K, M)
        out = rows @ columns
        vectors = (-2,) * (a.ndim == 1) + (-1,) * (b.ndim == 1)

        def backward(g: Array) -> Sequence[Callable[[], Array]]:
            g = g.reshape(out.shape)
            return (
                lambda: g @ columns.swapaxes(-1, -2),
                lambda: unbroadcast(rows.swapaxes(-1, -2) @ g, columns.shape).reshape(b.shape),
            )

        return record(out.squeeze(vectors), (a, b), backward)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: Operand) -> Tensor:
        return _like(other, self) - self

    def __rtruediv__(self, other: Operand) -> Tensor:
        return _like(other, self) / self

    def __rpow__(self, other: Operand) -> Tensor:
        return _like(other, self) ** self

    def __rmatmul__(self, other: Operand) -> Tensor:
        return _like(other, self) @ self

    def __neg__(self) -> Tensor:
        return self * -1

    def exp(self) -> Tensor:
        """out = eˣ, which is its own derivative."""
        out = np.exp(self.data)
        return record(out, (self,), lambda g: (g * out,))

    def log(self) -> Tensor:
        """out = ln x; d/dx = 1/x."""
        return record(np.log(self.data), (self,), lambda g: (g / self.data,))

    def sqrt(self) -> Tensor:
        """out = √x; d/dx = 1/(2√x)."""
        out = np.sqrt(self.data)
        return record(out, (self,), lambda g: (g / (2 * out),))

    def tanh(self) -> Tensor:
        """out = tanh x; d/dx = 1 - tanh² x."""
        out = np.tanh(self.data)
        return record(out, (self,), lambda g: (g * (1 - out * out),))

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Sum over `axis` (all by default): every summand receives g."""
        kept = self.data.sum(axis=axis, keepdims=True)
        out = kept if keepdims else kept.squeeze(axis)
        return record(out, (self,), lambda g: (np.broadcast_to(g.reshape(kept.shape), self.shape),))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Mean over `axis` (all by default): every one of n values receives g/n."""
        total = self.sum(axis, keepdims)
        return total / (self.size / max(total.size, 1))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Largest value over `axis` (all by default): it receives g, and ties share it equally."""
        kept = self.data.max(axis=axis, keepdims=True)
        out = kept if keepdims else kept.squeeze(axis)

        def backward(g: Array) -> tuple[Array]:
            winners = (self.data == kept).astype(self.dtype)
            winners /= winners.sum(axis=axis, keepdims=True)
            return (winners * g.reshape(kept.shape),)

        return record(out, (self,), backward)

    def reshape(self, *shape: Any) -> Tensor:
        """The same values in the same order, in another shape; one size may be -1."""
        out = self.data.reshape(*shape)
        return record(out, (self,), lambda g: (g.reshape(self.shape),))

    def transpose(self, *axes: Any) -> Tensor:
        """Two arguments swap axes as in PyTorch, a tuple permutes, none reverse all as in NumPy."""
        if len(axes) == 2:
            return record(self.data.swapaxes(*axes), (self,), lambda g: (g.swapaxes(*axes),))
        back = np.argsort(np.arange(self.ndim)[::-1] if not axes else np.ravel(axes) % self.ndim)
        return record(self.data.transpose(*axes), (self,), lambda g: (g.transpose(back),))

    def __getitem__(self, index: Any) -> Tensor:
        """x[index]: slices, integers, masks and arrays of indices, which may repeat."""
        parts = index if isinstance(index, tuple) else (index,)
        parts = tuple(part.data if isinstance(part, Tensor) else part for part in parts)
        once = all(p is None or p is ... or isinstance(p, int | np.integer | slice) for p in parts)

        def backward(g: Array) -> tuple[Array]:
            out = np.zeros_like(self.data)
            if once:
                out[parts] = g
            else:
                np.add.at(out, parts, g)  # an element that was taken twice gets both gradients
            return (out,)

        return record(np.asarray(self.data[parts]), (self,), backward)


Operand = Tensor | float | int | npt.ArrayLike


def record(data: Array, parents: tuple[Tensor, ...], backward: Backward) -> Tensor:
    """Make the result of an operation, and write it on the tape if a parent needs a gradient.

    `backward` takes the result's gradient and returns each parent's, or a function that works it
    out if it is wanted, in a new array that the tape may add to. It must not refer to the result,
    which would be a cycle, and need not undo broadcasting: the tape sums the gradient of a parent
    that was repeated.
    """
    out = Tensor(data)
    if _recording.get() and True in [parent.requires_grad for parent in parents]:
        out.requires_grad, out._parents, out._backward = True, parents, backward
    return out


_Operation = TypeVar("_Operation", bound=Callable[..., Tensor])


def operation(function: _Operation) -> _Operation:
    """Say which argument is not a `Tensor` when one that must be is something else."""
    kinds = function.__annotations__

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Tensor:
        try:
            return function(*args, **kwargs)
        except (AttributeError, TypeError):  # looked at only now: a check costs time at every call
            for name, value in (*zip(kinds, args), *kwargs.items()):
                if kinds.get(name) == "Tensor" and not isinstance(value, Tensor):
                    wanted = f"{name} of {function.__name__} must be a Tensor"
                    raise TypeError(f"{wanted}, not {type(value).__name__}") from None
            raise

    return checked  # type: ignore[return-value]


def unbroadcast(g: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which a value of this shape was repeated: it was used that often."""
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    repeated = [i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1]
    return g.sum(axis=(*range(extra), *repeated), keepdims=True).reshape(shape)


def _like(value: Operand, other: Operand) -> Tensor:
    """`value` as a tensor; numbers, arrays and integers take a floating tensor's dtype."""
    if isinstance(value, Tensor) and value.dtype.kind == "f":
        return value
    array = np.asarray(value.data if isinstance(value, Tensor) else value)
    if isinstance(other, Tensor) and other.dtype.kind == "f":
        array = array.astype(other.dtype, copy=False)
    return Tensor(array)


def _pair(a: Operand, b: Operand) -> tuple[Tensor, Tensor]:
    return _like(a, b), _like(b, a)


def _used_up(gradient: Array) -> Sequence[Array]:
    hint = "compute the value again, or keep the tape with backward(retain_graph=True)"
    raise RuntimeError(f"this tape was used up by an earlier backward(): {hint}")
