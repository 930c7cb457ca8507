"""Every operation of `Tensor` and `qt.functional`, forward and all gradients, against PyTorch.

`CASES` is the table: a row for each operation, by its name. Every case runs in both dtypes, on
contiguous arrays and on strided views, with a random upstream gradient.
"""

import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from reference_gpt import frequencies, rotate
from torch.nn import functional as TF

import qt
from qt import functional as F
from qt import scaled_dot_product

rng = np.random.default_rng(0)


def R(*shape: int) -> np.ndarray:
    return np.asarray(rng.standard_normal(shape))


def positive(*shape: int) -> np.ndarray:
    return np.abs(R(*shape)) + 0.5


@dataclass(frozen=True)
class Case:
    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    label: str
    dtypes: tuple[Any, ...]


CASES: dict[str, list[Case]] = {}


def case(
    row: str,
    ours: Any,
    *inputs: Any,
    theirs: Any = None,
    label: str = "",
    dtypes: tuple[Any, ...] = (np.float64, np.float32),
) -> None:
    """Add a case. Without `theirs` the same expression is right for both libraries."""
    arrays = tuple(np.asarray(x, dtype=np.float64) for x in inputs)
    label = f"{label} {[a.shape for a in arrays]}"
    CASES.setdefault(row, []).append(Case(ours, theirs or ours, arrays, label, dtypes))


def like(x: Any, array: np.ndarray) -> Any:
    """An array as an operand for `x`: itself for a `qt.Tensor`, a tensor of x's dtype for torch."""
    return torch.tensor(array).to(x.dtype) if isinstance(x, torch.Tensor) else array


# Arithmetic

BROADCASTS = [
    ((3, 4), (3, 4)), ((3, 4), (4,)), ((4,), (3, 4)), ((3, 1), (1, 4)), ((), (3, 4)),
    ((3, 4), ()), ((), ()), ((1,), (1, 1)), ((0, 4), (4,)), ((0, 4), (1, 1)), ((2, 1, 3), (4, 1)),
    ((2, 0, 3), (1, 3)), ((1,), (0,)), ((1, 4), (1, 3, 1)), ((2, 1, 1, 5), (3, 4, 1)),
]  # fmt: skip
for a, b in BROADCASTS:
    case("Tensor.__add__", lambda x, y: x + y, R(*a), R(*b))
    case("Tensor.__sub__", lambda x, y: x - y, R(*a), R(*b))
    case("Tensor.__mul__", lambda x, y: x * y, R(*a), R(*b))
    case("Tensor.__truediv__", lambda x, y: x / y, R(*a), positive(*b))
    case("Tensor.__pow__", lambda x, y: x**y, positive(*a), R(*b))

table = positive(3, 4)
for other in (2.5, 3, True, np.float64(2.5), np.float32(2.5), np.int64(3), np.array(2.5)):
    number = float(other)
    case("Tensor.__add__", lambda x, o=other: x + o, R(3, 4), theirs=lambda x, n=number: x + n)
    case("Tensor.__radd__", lambda x, o=other: o + x, R(3, 4), theirs=lambda x, n=number: n + x)
    case("Tensor.__sub__", lambda x, o=other: x - o, R(3, 4), theirs=lambda x, n=number: x - n)
    case("Tensor.__rsub__", lambda x, o=other: o - x, R(3, 4), theirs=lambda x, n=number: n - x)
    case("Tensor.__mul__", lambda x, o=other: x * o, R(3, 4), theirs=lambda x, n=number: x * n)
    case("Tensor.__rmul__", lambda x, o=other: o * x, R(3, 4), theirs=lambda x, n=number: n * x)
    case("Tensor.__truediv__", lambda x, o=other: x / o, table, theirs=lambda x, n=number: x / n)
    case("Tensor.__rtruediv__", lambda x, o=other: o / x, table, theirs=lambda x, n=number: n / x)
    case("Tensor.__pow__", lambda x, o=other: x**o, table, theirs=lambda x, n=number: x**n)
    case("Tensor.__rpow__", lambda x, o=other: o**x, table, theirs=lambda x, n=number: n**x)
