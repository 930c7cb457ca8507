"""Attention: how a token looks at the tokens before it.

Queries, keys and values are three projections of the same vectors, cut into heads; each head mixes
the values by how well its query matches each key (Vaswani et al. 2017, section 3.2). The causal
mask, which forbids looking ahead, is applied here, in training and in generation alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qt import functional as F
from qt.nn import Linear, Module
from qt.positions import RotaryTable
from qt.tensor import Array, Tensor


def causal_mask(T: int) -> npt.NDArray[np.bool_]:
    """(T, T) bool: True where query t (row) may look at key s (column), that is s <= t."""
    return np.tril(np.ones((T, T), dtype=bool))


class KVCache:
    """The keys and values of all tokens so far, so that each is computed only once.

    For every layer two arrays (B, H_kv, max_len, D), allocated once; the first `length` places are
    filled. Keys are stored after their rotation.
    """

    def __init__(
        self,
        n_layer: int,
        batch_size: int,
        n_kv_head: int,
        max_len: int,
        head_dim: int,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        shape = (n_layer, batch_size, n_kv_head, max_len, head_dim)
        self.keys: Array = np.empty(shape, dtype)
        self.values: Array = np.empty(shape, dtype)
        self.length = 0
        self.max_len = max_len
        self.batch_size = batch_size

    @property
    def nbytes(self) -> int:
        """Bytes that the cache occupies, filled or not."""
        return self.keys.nbytes + self.values.nbytes

    def append(self, layer: int, key: Array, value: Array) -> tuple[Array, Array]:
        """Store (B, H_kv, T, D) behind what is there; return all S = length + T places of both.

        The length itself moves when the model has passed all layers. Raises `ValueError` when the
        cache is full or the batch has another size.
        """
        T = key.shape[2]
        end = self.length + T
        if key.shape[0] != self.batch_size:
            raise ValueError(f"the cache is for {self.batch_size} sequences, not {key.shape[0]}")
        if end > self.max_len:
            raise ValueError(
                f"the cache holds {self.max_len} tokens: {self.length} are in it and {T} more do "
                "not fit; make it larger with new_cache(max_len=…)"
            )
        self.keys[layer, :, :, self.length : end] = key
        self.values[layer, :, :, self.length : end] = value
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


class MultiHeadAttention(Module):
    """(B, T, C) -> (B, T, C): causal self-attention with H query heads and H_kv key/value heads.

    H_kv = H is the classic form, H_kv < H grouped queries (Ainslie et al. 2023), H_kv = 1
    multi-query (Shazeer 2019). With a `RotaryTable` queries and keys are turned by their positions.
    """

    def __init__(
        self,
        d_model: int,
        n_head: int,
        n_kv_head: int | None = None,
        bias: bool = False,
        rotary: RotaryTable | None = None,
        std: float = 0.02,
        out_std: float = 0.02,
        rng: np.random.Generator | None = None,
    ) -> None:
        rng = rng or F.default_generator
        self.n_head = n_head
        self.n_kv_head = n_kv_head or n_head
        self.head_dim = d_model // n_head
        kv_width = self.n_kv_head * self.head_dim
        self.q_proj = Linear(d_model, d_model, bias, std, rng)
        self.k_proj = Linear(d_model, kv_width, bias, std, rng)
        self.v_proj = Linear(d_model, kv_width, bias, std, rng)
        self.o_proj = Linear(d_model, d_model, bias, out_std, rng)
        self.rotary = rotary

    def forward(
        self, x: Tensor, cache: KVCache | None = None, layer: int = 0
    ) -> tuple[Tensor, Array]:
        """The result (B, T, C) and the attention weights (B, H, T, S), S = T + tokens cached."""
        B, T, C = x.shape
        q = self._split(self.q_proj(x), self.n_head)  # (B, H, T, D)
        k = self._split(self.k_proj(x), self.n_kv_head)  # (B, H_kv, T, D)
        v = self._split(self.v_proj(x), self.n_kv_head)
        if self.rotary is not None:
            start = cache.length if cache is not None else 0
            cos, sin = self.rotary.slice(start, start + T, x.dtype)
            q, k = F.rotate(q, cos, sin), F.rotate(k, cos, sin)
        if cache is not None:
            keys, values = cache.append(layer, k.data, v.data)
            k, v = Tensor(keys), Tensor(values)  # (B, H_kv, S, D)
        out, weights = F.attention_with_weights(q, k, v, is_causal=True)
        out = out.transpose(1, 2).reshape(B, T, C)  # heads side by side again
        return self.o_proj(out), weights

    def _split(self, x: Tensor, heads: int) -> Tensor:
        """(B, T, heads·D) -> (B, heads, T, D). Split the width first, then swap: never in one."""
        B, T, _ = x.shape
        return x.reshape(B, T, heads, self.head_dim).transpose(1, 2)
