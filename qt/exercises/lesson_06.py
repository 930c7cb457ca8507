"""Blocks: norms, the gate, the residual stream."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def rms_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([1.0, 2.0]), 0.1
    yield np.zeros((1, 3)), np.ones(3), 1e-5
    yield rng.normal(size=(2, 3, 4)), rng.normal(size=4), 1e-5
    yield rng.normal(size=(2, 4)).astype(np.float32), np.ones(4, dtype=np.float32), 1e-5


@exercise(
    "blocks.rms_norm",
    title="RMSNorm",
    minutes=5,
    difficulty=1,
    todo="divide x by the root of its mean square plus eps, times weight",
    hint="(x**2).mean(axis=-1, keepdims=True) is the mean square of each token.",
    cases=rms_cases,
    mistakes=(
        (
            "np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)",
            "(np.sqrt((x**2).mean(axis=-1, keepdims=True)) + eps)",
            "eps stands under the root",
        ),
        (".mean(", ".sum(", "you summed the squares: take their mean"),
        (
            "x / np.sqrt((x**2)",
            "(x - x.mean(axis=-1, keepdims=True)) / np.sqrt(((x - x.mean(-1, keepdims=True))**2)",
            "you took the mean off: that is LayerNorm, RMSNorm only divides",
        ),
        (" * weight", "", "the weight is missing"),
        ("(axis=-1, keepdims=True)", "()", "each token has its own root mean square: axis=-1"),
    ),
)
def rms_norm(x: np.ndarray, weight: np.ndarray, eps: float) -> np.ndarray:
    """(…, C), (C,) -> (…, C): x / √(mean(x²) + eps) · weight, the mean over C (Zhang 2019).

    >>> rms_norm(np.array([1.0, 7.0]), np.array([1.0, 1.0]), 0.0)
    array([0.2, 1.4])
    """
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * weight


def layer_norm_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([[1.0, 3.0], [0.0, 8.0]]), np.array([1.0, 2.0]), np.array([0.5, 0.0]), 0.1
    yield np.full((1, 3), 7.0), np.ones(3), np.zeros(3), 1e-5
    yield rng.normal(size=(2, 3, 4)), rng.normal(size=4), rng.normal(size=4), 1e-5


@exercise(
    "blocks.layer_norm",
    title="LayerNorm",
    minutes=5,
    difficulty=1,
    todo="take the mean off, divide by the root of variance plus eps, times weight, plus bias",
    hint="The variance is the mean of (x - mean)²: divide by C, not by C - 1.",
    cases=layer_norm_cases,
    mistakes=(
        (
            "keepdims=True) + eps)",
            "keepdims=True, ddof=1) + eps)",
            "you divided by C - 1, not by C",
        ),
        (
            "np.sqrt(x.var(axis=-1, keepdims=True) + eps)",
            "(x.std(axis=-1, keepdims=True) + eps)",
            "eps stands under the root, with the variance",
        ),
        ("axis=-1", "axis=0", "you normalised over the tokens: each token by itself, axis=-1"),
        ("(x - mean)", "x", "you did not take the mean off"),
        (" + bias", "", "the bias is missing"),
    ),
)
def layer_norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float) -> np.ndarray:
    """(…, C) -> (…, C): (x - mean) / √(variance + eps) · weight + bias, both over C (Ba 2016).

    >>> layer_norm(np.array([1.0, 3.0]), np.array([1.0, 1.0]), np.array([0.0, 5.0]), 0.0)
    array([-1.,  6.])
    """
    mean = x.mean(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axis=-1, keepdims=True) + eps) * weight + bias


def swiglu_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([[2.0]]), np.array([[1.0]]), np.array([[3.0]]), np.array([[0.5]])
    x, gate, up, down = (rng.normal(size=s) for s in ((3, 4), (8, 4), (8, 4), (4, 8)))
    yield np.zeros((1, 4)), gate, up, down
    yield x, gate, up, down


@exercise(
    "blocks.swiglu",
    title="The gated feed-forward",
    minutes=10,
    difficulty=2,
    todo="return (silu(x gateᵀ) · (x upᵀ)) downᵀ",
    hint="silu(z) = z · sigmoid(z) = z / (1 + exp(-z)). Weights are (out, in): x @ weight.T.",
    cases=swiglu_cases,
    mistakes=(
        ("z / (1", "1 / (1", "you used the sigmoid: silu is z times the sigmoid of z"),
        (
            "(silu * (x @ up.T)) @ down.T",
            "((x @ gate.T) * (x @ up.T) / (1 + np.exp(-(x @ up.T)))) @ down.T",
            "you put the silu on up: it belongs on gate",
        ),
        ("silu * (x @ up.T)", "silu + (x @ up.T)", "the gate multiplies, it does not add"),
        ("silu * (x @ up.T)", "silu", "up is missing: silu(gate) multiplies it"),
        ("np.exp(-z)", "np.exp(z)", "a sign is wrong: sigmoid(z) = 1 / (1 + exp(-z))"),
    ),
)
def swiglu(x: np.ndarray, gate: np.ndarray, up: np.ndarray, down: np.ndarray) -> np.ndarray:
    """(T, C), (F, C), (F, C), (C, F) -> (T, C): (silu(x gateᵀ) · (x upᵀ)) downᵀ (Shazeer 2020).

    >>> swiglu(np.zeros((1, 1)), np.ones((2, 1)), np.ones((2, 1)), np.ones((1, 2)))
    array([[0.]])
    """
    z = x @ gate.T  # (T, F)
    silu = z / (1 + np.exp(-z))
    return (silu * (x @ up.T)) @ down.T


def block_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    def halve(x: np.ndarray) -> np.ndarray:
        return x / 2

    def add_three(x: np.ndarray) -> np.ndarray:
        return x + 3

    def square(x: np.ndarray) -> np.ndarray:
        return x**2

    yield np.array([[2.0, 4.0]]), halve, add_three, square
    yield np.zeros((1, 2)), np.cos, np.exp, np.sin
    yield rng.normal(size=(3, 4)), np.tanh, np.cos, np.sin


@exercise(
    "blocks.residual",
    title="A pre-norm block",
    minutes=5,
    difficulty=2,
    todo="add attention(norm(x)) to x, then add mlp(norm(x)) to that",
    hint="The stream x itself is never normalised or replaced: it is only added to.",
    cases=block_cases,
    mistakes=(
        (
            "x = x + attention(norm(x))\n    return x + mlp(norm(x))",
            "x = norm(x + attention(x))\n    return norm(x + mlp(x))",
            "you normalised the sum: that is post-norm, the norm goes before each part",
        ),
        ("x = x + attention", "x = attention", "the attention replaced the stream: add it to x"),
        ("return x + mlp", "return mlp", "the feed-forward part replaced the stream: add it to x"),
        (
            "x = x + attention(norm(x))\n    return x + mlp(norm(x))",
            "return x + attention(norm(x)) + mlp(norm(x))",
            "both parts read the same x: the second reads what the first has added to",
        ),
        ("norm(x)", "x", "the norms are missing"),
    ),
)
def block(
    x: np.ndarray,
    norm: "Callable[[np.ndarray], np.ndarray]",
    attention: "Callable[[np.ndarray], np.ndarray]",
    mlp: "Callable[[np.ndarray], np.ndarray]",
) -> np.ndarray:
    """(T, C) -> (T, C): x + attention(norm(x)), and then, of the new x, x + mlp(norm(x)).

    Each of the three functions takes and gives (T, C). `x` stays as it is.

    >>> block(np.ones(1), lambda x: x, lambda x: 2 * x, lambda x: x)
    array([6.])
    """
    x = x + attention(norm(x))
    return x + mlp(norm(x))
