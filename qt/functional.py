"""The differentiable operations that a GPT is made of, each forward beside its backward.

Every function takes and returns tensors and keeps their dtype. `g` is the gradient of the loss
with respect to the result; the inner `backward(g)` returns the gradients of the inputs, in order.
The names, arguments and defaults are those of `torch.nn.functional`.

Letters: B batch, T queries, S keys, C model width, H heads, D head width, V vocabulary.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from qt.tensor import Array, Tensor, record

# For layers and dropout that are given no generator of their own.
default_generator = np.random.default_rng(0)

# Activations


def relu(x: Tensor) -> Tensor:
    """max(x, 0), element by element. Slope 1 where x > 0, else 0."""
    positive = x.data > 0
    return record(np.maximum(x.data, 0), (x,), lambda g: (g * positive,))


def _sigmoid(x: Array) -> Array:
    with np.errstate(over="ignore"):  # where exp(-x) is infinite, σ is 0, as it should be
        return 1 / (1 + np.exp(-x))


def sigmoid(x: Tensor) -> Tensor:
    """σ(x) = 1 / (1 + e⁻ˣ); σ' = σ (1 - σ)."""
    out = _sigmoid(x.data)
    return record(out, (x,), lambda g: (g * out * (1 - out),))


def silu(x: Tensor) -> Tensor:
    """x σ(x), also called swish (Ramachandran et al. 2017); slope σ (1 + x (1 - σ))."""
    s = _sigmoid(x.data)
    return record(x.data * s, (x,), lambda g: (g * s * (1 + x.data * (1 - s)),))


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """(…, F), (…, F) -> (…, F): silu(gate) · up, in one step (Shazeer 2020, equation 6)."""
    s = _sigmoid(gate.data)
    silu_gate = gate.data * s

    def backward(g: Array) -> tuple[Array, Array]:
        slope = s * (1 + gate.data * (1 - s))
        return g * up.data * slope, g * silu_gate

    return record(silu_gate * up.data, (gate, up), backward)


# NumPy has no erf. The standard library's is exact to double precision; this calls it per element.
_erfc = np.frompyfunc(math.erfc, 1, 1)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), where Φ is the normal distribution function (Hendrycks & Gimpel 2016).

    `approximate="none"` uses Φ(x) = ½ erfc(-x/√2), exact to float64, with `math.erfc`;
    `"tanh"` the paper's approximation ½ (1 + tanh(√(2/π) (x + 0.044715 x³))), which GPT-2 uses.
    """
    v = x.data
    if approximate == "none":
        phi = 0.5 * np.asarray(_erfc(-v / math.sqrt(2)), dtype=v.dtype)

        def backward(g: Array) -> tuple[Array]:
            density = np.exp(-0.5 * v * v) / math.sqrt(2 * math.pi)
            return (g * (phi + v * density),)

    elif approximate == "tanh":
        c = math.sqrt(2 / math.pi)
        t = np.tanh(c * (v + 0.044715 * v**3))
        phi = 0.5 * (1 + t)

        def backward(g: Array) -> tuple[Array]:
            return (g * (phi + 0.5 * v * (1 - t * t) * c * (1 + 3 * 0.044715 * v * v)),)

    else:
        raise ValueError(f'approximate is "none" or "tanh", not {approximate!r}')
    return record(v * phi, (x,), backward)


def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent; slope 1 - tanh² x."""
    return x.tanh()


# Probabilities and the loss


def _softmax(x: Array, dim: int = -1) -> Array:
    """Shifted by the largest value, which changes nothing and keeps exp from overflowing."""
    top = x.max(axis=dim, keepdims=True)
    e = x - np.where(np.isfinite(top), top, 0)
    np.exp(e, out=e)  # in place: a fresh large array costs more than the arithmetic
    total = e.sum(axis=dim, keepdims=True)
    e /= np.where(total == 0, 1, total)  # a row of -inf alone becomes 0, not NaN
    return e


def softmax(x: Tensor, dim: int = -1) -> Tensor:
    """pᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) along `dim`; dx = p (g - Σ g p)."""
    p = _softmax(x.data, dim)
    return record(p, (x,), lambda g: (p * (g - (g * p).sum(axis=dim, keepdims=True)),))


