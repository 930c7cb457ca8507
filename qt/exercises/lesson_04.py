"""Attention: scores, softmax, mask, weighted sum."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def softmax_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield (np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 5.0]]),)
    yield (np.array([[1000.0, 999.0], [-1000.0, -1001.0]]),)
    yield (np.array([[0.0, -np.inf], [2.0, 1.0]]),)
    yield (rng.normal(size=(2, 3, 4)).astype(np.float32),)


@exercise(
    "attention.softmax",
    title="A softmax that does not overflow",
    minutes=10,
    difficulty=1,
    todo="exponentiate each row less its maximum, and divide by the row's sum",
    hint="axis=-1 and keepdims=True keep a length-1 axis, so that the division fits every row.",
    cases=softmax_cases,
    mistakes=(
        (
            "np.exp(scores - scores.max(axis=-1, keepdims=True))",
            "np.exp(scores)",
            "exp overflows above 709: take each row's maximum off first",
        ),
        (
            "exps.sum(axis=-1, keepdims=True)",
            "exps.sum()",
            "you divided by the sum of everything: each row sums to 1 by itself",
        ),
        (
            "exps.sum(axis=-1, keepdims=True)",
            "exps.sum(axis=0, keepdims=True)",
            "your columns sum to 1: the last axis is the one to sum over",
        ),
        (
            "exps.sum(axis=-1, keepdims=True)",
            "exps.sum(axis=-1)",
            "the sums have lost an axis: keepdims=True",
        ),
        (
            "return exps / exps.sum(axis=-1, keepdims=True)",
            "return exps",
            "the rows do not sum to 1: divide by their sums",
        ),
    ),
)
def softmax(scores: np.ndarray) -> np.ndarray:
    """(…, S) -> (…, S): exp(scores) over its sum, along the last axis.

    Scores of 1000 and of -inf are allowed (a row always holds one finite score).

    >>> softmax(np.array([0.0, 0.0]))
    array([0.5, 0.5])
    """
    exps = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exps / exps.sum(axis=-1, keepdims=True)


def score_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 1.0, 3.0]]), np.arange(12.0).reshape(3, 4)
    yield np.array([[2.0]]), np.array([[3.0]])
    yield rng.normal(size=(5, 16)), rng.normal(size=(5, 16))
    yield (rng.normal(size=(2, 8)).astype(np.float32), rng.normal(size=(6, 8)).astype(np.float32))


@exercise(
    "attention.scores",
    title="Scaled scores",
    minutes=5,
    difficulty=1,
    todo="multiply each query with each key and divide by the square root of D",
    hint="q @ k.T holds every dot product; D is the last axis of q.",
    cases=score_cases,
    mistakes=(
        ("/ math.sqrt(D)", "/ D", "you divided by D, not by √D"),
        (
            "/ math.sqrt(D)",
            "",
            "you did not divide by √D: wide heads would make the softmax all or nothing",
        ),
        (
            "math.sqrt(D)",
            "np.sqrt(len(k))",
            "you divided by the root of the number of keys, not of D",
        ),
        ("/ math.sqrt(D)", "* math.sqrt(D)", "you multiplied by √D: divide"),
        (
            "math.sqrt(D)",
            "np.sqrt(D)",
            "np.sqrt(D) is float64 and turns float32 arrays into float64: use math.sqrt(D)",
        ),
        ("q @ k.T", "k @ q.T", "rows are queries and columns keys: q @ k.T"),
    ),
)
def attention_scores(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """(T, D), (S, D) -> (T, S): how well query t matches key s, q·k / √D (Vaswani 2017, eq. 1).

    The dtype stays that of q.

    >>> attention_scores(np.ones((1, 4)), np.ones((2, 4)))
    array([[2., 2.]])
    """
    D = q.shape[-1]
    return q @ k.T / math.sqrt(D)


@exercise(
    "attention.causal_mask",
    title="Who may look where",
    minutes=5,
    difficulty=1,
    todo="return a bool array that is True where column <= row",
    hint="np.tril keeps the lower triangle; dtype=bool makes it True and False.",
    cases=lambda rng: [(3,), (1,), (6,)],
    mistakes=(
        ("np.tril(", "np.triu(", "you have the upper triangle: a token looks back, not ahead"),
        ("dtype=bool))", "dtype=bool), k=-1)", "a token may look at itself too: keep the diagonal"),
        ("np.tril(", "~np.tril(", "it is the other way round: True where a query may look"),
        (", dtype=bool", "", "make it True and False: dtype=bool"),
    ),
)
def causal_mask(T: int) -> np.ndarray:
    """(T, T) bool: True where the query of token t (row) may look at the key of token s (column).

    A token may look at itself and at those before it.

    >>> causal_mask(2)
    array([[ True, False],
           [ True,  True]])
    """
    return np.tril(np.ones((T, T), dtype=bool))


def attention_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield (
        np.array([[1.0, 1.0], [0.0, 2.0], [1.0, 1.0]]),
        np.array([[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]),
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]]),
    )
    yield np.ones((1, 2)), np.ones((1, 2)), np.array([[7.0, 8.0]])
    yield tuple(rng.normal(size=(6, 4)) for _ in "qkv")


@exercise(
    "attention.causal",
    title="Causal attention",
    minutes=15,
    difficulty=3,
    todo="mask the scores with -inf above the diagonal, take the softmax, mix the values",
    hint="np.where(mask, scores, -np.inf) comes before the softmax: exp(-inf) is exactly 0.",
    cases=attention_cases,
    mistakes=(
        (
            "scores = np.where(mask, scores, -np.inf)",
            "pass",
            "tokens look ahead: no mask was applied to the scores",
        ),
        (
            "np.where(mask, scores, -np.inf)",
            "np.where(mask, scores, 0.0)",
            "a masked score of 0 still gets weight, exp(0) = 1: use -inf",
        ),
        (
            "    return weights @ v",
            "    w = np.exp(q @ k.T / math.sqrt(D))\n"
            "    return (w / w.sum(axis=1, keepdims=True) * mask) @ v",
            "you masked after the softmax: the weights of a row no longer sum to 1",
        ),
        (
            "weights / weights.sum(axis=1, keepdims=True)",
            "weights / weights.sum(axis=0, keepdims=True)",
            "your softmax goes down the columns: each query's row sums to 1",
        ),
        ("q @ k.T / math.sqrt(D)", "q @ k.T", "you did not divide the scores by √D"),
    ),
)
def causal_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(T, D) three times -> (T, D): each token's mix of the values up to its own.

    softmax(q kᵀ / √D, with -inf where the key is later than the query) v

    >>> causal_attention(np.zeros((2, 1)), np.zeros((2, 1)), np.array([[1.0], [3.0]]))
    array([[1.],
           [2.]])
    """
    T, D = q.shape
    mask = np.tril(np.ones((T, T), dtype=bool))
    scores = q @ k.T / math.sqrt(D)  # (T, T)
    scores = np.where(mask, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return weights @ v
