"""How numbers are spread: a histogram for each of a few arrays, such as the layers of a model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qt.viz.style import DARK, LIGHT, LINES, new_figure


def histograms(
    samples: Mapping[str, npt.ArrayLike], title: str, xlabel: str = "value", bins: int = 60,
    xlim: tuple[float, float] | None = None, rows: bool = True,
) -> Figure:  # fmt: skip
    """A name -> an array of any shape: a histogram with its standard deviation, in its own row.

    All have the same bins, from the smallest number to the largest, or within `xlim`; each row has
    its own height. Without `rows` all lie on one axis, told apart by dashes. `ValueError` for an
    array that is empty or not finite.
    """
    arrays = {name: np.ravel(values).astype(float) for name, values in samples.items()}
    if bad := [name for name, a in arrays.items() if not (a.size and np.isfinite(a).all())]:
        raise ValueError(f"sample {bad[0]!r} is empty or has numbers that are not finite")
    edges = np.histogram_bin_edges(np.concatenate([*arrays.values()]), bins, xlim)
    n = len(arrays) if rows else 1
    figure, axes = new_figure(
        7, 0.55 * n + 0.9 if rows else 3.4, nrows=n, sharex=True, squeeze=False
    )
    for i, (name, a) in enumerate(arrays.items()):
        percent = 100 * np.histogram(a, edges)[0] / a.size
        label = f"std {a.std():.3g}"
        if rows:
            _row(axes[i, 0], percent, edges, name, label)
        else:
            look = LINES[i % len(LINES)]
            axes[0, 0].stairs(percent, edges, label=f"{name}: {label}", **look)
    figure.suptitle(title, fontsize=11)
    axes[-1, 0].set(xlabel=xlabel, xlim=(edges[0], edges[-1]))
    if not rows:
        axes[0, 0].set_ylabel(f"percent in each of {bins} bins")
        axes[0, 0].legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    order = sorted(arrays, key=lambda name: round(float(arrays[name].std()), 9))
    figure.alt = f"{title}. Histograms of {xlabel}, from the narrowest: {', '.join(order)}."
    return figure


def _row(
    ax: Axes,
    percent: npt.NDArray[np.float64],
    edges: npt.NDArray[np.float64],
    name: str,
    label: str,
) -> None:
    """One histogram in a row, its name on the left and its standard deviation on the right."""
    ax.stairs(percent, edges, fill=True, facecolor=LIGHT, edgecolor=DARK, linewidth=1)
    ax.text(0.99, 0.9, label, transform=ax.transAxes, ha="right", va="top", fontsize=8)
    ax.set_ylabel(name, rotation=0, ha="right", va="center")
    ax.set_yticks([])
