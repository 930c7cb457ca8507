"""Numbers, durations and booleans: from their tokens to their values."""

from __future__ import annotations

import math

from tisslang.errors import TissParseError
from tisslang.syntax.lexer import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SECONDS = {"s": 1, "m": 60, "h": 3600}


def number(token: Token) -> int | float:
    """The value of a NUMBER. Raises T001 for a float beyond all floats."""
    if "." not in token.text:
        return _integer(token.text)
    return _finite(float(token.text), token)


def duration(token: Token) -> dict[str, Any]:
    """A DURATION as written, and its seconds."""
    digits = token.text.rstrip("msh")
    unit = token.text[len(digits) :]
    seconds = float(digits) / 1000 if unit == "ms" else float(digits) * _SECONDS[unit]
    return {"duration": token.text, "seconds": _finite(seconds, token)}


def boolean(token: Token) -> bool:
    """The value of a BOOL."""
    return token.text == "true"


def _integer(digits: str) -> int:
    """An integer of any size; `int` alone refuses more than 4,300 digits."""
    if len(digits) <= 4000:
        return int(digits)
    if digits[0] == "-":
        return -_integer(digits[1:])
    half = len(digits) // 2
    return _integer(digits[:-half]) * 10**half + _integer(digits[-half:])


def _finite(number: float, token: Token) -> float:
    if math.isinf(number):
        message = "the number is too large"
        raise TissParseError("T001", message, token.line, token.column, end_column=token.end_column)
    return number