for array in (positive(3, 4), positive(4), np.arange(1, 5)):
    case("Tensor.__radd__", lambda x, a=array: like(x, a) + x, table, label="array")
    case("Tensor.__rsub__", lambda x, a=array: like(x, a) - x, table, label="array")
    case("Tensor.__rmul__", lambda x, a=array: like(x, a) * x, table, label="array")
    case("Tensor.__rtruediv__", lambda x, a=array: like(x, a) / x, table, label="array")
    case("Tensor.__rpow__", lambda x, a=array: like(x, a) ** x, table, label="array")
for exponent in (0, 1, 2, 3, -1, -2, 0.5, 1.5):
    case("Tensor.__pow__", lambda x, e=exponent: x**e, table, label=f"exponent {exponent}")
for exponent in (0, 1, 2, 3):
    case("Tensor.__pow__", lambda x, e=exponent: x**e, [0.0, 1, -2, 0], label=f"0^{exponent}")
case("Tensor.__pow__", lambda x, y: x**y, [0.0, 0, 2, 3], [0.0, 2, 0, -1], label="0^0")
case("Tensor.__rpow__", lambda x: 0**x, [0.0, 1, 2], label="0^x")
case("Tensor.__truediv__", lambda x, y: x / y, [1e-30, 1e10], [1e-25, 1e25], label="extremes")
case("Tensor.__neg__", lambda x: -x, R(3, 4))

