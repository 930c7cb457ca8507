"""Pictures: what is drawn, that it reads in greyscale, and what is refused."""

import base64
import inspect
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure

import qt
import qt.functional as F
from qt.viz.style import COLOUR_MAP, visible

TOKENS = [" the", "\n", "cat"]


def test_attention_map_has_tokens_on_both_axes() -> None:
    weights = np.tril(np.ones((2, 3, 3))) / np.arange(1, 4)[:, None]
    figure = qt.viz.attention_map(weights, TOKENS, title="Layer 0")
    assert isinstance(figure, Figure)
    first = figure.axes[0]
    for labels in (first.get_xticklabels(), first.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["␣the", "↵", "cat"]
    assert first.get_xlabel()
    assert first.get_ylabel()
    assert first.get_title() == "head 0"
    np.testing.assert_array_equal(first.images[0].get_array(), weights[0])
    assert len(qt.viz.attention_map(weights[None], TOKENS).axes) == 3
    five = qt.viz.attention_map(np.tile(weights[:1], (5, 1, 1)), TOKENS).axes
    assert [ax.get_visible() for ax in five[:8]] == [True] * 5 + [False] * 3
    one = qt.viz.attention_map(weights[0], TOKENS)
    assert len(one.axes) == 2  # the map and its colour bar
    figure.savefig("/dev/null", format="png")
    with pytest.raises(ValueError, match=r"weights \(2, 3, 3\) do not fit 2 tokens"):
        qt.viz.attention_map(weights, TOKENS[:2])


def test_mask_diagram_marks_every_cell() -> None:
    figure = qt.viz.mask_diagram(qt.attention.causal_mask(3), TOKENS)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == list("✓✗✗✓✓✗✓✓✓")
    assert axes.get_title()
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    with pytest.raises(ValueError, match="does not fit"):
        qt.viz.mask_diagram(np.ones((2, 2)), TOKENS)
    plain = qt.viz.mask_diagram(qt.attention.causal_mask(2, 4)).axes[0]
    assert len(plain.texts) == 8, "more keys than queries, and no tokens"


def test_loss_curve() -> None:
    metrics = [{"step": 0, "val_loss": 4.0}] + [
        {"step": s, "train_loss": 4 / s, **({"val_loss": 4 / s} if s % 10 == 0 else {})}
        for s in range(1, 41)
    ]
    axes = qt.viz.loss_curve(metrics, floor=0.05).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["each batch", "running mean", "validation", "entropy of the text"]
    assert "nats" in axes.get_ylabel()
    assert qt.viz.loss_curve([]).axes


def test_the_colour_map_survives_greyscale() -> None:
    colours = colormaps[COLOUR_MAP](np.linspace(0, 1, 64))[:, :3]
    luminance = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()


def test_pictures_are_short_to_read() -> None:
    for function in (
        qt.viz.attention_map, qt.viz.mask_diagram, qt.viz.loss_curve, qt.viz.schedule_curves,
        qt.viz.init_scale, qt.viz.graph,
    ):  # fmt: skip
        assert len(inspect.getsource(function).splitlines()) <= 36


def test_live_loss_redraws_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    shown = []
    import IPython.display

    live = qt.viz.LiveLoss(steps=20, floor=1.0, seconds=1e9)
    original = IPython.display.display
    IPython.display.display = shown.append
    try:
        for step in range(0, 21, 5):
            live({"step": step, "train_loss": 2.0, "tokens_per_second": 1.0})
    finally:
        IPython.display.display = original
    assert len(shown) == 2  # the first and the last
    assert shown[-1].axes[0].get_title() == "Training"
    assert "step 0 of 20" in shown[0].axes[0].get_title()


SVG = "{http://www.w3.org/2000/svg}"


class Picture:
    """What an SVG of a graph shows, read back from its XML."""

    def __init__(self, graph: qt.viz.Graph) -> None:
        self.root = ET.fromstring(graph.svg)
        self.edges = [e.get("d", "") for e in self.root.iter(f"{SVG}path") if e.get("class")]
        self.boxes = []  # kind, lines of text, (left, top, width, height)
        self.told = []  # what a screen reader says of each
        for group in self.root.iter(f"{SVG}g"):
            box = group.find(f"{SVG}rect")
            place = [float(box.get(name)) for name in ("x", "y", "width", "height")]
            lines = [text.text for text in group.findall(f"{SVG}text")]
            self.told.append(group.find(f"{SVG}title").text)
            self.boxes.append((group.get("class"), lines, place))

    def kinds(self, kind: str) -> list[list[str]]:
        return [lines for found, lines, _ in self.boxes if found == kind]


def leaf(*shape: int) -> qt.Tensor:
    return qt.Tensor(np.ones(shape), requires_grad=True)


def model_loss(n_layer: int = 1, **settings: object) -> qt.Tensor:
    config = qt.GPTConfig(
        vocab_size=11, block_size=8, n_layer=n_layer, n_head=2, d_model=8, **settings
    )
    ids = np.arange(10).reshape(2, 5)
    return F.cross_entropy(qt.GPT(config)(ids), ids)


def test_graph_of_x_times_y() -> None:
    x, y = qt.Tensor(2.0, requires_grad=True), qt.Tensor(-3.0)
    z = (x * y + x).tanh()
    picture = Picture(qt.viz.graph(z, names={"x": x, "z": z}))
    assert picture.told == [
        "z ← tanh = -0.9993 from add = -4",
        "add = -4 from mul = -6, x = 2",
        "mul = -6 from x = 2, = -3",
        "x = 2",
        "= -3",
    ]
    assert picture.kinds("operation") == [["z ← tanh", "= -0.9993"], ["add", "= -4"],
                                          ["mul", "= -6"]]  # fmt: skip
    assert picture.kinds("leaf") == [["x", "= 2"]]
    assert picture.kinds("constant") == [["= -3"]]
    assert len(picture.edges) == 5
    z.backward(retain_graph=True)
    assert ["x", "= 2", "grad -0.002682"] in Picture(qt.viz.graph(z, names={"x": x})).kinds("leaf")


def test_graph_shows_parameters_by_name_and_a_value_used_twice_by_two_arrows() -> None:
    weight = qt.nn.Parameter(np.ones((3, 2)), "layers.0.self_attn.q_proj.weight")
    h = F.linear(leaf(4, 2), weight)
    picture = Picture(qt.viz.graph((h * h).sum()))
    named = [lines for lines in picture.kinds("leaf") if "q_proj" in "".join(lines)]
    assert named == [["layers.0.", "self_attn.", "q_proj.weight", "(3, 2)"]]
    assert len(picture.edges) == 5  # input and weight → linear ⇉ mul → sum
    assert len(set(picture.edges)) == 5  # the two arrows do not lie on each other


@pytest.mark.parametrize("settings", [{}, {"norm": "layernorm", "ffn": "gelu", "bias": True}])
def test_graph_of_a_model_is_laid_out_cleanly(settings: dict) -> None:
    loss = model_loss(**settings)
    graph = qt.viz.graph(loss)
    assert graph.svg == qt.viz.graph(loss).svg
    assert graph.svg == qt.viz.graph(model_loss(**settings)).svg  # another process's would be too
    picture = Picture(graph)
    places = [np.array(place) for _, _, place in picture.boxes]
    left, top, width, height = map(float, picture.root.get("viewBox").split())
    for x, y, w, h in places:
        assert left <= x <= x + w <= left + width
        assert top <= y <= y + h <= top + height
    for i, a in enumerate(places):  # no box on another
        for b in places[:i]:
            apart = (a[:2] >= b[:2] + b[2:]) | (b[:2] >= a[:2] + a[2:])
            assert apart.any()
    for edge in picture.edges:  # every arrow goes down, and ends on the top of a box
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", edge)]
        ys = numbers[1::2]
        assert ys == sorted(ys)
        end = np.array(numbers[-2:])
        assert any(
            abs(end[1] - y) < 0.11 and x - 0.11 <= end[0] <= x + w + 0.11 for x, y, w, _ in places
        )


def test_edges_run_around_boxes() -> None:
    """Where an edge passes the middle of a row, no box stands."""
    picture = Picture(qt.viz.graph(model_loss()))
    passed = 0
    for edge in picture.edges:
        points = [tuple(map(float, p)) for p in re.findall(r"(-?[\d.]+) (-?[\d.]+)(?=C|$)", edge)]
        for (x, y), (to_x, to_y) in pairwise(points[1:-1]):
            for left, top, width, height in (box for _, _, box in picture.boxes):
                if x == to_x and y <= top + height / 2 <= to_y:
                    assert not left < x < left + width
                    passed += 1
    assert passed > 20


def test_graph_of_a_large_model_is_limited() -> None:
    picture = Picture(qt.viz.graph(model_loss(n_layer=4), max_nodes=20))
    assert len(picture.boxes) == 21
    (more,) = picture.kinds("more")
    assert re.fullmatch(r"… \d+ more", more[0])
    whole = Picture(qt.viz.graph(model_loss(n_layer=4), max_nodes=10_000))
    assert len(whole.told) == 20 + int(more[0].split()[1])
    assert not whole.kinds("more")
    assert len(Picture(qt.viz.graph(model_loss(), max_nodes=1)).boxes) == 2


def test_a_deep_graph_does_not_recurse() -> None:
    x = leaf(1)
    for _ in range(5000):
        x = x + 1.0
    assert "… 9941 more" in qt.viz.graph(x).svg


def test_graph_is_safe_on_any_page(tmp_path: Path) -> None:
    x = leaf(2)
    graph = qt.viz.graph(x * x, names={'<b>&"x"</b>': x})
    picture = Picture(graph)  # the XML is whole
    assert picture.kinds("leaf") == [['<b>&"x"</b>', "(2,)"]]
    assert "<b>" not in graph.svg
    assert picture.root.get("role") == "img"
    assert picture.root.find(f"{SVG}title").text == "Autograd graph of mul (2,)"
    assert "mul (2,) from" in picture.root.find(f"{SVG}desc").text
    ground = picture.root.find(f"{SVG}rect")
    assert (ground.get("fill"), ground.get("width")) == ("#ffffff", "100%")
    assert " id=" not in graph.svg  # two pictures on a page do not meet
    assert graph._repr_svg_() == graph.svg
    graph.save(tmp_path / "g.svg")
    assert (tmp_path / "g.svg").read_text(encoding="utf-8") == graph.svg
    with pytest.raises(ValueError, match=r"something\.svg"):
        graph.save(tmp_path / "g.png")


def test_graph_refuses_what_has_no_graph() -> None:
    x = leaf(3)
    y = (x * 2.0).sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"used up by backward\(\): draw it before"):
        qt.viz.graph(y)
    with pytest.raises(RuntimeError, match="requires_grad=True"):
        qt.viz.graph(qt.Tensor([1.0]) + 1.0)
    with qt.no_grad(), pytest.raises(RuntimeError, match="no_grad"):
        qt.viz.graph(x * 2.0)
    with pytest.raises(TypeError, match="not of ndarray"):
        qt.viz.graph(np.ones(2))
    with pytest.raises(ValueError, match="max_nodes must be at least 1, not 0"):
        qt.viz.graph(x, max_nodes=0)
    assert len(Picture(qt.viz.graph(x)).boxes) == 1  # a leaf is a graph of its own


