"""Which query heads share which keys and values: multi-head, grouped-query, multi-query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from qt.viz.style import COLOUR_MAP, DARK, MIDDLE, new_figure


def head_groups(
    n_head: int, n_kv_head: int | Sequence[int], title: str = "Heads that share keys and values"
) -> Figure:
    """Draw `n_head` query heads above the key/value heads; lines join head h with h // group.

    Several numbers of key/value heads give panels side by side, say (8, 2, 1). `ValueError` for one
    that does not divide `n_head`, or for more than 48 query heads in all panels.
    """
    choices = [int(n) for n in np.atleast_1d(n_kv_head)]
    if bad := [n for n in choices if n < 1 or n_head % n]:
        raise ValueError(f"n_head={n_head} is not a multiple of n_kv_head={bad[0]}")
    total = n_head * len(choices)
    if total > 48:
        raise ValueError(f"{total} query heads in all panels are too many to draw: at most 48")
    side = min(0.27, 6 / total)  # inches a head
    figure, axes = new_figure(
        max(side * n_head * len(choices) + 1, 3.4), 2.1, ncols=len(choices), squeeze=False
    )
    for ax, n in zip(axes[0], choices):
        _panel(ax, n_head, n, fontsize=min(8, 45 * side))
    axes[0, 0].set_yticks([1, 0], ["queries", "keys and\nvalues"])
    figure.suptitle(title, fontsize=11)
    told = ", ".join(f"{n}, each for {n_head // n}" for n in choices)
    figure.alt = f"{title}. {n_head} query heads above, key/value heads below: {told} query heads."
    return figure


def _panel(ax: Axes, n_head: int, n: int, fontsize: float) -> None:
    """`n_head` query heads above `n` key/value heads; a group has one colour."""
    group = n_head // n
    for h in range(n_head):
        kv = h // group
        middle = kv * group + (group - 1) / 2  # of the heads that share
        ax.plot([h, middle], [1, 0], color=MIDDLE, linewidth=1, zorder=1)
        _head(ax, h, 1, str(h), kv / n, fontsize)
        if h % group == 0:
            _head(ax, middle, 0, str(kv), kv / n, fontsize)
    kind = "multi-head" if n == n_head else "multi-query" if n == 1 else "grouped-query"
    ax.set_title(kind, fontsize=10)
    ax.set_xlabel(f"cache: {n} of {n_head} heads", fontsize=8)
    ax.set(xlim=(-0.7, n_head - 0.3), ylim=(-0.3, 1.3), xticks=[], yticks=[])
    ax.tick_params(length=0)
    ax.set_frame_on(False)


def _head(ax: Axes, x: float, y: float, name: str, shade: float, fontsize: float) -> None:
    """A box with the number of a head."""
    box = FancyBboxPatch(
        (x - 0.34, y - 0.13), 0.68, 0.26, boxstyle="round,pad=0,rounding_size=0.08", zorder=2,
        facecolor=colormaps[COLOUR_MAP](shade), edgecolor=DARK,
    )  # fmt: skip
    ax.add_patch(box)
    ax.text(
        x, y, name, ha="center", va="center", fontsize=fontsize, zorder=3,
        color="white" if shade < 0.5 else "black",
    )  # fmt: skip
