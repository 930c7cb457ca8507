"""What stands inside quotes and heredocs: escapes, interpolations, indents."""

from __future__ import annotations

import os.path
import re

from tisslang.errors import TissParseError
from tisslang.syntax.lexer import NAME, RESERVED, Heredoc, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Text = str | dict[str, Any]  # a plain text, or {"template": [text, reference, …]}
    Place = Callable[[int], tuple[int, int]]  # offset → line, column

PSEUDO = {"LAST_RUN": "last_run", "ERROR": "error", "COST": "cost"}

_INTERPOLATION = (
    rf"\{{\{{[ \t]*+(?P<root>{NAME})(?:\.(?P<field>{NAME}))?+[ \t]*+"
    rf"(?:\|[ \t]*+(?P<filter>{NAME})[ \t]*+)?+\}}\}}"
)
# Not compiled here: a script without escapes and interpolations needs neither.
_IN_STRING = rf"\\(?P<escape>.)|{_INTERPOLATION}"
_IN_HEREDOC = rf"\\(?P<escape>\{{)(?=\{{)|{_INTERPOLATION}"
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "{": "{"}


class Reference(dict[str, "Any"]):
    """A reference as the tree has it, which also knows where it stands.

    The position is no key, so JSON and equality do not see it. `end_column` is the column behind
    it; `heredoc` is the opener that would make the heredoc around it verbatim, None in a string.
    """

    __slots__ = ("column", "end_column", "heredoc", "line")

    def __init__(self, key: str, name: str, filter_name: str | None = None) -> None:
        super().__init__({key: name})
        if filter_name is not None:
            self["filter"] = filter_name
        self.line = self.column = self.end_column = 0
        self.heredoc: str | None = None

    def at(self, line: int, column: int, end_column: int) -> Reference:
        """Note the position; returns the reference itself."""
        self.line, self.column, self.end_column = line, column, end_column
        return self


def description(token: Token) -> str:
    """The value of a STRING whose `{{` is text. Raises T004 at an unknown escape."""
    if token.text[0] == "'" or "\\" not in token.text:
        return token.text[1:-1]
    template = _read(_IN_STRING, token.text[1:-1], _place_in_string(token), None, False)
    assert isinstance(template, str)
    return template


def string(token: Token) -> Text:
    """The value of a STRING. Raises T004 at an unknown escape."""
    text = token.text
    if text[0] == "'" or ("\\" not in text and "{{" not in text):
        return text[1:-1]
    return _read(_IN_STRING, text[1:-1], _place_in_string(token), None, True)


def heredoc(token: Heredoc) -> Text:
    """The value of a HEREDOC, its indent removed where the opener says so."""
    body, margin = _dedent(token.body) if token.indented else (token.body, 0)
    if token.raw or "{{" not in body:
        return body
    line, line_start = token.line + 1, 0

    def place(offset: int) -> tuple[int, int]:
        # Offsets come in ascending order: each line is counted once.
        nonlocal line, line_start
        line += body.count("\n", line_start, offset)
        line_start = body.rfind("\n", line_start, offset) + 1 or line_start
        return line, offset - line_start + margin + 1

    return _read(_IN_HEREDOC, body, place, token.verbatim, True)


def interpolations(
    text: str, start: int, end: int, in_heredoc: bool
) -> Iterator[tuple[Reference, re.Match[str]]]:
    """For editors: the references between two offsets, each with where its parts stand: the groups
    `root`, `field` and `filter`.

    An unknown escape does not matter here, and the references have no lines and columns.
    """
    pattern = re.compile(_IN_HEREDOC if in_heredoc else _IN_STRING)
    for match in pattern.finditer(text, start, end):
        if match["escape"] is None:
            reference = _reference(match, lambda offset: (0, 0))
            if reference is not None:
                yield reference, match


def _place_in_string(token: Token) -> Place:
    return lambda offset: (token.line, token.column + 1 + offset)


def _dedent(body: str) -> tuple[str, int]:
    """The body without the white space common to its non-blank lines, and how much that was."""
    indents = re.findall(r"^[ \t]*+(?=[^ \t\n])", body, re.MULTILINE)
    margin = os.path.commonprefix(indents)  # noqa: RUF071 - character by character is meant
    lines = body.split("\n")  # a line without the margin is blank
    return "\n".join(x[len(margin) :] if x.startswith(margin) else "" for x in lines), len(margin)


def _read(pattern: str, text: str, place: Place, verbatim: str | None, interpolate: bool) -> Text:
    """One pass from left to right over escapes and interpolations."""
    parts: list[str | Reference] = []
    literal: list[str] = []
    end = 0
    for match in re.finditer(pattern, text):
        literal.append(text[end : match.start()])
        end = match.end()
        if (escape := match["escape"]) is not None:
            if escape not in _ESCAPES:
                raise _unknown_escape(escape, *place(match.start()))
            literal.append(_ESCAPES[escape])
            continue
        reference = _reference(match, place) if interpolate else None
        if reference is None:
            literal.append(match[0])
            continue
        reference.heredoc = verbatim
        if before := "".join(literal):
            parts.append(before)
        parts.append(reference)
        literal = []
    if rest := "".join(literal) + text[end:]:
        parts.append(rest)
    if not any(isinstance(part, Reference) for part in parts):
        return "".join(parts)  # type: ignore[arg-type]
    return {"template": parts}


def _reference(match: re.Match[str], place: Place) -> Reference | None:
    """The reference that an interpolation means, or None when it is text after all."""
    root, field, filter_name = match["root"], match["field"], match["filter"]
    if field in RESERVED or filter_name in RESERVED:
        return None
    if field is None and root == "COST":
        reference = Reference("cost", "TOTAL", filter_name)
    elif field is None:
        if root in RESERVED:
            return None
        reference = Reference("var", root, filter_name)
    elif root in PSEUDO:
        reference = Reference(PSEUDO[root], field, filter_name)
    else:
        return None
    line, column = place(match.start())
    return reference.at(line, column, column + len(match[0]))


def _unknown_escape(escape: str, line: int, column: int) -> TissParseError:
    from tisslang.syntax.diagnostics import legible

    shown = legible(escape)
    return TissParseError(
        "T004",
        f"unknown escape \\{shown}",
        line,
        column,
        f"write \\\\{shown} for a backslash, or a 'single' string, which has no escapes",
        end_column=column + 2,
    )
