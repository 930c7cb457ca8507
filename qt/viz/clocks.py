"""Sinusoidal positions as clocks: each pair of features is a hand that turns at its own speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Wedge

from qt.viz.style import DARK, LIGHT, MIDDLE, new_figure

RADIUS = 0.42  # clocks are 1 apart


def clocks(
    table: npt.ArrayLike, positions: Sequence[int] = (0, 1, 2, 3),
    title: str = "Positions as clock hands", pairs: Sequence[int] | None = None,
) -> Figure:  # fmt: skip
    """A table (T, C) of sines in features 2i and cosines in 2i + 1 -> clocks, a row a position.

    A hand points to (sin, cos): at position 0 straight up, then clockwise. `pairs` are the columns;
    None shows all, or 8 of them from the first to the last. `ValueError` for an odd C, or for a
    position or a pair that the table does not have.
    """
    t = np.asarray(table)
    if t.ndim != 2 or t.shape[1] % 2:
        raise ValueError(f"a table of shape {t.shape} has no pairs: it must be (T, C) with C even")
    hands = t.reshape(len(t), -1, 2)  # (T, C/2, 2): sine and cosine
    if pairs is None:
        last = hands.shape[1] - 1
        pairs = [int(i) for i in np.linspace(0, last, min(last + 1, 8))]
    for what, chosen, size in ("position", positions, len(t)), ("pair", pairs, hands.shape[1]):
        if wrong := [i for i in chosen if not 0 <= i < size]:
            raise ValueError(f"there is no {what} {wrong[0]}: the table has 0 to {size - 1}")
    figure, ax = new_figure(0.75 * len(pairs) + 0.9, 0.75 * len(positions) + 1.1)
    for row, column in np.ndindex(len(positions), len(pairs)):
        x, y = hands[positions[row], pairs[column]]
        angle = np.degrees(np.arctan2(x, y)) % 360
        ax.add_patch(Wedge((column, -row), RADIUS, 90 - angle, 90, facecolor=LIGHT, alpha=0.6))
        ax.add_patch(Circle((column, -row), RADIUS, fill=False, edgecolor=MIDDLE))
        tip = column + RADIUS * x, -row + RADIUS * y
        ax.plot([column, tip[0]], [-row, tip[1]], color=DARK, solid_capstyle="round")
    ax.set(xlim=(-0.6, len(pairs) - 0.4), ylim=(0.4 - len(positions), 0.6), aspect="equal")
    ax.set_xticks(range(len(pairs)), pairs)
    ax.set_yticks([-row for row in range(len(positions))], positions)
    ax.set(title=title, xlabel="pair i: features 2i and 2i + 1", ylabel="position")
    figure.alt = _told(title, hands[np.ix_(positions, pairs)], positions, pairs)
    return figure


def _told(
    title: str, hands: npt.NDArray[np.floating], positions: Sequence[int], pairs: Sequence[int]
) -> str:
    """(P, I, 2) hands -> what one sees, with whole degrees."""
    rows = []
    for position, row in zip(positions, hands):
        angles = [f"{round(np.degrees(np.arctan2(x, y))) % 360}°" for x, y in row]
        rows.append(f"position {position}: {', '.join(angles)}")
    names = ", ".join(map(str, pairs))
    return f"{title}. Hands of the pairs {names}, clockwise from the top. {'; '.join(rows)}."
