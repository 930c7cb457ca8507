"""Attention: how a token looks at the tokens before it.

Queries, keys and values are three projections of the same vectors, cut into heads; each head mixes
the values by how well its query matches each key (Vaswani et al. 2017, section 3.2).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qt import functional as F
from qt.nn import Identity, Linear, Module, Rng
from qt.norms import RMSNorm
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

    Two arrays (n_layer, B, H_kv, max_len, D), allocated once; the first `length` places are filled.
    Keys are stored after their rotation. A full cache refuses more tokens, or with `sliding`
    forgets the oldest: then a token sees the last `max_len` tokens, itself included.
    """

    def __init__(
        self, n_layer: int, batch_size: int, n_kv_head: int, max_len: int, head_dim: int,
        dtype: npt.DTypeLike = np.float32, sliding: bool = False,
    ) -> None:  # fmt: skip
        if batch_size < 1 or max_len < 1:
            raise ValueError(f"batch_size={batch_size} and max_len={max_len} must be at least 1")
        shape = (n_layer, batch_size, n_kv_head, max_len, head_dim)
        self.keys: Array = np.empty(shape, dtype)
        self.values: Array = np.empty(shape, dtype)
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
    3). A hook on `attn_weights` receives the weights (B, H, T, S).
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
        self, x: Tensor, rotation: tuple[Array, Array] | None = None,
        real: npt.NDArray[np.bool_] | None = None, cache: KVCache | None = None, layer: int = 0,
        weights: list[Array] | None = None,
    ) -> Tensor:  # fmt: skip
        """Attend to this text's tokens, and to those in `cache`, which are S = length + T together.

        `rotation`: cosines and sines (…, T, D/2) for rotary positions. `real` (B, S): False where a
        token only pads. The weights (B, H, T, S) are appended to the list `weights`.
        """
        B, T, C = x.shape
        q = self.q_norm(self._split(self.q_proj(x), self.n_head))  # (B, H, T, D)
        k = self.k_norm(self._split(self.k_proj(x), self.n_kv_head))  # (B, H_kv, T, D)
        v = self._split(self.v_proj(x), self.n_kv_head)
        if rotation is not None:
            q, k = (F.rotate(heads, *rotation, self.interleaved) for heads in (q, k))
        if cache is not None:
            k, v = map(Tensor, cache.append(layer, k.data, v.data))  # (B, H_kv, S, D)
        window = cache.max_len if cache and cache.sliding else None
        mask = None  # the causal one alone
        if real is not None or window is not None:
            mask = causal_mask(T, k.shape[2], window)  # (T, S)
            mask = mask if real is None else mask & real[:, None, None, :]  # (B, 1, T, S)
        weights = [] if weights is None else weights
        out = F.scaled_dot_product_attention(q, k, v, mask, mask is None, weights)
        weights[-1] = self.attn_weights(weights[-1])
        out = out.transpose(1, 2).reshape(B, T, C)  # heads side by side again
        return self.o_proj(out)

    def _split(self, x: Tensor, heads: int) -> Tensor:
        """(B, T, heads·D) -> (B, heads, T, D). Split the width first, then swap: never in one."""
        B, T, _ = x.shape
        return x.reshape(B, T, heads, self.head_dim).transpose(1, 2)
