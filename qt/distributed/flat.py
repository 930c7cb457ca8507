"""Many arrays as one: a message has a price of its own, so all gradients travel in one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def flatten(arrays: Sequence[Array], numbers: Iterable[float] = ()) -> Array:
    """A new 1-D array that holds all elements, and the numbers after them, in the arrays' dtype."""
    dtype = np.result_type(*arrays)
    return np.concatenate([*(a.ravel() for a in arrays), np.array([*numbers], dtype)])


def unflatten(flat: Array, shapes: Sequence[tuple[int, ...]]) -> tuple[list[Array], list[float]]:
    """Views of `flat` in these shapes, and the numbers that are left: undoes `flatten`."""
    ends = list(itertools.accumulate(math.prod(shape) for shape in shapes))
    *parts, rest = np.split(flat, ends)
    return [part.reshape(shape) for part, shape in zip(parts, shapes)], rest.tolist()