def _log_softmax(x: Array, dim: int = -1) -> Array:
    log_p = x - x.max(axis=dim, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=dim, keepdims=True))
    return log_p


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """ln softmax(x), without the loss of digits that log(softmax(x)) has; dx = g - p Σ g."""
    log_p = _log_softmax(x.data, dim)
    return record(log_p, (x,), lambda g: (g - np.exp(log_p) * g.sum(axis=dim, keepdims=True),))


def cross_entropy(
    logits: Tensor,
    targets: npt.ArrayLike,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """(B, T, V) or (N, V), integer targets of the leading shape -> nats: surprise -ln p[target].

    Classes come last, unlike `torch.nn.functional.cross_entropy`, whose classes are axis 1.
    Targets equal to `ignore_index` count for nothing; the mean is over the others. With
    `label_smoothing` ε the target distribution is (1 - ε) one-hot + ε/V (Szegedy et al. 2016).
    The gradient is famously simple: softmax(logits) minus the target distribution.

    Raises `TypeError` for targets that are not integers, `ValueError` for shapes that disagree or
    a target outside [0, V).
    """
    y = np.asarray(targets.data if isinstance(targets, Tensor) else targets)
    V = logits.shape[-1]
    if y.dtype.kind not in "iu":
        raise TypeError(f"targets must be integer class ids, not {y.dtype}")
    if y.shape != logits.shape[:-1]:
        raise ValueError(
            f"targets have shape {y.shape}, but logits {logits.shape} need {logits.shape[:-1]}"
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be in [0, 1], not {label_smoothing}")
    counted = y.reshape(-1) != ignore_index  # (N,)
    y = np.where(counted, y.reshape(-1), 0)
    if y.size and (y.min() < 0 or y.max() >= V):
        bad = y[(y < 0) | (y >= V)][0]
        raise ValueError(f"target {bad} is not a class id: with {V} logits they are 0 to {V - 1}")

    log_p = _log_softmax(logits.data.reshape(-1, V))  # (N, V)
    rows = np.arange(y.size)
    nll = -log_p[rows, y]
    if label_smoothing:
        nll = (1 - label_smoothing) * nll - label_smoothing * log_p.mean(axis=-1)
    nll = np.where(counted, nll, 0).astype(logits.dtype, copy=False)
    weight = 1.0 / np.maximum(counted.sum(), 1) if reduction == "mean" else 1.0
    out = nll.reshape(logits.shape[:-1]) if reduction == "none" else np.asarray(nll.sum() * weight)

    def backward(g: Array) -> tuple[Array]:
        d = np.exp(log_p)
        d[rows, y] -= 1 - label_smoothing
        if label_smoothing:
            d -= label_smoothing / V
        scale = (g.reshape(-1) if reduction == "none" else g * weight) * counted
        d *= scale.astype(d.dtype)[:, None]
        d[~counted] = 0  # even where the ignored logits are NaN
        return (d.reshape(logits.shape),)

    return record(out.astype(logits.dtype, copy=False), (logits,), backward)


# Layers


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """(…, C), (F, C), (F,) -> (…, F): x Wᵀ + b; dx = g W, dW = gᵀ x, db = Σ g."""
    F, C = weight.shape
    if x.shape[-1] != C:
        raise ValueError(
            f"linear: x has width {x.shape[-1]}, but the weight {weight.shape} takes {C}"
        )
    if bias is not None:
        _check_vectors("linear", F, bias)
    flat = x.data.reshape(-1, C)  # (N, C): one large product instead of B small ones
    out = flat @ weight.data.T
    if bias is not None:
        out += bias.data

    def backward(g: Array) -> tuple[Array | None, ...]:
        g = g.reshape(-1, F)
        dx = (g @ weight.data).reshape(x.shape) if x.requires_grad else None
        dw = g.T @ flat if weight.requires_grad else None
        return (dx, dw) if bias is None else (dx, dw, g.sum(axis=0))

    parents = (x, weight) if bias is None else (x, weight, bias)
    return record(out.reshape(*x.shape[:-1], F), parents, backward)


def _check_vectors(name: str, width: int, *vectors: Tensor) -> None:
    for vector in vectors:
        if vector.shape != (width,):
            raise ValueError(f"{name}: weight and bias need shape ({width},), not {vector.shape}")


def embedding(ids: npt.ArrayLike, weight: Tensor) -> Tensor:
    """(…) integers, (V, C) -> (…, C): row ids[i] of the table; a row used twice adds its gradients.

    Raises `TypeError` for ids that are not integers, `ValueError` for one outside [0, V).
    """
    index = np.asarray(ids.data if isinstance(ids, Tensor) else ids)
    V, C = weight.shape
    if index.dtype.kind not in "iu":
        raise TypeError(f"ids must be integers, not {index.dtype}")
    if index.size and (index.min() < 0 or index.max() >= V):
        bad = index[(index < 0) | (index >= V)][0]
        raise ValueError(f"id {bad} is outside the vocabulary: ids run from 0 to {V - 1}")

    def backward(g: Array) -> tuple[Array]:
        # sort the ids, then add up each run of equal ones: much faster than np.add.at
        flat, g = index.reshape(-1), g.reshape(-1, C)
        dw = np.zeros_like(weight.data)
        if flat.size:
            order = np.argsort(flat, kind="stable")
            used, starts = np.unique(flat[order], return_index=True)
            dw[used] = np.add.reduceat(g[order], starts, axis=0)
        return (dw,)

    return record(weight.data[index], (weight,), backward)


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-5) -> Tensor:
    """(…, C), (C,) -> (…, C): y = x̂ w with x̂ = x r, r = 1/√(mean(x²) + ε) (Zhang & Sennrich 2019).

    dx = r (gw - x̂ mean(gw x̂)), where gw = g w: r itself depends on every x of the row.
    """
    _check_vectors("rms_norm", x.shape[-1], weight)
    r = 1 / np.sqrt((x.data * x.data).mean(axis=-1, keepdims=True) + eps)
    r = r.astype(x.dtype, copy=False)  # (…, 1)
    xhat = x.data * r

    def backward(g: Array) -> tuple[Array, Array]:
        gw = g * weight.data
        dx = r * (gw - xhat * (gw * xhat).mean(axis=-1, keepdims=True))
        return dx, (g * xhat).reshape(-1, x.shape[-1]).sum(axis=0)

    return record(xhat * weight.data, (x, weight), backward)


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """(…, C), (C,), (C,) -> (…, C): y = x̂ w + b, x̂ = (x - mean)/√(var + ε) (Ba et al. 2016).

    dx = r (gw - mean(gw) - x̂ mean(gw x̂)), where gw = g w and r = 1/√(var + ε).
    """
    _check_vectors("layer_norm", x.shape[-1], weight, *([] if bias is None else [bias]))
    centred = x.data - x.data.mean(axis=-1, keepdims=True)
    r = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + eps)
    r = r.astype(x.dtype, copy=False)
    xhat = centred * r
    out = xhat * weight.data
    if bias is not None:
        out += bias.data

    def backward(g: Array) -> tuple[Array, ...]:
        gw = g * weight.data
        mean_gw = gw.mean(axis=-1, keepdims=True)
        dx = r * (gw - mean_gw - xhat * (gw * xhat).mean(axis=-1, keepdims=True))
        g, normalised = g.reshape(-1, x.shape[-1]), xhat.reshape(-1, x.shape[-1])
        dw = (g * normalised).sum(axis=0)
        return (dx, dw) if bias is None else (dx, dw, g.sum(axis=0))

    return record(out, (x, weight) if bias is None else (x, weight, bias), backward)


