"""The view of attention: what is chosen, what stands for it on a page, and what is refused."""

import base64
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import traitlets
from matplotlib import colormaps

import qt
from qt.viz.attention_widget import AttentionView

TOKENS = ["Once", " a", "\n", " cat"]
FOLDER = Path(qt.viz.__file__).parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def some_attention() -> list[np.ndarray]:
    """Two layers of three heads, as a model gives them."""
    config = qt.GPTConfig(vocab_size=9, block_size=4, n_layer=2, n_head=3, d_model=12)
    _, attention = qt.GPT(config)([[1, 2, 3, 4]], return_attention=True)
    return attention


def view() -> AttentionView:
    """The heads of `some_attention`, with one row that is known."""
    attention = some_attention()
    attention[1][0, 2, 3] = [0.0625, 0.75, 0.0625, 0.125]
    return qt.viz.attention_view(attention, TOKENS, title="A cat")


def test_it_holds_the_weights_of_the_model() -> None:
    attention = some_attention()
    shown = qt.viz.attention_view(attention, TOKENS)
    assert (shown.title, shown.tokens, shown.shape) == ("Attention", TOKENS, [2, 3, 4, 4])
    weights = np.frombuffer(shown.weights, np.float32).reshape(2, 3, 4, 4)
    np.testing.assert_array_equal(weights, np.concatenate(attention))
    plain = qt.viz.attention_view([w[0].astype(np.float64) for w in attention], "abcd")
    assert (plain.weights, plain.tokens) == (shown.weights, list("abcd"))
    ids = qt.viz.attention_view(attention, np.array([5, 6, 7, 8]))
    assert ids.tokens == ["5", "6", "7", "8"]


def test_layer_head_and_token_are_read_and_set_from_both_sides() -> None:
    shown = view()
    assert (shown.layer, shown.head, shown.token) == (0, 0, 3)
    changes = []
    shown.observe(lambda change: changes.append((change.name, change.new)), ["head", "token"])
    shown.set_state({"layer": 1, "head": 2})  # what the page sends
    shown.token = np.argmax([0, 1, 0])  # a NumPy integer
    assert changes == [("head", 2), ("token", 1)]
    sent = shown.get_state(["layer", "head", "token"])
    assert sent == {"layer": 1, "head": 2, "token": 1}
    assert type(sent["token"]) is int
    for name, count in (("layer", 2), ("head", 3), ("token", 4)):
        for wrong in (count, -1):
            message = f"{name} {wrong} does not exist: give 0 to {count - 1}"
            with pytest.raises(traitlets.TraitError, match=re.escape(message)):
                setattr(shown, name, wrong)
    assert shown.get_state(["layer", "head", "token"]) == sent


def test_the_sentence_says_where_a_token_looks_most() -> None:
    shown = view()
    shown.layer, shown.head = 1, 2
    assert shown.sentence() == "layer 1, head 2: '␣cat' looks most at '␣a' (0.75)"
    shown.token = 0
    assert shown.sentence() == "layer 1, head 2: 'Once' looks most at itself (1.00)"


def test_a_page_without_a_kernel_gets_a_picture_and_its_text() -> None:
    shown = view()
    shown.layer, shown.head = 1, 2
    data, metadata = shown._repr_mimebundle_()
    assert set(data) == {WIDGET_VIEW, "image/png", "text/plain"}
    assert repr(shown) == "A cat (2, 3, 4, 4): layer 1, head 2, token 3 '␣cat'"
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert (
        data["text/plain"]
        == metadata["image/png"]["alt"]
        == (
            "A cat. Heat maps of all 6 heads, layers down and heads across; beside them one head, "
            "queries down and keys across, over the tokens Once ␣a ↵ ␣cat. "
            "Layer 1, head 2: '␣cat' looks most at '␣a' (0.75)."
        )
    )
    again, _ = view()._repr_mimebundle_()
    assert again["image/png"] != data["image/png"], "another head is large"
    other = view()
    other.layer, other.head = 1, 2
    same, _ = other._repr_mimebundle_()
    assert [same[kind] for kind in ("image/png", "text/plain")] == [
        data[kind] for kind in ("image/png", "text/plain")
    ]


