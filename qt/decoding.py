"""One more token, fast: what `GPT.forward` computes for a single token, on a few arrays.

With a key/value cache each weight is multiplied with one vector only, and the way to that product
(modules, tensors, the tape) takes longer than the product. Here stands the arithmetic alone, and
what can be worked out beforehand is: weights that take the same input are one matrix, and what only
scales a weight's rows or columns is multiplied into it once.
"""

from __future__ import annotations

import numpy as np

from qt import functional as F
from qt.attention import KVCache, MultiHeadAttention
from qt.feedforward import SwiGLU
from qt.model import GPT, Block
from qt.nn import Dropout, Embedding, Identity, Linear
from qt.norms import RMSNorm
from qt.tensor import Array, Tensor

PARTS = {
    GPT, Block, MultiHeadAttention, RMSNorm, SwiGLU, Linear, Embedding, Identity, Dropout,
}  # fmt: skip


class Decoder:
    """Continues the texts in a `cache`, a token at each `step`, with the weights of now."""

    @staticmethod
    def fits(model: GPT) -> bool:
        """Whether the model has the modern parts alone, as they are here, and without hooks."""
        c = model.config
        modern = (c.position, c.norm, c.ffn) == ("rope", "rmsnorm", "swiglu")
        plain = not (c.bias or c.qkv_bias or c.qk_norm)
        return modern and plain and all(type(m) in PARTS and not m._hooks for m in model.modules())

    def __init__(self, model: GPT, cache: KVCache) -> None:
        c, w = model.config, model.state_dict()
        self.cache, self.table = cache, w["embed_tokens.weight"]  # (V, C)
        (L, B, H_kv, S, D), dtype = cache.keys.shape, self.table.dtype.type
        self.turns = model.turns(np.arange(S))
        self.eps = dtype(c.d_model * c.norm_eps)

        def paired(weight: Array) -> Array:
            """(H·D, C): in each head the pairs of features that turn together side by side."""
            if c.rope_interleaved:
                return weight
            return F.regroup(Tensor(weight), 0, 2, D // 2).data

        def joined(norm: str, *weights: Array) -> Array:
            """(C, F): what is left to do with x / |x|: the norm's weight, √C, then the products."""
            scale = w[f"{norm}.weight"] * dtype(c.d_model**0.5)
            return transposed(np.concatenate(weights) * scale)

        def transposed(weight: Array) -> Array:
            """In the order in memory that is best for products with one vector, or with several."""
            return np.asarray(weight.T, order="F" if B == 1 else "C")

        self.layers = []
        for layer in (f"layers.{i}" for i in range(L)):
            q, k, v, o = (w[f"{layer}.self_attn.{name}_proj.weight"] for name in "qkvo")
            gate, up, down = (w[f"{layer}.mlp.{n}_proj.weight"] for n in ("gate", "up", "down"))
            q = paired(q) * dtype(D**-0.5)
            qkv = joined(f"{layer}.input_layernorm", q, paired(k), v)
            gate_up = joined(f"{layer}.post_attention_layernorm", gate / 2, up)
            self.layers.append((qkv, transposed(o), gate_up, transposed(down)))
        self.head = joined("norm", w.get("lm_head.weight", self.table))  # (C, V)

        # Arrays that are written again for each layer, and views of their parts. One text alone has
        # no batch axis: NumPy is quicker with vectors.
        self.lead = lead = () if B == 1 else (B,)
        packed, at = np.empty((*lead, (c.n_head + 2 * H_kv) * D), dtype), c.n_head * D
        q = packed[..., :at].reshape(*lead, H_kv, -1, D)  # (B, H_kv, G, D)
        turned = packed[..., : at + H_kv * D].view(self.turns.dtype)  # queries and keys
        kv = np.moveaxis(packed[..., at:].reshape(*lead, 2, H_kv, D), -3, 0)
        mixed, inner = np.empty_like(q), np.empty((*lead, 2 * c.d_ff), dtype)
        self.arrays = packed, q, turned, kv, mixed, mixed.reshape(*lead, -1)
        self.wide = inner, inner[..., : c.d_ff], inner[..., c.d_ff :]
        self.stored = cache.stored.reshape(2, L, *lead, H_kv, S, D)

    def step(self, ids: Array) -> Array:
        """(B,) ids -> (B, V) logits for what follows them; the cache then holds them too."""
        at, unit = self.cache.length, self._unit
        turns, new = self.turns[at], self.stored[..., at, :].swapaxes(0, 1)  # (L, 2, B, H_kv, D)
        (packed, q, turned, kv, mixed, side_by_side), (inner, half, up) = self.arrays, self.wide
        keys, values = self.stored[..., : at + 1, :]  # (L, B, H_kv, S, D)
        cached = zip(new, keys.swapaxes(-1, -2), values)
        x = self.table[ids.reshape(self.lead)]  # (B, C)
        for (qkv, o, gate_up, down), (both, k, v) in zip(self.layers, cached):
            unit(x).dot(qkv, out=packed)
            turned *= turns
            both[...] = kv
            p = q @ k  # (B, H_kv, G, S)
            p -= np.maximum.reduce(p, axis=-1, keepdims=True)
            np.exp(p, out=p)
            np.matmul(p, v, out=mixed)  # (B, H_kv, G, D)
            mixed /= np.add.reduce(p, axis=-1, keepdims=True)
            x += side_by_side.dot(o)
            unit(x).dot(gate_up, out=inner)
            silu = np.tanh(half)  # silu(2h) = h (1 + tanh h)
            silu += 1
            silu *= half
            silu *= up
            x += silu.dot(down)
        self.cache.advance(1, at + 1, None)
        return unit(x).dot(self.head).reshape(len(ids), -1)

    def _unit(self, x: Array) -> Array:
        """x / √(|x|² + C ε): x normed, but for factors that are part of the next weight."""
        square = np.vecdot(x, x)[:, None] if self.lead else x.dot(x)
        return x / np.sqrt(square + self.eps)
