"""Heads: cut the width into heads, share keys, count the cache."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def split_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.arange(12.0).reshape(3, 4), 2
    yield np.arange(4.0).reshape(1, 4), 4
    yield np.arange(8.0).reshape(4, 2), 1
    yield rng.normal(size=(6, 12)), 3


@exercise(
    "heads.split",
    title="Cut the width into heads",
    minutes=10,
    difficulty=2,
    todo="reshape to (T, H, D) first, then swap T and H",
    hint="A reshape never moves a number, it only cuts the row of numbers anew; transposing moves.",
    cases=split_cases,
    mistakes=(
        (
            ".reshape(T, n_head, C // n_head).transpose(1, 0, 2)",
            ".reshape(n_head, T, C // n_head)",
            "you reshaped straight to (H, T, D): that mixes tokens; cut the width, then swap axes",
        ),
        (".transpose(1, 0, 2)", "", "the heads stand second: swap the first two axes"),
        (
            ".reshape(T, n_head, C // n_head).transpose(1, 0, 2)",
            ".reshape(T, C // n_head, n_head).transpose(2, 0, 1)",
            "head h has every H-th feature: a head is D features side by side",
        ),
    ),
)
def split_heads(x: np.ndarray, n_head: int) -> np.ndarray:
    """(T, C) -> (H, T, D), D = C / H: head h has the features h·D to (h + 1)·D - 1 of each token.

    >>> split_heads(np.array([[1, 2, 3, 4], [5, 6, 7, 8]]), 2)
    array([[[1, 2],
            [5, 6]],
    <BLANKLINE>
           [[3, 4],
            [7, 8]]])
    """
    T, C = x.shape
    return x.reshape(T, n_head, C // n_head).transpose(1, 0, 2)


def join_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield (np.arange(12.0).reshape(2, 3, 2),)
    yield (np.arange(4.0).reshape(1, 2, 2),)
    yield (rng.normal(size=(3, 5, 4)),)


@exercise(
    "heads.join",
    title="Put the heads side by side again",
    minutes=5,
    difficulty=2,
    todo="swap H and T back, then reshape to (T, C)",
    hint="It is the way of heads.split, backwards.",
    cases=join_cases,
    mistakes=(
        (
            "x.transpose(1, 0, 2)",
            "x",
            "you reshaped without swapping axes: a row now mixes several tokens",
        ),
        (
            "x.transpose(1, 0, 2)",
            "x.transpose(1, 2, 0)",
            "the heads' features are shuffled together: keep D last",
        ),
        ("(T, H * D)", "(H * D, T)", "each row is a token: the shape is (T, C)"),
    ),
)
def join_heads(x: np.ndarray) -> np.ndarray:
    """(H, T, D) -> (T, C), C = H·D: the heads of each token side by side.

    >>> join_heads(np.array([[[1, 2], [5, 6]], [[3, 4], [7, 8]]]))
    array([[1, 2, 3, 4],
           [5, 6, 7, 8]])
    """
    H, T, D = x.shape
    return x.transpose(1, 0, 2).reshape(T, H * D)


def repeat_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.arange(8.0).reshape(2, 2, 2), 4
    yield np.arange(4.0).reshape(1, 2, 2), 3
    yield np.arange(8.0).reshape(2, 2, 2), 2
    yield rng.normal(size=(3, 4, 2)), 6


@exercise(
    "heads.repeat",
    title="Shared keys for grouped queries",
    minutes=5,
    difficulty=2,
    todo="repeat each key head for its whole group of query heads",
    hint="np.repeat gives 0 0 1 1, np.tile gives 0 1 0 1. Which one is h // group?",
    cases=repeat_cases,
    mistakes=(
        (
            "np.repeat(keys, group, axis=0)",
            "np.tile(keys, (group, 1, 1))",
            "your heads run 0 1 0 1: query head h reads key head h // group, so 0 0 1 1",
        ),
        ("axis=0", "axis=1", "you repeated the tokens: repeat along the axis of heads"),
        ("keys, group, axis", "keys, n_head, axis", "each head is repeated H / H_kv times, not H"),
    ),
)
def repeat_heads(keys: np.ndarray, n_head: int) -> np.ndarray:
    """(H_kv, T, D) -> (H, T, D): query head h finds key head h // group at place h.

    group = H / H_kv query heads share one key head (Ainslie 2023).

    >>> repeat_heads(np.array([[[1]], [[2]]]), 4).ravel()
    array([1, 1, 2, 2])
    """
    group = n_head // len(keys)
    return np.repeat(keys, group, axis=0)


@exercise(
    "heads.cache_bytes",
    title="What the cache weighs",
    minutes=5,
    difficulty=1,
    todo="multiply layers, key heads, head width, tokens, bytes, and 2 for keys and values",
    hint="Queries are not kept. D = d_model / n_head does not shrink when heads are shared.",
    cases=lambda rng: [(3, 6, 2, 24, 10, 4), (1, 1, 1, 1, 1, 2), (32, 32, 8, 4096, 8192, 2)],
    mistakes=(
        ("return 2 * ", "return ", "keys and values are both kept: twice as much"),
        ("* n_kv_head *", "* n_head *", "only the key/value heads are kept, not every query head"),
        (" * n_bytes", "", "you counted numbers: each takes n_bytes bytes"),
        ("n_layer * ", "", "every layer has its own keys and values"),
    ),
)
def cache_bytes(
    n_layer: int, n_head: int, n_kv_head: int, d_model: int, tokens: int, n_bytes: int
) -> int:
    """The bytes that the keys and values of `tokens` tokens take, each number `n_bytes` bytes.

    Llama 3 8B keeps 8 of 32 heads: 8192 tokens in 16-bit numbers take one gibibyte.

    >>> cache_bytes(32, 32, 8, 4096, 8192, 2) / 2**30
    1.0
    """
    head_dim = d_model // n_head
    return 2 * n_layer * n_kv_head * head_dim * tokens * n_bytes
