"""What the terminal of a person can show: text without control characters, colours, symbols."""

import os
import re
import unicodedata
from typing import Any, TextIO

# Control characters and the marks that turn the direction of text could rewrite the screen. What
# is not seen at all could make one path look like another; of that the joiners and selectors of
# emoji and of some scripts pass behind a letter of these.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    "\xad\u115f\u1160\u180e\u200b\u2060-\u2065\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f\u200c\u200d\ufe00-\ufe0f])(?:[\u200c\u200d]|[\ufe00-\ufe0f](?!\u20e3))"
)

SYMBOLS = {"passed": "✓", "failed": "✗", "skipped": "-", "running": "▸", "bar": "│"}
_ASCII = {"passed": "ok", "failed": "FAILED", "skipped": "-", "running": ">", "bar": "|"}
COLOURS = {"passed": "32", "failed": "31", "skipped": "2", "running": "2", "bar": "2"}


def printable(text: str) -> str:
    """The text with what could steer a terminal written as an escape; line ends and tabs stay."""
    return _UNSAFE.sub(lambda match: _escape(match[0]), text)


def use_colour(choice: str, stream: TextIO) -> bool:
    """Whether to colour: `always`, `never`, or `auto`: a terminal, and no `NO_COLOR`."""
    if choice == "auto":
        return stream.isatty() and not os.environ.get("NO_COLOR") and not is_dumb()
    return choice == "always"


def is_dumb() -> bool:
    """Whether the terminal can only print: no colours, no line that is written over."""
    return os.environ.get("TERM") == "dumb"


def symbols(stream: TextIO) -> dict[str, str]:
    """The marks for each state, in ASCII where the stream's encoding has no others."""
    try:
        "".join(SYMBOLS.values()).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return SYMBOLS


def one_line(text: str) -> str:
    """The text as `printable` gives it, on one line."""
    return printable(text).replace("\n", "\\n").replace("\t", " ")


def cut_to_width(text: str, columns: int) -> str:
    """The beginning of the text that takes at most so many columns of a terminal."""
    width = 0
    for index, character in enumerate(text):
        if unicodedata.category(character) in ("Mn", "Me"):  # stands above the one before it
            continue
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width > columns:
            return text[:index]
    return text


def step_title(step: dict[str, Any]) -> str:
    """What a step is called, for people."""
    label = "setup" if step["kind"] == "SETUP" else ""
    return one_line(": ".join(part for part in (label, step["description"]) if part))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
