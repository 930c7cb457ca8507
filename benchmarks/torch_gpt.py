"""The peer: the same GPT as one writes it for speed in PyTorch, with a `qt.GPT`'s weights."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

import qt
from benchmarks.claim import require_close

torch: Any = importlib.import_module("torch")
nn, TF = torch.nn, torch.nn.functional


class Cache:
    """Keys and values of all layers (B, H, S, D), allocated once; `length` places are filled."""

    def __init__(self, c: qt.GPTConfig, B: int) -> None:
        shape = (c.n_layer, B, c.n_head, c.block_size, c.head_dim)
        self.keys, self.values, self.length = torch.empty(shape), torch.empty(shape), 0

    def append(self, layer: int, k: Any, v: Any) -> tuple[Any, Any]:
        end = self.length + k.shape[2]
        self.keys[layer, :, :, self.length : end] = k
        self.values[layer, :, :, self.length : end] = v
        return self.keys[layer, :, :, :end], self.values[layer, :, :, :end]


class Attention(nn.Module):  # type: ignore[name-defined]
    def __init__(self, c: qt.GPTConfig) -> None:
        super().__init__()
        self.heads = (c.n_head, c.head_dim)
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, nn.Linear(c.d_model, c.d_model, bias=False))

    def forward(self, x: Any, cos: Any, sin: Any, cache: Cache | None, layer: int) -> Any:
        q, k, v = (
            project(x).unflatten(-1, self.heads).transpose(1, 2)  # (B, H, T, D)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = (rotate(part, cos, sin) for part in (q, k))
        if cache is not None:
            k, v = cache.append(layer, k, v)
        mixed = TF.scaled_dot_product_attention(q, k, v, is_causal=q.shape[2] > 1)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))


def rotate(x: Any, cos: Any, sin: Any) -> Any:
    """(B, H, T, D), (T, D) twice: x cos + (-second half, first half) sin."""
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-b, a), dim=-1) * sin


class SwiGLU(nn.Module):  # type: ignore[name-defined]
    def __init__(self, c: qt.GPTConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(c.d_model, c.d_ff, bias=False)
        self.up_proj = nn.Linear(c.d_model, c.d_ff, bias=False)
        self.down_proj = nn.Linear(c.d_ff, c.d_model, bias=False)

    def forward(self, x: Any) -> Any:
        return self.down_proj(TF.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):  # type: ignore[name-defined]
    def __init__(self, c: qt.GPTConfig) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(c.d_model, eps=c.norm_eps)
        self.self_attn = Attention(c)
        self.post_attention_layernorm = nn.RMSNorm(c.d_model, eps=c.norm_eps)
        self.mlp = SwiGLU(c)

    def forward(self, x: Any, *attention: Any) -> Any:
        x = x + self.self_attn(self.input_layernorm(x), *attention)
        return x + self.mlp(self.post_attention_layernorm(x))


class TorchGPT(nn.Module):  # type: ignore[name-defined]
    """(B, T) ids -> (B, T, V) logits. Rotary positions, RMSNorm, SwiGLU, tied head, no biases."""

    def __init__(self, c: qt.GPTConfig) -> None:
        super().__init__()
        self.c = c
        self.embed_tokens = nn.Embedding(c.vocab_size, c.d_model)
        self.layers = nn.ModuleList(Block(c) for _ in range(c.n_layer))
        self.norm = nn.RMSNorm(c.d_model, eps=c.norm_eps)
        turns = c.rope_theta ** (-torch.arange(0, c.head_dim, 2, dtype=torch.float64) / c.head_dim)
        angles = torch.arange(c.block_size)[:, None] * turns  # (T, D/2)
        angles = torch.cat((angles, angles), dim=-1)  # (T, D)
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)

    @classmethod
    def of(cls, model: qt.GPT) -> TorchGPT:
        """The same weights, copied under the same names."""
        peer = cls(model.config)
        peer.load_state_dict({name: torch.tensor(w) for name, w in model.state_dict().items()})
        return peer

    def forward(self, ids: Any, cache: Cache | None = None) -> Any:
        start, T = cache.length if cache else 0, ids.shape[1]
        cos, sin = self.cos[start : start + T], self.sin[start : start + T]
        x = self.embed_tokens(ids)
        for layer, block in enumerate(self.layers):
            x = block(x, cos, sin, cache, layer)
        if cache is not None:
            cache.length += T
        return TF.linear(self.norm(x), self.embed_tokens.weight)

    def loss(self, x: Any, y: Any) -> Any:
        return TF.cross_entropy(self(x).flatten(0, 1), y.flatten())


class TorchTraining:
    """One step at a call: loss, gradients, clipping at 1, fused AdamW with decay on matrices."""

    def __init__(self, model: TorchGPT, lr: float = 1e-3) -> None:
        self.model, weights = model, list(model.parameters())
        groups = [
            {"params": [p for p in weights if p.ndim >= 2], "weight_decay": 0.1},
            {"params": [p for p in weights if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99), fused=True)

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        """The loss before the step, from (B, T) ids and targets."""
        loss = self.model.loss(torch.from_numpy(x), torch.from_numpy(y))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()


def fair_peer(model: qt.GPT, x: np.ndarray, y: np.ndarray) -> TorchGPT:
    """The peer of `model`, once it has shown that it has the same loss."""
    peer = TorchGPT.of(model)
    with qt.no_grad(), torch.no_grad():
        ours = qt.functional.cross_entropy(model(x), y).item()
        theirs = float(peer.loss(torch.from_numpy(x), torch.from_numpy(y)))
    require_close("the loss", ours, theirs, 1e-4)
    return peer
