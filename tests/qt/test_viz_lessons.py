"""Pictures of the lessons: what is drawn, what they say in words, and what is refused."""

import inspect
import math
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Arc, Circle, FancyBboxPatch, Rectangle, Wedge

import qt
from qt import viz
from qt.viz.merge_nodes import grow

WORDS = ["Once", " upon", " a", " time"]
LOW = qt.BPETokenizer.train("low low low lower lower newest newest newest wider", 256 + 1 + 6)
TABLE = qt.positions.sinusoidal_table(8, 6)
METRICS = [{"step": 0, "val_loss": 4.0}] + [
    {"step": s, "train_loss": 4 / s, **({"val_loss": 4 / s} if s % 10 == 0 else {})}
    for s in range(1, 41)
]
BROKEN = [{"step": s, "train_loss": loss} for s, loss in enumerate([4.0, 6.0, math.nan, 1.0])]


def bowl(w: np.ndarray) -> np.ndarray:
    return w[0] ** 2 + 10 * w[1] ** 2


PATHS = {"SGD": [[-2, 1], [-1, 0.5]], "Adam": [[-2, 1], [0, 0], [0.1, 0]]}
PICTURES: dict[str, Callable[[], Figure]] = {
    "bars": lambda: viz.bars(WORDS, {"before": [1, 2, 3, 4], "after": [0, -1, 2.5, 0]}, "T", "y"),
    "boxes": lambda: viz.boxes([[("x", "(T, C)")], ["Q", "K", "V"]], "T"),
    "cache_fill": lambda: viz.cache_fill(WORDS, 2, 6, without=True),
    "clocks": lambda: viz.clocks(qt.positions.sinusoidal_table(4, 16)),
    "curves": lambda: viz.curves(None, {"a": [1, 2], "b": ([0, 3], [2, 1])}, "T", "x", "y"),
    "head_groups": lambda: viz.head_groups(8, (8, 2, 1)),
    "landscape": lambda: viz.landscape(bowl, PATHS, (-3, 3), (-2, 2)),
    "loss_curves": lambda: viz.loss_curves({"good": METRICS, "fast": BROKEN}, floor=0.5),
    "matrices": lambda: viz.matrices([np.eye(2), "@", np.ones((2, 2, 2))], "T"),
    "merge_tree": lambda: viz.merge_tree(LOW, " lower"),
    "rotations": lambda: viz.rotations([[1, 0], [0, 1]], ["q", "k"], arcs=[(0, 1)]),
}


def texts(axes: plt.Axes) -> list[str]:
    """All that is written inside of the axes."""
    return [text.get_text() for text in axes.texts if text.get_text()]


def patches(axes: plt.Axes, kind: type) -> list:
    return [patch for patch in axes.patches if type(patch) is kind]


def names(figure: Figure) -> list[str]:
    """What the legend says."""
    legend = figure.axes[0].get_legend()
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_has_words_and_the_same_bytes_and_does_not_stay(name: str) -> None:
    figure, again = PICTURES[name](), PICTURES[name]()
    assert not plt.get_fignums()
    assert figure.alt.endswith(".")
    assert figure.alt == again.alt
    data, metadata = figure._repr_mimebundle_()
    assert (data, metadata) == again._repr_mimebundle_()
    assert data["text/plain"] == metadata["image/png"]["alt"] == figure.alt
    assert len(data["image/png"]) * 3 / 4 < 30_000
    width = figure.get_figwidth() * figure.dpi
    assert width <= 750, "fits on the page of a notebook"
    title = figure.get_suptitle() or figure.axes[0].get_title()
    assert title
    assert figure.alt.startswith(title)


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_cut_off(name: str) -> None:
    figure = PICTURES[name]()
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    assert min(box.x0, box.y0) >= -0.01
    assert box.x1 <= width + 0.01
    assert box.y1 <= height + 0.01


@pytest.mark.parametrize("name", sorted(PICTURES.keys() - {"curves"}))
def test_functions_are_short_to_read(name: str) -> None:
    function = getattr(viz, name)
    assert len(inspect.getsource(function).splitlines()) <= 36
    assert Path(inspect.getfile(function)).stem == name
    assert list(viz.__all__) == sorted(viz.__all__)


