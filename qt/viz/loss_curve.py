"""Loss against steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from qt.viz.style import DARK, LIGHT, MIDDLE, new_figure


def loss_curve(
    metrics: Iterable[dict[str, Any]], floor: float | None = None, title: str = "Training"
) -> Figure:
    """Metrics of a `Trainer` (dicts with step, train_loss, val_loss) -> loss in nats a token.

    The thin line is each batch, the thick one their running mean, the circles the validation text;
    `floor` draws the entropy of the text, below which no model can get.
    """
    lines = list(metrics)
    train = np.array([(m["step"], m["train_loss"]) for m in lines if "train_loss" in m])
    val = np.array([(m["step"], m["val_loss"]) for m in lines if "val_loss" in m])
    figure, ax = new_figure(7, 3.6)
    if len(train):
        ax.plot(*train.T, color=LIGHT, linewidth=0.8, label="each batch")
        ax.plot(train[:, 0], running_mean(train[:, 1]), color=MIDDLE, label="running mean")
    if len(val):
        ax.plot(*val.T, color=DARK, marker="o", label="validation")
    if floor is not None:
        ax.axhline(floor, color="black", linestyle="--", linewidth=1.2, label="entropy of the text")
    ax.set(title=title, xlabel="step", ylabel="loss (nats a token)")
    ax.set_ylim(bottom=0)
    if names := ax.get_legend_handles_labels()[1]:
        ax.legend(frameon=False)
    figure.alt = f"{title}. Loss in nats a token against the step. Lines: {', '.join(names)}."
    return figure


def running_mean(losses: npt.NDArray[np.float64]) -> list[np.float64]:
    """(P,) -> at each place the mean of the last twentieth of all losses, or of those so far."""
    window = max(len(losses) // 20, 1)
    return [losses[max(0, i - window) : i + 1].mean() for i in range(len(losses))]
