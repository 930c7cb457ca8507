"""The picture of a sweep: how each row learned, and where it ended, with the spread over seeds."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from qt.sweep.table import Row, head, main_number
from qt.viz.style import LINES, MARKERS, new_figure

CURVES = 8  # at most, or nobody tells them apart
STEPS, BYTES = "step", "text read (MB)"
Points = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def draw(rows: Sequence[Row]) -> Figure | None:
    """Curves with a band of one standard deviation, beside the ends; None if no run has numbers.

    Curves are against the text read where every run says how much that was, else against steps.
    """
    number = main_number(rows)
    rows = [row for row in rows if number and row.mean(number) is not None]
    if not rows or number is None:
        return None
    ranked = sorted(rows, key=lambda row: row.mean(number) or 0.0)
    curved = [row for row in rows if row in ranked[:CURVES] and _points(row, number, STEPS)]
    across = BYTES if all(_points(row, number, BYTES) for row in curved) else STEPS
    height = max(3.6, 0.3 * len(rows) + 1.4)
    if curved:
        figure, (left, right) = new_figure(10, height, ncols=2)
        for row in curved:
            _curve(left, row, number, across, rows.index(row))
        few = f"The best {CURVES} of {len(rows)}" if len(curved) < len(rows) else "While learning"
        left.set(title=few, xlabel=across, ylabel=head(number), ylim=_limits(curved, number))
    else:
        figure, right = new_figure(6, height)
    _ends(right, rows, number)
    figure.alt = _told(ranked, number)
    return figure


def _look(i: int) -> tuple[dict[str, Any], str]:
    return LINES[i % len(LINES)], MARKERS[i % len(MARKERS)]


def _points(row: Row, number: str, across: str) -> list[Points]:
    """For each run (P,) places and (P,) heights; empty unless all of them have a curve."""
    found = []
    for run in row.runs:
        lines = [line for line in run.get("curve", []) if number in line and "step" in line]
        x = np.array([line["step"] for line in lines], dtype=float)
        if across == BYTES:
            read, steps = (run["metrics"].get(name) for name in ("bytes_read", "steps"))
            if not (read and steps):
                return []
            x *= read / steps / 1e6
        if not len(x):
            return []
        found.append((x, np.array([line[number] for line in lines], dtype=float)))
    return found


def _curve(axes: Any, row: Row, number: str, across: str, i: int) -> None:
    """The mean of the runs, and one standard deviation to both sides."""
    curves = _points(row, number, across)
    x = curves[0][0]
    heights = np.stack([np.interp(x, *curve) for curve in curves])  # (n, P)
    mean, (look, mark) = heights.mean(axis=0), _look(i)
    axes.plot(x, mean, marker=mark, markersize=4, **look)
    if len(heights) > 1:
        spread = heights.std(axis=0, ddof=1)
        axes.fill_between(x, mean - spread, mean + spread, color=look["color"], alpha=0.2, lw=0)


def _limits(rows: Sequence[Row], number: str) -> tuple[float, float]:
    """From below the lowest end to above the highest second point: starts are all alike."""
    curves = [curve for row in rows for curve in _points(row, number, STEPS)]
    low = min(heights.min() for _, heights in curves)
    high = max(heights[min(1, len(heights) - 1)] for _, heights in curves)
    room = 0.08 * max(high - low, 1e-3)
    return low - room, high + room


def _ends(axes: Any, rows: Sequence[Row], number: str) -> None:
    """For each row its runs as points, their mean as a mark, the spread as a bar."""
    for i, row in enumerate(rows):
        look, mark = _look(i)
        mean, spread = row.mean(number), row.spread(number)
        axes.errorbar(
            mean, i, xerr=spread, marker=mark, markersize=6, capsize=4, color=look["color"],
            markeredgecolor="black", elinewidth=1.4,
        )  # fmt: skip
        values = row.values(number)
        axes.plot(values, [i] * len(values), "|", color="black", markersize=15, zorder=1)
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.set(title="At the end", xlabel=f"{head(number)} (mean ± standard deviation)")
    axes.set_ylim(len(rows) - 0.5, -0.5)


def _told(ranked: Sequence[Row], number: str) -> str:
    ends = ", ".join(f"{row.label} {row.mean(number):.3f}" for row in ranked[:CURVES])
    more = f" The first {CURVES} of {len(ranked)}." if len(ranked) > CURVES else ""
    return f"{head(number).capitalize()} of each row, from the lowest to the highest: {ends}.{more}"


def as_bytes(figure: Figure, kind: str) -> bytes:
    """The picture as "png" or "svg", without the time at which it was drawn."""
    file = io.BytesIO()
    nothing = {"Software": None} if kind == "png" else {"Date": None}
    figure.savefig(file, format=kind, metadata=nothing)
    return file.getvalue()
