"""How weights move: optimizers, gradient clipping, learning-rate schedules.

The optimizers have PyTorch's names, arguments, defaults and arithmetic; each keeps `param_groups`,
a list of dicts with `params` and that group's own settings.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from qt.nn import Module
from qt.tensor import Array, Tensor

Params = Iterable[Tensor] | Iterable[dict[str, Any]]


class Optimizer:
    """Base class: parameter groups, state for each parameter, `step` over those with a gradient."""

    buffers: tuple[str, ...] = ()  # what the state of a parameter may hold

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("give the optimizer a list of parameters, not a single one: [p]")
        given: list[Any] = list(params)
        if not given:
            raise ValueError("the optimizer got no parameters")
        self.param_groups: list[dict[str, Any]] = []
        groups: list[dict[str, Any]] = given if isinstance(given[0], dict) else [{"params": given}]
        for group in groups:
            if "params" not in group:
                raise ValueError(f'a parameter group needs "params", but has {list(group)}')
            if unknown := sorted(group.keys() - defaults.keys() - {"params"}):
                known = ", ".join(defaults)
                raise ValueError(f"unknown settings {', '.join(unknown)}; known are {known}")
            group = {**defaults, **group, "params": list(group["params"])}
            for name in ("lr", "weight_decay", "momentum", "dampening", "eps"):
                if not group.get(name, 0) >= 0:
                    raise ValueError(f"{name} must not be negative, but is {group[name]}")
            if not all(0 <= beta < 1 for beta in group.get("betas", ())):
                raise ValueError(f"betas must be in [0, 1), not {group['betas']}")
            self.param_groups.append(group)
        members = list(self._members())
        if odd := [p for p in members if not isinstance(p, Tensor)]:
            raise TypeError(f"an optimizer moves Tensors, not {type(odd[0]).__name__}")
        if len(set(members)) != len(members):
            raise ValueError("a parameter stands in the optimizer twice")
        self.state: dict[Tensor, dict[str, Any]] = {}

    def _members(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    def update(self, parameter: Tensor, gradient: Array, group: dict[str, Any]) -> None:
        """Move one parameter in place."""
        raise NotImplementedError

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self.update(parameter, parameter.grad, group)

    def zero_grad(self) -> None:
        """Forget all gradients: set them to None, as PyTorch does."""
        for parameter in self._members():
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """`state`: a dict for each parameter by its number; `param_groups`: settings, numbers."""
        number = {parameter: i for i, parameter in enumerate(self._members())}
        groups = [{**g, "params": [number[p] for p in g["params"]]} for g in self.param_groups]
        return {"state": {number[p]: {**s} for p, s in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` gave. `ValueError` when the parameters or kinds differ."""
        ours, theirs = (
            [len(group["params"]) for group in groups]
            for groups in (self.param_groups, saved["param_groups"])
        )
        if ours != theirs:
            raise ValueError(f"the saved groups have {theirs} parameters, this one's {ours}")
        members, state = list(self._members()), {}
        for i, entry in saved["state"].items():
            p = members[int(i)]
            if set(entry) != set(self.buffers):
                kept = f"{type(self).__name__} keeps {', '.join(self.buffers)}"
                raise ValueError(f"the saved state holds {', '.join(entry)}, but {kept}")
            if wrong := {np.shape(value) for value in entry.values()} - {(), p.shape}:
                raise ValueError(f"saved parameter {i} has shape {wrong.pop()}, but ours {p.shape}")
            state[p] = {k: v if k == "step" else np.array(v, p.dtype) for k, v in entry.items()}
        for group, settings in zip(self.param_groups, saved["param_groups"], strict=True):
            group.update({key: value for key, value in settings.items() if key != "params"})
        self.state = state


