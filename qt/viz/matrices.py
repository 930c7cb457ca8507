"""Small arrays as grids with their numbers in them: what a product or a reshape does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qt.viz.grid import draw_grid, shades_of
from qt.viz.style import DARK, Picture, new_figure, visible

CELL = 0.44  # inches
Array = npt.NDArray[Any]


def matrices(
    parts: Sequence[Any], title: str, names: Sequence[str] = (), rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None, digits: int = 2, colours: Sequence[Any] | None = None,
) -> Figure:  # fmt: skip
    """Draw arrays (N, M) or (M,) side by side; a text among them stands as a sign, such as "@".

    An array (H, N, M) is a column of grids, one a head. `names` stand above the arrays, with their
    shapes. `rows` label the rows of each array that has so many, `columns` the columns likewise.
    The colour is the number, from the smallest of all arrays to the largest, or that of `colours`,
    arrays of the same shapes. Empty cells are NaN. `ValueError` for an array of more axes, or of
    more than 24 along one.
    """
    rows, columns = rows or (), columns or ()
    stacks = [_stack(part) for part in parts if not isinstance(part, str)]  # (H, N, M) each
    shades = shades_of(stacks if colours is None else [_stack(c) for c in colours])
    given = zip(stacks, shades, [*names, *[""] * len(stacks)])
    figure, spaces = _spaces(parts, rows, columns)
    told = []
    for space, part in zip(spaces, parts):
        if isinstance(part, str):
            space[0].text(0.5, 0.5, part, ha="center", va="center", fontsize=13, color=DARK)
            space[0].set_axis_off()
            told.append(part)
            continue
        stack, shade, name = next(given)
        for ax, array, colour in zip(space, stack, shade):
            draw_grid(ax, array, colour, digits, rows, columns)
        _titles(space, name, np.shape(part))
        told.append(f"{name or 'an array'} {np.shape(part)}")
    figure.suptitle(title, fontsize=11)
    figure.alt = f"{title}. Grids of numbers: {' '.join(told)}."
    return figure


def _stack(part: Any) -> Array:
    """(M,), (N, M) or (H, N, M) -> (H, N, M)."""
    array = np.atleast_2d(part)
    stack = array[None] if array.ndim == 2 else array
    if stack.ndim != 3 or max(stack.shape) > 24:
        raise ValueError(
            f"an array of shape {np.shape(part)} cannot be drawn: (N, M) or (H, N, M), "
            "each at most 24"
        )
    return stack


def _spaces(
    parts: Sequence[Any], rows: Sequence[str], columns: Sequence[str]
) -> tuple[Picture, list[list[Axes]]]:
    """A figure, and in it the axes of each part: one, or one above another for its heads."""
    shapes = [(1, 1, 0) if isinstance(part, str) else _stack(part).shape for part in parts]
    left, below = (
        0.075 * max((len(visible(c)) for c in labels), default=0) for labels in (rows, columns)
    )
    widths = [CELL * m + left + 0.12 if m else 0.35 for _, _, m in shapes]
    heads, tall = max(h for h, _, _ in shapes), max(n for _, n, _ in shapes)
    figure, axes = new_figure(
        max(sum(widths) + 0.3, 3.2), heads * (CELL * tall + below + 0.3) + 0.55, nrows=heads,
        ncols=len(parts), squeeze=False, width_ratios=widths,
    )  # fmt: skip
    spaces = [list(column) for column in axes.T]
    for c, (h, _, _) in enumerate(shapes):
        for _ in range(h, heads) if h > 1 else ():
            spaces[c].pop().remove()
        if h == 1 < heads:  # in the middle beside the heads
            for ax in spaces[c]:
                ax.remove()
            spaces[c] = [figure.add_subplot(axes[0, 0].get_gridspec()[:, c])]
    return figure, spaces


def _titles(space: Sequence[Axes], name: str, shape: tuple[int, ...]) -> None:
    """The name and the shape on top, and above each grid of a stack the number of its head."""
    above = f"{name} {str(shape).replace(',)', ')')}".strip()
    for head, ax in enumerate(space):
        lines = [above] * (head == 0) + [f"head {head}"] * (len(shape) == 3)
        ax.set_title("\n".join(lines), fontsize=9)
