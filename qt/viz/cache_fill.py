"""The KV cache, step by step: what is computed and what is kept."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from qt.viz.style import DARK, LIGHT, MIDDLE, new_figure, visible

NEW, KEPT, FREE = (DARK, "+", "computed now"), (LIGHT, "✓", "kept"), ("white", "", "free")


def cache_fill(
    tokens: Sequence[str], prompt: int = 1, max_len: int | None = None,
    title: str = "The KV cache, step by step", without: bool = False,
) -> Figure:  # fmt: skip
    """Tokens, the first `prompt` of them read in step 0 -> a row a step, a cell for each place.

    Each later step computes the keys and values of one token and keeps the others. `max_len` places
    are drawn; None is as many as there are tokens. `without` adds the same steps without a cache.
    `ValueError` unless 1 ≤ prompt ≤ tokens ≤ max_len ≤ 32.
    """
    n = len(tokens)
    size = n if max_len is None else max_len
    if not 1 <= prompt <= n <= size <= 32:
        raise ValueError(f"need 1 ≤ prompt ≤ tokens ≤ max_len ≤ 32, not {prompt}, {n} and {size}")
    filled = list(range(prompt, n + 1))  # places that hold a token after each step
    done = {"with a cache": [prompt] + [1] * (n - prompt)}  # places computed in each step
    if without:
        done["without a cache"] = filled
    cells = size * len(done)
    width, height = min(0.3 * cells, 5.6) + 1.4, 0.3 * len(filled) + 1.6
    figure, axes = new_figure(max(width, 4.2), height, ncols=len(done), squeeze=False)
    for ax, (name, computed) in zip(axes[0], done.items()):
        _panel(ax, tokens, size, filled, computed)
        ax.set_title(f"{name}: {sum(computed)} computed", fontsize=9)
    kinds = [
        Patch(facecolor=c, edgecolor=MIDDLE, label=f"{s} {k}") for c, s, k in (NEW, KEPT, FREE)
    ]
    figure.legend(handles=kinds, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(title, fontsize=11)
    told = "; ".join(f"{name}: {', '.join(map(str, done[name]))}" for name in done)
    figure.alt = f"{title}. A row for each step; places computed in it {told}."
    return figure


def _panel(
    ax: Axes, tokens: Sequence[str], size: int, filled: Sequence[int], computed: Sequence[int]
) -> None:
    """A row of `size` cells for each step: first what is kept, then what is new, then free ones."""
    for step, (end, new) in enumerate(zip(filled, computed)):
        for place in range(size):
            colour, sign, _ = FREE if place >= end else NEW if place >= end - new else KEPT
            ax.add_patch(
                Rectangle((place, step), 1, 1, facecolor=colour, edgecolor=MIDDLE, linewidth=0.6)
            )
            ax.text(
                place + 0.5, step + 0.5, sign, ha="center", va="center", fontsize=8,
                color="white" if colour == DARK else "black",
            )  # fmt: skip
    ax.set(xlim=(-0.03, size + 0.03), ylim=(len(filled) + 0.03, -0.03))
    labels = [visible(token) for token in tokens]
    ax.set_xticks([place + 0.5 for place in range(len(tokens))], labels, rotation=90, fontsize=8)
    ax.set_yticks([step + 0.5 for step in range(len(filled))], map(str, range(len(filled))))
    ax.set(xlabel="place", ylabel="step")
    ax.tick_params(length=0)
    ax.set_frame_on(False)
