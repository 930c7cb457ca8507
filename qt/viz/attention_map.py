"""Heat maps of attention: which token looks at which."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from qt.viz.style import COLOUR_MAP, new_figure, show_tokens, visible


def attention_map(
    weights: npt.ArrayLike, tokens: Sequence[str], title: str = "Attention"
) -> Figure:
    """(T, T), (H, T, T) or (1, H, T, T) weights, T tokens -> a heat map for each of H heads.

    Row t shows how query t shares its attention among the keys; every row adds up to 1. Raises
    `ValueError` when the tokens do not fit the weights.
    """
    w = np.asarray(weights)
    if w.shape[-2:] != (len(tokens), len(tokens)):
        raise ValueError(f"weights {w.shape} do not fit {len(tokens)} tokens")
    heads = w.reshape(-1, *w.shape[-2:])  # (H, T, T)
    columns = min(len(heads), 4)
    rows = math.ceil(len(heads) / columns)
    side = max(2.2, min(5.0, 0.2 * len(tokens)))
    below = 0.3 + 0.075 * max(len(visible(token)) for token in tokens)  # for labels that stand
    figure, axes = new_figure(
        side * columns + 1.2, (side + below) * rows + 0.6, nrows=rows, ncols=columns, squeeze=False
    )
    for i, ax in enumerate(axes.flat):
        if i >= len(heads):
            ax.set_visible(False)
            continue
        image = ax.imshow(heads[i], cmap=COLOUR_MAP, vmin=0, vmax=1)
        show_tokens(ax, tokens, vertical=i % columns == 0)
        ax.set(title=f"head {i}" if len(heads) > 1 else "", xlabel="key: looked at")
        ax.set_ylabel("query: looking" if i % columns == 0 else "")
    figure.colorbar(image, ax=axes, label="attention weight", shrink=0.8)
    figure.suptitle(title)
    figure.alt = (
        f"{title}. {'A heat map' if len(heads) == 1 else f'Heat maps of {len(heads)} heads'}, "
        f"queries down and keys across, of the tokens {' '.join(map(visible, tokens))}."
    )
    return figure
