"""Optimizers over 50 steps, clipping and learning-rate schedules, against PyTorch's."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import qt

LIMIT = {np.float64: 1e-10, np.float32: 1e-4}
STEPS = 50
SHAPES = [(4, 3), (5,), (2, 2), ()]

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {},
        {"lr": 0.05},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "momentum": 0.9},
        {"lr": 0.05, "momentum": 0.9, "dampening": 0.3},
        {"lr": 0.05, "momentum": 0.9, "dampening": 1.0, "weight_decay": 0.2},
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        {"lr": 0.0, "momentum": 0.9},
    ],
    "Adam": [
        {},
        {"lr": 0.05},
        {"lr": 0.05, "weight_decay": 0.1},
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3},
        {"lr": 0.01, "betas": (0.0, 0.9)},
        {"lr": 0.01, "betas": (0.9, 0.0)},
        {"lr": 0.3, "eps": 1.0},
    ],
}
SETTINGS["AdamW"] = [*SETTINGS["Adam"], {"lr": 0.05, "weight_decay": 0.0}]
ROWS = [(name, settings) for name in SETTINGS for settings in SETTINGS[name]]


def one_group(parameters: list[Any]) -> list[Any]:
    return parameters


def two_groups(parameters: list[Any]) -> list[Any]:
    return [{"params": parameters[:1], "weight_decay": 0.1, "lr": 0.02}, {"params": parameters[1:]}]


def constant(group: dict[str, Any], step: int) -> None:
    pass


def falling(group: dict[str, Any], step: int) -> None:
    group["lr"] *= 0.95 if step % 2 else 1.0


@pytest.mark.parametrize("dtype", LIMIT, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("change", [constant, falling])
@pytest.mark.parametrize("groups", [one_group, two_groups])
@pytest.mark.parametrize(("name", "settings"), ROWS, ids=[f"{n}-{s}" for n, s in ROWS])
def test_fifty_steps(
    name: str,
    settings: dict[str, Any],
    groups: Callable[[list[Any]], list[Any]],
    change: Callable[[dict[str, Any], int], None],
    dtype: Any,
    parity: Any,
) -> None:
    """Some gradients are missing, and half-way our state goes through a `state_dict`."""
    rng = np.random.default_rng(3)
    arrays = [np.asarray(rng.standard_normal(shape)).astype(dtype) for shape in SHAPES]
    ours = [qt.nn.Parameter(array.copy()) for array in arrays]
    theirs = [torch.nn.Parameter(torch.tensor(array)) for array in arrays]
    optimizer = getattr(qt.optim, name)(groups(ours), **settings)
    reference = getattr(torch.optim, name)(groups(theirs), **settings)
    for step in range(STEPS):
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            if i == 1 and step % 3 == 1:
                p.grad = q.grad = None
                continue
            gradient = np.asarray(rng.standard_normal(p.shape)).astype(dtype)
            p.grad, q.grad = gradient.copy(), torch.tensor(gradient)
        optimizer.step()
        reference.step()
        for group in (*optimizer.param_groups, *reference.param_groups):
            change(group, step)
        if step == STEPS // 2:
            saved = optimizer.state_dict()
            optimizer = getattr(qt.optim, name)(groups(ours), lr=123.0)
            optimizer.load_state_dict(saved)
        for p, q in zip(ours, theirs, strict=True):
            parity.check(name, p, q, f"step {step}", LIMIT[dtype])


def test_decay_groups(parity: Any) -> None:
    """Matrices decay, vectors do not; the gradients are those of a real loss."""
    layer = qt.nn.Linear(4, 3, rng=np.random.default_rng(0)).astype(np.float64)
    weight, bias = (torch.tensor(p.data, requires_grad=True) for p in (layer.weight, layer.bias))
    ours = qt.optim.AdamW(qt.optim.decay_groups(layer, 0.1), lr=0.05, betas=(0.9, 0.99))
    theirs = torch.optim.AdamW(
        [{"params": [weight], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}],
        lr=0.05,
        betas=(0.9, 0.99),
    )
    x = np.random.default_rng(1).standard_normal((8, 4))
    for _ in range(STEPS):
        ours.zero_grad()
        theirs.zero_grad()
        (layer(qt.Tensor(x)) ** 2).sum().backward()
        (torch.nn.functional.linear(torch.tensor(x), weight, bias) ** 2).sum().backward()
        ours.step()
        theirs.step()
    parity.check("decay_groups", layer.weight, weight, limit=1e-10)
    parity.check("decay_groups", layer.bias, bias, limit=1e-10)


def with_gradients(arrays: list[np.ndarray]) -> tuple[list[Any], list[Any]]:
    ours = [qt.nn.Parameter(np.zeros_like(array)) for array in arrays]
    theirs = [torch.nn.Parameter(torch.zeros_like(torch.tensor(array))) for array in arrays]
    for p, q, array in zip(ours, theirs, arrays, strict=True):
        p.grad, q.grad = array.copy(), torch.tensor(array)
    return ours, theirs


rng = np.random.default_rng(5)
GRADIENTS = {
    "usual": [rng.standard_normal((3, 4)), rng.standard_normal(5), np.array(2.0)],
    "small": [rng.standard_normal((3, 4)) * 1e-3],
    "zero": [np.zeros((3, 2))],
    "tiny": [np.full(4, 1e-18)],
    "large": [np.full(4, 1e18), rng.standard_normal(3)],
    "many": [rng.standard_normal(100_000)],
}


@pytest.mark.parametrize("dtype", LIMIT, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("bound", [1.0, 0.01, 0.0, 1e6])
@pytest.mark.parametrize("size", GRADIENTS)
def test_clipping(size: str, bound: float, dtype: Any, parity: Any) -> None:
    arrays = [np.asarray(array, dtype=dtype) for array in GRADIENTS[size]]
    ours, theirs = with_gradients(arrays)
    norm = qt.optim.clip_grad_norm_(ours, bound)
    expected = torch.nn.utils.clip_grad_norm_(theirs, bound)
    parity.check("clip_grad_norm_", dtype(norm), expected)
    for p, q in zip(ours, theirs, strict=True):
        parity.check("clip_grad_norm_", p.grad, q.grad)
    ours, theirs = with_gradients(arrays)
    qt.optim.clip_grad_value_(ours, bound)
    torch.nn.utils.clip_grad_value_(theirs, bound)
    for p, q in zip(ours, theirs, strict=True):
        parity.check("clip_grad_value_", p.grad, q.grad)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_clipping_refuses_what_pytorch_refuses(bad: float) -> None:
    arrays = [np.ones(3), np.array([1.0, bad])]
    ours, theirs = with_gradients(arrays)
    ours[1].name = "layers.0.mlp.up_proj.weight"
    with pytest.raises(RuntimeError):
        torch.nn.utils.clip_grad_norm_(theirs, 1.0, error_if_nonfinite=True)
    for clip in (qt.optim.clip_grad_norm_, qt.optim.clip_grad_value_):
        with pytest.raises(RuntimeError, match=r"layers\.0\.mlp\.up_proj\.weight"):
            clip(ours, 1.0)
        assert all((p.grad == a)[~np.isnan(a)].all() for p, a in zip(ours, arrays, strict=True))


# Schedules. PyTorch's `LinearLR` from 1/(w + 1) to 1 in w steps is our warm-up, (step + 1)/(w + 1).

MAX_LR = 1e-2


def torch_schedule(kind: str, min_lr: float, warmup: int, total: int) -> list[float]:
    """The learning rates of steps 0 … total, from PyTorch's schedulers set one after another."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=MAX_LR)
    end, rest = min_lr / MAX_LR, total - warmup
    decay = rest // 5  # for `wsd`: the last fifth of what follows the warm-up

    def line(start: float, stop: float, steps: int) -> Any:
        return lr_scheduler.LinearLR(optimizer, start, stop, total_iters=steps)

    parts: list[Any] = {
        "constant": lambda: [line(1, 1, rest)],
        "linear": lambda: [line(1, end, rest)],
        "cosine": lambda: [lr_scheduler.CosineAnnealingLR(optimizer, rest, min_lr)],
        "wsd": lambda: [line(1, 1, rest), line(1, end, decay)],
    }[kind]()
    milestones = [total - decay] if kind == "wsd" else []
    if warmup:
        parts = [line(1 / (warmup + 1), 1, warmup), *parts]
        milestones = [warmup, *milestones]
    schedule = lr_scheduler.SequentialLR(optimizer, parts, milestones)
    rates = []
    for _ in range(total + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            # SequentialLR itself calls a scheduler in the way that it warns of
            warnings.filterwarnings("ignore", "The epoch parameter", UserWarning)
            schedule.step()
    return rates


@pytest.mark.parametrize("min_lr", [1e-3, 1e-9])
@pytest.mark.parametrize(("warmup", "total"), [(0, 50), (1, 51), (10, 100), (40, 50), (5, 1000)])
@pytest.mark.parametrize("kind", ["constant", "linear", "cosine", "wsd"])
def test_schedules(kind: str, warmup: int, total: int, min_lr: float, parity: Any) -> None:
    schedule = qt.optim.SCHEDULES[kind]
    ours = [schedule(step, MAX_LR, min_lr, warmup, total) for step in range(total + 1)]
    assert all(type(rate) is float for rate in ours)
    parity.check(f"schedule {kind}", ours, torch_schedule(kind, min_lr, warmup, total), limit=1e-10)


@pytest.mark.parametrize("warmup", [0, 10])
def test_inverse_square_root(warmup: int, parity: Any) -> None:
    ours = [
        qt.optim.SCHEDULES["inverse_sqrt"](step, MAX_LR, 1e-3, warmup, 2000) for step in range(2000)
    ]
    t = np.arange(1, 2001)  # steps counted from 1, as in Vaswani et al. 2017, section 5.3
    peak = warmup + 1
    expected = MAX_LR * np.sqrt(peak) * np.minimum(t**-0.5, t * peak**-1.5)
    expected[warmup:] = np.maximum(expected[warmup:], 1e-3)
    parity.check("schedule inverse_sqrt", ours, expected, limit=1e-10)


def test_every_optimizer_and_schedule_has_a_row() -> None:
    classes = {n for n, c in vars(qt.optim).items() if isinstance(c, type) and hasattr(c, "step")}
    assert classes - {"Optimizer"} == SETTINGS.keys()
    assert qt.optim.SCHEDULES.keys() == {"constant", "linear", "cosine", "wsd", "inverse_sqrt"}
