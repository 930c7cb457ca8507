"""Training: batches, micro-batches, and a measure that compares any two models."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def batch_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([10, 20, 30, 40, 50]), [0, 2], 2
    yield np.array([1, 2]), [0], 1
    yield np.arange(6) ** 2, [2], 3  # the last window
    yield rng.integers(0, 99, size=60), [40, 3, 3, 17], 8


@exercise(
    "training.batch",
    title="Windows and their targets",
    minutes=10,
    difficulty=1,
    todo="cut a window at each start, and the same one token on for the targets",
    hint="np.stack([...]) makes one (B, T) array of B slices.",
    cases=batch_cases,
    mistakes=(
        (
            "ids[s + 1 : s + 1 + T]",
            "ids[s : s + T]",
            "the targets are the inputs: shift them by one",
        ),
        (
            "ids[s + 1 : s + 1 + T]",
            "np.roll(ids[s : s + T], -1)",
            "the last target wrapped around to the window's start: read one token further",
        ),
        (
            "x = np.stack([ids[s : s + T] for s in starts])\n"
            "    y = np.stack([ids[s + 1 : s + 1 + T] for s in starts])",
            "y = np.stack([ids[s : s + T] for s in starts])\n"
            "    x = np.stack([ids[s + 1 : s + 1 + T] for s in starts])",
            "inputs and targets are swapped: the target comes later in the text",
        ),
        ("ids[s : s + T]", "ids[s * T : s * T + T]", "a start counts tokens, not windows"),
    ),
)
def make_batch(ids: np.ndarray, starts: list[int], T: int) -> tuple[np.ndarray, np.ndarray]:
    """(N,) -> (B, T), (B, T): windows of T tokens at the B starts, and what follows each token.

    >>> make_batch(np.array([10, 20, 30, 40]), [1], 2)
    (array([[20, 30]]), array([[30, 40]]))
    """
    x = np.stack([ids[s : s + T] for s in starts])
    y = np.stack([ids[s + 1 : s + 1 + T] for s in starts])
    return x, y


@exercise(
    "training.bits_per_byte",
    title="Bits per byte",
    minutes=5,
    difficulty=2,
    todo="turn the loss into bits, times the tokens, over the text's bytes",
    hint="A nat is 1 / ln 2 bits. The text's bytes are those of its UTF-8 form.",
    cases=lambda rng: [(2.0, 5, "né wörld"), (0.0, 3, "abc"), (math.log(65), 12, "hello, world")],
    mistakes=(
        (" / math.log(2)", "", "those are nats: divide by ln 2"),
        ('len(text.encode("utf-8"))', "len(text)", "you counted characters: some take two bytes"),
        ("bits * n_tokens / n_bytes", "bits", "that is bits per token: times tokens, over bytes"),
        ("* n_tokens / n_bytes", "/ n_tokens * n_bytes", "tokens and bytes are swapped"),
        (
            "/ math.log(2)",
            "* math.log(2)",
            "you multiplied by ln 2: a nat is more than a bit, divide",
        ),
    ),
)
def bits_per_byte(loss: float, n_tokens: int, text: str) -> float:
    """What a model pays for `text`, free of its tokenizer: `loss` is in nats a token.

    >>> round(bits_per_byte(1.3863, 2, "abcd"), 3)      # two bits a token, two bytes a token
    1.0
    """
    bits = loss / math.log(2)
    n_bytes = len(text.encode("utf-8"))
    return bits * n_tokens / n_bytes


def mean_gradient(batch: np.ndarray) -> np.ndarray:
    """(B, C) -> (C,): the gradient of the mean of |x|²/2 over the batch."""
    return batch.mean(axis=0)


def accumulation_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield mean_gradient, [np.array([[1.0, 2.0], [3.0, 6.0], [5.0, 1.0]]), np.array([[9.0, 8.0]])]
    yield mean_gradient, [np.ones((2, 1))]
    yield mean_gradient, [rng.normal(size=(b, 3)) for b in (4, 2, 1)]


@exercise(
    "training.accumulate",
    title="A large batch in pieces",
    minutes=10,
    difficulty=2,
    todo="add the pieces' gradients, each by its share of all rows",
    hint="A piece with 3 of 4 rows counts by 3/4.",
    cases=accumulation_cases,
    mistakes=(
        (
            "gradient(piece) * (len(piece) / rows)",
            "gradient(piece) / len(pieces)",
            "you averaged the pieces: a smaller piece counts less, by its rows",
        ),
        (
            " * (len(piece) / rows)",
            "",
            "you summed the means: that is larger than one batch's mean",
        ),
        ("* (len(piece) / rows)", "* len(piece)", "divide by the number of all rows at the end"),
        ("total = total +", "total =", "each piece replaced the one before: add them up"),
    ),
)
def accumulate(
    gradient: "Callable[[np.ndarray], np.ndarray]", pieces: list[np.ndarray]
) -> np.ndarray:
    """The gradient of the mean over all rows, when only one piece fits into memory at a time.

    `gradient(piece)` gives that of the mean over the piece, (B, C) -> (C,). Pieces differ in B.

    >>> accumulate(lambda rows: rows.mean(axis=0), [np.array([[3.0], [5.0]]), np.array([[1.0]])])
    array([3.])
    """
    rows = sum(len(piece) for piece in pieces)
    total = np.zeros(pieces[0].shape[1])
    for piece in pieces:
        total = total + gradient(piece) * (len(piece) / rows)
    return total
