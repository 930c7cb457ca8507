"""The same GPT once more, in plain PyTorch: the reference that `qt.GPT` is measured against.

Written from the papers and the names of the parameters, and from nothing in `qt`: rotations are
products of complex numbers, attention is a softmax over masked scores, grouped heads are copied.
It reads a `qt.GPT`'s `state_dict()` under the same names; `load` refuses one name too many or few.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as TF


def frequencies(width: int, theta: float, scaling: dict[str, Any] | None = None) -> Tensor:
    """(D/2,) float64: θ^(-2i/D), with Llama 3's scaling for contexts longer than it was taught.

    Wavelengths shorter than original/high stay, those longer than original/low are slowed by
    `factor`, and between the two lies a straight line in original/wavelength.
    """
    plain = theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    if scaling is None:
        return plain
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    scaled = []
    for frequency in plain.tolist():
        turns = scaling["original_max_position_embeddings"] * frequency / (2 * math.pi)
        share = min(max((turns - low) / (high - low), 0.0), 1.0)  # 0: slowed, 1: as it was
        scaled.append(share * frequency + (1 - share) * frequency / scaling["factor"])
    return torch.tensor(scaled, dtype=torch.float64)


def rotate(x: Tensor, angles: Tensor, interleaved: bool = False) -> Tensor:
    """(B, H, T, D), (…, T, D/2) -> (B, H, T, D): each pair is a complex number that is turned."""
    pairs = x.unflatten(-1, (-1, 2)) if interleaved else x.unflatten(-1, (2, -1)).transpose(-1, -2)
    turned = torch.view_as_complex(pairs.double().contiguous()) * torch.exp(1j * angles)
    pairs = torch.view_as_real(turned).to(x.dtype)  # (B, H, T, D/2, 2)
    return (pairs if interleaved else pairs.transpose(-1, -2)).flatten(-2)


def sinusoids(positions: Tensor, width: int) -> Tensor:
    """(…) -> (…, C): the sine in even features, the cosine in odd ones."""
    angles = positions[..., None] * frequencies(width, 10000.0)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


class Attention(nn.Module):
    def __init__(self, c: Any) -> None:
        super().__init__()
        self.c, self.D = c, c.d_model // c.n_head
        bias = c.bias if c.qkv_bias is None else c.qkv_bias
        self.q_proj = nn.Linear(c.d_model, c.n_head * self.D, bias=bias)
        self.k_proj = nn.Linear(c.d_model, c.n_kv_head * self.D, bias=bias)
        self.v_proj = nn.Linear(c.d_model, c.n_kv_head * self.D, bias=bias)
        self.o_proj = nn.Linear(c.d_model, c.d_model, bias=c.bias)
        if c.qk_norm:
            self.q_norm, self.k_norm = (nn.RMSNorm(self.D, eps=c.norm_eps) for _ in range(2))

    def forward(self, x: Tensor, angles: Tensor | None, allowed: Tensor) -> tuple[Tensor, Tensor]:
        q, k, v = (
            project(x).unflatten(-1, (-1, self.D)).transpose(1, 2)  # (B, heads, T, D)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        if self.c.qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        if angles is not None:
            q, k = (rotate(part, angles, self.c.rope_interleaved) for part in (q, k))
        k, v = (t.repeat_interleave(self.c.n_head // self.c.n_kv_head, dim=1) for t in (k, v))
        scores = torch.einsum("bhtd,bhsd->bhts", q, k) / math.sqrt(self.D)
        weights = scores.masked_fill(~allowed, torch.finfo(x.dtype).min).softmax(dim=-1)
        mixed = torch.einsum("bhts,bhsd->bthd", weights, v).flatten(2)
        return self.o_proj(mixed), weights


class FeedForward(nn.Module):
    def __init__(self, c: Any) -> None:
        super().__init__()
        self.kind = c.ffn
        if c.ffn == "swiglu":
            self.gate_proj = nn.Linear(c.d_model, c.d_ff, bias=c.bias)
        self.up_proj = nn.Linear(c.d_model, c.d_ff, bias=c.bias)
        self.down_proj = nn.Linear(c.d_ff, c.d_model, bias=c.bias)

    def forward(self, x: Tensor) -> Tensor:
        up = self.up_proj(x)
        if self.kind == "swiglu":
            return self.down_proj(TF.silu(self.gate_proj(x)) * up)
        if self.kind == "relu":
            return self.down_proj(TF.relu(up))
        return self.down_proj(TF.gelu(up, approximate="tanh" if "tanh" in self.kind else "none"))


class Block(nn.Module):
    def __init__(self, c: Any) -> None:
        super().__init__()
        self.input_layernorm, self.post_attention_layernorm = make_norm(c), make_norm(c)
        self.self_attn, self.mlp = Attention(c), FeedForward(c)


def make_norm(c: Any) -> nn.Module:
    if c.norm == "rmsnorm":
        return nn.RMSNorm(c.d_model, eps=c.norm_eps)
    return nn.LayerNorm(c.d_model, eps=c.norm_eps, bias=c.bias)


class ReferenceGPT(nn.Module):
    """(B, T) ids -> (B, T, V) logits and n_layer attention weights (B, H, T, T).

    `attention_mask` (B, T) is True at real tokens. With `window` a token sees itself and the
    `window - 1` before it.
    """

    def __init__(self, c: Any) -> None:
        super().__init__()
        self.c = c
        self.embed_tokens = nn.Embedding(c.vocab_size, c.d_model)
        if c.position == "learned":
            self.embed_positions = nn.Embedding(c.block_size, c.d_model)
        self.layers = nn.ModuleList(Block(c) for _ in range(c.n_layer))
        self.norm = make_norm(c)
        if not c.tie_embeddings:
            self.lm_head = nn.Linear(c.d_model, c.vocab_size, bias=False)

    @classmethod
    def of(cls, model: Any) -> "ReferenceGPT":
        """The reference with a `qt.GPT`'s settings, weights and dtype."""
        state = {name: torch.tensor(array) for name, array in model.state_dict().items()}
        reference = cls(model.config).to(state["norm.weight"].dtype)
        reference.load_state_dict(state)  # strict: refuses a name too many or too few
        return reference

    def forward(
        self, ids: np.ndarray, attention_mask: np.ndarray | None = None, window: int | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        c, T = self.c, ids.shape[1]
        real = torch.ones(ids.shape, dtype=torch.bool)
        if attention_mask is not None:
            real = torch.tensor(attention_mask, dtype=torch.bool)
        positions = (real.cumsum(-1) - 1).clamp(min=0)  # (B, T)
        distance = torch.arange(T)[:, None] - torch.arange(T)  # query's place - key's place
        allowed = (distance >= 0) & (distance < (window or T)) & real[:, None, None, :]
        x = self.embed_tokens(torch.tensor(ids))
        angles = None
        if c.position == "learned":
            x = x + self.embed_positions(positions)
        elif c.position == "sinusoidal":
            x = x + sinusoids(positions, c.d_model).to(x.dtype)
        else:
            turns = frequencies(c.d_model // c.n_head, c.rope_theta, c.rope_scaling)
            angles = positions[:, None, :, None] * turns  # (B, 1, T, D/2)
        seen = []
        for block in self.layers:
            attended, weights = block.self_attn(block.input_layernorm(x), angles, allowed)
            x = x + attended
            x = x + block.mlp(block.post_attention_layernorm(x))
            seen.append(weights)
        head = self.embed_tokens if c.tie_embeddings else self.lm_head
        return self.norm(x) @ head.weight.T, seen
