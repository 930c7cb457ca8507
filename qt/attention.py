"""Attention: how a token looks at the tokens before it.

Queries, keys and values are three projections of the same vectors, cut into heads; each head mixes
the values by how well its query matches each key (Vaswani et al. 2017, section 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from qt import functional as F
from qt.nn import Identity, Linear, Module, Rng
from qt.norms import RMSNorm
from qt.scaled_dot_product import attend, side_by_side, unpack
from qt.tensor import Array, Tensor


def causal_mask(T: int, S: int | None = None, window: int | None = None) -> npt.NDArray[np.bool_]:
    """(T, S) bool, S = T by default: True where query t (row) may look at key s (column).

    The queries are the last T of the S places; with `window` each sees that many keys at most.
    """
    S = T if S is None else S
    mask = np.tri(T, S, S - T, dtype=bool)
    return mask if window is None else mask & ~np.tri(T, S, S - T - window, dtype=bool)


class KVCache:
    """The keys and values of all tokens so far, so that each is computed only once.

    `keys` and `values` are (n_layer, B, H_kv, max_len, D), the halves of an array that is allocated
    once; the first `length` places are filled. Keys are stored after their rotation. A full cache
    refuses more tokens, or with `sliding` forgets the oldest: then a token sees the last `max_len`
    tokens, itself included.
    """

    def __init__(
        self, n_layer: int, batch_size: int, n_kv_head: int, max_len: int, head_dim: int,
        dtype: npt.DTypeLike = np.float32, sliding: bool = False,
    ) -> None:  # fmt: skip
        if batch_size < 1 or max_len < 1:
            raise ValueError(f"batch_size={batch_size} and max_len={max_len} must be at least 1")
        self.stored = np.empty((2, n_layer, batch_size, n_kv_head, max_len, head_dim), dtype)
        self.keys, self.values = self.stored
        self.length = 0
        self.max_len = max_len
        self.sliding = sliding
        self.position: int | Array = 0  # of the next token; after padding (B, 1), one a sequence
        self.real: npt.NDArray[np.bool_] | None = None  # (B, length); None: no padding so far

    @property
    def nbytes(self) -> int:
        """Bytes that the cache occupies, filled or not."""
        return self.keys.nbytes + self.values.nbytes

    def append(self, layer: int, key: Array, value: Array) -> tuple[Array, Array]:
        """Store (B, H_kv, T, D) behind what is there; return all S = length + T places of both.

        `length` moves later, for all layers (`advance`). `ValueError` if full and not sliding.
        """
        end = self.length + key.shape[2]
        if end > self.max_len and not self.sliding:
            hint = "use new_cache(max_len=…), or sliding=True to forget the oldest"
            raise ValueError(f"the cache holds {self.max_len} tokens, not {end}: {hint}")
        both = []
        for held, new in ((self.keys[layer], key), (self.values[layer], value)):
            if end <= self.max_len:
                held[:, :, self.length : end] = new
                both.append(held[:, :, :end])
            else:
                both.append(np.concatenate([held[:, :, : self.length], new], axis=2))
                held[:] = both[-1][:, :, -self.max_len :]
        return both[0], both[1]

    def advance(self, T: int, position: int | Array, real: npt.NDArray[np.bool_] | None) -> None:
        """Count T tokens as read: where the next one stands, and which of those held are real."""
        self.length = min(self.length + T, self.max_len)
        self.position = position
        self.real = None if real is None else real[:, -self.max_len :]


class MultiHeadAttention(Module):
    """(B, T, C) -> (B, T, C): causal self-attention with H query heads and H_kv key/value heads.

    H_kv < H is grouped-query attention (Ainslie et al. 2023), H_kv = 1 multi-query (Shazeer 2019).
    `qk_norm` normalises each head's queries and keys (Henry et al. 2020, with RMSNorm as in Qwen
    3). A hook on `attn_weights` gets the weights (B, H, T, S) to look at: they are used already.
    """

    def __init__(
        self, d_model: int, n_head: int, n_kv_head: int | None = None, bias: bool = False,
        qkv_bias: bool | None = None, qk_norm: bool = False, norm_eps: float = 1e-5,
        interleaved: bool = False, rng: Rng = None,
    ) -> None:  # fmt: skip
        self.n_head = n_head
        self.n_kv_head = n_kv_head or n_head
        self.head_dim = d_model // n_head
        self.interleaved = interleaved
        kv_width = self.n_kv_head * self.head_dim
        qkv_bias = bias if qkv_bias is None else qkv_bias
        self.q_proj = Linear(d_model, d_model, qkv_bias, rng)
        self.k_proj = Linear(d_model, kv_width, qkv_bias, rng)
        self.v_proj = Linear(d_model, kv_width, qkv_bias, rng)
        self.o_proj = Linear(d_model, d_model, bias, rng)
        self.q_norm = RMSNorm(self.head_dim, norm_eps) if qk_norm else Identity()
        self.k_norm = RMSNorm(self.head_dim, norm_eps) if qk_norm else Identity()
        self.attn_weights = Identity()

    def forward(
        self, x: Tensor, turns: Array | None = None,
        real: npt.NDArray[np.bool_] | None = None, cache: KVCache | None = None, layer: int = 0,
        weights: list[Array] | None = None,
    ) -> Tensor:  # fmt: skip
        """Attend to this text's tokens, and to those in `cache`, which are S = length + T together.

        `turns`: complex (…, T, (H + H_kv)·D/2) for rotary positions. `real` (B, S): False where a
        token only pads. The weights (B, H, T, S) are appended to the list `weights`.
        """
        T = x.shape[1]
        packed = self._packed(x, turns is not None and not self.interleaved)
        window = cache.max_len if cache and cache.sliding else None
        mask = None  # the causal one alone
        if real is not None or window is not None:
            S = T + (cache.length if cache else 0)
            mask = causal_mask(T, S, window)  # (T, S)
            mask = mask if real is None else mask & real[:, None, None, :]  # (B, 1, T, S)
        if weights is None and self.attn_weights._hooks:
            weights = []
        heads = self.n_head, self.n_kv_head
        if cache is None:
            out = F.packed_attention(packed, *heads, turns, mask, mask is None, weights)
        else:
            q, k, v = unpack(packed.data, *heads, turns)
            k, v = cache.append(layer, k[:, :, 0], v[:, :, 0])  # (B, H_kv, S, D)
            mixed, _ = attend(q, k[:, :, None], v[:, :, None], mask is None, mask, weights)
            out = Tensor(side_by_side(mixed))  # (B, T, C)
        if weights is not None:
            weights[-1] = self.attn_weights(weights[-1])
        return self.o_proj(out)

    def _packed(self, x: Tensor, apart: bool) -> Tensor:
        """(B, T, C) -> (B, T, (H + 2·H_kv)·D): queries, keys and values side by side.

        `apart`: pairs of features (i, i + D/2) are going to turn, and must stand side by side too.
        Scores do not mind the order, for it is that of queries and keys alike.
        """
        linears, norms = (self.q_proj, self.k_proj, self.v_proj), (self.q_norm, self.k_norm)

        def joined(parts: Iterable[Any], axis: int = 0) -> Tensor:
            q, k, v = parts
            if apart:
                q, k = (F.regroup(part, axis, 2, self.head_dim // 2) for part in (q, k))
            return F.concatenate((q, k, v), axis)

        if all(type(m) in (Linear, Identity) and not m._hooks for m in (*linears, *norms)):
            # One product. A weight has fewer numbers to put in order than what comes out.
            bias = None if self.q_proj.bias is None else joined(m.bias for m in linears)
            return F.linear(x, joined(m.weight for m in linears), bias)
        q, k, v = (linear(x) for linear in linears)
        each_head = *x.shape[:2], -1, self.head_dim
        q, k = (norm(y.reshape(each_head)).reshape(y.shape) for norm, y in zip(norms, (q, k)))
        return joined((q, k, v), axis=2)