for a, b in [
    ((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((3, 4), (2, 4, 5)), ((4,), (2, 4, 5)),
    ((2, 3, 4), (4,)), ((0, 4), (4, 5)), ((3, 0), (0, 5)), ((1, 1), (1, 1)), ((2, 0, 4), (4, 3)),
]:  # fmt: skip
    case("Tensor.__matmul__", lambda x, y: x @ y, R(*a), R(*b))
left, right = R(3, 4), R(5, 3)
case("Tensor.__rmatmul__", lambda x: like(x, left) @ x, R(4, 5), label="array")
case("Tensor.__rmatmul__", lambda x: like(x, left) @ x, R(4), label="array")
case("Tensor.__matmul__", lambda x: x @ like(x, right), R(2, 4, 5), label="array")
case("Tensor.__matmul__", lambda x: x.T @ x + x @ x, R(4, 4), label="same tensor twice")

for shape in ((3, 4), (), (0, 2), (1,), (2, 3, 4)):
    case("Tensor.exp", lambda x: x.exp(), R(*shape) * 3)
    case("Tensor.log", lambda x: x.log(), positive(*shape))
    case("Tensor.sqrt", lambda x: x.sqrt(), positive(*shape))
    case("Tensor.tanh", lambda x: x.tanh(), R(*shape) * 3)
case("Tensor.exp", lambda x: x.exp(), [-80.0, 80, 0, -1e-20, -np.inf], label="extremes")
case("Tensor.log", lambda x: x.log(), [1e-37, 1e37, 1, np.inf], label="extremes")
case("Tensor.sqrt", lambda x: x.sqrt(), [1e-37, 1e37, np.inf], label="extremes")
case("Tensor.tanh", lambda x: x.tanh(), [-1e30, 1e30, 0, -0.0, np.inf], label="extremes")

# Reductions and shapes

AXES = [None, 0, 1, -1, -3, (0, 1), (0, -1), (-1, -2), (0, 1, 2)]
for axis, keepdims in itertools.product(AXES, (False, True)):
    over, s = (tuple(range(3)) if axis is None else axis), {"axis": axis, "keepdims": keepdims}
    for x in (R(2, 3, 4), np.round(R(2, 3, 4)), R(1, 3, 1)):  # rounded: many ties for the maximum
        case(
            "Tensor.sum",
            lambda x, s=s: x.sum(**s),
            x,
            label=str(s),
            theirs=lambda x, o=over, k=keepdims: x.sum(o, keepdim=k),
        )
        case(
            "Tensor.mean",
            lambda x, s=s: x.mean(**s),
            x,
            label=str(s),
            theirs=lambda x, o=over, k=keepdims: x.mean(o, keepdim=k),
        )
        case(
            "Tensor.max",
            lambda x, s=s: x.max(**s),
            x,
            label=str(s),
            theirs=lambda x, o=over, k=keepdims: x.amax(o, keepdim=k),
        )
case("Tensor.sum", lambda x: x.sum(0), R(3, 0), label="empty")
case("Tensor.sum", lambda x: x.sum(1), R(3, 0), label="empty")
case("Tensor.sum", lambda x: x.sum(), R(0), label="empty")
case("Tensor.mean", lambda x: x.mean(0), R(3, 0), label="empty")
case("Tensor.max", lambda x: x.max(0), R(3, 0), theirs=lambda x: x.amax(0), label="empty")
for name in ("sum", "mean"):
    case(f"Tensor.{name}", lambda x, n=name: getattr(x, n)(), 1.5)
case("Tensor.max", lambda x: x.max(), 1.5, theirs=lambda x: x.amax())
infinite = [[np.inf, np.inf, 1], [-np.inf, -np.inf, -np.inf]]
case("Tensor.max", lambda x: x.max(-1), infinite, theirs=lambda x: x.amax(-1), label="infinite")

for shape in [((2, -1),), (2, -1), (-1,), ([2, -1],), (np.int64(2), -1), (1, 24, 1, 5)]:
    case(
        "Tensor.reshape",
        lambda x, s=shape: x.reshape(*s),
        R(2, 3, 4, 5),
        label=str(shape),
        theirs=lambda x, s=shape: x.reshape(np.empty((2, 3, 4, 5)).reshape(*s).shape),
    )
case("Tensor.reshape", lambda x: x.reshape(()), R(1, 1))
case("Tensor.reshape", lambda x: x.reshape(3, 0, 2), R(0, 6))
case("Tensor.reshape", lambda x: x.transpose(1, 2).reshape(6, -1), R(2, 3, 4, 5))
for pair in [(1, 2), (-1, -2), (0, 3), (2, 2), (0, -1)]:
    case("Tensor.transpose", lambda x, p=pair: x.transpose(*p), R(2, 3, 4, 5), label=str(pair))
case("Tensor.transpose", lambda x: x.transpose(0, 1), R(3, 4))
case("Tensor.transpose", lambda x: x.transpose(1, 0), R(3, 4))
for order in [(0, 2, 1, 3), (3, 0, -2, 1), (3, 2, 1, 0)]:
    for ours in (lambda x, o=order: x.transpose(*o), lambda x, o=order: x.transpose(o)):
        case("Tensor.transpose", ours, R(2, 3, 4, 5), theirs=lambda x, o=order: x.permute(o))
case("Tensor.transpose", lambda x: x.transpose((0, 1)), R(3, 4), theirs=lambda x: x.permute(0, 1))
for shape in ((), (3,), (3, 4), (2, 3, 4), (2, 0)):
    case(
        "Tensor.T", lambda x: x.T, R(*shape), theirs=lambda x: x.permute(tuple(range(x.ndim))[::-1])
    )
    case(
        "Tensor.transpose",
        lambda x: x.transpose(),
        R(*shape),
        theirs=lambda x: x.permute(tuple(range(x.ndim))[::-1]),
    )


def torch_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(torch_index(part) for part in index)
    if isinstance(index, qt.Tensor):
        return torch.tensor(index.data)
    return torch.tensor(index) if isinstance(index, np.ndarray | np.integer) else index


repeated = np.array([0, 2, 2, 1, 2])
for index in [
    1, -1, np.int64(1), np.array(1), np.s_[1:], np.s_[::2], np.s_[1:0], np.s_[1, 2], np.s_[:, 1:3],
    np.s_[..., 1], np.s_[..., None], np.s_[None, :, None], repeated, [0, 0, 2], repeated - 3,
    (repeated, np.array([1, 1, 1, 1, 1])), np.s_[:, np.array([0, 0, 3])], R(3, 4) > 0,
    np.array([True, False, True]), np.zeros(3, bool), np.array([], dtype=int),
    (np.array([[0], [2]]), np.array([[1, 1]])), (np.int32(0), np.int64(-1)), qt.Tensor(repeated),
    (slice(None), qt.Tensor(repeated)), qt.Tensor(R(3, 4) > 0), (0, repeated), np.s_[..., :],
    np.array([[0, 1], [1, 1]]), (np.array([1, 1]), None, np.array([2, 2])), (),
]:  # fmt: skip
    case(
        "Tensor.__getitem__",
        lambda x, i=index: x[i],
        R(3, 4),
        label=str(index),
        theirs=lambda x, i=index: x[torch_index(i)],
    )
case("Tensor.__getitem__", lambda x: x[::-1, ::-2], R(3, 4), theirs=lambda x: x.flip(0, 1)[:, ::2])
case("Tensor.__getitem__", lambda x: x[3:0:-2], R(5), theirs=lambda x: x[[3, 1]])

# A value that is used more than once receives the sum of its gradients.
case("values used twice", lambda x: x * x + x - x / (x * x) + x**x, positive(3, 4))
case("values used twice", lambda x: x * (x @ x.T).sum() + x[:, :1] + x.sum(0), R(3, 4))
case("values used twice", lambda x, y: (x * y).exp() * x + y.transpose(0, 1) @ x, R(4, 4), R(4, 4))

# Activations

SAME_NAME = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": TF.silu}
POINTS = [R(3, 4), R(), R(0, 3), R(1), R(2, 3, 4) * 10, R(50) * 100]
POINTS += [np.array([0, -0.0, 1e4, -1e4, 1e-20, -1e-20, 1e30, -1e30])]
for x in POINTS:
    for name, theirs in SAME_NAME.items():
        case(f"F.{name}", lambda x, n=name: getattr(F, n)(x), x, theirs=theirs)
    case(
        "F.swiglu", lambda a, b: F.swiglu(a, b), x, R(*x.shape), theirs=lambda a, b: TF.silu(a) * b
    )
for x in (*POINTS[:-1], np.array([0, -0.0, 1e4, -1e4, 1e-20]), np.linspace(-40, 40, 801)):
    for kind in ("none", "tanh"):
        case(
            "F.gelu",
            lambda x, k=kind: F.gelu(x, approximate=k),
            x,
            label=kind,
            theirs=lambda x, k=kind: TF.gelu(x, approximate=k),
        )
case("F.gelu", lambda x: F.gelu(x), R(3), theirs=TF.gelu, label="default")
for name in ("relu", "sigmoid", "tanh"):
    case(
        f"F.{name}",
        lambda x, n=name: getattr(F, n)(x),
        [np.inf, -np.inf],
        theirs=SAME_NAME[name],
        label="infinite",
    )

# Probabilities and the loss

for shape, dim in [
    ((3, 4), -1), ((3, 4), 0), ((2, 3, 4), 1), ((2, 3, 4), -3), ((0, 4), -1), ((4, 0), 0),
    ((1, 1), -1), ((5,), 0),
]:  # fmt: skip
    for scale in (1, 1e4):
        case(
            "F.softmax",
            lambda x, d=dim: F.softmax(x, dim=d),
            R(*shape) * scale,
            theirs=lambda x, d=dim: TF.softmax(x, dim=d),
            label=f"dim {dim}",
        )
        case(
            "F.log_softmax",
            lambda x, d=dim: F.log_softmax(x, dim=d),
            R(*shape) * scale,
            theirs=lambda x, d=dim: TF.log_softmax(x, dim=d),
            label=f"dim {dim}",
        )
holes = R(4, 5)
holes[0, 0], holes[1, :4], holes[2, 1], holes[3, 2] = -np.inf, -np.inf, 1e30, -1e30
case("F.softmax", F.softmax, holes, theirs=lambda x: TF.softmax(x, -1), label="-inf and ±1e30")
case("F.log_softmax", F.log_softmax, holes, theirs=lambda x: TF.log_softmax(x, -1), label="-inf")
blind = R(2, 3)
blind[0] = -np.inf  # PyTorch's softmax of such a row is NaN, but its attention takes it as zeros
case(
    "F.softmax",
    F.softmax,
    blind,
    label="a row of -inf",
    theirs=lambda x: torch.cat([x[:1] * 0, TF.softmax(x[1:], -1)]).nan_to_num(0),
)


def torch_cross_entropy(x: torch.Tensor, y: np.ndarray, **settings: Any) -> torch.Tensor:
    flat = TF.cross_entropy(
        x.reshape(-1, x.shape[-1]), torch.tensor(y).long().reshape(-1), **settings
    )
    return flat.reshape(y.shape) if settings["reduction"] == "none" else flat


def cross_entropy_case(x: np.ndarray, y: np.ndarray, label: str = "", **settings: Any) -> None:
    case(
        "F.cross_entropy",
        lambda x: F.cross_entropy(x, y, **settings),
        x,
        theirs=lambda x: torch_cross_entropy(x, y, **settings),
        label=f"{label} {settings}",
    )


for reduction, smoothing in itertools.product(("mean", "sum", "none"), (0.0, 0.1, 1.0)):
    how: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    for shape, ignored in itertools.product([(6, 5), (2, 3, 5), (1, 1)], (-100, -1, 2)):
        y = rng.integers(0, shape[-1], shape[:-1])
        y.flat[0] = ignored if y.size > 1 else 0
        cross_entropy_case(R(*shape), y, ignore_index=ignored, **how)
    y = np.array([1, 2, -100])
    for size in (1e4, 1e30):
        cross_entropy_case(np.sign(R(3, 4)) * size, y, f"logits ±{size}", **how)
        cross_entropy_case(R(3, 4) * size, y, f"logits of size {size}", **how)
    for dtype in (np.int32, np.uint8, np.int64):
        cross_entropy_case(R(3, 4), np.array([1, 2, 0], dtype), dtype.__name__, **how)
    if not smoothing:
        impossible = R(3, 4)
        impossible[0, 0] = impossible[2, 2] = -np.inf
        cross_entropy_case(impossible, y, "-inf beside the target", **how)
    cross_entropy_case(R(4, 7), np.array([1, 1, 1, 1]), "repeated targets", **how)
for reduction in ("sum", "none"):
    cross_entropy_case(R(3, 4), np.full(3, -100), "all ignored", reduction=reduction)
    cross_entropy_case(R(0, 4), np.zeros(0, int), "no rows", reduction=reduction)

# Layers

for shape in ((3, 4), (2, 3, 4), (4,), (0, 4), (1, 1, 4)):
    case("F.linear", lambda x, w, b: F.linear(x, w, b), R(*shape), R(5, 4), R(5), theirs=TF.linear)
    case("F.linear", lambda x, w: F.linear(x, w), R(*shape), R(5, 4), theirs=TF.linear)
    for eps in (1e-5, 1e-3):
        case(
            "F.rms_norm",
            lambda x, w, e=eps: F.rms_norm(x, w, e),
            R(*shape),
            R(4),
            theirs=lambda x, w, e=eps: TF.rms_norm(x, (4,), w, e),
        )
        case(
            "F.layer_norm",
            lambda x, w, b, e=eps: F.layer_norm(x, w, b, e),
            R(*shape) + 3,
            R(4),
            R(4),
            theirs=lambda x, w, b, e=eps: TF.layer_norm(x, (4,), w, b, e),
        )
    case(
        "F.layer_norm",
        lambda x, w: F.layer_norm(x, w, None),
        R(*shape),
        R(4),
        theirs=lambda x, w: TF.layer_norm(x, (4,), w, None),
    )
for scale in (1e-12, 1e-6, 1e6, 1e12):
    case(
        "F.rms_norm",
        lambda x, w: F.rms_norm(x, w),
        R(3, 4) * scale,
        R(4),
        theirs=lambda x, w: TF.rms_norm(x, (4,), w, 1e-5),
        label=f"times {scale}",
    )
    case(
        "F.layer_norm",
        lambda x, w, b: F.layer_norm(x, w, b),
        R(3, 4) * scale,
        R(4),
        R(4),
        theirs=lambda x, w, b: TF.layer_norm(x, (4,), w, b),
        label=f"times {scale}",
    )
case(
    "F.rms_norm",
    lambda x, w: F.rms_norm(x, w),
    np.zeros((2, 4)),
    R(4),
    label="zeros",
    theirs=lambda x, w: TF.rms_norm(x, (4,), w, 1e-5),
)
case(
    "F.layer_norm",
    lambda x, w: F.layer_norm(x, w),
    np.ones((2, 4)),
    R(4),
    label="constant",
    theirs=lambda x, w: TF.layer_norm(x, (4,), w),
)
case(
    "F.rms_norm",
    lambda x, w: F.rms_norm(x, w, 0.1),  # with a small ε the gradient is nothing but rounding
    R(3, 1),
    R(1),
    label="width 1",
    theirs=lambda x, w: TF.rms_norm(x, (1,), w, 0.1),
)
for ids in (
    np.array([[0, 1, 1], [1, 1, 4]]), np.array([3, 3, 3, 3]), np.array(2), np.array([], int),
    np.zeros((2, 0), int), np.array([4, 0, 4], np.uint8), rng.integers(0, 5, (2, 3, 7)),
):  # fmt: skip
    case(
        "F.embedding",
        lambda w, i=ids: F.embedding(i, w),
        R(5, 3),
        label=f"ids {ids.shape}",
        theirs=lambda w, i=ids: TF.embedding(torch.tensor(i).long(), w),
    )

SCALE = {p: TF.dropout(torch.ones(99, dtype=torch.float64), p).max().item() for p in (0.1, 0.5)}
for p, shape in itertools.product(SCALE, ((40, 30), (2, 3, 4), (0, 3))):

    def ours(x: Any, p: float = p) -> Any:
        return F.dropout(x, p, training=True, generator=np.random.default_rng(3))

    def theirs(x: torch.Tensor, p: float = p, ours: Any = ours) -> torch.Tensor:
        kept = torch.tensor(ours(qt.Tensor(np.ones(x.shape))).data != 0)  # which ones: our choice
        return torch.where(kept, x * SCALE[p], 0)  # by how much: PyTorch's

    case("F.dropout", ours, R(*shape), theirs=theirs, label=f"p = {p}")
case(
    "F.dropout",
    lambda x: F.dropout(x, 0.5, training=False),
    R(3, 4),
    theirs=lambda x: TF.dropout(x, 0.5, training=False),
)
case("F.dropout", lambda x: F.dropout(x, 0.0), R(3, 4), theirs=lambda x: TF.dropout(x, 0.0))

# Rotary positions

LLAMA_3 = {
    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}  # fmt: skip
PLACES = [range(5), range(100000, 100005), [4, 0, 0, 2, 9], [[0, 0, 0, 1, 2], [0, 1, 2, 3, 4]]]
for places, theta, width, interleaved, scaling in itertools.product(
    PLACES, (10000.0, 500000.0, 10.0), (2, 8, 64), (False, True), (None, LLAMA_3)
):
    positions = np.array(places)
    settings = {"theta": theta, "interleaved": interleaved, "scaling": scaling}

    def ours(x: Any, m: Any = positions, s: Any = settings) -> Any:
        return F.apply_rope(x, m, **s)

    def theirs(x: torch.Tensor, m: Any = positions, s: Any = settings) -> torch.Tensor:
        angles = torch.tensor(m)[..., None] * frequencies(x.shape[-1], s["theta"], s["scaling"])
        return rotate(x, angles[:, None] if m.ndim == 2 else angles, s["interleaved"])

    case("F.apply_rope", ours, R(2, 3, 5, width), theirs=theirs, label=str(settings))
case("F.apply_rope", lambda x: F.apply_rope(x, np.zeros(0)), R(2, 3, 0, 8), theirs=lambda x: x * 1)
turns = R(5, 3)
case(
    "F.rotate",
    lambda x: F.rotate(x, np.exp(1j * turns).astype(np.result_type(x.dtype, np.complex64))),
    R(2, 3, 5, 6),
    theirs=lambda x: rotate(x, torch.tensor(turns), True),
)
case(
    "F.concatenate",
    lambda x, y, z: F.concatenate((x, y, z), 1),
    R(2, 3, 2),
    R(2, 0, 2),
    R(2, 1, 2),
    theirs=lambda x, y, z: torch.cat((x, y, z), 1),
)
for shape, axis in (((2, 3, 12), 2), ((24, 5), 0), ((12,), 0), ((1, 0, 12), 2)):
    case(
        "F.regroup",
        lambda x, axis=axis: F.regroup(x, axis, 2, 3),
        R(*shape),
        theirs=lambda x, axis=axis: (
            x.unflatten(axis, (-1, 2, 3)).transpose(axis + 1, axis + 2).flatten(axis, axis + 2)
        ),
    )

# Attention


def torch_attention(q: Any, k: Any, v: Any, mask: np.ndarray | None = None) -> torch.Tensor:
    B, H, T, S = *q.shape[:3], k.shape[2]
    if mask is None:
        return TF.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    mask = torch.tensor(mask) if mask.dtype == bool else torch.tensor(mask).to(q.dtype)
    mask = mask.expand(B, H, T, S)
    return TF.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)


def attention_case(q: Any, k: Any, v: Any, theirs_mask: Any, label: str, **ours: Any) -> None:
    case(
        "F.scaled_dot_product_attention",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **ours),
        q,
        k,
        v,
        theirs=lambda q, k, v: torch_attention(q, k, v, theirs_mask),
        label=label,
    )


