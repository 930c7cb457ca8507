"""What operations promise at their edges; from mutants of `qt.functional`."""

import re
from collections.abc import Callable

import numpy as np
import pytest

import qt.functional as F
from qt.positions import ROPE_SCALING
from qt.tensor import Tensor


def ones(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)])
def test_a_distribution_over_nothing_is_nothing(
    function: Callable[..., Tensor], shape: tuple[int, ...]
) -> None:
    x = ones(*shape)
    with np.errstate(divide="ignore"):  # the logarithm of an empty sum
        out = function(x)
    out.sum().backward()
    assert out.shape == x.grad.shape == shape


@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_a_distribution_is_made_of_its_own_scores_whatever_stands_beside_it(
    function: Callable[..., Tensor], dim: int
) -> None:
    scores = np.random.default_rng(0).normal(size=(3, 4)) + np.array([[0], [-2000], [1000]])
    x = scores.T if dim == 0 else scores
    together = function(Tensor(x), dim=dim).data
    for row, alone in zip(together.T if dim == 0 else together, scores, strict=True):
        np.testing.assert_allclose(row, function(Tensor(alone)).data, rtol=1e-12)
        p = np.exp(row) if function is F.log_softmax else row
        assert p.sum() == pytest.approx(1)


def test_softmax_of_minus_infinity_alone_is_zero() -> None:
    x = np.array([[-np.inf, -np.inf], [0, 0], [-np.inf, 0]])
    assert F.softmax(Tensor(x)).data.tolist() == [[0, 0], [0.5, 0.5], [0, 1]]


def test_cross_entropy_without_reduction_is_the_loss_of_each_target() -> None:
    rng = np.random.default_rng(0)
    logits, weight = rng.normal(size=(2, 3, 5)), rng.normal(size=(2, 3))
    y = rng.integers(0, 5, (2, 3))
    x = Tensor(logits, requires_grad=True)
    each = F.cross_entropy(x, y, reduction="none")
    each.backward(weight)
    assert each.shape == (2, 3)
    for place in np.ndindex(2, 3):
        alone = Tensor(logits[place][None], requires_grad=True)
        loss = F.cross_entropy(alone, y[place][None])
        loss.backward()
        assert each.data[place] == pytest.approx(loss.item())
        np.testing.assert_allclose(x.grad[place], alone.grad[0] * weight[place])


def test_the_eps_of_norms_is_pytorchs() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(2, 3)) * 1e-3)
    for norm in (F.layer_norm, F.rms_norm):
        np.testing.assert_array_equal(norm(x, ones(3)).data, norm(x, ones(3), eps=1e-5).data)


@pytest.mark.parametrize("interleaved", [False, True])
def test_each_sequence_may_have_positions_of_its_own(interleaved: bool) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 6))  # B, H, T and D all differ
    m = np.array([[0, 1, 2, 3], [7, 8, 9, 100]])
    scaling = dict(zip(ROPE_SCALING, (8.0, 1.0, 4.0, 32)))
    settings = {"theta": 100.0, "interleaved": interleaved, "scaling": scaling}
    together = F.apply_rope(Tensor(x), m, **settings).data
    for row, alone, positions in zip(together, x, m):
        expected = F.apply_rope(Tensor(alone[None]), positions, **settings).data[0]
        np.testing.assert_allclose(row, expected, rtol=1e-12)
    unscaled = F.apply_rope(Tensor(x), m, 100.0, interleaved).data
    assert np.abs(together - unscaled).max() > 0.1
    for wrong in ((3, 4), (4, 2), (2, 3)):
        with pytest.raises(ValueError, match=r"needs \(4,\)$"):
            F.apply_rope(Tensor(x), np.zeros(wrong))


def test_in_a_vocabulary_of_one_nothing_surprises_and_targets_may_be_ignored() -> None:
    logits = ones(3, 1)
    loss = F.cross_entropy(logits, [0, -100, 0])
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: F.cross_entropy(ones(2, 3, 5), [0, 1]),
            "targets have shape (2,), not (2, 3) as the logits",
        ),
        (
            lambda: F.linear(ones(2, 3, 4), ones(6, 5)),
            "linear: x has width 4, the weight (6, 5) takes 5",
        ),
        (
            lambda: F.swiglu(ones(2, 3), ones(2, 4)),
            "swiglu: gate (2, 3) and up (2, 4) need the same shape",
        ),
        (
            lambda: F.layer_norm(ones(2, 3), ones(3), ones(1)),
            "layer_norm: weight and bias need shape (3,), not (1,)",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_named(call: Callable[[], Tensor], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        call()


def test_dropout_draws_one_single_precision_number_an_element_and_none_without_need() -> None:
    x, generator = ones(3, 4), np.random.default_rng(0)
    drawn = np.random.default_rng(0).random((3, 4), np.float32)
    p = float(drawn[1, 1])  # which is kept: a number below p has the probability p
    assert F.dropout(x, 0.0, generator=generator) is x
    assert F.dropout(x, p, training=False, generator=generator) is x
    out = F.dropout(x, p, generator=generator)
    np.testing.assert_allclose(out.data, (drawn >= p) / (1 - p))


def test_tensors_are_joined_along_the_first_axis_unless_another_is_named() -> None:
    assert F.concatenate([ones(2, 3), ones(1, 3)]).shape == (3, 3)
