"""Inside: what the layers know, and what the heads look at."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def lens_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([1.0, 0.5]), np.eye(3, 2)
    yield np.array([[0.0, 10.0]]), np.array([5.0, 1.0]), np.array([[1.0, 0.0], [0.0, 1.0]])
    yield rng.normal(size=(4, 8)), rng.normal(size=8), rng.normal(size=(5, 8))


@exercise(
    "inside.logit_lens",
    title="The logit lens",
    minutes=10,
    difficulty=2,
    todo="normalise each layer's stream as the model does at its end, then unembed it",
    hint="x / √(mean(x²) + 1e-5) · weight, and then @ unembed.T.",
    cases=lens_cases,
    mistakes=(
        (
            "normed = stream / np.sqrt((stream**2).mean(axis=-1, keepdims=True) + 1e-5) * weight",
            "normed = stream",
            "the last norm is missing: the unembedding reads normalised vectors",
        ),
        (" * weight", "", "the norm's weight is missing"),
        ("(stream**2).mean(axis=-1, keepdims=True)", "(stream**2).mean()", "each layer by itself"),
        (
            "return normed @ unembed.T",
            "return (normed @ unembed.T).argmax(axis=-1)",
            "return the scores of all tokens, not the best one",
        ),
    ),
)
def logit_lens(stream: np.ndarray, weight: np.ndarray, unembed: np.ndarray) -> np.ndarray:
    """(L, C), (C,), (V, C) -> (L, V): what one token's stream would say if it ended at each layer.

    RMSNorm with the final norm's `weight` and eps = 1e-5, then a score for every token of the
    vocabulary (nostalgebraist 2020).

    >>> logit_lens(np.array([[3.0, 3.0]]), np.array([1.0, 2.0]), np.eye(2)).round(3)
    array([[1., 2.]])
    """
    normed = stream / np.sqrt((stream**2).mean(axis=-1, keepdims=True) + 1e-5) * weight
    return normed @ unembed.T


def attention_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    for T in (4, 2, 8):
        weights = np.tril(rng.random((T, T)))
        yield (weights / weights.sum(axis=1, keepdims=True),)


@exercise(
    "inside.previous_token",
    title="Find a previous-token head",
    minutes=5,
    difficulty=1,
    todo="average weights[t, t - 1] over all tokens but the first",
    hint="np.diagonal(weights, offset=-1) is the line just below the diagonal.",
    cases=attention_cases,
    mistakes=(
        ("offset=-1", "offset=0", "that is how much tokens look at themselves: one to the left"),
        ("offset=-1", "offset=1", "rows are queries: the line below the diagonal, offset=-1"),
        (".mean()", ".sum()", "you summed: take the mean"),
        (".mean()", ".sum() / len(weights)", "the first token has none before it: divide by T - 1"),
    ),
)
def previous_token_score(weights: np.ndarray) -> float:
    """(T, T), T >= 2 -> how much a head looks at the token just before, on average: 0 to 1.

    `weights[t, s]` is how much token t looks at token s.

    >>> previous_token_score(np.array([[1.0, 0.0], [0.75, 0.25]]))
    0.75
    """
    return float(np.diagonal(weights, offset=-1).mean())


def induction_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    for period, T in ((3, 6), (1, 2), (4, 12)):
        weights = np.tril(rng.random((T, T)))
        yield weights / weights.sum(axis=1, keepdims=True), period


@exercise(
    "inside.induction",
    title="Find an induction head",
    minutes=15,
    difficulty=3,
    todo="average weights[t, t - period + 1] over the tokens that were seen before",
    hint="Token t stood at t - period before. What followed it there stands one to the right.",
    cases=induction_cases,
    mistakes=(
        (
            "t - period + 1",
            "t - period",
            "that is the same token's earlier place: an induction head looks one behind it",
        ),
        ("t - period + 1", "t - period - 1", "one to the left is what came before it: + 1"),
        (
            "range(period, T)",
            "range(period - 1, T)",
            "in the first round nothing was seen before: begin at t = period",
        ),
        ("np.mean(", "np.sum(", "you summed: take the mean"),
        (
            "range(period, T)",
            "range(period, 2 * period)",
            "go on to the end, not only the second round",
        ),
    ),
)
def induction_score(weights: np.ndarray, period: int) -> float:
    """(T, T) -> how much a head looks at what followed the token's last occurrence: 0 to 1.

    The text repeats with `period`: token t is the same as token t - period. The mean is over all
    t >= period (Olsson 2022).

    >>> induction_score(np.array([[1.0, 0.0], [0.25, 0.75]]), 1)
    0.75
    """
    T = len(weights)
    return float(np.mean([weights[t, t - period + 1] for t in range(period, T)]))
