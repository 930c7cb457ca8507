"""One array as a grid of cells with its numbers in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes

from qt.viz.style import COLOUR_MAP, number, visible

Array = npt.NDArray[Any]


def draw_grid(
    ax: Axes, array: Array, shade: Array, digits: int, rows: Sequence[str], columns: Sequence[str]
) -> None:
    """Paint the cells of an (N, M) array by `shade`, 0 to 1, white where it is NaN, and write them.

    `rows` and `columns` are labels, which an array of another size goes without.
    """
    shade = shade.astype(float)
    paint = colormaps[COLOUR_MAP](np.clip(shade, 0, 1))  # (N, M, 4)
    paint[np.isnan(shade)] = 1
    ax.imshow(paint, aspect="equal")
    for n, m in np.ndindex(*array.shape):
        text = _text(array[n, m], digits)
        luminance = paint[n, m, :3] @ [0.2126, 0.7152, 0.0722]
        ax.text(
            m, n, text, ha="center", va="center", fontsize=7.5 if len(text) < 6 else 6,
            color="white" if luminance < 0.45 else "black",
        )  # fmt: skip
    ax.set_xticks(np.arange(array.shape[1] + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(array.shape[0] + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", linewidth=1.5)
    ax.tick_params(which="both", length=0)
    ax.set_frame_on(False)
    _label(ax.set_yticks, rows if len(rows) == array.shape[0] else ())
    across = columns if len(columns) == array.shape[1] else ()
    _label(ax.set_xticks, across, rotation=90 if any(len(c) > 4 for c in across) else 0)


def shades_of(stacks: Sequence[Array]) -> list[Array]:
    """Where each number lies between the smallest, 0, and the largest, 1, of all finite ones."""
    numbers = np.concatenate([np.ravel(s).astype(float) for s in stacks])
    numbers = numbers[np.isfinite(numbers)]
    low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
    return [(s.astype(float) - low) / (high - low or 1) for s in stacks]


def _text(value: Any, digits: int) -> str:
    """A number as it stands in a cell, which a NaN leaves empty."""
    text = number(float(value), digits) if isinstance(value, (float, np.floating)) else str(value)
    return {"nan": "", "inf": "∞", "−inf": "−∞"}.get(text, text)


def _label(set_ticks: Any, labels: Sequence[str], rotation: float = 0) -> None:
    set_ticks(range(len(labels)), [visible(c) for c in labels], fontsize=8, rotation=rotation)