B, T, D = 2, 3, 4
for (H, H_kv), S in itertools.product([(2, 2), (4, 2), (4, 1), (6, 3)], (3, 5)):
    qkv = R(B, H, T, D), R(B, H_kv, S, D), R(B, H_kv, S, 6)
    causal = np.tril(np.ones((T, S), bool), S - T)
    attention_case(*qkv, None, "plain")
    attention_case(*qkv, causal, "causal", is_causal=True)
    for shape in [
        (T, S),
        (1, 1, T, S),
        (B, 1, 1, S),
        (B, H, T, S),
        (S,),
        (B, 1, T, S),
        (1, H, 1, S),
    ]:
        mask = rng.random(shape) > 0.4
        mask[..., 0] = True
        added = R(*shape)
        attention_case(*qkv, mask, f"bool {shape}", attn_mask=mask)
        attention_case(*qkv, added, f"float {shape}", attn_mask=added)
        blocked = np.where(mask, added, -np.inf)
        attention_case(*qkv, blocked, f"-inf {shape}", attn_mask=blocked)
        attention_case(*qkv, mask & causal, f"causal {shape}", attn_mask=mask & causal)
for (H, H_kv), turned in itertools.product(((2, 2), (4, 2), (4, 1)), (False, True)):
    turns = R(5, 3) if turned else None

    def ours(x: Any, H: int = H, H_kv: int = H_kv, angles: Any = turns) -> Any:
        if angles is not None:
            angles = np.exp(1j * np.tile(angles, H + H_kv))
            angles = angles.astype(np.result_type(x.dtype, np.complex64))
        return F.packed_attention(x, H, H_kv, angles, is_causal=True)

    def theirs(x: torch.Tensor, H: int = H, H_kv: int = H_kv, angles: Any = turns) -> torch.Tensor:
        heads = x.unflatten(-1, (-1, 6)).transpose(1, 2)
        q, k, v = heads.split((H, H_kv, H_kv), dim=1)
        if angles is not None:
            q, k = (rotate(part, torch.tensor(angles), True) for part in (q, k))
        causal = np.tril(np.ones((5, 5), bool))
        return torch_attention(q, k, v, causal).transpose(1, 2).flatten(2)

    case("F.packed_attention", ours, R(2, 5, (H + 2 * H_kv) * 6), theirs=theirs, label=f"{H, H_kv}")
