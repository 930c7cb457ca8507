"""Generation: the dials, and a cache that forgets nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def temperature_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([1.0, 2.0, 4.0]), 0.5
    yield np.array([1.0, 3.0, 3.0]), 0.0  # of two equal ones the first
    yield np.array([1000.0, 0.0, 999.0]), 1.0
    yield rng.normal(size=8), 1.7


@exercise(
    "generation.temperature",
    title="Temperature",
    minutes=10,
    difficulty=1,
    todo="divide the logits by the temperature and take the softmax; 0 is greedy",
    hint="Handle temperature 0 first: all probability on logits.argmax().",
    cases=temperature_cases,
    mistakes=(
        ("/ temperature", "* temperature", "you multiplied: a low temperature sharpens, so divide"),
        (
            "    p = np.exp((logits - logits.max()) / temperature)\n    return p / p.sum()",
            "    p = np.exp(logits - logits.max())\n    return p / p.sum() / temperature",
            "you divided the probabilities: they no longer sum to 1, divide the logits",
        ),
        (" / temperature)", ")", "the temperature is not used"),
        (
            "logits - logits.max()",
            "logits",
            "exp overflows for large logits: take the maximum off first",
        ),
        (
            "    if temperature == 0:\n        return np.eye(len(logits))[logits.argmax()]\n",
            "",
            "you divided by a temperature of 0: put all on the best token instead",
        ),
        (
            "np.eye(len(logits))[logits.argmax()]",
            "(logits == logits.max()) / (logits == logits.max()).sum()",
            "greedy takes one token: of equal ones the first",
        ),
    ),
)
def with_temperature(logits: np.ndarray, temperature: float) -> np.ndarray:
    """(V,) -> (V,): softmax(logits / temperature); at 0 the best has all, of equals the first.

    >>> with_temperature(np.array([1.0, 2.0]), 0.0)
    array([0., 1.])
    """
    if temperature == 0:
        return np.eye(len(logits))[logits.argmax()]
    p = np.exp((logits - logits.max()) / temperature)
    return p / p.sum()


def top_k_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([0.1, 0.4, 0.2, 0.3]), 2
    yield np.array([0.25, 0.25, 0.25, 0.25]), 2
    yield np.array([0.5, 0.5]), 5
    yield rng.dirichlet(np.ones(10)), 3


@exercise(
    "generation.top_k",
    title="Top-k",
    minutes=10,
    difficulty=2,
    todo="keep the k most likely tokens, set the others to 0, and make the sum 1 again",
    hint='np.argsort(-p, kind="stable") lists ids from the likeliest on, equals by their id.',
    cases=top_k_cases,
    mistakes=(
        ("return kept / kept.sum()", "return kept", "the sum is no longer 1: divide by it"),
        ("np.argsort(-p", "np.argsort(p", "you kept the least likely: argsort rises, use -p"),
        (
            "    kept[best] = p[best]",
            "    kept = np.where(p >= np.sort(p)[-min(k, len(p))], p, 0)",
            "you kept all that tie with the last one: exactly k, the lower id first",
        ),
        ("[:k]", "[: k - 1]", "you kept one too few"),
    ),
)
def top_k(p: np.ndarray, k: int) -> np.ndarray:
    """(V,) -> (V,): the k largest probabilities, the others 0, renormalised.

    Of equal ones the lower id is kept. With k > V all stay. `p` stays as it is.

    >>> top_k(np.array([0.5, 0.25, 0.25]), 1)
    array([1., 0., 0.])
    """
    best = np.argsort(-p, kind="stable")[:k]
    kept = np.zeros_like(p)
    kept[best] = p[best]
    return kept / kept.sum()


def top_p_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([0.125, 0.5, 0.125, 0.25]), 0.7
    yield np.array([0.5, 0.25, 0.25]), 0.5  # exactly reached
    yield np.array([0.25, 0.75]), 0.1
    yield np.array([0.5, 0.5]), 1.0
    yield rng.dirichlet(np.ones(10)), 0.8


@exercise(
    "generation.top_p",
    title="Top-p, the nucleus",
    minutes=15,
    difficulty=3,
    todo="keep the fewest likeliest tokens that together reach top_p, and renormalise",
    hint="In sorted order a token stays when those before it have less than top_p together.",
    cases=top_p_cases,
    mistakes=(
        (
            "before = np.cumsum(p[order]) - p[order]",
            "before = np.cumsum(p[order])",
            "the token that crosses top_p belongs to the nucleus: look at the sum before it",
        ),
        ("return kept / kept.sum()", "return kept", "the sum is no longer 1: divide by it"),
        (
            'order = np.argsort(-p, kind="stable")',
            "order = np.arange(len(p))",
            "sort first: the nucleus is made of the likeliest tokens",
        ),
        ("before < top_p", "before <= top_p", "once top_p is reached no more tokens are needed"),
        ("np.argsort(-p", "np.argsort(p", "you began with the least likely: argsort rises, use -p"),
    ),
)
def top_p_filter(p: np.ndarray, top_p: float) -> np.ndarray:
    """(V,) -> (V,): the fewest most likely tokens whose sum reaches `top_p`, renormalised.

    At least one token stays. Of equal ones the lower id goes first (Holtzman 2020).

    >>> top_p_filter(np.array([0.5, 0.25, 0.25]), 0.4)
    array([1., 0., 0.])
    """
    order = np.argsort(-p, kind="stable")
    before = np.cumsum(p[order]) - p[order]  # what the likelier ones have together
    best = order[before < top_p]
    kept = np.zeros_like(p)
    kept[best] = p[best]
    return kept / kept.sum()


def cache_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield 3, [np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]
    yield 4, [np.ones((3, 2)), np.zeros((1, 2))]
    yield 2, [np.ones((1, 2)), np.ones((2, 2))]  # one too many
    yield 8, [rng.normal(size=(n, 2)) for n in (5, 1, 1)]


def run_cache(attempt: Callable[..., Any], max_len: int, chunks: list[np.ndarray]) -> list[Any]:
    """Make a cache, append every chunk, and collect copies of what each call returned."""
    cache = attempt(max_len, chunks[0].shape[1])
    return [np.array(cache.append(chunk)) for chunk in chunks]


@exercise(
    "generation.cache",
    title="A cache for keys",
    minutes=15,
    difficulty=2,
    todo="store the new rows behind those that are there, and return all of them",
    hint="Keep self.length; the new rows go to self.rows[self.length : self.length + T].",
    cases=cache_cases,
    run=run_cache,
    mistakes=(
        (
            "        self.rows[self.length : end] = new\n",
            "        self.rows[: len(new)] = new\n",
            "the new rows overwrote the first ones: store them behind what is there",
        ),
        ("return self.rows[:end]", "return self.rows", "you returned the empty places too"),
        (
            "        self.length = end\n",
            "",
            "only the newest rows came back: let the length grow, and return all rows so far",
        ),
        (
            "raise ValueError(",
            "self.rows = np.concatenate([self.rows, new])\n            _ = (",
            "the cache is full: refuse with a ValueError",
        ),
    ),
)
class Cache:
    """The keys (or values) of all tokens so far, in one array that is allocated once.

    >>> cache = Cache(max_len=4, head_dim=1)
    >>> cache.append(np.array([[1.0]])).ravel()
    array([1.])
    >>> cache.append(np.array([[2.0], [3.0]])).ravel()
    array([1., 2., 3.])
    """

    def __init__(self, max_len: int, head_dim: int) -> None:
        """Make room for `max_len` rows of `head_dim` (D) float64 numbers; none is filled yet."""
        self.rows = np.zeros((max_len, head_dim))
        self.length = 0

    def append(self, new: np.ndarray) -> np.ndarray:
        """(T, D) -> (S, D): store T new rows and return all S rows so far, oldest first.

        Raises `ValueError` when they do not fit.
        """
        end = self.length + len(new)
        if end > len(self.rows):
            raise ValueError(f"{end} rows do not fit into a cache of {len(self.rows)}")
        self.rows[self.length : end] = new
        self.length = end
        return self.rows[:end]


class Reader:
    """A stand-in for a model with a cache: each call reads new ids behind those read before."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = table  # (V, V)
        self.total = np.zeros(len(table))

    def __repr__(self) -> str:
        return f"Reader({len(self.table)} tokens)"

    def __call__(self, ids: list[int]) -> np.ndarray:
        """(T,) -> (T, V) logits, each about the token behind its place."""
        logits = []
        for i in ids:
            self.total = 0.8 * self.total + self.table[i]
            logits.append(self.total)
        return np.stack(logits)


