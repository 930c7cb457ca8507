"""Attention by its formula, from `Tensor`'s own operations: the oracle of the tiled one."""

import numpy as np

from qt import functional as F
from qt.tensor import Tensor


def plain_attention(q: Tensor, k: Tensor, v: Tensor, seen: np.ndarray | None = None) -> Tensor:
    """(B, H, T, D), (B, H_kv, S, D) ×2 -> softmax(q kᵀ/√D) v, with all T × S weights at once."""
    group = q.shape[1] // k.shape[1]
    heads = np.arange(q.shape[1]) // group  # the key head of each query head
    scores = q @ k[:, heads].transpose(-2, -1) * q.shape[-1] ** -0.5  # (B, H, T, S)
    if seen is not None:
        scores = scores + np.where(seen, 0.0, -1e30)
    return F.softmax(scores) @ v[:, heads]
