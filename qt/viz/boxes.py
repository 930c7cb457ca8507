"""Boxes and arrows: what flows through a machine, with its shape in each box."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from qt.viz.style import DARK, MIDDLE, new_figure

Box = str | tuple[str, str]


def boxes(
    rows: Sequence[Sequence[Box]], title: str, arrows: Sequence[tuple[str, str]] | None = None
) -> Figure:
    """Draw rows of boxes from top to bottom; each is a name, or (name, a shape or a remark).

    `arrows` are pairs of names, from and to; None joins each row with the next: one box with all,
    else each with the one at its place. A name that ends in "·" is a quiet box without colour (the
    sign is not shown). `ValueError` for an arrow to a box that is not there.
    """
    wide = max(map(len, rows))
    longest = max(len(line) for row in rows for box in row for line in _lines(box))
    step = max(1.5, 0.085 * longest + 0.5)  # inches from box to box
    figure, ax = new_figure(max(step * wide + 0.2, 3.6), 0.92 * len(rows) + 0.4)
    places: dict[str, tuple[float, float]] = {}
    for r, row in enumerate(rows):
        for c, box in enumerate(row):
            x, y = (c - (len(row) - 1) / 2) * step, -0.92 * r
            name, remark = _lines(box)
            places[name] = x, y
            _draw(ax, x, y, step - 0.45, name, remark, quiet=_raw(box).endswith("·"))
    for start, end in _joined(rows) if arrows is None else arrows:
        if missing := [name for name in (start, end) if name not in places]:
            raise ValueError(f"there is no box {missing[0]!r}: there are {', '.join(places)}")
        _arrow(ax, places[start], places[end], step - 0.45)
    ax.set(xlim=(-step * wide / 2, step * wide / 2), ylim=(-0.92 * len(rows) + 0.42, 0.5))
    ax.set_axis_off()
    ax.set_title(title)
    told = "; ".join(", ".join(" ".join(_lines(box)).strip() for box in row) for row in rows)
    figure.alt = f"{title}. Boxes from top to bottom: {told}."
    return figure


def _raw(box: Box) -> str:
    return box if isinstance(box, str) else box[0]


def _lines(box: Box) -> tuple[str, str]:
    name = _raw(box).removesuffix("·")
    return (name, "") if isinstance(box, str) else (name, box[1])


def _joined(rows: Sequence[Sequence[Box]]) -> list[tuple[str, str]]:
    pairs = []
    for above, below in pairwise(rows):
        names = [_lines(box)[0] for box in above], [_lines(box)[0] for box in below]
        if 1 in (len(above), len(below)):
            pairs += [(a, b) for a in names[0] for b in names[1]]
        else:
            pairs += list(zip(*names))
    return pairs


def _draw(ax: Axes, x: float, y: float, width: float, name: str, remark: str, quiet: bool) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - 0.27), width, 0.54, boxstyle="round,pad=0,rounding_size=0.08",
            facecolor="white" if quiet else "#f7f0cf", edgecolor=MIDDLE if quiet else DARK,
            linestyle="--" if quiet else "-",
        )
    )  # fmt: skip
    ax.text(
        x, y + (0.1 if remark else 0), name, ha="center", va="center", fontsize=9, color=DARK,
        weight="bold",
    )  # fmt: skip
    ax.text(x, y - 0.13, remark, ha="center", va="center", fontsize=8, color="black")


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], width: float) -> None:
    """From the lower edge to the upper one, or sideways within a row."""
    (x, y), (to_x, to_y) = start, end
    if abs(y - to_y) < 0.01:
        side = 1 if to_x > x else -1
        tail, head = (x + side * width / 2, y), (to_x - side * width / 2, to_y)
    else:
        down = 1 if to_y < y else -1
        tail, head = (x, y - down * 0.27), (to_x, to_y + down * 0.27)
    ax.annotate("", head, tail, arrowprops={"arrowstyle": "-|>", "color": MIDDLE, "linewidth": 1.2})
