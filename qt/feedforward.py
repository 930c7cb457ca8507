"""The feed-forward half of a block: each token's vector, widened, bent, and narrowed again.

`FeedForward` is the classic one, up → ReLU or GELU → down; `SwiGLU` (Shazeer 2020) lets a second
projection act as a gate: down(silu(gate(x)) · up(x)).
"""

from __future__ import annotations

from qt import functional as F
from qt.nn import Linear, Module, Rng
from qt.tensor import Tensor

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, "tanh")}


class FeedForward(Module):
    """(B, T, C) -> (B, T, C) through width F: down(activation(up(x)))."""

    def __init__(
        self, d_model: int, d_ff: int, activation: str = "gelu", bias: bool = False, rng: Rng = None
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation is {', '.join(ACTIVATIONS)}, not {activation!r}")
        self.activation = activation
        self.up_proj = Linear(d_model, d_ff, bias, rng)
        self.down_proj = Linear(d_ff, d_model, bias, rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(ACTIVATIONS[self.activation](self.up_proj(x)))


class SwiGLU(Module):
    """(B, T, C) -> (B, T, C) through width F: down(silu(gate(x)) · up(x))."""

    def __init__(self, d_model: int, d_ff: int, bias: bool = False, rng: Rng = None) -> None:
        self.gate_proj = Linear(d_model, d_ff, bias, rng)
        self.up_proj = Linear(d_model, d_ff, bias, rng)
        self.down_proj = Linear(d_ff, d_model, bias, rng)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.swiglu(self.gate_proj(x), self.up_proj(x)))
