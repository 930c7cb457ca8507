"""The operation at the heart of attention: softmax(q kᵀ/√D) v, tile by tile.

All weights of a long text at once, T × T for each head, would fill the memory. So the work is done
for some queries at a time, in tiles that stay in the processor's cache; of a longer text no weights
are kept, and the way back makes them anew (Dao et al. 2022, FlashAttention). Keys that come after
all of a tile's queries are not even looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

from qt.positions import turn
from qt.tensor import Array, Tensor, operation, record

TILE = 2**18  # weights in a tile: 1 MB
QUERIES = 64  # at least so many a tile, of one head: fewer make slow matrix products
KEPT = 256  # keys: for so few, weights are kept for the way back
SAFE = 30.0  # exp of a score up to this size needs no shift: neither large nor small sums suffer

AS_HEADS = (0, 2, 3, 1, 4)  # (B, T, H_kv, G, D) -> (B, H_kv, G, T, D)

Tile = tuple[slice, slice, slice]


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
    q = query.data.reshape(B, H_kv, H // H_kv, T, D)
    k, v = key.data[:, :, None], value.data[:, :, None]
    out, fill = attend(q, k, v, is_causal, attn_mask, weights)

    def backward(g: Array) -> tuple[Array, Array, Array]:
        dq, dk, dv = _by_place(q.shape, q.dtype), np.zeros_like(k), np.zeros_like(v)
        fill(g.reshape(out.shape), dq, dk, dv)
        return dq.reshape(query.shape), dk[:, :, 0], dv[:, :, 0]

    return record(out.reshape(B, H, T, v.shape[-1]), (query, key, value), backward)


@operation
def packed_attention(
    packed: Tensor, n_head: int, n_kv_head: int, turns: Array | None = None,
    attn_mask: npt.ArrayLike | None = None, is_causal: bool = False,
    weights: list[Array] | None = None,
) -> Tensor:  # fmt: skip
    """(B, T, (H + 2·H_kv)·D) -> (B, T, H·D): the same for queries, keys and values in one array.

    So they come from one matrix product, and their gradients go into one. `turns` as in `unpack`.
    """
    q, k, v = unpack(packed.data, n_head, n_kv_head, turns)
    out, fill = attend(q, k, v, is_causal, attn_mask, weights)

    def backward(g: Array) -> tuple[Array]:
        d = np.empty_like(packed.data)
        fill(_as_heads(g, n_kv_head, q.shape[-1]), *unpack(d, n_head, n_kv_head))
        if turns is not None:
            turned = d[..., : 2 * turns.shape[-1]].view(turns.dtype)
            turned *= turns.conj()
        return (d,)

    return record(side_by_side(out), (packed,), backward)


def unpack(
    packed: Array, H: int, H_kv: int, turns: Array | None = None
) -> tuple[Array, Array, Array]:
    """(B, T, (H + 2·H_kv)·D) -> q (B, H_kv, H/H_kv, T, D), k and v (B, H_kv, 1, T, D).

    They are views, but where queries and keys are turned by `turns`, complex (…, (H + H_kv)·D/2).
    """
    D = packed.shape[-1] // (H + 2 * H_kv)
    qk, v = packed[..., : (H + H_kv) * D], packed[..., (H + H_kv) * D :]
    qk = qk if turns is None else turn(qk, turns)
    q, k = qk[..., : H * D], qk[..., H * D :]
    return _as_heads(q, H_kv, D), _as_heads(k, H_kv, D), _as_heads(v, H_kv, D)


def _as_heads(x: Array, H_kv: int, D: int) -> Array:
    """(B, T, H·D) -> (B, H_kv, G, T, D). First the width is split, then axes swap: never in one."""
    B, T, width = x.shape
    return x.reshape(B, T, H_kv, width // (H_kv * D), D).transpose(AS_HEADS)


def side_by_side(x: Array) -> Array:
    """(B, H_kv, G, T, D) -> (B, T, H·D): a token's heads in one row again."""
    B, H_kv, G, T, D = x.shape
    return x.transpose(0, 3, 1, 2, 4).reshape(B, T, H_kv * G * D)


