"""The whole machine: `GPTConfig` says which parts, `GPT` puts them together.

Defaults are the modern parts (rotary positions, RMSNorm, SwiGLU, no biases: the recipe of Llama,
Touvron et al. 2023); the classic ones (GPT-2, Radford et al. 2019) are a word each in the config.
Blocks are pre-norm: x + attention(norm(x)), then x + mlp(norm(x)).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from qt import functional as F
from qt.attention import KVCache, MultiHeadAttention
from qt.feedforward import FeedForward, SwiGLU
from qt.nn import Dropout, Embedding, Linear, Module
from qt.norms import LayerNorm, RMSNorm
from qt.positions import RotaryTable, sinusoidal_table
from qt.tensor import Array, Tensor, no_grad

CHOICES = {
    "position": ("rope", "sinusoidal", "learned"),
    "norm": ("rmsnorm", "layernorm"),
    "ffn": ("swiglu", "relu", "gelu"),
}


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a GPT. Raises `ValueError` for values that do not fit together.

    `n_kv_head=None` means as many as `n_head`. `d_ff=None` means 4 · d_model; for SwiGLU, which has
    three matrices instead of two, 8/3 · d_model rounded up to a multiple of 8, so that the number
    of parameters stays the same. Both are filled in, so that a config always says what it is.
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

    def __post_init__(self) -> None:
        self._check_whole("vocab_size", "block_size", "n_layer", "n_head", "d_model")
        derived = [name for name in ("n_kv_head", "d_ff") if getattr(self, name) is None]
        object.__setattr__(self, "_derived", derived)
        if self.n_kv_head is None:
            object.__setattr__(self, "n_kv_head", self.n_head)
        if self.d_ff is None:
            swiglu_width = -(-8 * self.d_model // 24) * 8
            width = swiglu_width if self.ffn == "swiglu" else 4 * self.d_model
            object.__setattr__(self, "d_ff", width)
        self._check_whole("n_kv_head", "d_ff")
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}"
                )
        if self.d_model % self.n_head:
            raise ValueError(
                f"d_model={self.d_model} cannot be cut into n_head={self.n_head} equal heads"
            )
        if self.n_head % self.n_kv_head:
            raise ValueError(
                f"n_head={self.n_head} query heads cannot share n_kv_head={self.n_kv_head} "
                "key heads evenly"
            )
        if self.position == "rope" and self.head_dim % 2:
            raise ValueError(
                f"rotary positions need an even head width, not {self.head_dim} = d_model / n_head"
            )
        if self.position == "sinusoidal" and self.d_model % 2:
            raise ValueError(f"sinusoidal positions need an even d_model, not {self.d_model}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), not {self.dropout}")

    def _check_whole(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")
            object.__setattr__(self, name, int(value))

    @property
    def head_dim(self) -> int:
        """D = d_model / n_head, the width of one head."""
        return self.d_model // self.n_head

    def replace(self, **changes: Any) -> GPTConfig:
        """A copy with other settings; a width that followed from the old ones follows again."""
        derived: list[str] = self._derived  # type: ignore[attr-defined]
        return GPTConfig(**(self.to_dict() | dict.fromkeys(derived) | changes))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> GPTConfig:
        """Raises `ValueError` for names that a config does not have."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(values.keys() - known):
            raise ValueError(f"unknown model settings: {', '.join(unknown)}")
        if "vocab_size" not in values:
            raise ValueError("model settings lack vocab_size")
        return cls(**values)


class Block(Module):
    """(B, T, C) -> (B, T, C): attention, then the feed-forward part, each added to the stream."""

    def __init__(
        self, config: GPTConfig, rotary: RotaryTable | None, rng: np.random.Generator
    ) -> None:
        c = config
        # What is added 2·n_layer times starts smaller, so that the sum keeps its size (GPT-2).
        out_std = 0.02 / np.sqrt(2 * c.n_layer)
        self.input_layernorm = make_norm(c)
        self.self_attn = MultiHeadAttention(
            c.d_model, c.n_head, c.n_kv_head, c.bias, rotary, 0.02, out_std, rng
        )
        self.post_attention_layernorm = make_norm(c)
        self.mlp: SwiGLU | FeedForward = (
            SwiGLU(c.d_model, c.d_ff, c.bias, 0.02, out_std, rng)
            if c.ffn == "swiglu"
            else FeedForward(c.d_model, c.d_ff, c.ffn, c.bias, 0.02, out_std, rng)
        )
        self.dropout = Dropout(c.dropout, seed=int(rng.integers(2**31)))

    def forward(self, x: Tensor, cache: KVCache | None, layer: int) -> tuple[Tensor, Array]:
        attended, weights = self.self_attn(self.input_layernorm(x), cache, layer)
        x = x + self.dropout(attended)
        x = x + self.dropout(self.mlp(self.post_attention_layernorm(x)))
        return x, weights