LENGTHS = [(300, 300), (70, 330), (130, 130)]  # longer than a tile, and than what is kept
for T, S in LENGTHS:
    causal = np.tril(np.ones((T, S), bool), S - T)
    qkv = R(2, 4, T, 4), R(2, 2, S, 4), R(2, 2, S, 4)
    attention_case(*qkv, causal, f"{T} of {S}, causal", is_causal=True)
    mask = rng.random((2, 1, 1, S)) > 0.4
    attention_case(*qkv, mask, f"{T} of {S}, masked", attn_mask=mask)
qkv = R(2, 2, 3, 4), R(2, 2, 3, 4), R(2, 2, 3, 4)
case(
    "F.scaled_dot_product_attention",
    lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    *qkv,
    label="PyTorch's own causal mask",
    theirs=lambda q, k, v: TF.scaled_dot_product_attention(q, k, v, is_causal=True),
)
nowhere = np.ones((3, 3), bool)
nowhere[1] = False
attention_case(*qkv, nowhere, "a query that may look nowhere", attn_mask=nowhere)
case(
    "F.scaled_dot_product_attention",
    lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    *(qkv[0] * 30, qkv[1] * 30, qkv[2]),
    theirs=lambda q, k, v: TF.scaled_dot_product_attention(q, k, v, is_causal=True),
    label="scores of some hundreds",
    dtypes=(np.float64,),  # the gradients are differences of equal numbers: in float32, rounding
)
attention_case(R(2, 2, 1, 4), R(2, 1, 7, 4), R(2, 1, 7, 4), None, "one query", is_causal=True)
attention_case(
    R(0, 2, 3, 4),
    R(0, 2, 3, 4),
    R(0, 2, 3, 4),
    np.tril(np.ones((3, 3), bool)),
    "empty batch",
    is_causal=True,
)