class SGD(Optimizer):
    """w ← w - lr v with v ← μ v + (1 - d) g (Sutskever et al. 2013, in PyTorch's form).

    Without momentum μ v is g; the first v is g whole, whatever the dampening d. Nesterov's form
    steps along g + μ v. `weight_decay` adds λ w to g.
    """

    buffers = ("momentum_buffer",)

    def __init__(
        self, params: Params, lr: float = 1e-3, momentum: float = 0.0, dampening: float = 0.0,
        weight_decay: float = 0.0, nesterov: bool = False,
    ) -> None:  # fmt: skip
        if nesterov and (momentum <= 0 or dampening):
            raise ValueError("Nesterov's step needs momentum > 0 and no dampening")
        defaults = {"lr": lr, "momentum": momentum, "dampening": dampening}
        super().__init__(params, {**defaults, "weight_decay": weight_decay, "nesterov": nesterov})

    def update(self, parameter: Tensor, gradient: Array, group: dict[str, Any]) -> None:
        w, g, momentum = parameter.data, gradient, group["momentum"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * w
        if momentum:
            if parameter in self.state:
                v = self.state[parameter]["momentum_buffer"]
                v *= momentum
                v += (1 - group["dampening"]) * g
            else:
                v = np.array(g)
                self.state[parameter] = {"momentum_buffer": v}
            g = g + momentum * v if group["nesterov"] else v
        w -= group["lr"] * g


class Adam(Optimizer):
    """w ← w - lr m̂ / (√v̂ + ε): running means of g and g², corrected for their start at zero.

    m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)
    (Kingma & Ba 2015, algorithm 1). `weight_decay` is L2: λ w is added to g.
    """

    buffers = ("step", "exp_avg", "exp_avg_sq")
    decoupled = False

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        defaults = {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)

    def update(self, parameter: Tensor, gradient: Array, group: dict[str, Any]) -> None:
        w, g, lr = parameter.data, gradient, group["lr"]
        beta1, beta2 = group["betas"]
        if parameter not in self.state:
            start = {"step": 0, "exp_avg": np.zeros_like(w), "exp_avg_sq": np.zeros_like(w)}
            self.state[parameter] = start
        self.state[parameter]["step"] += 1
        t, m, v = (self.state[parameter][name] for name in self.buffers)
        if group["weight_decay"] and self.decoupled:
            w *= 1 - lr * group["weight_decay"]
        elif group["weight_decay"]:
            g = g + group["weight_decay"] * w
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * (g * g)
        unbias = math.sqrt(1 - beta2**t)
        change = np.asarray(np.sqrt(v))  # one buffer, worked through in place
        change += group["eps"] * unbias
        np.divide(m, change, out=change)
        change *= lr * unbias / (1 - beta1**t)
        w -= change


class AdamW(Adam):
    """Adam with decoupled decay: w ← w (1 - lr λ) before the step (Loshchilov & Hutter 2019)."""

    decoupled = True

    def __init__(
        self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8, weight_decay: float = 0.01,
    ) -> None:  # fmt: skip
        super().__init__(params, lr, betas, eps, weight_decay)


def decay_groups(model: Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups: matrices with weight decay, vectors (norm weights, biases) without."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = (matrices, weight_decay), (vectors, 0.0)
    return [{"params": params, "weight_decay": decay} for params, decay in groups if params]


def clip_grad_norm_(
    parameters: Iterable[Tensor] | Tensor, max_norm: float, error_if_nonfinite: bool = True
) -> float:
    """Scale all gradients to a common L2 norm of at most `max_norm`; return the norm before.

    The direction of the step stays (Pascanu et al. 2013). `RuntimeError` that names the first
    parameter whose gradient is NaN or infinite.
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
    if error_if_nonfinite and not math.isfinite(norm):
        bad = first_bad_gradient(parameters) or "all parameters together"
        raise RuntimeError(f"the gradient of {bad} is not finite: its norm is {norm}")
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in gradients:
            g *= scale
    return norm


def clip_grad_value_(parameters: Iterable[Tensor] | Tensor, clip_value: float) -> None:
    """Cut every gradient off at ±`clip_value`, one by one. `RuntimeError` as `clip_grad_norm_`."""
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if bad := first_bad_gradient(parameters):
        raise RuntimeError(f"the gradient of {bad} is not finite: it cannot be clipped")
    for p in parameters:
        if p.grad is not None:
            np.clip(p.grad, -clip_value, clip_value, out=p.grad)


def first_bad_gradient(parameters: Iterable[Tensor]) -> str | None:
    """The name of the first parameter whose gradient holds NaN or infinity, or None."""
    named = ((getattr(p, "name", "") or f"parameter {i}", p.grad) for i, p in enumerate(parameters))
    return next((name for name, g in named if g is not None and not np.isfinite(g).all()), None)


# How high the learning rate stands between min (0) and max (1) behind the warm-up, which is `done`
# of the way, 0 to 1, to `total_steps`.
SHAPES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),  # Loshchilov & Hutter 2017
    "wsd": lambda done: min(1.0, 5 - 5 * done),  # warm-up, stable, decay: Hu et al. 2024
}


def scheduled(
    shape: str, step: int, max_lr: float, min_lr: float, warmup_steps: int, total_steps: int
) -> float:
    """The rate of `step`, from 0: max (step + 1)/(w + 1) while step < w; then its shape to min.

    "inverse_sqrt" goes on as max √((w + 1)/(step + 1)) (Vaswani et al. 2017), at least `min_lr`.
    """
    if step < warmup_steps:
        return max_lr * (step + 1) / (warmup_steps + 1)
    if shape == "inverse_sqrt":
        return max(min_lr, max_lr * math.sqrt((warmup_steps + 1) / (step + 1)))
    height = SHAPES[shape](min(1.0, (step - warmup_steps) / max(total_steps - warmup_steps, 1)))
    return max_lr * height + min_lr * (1 - height)


SCHEDULES = {name: functools.partial(scheduled, name) for name in (*SHAPES, "inverse_sqrt")}


def cosine_with_warmup(
    step: int, max_lr: float, min_lr: float, warmup_steps: int, total_steps: int
) -> float:
    """Up in a line, then down along half a cosine: min + ½ (max - min)(1 + cos(π done))."""
    return scheduled("cosine", step, max_lr, min_lr, warmup_steps, total_steps)
