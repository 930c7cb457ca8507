"""`Tensor`: an array that remembers how it was made, so that gradients can flow back.

Every differentiable operation returns a `Tensor` that keeps two things: the tensors it was made
from (its parents) and a function that turns the gradient of the result into the gradients of the
parents. Together these records form the *tape*. `backward()` walks it once, from the end to the
start: reverse-mode differentiation (Linnainmaa 1970; Baydin et al. 2018, "Automatic
Differentiation in Machine Learning: a Survey", section 3.2).

>>> x = Tensor(3.0, requires_grad=True)
>>> y = x * x + x
>>> y.backward()
>>> float(x.grad)               # dy/dx = 2x + 1
7.0
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Backward = Callable[[Array], Sequence["Array | None"]]

_recording: ContextVar[bool] = ContextVar("recording", default=True)


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

    `data` is a NumPy array; float32 and float64 are kept as they are. `grad` is None, or an array
    of `data`'s shape and dtype that `backward()` adds to. Only leaves (tensors made by the user)
    get a `grad`, as in PyTorch.

    Raises `TypeError` for data that is not numbers, or when `requires_grad` is asked of integers.
    """

    __slots__ = ("__weakref__", "_backward", "_parents", "data", "grad", "requires_grad")
    __array_ufunc__ = None  # `array * tensor` calls our operator; np.exp(tensor) is refused

    def __init__(self, data: npt.ArrayLike | Tensor, requires_grad: bool = False) -> None:
        array = data.data if isinstance(data, Tensor) else np.asarray(data)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"a Tensor holds real numbers, not {array.dtype}")
        if requires_grad and array.dtype.kind != "f":
            raise TypeError(
                f"only floating-point tensors have gradients, not {array.dtype}: "
                "use array.astype(np.float32) first"
            )
        self.data: Array = array
        self.grad: Array | None = None
        self.requires_grad = requires_grad
        self._parents: tuple[Tensor, ...] = ()
        self._backward: Backward | None = None

    # What it looks like

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def is_leaf(self) -> bool:
        """True for a tensor that no recorded operation made."""
        return self._backward is None

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
        return format(self.item() if spec else self, spec)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.data, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        text = np.array2string(
            self.data, precision=4, separator=", ", threshold=20, prefix="Tensor("
        )
        kind = "" if self.data.dtype == np.float64 else f", dtype={self.data.dtype}"
        return f"Tensor({text}{kind}{', requires_grad=True' if self.requires_grad else ''})"

    # The tape

    def backward(self, gradient: npt.ArrayLike | None = None, retain_graph: bool = False) -> None:
        """Add d(self)/d(leaf) to the `.grad` of every leaf that this tensor was made from.

        `gradient` is the upstream gradient, of this tensor's shape; a scalar needs none. The tape
        is taken apart on the way, so that its arrays are free as early as possible; keep it for a
        second call with `retain_graph=True`.

        Raises `RuntimeError` when nothing here needs a gradient, or when the tape is used up;
        `ValueError` when the gradient is missing or has another shape.
        """
        for leaf, g in self.leaf_gradients(gradient, retain_graph).items():
            leaf.grad = np.array(g) if leaf.grad is None else np.asarray(leaf.grad + g)

    def leaf_gradients(
        self, gradient: npt.ArrayLike | None = None, retain_graph: bool = False
    ) -> dict[Tensor, Array]:
        """Go back through the tape and return each leaf's gradient, without touching any `.grad`.

        Threads that share parameters use this; arguments and errors are those of `backward`.
        """
        if not self.requires_grad:
            raise RuntimeError(
                "nothing to differentiate: no tensor in this computation has requires_grad=True, "
                "or it ran under no_grad()"
            )
        if gradient is None:
            if self.size != 1:
                raise ValueError(
                    f"backward() without an argument needs a scalar, not shape {self.shape}: "
                    "reduce it with .sum() or .mean(), or pass gradient="
                )
            gradient = np.ones_like(self.data)
        upstream = np.asarray(gradient, dtype=self.dtype)
        if upstream.shape != self.shape:
            raise ValueError(f"gradient has shape {upstream.shape}, but the tensor {self.shape}")

        gradients: dict[Tensor, Array] = {self: upstream}
        ours: set[Tensor] = set()  # tensors whose gradient array was made here: free to add into
        leaves: dict[Tensor, Array] = {}
        for node in reversed(_topological_order(self)):
            g = gradients.pop(node)
            if node._backward is None:
                leaves[node] = g
                continue
            for parent, part in zip(node._parents, node._backward(g), strict=True):
                if part is None or not parent.requires_grad:
                    continue
                part = part.astype(parent.data.dtype, copy=False)
                if parent not in gradients:
                    gradients[parent] = part
                elif parent in ours:
                    gradients[parent] += part
                else:
                    gradients[parent] = gradients[parent] + part
                    ours.add(parent)
            if not retain_graph:
                node._backward, node._parents = _used_up, ()
        return leaves

    # Operators. Each one is a function of `qt.arithmetic`, where its gradient stands beside it.

    def __add__(self, other: Operand) -> Tensor:
        return arithmetic.add(self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return arithmetic.add(other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return arithmetic.sub(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return arithmetic.sub(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return arithmetic.mul(self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return arithmetic.mul(other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return arithmetic.div(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return arithmetic.div(other, self)

    def __pow__(self, exponent: Operand) -> Tensor:
        return arithmetic.pow(self, exponent)

    def __rpow__(self, base: Operand) -> Tensor:
        return arithmetic.pow(base, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return arithmetic.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return arithmetic.matmul(other, self)

    def __neg__(self) -> Tensor:
        return arithmetic.mul(self, -1.0)

    def __getitem__(self, index: Any) -> Tensor:
        return arithmetic.getitem(self, index)

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return arithmetic.sum(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return arithmetic.mean(self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        return arithmetic.max(self, axis, keepdims)

    def exp(self) -> Tensor:
        return arithmetic.exp(self)

    def log(self) -> Tensor:
        return arithmetic.log(self)

    def sqrt(self) -> Tensor:
        return arithmetic.sqrt(self)

    def tanh(self) -> Tensor:
        return arithmetic.tanh(self)

    def reshape(self, *shape: Any) -> Tensor:
        return arithmetic.reshape(self, shape)

    def transpose(self, *axes: Any) -> Tensor:
        return arithmetic.transpose(self, axes)

    @property
    def T(self) -> Tensor:
        return arithmetic.transpose(self, ())


Operand = Tensor | float | int | npt.ArrayLike
Axis = int | tuple[int, ...] | None


def record(data: Array, parents: tuple[Tensor, ...], backward: Backward) -> Tensor:
    """Make the result of an operation, and write it on the tape if a parent needs a gradient.

    `backward` takes the gradient of the result and returns one gradient (or None) for each parent,
    of that parent's shape and dtype. It must not refer to the result: that would be a cycle.
    """
    out = Tensor(data)
    if _recording.get() and any(parent.requires_grad for parent in parents):
        out.requires_grad = True
        out._parents = parents
        out._backward = backward
    return out


def _used_up(gradient: Array) -> Sequence[Array | None]:
    raise RuntimeError(
        "this tape was used up by an earlier backward(): "
        "compute the value again, or keep the tape with backward(retain_graph=True)"
    )


def _topological_order(end: Tensor) -> list[Tensor]:
    """Every tensor after its parents. A loop with its own stack: deep graphs must not recurse."""
    order: list[Tensor] = []
    seen: set[Tensor] = {end}
    stack: list[tuple[Tensor, Iterator[Tensor]]] = [(end, iter(end._parents))]
    while stack:
        node, parents = stack[-1]
        for parent in parents:
            if parent.requires_grad and parent not in seen:
                seen.add(parent)
                stack.append((parent, iter(parent._parents)))
                break
        else:  # all parents are placed
            order.append(node)
            stack.pop()
    return order


from qt import arithmetic  # noqa: E402  (last, because the operations need the class above)
