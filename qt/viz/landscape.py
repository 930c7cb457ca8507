"""A function of two weights as a map, and the paths of optimizers on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qt.viz.style import COLOUR_MAP, DARK, LINES, MARKERS, legend_beside, new_figure

POINTS = 201  # of the map, along each axis
Limits = tuple[float, float]
Function = Callable[[Any], Any]


def landscape(
    f: Function, paths: Mapping[str, npt.ArrayLike], xlim: Limits, ylim: Limits,
    title: str = "Paths of optimizers", xlabel: str = "w₀", ylabel: str = "w₁", log: bool = True,
) -> Figure:  # fmt: skip
    """A map of the heights of `f`, dark where it is low, and named paths on it, (steps, 2) each.

    `f` is written with w[0] and w[1]: it takes w of shape (2,), and (2, N, N) for the map. With
    `log` the levels are dense near the minimum, else equally far apart. A circle marks each start,
    a star the lowest point of the map. `ValueError` when `f` or a path has another shape.
    """
    figure, ax = new_figure(7, 4)
    _map(ax, f, xlim, ylim, log)
    ends = {name: _path(ax, f, path, name, i) for i, (name, path) in enumerate(paths.items())}
    ax.plot([], [], "o", markersize=11, color="none", markeredgecolor=DARK, label="start")
    ax.plot([], [], "*", markersize=14, color="white", markeredgecolor=DARK, label="minimum")
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel, xlim=xlim, ylim=ylim)
    legend_beside(ax)
    figure.alt = f"{title}. A map of heights over {xlabel} and {ylabel}, and paths on it. "
    figure.alt += (
        f"From the lowest end to the highest: {', '.join(sorted(ends, key=ends.__getitem__))}."
    )
    return figure


def _map(ax: Axes, f: Function, xlim: Limits, ylim: Limits, log: bool) -> None:
    """Paint the heights in 12 steps, and put a star on the lowest point."""
    x, y = np.linspace(*xlim, POINTS), np.linspace(*ylim, POINTS)
    heights = np.asarray(f(np.stack(np.meshgrid(x, y))))  # (N, N)
    if heights.shape != (POINTS, POINTS):
        raise ValueError(
            f"f must make (N, N) of w (2, N, N), not {heights.shape}, for N = {POINTS}"
        )
    low, high = heights.min(), heights.max()
    steps = np.geomspace(1e-3, 1, 12) if log else np.linspace(0, 1, 13)[1:]
    levels = low + (high - low or 1) * np.array([0, *steps])
    ax.contourf(x, y, heights, levels, cmap=COLOUR_MAP, alpha=0.2)
    row, column = np.unravel_index(heights.argmin(), heights.shape)
    ax.plot(x[column], y[row], "*", markersize=14, color="white", markeredgecolor=DARK)


def _path(ax: Axes, f: Function, path: npt.ArrayLike, name: str, i: int) -> float:
    """Draw a path with a mark at about 25 of its steps; return the height of its end."""
    p = np.asarray(path, dtype=float)
    if p.ndim != 2 or p.shape[1] != 2:
        raise ValueError(f"path {name!r} has the shape {p.shape}: it must be (steps, 2)")
    ax.plot(
        *p.T, marker=MARKERS[i % len(MARKERS)], markersize=4.5, markeredgecolor=DARK,
        markevery=max(1, len(p) // 25), label=name, **LINES[i % len(LINES)],
    )  # fmt: skip
    ax.plot(*p[0], "o", markersize=11, color="none", markeredgecolor=DARK)
    with np.errstate(all="ignore"):  # a path may run away
        end = float(f(p[-1]))
    return round(end, 6) if np.isfinite(end) else np.inf
