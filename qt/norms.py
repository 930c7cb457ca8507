"""Normalisation: keep every token's vector at a steady size.

`LayerNorm` (Ba et al. 2016) subtracts the mean and divides by the standard deviation; `RMSNorm`
(Zhang & Sennrich 2019) only divides by the root mean square, which is cheaper and works as well.
"""

from __future__ import annotations

import numpy as np

from qt import functional as F
from qt.nn import Module, Parameter
from qt.tensor import Tensor


class RMSNorm(Module):
    """(…, C) -> (…, C): x / √(mean(x²) + ε) · weight."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        self.weight = Parameter(np.ones(width, dtype=np.float32))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight, self.eps)


class LayerNorm(Module):
    """(…, C) -> (…, C): (x - mean) / √(var + ε) · weight + bias."""

    def __init__(self, width: int, eps: float = 1e-5, bias: bool = True) -> None:
        self.weight = Parameter(np.ones(width, dtype=np.float32))
        self.bias = Parameter(np.zeros(width, dtype=np.float32)) if bias else None
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight, self.bias, self.eps)
