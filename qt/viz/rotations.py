"""Arrows in the plane: what it means to turn a pair of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Circle

from qt.viz.style import DARK, LINES, MIDDLE, new_figure

SIDES = {-1: ("right", "top"), 0: ("center", "center"), 1: ("left", "bottom")}


def rotations(
    vectors: npt.ArrayLike, labels: Sequence[str], title: str = "Turned by their positions",
    arcs: Sequence[tuple[int, int]] = (), xlabel: str = "feature 2i",
    ylabel: str = "feature 2i + 1",
) -> Figure:  # fmt: skip
    """(N, 2) vectors and N labels -> arrows from the origin, with the unit circle behind them.

    Arrows whose labels begin with the same letter look alike. `arcs` are pairs of places in
    `vectors`: the angle between the two is drawn and written in degrees. `ValueError` for another
    shape, or when the labels do not fit.
    """
    v = np.asarray(vectors, dtype=float)
    if v.shape != (len(labels), 2):
        raise ValueError(f"vectors {v.shape} do not fit {len(labels)} labels: they must be (N, 2)")
    figure, ax = new_figure(4.6, 4.4)
    ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor=MIDDLE, linewidth=0.8, linestyle=":"))
    for draw in ax.axhline, ax.axvline:
        draw(0, color=MIDDLE, linewidth=0.6)
    letters = list(dict.fromkeys(label[:1] for label in labels))
    for vector, label in zip(v, labels):
        _arrow(ax, vector, label, LINES[letters.index(label[:1]) % len(LINES)])
    angles = np.degrees(np.arctan2(v[:, 1], v[:, 0]))
    for i, j in arcs:
        _arc(ax, angles[i], angles[j])
    reach = 1.25 * max(1, np.hypot(*v.T).max())
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    told = ", ".join(f"{label}: {round(a) % 360}°" for label, a in zip(labels, angles))
    figure.alt = f"{title}. Arrows from the origin, anticlockwise from the right: {told}."
    return figure


def _arrow(ax: Axes, vector: npt.NDArray[np.float64], label: str, look: dict[str, Any]) -> None:
    """An arrow, and its label beyond the tip."""
    style = {"arrowstyle": "-|>", "mutation_scale": 14, "shrinkA": 0, "shrinkB": 0, **look}
    ax.annotate("", tuple(vector), (0, 0), arrowprops=style)
    x, y = vector / max(np.hypot(*vector), 1e-9)
    ha, va = SIDES[round(1.2 * x)][0], SIDES[round(1.2 * y)][1]
    ax.annotate(label, tuple(vector), (5 * x, 5 * y), textcoords="offset points", ha=ha, va=va)


def _arc(ax: Axes, start: float, end: float) -> None:
    """The smaller of the two angles between two directions, and its size."""
    if (end - start) % 360 > 180:
        start, end = end, start
    size = (end - start) % 360
    radius = float(np.clip(17 / max(size, 1), 0.3, 0.5))  # a small angle needs room further out
    ax.add_patch(Arc((0, 0), 2 * radius, 2 * radius, theta1=start, theta2=end, edgecolor=DARK))
    middle = np.radians(start + size / 2)
    place = (radius + 0.13) * np.cos(middle), (radius + 0.13) * np.sin(middle)
    ax.text(
        *place, f"{round(size)}°", ha="center", va="center", fontsize=8, zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},
    )  # fmt: skip
