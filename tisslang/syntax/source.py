"""From bytes to text: UTF-8, without a byte order mark, every line ending in one line feed."""

from __future__ import annotations

import re

from tisslang.errors import TissParseError

MAX_BYTES = 8 * 1024 * 1024
BYTE_ORDER_MARK = "\ufeff"

_NOT_TEXT = re.compile(r"\0|\r(?!\n)|[\ud800-\udfff]")
_NAMES = {"\0": "NUL character", "\r": "carriage return without a line feed"}


def decode(source: str | bytes) -> str:
    """The text of a script as the lexer reads it. Raises T009 at the first fault."""
    if not isinstance(source, str | bytes):
        raise TypeError(f"a script is text or bytes, not {type(source).__name__}")
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    too_long = len(data) > MAX_BYTES
    if too_long:
        data = data[:MAX_BYTES]
    text, invalid = source, None
    if isinstance(source, bytes) or too_long:
        text, invalid = _decode_prefix(data)
    assert isinstance(text, str)
    text = text.removeprefix(BYTE_ORDER_MARK)
    if fault := _NOT_TEXT.search(text):
        raise _error(text, fault.start(), f"{_name(fault[0])} in the script")
    if invalid is not None:
        raise _error(text, len(text), f"byte 0x{invalid:02X} is not valid UTF-8", _UTF8_HINT)
    if too_long:
        raise _error(text, len(text), "the script is longer than 8 MiB", _LENGTH_HINT)
    return text.replace("\r\n", "\n") if "\r" in text else text


_UTF8_HINT = "save the file as UTF-8"
_LENGTH_HINT = "split the plan, or READ the long text from a file"


def _decode_prefix(data: bytes) -> tuple[str, int | None]:
    """The text up to the first byte that is not UTF-8, and that byte if there is one."""
    try:
        return data.decode(), None
    except UnicodeDecodeError as error:
        prefix = data[: error.start].decode()
        # A character that the limit of length cuts in two is not invalid.
        cut = len(data) == MAX_BYTES and error.reason == "unexpected end of data"
        return prefix, None if cut else data[error.start]


def _name(character: str) -> str:
    return _NAMES.get(character, f"surrogate U+{ord(character):04X}")


def _error(text: str, offset: int, message: str, hint: str | None = None) -> TissParseError:
    before = text[:offset].replace("\r\n", "\n")
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    return TissParseError("T009", message, line, column, hint)