def attend(
    q: Array, k: Array, v: Array, is_causal: bool, attn_mask: npt.ArrayLike | None,
    weights: list[Array] | None,
) -> tuple[Array, Callable[[Array, Array, Array, Array], None]]:  # fmt: skip
    """q (B, H_kv, G, T, D), k and v (B, H_kv, 1, S, D) -> (B, H_kv, G, T, D), and the way back.

    G query heads share a key head. The way back is a function `fill(g, dq, dk, dv)`, which writes
    the gradients into the three arrays.
    """
    (B, H_kv, G, T), S, scale = q.shape[:4], k.shape[3], q.dtype.type(q.shape[-1] ** -0.5)
    mask = None if attn_mask is None else _checked_mask(attn_mask, B, H_kv, G, T, S)
    out, ones = _by_place((*q.shape[:-1], v.shape[-1]), v.dtype), np.ones((S, 1), q.dtype)
    if weights is not None:
        weights.append(np.zeros((B, H_kv * G, T, S), q.dtype))

    def softmax(tile: Tile) -> tuple[Array, Array]:
        """A tile's queries (b, h, G, t, D) / √D, and their weights (b, h, G, t, s), s ≤ S."""
        b, h, t = tile
        end = S - T + t.stop if is_causal else S  # later keys are seen by none of these queries
        scaled = q[b, h, :, t] * scale
        p = scaled @ k[b, h, :, :end].swapaxes(-1, -2)  # scores; what follows works in their place
        part, seen = p, None  # what may be hidden, and 1 or True where it is not
        if is_causal:  # only the last keys are hidden, and from some of these queries
            part = p[..., S - T + t.start :]
            seen = np.tri(part.shape[-1], dtype=p.dtype)
        elif mask is not None and mask.dtype == bool:
            seen = mask[b, h, :, t].astype(p.dtype)
        elif mask is not None:
            p += mask[b, h, :, t]
        if not (p.min(initial=0) > -SAFE and p.max(initial=0) < SAFE):
            if seen is not None:
                np.copyto(part, -np.inf, where=seen == 0)
            top = p.max(axis=-1, keepdims=True, initial=-np.inf)
            p -= np.where(np.isfinite(top), top, 0)  # changes nothing but the size
        np.exp(p, out=p)
        if seen is not None:
            part *= seen
        total = p @ ones[:end]  # (b, h, G, t, 1): much faster than p.sum(-1)
        total[total == 0] = 1  # a query that may look nowhere
        p /= total
        return scaled, p

    kept = []
    for b, h, t in (tiles := list(_tiles(B, H_kv, G, T, S))):
        scaled, p = softmax((b, h, t))
        np.matmul(p, v[b, h, :, : p.shape[-1]], out=out[b, h, :, t])
        if weights is not None:
            weights[-1].reshape(B, H_kv, G, T, S)[b, h, :, t, : p.shape[-1]] = p
        kept.append((scaled, p) if S <= KEPT else None)

    def fill(g: Array, dq: Array, dk: Array, dv: Array) -> None:
        for (b, h, t), saved in zip(tiles, kept):
            scaled, p = saved or softmax((b, h, t))
            gt, s = g[b, h, :, t], p.shape[-1]
            ds = gt @ v[b, h, :, :s].swapaxes(-1, -2)  # dp, for the moment
            ds -= np.vecdot(ds, p)[..., None]  # softmax: ds = p (dp - Σ dp p)
            ds *= p
            np.matmul(ds, k[b, h, :, :s] * scale, out=dq[b, h, :, t])
            for dx, left, right in ((dk, ds, scaled), (dv, p, gt)):
                left, right = map(_stacked, (left, right))
                if t.stop == T:  # a head's first tile: the last queries, which see all keys
                    np.matmul(left.swapaxes(-1, -2), right, out=dx[b, h])
                else:
                    dx[b, h, :, :s] += left.swapaxes(-1, -2) @ right

    return out, fill


def _tiles(B: int, H_kv: int, G: int, T: int, S: int) -> Iterator[Tile]:
    """Slices of sequences, key heads and queries, the last queries first."""
    t = min(T, QUERIES if S <= KEPT else max(QUERIES, TILE // (G * S)))
    one = max(1, G * t * S)  # weights of one key head
    h = H_kv if one * H_kv <= TILE else 1
    queries = list(_slices(T, t))[::-1]
    return product(_slices(B, max(1, TILE // (one * h))), _slices(H_kv, h), queries)


def _slices(n: int, size: int) -> Iterator[slice]:
    return (slice(i, min(i + size, n)) for i in range(0, n, max(1, size)))


def _by_place(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Empty (B, H_kv, G, T, D); in memory a token's heads stand side by side, as they will."""
    B, H_kv, G, T, D = shape
    return np.empty((B, T, H_kv, G, D), dtype).transpose(AS_HEADS)


def _stacked(x: Array) -> Array:
    """(b, h, G, t, n) -> (b, h, 1, G·t, n): queries that share a key, as rows of one matrix."""
    b, h, G, t, n = x.shape
    return x.reshape(b, h, 1, G * t, n)


def _checked_mask(attn_mask: npt.ArrayLike, B: int, H_kv: int, G: int, T: int, S: int) -> Array:
    """What broadcasts to (B, H, T, S), as a view (B, H_kv, G, T, S)."""
    mask, shape = np.asarray(attn_mask), (B, H_kv * G, T, S)
    if mask.dtype.kind not in "bf":
        raise TypeError(f"attn_mask must hold booleans or floats, not {mask.dtype}")
    fits = (n in (1, full) for n, full in zip(mask.shape[::-1], shape[::-1]))
    if mask.ndim > 4 or not all(fits):
        raise ValueError(f"attn_mask {mask.shape} does not broadcast to {shape}")
    return np.broadcast_to(mask, shape).reshape(B, H_kv, G, T, S)
