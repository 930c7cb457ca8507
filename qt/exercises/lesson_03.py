"""Positions: clocks that are added, and rotations that are compared."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


@exercise(
    "positions.sinusoidal",
    title="One row of clocks",
    minutes=10,
    difficulty=2,
    todo="put sin of each clock's angle into the even features and cos into the odd ones",
    hint="row[0::2] are the features 0, 2, 4 …; np.arange(0, width, 2) is 2i for every clock.",
    cases=lambda rng: [(1, 4), (0, 4), (3, 2), (1000, 8), (int(rng.integers(99)), 32)],
    mistakes=(
        (
            "row[0::2], row[1::2] =",
            "row[: width // 2], row[width // 2 :] =",
            "you put all sines first: sine and cosine of one clock are neighbours",
        ),
        (
            "np.arange(0, width, 2) / width",
            "np.arange(0, width, 2) / (2 * width)",
            "the exponent is 2i/C, not i/C: clock i turns 10000^(2i/C) times slower",
        ),
        ("np.sin(angles), np.cos(angles)", "np.cos(angles), np.sin(angles)", "sine comes first"),
        ("position / ", "position * ", "you multiplied by 10000^(2i/C): later clocks turn slower"),
    ),
)
def sinusoidal_row(position: int, width: int) -> np.ndarray:
    """(C,) float64: what is added to the embedding of the token at `position` (Vaswani 2017).

    With t the position and C the width (even): feature 2i is sin(t / 10000^(2i/C)), and feature
    2i + 1 the cosine of the same angle.

    >>> sinusoidal_row(0, 4)
    array([0., 1., 0., 1.])
    """
    angles = position / 10000 ** (np.arange(0, width, 2) / width)
    row = np.empty(width)
    row[0::2], row[1::2] = np.sin(angles), np.cos(angles)
    return row


@exercise(
    "positions.rotate",
    title="Turn one pair",
    minutes=5,
    difficulty=1,
    todo="return (x cos a - y sin a, x sin a + y cos a)",
    hint="Both new numbers need both old ones: work them out before you overwrite any.",
    cases=lambda rng: [
        (1.0, 0.0, 0.5),
        (3.0, 4.0, math.pi / 6),
        (2.0, 5.0, 0.0),
        tuple(rng.normal(size=3).tolist()),
    ],
    mistakes=(
        (
            "x * c - y * s, x * s + y * c",
            "x * c + y * s, y * c - x * s",
            "you turned clockwise: a positive angle turns from x towards y",
        ),
        ("x * c - y * s, x *", "(x := x * c - y * s), x *", "you used the new x to work out y"),
        ("x * c - y * s,", "x * c + y * s,", "a sign is wrong: the first entry has a minus"),
        (
            "math.cos(angle), math.sin(angle)",
            "math.cos(math.radians(angle)), math.sin(math.radians(angle))",
            "the angle is in radians already",
        ),
    ),
)
def rotate(x: float, y: float, angle: float) -> tuple[float, float]:
    """The point (x, y) turned by `angle` (radians) about the origin, counter-clockwise.

    >>> rotate(1.0, 0.0, 0.0)
    (1.0, 0.0)
    """
    c, s = math.cos(angle), math.sin(angle)
    return x * c - y * s, x * s + y * c


def angle_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.arange(3), 4, 100.0
    yield np.array([5]), 2, 10000.0
    yield np.array([7, 8, 1000]), 8, 10000.0  # positions need not begin at 0
    yield rng.integers(0, 500, size=4), 64, 500000.0


@exercise(
    "positions.angles",
    title="The angles of RoPE",
    minutes=10,
    difficulty=2,
    todo="multiply each position by each pair's frequency theta^(-2i/D)",
    hint="np.outer(positions, frequencies) is the whole table; there are D/2 frequencies.",
    cases=angle_cases,
    mistakes=(
        (
            "-np.arange(0, head_dim, 2)",
            "-np.arange(head_dim // 2)",
            "the exponent is -2i/D, not -i/D: you left out the 2",
        ),
        ("** (-np", "** (np", "the exponent is negative: later pairs turn slower"),
        (
            "np.outer(positions,",
            "np.outer(np.arange(len(positions)),",
            "you counted from 0: use the positions that are given, a cache begins later",
        ),
    ),
)
def rope_angles(positions: np.ndarray, head_dim: int, theta: float) -> np.ndarray:
    """(T,) -> (T, D/2) float64: m · theta^(-2i/D), the angle of pair i at position m (Su 2021).

    >>> rope_angles(np.array([0, 1, 2]), 2, 10000.0)
    array([[0.],
           [1.],
           [2.]])
    """
    frequencies = theta ** (-np.arange(0, head_dim, 2) / head_dim)  # (D/2,)
    return np.outer(positions, frequencies)


def rope_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[math.pi / 2, 0.1]])
    yield np.ones((2, 2)), np.array([[0.0], [1.0]])
    yield rng.normal(size=(5, 8)), rng.normal(size=(5, 4))
    yield rng.normal(size=(3, 4)).astype(np.float32), rng.normal(size=(3, 2)).astype(np.float32)


@exercise(
    "positions.rope",
    title="Turn queries and keys",
    minutes=15,
    difficulty=3,
    todo="cut x into a left and a right half and turn each pair (left[i], right[i])",
    hint="left, right = x[:, : D // 2], x[:, D // 2 :]; the two turned halves are joined again.",
    cases=rope_cases,
    mistakes=(
        (
            "    left, right = x[:, :half], x[:, half:]\n"
            "    return np.concatenate([left * c - right * s, left * s + right * c], axis=1)\n",
            "    left, right = x[:, 0::2], x[:, 1::2]\n"
            "    out = np.empty_like(x)\n"
            "    out[:, 0::2], out[:, 1::2] = left * c - right * s, left * s + right * c\n"
            "    return out\n",
            "you paired neighbours, as the paper does: here feature i goes with i + D/2, as in "
            "Llama's code",
        ),
        (
            "left * c - right * s, left * s + right * c",
            "left * c + right * s, right * c - left * s",
            "you turned backwards: the left half gets the minus",
        ),
        ("left * s + right * c", "left * s - right * c", "the right half has a plus"),
        (
            "np.concatenate([left * c - right * s, left * s + right * c], axis=1)",
            "np.concatenate([left * s + right * c, left * c - right * s], axis=1)",
            "the halves are swapped: cos goes with left in the left half",
        ),
    ),
)
def apply_rope(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(T, D), (T, D/2) -> (T, D): turn pair i of token t, features i and i + D/2, by angles[t, i].

    >>> apply_rope(np.array([[1.0, 2.0, 3.0, 4.0]]), np.zeros((1, 2)))
    array([[1., 2., 3., 4.]])
    """
    c, s = np.cos(angles), np.sin(angles)  # (T, D/2)
    half = x.shape[1] // 2
    left, right = x[:, :half], x[:, half:]
    return np.concatenate([left * c - right * s, left * s + right * c], axis=1)