def test_the_picture_shows_all_heads_and_the_chosen_one_large() -> None:
    attention = some_attention()
    shown = qt.viz.attention_view(attention, TOKENS, title="A cat")
    shown.layer, shown.head, shown.token = 1, 2, 1
    figure = shown.picture()
    small, large = figure.axes[:2]
    grid = small.images[0].get_array()
    assert grid.shape == (2 * 5, 3 * 5)  # a gap of one after each head
    below = np.tril_indices(4)
    for layer in range(2):
        for head in range(3):
            part = grid[5 * layer : 5 * layer + 5, 5 * head : 5 * head + 5]
            np.testing.assert_array_equal(part[:4, :4][below], attention[layer][0, head][below])
            assert part.mask.sum() == 25 - 10, "later keys and the gap are blank"
    np.testing.assert_array_equal(
        large.images[0].get_array().filled(0), attention[1][0, 2], "the mask gives exactly nothing"
    )
    for labels in (large.get_xticklabels(), large.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["Once", "␣a", "↵", "␣cat"]
    assert large.get_title() == "layer 1, head 2"
    assert small.patches[0].get_bbox().bounds == (9, 4, 5, 5)
    assert large.patches[0].get_bbox().bounds == (-0.5, 0.5, 4, 1)
    full = qt.viz.attention_view([np.full((1, 4, 4), 0.25)], TOKENS).picture()
    assert not np.ma.getmaskarray(full.axes[1].images[0].get_array()).any(), "nothing is hidden"


@pytest.mark.parametrize(
    ("attention", "message"),
    [
        (
            [np.zeros((3, 4, 4)), np.zeros((1, 3, 5, 5))],
            "attention of layer 1 has shape (1, 3, 5, 5), which does not fit 4 tokens: "
            "give (1, H, 4, 4) or (H, 4, 4)",
        ),
        ([np.zeros((2, 3, 4, 4))], "attention of layer 0 has shape (2, 3, 4, 4), which"),
        ([np.zeros((4, 4))], "attention of layer 0 has shape (4, 4), which"),
        ([np.zeros((3, 4, 4)), np.zeros((2, 4, 4))], "layer 1 has 2 heads, but layer 0 has 3"),
        ([np.zeros((0, 4, 4))], "attention of layer 0 has shape (0, 4, 4), which"),
        ([], "0 layers and 4 tokens: at least one of each is needed"),
        (
            [np.full((1, 4, 4), -2.5)],
            "attention of layer 0 goes from -2.5 to -2.5, not from 0 to 1: "
            "give the weights that follow the softmax",
        ),
        ([np.full((1, 4, 4), np.nan)], "attention of layer 0 goes from nan to nan"),
    ],
)
def test_what_does_not_fit_is_named(attention: list[np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        qt.viz.attention_view(attention, TOKENS)


def test_no_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="1 layers and 0 tokens: at least one of each is needed"):
        qt.viz.attention_view([np.zeros((1, 0, 0))], [])


def test_anywidget_is_loaded_when_it_is_needed() -> None:
    program = "import sys, qt.viz; assert callable(qt.viz.attention_view); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert "qt.viz.attention_view" in done.stdout.split()
    assert not {"anywidget", "ipywidgets", "traitlets"} & set(done.stdout.split())


def test_without_anywidget_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "qt.viz.attention_widget")
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ImportError, match=r"not installed: pip install quantatissu\[notebooks\]$"):
        view()


# ------------------------------------------------------------------------------- the page


def page_text(suffix: str) -> str:
    return (FOLDER / f"attention_view.{suffix}").read_text(encoding="utf-8")


@pytest.mark.parametrize("suffix", ["js", "css"])
def test_the_page_needs_nothing_from_outside_and_is_small(suffix: str) -> None:
    text = page_text(suffix)
    assert len(text.encode()) <= 12 * 1024
    assert not re.findall(r"//\w|url\(|@import|^import |import\(|fetch\(|require\(", text, re.M)
    assert "innerHTML" not in text  # a token is text, whatever it holds
    assert max(map(len, text.splitlines())) <= 100


def test_the_page_reads_what_the_widget_sends() -> None:
    """By name, in the JavaScript."""
    read = set(re.findall(r'model\.get\("(\w+)"\)', page_text("js")))
    assert read == {"shape", "tokens", "title", "weights", "layer", "head", "token"}
    assert read <= set(view().get_state())
    assert {"_esm", "_css"} <= set(view().get_state())


def test_the_page_styles_the_classes_that_it_makes() -> None:
    made = set(re.findall(r'class: "([\w-]+)"|radioGroup\("(\w+)"', page_text("js")))
    names = {first or second for first, second in made} - {"body"}
    styled = set(re.findall(r"\.([a-z][\w-]*)", page_text("css")))
    assert names <= styled, names - styled


def test_the_page_has_the_colours_of_every_other_picture() -> None:
    (block,) = re.findall(r"const CIVIDIS = \[(.*?)\];", page_text("js"), re.DOTALL)
    points = np.array([int(n) for n in re.findall(r"\d+", block)]).reshape(-1, 3)
    wanted = colormaps["cividis"](np.linspace(0, 1, len(points)), bytes=True)[:, :3]
    assert np.abs(points - wanted.astype(int)).max() <= 1
