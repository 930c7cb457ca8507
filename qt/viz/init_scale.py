"""How large the weights are, by depth and kind."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.figure import Figure

from qt.nn import Module
from qt.viz.style import DARK, LIGHT, MARKERS, MIDDLE, legend_beside, new_figure

LAYER = re.compile(r"layers\.(\d+)\.(?:.*\.)?(\w+)\.weight")  # "layers.2.mlp.up_proj.weight"


def init_scale(model: Module, title: str = "Size of the weights") -> Figure:
    """A `GPT` -> the standard deviation of each weight matrix, against the depth of its block.

    In a new model most lie at 0.02. `o_proj` and `down_proj`, whose results are added to the
    residual stream 2·n_layer times, lie at 0.02/√(2·n_layer), so that the sum keeps its size.

    Raises `ValueError` for a model without `layers.N.….weight`.
    """
    kinds: dict[str, list[tuple[int, float]]] = {}
    for name, parameter in model.named_parameters():
        if (found := LAYER.fullmatch(name)) and parameter.ndim == 2:
            spread = float(np.std(parameter.data, dtype=np.float64))
            kinds.setdefault(found[2], []).append((int(found[1]), spread))
    if not kinds:
        raise ValueError(f"this {type(model).__name__} has no weight matrices called layers.N.…")
    depth = 1 + max(layer for points in kinds.values() for layer, _ in points)
    figure, ax = new_figure(7, 3.6)
    for level, label in ((0.02, "0.02"), (0.02 / np.sqrt(2 * depth), "0.02 / √(2 · n_layer)")):
        ax.axhline(level, color=MIDDLE, linewidth=0.9, linestyle="--")
        ax.annotate(label, (-0.42, level), (0, -7), "data", "offset points", va="top", fontsize=8)
    for i, (kind, points) in enumerate(kinds.items()):
        residual = kind in ("o_proj", "down_proj")
        shift = 0.5 * (i + 0.5) / len(kinds) - 0.25  # kinds of one block side by side
        ax.plot(
            [layer + shift for layer, _ in points], [spread for _, spread in points],
            marker=MARKERS[i % len(MARKERS)], linestyle="none", markeredgecolor=DARK,
            color=LIGHT if residual else DARK, label=kind,
        )  # fmt: skip
    ax.set(title=title, xlabel="block", ylabel="standard deviation")
    ax.set_xticks(range(depth))
    ax.set_xlim(-0.45, depth - 0.5)
    ax.set_ylim(bottom=0)
    legend_beside(ax)
    figure.alt = f"{title}. Standard deviation of {', '.join(kinds)} in blocks 0 to {depth - 1}."
    return figure
