"""What optimizers, clipping and schedules promise at their edges; from mutants of `qt.optim`."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qt.nn import Parameter
from qt.optim import SCHEDULES, SGD, Adam, AdamW, Optimizer, clip_grad_norm_, clip_grad_value_
from qt.tensor import Tensor


def moved_once(optimizer: Optimizer, *parameters: Parameter) -> None:
    for p in parameters:
        p.grad = np.ones_like(p.data)
    optimizer.step()


# Groups and settings


def test_a_group_may_give_its_parameters_one_by_one() -> None:
    ps = [Parameter(np.zeros(2)), Parameter(np.zeros(3))]
    moved_once(SGD([{"params": iter(ps)}], lr=1.0), *ps)
    assert [p.data.tolist() for p in ps] == [[-1] * 2, [-1] * 3]


def test_a_callers_list_of_parameters_is_not_the_optimizers() -> None:
    p, later = Parameter(np.zeros(2)), Parameter(np.zeros(2))
    group = {"params": [p]}
    optimizer = SGD([group], lr=1.0)
    group["params"].append(later)
    moved_once(optimizer, p, later)
    assert (p.data == -1).all()
    assert (later.data == 0).all()


@pytest.mark.parametrize(
    ("kind", "name"),
    [(SGD, "lr"), (SGD, "weight_decay"), (SGD, "momentum"), (SGD, "dampening"), (Adam, "eps")],
)
def test_no_setting_may_be_negative(kind: type[Optimizer], name: str) -> None:
    kind([Parameter(np.zeros(1))], **{name: 0.0})
    with pytest.raises(ValueError, match=f"^{name} must not be negative, but is -0.5$"):
        kind([Parameter(np.zeros(1))], **{name: -0.5})


ADAM = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}


@pytest.mark.parametrize(
    ("kind", "defaults"),
    [
        (SGD, {"lr": 1e-3, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False}),
        (Adam, {**ADAM, "weight_decay": 0}),
        (AdamW, {**ADAM, "weight_decay": 0.01}),
    ],
)
def test_defaults_are_pytorchs(kind: type[Optimizer], defaults: dict[str, Any]) -> None:
    (group,) = kind([p := Parameter(np.zeros(1))]).param_groups
    assert group == {"params": [p], **defaults}


def test_adam_with_betas_of_zero_steps_along_the_sign() -> None:
    p = Parameter(np.zeros(2))
    p.grad = np.array([-3.0, 0.01])
    Adam([p], lr=0.5, betas=(0.0, 0.0), eps=0.0).step()
    np.testing.assert_allclose(p.data, [0.5, -0.5])


def test_zero_grad_leaves_none() -> None:
    p = Parameter(np.zeros(2))
    p.grad = np.ones(2)
    SGD([p]).zero_grad()
    assert p.grad is None


def test_all_unknown_settings_are_named() -> None:
    wanted = (
        "unknown settings betas, eps; known are lr, momentum, dampening, weight_decay, nesterov"
    )
    with pytest.raises(ValueError, match=f"^{wanted}$"):
        SGD([{"params": [Parameter(np.zeros(1))], "eps": 0, "betas": (0, 0)}])


# State


def test_a_state_names_parameters_by_number_and_nothing_else() -> None:
    a, b, c = (Parameter(np.zeros(2)) for _ in range(3))
    optimizer = SGD([{"params": [a, b]}, {"params": [c], "lr": 0.5}], momentum=0.9)
    moved_once(optimizer, a, b, c)
    saved = optimizer.state_dict()
    assert list(saved["state"]) == [0, 1, 2]
    assert [group["params"] for group in saved["param_groups"]] == [[0, 1], [2]]
    settings = {"params", "lr", "momentum", "dampening", "weight_decay", "nesterov"}
    assert all(group.keys() == settings for group in saved["param_groups"])


def test_a_loaded_state_is_a_copy_in_the_parameters_dtype() -> None:
    first = Adam([p := Parameter(np.zeros(3))])
    moved_once(first, p)
    saved = first.state_dict()
    second = Adam([q := Parameter(np.zeros(3, np.float32))])
    second.load_state_dict(saved)
    assert second.state[q]["step"] == 1
    for name in ("exp_avg", "exp_avg_sq"):
        before = saved["state"][0][name].copy()
        assert second.state[q][name].dtype == np.float32
        second.state[q][name] += 1
        assert (saved["state"][0][name] == before).all()
    third = Adam([r := Parameter(np.zeros(3))])
    third.load_state_dict(saved)
    third.state[r]["exp_avg"] += 1
    assert (saved["state"][0]["exp_avg"] == first.state[p]["exp_avg"]).all()


def test_a_state_of_another_kind_is_named_whole() -> None:
    adam = Adam([p := Parameter(np.zeros(2))])
    moved_once(adam, p)
    wanted = "the saved state holds step, exp_avg, exp_avg_sq, but SGD keeps momentum_buffer"
    with pytest.raises(ValueError, match=f"^{wanted}$"):
        SGD([p]).load_state_dict(adam.state_dict())


# Clipping


@given(st.floats(0.01, 1e3), st.floats(1.01, 100))
def test_gradients_within_the_norm_keep_every_bit(size: float, room: float) -> None:
    p = Parameter(np.zeros(5))
    p.grad = np.random.default_rng(0).normal(size=5) * size
    before = p.grad.copy()
    norm = clip_grad_norm_([p], float(np.linalg.norm(before)) * room)
    assert norm == pytest.approx(np.linalg.norm(before))
    assert (p.grad == before).all()


def test_clipped_gradients_are_scaled_by_pytorchs_factor() -> None:
    """max_norm / (norm + 1e-6): it shows where norms are small."""
    p = Parameter(np.zeros(2))
    p.grad = np.array([3e-6, 4e-6])
    assert clip_grad_norm_([p], 3e-6) == pytest.approx(5e-6)
    np.testing.assert_allclose(p.grad, [1.5e-6, 2e-6])


def test_a_parameter_alone_is_clipped_as_in_a_list() -> None:
    for clip in (clip_grad_norm_, clip_grad_value_):
        alone, listed = Parameter(np.zeros((2, 3))), Parameter(np.zeros((2, 3)))
        alone.grad, listed.grad = (np.arange(6.0).reshape(2, 3) for _ in range(2))
        assert clip(alone, 1.5) == clip([listed], 1.5)
        np.testing.assert_array_equal(alone.grad, listed.grad)
        assert np.abs(alone.grad).max() <= 1.5


def test_finite_gradients_of_infinite_norm_are_blamed_on_all_parameters() -> None:
    p = Parameter(np.zeros(2))
    p.grad = np.full(2, 1e200)
    wanted = "the gradient of all parameters together is not finite: its norm is inf"
    with np.errstate(over="ignore"), pytest.raises(RuntimeError, match=f"^{wanted}$"):
        clip_grad_norm_([p], 1.0)


def test_a_tensor_without_a_name_is_named_by_its_number() -> None:
    good, bad = (Tensor(np.zeros(2), requires_grad=True) for _ in range(2))
    good.grad, bad.grad = np.ones(2), np.array([1, np.nan])
    wanted = "the gradient of parameter 1 is not finite: it cannot be clipped"
    with pytest.raises(RuntimeError, match=f"^{wanted}$"):
        clip_grad_value_([good, bad], 1.0)


# Schedules


@given(st.sampled_from(sorted(SCHEDULES)), st.floats(1e-6, 1), st.integers(0, 50))
def test_the_first_step_behind_the_warm_up_has_exactly_the_highest_rate(
    name: str, max_lr: float, warmup: int
) -> None:
    assert SCHEDULES[name](warmup, max_lr, max_lr / 10, warmup, warmup + 7) == max_lr


@given(st.sampled_from(["linear", "cosine", "wsd"]), st.integers(0, 50), st.integers(1, 50))
def test_a_schedule_that_falls_has_its_lowest_rate_at_the_end(
    name: str, warmup: int, behind: int
) -> None:
    end = warmup + behind
    settings: dict[str, Any] = {"max_lr": 1.0, "min_lr": 0.125, "warmup_steps": warmup}
    assert SCHEDULES[name](end, **settings, total_steps=end) == pytest.approx(0.125, abs=1e-15)