def greedy_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    table = rng.normal(size=(6, 6))
    yield Reader(np.roll(np.eye(4), 1, axis=1)), [0, 1], 2
    yield Reader(table), [3], 0
    yield Reader(table), [1, 2, 3], 8
    yield Reader(rng.normal(size=(9, 9))), [4], 12


@exercise(
    "generation.greedy",
    title="Greedy writing with a cache",
    minutes=10,
    difficulty=2,
    todo="read the prompt once, then only each new token; always take the best one",
    hint="read(ids)[-1] holds the scores of the next token. What is the next thing to read?",
    cases=greedy_cases,
    mistakes=(
        (
            "unread = [best]",
            "unread = prompt + new",
            "you read everything again: the reader remembers, give it only the new token",
        ),
        (
            "read(unread)[-1]",
            "read(unread)[0]",
            "the last row is about the next token, not the first",
        ),
        ("return new", "return prompt + new", "return the new tokens alone, without the prompt"),
        ("unread = prompt\n", "unread = prompt[-1:]\n", "the reader needs the whole prompt first"),
        (".argmax()", ".argmin()", "you took the worst token"),
    ),
)
def greedy(read: "Callable[[list[int]], np.ndarray]", prompt: list[int], n: int) -> list[int]:
    """The n tokens that follow `prompt`, each the best one, ids as Python integers.

    `read(ids)` reads T ids behind all that it has read before, and gives (T, V) logits: row t is
    about the token behind ids[t]. It must see each token exactly once, the last new one not at all.

    >>> greedy(lambda ids: np.eye(9)[np.array(ids) + 1], [3, 4], 3)         # it counts
    [5, 6, 7]
    """
    new: list[int] = []
    unread = prompt
    for _ in range(n):
        best = int(read(unread)[-1].argmax())
        new.append(best)
        unread = [best]
    return new
