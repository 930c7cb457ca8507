"""The differentiable operations that a GPT is made of, each forward beside its backward.

Every function keeps its input's dtype; names, arguments and defaults are PyTorch's. `g` is the
gradient of the loss with respect to the result, from which `backward(g)` makes those of the inputs.
Letters: B batch, T queries, S keys, C model width, H heads, D head width, V vocabulary.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from qt.positions import rope_turns, turn
from qt.scaled_dot_product import packed_attention, scaled_dot_product_attention  # noqa: F401
from qt.tensor import Array, Tensor, operation, record


@functools.cache
def default_generator() -> np.random.Generator:
    """What layers and dropout draw from when they are given no generator of their own."""
    return np.random.default_rng(0)  # made when first used: numpy.random takes long to import


# Activations


@operation
def relu(x: Tensor) -> Tensor:
    """max(x, 0), element by element. Slope 1 where x > 0, else 0."""
    return record(np.maximum(x.data, 0), (x,), lambda g: (g * (x.data > 0),))


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):  # where exp(-x) is infinite, σ is 0, as it should be
        e = np.asarray(np.exp(-x))
    e += 1
    return np.reciprocal(e, out=e)


@operation
def sigmoid(x: Tensor) -> Tensor:
    """σ(x) = 1 / (1 + e⁻ˣ); σ' = σ (1 - σ)."""
    out = _sigmoid(x.data)
    return record(out, (x,), lambda g: (g * out * (1 - out),))


@operation
def silu(x: Tensor) -> Tensor:
    """x σ(x), also called swish (Ramachandran et al. 2017); slope σ (1 + x (1 - σ))."""
    s = _sigmoid(x.data)
    return record(x.data * s, (x,), lambda g: (g * s * (1 + x.data * (1 - s)),))


@operation
def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """(…, F), (…, F) -> (…, F): silu(gate) · up, in one step (Shazeer 2020, equation 6).

    With s = σ(gate) and h = gate s, the slope of silu is s (1 + gate - h). `ValueError` for shapes
    that differ.
    """
    if gate.shape != up.shape:
        raise ValueError(f"swiglu: gate {gate.shape} and up {up.shape} need the same shape")
    a, b = gate.data, up.data
    # σ(x) = ½ + ½ tanh(½ x) is faster than with exp. Below x = -15 it has few digits left, but
    # there x σ(x) is smaller than 1e-5, and is added to larger numbers.
    s = np.asarray(a * 0.5)  # in place from here on: a fresh large array costs as much as a product
    np.tanh(s, out=s)
    s *= 0.5
    s += 0.5
    out = np.asarray(a * s)
    out *= b

    def backward(g: Array) -> tuple[Array, Array]:
        h = np.asarray(a * s)
        slope = np.asarray(a - h)
        slope += 1
        slope *= s
        slope *= b
        slope *= g
        h *= g
        return slope, h

    return record(out, (gate, up), backward)


# NumPy has no erf. The standard library's is exact to double precision; this calls it per element.
_erfc = np.frompyfunc(math.erfc, 1, 1)


@operation
def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), where Φ is the normal distribution function (Hendrycks & Gimpel 2016).

    `approximate="none"` uses Φ(x) = ½ erfc(-x/√2), exact to float64, with `math.erfc`;
    `"tanh"` the paper's approximation ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), which GPT-2 uses.
    """
    v, c = x.data, math.sqrt(2 / math.pi)
    if approximate == "none":
        phi = 0.5 * np.asarray(_erfc(-v / math.sqrt(2)), dtype=v.dtype)
    elif approximate == "tanh":
        t = np.tanh(c * (v + 0.044715 * v**3))
        phi = 0.5 * (1 + t)
    else:
        raise ValueError(f'approximate is "none" or "tanh", not {approximate!r}')

    def density() -> Array:
        """Φ'(x)."""
        if approximate == "none":
            return 0.5 * c * np.exp(-0.5 * v * v)
        return 0.5 * c * (1 - t * t) * (1 + 3 * 0.044715 * v * v)

    return record(v * phi, (x,), lambda g: (g * (phi + v * density()),))


