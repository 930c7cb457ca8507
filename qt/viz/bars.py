"""Bars: one quantity for each of a few things, such as the probability of each token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from qt.viz.style import DARK, LIGHT, MIDDLE, legend_beside, new_figure, number, visible

LOOKS = [(DARK, None), (LIGHT, "//"), (MIDDLE, ".."), ("white", "xx")]  # colour and pattern


def bars(
    labels: Sequence[str], heights: Mapping[str, npt.ArrayLike], title: str, ylabel: str,
    xlabel: str = "token", digits: int | None = 2,
) -> Figure:  # fmt: skip
    """Draw a group of bars at each of N labels: a name -> its N heights, which stand on the bars.

    `digits` None leaves the numbers out. `ValueError` when the heights do not fit the labels.
    """
    n = len(labels)
    figure, ax = new_figure(max(4.5, min(9.0, 1.2 + 0.55 * n * len(heights))), 3.2)
    width = 0.8 / len(heights)
    for i, (name, values) in enumerate(heights.items()):
        v = np.asarray(values, dtype=float)
        if v.shape != (n,):
            raise ValueError(f"heights {name!r} have shape {v.shape}, but there are {n} labels")
        colour, hatch = LOOKS[i % len(LOOKS)]
        places = np.arange(n) - 0.4 + width * (i + 0.5)
        drawn = ax.bar(
            places, v, width * 0.92, color=colour, hatch=hatch, edgecolor=DARK, label=name
        )
        if digits is not None:
            texts = [number(value, digits) for value in v]
            ax.bar_label(drawn, texts, padding=1, fontsize=7)
    ax.axhline(0, color=DARK, linewidth=0.8)
    ax.margins(y=0.09)  # room for the numbers
    ax.set_xticks(range(n), [visible(label) for label in labels])
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if len(heights) > 1:
        legend_beside(ax)
    figure.alt = f"{title}. Bars of {', '.join(heights)} for {', '.join(map(visible, labels))}."
    return figure
