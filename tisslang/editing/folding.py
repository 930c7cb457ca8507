"""What can be folded away: blocks, heredocs, and comments of several lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tisslang.syntax.lexer import Heredoc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.script import Script


class Fold(NamedTuple):
    """The lines behind `line` up to and with `end_line` go away; `kind` is region or comment."""

    line: int
    end_line: int
    kind: str = "region"


def folds(script: Script) -> list[Fold]:
    """All of them, in order."""
    return sorted(
        {fold for fold in (*_blocks(script), *_comments(script)) if fold.line < fold.end_line}
    )


def _blocks(script: Script) -> Iterator[Fold]:
    """Blocks up to the line before their `}`, which stays, and heredocs with their last line."""
    open_lines: list[int] = []
    for token in script.tokens:
        if token.kind == "{":
            open_lines.append(token.line)
        elif token.kind == "}" and open_lines:
            yield Fold(open_lines.pop(), token.line - 1)
        elif isinstance(token, Heredoc):
            yield Fold(token.line, min(token.end_line, len(script.line_starts)))


def _comments(script: Script) -> Iterator[Fold]:
    """Comments that stand alone on lines directly below each other."""
    first = last = -1  # no line is behind this one
    for comment in script.comments:
        alone = not script.text[script.offset(comment.line, 1) : comment.start].strip()
        if alone and comment.line == last + 1:
            last = comment.line
            continue
        yield Fold(first, last, "comment")
        first = last = comment.line if alone else -1
    yield Fold(first, last, "comment")
