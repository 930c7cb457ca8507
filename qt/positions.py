"""How a model knows the order of its tokens.

`sinusoidal_table` is the original, added to the embeddings (Vaswani et al. 2017, section 3.5);
learned positions are an ordinary embedding table; rotary positions turn queries and keys inside
attention (Su et al. 2021), and are what modern models use.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qt.tensor import Array


def sinusoidal_table(length: int, width: int) -> Array:
    """(T, C) float64: sin(t / 10000^(2i/C)) in feature 2i, and cos of the same in 2i + 1.

    Each pair of features is a clock hand; the first turns once in 2π positions, the last once in
    2π · 10000.
    """
    angles = rope_angles(np.arange(length), width, 10000.0)  # (T, C/2)
    table = np.empty((length, width))
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return table


def rope_angles(positions: npt.ArrayLike, width: int, theta: float = 10000.0) -> Array:
    """(T,) -> (T, D/2) float64: m θ^(-2i/D), the angle of pair i at position m.

    Computed in float64: at position 10,000 a float32 angle is off by a thousandth of a turn.
    Raises `ValueError` for an odd width.
    """
    if width % 2:
        raise ValueError(f"rotary and sinusoidal positions pair features: width {width} is odd")
    frequencies = theta ** (-np.arange(0, width, 2) / width)  # (D/2,)
    return np.outer(np.asarray(positions, dtype=np.float64), frequencies)


class RotaryTable:
    """Cosines and sines of the first `length` positions, (T, D/2), worked out once."""

    def __init__(self, length: int, width: int, theta: float = 10000.0) -> None:
        angles = rope_angles(np.arange(length), width, theta)
        self.cos = np.cos(angles)
        self.sin = np.sin(angles)

    def slice(self, start: int, stop: int, dtype: npt.DTypeLike) -> tuple[Array, Array]:
        """(T, D/2) twice: the rows of positions start … stop - 1."""
        return self.cos[start:stop].astype(dtype), self.sin[start:stop].astype(dtype)
