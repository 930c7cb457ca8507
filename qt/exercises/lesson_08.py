"""Optimizers: momentum, Adam, clipping, the learning rate's way."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def momentum_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([1.0, 2.0]), np.array([0.5, -1.0]), np.array([2.0, 4.0]), 0.1, 0.9
    yield np.array([1.0]), np.array([3.0]), np.array([0.0]), 0.1, 0.0
    yield (*(rng.normal(size=(2, 3)) for _ in "wgv"), 0.01, 0.5)


@exercise(
    "optimizers.momentum",
    title="A step with momentum",
    minutes=5,
    difficulty=1,
    todo="v becomes momentum·v + g, and w moves by -lr·v; return both",
    hint="The new v moves w, not the old one and not g. Make new arrays: no += on what you got.",
    cases=momentum_cases,
    mistakes=(
        (
            "momentum * v + g",
            "momentum * v + (1 - momentum) * g",
            "you damped the gradient by 1 - momentum: PyTorch's SGD adds all of g",
        ),
        ("w - lr * v, v", "w - lr * g, v", "you moved along g: v, the running sum, moves w"),
        ("w - lr * v", "w + lr * v", "you went uphill: take lr·v off"),
        ("momentum * v + g", "momentum * v - g", "the sign of g is wrong in v"),
        (
            "v = momentum * v + g\n    return w - lr * v, v",
            "return w - lr * v, momentum * v + g",
            "you moved along the old v: make the new one first",
        ),
        (
            "v = momentum * v + g\n    return w - lr * v, v",
            "v = momentum * v + lr * g\n    return w - v, v",
            "the learning rate is inside v: that differs from PyTorch when lr changes",
        ),
    ),
)
def sgd_step(
    w: np.ndarray, g: np.ndarray, v: np.ndarray, lr: float, momentum: float
) -> tuple[np.ndarray, np.ndarray]:
    """One step of SGD with momentum: the new weights w and the new velocity v.

    v ← momentum · v + g, then w ← w - lr · v (PyTorch's form). The inputs stay as they are.

    >>> sgd_step(np.array([1.0]), np.array([4.0]), np.array([2.0]), lr=0.5, momentum=0.5)
    (array([-1.5]), array([5.]))
    """
    v = momentum * v + g
    return w - lr * v, v


def adam_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    zero = np.zeros(2)
    yield np.array([1.0, 2.0]), np.array([0.5, -4.0]), zero, zero, 1, 0.1, 0.9, 0.99, 0.1
    yield np.ones(2), zero, zero, zero, 1, 0.1, 0.9, 0.99, 1e-8
    w, g, m = (rng.normal(size=(2, 3)) for _ in "wgm")
    yield w, g, m, rng.random((2, 3)), 7, 0.001, 0.9, 0.999, 1e-8


@exercise(
    "optimizers.adam",
    title="A step of Adam",
    minutes=15,
    difficulty=3,
    todo="update m and v, correct both for their start at zero, and move w",
    hint="The corrected m / (1 - beta1**t) is used for the step, but the plain m is kept.",
    cases=adam_cases,
    mistakes=(
        (
            "m / (1 - beta1**t), v / (1 - beta2**t)",
            "m, v",
            "the bias correction is missing: divide m by 1 - beta1ᵗ and v by 1 - beta2ᵗ",
        ),
        ("(np.sqrt(v_hat) + eps)", "np.sqrt(v_hat + eps)", "eps stands outside the root"),
        ("(1 - beta2) * g**2", "(1 - beta2) * g", "v averages the squares g²"),
        (", m, v\n", ", m_hat, v_hat\n", "you kept the corrected means: keep the plain m and v"),
        ("/ (np.sqrt(v_hat) + eps)", "/ (v_hat + eps)", "divide by the root of v, not by v"),
        ("beta1 * m + (1 - beta1) * g", "beta1 * m + g", "g counts by 1 - beta1 in m"),
    ),
)
def adam_step(
    w: np.ndarray,
    g: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    t: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Step t of Adam, counted from 1: the new w, m and v (Kingma & Ba 2015, algorithm 1).

    m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ),
    w ← w - lr · m̂ / (√v̂ + eps). The inputs stay as they are.

    >>> one, zero = np.array([1.0]), np.array([0.0])
    >>> adam_step(one, 4 * one, zero, zero, t=1, lr=0.5, beta1=0.5, beta2=0.5, eps=0.0)
    (array([0.5]), array([2.]), array([8.]))
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


def clip_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield [np.array([3.0, 0.0]), np.array([[4.0, 12.0]])], 1.0
    yield [np.array([0.3, 0.4])], 1.0
    yield [np.zeros(2)], 1.0
    yield [rng.normal(size=(4, 3)), rng.normal(size=3)], 0.5


@exercise(
    "optimizers.clip",
    title="Clip by the norm of all gradients",
    minutes=10,
    difficulty=2,
    todo="scale all gradients by max_norm / norm when the norm of all together is larger",
    hint="The norm is the root of the sum of all squares of all arrays: one number.",
    cases=clip_cases,
    mistakes=(
        (
            "[g * scale for g in gradients]",
            "[g * min(1.0, max_norm / np.sqrt((g**2).sum())) for g in gradients]",
            "you clipped each array by itself: one norm, of all together, keeps the direction",
        ),
        (
            "min(1.0, max_norm / norm)",
            "max_norm / norm",
            "you scaled small gradients up: only down",
        ),
        (
            "gradients], norm",
            "gradients], norm * scale",
            "return the norm from before the clipping",
        ),
        (
            "[g * scale for g in gradients]",
            "[np.clip(g, -max_norm, max_norm) for g in gradients]",
            "you cut the entries: scale whole arrays, so that the direction stays",
        ),
        (
            "math.sqrt(sum(float((g**2).sum()) for g in gradients))",
            "sum(float((g**2).sum()) for g in gradients)",
            "the root is missing: the norm is √(sum of squares)",
        ),
    ),
)
def clip_by_norm(gradients: list[np.ndarray], max_norm: float) -> tuple[list[np.ndarray], float]:
    """New gradients whose norm, all together, is at most `max_norm`; and the norm before.

    Gradients that are short enough stay what they are, zero ones too.

    >>> clip_by_norm([np.array([3.0]), np.array([4.0])], 2.5)
    ([array([1.5]), array([2.])], 5.0)
    """
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
    scale = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return [g * scale for g in gradients], norm


@exercise(
    "optimizers.cosine",
    title="Warm-up, then half a cosine",
    minutes=10,
    difficulty=2,
    todo="rise over warmup_steps, fall along a cosine to min_lr, and stay there",
    hint="After the warm-up, progress = (step - warmup) / (total - warmup) runs from 0 to 1.",
    cases=lambda rng: (
        [(step, 1.0, 0.1, 4, 20) for step in (0, 3, 4, 8, 12, 19, 20, 50)] + [(0, 1.0, 0.1, 0, 10)]
    ),
    mistakes=(
        (
            "(step + 1) / (warmup_steps + 1)",
            "step / warmup_steps",
            "the first step has rate 0 and is wasted: (step + 1) / (warmup_steps + 1)",
        ),
        (
            "(step - warmup_steps) / (total_steps - warmup_steps)",
            "step / total_steps",
            "the cosine begins where the warm-up ends: count from warmup_steps",
        ),
        (
            "min_lr + (max_lr - min_lr) * (1",
            "min_lr + max_lr * (1",
            "the way down is max_lr - min_lr long: the sum begins above max_lr",
        ),
        (" / 2\n", "\n", "half of it is missing: 1 + cos runs from 2 to 0"),
        (
            "    if step >= total_steps:\n        return min_lr\n",
            "",
            "behind total_steps the rate rises again: stay at min_lr",
        ),
        ("(1 + math.cos", "(1 - math.cos", "you go from min_lr up: it is 1 + cos"),
    ),
)
def cosine_with_warmup(
    step: int, max_lr: float, min_lr: float, warmup_steps: int, total_steps: int
) -> float:
    """The learning rate of `step`, counted from 0.

    Before `warmup_steps` (w): max · (step + 1) / (w + 1). From `total_steps` on: min. Between the
    two: min + (max - min) · (1 + cos(π p)) / 2 with p = (step - w) / (total - w).

    >>> cosine_with_warmup(0, 1.0, 0.0, 3, 10)
    0.25
    """
    if step < warmup_steps:
        return max_lr * (step + 1) / (warmup_steps + 1)
    if step >= total_steps:
        return min_lr
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2
