"""Several training runs in one picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qt.viz.loss_curve import running_mean
from qt.viz.style import LINES, MARKERS, legend_beside, new_figure

Log = Sequence[dict[str, Any]]


def loss_curves(
    runs: Mapping[str, Iterable[dict[str, Any]]], floor: float | None = None,
    title: str = "Training runs",
) -> Figure:  # fmt: skip
    """A name -> the metrics of a `Trainer` (see `loss_curve`): a line of running means for each.

    Marks are the loss on validation text. A line ends with an × if the next loss is NaN or
    infinite. `floor` draws the entropy of the text. Above the highest start the picture ends: there
    a line runs along the edge.
    """
    logs = {name: list(metrics) for name, metrics in runs.items()}
    kinds = ("train_loss", "val_loss")
    starts = [loss for log in logs.values() for kind in kinds for loss in _points(log, kind)[:1, 1]]
    top = 1.08 * max([*starts, floor or 0.0]) or 1.0
    figure, ax = new_figure(7, 3.6)
    ends = {name: _run(ax, name, log, i, top) for i, (name, log) in enumerate(logs.items())}
    if floor is not None:
        ax.axhline(floor, color="black", linewidth=0.9, linestyle=(0, (4, 3)))
        below = floor > 0.1 * top  # where there is room
        ax.annotate(
            "entropy of the text", (1, floor), (-2, -3 if below else 3), ("axes fraction", "data"),
            "offset points", ha="right", va="top" if below else "bottom", fontsize=8,
        )  # fmt: skip
    ax.set(title=title, xlabel="step", ylabel="loss (nats a token)", ylim=(0, top))
    if runs:
        marks = any("val_loss" in line for log in logs.values() for line in log)
        legend_beside(ax, title="marks: validation" if marks else None)
    figure.alt = f"{title}. Loss in nats a token against the step.{_told(ends)}"
    return figure


def _told(ends: dict[str, float]) -> str:
    """Which run ends lowest, and which ones broke."""
    whole = sorted((name for name in ends if math.isfinite(ends[name])), key=ends.__getitem__)
    broken = [name for name in ends if name not in whole]
    told = f" From the lowest end to the highest: {', '.join(whole)}." if whole else ""
    return told + (f" Ended by a loss that is no number: {', '.join(broken)}." if broken else "")


def _points(log: Log, kind: str) -> npt.NDArray[np.float64]:
    """(P, 2): step and loss, up to the first loss that is NaN or infinite."""
    points = np.array([(m["step"], m[kind]) for m in log if kind in m], dtype=float).reshape(-1, 2)
    return points[np.logical_and.accumulate(np.isfinite(points[:, 1]))]


def _run(ax: Axes, name: str, log: Log, i: int, top: float) -> float:
    """Draw one run; return the height of its end, infinite if it broke."""
    train, val = _points(log, "train_loss"), _points(log, "val_loss")
    look, mark = LINES[i % len(LINES)], MARKERS[i % len(MARKERS)]
    means = running_mean(train[:, 1])
    ax.plot(train[:, 0], np.minimum(means, 0.98 * top), **look)
    ax.plot(*val.T, mark, markersize=5, color=look["color"], markeredgecolor="black")
    ax.plot([], [], marker=mark if len(val) else None, markersize=5, markeredgecolor="black",
            label=name, **look)  # fmt: skip
    if len(train) == sum("train_loss" in m for m in log):
        return round(means[-1], 6) if means else 0.0
    if means:
        ax.plot(train[-1, 0], min(means[-1], 0.98 * top), "kx", markersize=9, markeredgewidth=2.2,
                clip_on=False, zorder=5)  # fmt: skip
    return math.inf
