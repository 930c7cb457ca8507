"""The autograd graph as a picture: what `backward()` will walk, from the result to the leaves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from qt.files import write_atomic
from qt.tensor import Tensor
from qt.viz.graph_layout import lay_out
from qt.viz.graph_nodes import collect
from qt.viz.graph_svg import draw


@dataclass(frozen=True)
class Graph:
    """A drawn graph. A notebook shows it by itself; `svg` is its text, `save` writes it."""

    svg: str

    def __repr__(self) -> str:
        """What stands for it where only text is shown: not the whole SVG a second time."""
        return unescape(self.svg.partition("<title>")[2].partition("</title>")[0])

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to `path`. Raises `ValueError` unless the name ends in .svg."""
        if Path(path).suffix.lower() != ".svg":
            raise ValueError(f"a graph is saved as SVG, so {path} must be named something.svg")
        write_atomic(path, self.svg)


def graph(tensor: Tensor, max_nodes: int = 60, names: Mapping[str, Tensor] | None = None) -> Graph:
    """Draw how `tensor` was made: the result at the bottom, what it came from above it.

    Square boxes are leaves (with a parameter's name, or that in `names`; dashed: no gradient),
    rounded ones operations, with the shape of what they made. A single number is shown by its value
    and its gradient, if it has one. Of a larger graph the `max_nodes` nearest nodes are drawn.

    Raises `RuntimeError` when nothing was recorded or the tape is used up: draw before `backward()`
    or keep the tape; `TypeError` for anything but a `Tensor`, `ValueError` for `max_nodes` below 1.
    """
    nodes = collect(tensor, max_nodes, names or {})
    return Graph(draw(nodes, lay_out(nodes)))
