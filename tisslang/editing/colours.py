"""What each piece of a script is, for colours that know more than a grammar does.

A heredoc's body is left to the colours of its own language, but for its interpolations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tisslang.editing.names import Mention, interpolations_in, text_span
from tisslang.syntax.lexer import RESERVED, Heredoc, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.script import Script

KINDS = (
    "keyword",
    "comment",
    "string",
    "number",
    "operator",
    "variable",
    "parameter",
    "property",
    "function",
    "decorator",
    "macro",
)
_SIMPLE = {
    "NUMBER": "number",
    "DURATION": "number",
    "BOOL": "keyword",
    **dict.fromkeys(("=", "?=", "==", "!=", "<", "<=", ">", ">=", "|"), "operator"),
    **dict.fromkeys(RESERVED, "keyword"),
    "true": "keyword",
    "false": "keyword",
}
_PSEUDO = ("LAST_RUN", "COST", "ERROR")


class Piece(NamedTuple):
    """A span on one line, what it is, and whether a name is defined there."""

    start: int
    end: int
    kind: str
    is_definition: bool = False


def pieces(script: Script) -> list[Piece]:
    """All of them, in order; none overlaps another."""
    found = [*_of_tokens(script)]
    found += [Piece(x.start, x.start + len(x.text), "comment") for x in script.comments]
    return sorted(piece for piece in found if piece.start < piece.end)


def _of_tokens(script: Script) -> Iterator[Piece]:
    mentions = {each.start: each for each in script.names.mentions}
    before = first = ""
    for token in script.tokens:
        start, end = token.start, token.start + len(token.text)
        kind = token.kind
        if kind in ("NL", "{", "}"):
            before = first = ""
            continue
        if kind == "STRING":
            if mention := mentions.get(start + 1):
                yield from _task(start, end, mention)
            else:
                yield from _of_text(script, token, mentions)
        elif isinstance(token, Heredoc):
            yield Piece(start, end, "macro")
            yield from _of_text(script, token, mentions)
            if token.end > start:
                yield Piece(token.end - len(_last_word(script, token)), token.end, "macro")
        elif kind == "@":
            yield Piece(start, end, "decorator")
        elif kind == "NAME":
            yield _name(start, end, before, first, mentions.get(start))
        elif kind in _SIMPLE:
            is_value = kind in _PSEUDO and first != "SET_BUDGET"
            yield Piece(start, end, "variable" if is_value else _SIMPLE[kind])
        first = first or kind
        before = kind


def _name(start: int, end: int, before: str, first: str, mention: Mention | None) -> Piece:
    if mention is not None:
        kind = "parameter" if mention.owner is not None else "variable"
        return Piece(start, end, kind, mention.is_definition)
    if before == "@":
        return Piece(start, end, "decorator")
    if before == "|":
        return Piece(start, end, "function")
    if before == "." or first == "SET_BUDGET":
        return Piece(start, end, "property")
    return Piece(start, end, "string" if first == "@" else "variable")


def _task(start: int, end: int, mention: Mention) -> Iterator[Piece]:
    yield Piece(start, start + 1, "string")
    yield Piece(start + 1, end - 1, "function", mention.is_definition)
    yield Piece(end - 1, end, "string")


def _of_text(script: Script, token: Token, mentions: dict[int, Mention]) -> Iterator[Piece]:
    """A string with its quotes, but for the interpolations; of a heredoc only those."""
    is_string = token.kind == "STRING"
    place = token.start
    for _, match in interpolations_in(script, token):
        if is_string:
            yield Piece(place, match.start(), "string")
        yield Piece(match.start(), match.start() + 2, "operator")
        mention = mentions.get(match.start("root"))
        is_param = mention is not None and mention.owner is not None
        yield Piece(*match.span("root"), "parameter" if is_param else "variable")
        for group, kind in (("field", "property"), ("filter", "function")):
            if match[group] is not None:
                yield Piece(*match.span(group), kind)
        yield Piece(match.end() - 2, match.end(), "operator")
        place = match.end()
    if is_string:
        yield Piece(place, text_span(script, token)[1] + 1, "string")


def _last_word(script: Script, heredoc: Heredoc) -> str:
    match = re.compile(rf"{heredoc.word}[ \t]*").search(script.text, *_last_line(script, heredoc))
    return match[0] if match else ""


def _last_line(script: Script, heredoc: Heredoc) -> tuple[int, int]:
    return script.text.rfind("\n", 0, heredoc.end) + 1, heredoc.end
