"""One look for all pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOUR_MAP = "cividis"
DARK, MIDDLE, LIGHT = "#00224e", "#7d7c78", "#d9c45c"  # three points of cividis
RC: Any = {
    "figure.dpi": 100,
    "figure.facecolor": "white",  # so that labels stay readable on a dark page
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    "lines.linewidth": 1.8,
}


def new_figure(width: float, height: float, **subplots: Any) -> tuple[Figure, Any]:
    """A figure of so many inches that pyplot does not keep, and its axes."""
    with plt.rc_context(RC):
        figure, axes = plt.subplots(figsize=(width, height), layout="constrained", **subplots)
        plt.close(figure)  # the caller shows it, once
    return figure, axes


def show_tokens(axes: Axes, tokens: Sequence[str] | None, vertical: bool = True) -> None:
    """Write tokens along both axes of a (T, T) picture, with white space made visible."""
    if tokens is None:
        return
    visible = [token.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥") for token in tokens]
    size = 8 if len(visible) <= 24 else 6
    axes.set_xticks(range(len(visible)), visible, rotation=90, fontsize=size)
    axes.set_yticks(range(len(visible)), visible if vertical else [], fontsize=size)
