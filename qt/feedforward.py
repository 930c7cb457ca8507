"""The feed-forward half of a block: each token's vector, widened, bent, and narrowed again.

`FeedForward` is the classic one, up → ReLU or GELU → down; `SwiGLU` (Shazeer 2020) lets a second
projection act as a gate: down(silu(gate(x)) · up(x)).
"""

from __future__ import annotations

import numpy as np

from qt import functional as F
from qt.nn import Linear, Module
from qt.tensor import Tensor


class FeedForward(Module):
    """(B, T, C) -> (B, T, C) through width F: down(activation(up(x)))."""

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        activation: str = "gelu",
        bias: bool = False,
        std: float = 0.02,
        down_std: float = 0.02,
        rng: np.random.Generator | None = None,
    ) -> None:
        if activation not in ("relu", "gelu"):
            raise ValueError(f'activation is "relu" or "gelu", not {activation!r}')
        rng = rng or F.default_generator
        self.activation = activation
        self.up_proj = Linear(d_model, d_ff, bias, std, rng)
        self.down_proj = Linear(d_ff, d_model, bias, down_std, rng)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.up_proj(x)  # (B, T, F)
        return self.down_proj(F.relu(hidden) if self.activation == "relu" else F.gelu(hidden))


class SwiGLU(Module):
    """(B, T, C) -> (B, T, C) through width F: down(silu(gate(x)) · up(x))."""

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        bias: bool = False,
        std: float = 0.02,
        down_std: float = 0.02,
        rng: np.random.Generator | None = None,
    ) -> None:
        rng = rng or F.default_generator
        self.gate_proj = Linear(d_model, d_ff, bias, std, rng)
        self.up_proj = Linear(d_model, d_ff, bias, std, rng)
        self.down_proj = Linear(d_ff, d_model, bias, down_std, rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.swiglu(self.gate_proj(x), self.up_proj(x)))
