"""One look for all pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image  # which comes with Matplotlib

COLOUR_MAP = "cividis"
COLOURS = 256  # of a stored picture
DARK, MIDDLE, LIGHT = "#00224e", "#7d7c78", "#d9c45c"  # three points of cividis
RC: Any = {
    "figure.dpi": 100,
    "figure.facecolor": "white",  # so that labels stay readable on a dark page
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    "lines.linewidth": 1.8,
}


class Picture(Figure):
    """A figure that also says in words what it shows.

    `alt` goes with the picture into the notebook, where the book and screen readers find it, and
    stands for it where only text can be shown.
    """

    alt = ""

    def _ipython_display_(self) -> None:
        """Show it in a notebook: not as Matplotlib would, which leaves the words out."""
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, str], dict[str, Any]]:
        """As a notebook stores it: a PNG of few colours, which is a quarter of the usual size."""
        drawn, stored = io.BytesIO(), io.BytesIO()
        self.draw_without_rendering()  # square axes find their place only the second time
        self.savefig(drawn, format="png", metadata={"Software": None})
        picture = Image.open(drawn).convert("RGB")
        flat = picture.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        flat.save(stored, format="png", optimize=True)
        png = base64.b64encode(stored.getvalue()).decode("ascii")
        data = {"image/png": png, "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt}}


def new_figure(width: float, height: float, **subplots: Any) -> tuple[Picture, Any]:
    """A picture of so many inches that pyplot does not keep, and its axes."""
    with plt.rc_context(RC):
        figure, axes = plt.subplots(
            figsize=(width, height), layout="constrained", FigureClass=Picture, **subplots
        )
        plt.close(figure)  # the caller shows it, once
    assert isinstance(figure, Picture)
    return figure, axes


def legend_beside(axes: Axes, title: str | None = None) -> None:
    """The names of the lines, to the right of the picture, where they hide nothing."""
    axes.legend(title=title, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


LINES: list[dict[str, Any]] = [  # told apart by dashes and weight, not by colour alone
    {"color": DARK, "linestyle": "-", "linewidth": 1.8},
    {"color": MIDDLE, "linestyle": "--", "linewidth": 1.8},
    {"color": LIGHT, "linestyle": "-", "linewidth": 3.2},
    {"color": DARK, "linestyle": ":", "linewidth": 2.2},
    {"color": MIDDLE, "linestyle": "-.", "linewidth": 1.6},
    {"color": LIGHT, "linestyle": "--", "linewidth": 2.4},
]
MARKERS = "osD^vP<>X*"


def visible(token: object) -> str:
    """A token with its white space made visible; a space between two words is that already."""
    text = str(token).replace("\n", "↵").replace("\t", "⇥")
    words = text.strip(" ")
    before, _, after = text.partition(words) if words else (text, "", "")
    return "␣" * len(before) + words + "␣" * len(after)


def number(value: float, digits: int = 2) -> str:
    """At most so many decimals, and a real minus sign; whole numbers without a point."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def show_tokens(axes: Axes, tokens: Sequence[str] | None, vertical: bool = True) -> None:
    """Write tokens along both axes of a (T, T) picture, with white space made visible."""
    if tokens is None:
        return
    labels = [visible(token) for token in tokens]
    size = 8 if len(labels) <= 24 else 6
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
    axes.set_yticks(range(len(labels)), labels if vertical else [], fontsize=size)