def dropout(
    x: Tensor, p: float = 0.5, training: bool = True, generator: np.random.Generator | None = None
) -> Tensor:
    """Zero each element with probability p, scale the rest by 1/(1 - p) (Srivastava et al. 2014).

    The expected value stays the same, so nothing is left to do when not training. The same seed
    of `generator` drops the same elements.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout probability must be in [0, 1), not {p}")
    if not training or p == 0:
        return x
    generator = generator or default_generator
    kept = (generator.random(x.shape, dtype=np.float32) >= p).astype(x.dtype) / (1 - p)
    return record(x.data * kept, (x,), lambda g: (g * kept,))


# Attention


def apply_rope(
    x: Tensor, positions: npt.ArrayLike, theta: float = 10000.0, interleaved: bool = False
) -> Tensor:
    """(B, H, T, D), (T,) -> (B, H, T, D): rotate each pair of features by position · frequency.

    Rotary position embedding (Su et al. 2021, equation 34): pair i of D/2 turns by
    m θ^(-2i/D) at position m, so that the product of a query and a key depends on the distance of
    their positions alone. The pairs are (i, i + D/2), as in Llama's and Hugging Face's code, or
    neighbours (2i, 2i + 1) as in the paper with `interleaved=True`. A rotation's backward is the
    rotation by the opposite angle.

    Raises `ValueError` for an odd D, or positions that are not T numbers.
    """
    from qt.positions import rope_angles

    D = x.shape[-1]
    m = np.asarray(positions)
    if m.shape != x.shape[-2:-1]:
        raise ValueError(f"positions have shape {m.shape}, but x {x.shape} needs ({x.shape[-2]},)")
    angles = rope_angles(m, D, theta)  # (T, D/2)
    return rotate(x, np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype), interleaved)


def rotate(x: Tensor, cos: Array, sin: Array, interleaved: bool = False) -> Tensor:
    """(…, T, D), (T, D/2), (T, D/2) -> (…, T, D): (a, b) -> (a cos - b sin, b cos + a sin)."""
    half = x.shape[-1] // 2
    first, second = (
        (np.s_[..., 0::2], np.s_[..., 1::2])
        if interleaved
        else (np.s_[..., :half], np.s_[..., half:])
    )

    def turn(v: Array, sin: Array) -> Array:
        out = np.empty(v.shape, v.dtype)
        a, b = v[first], v[second]
        out[first] = a * cos - b * sin
        out[second] = b * cos + a * sin
        return out

    return record(turn(x.data, sin), (x,), lambda g: (turn(g, -sin),))


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: npt.ArrayLike | None = None,
    is_causal: bool = False,
) -> Tensor:
    """(B, H, T, D), (B, H_kv, S, D) ×2 -> (B, H, T, D): softmax(q kᵀ/√D) v (Vaswani et al. 2017).

    `attn_mask` broadcasts to (B, H, T, S): booleans, True where a query may look, or numbers that
    are added to the scores. With `is_causal` query t sees key s only up to its own place; with
    S > T the queries are the last T of the S places. H may be a multiple of H_kv: query head h
    reads key head h // (H / H_kv) (grouped queries, Ainslie et al. 2023). A query that may look
    nowhere gets zeros.

    Raises `ValueError` for shapes that do not fit, or a mask together with `is_causal`.
    """
    return attention_with_weights(query, key, value, attn_mask, is_causal)[0]


def attention_with_weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: npt.ArrayLike | None = None,
    is_causal: bool = False,
) -> tuple[Tensor, Array]:
    """`scaled_dot_product_attention`, and the weights (B, H, T, S) that it used, for pictures."""
    B, H, T, D = query.shape
    H_kv, S = key.shape[1:3]
    if key.shape != (B, H_kv, S, D) or value.shape[:3] != (B, H_kv, S) or H % H_kv:
        raise ValueError(
            f"attention: query {query.shape} does not fit key {key.shape} and value {value.shape}; "
            "expected (B, H, T, D), (B, H_kv, S, D), (B, H_kv, S, D) with H a multiple of H_kv"
        )
    # Heads that share a key are stacked along T, so that no key is copied: (B, H_kv, G·T, D).
    grouped = (B, H_kv, H // H_kv * T)
    q, k, v = query.data.reshape(*grouped, D), key.data, value.data
    scale = 1 / math.sqrt(D)
    scores = ((q * scale) @ k.swapaxes(-1, -2)).reshape(B, H, T, S)
    if is_causal:
        if attn_mask is not None:
            raise ValueError("give attn_mask or is_causal=True, not both: combine the masks first")
        if S < T:
            raise ValueError(
                f"causal attention needs at least as many keys as queries, not {S} < {T}"
            )
        scores[..., np.triu(np.ones((T, S), dtype=bool), S - T + 1)] = -np.inf
    elif attn_mask is not None:
        mask = np.asarray(attn_mask.data if isinstance(attn_mask, Tensor) else attn_mask)
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
        scores = scores.astype(query.dtype, copy=False)
    weights = _softmax(scores)  # (B, H, T, S)
    p = weights.reshape(*grouped, S)
    out = (p @ v).reshape(B, H, T, v.shape[-1])

    def backward(g: Array) -> tuple[Array, Array, Array]:
        g = g.reshape(*grouped, v.shape[-1])
        dv = p.swapaxes(-1, -2) @ g
        dp = g @ v.swapaxes(-1, -2)
        ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) * scale  # softmax, then the scale
        dq = (ds @ k).reshape(query.shape)
        dk = ds.swapaxes(-1, -2) @ q
        return dq, dk, dv

    return record(out, (query, key, value), backward), weights
