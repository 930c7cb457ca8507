"""A ring all-reduce, step by step: which chunk goes where, and which are complete."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_lowercase

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from qt.viz.style import DARK, LIGHT, MIDDLE, new_figure, number

CELL = 0.36  # of a radius


def ring(states: Sequence[npt.ArrayLike], title: str = "A ring all-reduce") -> Figure:
    """States (N, N), `state[r, i]` being chunk i of rank r -> a ring for each, before its step.

    In step s rank r sends chunk (r - s) mod N to rank r + 1. A chunk is complete when it is the sum
    over all ranks of the first state. `ValueError` unless each state is (N, N) with 2 ≤ N ≤ 6.
    """
    arrays = [np.asarray(state) for state in states]
    shapes = {array.shape for array in arrays}
    n = len(arrays[0]) if arrays and arrays[0].ndim else 0
    if shapes != {(n, n)} or not 2 <= n <= 6:
        raise ValueError(f"states of shapes {sorted(shapes)}: each must be (N, N), 2 ≤ N ≤ 6")
    sums = arrays[0].sum(axis=0)
    columns = min(3, len(arrays))
    rows = math.ceil(len(arrays) / columns)
    figure, axes = new_figure(2.4 * columns, 2.0 * rows + 0.7, nrows=rows, ncols=columns)
    for ax in np.ravel(axes):
        ax.set_axis_off()
    told = []
    for step, (ax, state) in enumerate(zip(np.ravel(axes), arrays)):
        last = step == len(arrays) - 1
        _panel(ax, state, sums, None if last else step)
        ax.set_title("the end" if last else f"step {step}", fontsize=9)
        told.append(f"{(state == sums).sum()} of {n * n}")
    figure.suptitle(title, fontsize=11)
    kinds = [
        Patch(facecolor="white", edgecolor=DARK, linewidth=2, label="is sent"),
        Patch(facecolor=LIGHT, edgecolor=MIDDLE, label="complete: the sum over all ranks"),
    ]
    figure.legend(handles=kinds, loc="outside lower center", ncols=2, frameon=False)
    figure.alt = (
        f"{title}. {n} ranks on a ring with {n} chunks each. Complete chunks before each step, and "
        f"at the end: {', '.join(told)}."
    )
    return figure


def _panel(
    ax: Axes, state: npt.NDArray[np.generic], sums: npt.NDArray[np.generic], step: int | None
) -> None:
    """The ranks clockwise from the top, a cell for each chunk, and an arrow for each message."""
    n = len(state)
    places = [(math.sin(2 * math.pi * r / n), math.cos(2 * math.pi * r / n)) for r in range(n)]
    for r, (x, y) in enumerate(places):
        sent = None if step is None else (r - step) % n
        for i in sorted(range(n), key=lambda i: i == sent):  # its frame lies above the others'
            corner = x + (i - n / 2) * CELL, y - CELL / 2
            whole, goes = state[r, i] == sums[i], i == sent
            ax.add_patch(
                Rectangle(
                    corner, CELL, CELL, facecolor=LIGHT if whole else "white",
                    edgecolor=DARK if goes else MIDDLE, linewidth=2.2 if goes else 0.8,
                    zorder=3 if goes else 2,
                )
            )  # fmt: skip
            ax.text(
                corner[0] + CELL / 2, y, number(float(state[r, i])), ha="center", va="center",
                fontsize=8, zorder=4,
            )  # fmt: skip
        ax.text(x, y + CELL / 2 + 0.06, f"rank {r}", ha="center", va="bottom", fontsize=7)
        if sent is not None:
            _message(ax, places[r], places[(r + 1) % n], ascii_lowercase[sent])
    ax.set(xlim=(-1.6, 1.6), ylim=(-0.95, 1.45), aspect="equal")


def _message(ax: Axes, start: tuple[float, float], end: tuple[float, float], chunk: str) -> None:
    """An arrow from rank to rank, well away from both, with the letter of the chunk."""
    (x, y), (to_x, to_y) = start, end
    tail, head = ((x + at * (to_x - x), y + at * (to_y - y)) for at in (0.36, 0.66))
    ax.annotate("", head, tail, arrowprops={"arrowstyle": "-|>", "color": DARK, "linewidth": 1.4})
    middle = (x + to_x) / 2, (y + to_y) / 2
    length = math.hypot(*middle) or 1
    ax.text(
        middle[0] * (1 - 0.28 / length), middle[1] * (1 - 0.28 / length), chunk, ha="center",
        va="center", fontsize=9, weight="bold", color=DARK,
    )  # fmt: skip
