"""Where two results first differ, said so that a person sees it at once."""

from __future__ import annotations

from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from qt.tensor import Tensor

KINDS = {
    bool: "True or False", int: "a whole number", float: "a number", str: "a text",
    bytes: "bytes", list: "a list", tuple: "a tuple", dict: "a dictionary", np.ndarray: "an array",
    type(None): "None",
}  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """`where` is "the type", "the shape", "[1, 2]" …; the other two are texts."""

    where: str
    expected: str
    found: str


def first_difference(expected: Any, found: Any, where: str = "") -> Difference | None:
    """None when both are the same, else the first place where they are not.

    Lists and tuples count as the same kind, tensors as arrays, NumPy's scalars as Python's. Floats
    may differ by rounding: 1e-7 of the value, 1e-4 in float32. Everything else must be equal.
    """
    expected, found = _plain(expected), _plain(found)
    if isinstance(expected, np.ndarray) and isinstance(found, np.ndarray):
        return _array_difference(expected, found, where)
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            if key not in expected or key not in found:
                sides = (short(d[key]) if key in d else "nothing" for d in (expected, found))
                return Difference(f"{where}[{key!r}]", *sides)
            if difference := first_difference(expected[key], found[key], f"{where}[{key!r}]"):
                return difference
        return None
    if isinstance(expected, (list, tuple)) and isinstance(found, (list, tuple)):
        for i, pair in enumerate(zip(expected, found)):
            if difference := first_difference(*pair, f"{where}[{i}]"):
                return difference
        sizes = len(expected), len(found)
        place = f"the length of {where}" if where else "the length"
        return None if sizes[0] == sizes[1] else Difference(place, *map(str, sizes))
    if type(expected) is float and type(found) in (int, float):
        return None if _close(expected, found) else Difference(where, *_numbers(expected, found))
    if type(expected) is not type(found):
        return Difference(
            f"the type of {where}" if where else "the type", kind(expected), kind(found)
        )
    return None if expected == found else Difference(where, short(expected), short(found))


def kind(value: Any) -> str:
    """What sort of thing this is: "an array", "a text"."""
    return KINDS.get(type(value), f"an object of class {type(value).__name__}")


def short(value: Any) -> str:
    """One line that shows a value: small arrays whole, of larger ones the dtype and shape."""
    value = _plain(value)
    if isinstance(value, np.ndarray):
        if value.size > 12:
            return f"{value.dtype} array of shape {value.shape}"
        return short(value.tolist())
    if isinstance(value, (list, tuple, dict)):
        parts = [short(part) for part in value]
        if isinstance(value, dict):
            parts = [f"{key}: {short(part)}" for key, part in zip(parts, value.values())]
        inside = ", ".join(parts[:12] + ["…"] * (len(parts) > 12))
        return {list: "[{}]", tuple: "({})", dict: "{{{}}}"}[type(value)].format(inside)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (type, FunctionType)):
        return value.__name__
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _plain(value: Any) -> Any:
    """A tensor as its array, and an array without dimensions as a Python number."""
    if isinstance(value, Tensor):
        value = value.data
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return dict(value) if isinstance(value, dict) else value  # a Counter is a dictionary


def _array_difference(expected: np.ndarray, found: np.ndarray, where: str) -> Difference | None:
    of = f" of {where}" if where else ""
    if expected.shape != found.shape:
        return Difference(f"the shape{of}", str(expected.shape), str(found.shape))
    floating = expected.dtype.kind == "f"
    if expected.dtype != found.dtype if floating else expected.dtype.kind != found.dtype.kind:
        return Difference(f"the dtype{of}", str(expected.dtype), str(found.dtype))
    differs = ~_close(expected, found) if floating else expected != found
    if not differs.any():
        return None
    first = tuple(int(i) for i in np.argwhere(differs)[0])
    place = f"{where}[{', '.join(map(str, first))}]"
    if (count := int(differs.sum())) > 1:
        place += f", the first of {count} places"
    return Difference(place, *_numbers(expected[first].item(), found[first].item()))


def _close(expected: Any, found: Any) -> Any:
    single = getattr(expected, "dtype", None) == np.float32
    rtol, atol = (1e-4, 1e-6) if single else (1e-7, 1e-9)
    try:
        with np.errstate(all="ignore"):
            return np.isclose(found, expected, rtol=rtol, atol=atol, equal_nan=True)
    except OverflowError:  # a whole number that no float reaches
        return False


def _numbers(expected: Any, found: Any) -> tuple[str, str]:
    """Both as texts that differ, and NaN with what it means."""
    texts = short(expected), short(found)
    if texts[0] == texts[1]:
        texts = repr(expected), repr(found)
    return texts[0], "nan (not a number)" if found != found else texts[1]