def every_second(x: np.ndarray) -> np.ndarray:
    """The same values as a view that is not contiguous."""
    return np.repeat(x[..., None], 2, axis=-1)[..., 0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda d: d.__name__)
@pytest.mark.parametrize("row", CASES)
def test_forward_and_gradients(row: str, dtype: Any, parity: Any) -> None:
    upstreams = np.random.default_rng(1)
    cases = [case for case in CASES[row] if dtype in case.dtypes]
    for case, strided in itertools.product(cases, (False, True)):
        layout = every_second if strided else np.copy
        arrays = [x.astype(dtype) for x in case.inputs]
        theirs = [torch.tensor(x, requires_grad=True) for x in arrays]
        ours = [qt.Tensor(layout(x), requires_grad=True) for x in arrays]
        out, expected = case.ours(*ours), case.theirs(*theirs)
        parity.check(row, out, expected, case.label)
        g = upstreams.standard_normal(out.shape).astype(dtype)
        out.backward(layout(g))
        expected.backward(torch.tensor(g))
        for x, y in zip(ours, theirs, strict=True):
            parity.check(row, x.grad, y.grad, f"gradient of {case.label}")


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda d: d.__name__)
@pytest.mark.parametrize("is_causal", [False, True])
def test_attention_weights(is_causal: bool, dtype: Any, parity: Any) -> None:
    """The weights are what attention gives when the values are the unit vectors."""
    q, k, v = (R(*shape).astype(dtype) for shape in ((2, 4, 3, 8), (2, 2, 5, 8), (2, 2, 5, 8)))
    weights: list[np.ndarray] = []
    F.scaled_dot_product_attention(*map(qt.Tensor, (q, k, v)), is_causal=is_causal, weights=weights)
    unit = torch.eye(5).to(torch.tensor(q).dtype).expand(2, 2, 5, 5)
    mask = np.tril(np.ones((3, 5), bool), 2) if is_causal else None
    expected = torch_attention(torch.tensor(q), torch.tensor(k), unit, mask)
    parity.check("attention weights", weights[0], expected)


