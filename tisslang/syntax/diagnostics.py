"""What is wrong with a script, and where: for programs as JSON, for people with a caret."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from typing import Any

from tisslang.errors import TissParseError
from tisslang.syntax.source import BYTE_ORDER_MARK

MAX_WIDTH = 160
SECRET = "T306"  # what it points at is not shown

_COLORS = {"error": "1;31", "warning": "1;33", "info": "1;36"}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. Lines and columns count from 1; the span ends before `end_column`."""

    code: str
    severity: str
    message: str
    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    hint: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return asdict(self)


def from_error(error: TissParseError) -> Diagnostic:
    """The diagnostic that a syntax error is."""
    return Diagnostic(
        error.code,
        "error",
        error.message,
        error.filename,
        error.line,
        error.column,
        error.line,
        error.end_column,
        error.hint,
    )


def render(diagnostic: Diagnostic, source_text: str, color: bool = False) -> str:
    """The finding for people: its line of the source, a caret below it. No newline at the end."""
    paint = _paint if color else _plain
    severity = _COLORS.get(diagnostic.severity, "1")
    line, column, width = _window(diagnostic, source_text)
    number = str(diagnostic.line)
    gutter = " " * (len(number) + 2)
    head = paint(f"{diagnostic.severity}[{diagnostic.code}]", severity)
    place = f"{legible(diagnostic.file)}:{diagnostic.line}:{diagnostic.column}"
    bar = paint("|", "34")
    rows = [
        f"{head}: {diagnostic.message}",
        f"{gutter[:-1]}{paint('-->', '34')} {place}",
        f"{gutter}{bar}",
        f"{paint(f' {number} ', '34')}{bar}{' ' + line if line else ''}",
        f"{gutter}{bar} {' ' * column}{paint('^' * width, severity)}",
    ]
    if diagnostic.hint:
        rows.append(f"{gutter}{paint('=', '34')} hint: {diagnostic.hint}")
    return "\n".join(rows)


def legible(text: str, limit: int | None = None) -> str:
    """The text as a terminal can show it: one space for a tab, `�` for each control character.

    Bidirectional controls are among them, so a line cannot look like another. Past `limit`
    characters it is cut with `…`.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character == "\t":
        return " "
    return (
        "\ufffd" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") else character
    )


def _window(diagnostic: Diagnostic, source_text: str) -> tuple[str, int, int]:
    """The source line cut to MAX_WIDTH characters, the characters before the caret, the carets."""
    line = _source_line(source_text, diagnostic.line)
    start = min(diagnostic.column - 1, len(line))
    end = len(line) if diagnostic.end_line > diagnostic.line else diagnostic.end_column - 1
    if len(line) > MAX_WIDTH:
        # The window has the column in its middle, and stays within the line.
        left = max(0, min(start - MAX_WIDTH // 2, len(line) - MAX_WIDTH))
        right = left + MAX_WIDTH
        cut = line[left:right]
        if left > 0:
            cut = "…" + cut[1:]
        if right < len(line):
            cut = cut[:-1] + "…"
        line, start, end = cut, start - left, min(end - left, MAX_WIDTH)
    width = max(1, min(end, len(line)) - start)
    if diagnostic.code == SECRET:
        line = line[:start] + "*" * width + line[start + width :]
    return legible(line), start, width


def _source_line(source_text: str, number: int) -> str:
    text = source_text.removeprefix(BYTE_ORDER_MARK)
    begin = 0
    for _ in range(number - 1):
        begin = text.find("\n", begin) + 1
        if begin == 0:
            return ""
    end = text.find("\n", begin)
    return text[begin : len(text) if end < 0 else end].removesuffix("\r")


def _plain(text: str, style: str) -> str:
    return text


def _paint(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m"
