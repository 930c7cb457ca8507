"""How a model knows the order of its tokens.

`sinusoidal_table` is the original, added to the embeddings (Vaswani et al. 2017, section 3.5);
learned positions are an ordinary embedding table; rotary positions turn queries and keys inside
attention (Su et al. 2021), and are what modern models use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from qt.tensor import Array

ROPE_SCALING = (
    "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings",
)  # fmt: skip


def sinusoidal_table(length: int, width: int) -> Array:
    """(T, C) float64: sin(t / 10000^(2i/C)) in feature 2i, and cos of the same in 2i + 1.

    Each pair is a clock hand; the first turns once in 2π positions, the last once in 2π · 10000.
    """
    angles = rope_angles(np.arange(length), width)  # (T, C/2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(length, width)


def rope_angles(
    positions: npt.ArrayLike, width: int, theta: float = 10000.0,
    scaling: Mapping[str, Any] | None = None,
) -> Array:  # fmt: skip
    """(…) positions -> (…, D/2) float64: m θ^(-2i/D), the angle of pair i at position m.

    Computed in float64: at position 10,000 a float32 angle is off by a thousandth of a turn.
    `scaling`, a dict with the keys `ROPE_SCALING`, stretches a trained model to longer texts, as
    Llama 3.1 (Grattafiori et al. 2024). `ValueError` for an odd width.
    """
    if width % 2:
        raise ValueError(f"rotary and sinusoidal positions pair features: width {width} is odd")
    frequencies = theta ** (-np.arange(0, width, 2) / width)  # (D/2,)
    if scaling:
        # Pairs that turned often within the trained length stay; the slow ones get slower.
        factor, low, high, trained_length = (scaling[key] for key in ROPE_SCALING)
        turns = trained_length * frequencies / (2 * np.pi)
        kept = np.clip((turns - low) / (high - low), 0, 1)
        frequencies *= kept + (1 - kept) / factor
    return np.asarray(positions, dtype=np.float64)[..., None] * frequencies


def rope_turns(
    positions: Array, width: int, theta: float, scaling: Mapping[str, Any] | None, dtype: Any
) -> Array:
    """(…) positions -> (…, D/2) complex: e^(i angle), by which a pair of features is multiplied."""
    turns = np.exp(1j * rope_angles(positions, width, theta, scaling))
    return turns.astype(np.result_type(dtype, np.complex64))


def turn(x: Array, turns: Array) -> Array:
    """(…, D), complex (…, D/2) -> (…, D): features 2i and 2i + 1 are one complex number a + bi."""
    x = x if x.strides[-1] == x.itemsize else x.copy()
    return (x.view(turns.dtype) * turns).view(x.dtype)
