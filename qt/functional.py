"""The differentiable operations that a GPT is made of, each forward beside its backward.

Every function keeps its input's dtype; names, arguments and defaults are PyTorch's. `g` is the
gradient of the loss with respect to the result, from which `backward(g)` makes those of the inputs.
Letters: B batch, T queries, S keys, C model width, H heads, D head width, V vocabulary.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from qt.positions import rope_tables
from qt.tensor import Array, Tensor, record

# For layers and dropout that are given no generator of their own.
default_generator = np.random.default_rng(0)

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
    """(…, F), (…, F) -> (…, F): silu(gate) · up, in one step (Shazeer 2020, equation 6)."""
    s = _sigmoid(gate.data)
    silu_gate = gate.data * s

    def backward(g: Array) -> tuple[Array, Array]:
        slope = (1 - s) * silu_gate  # silu' = s + silu (1 - s); in place: the largest arrays
        slope += s
        slope *= up.data
        slope *= g
        return slope, g * silu_gate

    return record(silu_gate * up.data, (gate, up), backward)


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
    """(…, C), (C,) -> (…, C): y = x̂ w with x̂ = x r, r = 1/√(mean(x²) + ε) (Zhang & Sennrich 2019).

    dx = r (gw - x̂ mean(gw x̂)), where gw = g w: r itself depends on every x of the row.
    """
    _check_vectors("rms_norm", x.shape[-1], weight)
    r = 1 / np.sqrt(_mean_product(x.data, x.data) + float(eps))  # (…, 1)
    xhat = x.data * r

    def backward(g: Array) -> tuple[Array, Array]:
        gw = g * weight.data
        gw -= xhat * _mean_product(gw, xhat)
        return np.multiply(gw, r, out=gw), g * xhat

    return record(xhat * weight.data, (x, weight), backward)


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
    drawn = (generator or default_generator).random(x.shape, dtype=np.float32)
    kept = (drawn >= p).astype(x.dtype) / (1 - p)
    return record(x.data * kept, (x,), lambda g: (g * kept,))


# Attention


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
    return rotate(x, *rope_tables(m, x.shape[-1], theta, scaling, x.dtype), interleaved)


def rotate(x: Tensor, cos: Array, sin: Array, interleaved: bool = False) -> Tensor:
    """(…, T, D), (…, T, D/2) twice -> (…, T, D): (a, b) -> (a cos - b sin, b cos + a sin).

    Its backward is the rotation by the opposite angle.
    """
    half = x.shape[-1] // 2
    first = np.s_[..., ::2] if interleaved else np.s_[..., :half]
    second = np.s_[..., 1::2] if interleaved else np.s_[..., half:]

    def turn(v: Array, sin: Array) -> Array:
        out, a, b = np.empty_like(v), v[first], v[second]
        out[first] = a * cos - b * sin
        out[second] = b * cos + a * sin
        return out

    return record(turn(x.data, sin), (x,), lambda g: (turn(g, -sin),))


@operation
def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: npt.ArrayLike | None = None,
    is_causal: bool = False, weights: list[Array] | None = None,
) -> Tensor:  # fmt: skip
    """(B, H, T, D), (B, H_kv, S, D) ×2 -> (B, H, T, D): softmax(q kᵀ/√D) v (Vaswani et al. 2017).

    `attn_mask` broadcasts to (B, H, T, S): booleans, True where a query may look, or floats that
    are added to the scores. `is_causal`: the queries are the last T of the S places, and see none
    after their own. Query head h reads key head h // (H / H_kv) (Ainslie et al. 2023). A query
    that may look nowhere gets zeros. `weights`: a list to which the attention weights (B, H, T, S)
    are appended. `ValueError` for shapes or masks that do not fit, `TypeError` for integer masks.
    """
    fits = query.ndim == key.ndim == value.ndim == 4 and query.shape[1] * key.shape[1] > 0
    B, H, T, D, H_kv, S = (*query.shape, *key.shape[1:3]) if fits else (1,) * 6
    if not fits or key.shape != (B, H_kv, S, D) or value.shape[:3] != (B, H_kv, S) or H % H_kv:
        wanted = "(B, H, T, D), (B, H_kv, S, D), (B, H_kv, S, D) with H a multiple of H_kv"
        given = f"query {query.shape}, key {key.shape} and value {value.shape}"
        raise ValueError(f"{given} do not fit: expected {wanted}")
    if is_causal and attn_mask is not None:
        raise ValueError("give attn_mask or is_causal=True, not both: combine the masks first")
    if is_causal and S < T:
        raise ValueError(f"is_causal needs at least as many keys as queries, not {S} < {T}")
    # Heads that share a key are stacked along T, so that no key is copied: (B, H_kv, G·T, D).
    grouped = (B, H_kv, H // H_kv * T)
    q, k, v = query.data.reshape(*grouped, D), key.data, value.data
    scale = 1 / math.sqrt(D)
    scores = ((q * scale) @ k.swapaxes(-1, -2)).reshape(B, H, T, S)
    if is_causal:
        np.copyto(scores, -np.inf, where=~np.tri(T, S, S - T, dtype=bool))
    elif attn_mask is not None:
        mask = np.asarray(attn_mask)
        if mask.dtype.kind not in "bf":
            raise TypeError(f"attn_mask must hold booleans or floats, not {mask.dtype}")
        if any(n not in (1, full) for n, full in zip(mask.shape[::-1], (S, T, H, B))):
            raise ValueError(f"attn_mask {mask.shape} does not broadcast to {(B, H, T, S)}")
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    p = _softmax(scores.astype(query.dtype, copy=False))  # (B, H, T, S)
    if weights is not None:
        weights.append(p)
    p = p.reshape(*grouped, S)

    def backward(g: Array) -> tuple[Array, Array, Array]:
        g = g.reshape(*grouped, v.shape[-1])
        dv = p.swapaxes(-1, -2) @ g
        dp = g @ v.swapaxes(-1, -2)
        ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale  # softmax, then the scale
        return (ds @ k).reshape(query.shape), ds.swapaxes(-1, -2) @ q, dv

    return record((p @ v).reshape(B, H, T, v.shape[-1]), (query, key, value), backward)
