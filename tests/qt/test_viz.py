"""Pictures: what is drawn, that it reads in greyscale, and what is refused."""

import inspect

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.figure import Figure

import qt
from qt.viz.style import COLOUR_MAP

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
    for function in (qt.viz.attention_map, qt.viz.mask_diagram, qt.viz.loss_curve):
        assert len(inspect.getsource(function).splitlines()) <= 30


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