# Where we chose to differ: what is ignored counts for nothing, even where PyTorch says NaN.


def test_the_mean_over_no_targets_is_zero() -> None:
    y = np.full(3, -100)
    x = qt.Tensor(R(3, 4), requires_grad=True)
    loss = F.cross_entropy(x, y)
    loss.backward()
    assert loss.item() == 0
    assert not x.grad.any()
    assert torch_cross_entropy(torch.zeros(3, 4), y, reduction="mean").isnan()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_nan_in_an_ignored_row_has_no_gradient(reduction: str) -> None:
    y = np.array([1, 2, -100])
    array = R(3, 4)
    array[2] = np.nan
    x, theirs = qt.Tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    F.cross_entropy(x, y, reduction=reduction).sum().backward()
    torch_cross_entropy(theirs, y, reduction=reduction).sum().backward()
    assert np.abs(x.grad[:2] - theirs.grad[:2].numpy()).max() < 1e-15
    assert not x.grad[2].any()
    assert theirs.grad[2].isnan().all()


# What a Tensor can do that is no differentiable operation.
NOT_OPERATIONS = {
    "__init__", "__len__", "__float__", "__bool__", "__format__", "__array__", "__repr__",
    "shape", "dtype", "ndim", "size", "is_leaf", "op", "data", "grad", "requires_grad",
    "numpy", "item", "detach", "backward", "leaf_gradients",
}  # fmt: skip
OF_THE_LANGUAGE = {"__module__", "__doc__", "__slots__", "__weakref__", "__array_ufunc__"}
OF_THE_LANGUAGE |= {"__annotations__", "__static_attributes__", "__firstlineno__"}


def test_every_operation_has_a_row() -> None:
    """An operation that is added without parity, or a row whose operation is gone, fails here."""
    functions = {
        f"F.{name}"
        for name, function in inspect.getmembers(F, inspect.isfunction)
        if function.__module__ in (F.__name__, scaled_dot_product.__name__)
        and not name.startswith("_")
    }
    public = {n for n in vars(qt.Tensor) if not n.startswith("_") or n.endswith("__")}
    public.discard("__slotnames__")  # which `copy` leaves behind
    methods = {f"Tensor.{name}" for name in public - NOT_OPERATIONS - OF_THE_LANGUAGE}
    assert functions | methods == CASES.keys() - {"values used twice"}