def test_schedule_curves_draw_every_schedule() -> None:
    axes = qt.viz.schedule_curves(max_lr=2e-3, warmup_steps=10, total_steps=50).axes[0]
    curves = {line.get_label(): line.get_ydata() for line in axes.get_lines()[:-1]}
    assert list(curves) == list(qt.optim.SCHEDULES)
    for name, rates in curves.items():
        expected = [qt.optim.SCHEDULES[name](step, 2e-3, 1e-4, 10, 50) for step in range(50)]
        np.testing.assert_array_equal(rates, expected)
    looks = {(line.get_linestyle(), line.get_color()) for line in axes.get_lines()[:-1]}
    assert len(looks) == len(curves)
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    assert len(qt.viz.schedule_curves(["cosine"]).axes[0].get_lines()) == 2
    with pytest.raises(ValueError, match="'step' is no schedule: there are constant, linear"):
        qt.viz.schedule_curves(["step"])


def test_init_scale_shows_the_residual_scaling() -> None:
    model = qt.GPT(qt.GPTConfig(vocab_size=50, n_layer=3, n_head=2, d_model=64))
    axes = qt.viz.init_scale(model).axes[0]
    points = {line.get_label(): line.get_ydata() for line in axes.get_lines()[2:]}
    assert list(points) == [
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"
    ]  # fmt: skip
    for kind, spread in points.items():
        expected = 0.02 / np.sqrt(6) if kind in ("o_proj", "down_proj") else 0.02
        np.testing.assert_allclose(spread, [expected] * 3, rtol=0.05)
    weight = model.layers[1].mlp.up_proj.weight.data
    assert points["up_proj"][1] == pytest.approx(weight.std(), rel=1e-6)
    with pytest.raises(ValueError, match="this Linear has no weight matrices"):
        qt.viz.init_scale(qt.nn.Linear(2, 3))


def test_white_space_in_tokens_is_visible() -> None:
    shown = [visible(token) for token in (" the", "a ", "  ", "\n", "layer 0", "\tx", "")]
    assert shown == ["␣the", "a␣", "␣␣", "↵", "layer 0", "⇥x", ""]


def test_a_picture_in_a_notebook_has_words_and_the_same_bytes_each_time() -> None:
    figures = [qt.viz.bars(["a", "b"], {"p": [0.25, 0.75]}, "Two", "probability") for _ in "12"]
    (data, metadata), again = (figure._repr_mimebundle_() for figure in figures)
    assert data == again[0]
    assert data["text/plain"] == metadata["image/png"]["alt"] == "Two. Bars of p for a, b."
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")


def test_a_graph_says_in_a_line_what_it_is() -> None:
    """Not its whole SVG: a notebook would store that twice."""
    drawn = qt.viz.graph(leaf(2) * 3)
    assert repr(drawn) == "Autograd graph of mul (2,)"
