"""The two models: nanoGPT's shape for a CPU with the modern parts, and a larger one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import qt

SMALL = qt.GPTConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, d_model=128, d_ff=344)
MEDIUM = qt.GPTConfig(vocab_size=65, block_size=256, n_layer=6, n_head=6, d_model=384)
TRAINING = {"train_small": (SMALL, 12), "train_medium": (MEDIUM, 8)}  # the model, and its batch


def random_ids(*shape: int, vocab_size: int = 65) -> npt.NDArray[np.int64]:
    """Token ids: the speed does not depend on which."""
    return np.random.default_rng(0).integers(0, vocab_size, size=shape)


def batch(config: qt.GPTConfig, B: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Inputs (B, T) and targets (B, T) that fill the block."""
    ids = random_ids(B, config.block_size + 1, vocab_size=config.vocab_size)
    return ids[:, :-1], ids[:, 1:]
