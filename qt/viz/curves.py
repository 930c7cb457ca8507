"""Lines against one axis: any quantity that grows, falls or waves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qt.viz.style import LINES, MARKERS, MIDDLE, legend_beside, new_figure

Line = npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike]


def curves(
    x: npt.ArrayLike | None, lines: Mapping[str, Line], title: str, xlabel: str, ylabel: str,
    log: str = "", levels: Mapping[str, float] | None = None, markers: bool = False,
) -> Figure:  # fmt: skip
    """Draw `lines`: a name -> its heights above `x`, or (its own x, its heights); None: 0, 1, 2 ….

    `log` names the axes that are logarithmic: "x", "y" or "xy". `levels` are dashed horizontals
    with a name each. `markers` shows the points. `ValueError` for a line that does not fit `x`.
    """
    figure, ax = new_figure(7, 3.6)
    for i, (name, line) in enumerate(lines.items()):
        if isinstance(line, tuple):
            places, heights = map(np.asarray, line)
        else:
            heights = np.asarray(line)
            places = np.arange(len(heights)) if x is None else np.asarray(x)
        if places.shape != heights.shape:
            raise ValueError(f"line {name!r} has {heights.shape} heights for {places.shape} places")
        mark = MARKERS[i % len(MARKERS)] if markers else None
        ax.plot(places, heights, marker=mark, markersize=4, label=name, **LINES[i % len(LINES)])
    _levels(ax, levels or {})
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    _scales(ax, log, () if x is None else np.ravel(x))
    if len(lines) > 1:
        legend_beside(ax)
    told = f"{title}. Lines: {', '.join(lines)}. Across: {xlabel}; upwards: {ylabel}."
    if levels:
        told += f" Dashed levels: {', '.join(levels)}."
    figure.alt = told
    return figure


def _levels(ax: Axes, levels: Mapping[str, float]) -> None:
    for name, height in levels.items():
        ax.axhline(height, color=MIDDLE, linewidth=0.9, linestyle=(0, (4, 3)))
        ax.annotate(
            name, (1, height), (-2, 3), ("axes fraction", "data"), "offset points", ha="right",
            fontsize=8,
        )  # fmt: skip


def _scales(ax: Axes, log: str, x: npt.ArrayLike) -> None:
    """Logarithmic axes; a few places across are named each by its number, not as 10³."""
    for axis in log:
        getattr(ax, f"set_{axis}scale")("log")
    if "x" in log and 0 < np.size(x) <= 10:
        ax.set_xticks(np.ravel(x), [f"{place:,g}" for place in np.ravel(x)])
        ax.set_xticks([], minor=True)
