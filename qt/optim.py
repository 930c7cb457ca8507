"""How weights move: optimizers, gradient clipping, learning-rate schedules.

The optimizers have PyTorch's names, arguments, defaults and arithmetic, to the last digit but
rounding. Each keeps `param_groups`: a list of dicts with `params` and that group's own settings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from qt.nn import Module, Parameter
from qt.tensor import Array, Tensor

Params = Iterable[Tensor] | Iterable[dict[str, Any]]


class Optimizer:
    """Base class: parameter groups, state for each parameter, `step` over those with a gradient."""

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError("give the optimizer a list of parameters, not a single one: [p]")
        groups: list[Any] = list(params)
        if not groups:
            raise ValueError("the optimizer got no parameters")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.param_groups: list[dict[str, Any]] = []
        for group in groups:
            if unknown := sorted(group.keys() - defaults.keys() - {"params"}):
                raise ValueError(
                    f"unknown settings {', '.join(unknown)}; known are {', '.join(defaults)}"
                )
            self.param_groups.append({**defaults, **group, "params": list(group["params"])})
        for group in self.param_groups:
            for name in ("lr", "weight_decay", "momentum", "eps"):
                if not group.get(name, 0) >= 0:
                    raise ValueError(f"{name} must not be negative, but is {group[name]}")
            for beta in group.get("betas", ()):
                if not 0 <= beta < 1:
                    raise ValueError(f"betas must be in [0, 1), not {group['betas']}")
        members = [p for group in self.param_groups for p in group["params"]]
        if len(set(members)) != len(members):
            raise ValueError("a parameter stands in the optimizer twice")
        self.state: dict[Tensor, dict[str, Any]] = {}

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
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """`state`: a dict for each parameter by its number; `param_groups`: settings, numbers."""
        number: dict[Tensor, int] = {}
        groups = []
        for group in self.param_groups:
            for parameter in group["params"]:
                number[parameter] = len(number)
            settings = {key: value for key, value in group.items() if key != "params"}
            groups.append({**settings, "params": [number[p] for p in group["params"]]})
        return {
            "state": {number[parameter]: dict(state) for parameter, state in self.state.items()},
            "param_groups": groups,
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` gave. Raises `ValueError` when the parameters differ."""
        sizes = [len(group["params"]) for group in self.param_groups]
        saved_sizes = [len(group["params"]) for group in saved["param_groups"]]
        if sizes != saved_sizes:
            raise ValueError(
                f"the saved optimizer has groups of {saved_sizes} parameters, this one of {sizes}"
            )
        members = [p for group in self.param_groups for p in group["params"]]
        for i, state in saved["state"].items():
            for name, value in state.items():
                shape, expected = np.shape(value), members[int(i)].shape
                if shape not in ((), expected):
                    raise ValueError(
                        f"saved {name} of parameter {i} has shape {shape}, "
                        f"but the parameter {expected}"
                    )
        for group, settings in zip(self.param_groups, saved["param_groups"], strict=True):
            group.update({key: value for key, value in settings.items() if key != "params"})
        self.state = {
            members[int(i)]: {
                name: np.array(value, members[int(i)].dtype) if np.ndim(value) else value
                for name, value in state.items()
            }
            for i, state in saved["state"].items()
        }


class SGD(Optimizer):
    """w ← w - lr v with v ← μ v + g (Sutskever et al. 2013, in PyTorch's form).

    Without momentum v is g. Nesterov's form steps along g + μ v. `weight_decay` adds λ w to g.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and momentum <= 0:
            raise ValueError("Nesterov's step needs momentum > 0")
        super().__init__(
            params,
            {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "nesterov": nesterov},
        )

    def update(self, parameter: Tensor, gradient: Array, group: dict[str, Any]) -> None:
        w, g, momentum = parameter.data, gradient, group["momentum"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * w
        if momentum:
            state = self.state.setdefault(parameter, {"momentum_buffer": np.zeros_like(w)})
            v = state["momentum_buffer"]
            v *= momentum
            v += g
            g = g + momentum * v if group["nesterov"] else v
        w -= group["lr"] * g


class Adam(Optimizer):
    """w ← w - lr m̂ / (√v̂ + ε): running means of g and g², corrected for their start at zero.

    m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)
    (Kingma & Ba 2015, algorithm 1). `weight_decay` is L2: λ w is added to g.
    """

    decoupled = False

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay}
        )

    def update(self, parameter: Tensor, gradient: Array, group: dict[str, Any]) -> None:
        w, g, lr = parameter.data, gradient, group["lr"]
        beta1, beta2 = group["betas"]
        if parameter not in self.state:
            self.state[parameter] = {
                "step": 0, "exp_avg": np.zeros_like(w), "exp_avg_sq": np.zeros_like(w)
            }  # fmt: skip
        state = self.state[parameter]
        state["step"] += 1
        t, m, v = state["step"], state["exp_avg"], state["exp_avg_sq"]
        if group["weight_decay"]:
            if self.decoupled:
                w *= 1 - lr * group["weight_decay"]
            else:
                g = g + group["weight_decay"] * w
        m *= beta1
        m += (1 - beta1) * g
        v *= beta2
        v += (1 - beta2) * (g * g)
        change = np.asarray(np.sqrt(v))  # one buffer, worked through in place
        change /= math.sqrt(1 - beta2**t)
        change += group["eps"]
        np.divide(m, change, out=change)
        change *= lr / (1 - beta1**t)
        w -= change


class AdamW(Adam):
    """Adam with decoupled decay: w ← w (1 - lr λ) before the step (Loshchilov & Hutter 2019)."""

    decoupled = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)


def decay_groups(model: Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups: matrices with weight decay, vectors (norm weights, biases) without."""
    parameters = model.parameters()
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def clip_grad_norm_(parameters: Iterable[Tensor] | Tensor, max_norm: float) -> float:
    """Scale all gradients together so that their common L2 norm is at most `max_norm`.

    Returns the norm before clipping. The direction of the step stays (Pascanu et al. 2013).
    """
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(float(np.linalg.norm(g.reshape(-1))) ** 2 for g in gradients))
    scale = max_norm / (norm + 1e-6)
    if scale < 1:
        for g in gradients:
            g *= scale
    return norm


def cosine_with_warmup(
    step: int, max_lr: float, min_lr: float, warmup_steps: int, total_steps: int
) -> float:
    """Learning rate of `step`, counted from 0: up in a line, down along half a cosine.

    step < w: max (step + 1)/(w + 1); then min + ½ (max - min)(1 + cos(π (step - w)/(total - w)));
    from `total_steps` on: min (Loshchilov & Hutter 2017, with a warm-up).
    """
    if step < warmup_steps:
        return max_lr * (step + 1) / (warmup_steps + 1)
    if step >= total_steps:
        return min_lr
    done = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * done))


def first_bad_gradient(parameters: Iterable[Parameter]) -> str | None:
    """The name of the first parameter whose gradient holds NaN or infinity, or None."""
    for i, p in enumerate(parameters):
        if p.grad is not None and not np.isfinite(p.grad).all():
            return p.name or f"parameter {i}"
    return None