def make_norm(config: GPTConfig) -> RMSNorm | LayerNorm:
    if config.norm == "rmsnorm":
        return RMSNorm(config.d_model, config.norm_eps)
    return LayerNorm(config.d_model, config.norm_eps, config.bias)


class GPT(Module):
    """(B, T) token ids -> (B, T, V) logits: for each place, scores for the token that comes next.

    All weights are float32 and follow from `seed`. Parameters carry the names of Hugging Face's
    Llama, without its `model.` prefix.
    """

    def __init__(self, config: GPTConfig, seed: int = 0) -> None:
        c = self.config = config
        rng = np.random.default_rng(seed)
        self.embed_tokens = Embedding(c.vocab_size, c.d_model, 0.02, rng)
        if c.position == "learned":
            self.embed_positions = Embedding(c.block_size, c.d_model, 0.02, rng)
        rotary = (
            RotaryTable(c.block_size, c.head_dim, c.rope_theta) if c.position == "rope" else None
        )
        if c.position == "sinusoidal":
            self.sinusoids = sinusoidal_table(c.block_size, c.d_model)
        self.dropout = Dropout(c.dropout, seed=int(rng.integers(2**31)))
        self.layers = [Block(c, rotary, rng) for _ in range(c.n_layer)]
        self.norm = make_norm(c)
        if not c.tie_embeddings:
            self.lm_head = Linear(c.d_model, c.vocab_size, bias=False, std=0.02, rng=rng)
        for name, parameter in self.named_parameters():
            parameter.name = name

    @overload
    def __call__(
        self,
        ids: npt.ArrayLike,
        cache: KVCache | None = ...,
        return_attention: Literal[False] = ...,
    ) -> Tensor: ...

    @overload
    def __call__(
        self, ids: npt.ArrayLike, cache: KVCache | None = ..., *, return_attention: Literal[True]
    ) -> tuple[Tensor, list[Array]]: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def forward(
        self, ids: npt.ArrayLike, cache: KVCache | None = None, return_attention: bool = False
    ) -> Tensor | tuple[Tensor, list[Array]]:
        """(B, T) -> (B, T, V), and with `return_attention` also n_layer arrays (B, H, T, S).

        With a cache, `ids` are the tokens that follow those in it; nothing is recorded for
        gradients then. Raises `TypeError` for ids that are not integers, `ValueError` for another
        shape than (B, T), an id outside the vocabulary, or more tokens than `block_size`.
        """
        if cache is not None:
            with no_grad():
                logits, attention = self._forward(np.asarray(ids), cache)
            cache.length += logits.shape[1]
        else:
            logits, attention = self._forward(np.asarray(ids), None)
        return (logits, attention) if return_attention else logits

    def _forward(self, ids: Array, cache: KVCache | None) -> tuple[Tensor, list[Array]]:
        if ids.ndim != 2:
            raise ValueError(f"ids must have shape (B, T), not {ids.shape}")
        T = ids.shape[1]
        start = cache.length if cache is not None else 0
        if T < 1 or start + T > self.config.block_size:
            raise ValueError(
                f"{start + T} tokens do not fit this model, which reads 1 to "
                f"block_size={self.config.block_size}: shorten them, or use a larger block"
            )
        x = self.embed_tokens(ids)  # (B, T, C)
        if self.config.position == "learned":
            x = x + self.embed_positions(np.arange(start, start + T))
        elif self.config.position == "sinusoidal":
            x = x + self.sinusoids[start : start + T].astype(x.dtype)
        x = self.dropout(x)
        attention = []
        for i, block in enumerate(self.layers):
            x, weights = block(x, cache, i)
            attention.append(weights)
        x = self.norm(x)
        # A tied head reads each token's score off the table that embedded it (Press & Wolf 2017).
        head = self.embed_tokens.weight if self.config.tie_embeddings else self.lm_head.weight
        return F.linear(x, head), attention  # (B, T, V)

    def new_cache(self, batch_size: int = 1, max_len: int | None = None) -> KVCache:
        """An empty cache for `max_len` tokens a sequence (default: `block_size`)."""
        c = self.config
        dtype = self.embed_tokens.weight.dtype
        length = c.block_size if max_len is None else max_len
        if batch_size < 1 or length < 1:
            raise ValueError(
                f"a cache needs at least one sequence and one token, not {batch_size} and {length}"
            )
        return KVCache(c.n_layer, batch_size, c.n_kv_head, length, c.head_dim, dtype)