def test_bars() -> None:
    figure = PICTURES["bars"]()
    axes = figure.axes[0]
    assert [p.get_height() for p in patches(axes, Rectangle)] == [1, 2, 3, 4, 0, -1, 2.5, 0]
    before, after = (np.array([b.get_x() for b in axes.patches[i : i + 4]]) for i in (0, 4))
    np.testing.assert_allclose(np.diff(before), 1)
    np.testing.assert_allclose(after - before, 0.4)  # side by side
    assert texts(axes) == ["1", "2", "3", "4", "0", "−1", "2.5", "0"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["Once", "␣upon", "␣a", "␣time"]
    assert names(figure) == ["before", "after"]
    assert len({bar.get_hatch() for bar in axes.patches}) == 2
    assert figure.alt == "T. Bars of before, after for Once, ␣upon, ␣a, ␣time."
    assert not texts(viz.bars(["a"], {"n": [1]}, "T", "y", digits=None).axes[0])
    with pytest.raises(ValueError, match=r"heights 'n' have shape \(1,\), but there are 2 labels"):
        viz.bars(["a", "b"], {"n": [1]}, "T", "y")


def test_boxes() -> None:
    figure = PICTURES["boxes"]()
    axes = figure.axes[0]
    assert len(patches(axes, FancyBboxPatch)) == 4
    assert texts(axes) == ["x", "(T, C)", "Q", "K", "V"]
    arrows = [a for a in axes.texts if getattr(a, "arrow_patch", None)]
    assert len(arrows) == 3  # from one box to each of three
    assert figure.alt == "T. Boxes from top to bottom: x (T, C); Q, K, V."
    quiet = viz.boxes([["a·"], ["b"]], "T", arrows=[("b", "a")]).axes[0]
    assert texts(quiet) == ["a", "b"]
    assert [box.get_linestyle() for box in quiet.patches] == ["--", "-"]
    row = viz.boxes([["a", "b"]], "T", arrows=[("a", "b"), ("b", "a")]).axes[0]
    right, left = (a for a in row.texts if getattr(a, "arrow_patch", None))
    assert right.xyann == (-left.xyann[0], 0)  # from the edge of a box, not through it
    assert right.xyann[0] < right.xy[0]
    with pytest.raises(ValueError, match="there is no box 'c': there are a, b"):
        viz.boxes([["a"], ["b"]], "T", arrows=[("a", "c")])


def test_cache_fill() -> None:
    figure = PICTURES["cache_fill"]()
    with_cache, without = figure.axes
    signs = ["++    ", "✓✓+   ", "✓✓✓+  "]
    assert [t.get_text() or " " for t in with_cache.texts] == list("".join(signs))
    assert [t.get_text() or " " for t in without.texts] == list("++    +++   ++++  ")
    assert with_cache.get_title() == "with a cache: 4 computed"
    assert without.get_title() == "without a cache: 9 computed"
    colours = {t.get_text(): to_hex(p.get_facecolor()) for t, p in
               zip(with_cache.texts, with_cache.patches)}  # fmt: skip
    assert len(set(colours.values())) == 3
    assert [t.get_text() for t in with_cache.get_xticklabels()] == ["Once", "␣upon", "␣a", "␣time"]
    assert [t.get_text() for t in with_cache.get_yticklabels()] == ["0", "1", "2"]
    assert figure.alt == (
        "The KV cache, step by step. A row for each step; places computed in it with a cache: "
        "2, 1, 1; without a cache: 2, 3, 4."
    )
    (axes,) = viz.cache_fill(WORDS, prompt=4).axes
    assert texts(axes) == list("++++")
    for prompt, max_len in ((0, None), (5, None), (1, 3), (1, 33)):
        told = f"need 1 ≤ prompt ≤ tokens ≤ max_len ≤ 32, not {prompt}, 4 and {max_len or 4}"
        with pytest.raises(ValueError, match=told):
            viz.cache_fill(WORDS, prompt, max_len)


def test_clocks() -> None:
    figure = viz.clocks(TABLE, (0, 1, 3))
    axes = figure.axes[0]
    assert len(patches(axes, Circle)) == len(patches(axes, Wedge)) == 9
    hands = np.array([line.get_xydata() for line in axes.lines]).reshape(3, 3, 2, 2)
    turned = (hands[..., 1, :] - hands[..., 0, :]) / 0.42  # (positions, pairs, 2)
    np.testing.assert_allclose(turned.reshape(3, 6), TABLE[[0, 1, 3]], atol=1e-12)
    wedges = [(w.theta1, w.theta2) for w in patches(axes, Wedge)]
    np.testing.assert_allclose(wedges[3], (90 - np.degrees(1), 90))  # one radian clockwise
    assert [t.get_text() for t in axes.get_yticklabels()] == ["0", "1", "3"]
    assert figure.alt == (
        "Positions as clock hands. Hands of the pairs 0, 1, 2, clockwise from the top. "
        "position 0: 0°, 0°, 0°; position 1: 57°, 3°, 0°; position 3: 172°, 8°, 0°."
    )
    wide = qt.positions.sinusoidal_table(4, 64)
    ticks = viz.clocks(wide, (0,)).axes[0].get_xticklabels()
    assert [t.get_text() for t in ticks] == ["0", "4", "8", "13", "17", "22", "26", "31"]
    assert len(viz.clocks(wide, (0,), pairs=(31,)).axes[0].lines) == 1
    with pytest.raises(ValueError, match="there is no position 8: the table has 0 to 7"):
        viz.clocks(TABLE, (0, 8))
    with pytest.raises(ValueError, match="there is no pair 3: the table has 0 to 2"):
        viz.clocks(TABLE, pairs=(3,))
    told = r"a table of shape \(8, 5\) has no pairs: it must be \(T, C\) with C even"
    with pytest.raises(ValueError, match=told):
        viz.clocks(TABLE[:, :5])


def test_curves() -> None:
    lines = {"a": [1, 2], "b": ([0, 3], [2, 1])}
    figure = viz.curves([1, 2], lines, "T", "x", "y", log="xy", levels={"ln V": 1.5}, markers=True)
    axes = figure.axes[0]
    a, b, level = axes.lines
    assert a.get_xydata().tolist() == [[1, 1], [2, 2]]
    assert b.get_xydata().tolist() == [[0, 2], [3, 1]]
    assert list(level.get_ydata()) == [1.5, 1.5]
    assert texts(axes) == ["ln V"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [t.get_text() for t in axes.get_xticklabels()] == ["1", "2"]
    looks = [(n.get_color(), n.get_linestyle(), n.get_marker()) for n in (a, b)]
    assert looks[0][1] != looks[1][1]
    assert looks[0][2] != looks[1][2]
    assert names(figure) == ["a", "b"]
    assert figure.alt == "T. Lines: a, b. Across: x; upwards: y. Dashed levels: ln V."
    plain = viz.curves(None, {"a": [3, 4, 5]}, "T", "x", "y").axes[0]
    assert list(plain.lines[0].get_xdata()) == [0, 1, 2]
    assert plain.get_legend() is None
    with pytest.raises(ValueError, match=r"line 'a' has \(2,\) heights for \(3,\) places"):
        viz.curves([1, 2, 3], {"a": [1, 2]}, "T", "x", "y")


def test_head_groups() -> None:
    figure = PICTURES["head_groups"]()
    kinds = ["multi-head", "grouped-query", "multi-query"]
    assert [axes.get_title() for axes in figure.axes] == kinds
    assert [len(patches(axes, FancyBboxPatch)) for axes in figure.axes] == [16, 10, 9]
    ends = [line.get_xdata()[1] for line in figure.axes[1].lines]
    assert ends == [1.5] * 4 + [5.5] * 4
    assert figure.axes[1].get_xlabel() == "cache: 2 of 8 heads"
    assert figure.alt == (
        "Heads that share keys and values. 8 query heads above, key/value heads below: "
        "8, each for 1, 2, each for 4, 1, each for 8 query heads."
    )
    assert len(viz.head_groups(4, 2).axes) == 1
    with pytest.raises(ValueError, match="n_head=8 is not a multiple of n_kv_head=3"):
        viz.head_groups(8, (8, 3))
    with pytest.raises(ValueError, match="n_head=8 is not a multiple of n_kv_head=0"):
        viz.head_groups(8, 0)
    with pytest.raises(ValueError, match="64 query heads in all panels are too many to draw: at"):
        viz.head_groups(32, (32, 8))


def test_landscape() -> None:
    figure = PICTURES["landscape"]()
    axes = figure.axes[0]
    assert names(figure) == ["SGD", "Adam", "start", "minimum"]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["SGD"].get_xydata(), PATHS["SGD"])
    np.testing.assert_array_equal(lines["Adam"].get_xydata(), PATHS["Adam"])
    looks = [(lines[n].get_marker(), lines[n].get_linestyle()) for n in ("SGD", "Adam")]
    assert all(a != b for a, b in zip(*looks))
    stars = [n.get_xydata() for n in axes.lines if n.get_marker() == "*"]
    np.testing.assert_allclose(stars[0], [[0, 0]], atol=1e-12)
    starts = [n.get_xydata().tolist() for n in axes.lines if n.get_markersize() == 11]
    assert starts == [[[-2, 1]], [[-2, 1]], []]
    assert figure.alt == (
        "Paths of optimizers. A map of heights over w₀ and w₁, and paths on it. "
        "From the lowest end to the highest: Adam, SGD."
    )
    away = {"fast": [[0, 1], [1e200, 1e200]], "nan": [[0, 1], [math.nan, 0]], "slow": [[0, 1]]}
    assert viz.landscape(bowl, away, (-1, 1), (-1, 1), log=False).alt.endswith("slow, fast, nan.")
    with pytest.raises(ValueError, match=r"path 'a' has the shape \(2,\): it must be \(steps, 2\)"):
        viz.landscape(bowl, {"a": [1, 2]}, (-1, 1), (-1, 1))
    told = r"f must make \(N, N\) of w \(2, N, N\), not \(\), for N = 201"
    with pytest.raises(ValueError, match=told):
        viz.landscape(np.sum, {}, (-1, 1), (-1, 1))


def test_landscape_levels_are_dense_near_the_minimum() -> None:
    near, even = (
        viz.landscape(bowl, {}, (-1, 1), (-1, 1), log=log).axes[0].collections[0].levels
        for log in (True, False)
    )
    assert len(near) == len(even) == 13
    assert near[0] == even[0] == 0
    assert near[-1] == pytest.approx(11)
    np.testing.assert_allclose(np.diff(even), 11 / 12)
    assert (np.diff(near, 2)[1:] > 0).all()


def test_loss_curves() -> None:
    figure = PICTURES["loss_curves"]()
    axes = figure.axes[0]
    assert names(figure) == ["good", "fast"]
    good = axes.lines[0]
    expected = [4 / s if s == 1 else np.mean([4 / t for t in range(max(1, s - 2), s + 1)])
                for s in range(1, 41)]  # fmt: skip
    np.testing.assert_allclose(good.get_ydata(), expected)
    marks = axes.lines[1]
    assert marks.get_xydata()[0].tolist() == [0, 4]
    assert len(marks.get_xdata()) == 5
    (cross,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert cross.get_xdata()[0] == 1  # the last step whose loss was a number
    assert cross.get_ydata()[0] < axes.get_ylim()[1] == pytest.approx(1.08 * 4)
    assert axes.get_legend().get_title().get_text() == "marks: validation"
    assert texts(axes) == ["entropy of the text"]
    assert figure.alt == (
        "Training runs. Loss in nats a token against the step. From the lowest end to the highest: "
        "good. Ended by a loss that is no number: fast."
    )


def test_loss_curves_of_little() -> None:
    assert viz.loss_curves({}).axes
    plain = viz.loss_curves({"a": BROKEN[:1], "b": [{"step": 0, "train_loss": math.inf}]})
    assert plain.axes[0].get_legend().get_title().get_text() == ""
    assert plain.alt.endswith("the highest: a. Ended by a loss that is no number: b.")
    looks = {n.get_linestyle() for n in plain.axes[0].lines if n.get_label() in ("a", "b")}
    assert len(looks) == 2


def test_matrices() -> None:
    q, k = np.array([[0.5, 1], [np.nan, -np.inf]]), np.arange(2)
    figure = viz.matrices([q, "@", k], "T", ["Q", "k"], rows=[" a", "b"], columns=[" long", "b"])
    left, sign, right = figure.axes
    assert [t.get_text() for t in left.texts] == ["0.5", "1", "", "−∞"]
    assert texts(sign) == ["@"]
    assert texts(right) == ["0", "1"]
    assert (left.get_title(), right.get_title()) == ("Q (2, 2)", "k (2)")
    assert [t.get_text() for t in left.get_yticklabels()] == ["␣a", "b"]
    assert [t.get_text() for t in right.get_yticklabels()] == []  # it has one row
    assert [t.get_text() for t in right.get_xticklabels()] == ["␣long", "b"]
    assert figure.alt == "T. Grids of numbers: Q (2, 2) @ k (2,)."
    painted = left.images[0].get_array()
    assert painted[1, 0].tolist() == [1, 1, 1, 1]  # empty
    assert painted[0, 1].tolist() != painted[0, 0].tolist()
    white, black = (left.texts[i].get_color() for i in (3, 1))
    assert (white, black) == ("white", "black")  # on dark and on light
    told = "T. Grids of numbers: an array (1, 1)."
    assert viz.matrices([[[1]]], "T").alt == told
    for shape in ((25, 2), (2, 2, 2, 2)):
        with pytest.raises(ValueError, match="cannot be drawn: ") as error:
            viz.matrices([np.ones(shape)], "T")
        assert str(error.value) == (
            f"an array of shape {shape} cannot be drawn: (N, M) or (H, N, M), each at most 24"
        )


def test_matrices_take_colours_from_elsewhere() -> None:
    figure = viz.matrices([np.ones((1, 2))], "T", colours=[[[0, 1]]])
    dark, light = figure.axes[0].images[0].get_array()[0]
    assert dark.sum() < light.sum()
    same = viz.matrices([np.ones((1, 2))], "T").axes[0].images[0].get_array()[0]
    np.testing.assert_array_equal(*same)


def test_matrices_of_heads_stand_one_above_another() -> None:
    heads = np.arange(12).reshape(3, 2, 2)
    figure = viz.matrices([np.eye(2), "→", heads, "+", heads[:2]], "T", names=["x", "heads"])
    titles = [axes.get_title() for axes in figure.axes if axes.images]
    assert sorted(titles) == sorted([
        "x (2, 2)", "heads (3, 2, 2)\nhead 0", "head 1", "head 2", "(2, 2, 2)\nhead 0", "head 1",
    ])  # fmt: skip
    numbers = [texts(axes) for axes in figure.axes if axes.get_title().endswith("head 2")]
    assert numbers == [["8", "9", "10", "11"]]
    figure.draw_without_rendering()
    places = {axes.get_title(): axes.get_position() for axes in figure.axes}
    assert places["heads (3, 2, 2)\nhead 0"].y0 > places["head 2"].y1
    middle = places["x (2, 2)"]
    assert places["head 2"].y1 < (middle.y0 + middle.y1) / 2 < places["heads (3, 2, 2)\nhead 0"].y0
    assert figure.alt == "T. Grids of numbers: x (2, 2) → heads (3, 2, 2) + an array (2, 2, 2)."


def test_merge_tree() -> None:
    merges = LOW.describe_merges()
    figure = viz.merge_tree(LOW, " lower")
    axes = figure.axes[0]
    pieces = [t for t in axes.texts if not t.get_text().startswith("#")]
    ranks = [int(t.get_text()[1:]) for t in axes.texts if t.get_text().startswith("#")]
    assert len(ranks) + 6 == len(pieces)  # six bytes are the leaves
    for t in axes.texts:
        if t.get_text().startswith("#"):
            rank = int(t.get_text()[1:])
            (made,) = [p for p in pieces if p.get_position() == t.xy]
            assert merges[rank].endswith(f" → {made.get_text()}")
    leaves = [p.get_text() for p in pieces if p.get_position()[1] == 0]
    assert [leaf for leaf in leaves if len(leaf) == 1] == ["␣", "l", "o", "w", "e", "r"]
    bold = [p.get_text() for p in pieces if p.get_weight() == "bold"]
    ids = LOW.encode(" lower")
    assert bold == [LOW.describe_token(i) for i in ids]
    assert figure.alt.endswith(f"Tokens at the end: {', '.join(bold)}.")
    assert len(axes.lines) == 2 * len(ranks)
    places = {p.get_position() for p in pieces}
    for line in axes.lines:  # from a part up, and then across to what it becomes
        part, corner, whole = map(tuple, line.get_xydata())
        assert {part, whole} <= places
        assert corner == (part[0], whole[1])
        assert part[1] < whole[1]


def test_merge_tree_writes_merges_in_their_order() -> None:
    tokenizer = qt.BPETokenizer([(97, 98), (256, 99), (256, 256)])  # ab, abc, abab
    figure = viz.merge_tree(tokenizer, "ababc\n")
    assert figure.alt == (
        "How merges build a word: ababc↵. Merges in their order: a + b → ab (#0); ab + c → abc "
        "(#1). Tokens at the end: ab, abc, ↵."
    )
    heights = {t.get_text(): t.get_position()[1] for t in figure.axes[0].texts}
    assert (heights["c"], heights["ab"], heights["abc"]) == (0, 1, 2)
    none = viz.merge_tree(tokenizer, "é")
    assert none.alt.endswith(r"Merges in their order: none. Tokens at the end: \xc3, \xa9.")
    for word, size in (("", 0), ("x" * 21, 21)):
        with pytest.raises(ValueError, match=f"'{word}' has {size} bytes: a tree is drawn of 1 to"):
            viz.merge_tree(tokenizer, word)


def test_trees_end_in_the_tokens_of_the_tokenizer() -> None:
    text = qt.stories.stories(3000)
    tokenizer = qt.BPETokenizer.train(text, 400)
    for word in set(qt.tokenizers.pretokenize.split(text)):
        pieces = [tree.piece for tree in grow(tokenizer, word)]
        assert pieces == [tokenizer.vocab[i] for i in tokenizer.encode(word)]


def test_rotations() -> None:
    vectors, labels = [[1, 0], [0, 2], [-1, 0], [0, -1]], ["q at 0", "q at 1", "k at 0", "k at 1"]
    figure = viz.rotations(vectors, labels, arcs=[(0, 1), (0, 3)])
    axes = figure.axes[0]
    assert texts(axes) == [*labels, "90°", "90°"]
    arrows = [a.arrow_patch for a in axes.texts if getattr(a, "arrow_patch", None)]
    looks = [(a.get_linestyle(), a.get_edgecolor()) for a in arrows]
    assert looks[0] == looks[1] != looks[2] == looks[3]
    assert looks[0][0] != looks[2][0]
    assert [(arc.theta1, arc.theta2) for arc in patches(axes, Arc)] == [(0, 90), (-90, 0)]
    assert len(patches(axes, Circle)) == 1
    assert axes.get_xlim() == (-2.5, 2.5)
    assert figure.alt == (
        "Turned by their positions. Arrows from the origin, anticlockwise from the right: "
        "q at 0: 0°, q at 1: 90°, k at 0: 180°, k at 1: 270°."
    )
    assert viz.rotations([[0, 0]], ["nothing"]).axes
    told = r"vectors \(4, 2\) do not fit 3 labels: they must be \(N, 2\)"
    with pytest.raises(ValueError, match=told):
        viz.rotations(vectors, labels[:3])