@operation
def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent; slope 1 - tanh² x."""
    return x.tanh()


# Probabilities and the loss


def _softmax(x: Array, dim: int = -1) -> Array:
    """Shifted by the largest value, which changes nothing and keeps exp from overflowing."""
    top = x.max(axis=dim, keepdims=True, initial=-np.inf)
    e = x - np.where(np.isfinite(top), top, 0)
    np.exp(e, out=e)  # in place: a fresh large array costs more than the arithmetic
    total = e.sum(axis=dim, keepdims=True)
    e /= np.where(total == 0, 1, total)  # a row of -inf alone becomes 0, not NaN
    return e


@operation
def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """pᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along `dim`; dx = p (g - Σ g p)."""
    p = _softmax(x.data, dim)
    return record(p, (x,), lambda g: (p * (g - (g * p).sum(axis=dim, keepdims=True)),))


def _log_softmax(x: Array, dim: int = -1) -> Array:
    log_p = x - x.max(axis=dim, keepdims=True, initial=-np.inf)
    log_p -= np.log(np.exp(log_p).sum(axis=dim, keepdims=True))
    return log_p


@operation
def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """ln softmax(x), without the loss of digits that log(softmax(x)) has; dx = g - p Σ g."""
    log_p = _log_softmax(x.data, dim)
    return record(log_p, (x,), lambda g: (g - np.exp(log_p) * g.sum(axis=dim, keepdims=True),))


@operation
def cross_entropy(
    logits: Tensor, targets: npt.ArrayLike, ignore_index: int = -100, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:  # fmt: skip
    """(B, T, V) or (N, V), integer targets of the leading shape -> nats: surprise -ln p[target].

    Classes come last, unlike `torch.nn.functional.cross_entropy`, whose classes are axis 1.
    Targets equal to `ignore_index` count for nothing; the mean is over the others. With
    `label_smoothing` ε the target distribution is (1 - ε) one-hot + ε/V (Szegedy et al. 2016). The
    gradient is famously simple: softmax(logits) minus that distribution. `TypeError` for targets
    that are not integers, `ValueError` for shapes that disagree or a target outside [0, V).
    """
    V = logits.shape[-1]
    y = np.asarray(targets)
    if y.shape != logits.shape[:-1]:
        raise ValueError(f"targets have shape {y.shape}, not {logits.shape[:-1]} as the logits")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], not {label_smoothing}")
    counted = y.reshape(-1) != ignore_index  # (N,)
    y = _ids("target", np.where(counted, y.reshape(-1), 0), V)
    log_p = _log_softmax(logits.data.reshape(-1, V))  # (N, V)
    rows = np.arange(y.size)
    nll = -log_p[rows, y]
    if label_smoothing:
        nll = (1 - label_smoothing) * nll - label_smoothing * log_p.mean(axis=-1)
    nll = np.where(counted, nll, 0)
    n = max(int(counted.sum()), 1) if reduction == "mean" else 1
    out = nll.reshape(logits.shape[:-1]) if reduction == "none" else nll.sum() / n

    def backward(g: Array) -> tuple[Array]:
        d = np.exp(log_p)
        d[rows, y] -= 1 - label_smoothing
        if label_smoothing:
            d -= label_smoothing / V
        d *= (g.reshape(-1) / n * counted)[:, None]
        d[~counted] = 0  # even where the ignored logits are NaN
        return (d.reshape(logits.shape),)

    return record(out.astype(logits.dtype, copy=False), (logits,), backward)


# Layers


def _ids(name: str, ids: npt.ArrayLike, V: int) -> Array:
    """An array of integers from 0 to V - 1, or a clear error."""
    index = np.asarray(ids)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{name}s must be integers, not {index.dtype}")
    if (bad := index[(index < 0) | (index >= V)]).size:
        raise ValueError(f"{name} {bad[0]} is outside the vocabulary, which runs from 0 to {V - 1}")
    return index


def _check_vectors(name: str, width: int, *vectors: Tensor | None) -> tuple[Tensor, ...]:
    """Those that are given, all of shape (width,)."""
    given = tuple(vector for vector in vectors if vector is not None)
    for vector in given:
        if vector.shape != (width,):
            raise ValueError(f"{name}: weight and bias need shape ({width},), not {vector.shape}")
    return given


@operation
def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(…, C), (F, C), (F,) -> (…, F): x Wᵀ + b; dx = g W, dW = gᵀ x, db = Σ g."""
    F, C = weight.shape
    if x.shape[-1] != C:
        raise ValueError(f"linear: x has width {x.shape[-1]}, the weight {weight.shape} takes {C}")
    parents = (x, weight, *_check_vectors("linear", F, bias))
    flat = x.data.reshape(-1, C)  # (N, C): one large product instead of B small ones
    out = flat @ weight.data.T
    if bias is not None:
        out += bias.data

    def backward(g: Array) -> tuple[Any, ...]:
        rows = g.reshape(-1, F)
        return (lambda: (rows @ weight.data).reshape(x.shape)), (lambda: rows.T @ flat), rows

    return record(out.reshape(*x.shape[:-1], F), parents, backward)


