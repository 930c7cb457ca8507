"""Values: text, number, boolean; their text form, their filters, and the one coercion there is."""

import json
import re

from tisslang.errors import TissCommandError


class Unknown:
    """A value that a dry run cannot know. `text` is what stands for it, as `<unknown:name>`."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def of(cls, name: str) -> "Unknown":
        """The unknown value of a name."""
        return cls(f"<unknown:{name}>")

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


Value = str | int | float | bool | Unknown

# Of a text that is read as a number, as in `LAST_RUN.STDOUT == 3`: int() takes quadratic time.
MAX_DIGITS = 4_300

# Integers with more bits have their text made by hand: `str` refuses more than 4,300 digits.
MAX_BITS = 14_000  # 4,214 digits

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")


def text_form(value: Value) -> str:
    """The text that stands for a value: `true`, `3`, `0.5`; a text is itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer_text(value)
    return value if isinstance(value, str) else str(value)  # an unknown value by its name


def _integer_text(number: int) -> str:
    """The digits of an integer of any size."""
    if number.bit_length() <= MAX_BITS:
        return str(number)
    if number < 0:
        return "-" + _integer_text(-number)
    half = number.bit_length() * 3 // 20  # digits: log10(2) is about 3/10
    upper, lower = divmod(number, 10**half)
    return _integer_text(upper) + _integer_text(lower).zfill(half)


def kind_of(value: Value) -> str:
    """`text`, `number` or `boolean`, for messages."""
    if isinstance(value, str):
        return "text"
    return "boolean" if isinstance(value, bool) else "number"


def apply_filter(value: Value, name: str | None) -> Value:
    """`trim` and `json` give text; `raw` and no filter change nothing here."""
    if isinstance(value, Unknown):
        return value
    if name == "trim":
        return text_form(value).strip()
    if name == "json":
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else text_form(value)
    return value


def is_number(value: Value) -> bool:
    """True for an integer or float, not for a boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def coerce_pair(left: Value, right: Value) -> tuple[Value, Value]:
    """Beside a number, a text that holds a number is read as that number. Nothing else changes."""
    if is_number(left) and isinstance(right, str):
        return left, _read_number(right)
    if is_number(right) and isinstance(left, str):
        return _read_number(left), right
    return left, right


def _read_number(text: str) -> Value:
    match = _NUMBER.match(text.strip())
    if not match:
        return text
    if len(match[0]) > MAX_DIGITS:
        raise TissCommandError("type", f"a number of {len(match[0])} digits is too long")
    return float(match[0]) if match[1] else int(match[0])


def clip(text: str, limit: int) -> str:
    """The first `limit` characters."""
    return text if len(text) <= limit else text[:limit]
