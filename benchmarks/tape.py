"""A training step through `Tensor` and its tape, on one thread, as the lessons write it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import qt
import qt.functional as F


def make_optimizer(model: qt.GPT) -> qt.optim.AdamW:
    """The optimizer of all training rows: decay on matrices alone."""
    return qt.optim.AdamW(qt.optim.decay_groups(model, 0.1), lr=1e-3, betas=(0.9, 0.99))


def make_step(model: qt.GPT, x: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """A function that makes one step on (B, T) ids and targets, and returns the loss before it."""
    optimizer = make_optimizer(model)
    parameters = model.parameters()

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        qt.optim.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        return loss.item()

    return step
