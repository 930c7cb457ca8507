"""Pictures of lesson 16: the roofline, and the ring all-reduce."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from qt import viz
from qt.exercises import EXERCISES
from qt.viz.style import LIGHT

OPERATIONS = {"product": (40.0, 9e10), "sum": (1 / 12, 2e9)}
START = np.array([[1, 2, 3], [10, 20, 30], [100, 200, 300]])


def all_states(state: np.ndarray) -> list[np.ndarray]:
    """Before each step of a ring all-reduce, and at the end."""
    states = [state]
    for step in range(2 * len(state) - 2):
        states.append(EXERCISES["scaling.ring"].solution(states[-1], step))
    return states


def nearest(place: tuple[float, float]) -> int:
    """The rank of three, clockwise from the top, that stands nearest to a place."""
    turns = 2 * np.pi * np.arange(3) / 3
    return int(np.argmin(np.hypot(np.sin(turns) - place[0], np.cos(turns) - place[1])))


def roofline() -> Figure:
    return viz.roofline(OPERATIONS, 1e11, {"memory": 2e10, "cache": 1e11})


def ring() -> Figure:
    return viz.ring(all_states(START))


@pytest.mark.parametrize("draw", [roofline, ring])
def test_each_has_words_fits_its_page_and_does_not_stay(draw: object) -> None:
    assert callable(draw)
    figure, again = draw(), draw()
    assert not plt.get_fignums()
    data, metadata = figure._repr_mimebundle_()
    assert (data, metadata) == again._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == figure.alt
    assert len(data["image/png"]) * 3 / 4 < 30_000
    assert figure.get_figwidth() * figure.dpi <= 750
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= -0.01
    assert box.x1 <= width + 0.01
    assert box.y1 <= height + 0.01
    assert figure.alt.startswith(figure.get_suptitle() or figure.axes[0].get_title())


@pytest.mark.parametrize("function", [viz.roofline, viz.ring])
def test_functions_are_short_to_read(function: object) -> None:
    assert callable(function)
    assert len(inspect.getsource(function).splitlines()) <= 40


def test_roofline() -> None:
    figure = roofline()
    axes = figure.axes[0]
    memory, cache, product, total = axes.lines
    for roof, bandwidth in ((memory, 2e10), (cache, 1e11)):
        x, y = np.asarray(roof.get_data(), dtype=float)
        np.testing.assert_allclose(y, np.minimum(1e11, x * bandwidth) / 1e9)
        assert x[0] * bandwidth < 1e11 < x[-1] * bandwidth  # the slope and the flat part
    assert [line.get_xydata().tolist() for line in (product, total)] == [[[40, 90]], [[1 / 12, 2]]]
    assert product.get_marker() != total.get_marker()
    assert memory.get_linestyle() != cache.get_linestyle()
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["roof: memory", "roof: cache", "product", "sum"]
    assert figure.alt == (
        "Roofline. Roofs that rise with the FLOPs a byte and then are flat: memory, cache. "
        "Below them: product at 40 FLOPs a byte, sum at 0.083 FLOPs a byte."
    )
    for operations, peak, bandwidths in (
        (OPERATIONS, 0, {"memory": 1}), (OPERATIONS, 1, {}), ({"x": (0, 1)}, 1, {"memory": 1}),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="of each operation must be positive"):
            viz.roofline(operations, peak, bandwidths)


def test_ring() -> None:
    figure = ring()
    panels = figure.axes
    titles = [axes.get_title() for axes in panels]
    assert titles == ["step 0", "step 1", "step 2", "step 3", "the end", ""]
    for axes, state in zip(panels, all_states(START)):
        cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        assert len(cells) == 9
        numbers = [t.get_text() for t in axes.texts if t.get_text().isdigit()]
        assert sorted(map(int, numbers)) == sorted(state.ravel())
        complete = [cell for cell in cells if to_hex(cell.get_facecolor()) == LIGHT]
        assert len(complete) == (state == START.sum(axis=0)).sum()
        arrows = [t for t in axes.texts if getattr(t, "arrow_patch", None)]
        sent = [cell for cell in cells if cell.get_linewidth() > 2]
        assert len(arrows) == len(sent) == (0 if axes.get_title() == "the end" else 3)
        ends = [(nearest(arrow.xyann), nearest(arrow.xy)) for arrow in arrows]
        assert ends in ([(0, 1), (1, 2), (2, 0)], [])
    letters = [[t.get_text() for t in axes.texts if t.get_text() in list("abc")] for axes in panels]
    assert letters == [list("abc"), list("cab"), list("bca"), list("abc"), [], []]
    assert figure.alt == (
        "A ring all-reduce. 3 ranks on a ring with 3 chunks each. Complete chunks before each "
        "step, and at the end: 0 of 9, 0 of 9, 3 of 9, 6 of 9, 9 of 9."
    )
    assert len(viz.ring(all_states(np.array([[1, 2], [3, 4]]))).axes) == 3
    for wrong in ([START[:2]], [START, START[:2, :2]], [np.eye(7)], []):
        with pytest.raises(ValueError, match=r"each must be \(N, N\), 2 ≤ N ≤ 6"):
            viz.ring(wrong)
