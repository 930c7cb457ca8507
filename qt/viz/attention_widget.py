"""The widget behind `attention_view`: what is chosen, and the picture that stands for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from qt.viz.style import COLOUR_MAP, Picture, new_figure, show_tokens, visible

HERE = Path(__file__).parent


class AttentionView(anywidget.AnyWidget):
    """Weights (L, H, T, T) and T tokens; `layer`, `head` and `token` are what is chosen.

    The page and Python both set these three; `observe` tells of a change. Where no kernel runs, as
    in the book, `picture()` stands in for the view. Raises `TraitError` for a layer, head or token
    that does not exist.
    """

    _esm = (HERE / "attention_view.js").read_text(encoding="utf-8")
    _css = (HERE / "attention_view.css").read_text(encoding="utf-8")

    title = traitlets.Unicode().tag(sync=True)
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)  # L, H, T, T
    weights = traitlets.Bytes().tag(sync=True)  # float32, little-endian
    layer = traitlets.Int(0).tag(sync=True)
    head = traitlets.Int(0).tag(sync=True)
    token = traitlets.Int(0).tag(sync=True)

    def __init__(self, weights: npt.NDArray[Any], tokens: list[str], title: str) -> None:
        super().__init__(
            title=title,
            tokens=tokens,
            shape=list(weights.shape),
            weights=weights.astype("<f4").tobytes(),
            token=len(tokens) - 1,  # the last one sees all others
        )

    @traitlets.validate("layer", "head", "token")
    def _exists(self, proposal: Any) -> int:
        name, value = proposal.trait.name, proposal.value
        count = self.shape[("layer", "head", "token").index(name)]
        if not 0 <= value < count:
            raise traitlets.TraitError(f"{name} {value} does not exist: give 0 to {count - 1}")
        return value

    def __repr__(self) -> str:
        token = visible(self.tokens[self.token])
        return (
            f"{self.title} {tuple(self.shape)}: "
            f"layer {self.layer}, head {self.head}, token {self.token} '{token}'"
        )

    def sentence(self) -> str:
        """Where the chosen token looks most."""
        row = self._array()[self.layer, self.head, self.token]  # (T,)
        most = row.argmax()
        name = "itself" if most == self.token else f"'{visible(self.tokens[most])}'"
        return (
            f"layer {self.layer}, head {self.head}: '{visible(self.tokens[self.token])}' "
            f"looks most at {name} ({row[most]:.2f})"
        )

    def picture(self) -> Picture:
        """All heads small, and beside them the chosen one large."""
        n_layer, n_head, n, _ = self.shape
        w = self._array()
        later = np.triu(np.ones((n, n), bool), 1)
        w = np.where(later & (w == 0), np.nan, w)  # what a causal mask hides is left blank
        side = min(max(2.6, 0.17 * n), 5.0)
        small = min(max(1.2, 0.8 * n_head), 4.0)
        figure, (left, right) = new_figure(
            small + side + 1.8, side + 1.0, ncols=2, width_ratios=[small, side]
        )
        draw_heads(left, w, self.layer, self.head)
        image = draw_head(right, w[self.layer, self.head], self.tokens, self.token)
        right.set_title(f"layer {self.layer}, head {self.head}")
        figure.colorbar(image, ax=right, label="attention weight", shrink=0.8)
        figure.suptitle(self.title)
        text = self.sentence()
        figure.alt = (
            f"{self.title}. Heat maps of all {n_layer * n_head} heads, layers down and heads "
            "across; beside them one head, queries down and keys across, over the tokens "
            f"{' '.join(map(visible, self.tokens))}. {text[0].upper()}{text[1:]}."
        )
        return figure

    def _array(self) -> npt.NDArray[np.float32]:
        return np.frombuffer(self.weights, "<f4").reshape(self.shape)  # (L, H, T, T)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The view, and for pages without a kernel a PNG with its text."""
        data, metadata = cast(Any, super()._repr_mimebundle_(**options))
        picture, alt = self.picture()._repr_mimebundle_()
        return data | picture, metadata | alt


def draw_heads(axes: Axes, w: npt.NDArray[Any], layer: int, head: int) -> None:
    """(L, H, T, T) weights -> one map a head, a row for each layer; the chosen one is marked."""
    n_layer, n_head, n, _ = w.shape
    gap = max(1, n // 8)
    step = n + gap
    tiles = np.pad(w, ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=np.nan)
    grid = tiles.swapaxes(1, 2).reshape(n_layer * step, n_head * step)
    axes.imshow(grid, cmap=COLOUR_MAP, vmin=0, vmax=1)
    axes.set_xticks(step * np.arange(n_head) + (n - 1) / 2, [str(h) for h in range(n_head)])
    axes.set_yticks(step * np.arange(n_layer) + (n - 1) / 2, [str(i) for i in range(n_layer)])
    axes.set(xlabel="head", ylabel="layer")
    axes.set_title("all heads", pad=10)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=8)  # beside the frame of the chosen head
    mark(axes, step * head - (1 + gap) / 2, step * layer - (1 + gap) / 2, step, step)


def draw_head(axes: Axes, w: npt.NDArray[Any], tokens: list[str], token: int) -> AxesImage:
    """(T, T) weights -> a map with tokens on both axes; the chosen query is marked."""
    image = axes.imshow(w, cmap=COLOUR_MAP, vmin=0, vmax=1)
    show_tokens(axes, tokens)
    axes.set(xlabel="key: looked at", ylabel="query: looking")
    mark(axes, -0.5, token - 0.5, len(tokens), 1)
    return image


def mark(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    frame = Rectangle((x, y), width, height, fill=False, ec="black", lw=1.6, clip_on=False)
    axes.add_patch(frame)
