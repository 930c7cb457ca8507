"""The whole machine: `GPTConfig` says which parts, `GPT` puts them together.

Defaults are the modern parts (rotary positions, RMSNorm, SwiGLU, no biases: the recipe of Llama,
Touvron et al. 2023); the classic ones (GPT-2, Radford et al. 2019) are a word each in the config.
Blocks are pre-norm: x + attention(norm(x)), then x + mlp(norm(x)).
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from qt import functional as F
from qt.attention import KVCache, MultiHeadAttention
from qt.feedforward import ACTIVATIONS, FeedForward, SwiGLU
from qt.nn import Dropout, Embedding, Linear, Module
from qt.norms import LayerNorm, RMSNorm
from qt.positions import ROPE_SCALING, rope_turns, sinusoidal_table
from qt.settings import check_settings, check_shares
from qt.summary import summary
from qt.tensor import Array, Tensor, no_grad

CHOICES = {
    "position": ("rope", "sinusoidal", "learned"),
    "norm": ("rmsnorm", "layernorm"),
    "ffn": ("swiglu", *ACTIVATIONS),
}


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a GPT. `ValueError` for values that do not fit together.

    None is filled in: `n_kv_head` with `n_head`, `qkv_bias` with `bias`, `d_ff` with 4 · d_model,
    or for SwiGLU, whose three matrices shall weigh as much as two, with 8/3 · d_model rounded up to
    a multiple of 8. `rope_scaling` as in `positions.rope_angles`.
    """

    vocab_size: int
    block_size: int = 64
    n_layer: int = 4
    n_head: int = 4
    n_kv_head: int = None  # type: ignore[assignment]  # never None once made
    d_model: int = 128
    d_ff: int = None  # type: ignore[assignment]
    position: str = "rope"
    norm: str = "rmsnorm"
    ffn: str = "swiglu"
    bias: bool = False
    tie_embeddings: bool = True
    dropout: float = 0.0
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5
    qkv_bias: bool = None  # type: ignore[assignment]
    qk_norm: bool = False
    rope_interleaved: bool = False
    rope_scaling: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        check_settings(self, CHOICES)
        check_shares(self, "dropout")
        width = -(-8 * self.d_model // 24) * 8 if self.ffn == "swiglu" else 4 * self.d_model
        defaults = {"n_kv_head": self.n_head, "d_ff": width, "qkv_bias": self.bias}
        derived = {name: defaults[name] for name in defaults if getattr(self, name) is None}
        for name, value in (*derived.items(), ("_derived", tuple(derived))):
            object.__setattr__(self, name, value)
        for whole, part in (("d_model", "n_head"), ("n_head", "n_kv_head")):
            n, parts = getattr(self, whole), getattr(self, part)
            if n % parts:
                raise ValueError(f"{whole}={n} is not a multiple of {part}={parts}")
        if self.head_dim % 2 and self.position == "rope":
            raise ValueError(f"rope needs an even head width, not d_model/n_head = {self.head_dim}")
        if self.d_model % 2 and self.position == "sinusoidal":
            raise ValueError(f"sinusoidal positions need an even d_model, not {self.d_model}")
        if not self.rope_theta > 0:
            raise ValueError(f"rope_theta must be above 0, not {self.rope_theta}")
        scaling = self.rope_scaling or ROPE_SCALING
        if missing := [key for key in ROPE_SCALING if key not in scaling]:
            raise ValueError(f"rope_scaling lacks {', '.join(missing)}")

    @property
    def head_dim(self) -> int:
        """D = d_model / n_head, the width of one head."""
        return self.d_model // self.n_head

    def replace(self, **changes: Any) -> GPTConfig:
        """A copy with other settings; a value that followed from the old ones follows again."""
        derived: tuple[str, ...] = self._derived  # type: ignore[attr-defined]
        return GPTConfig(**(self.to_dict() | dict.fromkeys(derived) | changes))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GPTConfig:
        """A config from its `to_dict()`. `ValueError` for names that a config does not have."""
        if unknown := sorted(values.keys() - {field.name for field in fields(cls)}):
            raise ValueError(f"unknown model settings: {', '.join(unknown)}")
        if "vocab_size" not in values:
            raise ValueError("model settings lack vocab_size")
        return cls(**values)


class Block(Module):
    """(B, T, C) -> (B, T, C): attention, then the feed-forward part, each added to the stream."""

    def __init__(self, c: GPTConfig, rng: np.random.Generator) -> None:
        self.input_layernorm = make_norm(c)
        self.self_attn = MultiHeadAttention(
            c.d_model, c.n_head, c.n_kv_head, c.bias, c.qkv_bias, c.qk_norm, c.norm_eps,
            c.rope_interleaved, rng,
        )  # fmt: skip
        self.post_attention_layernorm = make_norm(c)
        if c.ffn == "swiglu":
            self.mlp: Module = SwiGLU(c.d_model, c.d_ff, c.bias, rng)
        else:
            self.mlp = FeedForward(c.d_model, c.d_ff, c.ffn, c.bias, rng)
        self.dropout = Dropout(c.dropout, seed=int(rng.integers(2**31)))

    def forward(self, x: Tensor, **attention: Any) -> Tensor:
        x = x + self.dropout(self.self_attn(self.input_layernorm(x), **attention))
        return x + self.dropout(self.mlp(self.post_attention_layernorm(x)))


def make_norm(c: GPTConfig) -> RMSNorm | LayerNorm:
    if c.norm == "rmsnorm":
        return RMSNorm(c.d_model, c.norm_eps)
    return LayerNorm(c.d_model, c.norm_eps, c.bias)


class GPT(Module):
    """(B, T) token ids -> (B, T, V) logits: for each place, scores for the token that comes next.

    All weights are float32, follow from `seed`, and have the names of Hugging Face's Llama without
    its `model.` prefix.
    """

    summary = summary

    def __init__(self, config: GPTConfig, seed: int = 0) -> None:
        c = self.config = config
        rng = np.random.default_rng(seed)
        self.embed_tokens = Embedding(c.vocab_size, c.d_model, rng)
        if c.position == "learned":
            self.embed_positions = Embedding(c.block_size, c.d_model, rng)
        elif c.position == "sinusoidal":
            self.sinusoids = sinusoidal_table(c.block_size, c.d_model)
        self.dropout = Dropout(c.dropout, seed=int(rng.integers(2**31)))
        self.layers = [Block(c, rng) for _ in range(c.n_layer)]
        self.norm = make_norm(c)
        if not c.tie_embeddings:
            self.lm_head = Linear(c.d_model, c.vocab_size, False, rng)
        for name, parameter in self.named_parameters():
            parameter.name = name
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                # What is added 2·n_layer times starts smaller, so that the sum keeps its size.
                parameter.data *= 1 / math.sqrt(2 * c.n_layer)

    def forward(
        self, ids: npt.ArrayLike, cache: KVCache | None = None, return_attention: bool = False,
        attention_mask: npt.ArrayLike | None = None,
    ) -> Any:  # fmt: skip
        """(B, T) -> Tensor (B, T, V); with `return_attention` also n_layer arrays (B, H, T, S).

        With a cache, `ids` are the tokens that follow those in it; nothing is recorded for
        gradients then. `attention_mask` (B, T) is 1 where a token is real and 0 where it only pads,
        as in Hugging Face's models: nobody looks at padding, and it takes no position.
        `TypeError` for ids that are not integers, `ValueError` for shapes that do not fit, an id
        outside the vocabulary, more tokens than `block_size`, or a cache of another model.
        """
        c, ids = self.config, np.asarray(ids)
        if ids.ndim != 2 or ids.shape[1] < 1:
            raise ValueError(f"ids must have shape (B, T) with T >= 1, not {ids.shape}")
        if cache is not None:
            needed = (c.n_layer, len(ids), c.n_kv_head, cache.max_len, c.head_dim)
            if (shape := cache.keys.shape) != needed:
                made = f"model.new_cache(batch_size={len(ids)})"
                raise ValueError(f"the cache has shape {shape}: this model needs {made}")
        positions, real = self._places(ids, cache, attention_mask)
        attention: list[Array] | None = [] if return_attention else None
        with nullcontext() if cache is None else no_grad():
            x = self.embed_tokens(ids)  # (B, T, C)
            turns = None
            if c.position == "rope":
                turns = self.turns(positions)
            elif c.position == "learned":
                x = x + self.embed_positions(np.maximum(positions, 0))
            else:
                x = x + self.sinusoids[positions].astype(x.dtype)
            x = self.dropout(x)
            for i, block in enumerate(self.layers):
                x = block(x, turns=turns, real=real, cache=cache, layer=i, weights=attention)
            x = self.norm(x)
            # A tied head reads scores off the table that embedded the ids (Press & Wolf 2017).
            logits = F.linear(x, self.embed_tokens.weight) if c.tie_embeddings else self.lm_head(x)
        if cache is not None:
            cache.advance(ids.shape[1], positions[..., -1:] + 1, real)
        return logits if attention is None else (logits, attention)

    def turns(self, positions: Array) -> Array:
        """(…) positions -> complex (…, (H + H_kv)·D/2), for heads of queries and keys in a row."""
        c, dtype = self.config, self.embed_tokens.weight.dtype
        turns = rope_turns(positions, c.head_dim, c.rope_theta, c.rope_scaling, dtype)
        return np.concatenate([turns] * (c.n_head + c.n_kv_head), axis=-1)

    def _places(
        self, ids: Array, cache: KVCache | None, attention_mask: npt.ArrayLike | None
    ) -> tuple[Array, npt.NDArray[np.bool_] | None]:
        """Each token's position, (T,) or (B, T), and which of all S tokens are real, (B, S).

        Padding repeats the position before it, which is -1 at the beginning.
        """
        (B, T), block = ids.shape, self.config.block_size
        start, held, real = (cache.position, cache.length, cache.real) if cache else (0, 0, None)
        positions = start + np.arange(T)
        if attention_mask is not None or real is not None:
            new = np.ones((B, T), bool) if attention_mask is None else np.asarray(attention_mask)
            if new.shape != (B, T) or new.dtype.kind not in "bui":
                wanted = f"booleans or 0 and 1 of shape {(B, T)}, like the ids"
                raise ValueError(f"attention_mask must be {wanted}, not {new.dtype} {new.shape}")
            positions = start + np.cumsum(new != 0, axis=1) - 1
            before = np.ones((B, held), dtype=bool) if real is None else real
            real = np.concatenate([before, new != 0], axis=1)
        needed = max(int(positions.max()) + 1, T)
        if needed > block and not (cache and cache.sliding and self.config.position == "rope"):
            hint = "shorten them, or use a larger block"
            raise ValueError(f"{needed} tokens do not fit this model's block_size={block}: {hint}")
        return positions, real

    def new_cache(
        self, batch_size: int = 1, max_len: int | None = None, sliding: bool = False
    ) -> KVCache:
        """An empty cache for `max_len` tokens a sequence (default: `block_size`); see `KVCache`."""
        c, dtype = self.config, self.embed_tokens.weight.dtype
        length = c.block_size if max_len is None else max_len
        return KVCache(c.n_layer, batch_size, c.n_kv_head, length, c.head_dim, dtype, sliding)