@operation
def embedding(ids: npt.ArrayLike, weight: Tensor) -> Tensor:
    """(…) integers, (V, C) -> (…, C): row ids[i] of the table; a row used twice adds its gradients.

    `TypeError` for ids that are not integers, `ValueError` for one outside [0, V).
    """
    V, C = weight.shape
    index = _ids("id", ids, V)

    def backward(g: Array) -> tuple[Array]:
        # sort the ids, then add up each run of equal ones: much faster than np.add.at
        flat, dw = index.reshape(-1), np.zeros_like(weight.data)
        if flat.size:
            order = np.argsort(flat, kind="stable")
            used, starts = np.unique(flat[order], return_index=True)
            dw[used] = np.add.reduceat(g.reshape(-1, C)[order], starts, axis=0)
        return (dw,)

    return record(weight.data[index], (weight,), backward)


def _mean_product(a: Array, b: Array) -> Array:
    """(…, C) twice -> (…, 1): mean(a b), without a b in memory."""
    return np.vecdot(a, b)[..., None] / np.asarray(a.shape[-1], a.dtype)


@operation
def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-5) -> Tensor:
    """(…, C), (C,) -> (…, C): y = x r w with r = 1/√(mean(x²) + ε) (Zhang & Sennrich 2019).

    dx = r (g w - x r² mean(g w x)), for r itself depends on every x of the row; dw = Σ g x r.
    """
    (C,) = _check_vectors("rms_norm", x.shape[-1], weight)[0].shape
    rows, w = x.data.reshape(-1, C), weight.data  # (N, C)
    r = 1 / np.sqrt(_mean_product(rows, rows) + float(eps))  # (N, 1)
    out = rows * r
    out *= w

    def backward(g: Array) -> Sequence[Any]:
        g = g.reshape(-1, C)
        gx = g * rows
        dw = r[:, 0] @ gx
        pull = (gx @ w)[:, None] * (r**3 / -C)  # (N, 1)
        dx = np.multiply(g, w, out=gx)
        dx *= r
        dx += rows * pull
        return (lambda: dx.reshape(x.shape)), dw

    return record(out.reshape(x.shape), (x, weight), backward)


