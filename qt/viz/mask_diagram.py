"""A mask as a grid: where a query may look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from qt.viz.style import COLOUR_MAP, DARK, new_figure, show_tokens


def mask_diagram(
    mask: npt.ArrayLike, tokens: Sequence[str] | None = None, title: str = "Causal mask",
    xlabel: str = "key: may be looked at", ylabel: str = "query: looking",
) -> Figure:  # fmt: skip
    """(T, S) bool, True where query t (row) may look at key s (column) -> a grid of ✓ and ✗.

    Raises `ValueError` for another shape, or when the tokens do not fit.
    """
    allowed = np.asarray(mask, dtype=bool)
    if allowed.ndim != 2 or (tokens is not None and allowed.shape != (len(tokens),) * 2):
        raise ValueError(f"mask of shape {allowed.shape} does not fit: need (T, T) for T tokens")
    T, S = allowed.shape
    width = max(1.6 + 0.38 * S, 0.11 * max(len(title), len(xlabel)))
    figure, ax = new_figure(width, 1.4 + 0.38 * T)
    ax.imshow(allowed, cmap=COLOUR_MAP, vmin=-0.3, vmax=1.15)
    if max(T, S) <= 24:  # marks as well as colour, so that nobody depends on colour
        for t, s in np.ndindex(T, S):
            ax.text(
                s, t, "✓" if allowed[t, s] else "✗", ha="center", va="center",
                color=DARK if allowed[t, s] else "#aebccf",
            )  # fmt: skip
    show_tokens(ax, tokens)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    figure.alt = f"{title}. A grid. Down: {ylabel}; across: {xlabel}. ✓ is yes, row by row: "
    figure.alt += "; ".join("".join("✓" if ok else "✗" for ok in row) for row in allowed)
    return figure
