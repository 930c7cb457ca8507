"""Positions as editors count them: lines from 0, columns in the units of an encoding.

A line ends with LF, CRLF or a CR alone, and with nothing else: not with U+2028, which Python's
`splitlines` takes for an end too. A column counts UTF-16 units, unless both sides agree on another
encoding: an emoji is two units wide in UTF-16, four in UTF-8, one in UTF-32.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


def _utf8(character: str) -> int:
    code = ord(character)
    return 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)


_WIDTHS: dict[str, Callable[[str], int]] = {
    "utf-8": _utf8,
    "utf-16": lambda character: 1 + (character > "\uffff"),
    "utf-32": lambda character: 1,
}
Position = tuple[int, int]


class Lines:
    """A text in lines, which can be edited in place."""

    def __init__(self, text: str, encoding: str = "utf-16") -> None:
        self.width = _WIDTHS[encoding]
        self.lines = _split(text)
        self._starts: list[int] | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.lines)

    @property
    def starts(self) -> list[int]:
        """The offset at which each line begins."""
        if self._starts is None:
            self._starts = [0, *accumulate(map(len, self.lines[:-1]))]
        return self._starts

    def replace(self, start: Position, end: Position, text: str) -> None:
        """Put a text in the place of another; positions that do not exist count as the nearest."""
        (first, a), (last, b) = self._inside(start), self._inside(end)
        if (last, b) < (first, a):
            last, b = first, a
        before = self.lines[first][:a] + text
        if first > 0 and self.lines[first - 1].endswith("\r"):  # it may become a CRLF
            first -= 1
            before = self.lines[first] + before
        fresh = _split(before + self.lines[last][b:])
        if last < len(self.lines) - 1 and fresh[-1] == "":
            fresh.pop()  # what follows is the line behind it
        self.lines[first : last + 1] = fresh
        self._starts = None

    def offset(self, position: Position) -> int:
        """The offset of a position."""
        line, index = self._inside(position)
        return self.starts[line] + index

    def position(self, offset: int) -> Position:
        """The position of an offset; one within a CRLF is before it."""
        line = max(bisect_right(self.starts, offset) - 1, 0)
        before = self.lines[line][: offset - self.starts[line]]
        if before.endswith("\r"):
            before = before[:-1]
        return line, len(before) if before.isascii() else sum(map(self.width, before))

    def _inside(self, position: Position) -> Position:
        """The line and index of a position: not behind the end of its line, nor within a pair."""
        number, column = position
        if number >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        content = self.lines[number].rstrip("\r\n")
        if content.isascii():
            return number, min(column, len(content))
        for index, character in enumerate(content):
            column -= self.width(character)
            if column < 0:
                return number, index
        return number, len(content)


def _split(text: str) -> list[str]:
    """The lines with their ends; the last one has none, and may be empty."""
    lines = _LINE.findall(text)
    if not lines or lines[-1].endswith(("\r", "\n")):
        lines.append("")
    return lines
