"""Attention over a long text, forward and backward, three ways: fused, plain, and PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import qt
import qt.functional as F


def inputs(T: int, H: int = 4, D: int = 32) -> list[np.ndarray[Any, Any]]:
    """Query, key and value (1, H, T, D)."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((1, H, T, D), dtype=np.float32) for _ in range(3)]


def fused(T: int) -> Callable[[], Any]:
    """`qt`'s one operation; returns the gradient of the query."""
    return lambda: _backward(T, lambda q, k, v: F.scaled_dot_product_attention(
        q, k, v, is_causal=True
    ))  # fmt: skip


def plain(T: int) -> Callable[[], Any]:
    """The formula, operation by operation: every step keeps an array of T × T."""

    def formula(q: qt.Tensor, k: qt.Tensor, v: qt.Tensor) -> qt.Tensor:
        hidden = np.where(qt.attention.causal_mask(T), 0, -np.inf).astype(np.float32)
        scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(q.shape[-1])) + hidden
        return F.softmax(scores) @ v

    return lambda: _backward(T, formula)


def _backward(T: int, attend: Callable[..., qt.Tensor]) -> Any:
    q, k, v = (qt.Tensor(x, requires_grad=True) for x in inputs(T))
    attend(q, k, v).sum().backward()
    return q.grad


def torch_fused(T: int) -> Callable[[], Any]:
    from benchmarks.torch_gpt import TF, torch

    def run() -> Any:
        q, k, v = (torch.from_numpy(x).requires_grad_() for x in inputs(T))
        TF.scaled_dot_product_attention(q, k, v, is_causal=True).sum().backward()
        return q.grad.numpy()

    return run
