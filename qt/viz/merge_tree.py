"""How byte-pair encoding builds a word: a tree of merges for each token."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qt.tokenizers import BPETokenizer
from qt.tokenizers.pretokenize import split
from qt.viz.merge_nodes import Node, grow
from qt.viz.style import DARK, MIDDLE, new_figure, visible


def merge_tree(
    tokenizer: BPETokenizer, word: str, title: str = "How merges build a word"
) -> Figure:
    """A trained tokenizer and a word -> a tree for each token that the word becomes.

    The leaves are the bytes. Each merge stands above its two parts, with its rank: "#0" was learned
    first. In a word the lowest rank is merged first, so the picture grows from below. A thick frame
    is a token. `ValueError` for a word of no bytes, or of more than 20.
    """
    size = len(word.encode("utf-8"))
    if not 1 <= size <= 20:
        raise ValueError(f"{word!r} has {size} bytes: a tree is drawn of 1 to 20")
    trees = [tree for part in split(word, tokenizer.pattern) for tree in grow(tokenizer, part)]
    nodes = [node for tree in trees for node in tree.walk()]
    levels = sorted({node.rank for node in nodes} | {-1})
    wide = size + 0.6 * (len(trees) - 1)  # in steps from leaf to leaf
    figure, ax = new_figure(
        max(min(0.44, 6.2 / wide) * wide + 0.7, 4), max(0.46 * len(levels) + 0.8, 2.2)
    )
    left = 0.0
    for tree in trees:
        _draw(ax, tree, left, levels, token=True)
        left += len(tree.piece) + 0.6
    ax.set(xlim=(-0.6, wide - 0.4), ylim=(-0.5, len(levels) - 0.4), xticks=[], yticks=[])
    ax.set(
        title=title,
        xlabel="bytes of the word (thick frames: its tokens)",
        ylabel="merges, earliest lowest",
    )
    made = {f"{' + '.join(map(str, n.parts))} → {n} (#{n.rank})": n.rank for n in nodes if n.parts}
    told = "; ".join(sorted(made, key=made.__getitem__)) or "none"
    figure.alt = f"{title}: {visible(word)}. Merges in their order: {told}. "
    figure.alt += f"Tokens at the end: {', '.join(map(str, trees))}."
    return figure


def _draw(ax: Axes, node: Node, left: float, levels: list[int], token: bool = False) -> float:
    """Draw a node above its parts, its first byte at `left`; return its own place."""
    y = levels.index(node.rank)
    places = []
    for part in node.parts:
        places.append(_draw(ax, part, left, levels))
        left += len(part.piece)
    x = sum(places) / 2 if places else left
    for place, part in zip(places, node.parts):
        ax.plot([place, place, x], [levels.index(part.rank), y, y], color=MIDDLE, linewidth=1)
    box = {
        "boxstyle": "round,pad=0.3",
        "linewidth": 2 if token else 0.8,
        "edgecolor": DARK if token or node.parts else MIDDLE,
        "facecolor": "#f7f0cf" if token else "white",
    }
    weight = "bold" if token else "normal"
    ax.text(
        x, y, str(node), ha="center", va="center", fontsize=9, weight=weight, zorder=3, bbox=box
    )
    if node.parts:
        ax.annotate(
            f"#{node.rank}", (x, y), (0, -10), textcoords="offset points", ha="center", va="top",
            fontsize=7,
        )  # fmt: skip
    return x
