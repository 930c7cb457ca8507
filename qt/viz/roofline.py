"""The roofline: how fast an operation can be, by the arithmetic that it does for each byte."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from qt.viz.style import DARK, LIGHT, LINES, MARKERS, MIDDLE, legend_beside, new_figure


def roofline(
    operations: Mapping[str, tuple[float, float]], peak: float, bandwidths: Mapping[str, float],
    title: str = "Roofline",
) -> Figure:  # fmt: skip
    """Draw operations, a name -> (FLOPs a byte, FLOPs a second), below their roofs.

    A roof is min(`peak`, FLOPs a byte · bandwidth), one for each of `bandwidths`, a name -> bytes a
    second. `ValueError` unless all numbers are positive (Williams et al. 2009).
    """
    pairs = np.array(list(operations.values()), dtype=float).reshape(-1, 2)
    speeds = np.array([peak, *bandwidths.values()], dtype=float)
    if not bandwidths or min(speeds.min(), pairs.min(initial=1.0)) <= 0:
        raise ValueError("peak, bandwidths, and both numbers of each operation must be positive")
    ridges = peak / speeds[1:]  # where the slope meets the flat part
    across = np.geomspace(
        min(pairs[:, 0].min(initial=1.0), ridges.min()) / 3,
        max(pairs[:, 0].max(initial=1.0), ridges.max()) * 3, 200,
    )  # fmt: skip
    figure, ax = new_figure(7.3, 3.8)
    for look, (name, bandwidth) in zip(LINES, bandwidths.items()):
        ax.plot(across, np.minimum(peak, across * bandwidth) / 1e9, label=f"roof: {name}", **look)
    for i, (name, (intensity, speed)) in enumerate(operations.items()):
        ax.plot(
            intensity, speed / 1e9, MARKERS[i % len(MARKERS)], label=name, linestyle="none",
            markersize=7, color=(LIGHT, MIDDLE, "white")[i % 3], markeredgecolor=DARK,
        )  # fmt: skip
    ax.set(title=title, xlabel="FLOPs a byte", ylabel="GFLOPs a second")
    ax.set_xscale("log")
    ax.set_yscale("log")
    legend_beside(ax)
    told = [f"{name} at {x:.2g} FLOPs a byte" for name, (x, _) in operations.items()]
    figure.alt = (
        f"{title}. Roofs that rise with the FLOPs a byte and then are flat: "
        f"{', '.join(bandwidths)}. Below them: {', '.join(told)}."
    )
    return figure
