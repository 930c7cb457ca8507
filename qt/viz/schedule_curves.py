"""Learning-rate schedules side by side."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from qt.optim import SCHEDULES
from qt.viz.style import DARK, LIGHT, MIDDLE, legend_beside, new_figure

LOOKS = [  # told apart by dashes and weight, not by colour alone
    ("-", LIGHT, 4.0), ("--", DARK, 1.6), ("-", MIDDLE, 1.6), ("-.", DARK, 1.6), (":", MIDDLE, 2.4),
]  # fmt: skip


def schedule_curves(
    schedules: Sequence[str] | None = None,
    max_lr: float = 1e-3,
    min_lr: float = 1e-4,
    warmup_steps: int = 100,
    total_steps: int = 1000,
) -> Figure:
    """Names in `qt.optim.SCHEDULES` (None: all of them) -> the learning rate at every step.

    Raises `ValueError` for a name that is no schedule.
    """
    names = list(SCHEDULES) if schedules is None else list(schedules)
    if unknown := [name for name in names if name not in SCHEDULES]:
        raise ValueError(f"{unknown[0]!r} is no schedule: there are {', '.join(SCHEDULES)}")
    figure, ax = new_figure(7, 3.6)
    for i, name in enumerate(names):
        dashes, colour, width = LOOKS[i % len(LOOKS)]
        rates = [
            SCHEDULES[name](step, max_lr, min_lr, warmup_steps, total_steps)
            for step in range(total_steps)
        ]
        ax.plot(rates, linestyle=dashes, color=colour, linewidth=width, label=name)
    ax.axvline(warmup_steps, color=MIDDLE, linewidth=0.8, linestyle=":")
    ax.annotate("end of warm-up", (warmup_steps, 0), (4, 4), textcoords="offset points", fontsize=8)
    ax.set(title="Learning-rate schedules", xlabel="step", ylabel="learning rate")
    ax.set_ylim(bottom=0)
    ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2), useMathText=True)
    if names:
        legend_beside(ax)
    figure.alt = f"Learning rate against the step, {total_steps} steps: {', '.join(names)}."
    return figure
