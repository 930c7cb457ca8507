"""Values: text, number, boolean; their text form, their filters, and the one coercion there is."""

import json
import re

from tisslang.errors import TissCommandError

Value = str | int | float | bool

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")


def text_form(value: Value) -> str:
    """The text that stands for a value: `true`, `3`, `0.5`; a text is itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def kind_of(value: Value) -> str:
    """`text`, `number` or `boolean`, for messages."""
    if isinstance(value, str):
        return "text"
    return "boolean" if isinstance(value, bool) else "number"


def apply_filter(value: Value, name: str | None) -> Value:
    """`trim` and `json` give text; `raw` and no filter change nothing here."""
    if name == "trim":
        return text_form(value).strip()
    if name == "json":
        return json.dumps(value, ensure_ascii=False)
    return value


def size_text(size: int) -> str:
    """A number of bytes for people: `4 GiB`, `512 KiB`, `1000 bytes`."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size:,} bytes"


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
    try:
        return float(match[0]) if match[1] else int(match[0])
    except ValueError:  # Python refuses to convert more than some thousand digits
        raise TissCommandError("type", f"a number of {len(match[0])} digits is too long") from None


def clip(text: str, limit: int) -> str:
    """The first `limit` characters."""
    return text if len(text) <= limit else text[:limit]
