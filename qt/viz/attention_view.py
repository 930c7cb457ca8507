"""All heads of a model to look into, by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from qt.viz.attention_widget import AttentionView


def attention_view(
    attention: Sequence[npt.ArrayLike], tokens: Sequence[object], title: str = "Attention"
) -> AttentionView:
    """n_layer arrays (1, H, T, T) or (H, T, T), T tokens -> a view that a notebook shows.

    `logits, attention = model(ids, return_attention=True)` gives the arrays. What is chosen in the
    view can be read and set: `view.layer`, `view.head`, and `view.token`, the query.

    Raises `ValueError` when the arrays do not fit the tokens or each other or are no shares from 0
    to 1, `ImportError` where anywidget is not installed.
    """
    weights = _stack(attention, len(tokens))  # (n_layer, H, T, T)
    try:
        from qt.viz.attention_widget import AttentionView
    except ModuleNotFoundError as error:
        if error.name != "anywidget":
            raise
        raise ImportError(
            "attention_view needs anywidget, which is not installed: "
            "pip install quantatissu[notebooks]"
        ) from error
    return AttentionView(weights, [str(token) for token in tokens], title)


def _stack(attention: Sequence[npt.ArrayLike], n: int) -> npt.NDArray[np.float32]:
    """n_layer arrays (1, H, n, n) or (H, n, n) -> (n_layer, H, n, n), or `ValueError`."""
    if n == 0 or len(attention) == 0:
        raise ValueError(f"{len(attention)} layers and {n} tokens: at least one of each is needed")
    layers: list[npt.NDArray[np.float32]] = []
    for i, given in enumerate(attention):
        w = np.asarray(given)
        heads = w[0] if w.ndim == 4 and len(w) == 1 else w  # (H, n, n)
        if heads.ndim != 3 or heads.shape[1:] != (n, n) or len(heads) == 0:
            raise ValueError(
                f"attention of layer {i} has shape {w.shape}, which does not fit {n} tokens: "
                f"give (1, H, {n}, {n}) or (H, {n}, {n})"
            )
        if layers and len(heads) != len(layers[0]):
            raise ValueError(f"layer {i} has {len(heads)} heads, but layer 0 has {len(layers[0])}")
        low, high = heads.min(), heads.max()
        if not (low >= 0 and high <= 1.01):  # NaN too; half precision may round 1 up
            raise ValueError(
                f"attention of layer {i} goes from {low:.4g} to {high:.4g}, not from 0 to 1: "
                "give the weights that follow the softmax"
            )
        layers.append(heads.astype(np.float32))
    return np.stack(layers)