@operation
def layer_norm(x: Tensor, weight: Tensor, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """(…, C), (C,), (C,) -> (…, C): y = x̂ w + b, x̂ = (x - mean)/√(var + ε) (Ba et al. 2016).

    dx = r (gw - mean(gw) - x̂ mean(gw x̂)), where gw = g w and r = 1/√(var + ε).
    """
    parents = (x, *_check_vectors("layer_norm", x.shape[-1], weight, bias))
    centred = x.data - x.data.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt(_mean_product(centred, centred) + float(eps))  # (…, 1)
    xhat = centred * r
    out = xhat * weight.data
    if bias is not None:
        out += bias.data

    def backward(g: Array) -> tuple[Array, Array, Array]:
        gw = g * weight.data
        gw -= gw.mean(axis=-1, keepdims=True)
        gw -= xhat * _mean_product(gw, xhat)
        return np.multiply(gw, r, out=gw), g * xhat, g

    return record(out, parents, backward)


@operation
def dropout(
    x: Tensor, p: float = 0.5, training: bool = True, generator: np.random.Generator | None = None
) -> Tensor:
    """Zero each element with probability p, scale the rest by 1/(1 - p) (Srivastava et al. 2014).

    The expected value stays the same, so nothing is left to do when not training.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout probability must be in [0, 1), not {p}")
    if not training or p == 0:
        return x
    drawn = (generator or default_generator()).random(x.shape, dtype=np.float32)
    kept = (drawn >= p).astype(x.dtype) / (1 - p)
    return record(x.data * kept, (x,), lambda g: (g * kept,))


def concatenate(tensors: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors one behind another along an axis; each receives its part of the gradient."""
    ends = list(accumulate((x.shape[axis] for x in tensors), initial=0))
    parts = [(slice(None),) * (axis % tensors[0].ndim) + (slice(*p),) for p in pairwise(ends)]
    out = np.concatenate([x.data for x in tensors], axis)
    return record(out, tuple(tensors), lambda g: [g[part] for part in parts])


# Rotary positions


@operation
def apply_rope(
    x: Tensor, positions: npt.ArrayLike, theta: float = 10000.0, interleaved: bool = False,
    scaling: Mapping[str, Any] | None = None,
) -> Tensor:  # fmt: skip
    """(B, H, T, D), positions (T,) or (B, T) -> (B, H, T, D): turn pairs of features by position.

    Pair i of D/2 turns by m θ^(-2i/D) at position m, so that the product of a query and a key
    depends on their distance alone (Su et al. 2021, equation 34). Pairs are (i, i + D/2), as in
    Hugging Face's Llama, or with `interleaved` (2i, 2i + 1), as in the paper. `scaling` as in
    `positions.rope_angles`. `ValueError` for an odd D or positions that do not fit.
    """
    m = np.asarray(positions)
    if m.shape not in (x.shape[-2:-1], (x.shape[0], x.shape[-2])):
        raise ValueError(f"positions have shape {m.shape}, but x {x.shape} needs ({x.shape[-2]},)")
    D, last = x.shape[-1], x.ndim - 1
    turns = rope_turns(m if m.ndim == 1 else m[:, None], D, theta, scaling, x.dtype)
    if interleaved:
        return rotate(x, turns)
    return regroup(rotate(regroup(x, last, 2, D // 2), turns), last, D // 2, 2)


def regroup(x: Tensor, axis: int, rows: int, columns: int) -> Tensor:
    """Read each group of rows · columns along an axis as a matrix, and transpose it.

    With (2, D/2) the pairs (i, i + D/2) come to stand side by side, with (D/2, 2) apart again.
    """
    before, n, after = x.shape[:axis], x.shape[axis] // (rows * columns), x.shape[axis:][1:]

    def transposed(v: Array, *matrix: int) -> Array:
        return v.reshape(*before, n, *matrix, *after).swapaxes(axis + 1, axis + 2).reshape(v.shape)

    out = transposed(x.data, rows, columns)
    return record(out, (x,), lambda g: (transposed(g, columns, rows),))


def rotate(x: Tensor, turns: Array) -> Tensor:
    """(…, T, D), complex (…, T, D/2) -> (…, T, D): pairs of features 2i, 2i + 1 times e^(i angle).

    Its backward turns them the other way.
    """
    return record(turn(x.data, turns), (x,), lambda g: (lambda: turn(g, turns.conj()),))
