"""A text that somebody is writing: its tokens, its tree as far as it is well written, its errors.

A place in it is an offset into `text`, which has neither a byte order mark nor CRs; a span is two
of them. Edits count in `original`, the text as it was given.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right

from tisslang.editing.names import Names
from tisslang.errors import TissParseError
from tisslang.linting.offsets import Offsets
from tisslang.linting.source import Source
from tisslang.syntax.analysis import Analysis
from tisslang.syntax.lexer import Fault, Heredoc, Token, tokenize
from tisslang.syntax.recovery import MAX_ERRORS, parse_all_tokens
from tisslang.syntax.source import BYTE_ORDER_MARK, MAX_BYTES, decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Node = dict[str, Any]
    Span = tuple[int, int]

_NOT_TEXT = re.compile(r"\0|\r(?!\n)|[\ud800-\udfff]")


class Script:
    """A text and what is known about it; each part is worked out when it is first asked for.

    `assigned` are the names that the operator gives values to.
    """

    def __init__(self, text: str, filename: str = "<script>", assigned: Iterable[str] = ()) -> None:
        self.original = text
        self.filename = filename
        self.assigned = tuple(assigned)
        self.fault: TissParseError | None = None  # why it is no text that has lines
        try:
            self.text = decode(text)
        except TissParseError as error:
            error.filename = filename
            self.fault, self.text = error, _legible(text)

    @functools.cached_property
    def _tokens(self) -> tuple[list[Token], list[Token]]:
        return tokenize(self.text, MAX_ERRORS)

    @functools.cached_property
    def _parsed(self) -> tuple[Node, list[TissParseError]]:
        tokens, comments = self._tokens
        script, errors = parse_all_tokens(self.text, [*tokens], comments)
        if self.fault is not None:
            errors = [self.fault]
        for error in errors:
            error.filename = self.filename
        return script, errors

    @functools.cached_property
    def tokens(self) -> list[Token]:
        """The tokens; where none begins there is one of kind FAULT. The last one is EOF."""
        tokens = self._tokens[0]
        last = tokens[-1]
        if isinstance(last, Fault):  # it is one of very many: the lexer has given up
            return [*tokens, Token("EOF", "", last.line, last.column, last.start)]
        return tokens

    @property
    def comments(self) -> list[Token]:
        """The comments."""
        return self._tokens[1]

    @property
    def tree(self) -> Node:
        """The SCRIPT node of all good statements."""
        return self._parsed[0]

    @property
    def errors(self) -> list[TissParseError]:
        """The syntax errors."""
        return self._parsed[1]

    @functools.cached_property
    def source(self) -> Source:
        """The same for the linter."""
        analysis = Analysis(self.tree, self.assigned)
        return Source(self.original, self.text, analysis, self.tokens, self.comments)

    @functools.cached_property
    def names(self) -> Names:
        """Where its names stand."""
        return Names(self)

    # Places

    @functools.cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line begins."""
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def nearest(self, line: int, column: int) -> tuple[int, int]:
        """The line and column that are there, nearest to these."""
        if 1 <= line <= len(self.line_starts):
            length = self.line_end(line) - self.line_starts[line - 1]
            return line, min(max(column, 1), length + 1)
        return self.place(0 if line < 1 else len(self.text))

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, or of the nearest that are there."""
        line, column = self.nearest(line, column)
        return self.line_starts[line - 1] + column - 1

    def line_end(self, line: int) -> int:
        """The offset behind the last character of a line."""
        if line >= len(self.line_starts):
            return len(self.text)
        return self.line_starts[line] - 1

    @functools.cached_property
    def _offsets(self) -> Offsets:
        return Offsets(self.original)

    def original_offset(self, offset: int) -> int:
        """The same place in the text as it was given."""
        return self._offsets.original(offset)

    def offset_of_original(self, original: int) -> int:
        """The place in `text` of one in the text as it was given; of a CR or a mark the nearest."""
        return min(self._offsets.decoded(original), len(self.text))

    def token_at(self, offset: int) -> Token | None:
        """The token that an offset is in, or directly behind, if there is one."""
        index = bisect_right(self.tokens, offset, key=lambda token: token.start) - 1
        for token in reversed(self.tokens[max(index - 1, 0) : index + 1]):
            if token.start <= offset <= token.start + len(token.text) and token.text.strip():
                return token
        return None

    # Heredocs

    @functools.cached_property
    def heredocs(self) -> list[tuple[Heredoc, Span]]:
        """Each heredoc with the span of its body; one that is not closed has the rest of the text.

        It may be that the line which closes it is only not written yet.
        """
        found = []
        for token in self.tokens:
            if isinstance(token, Fault) and token.error.code == "T005":
                width = token.error.end_column - token.error.column
                opener = self.text[token.start : token.start + width]
                heredoc, end = Heredoc(opener, token.line, token.column, token.start), token.resume
            elif isinstance(token, Heredoc):
                heredoc, end = token, token.end
            else:
                continue
            start = min(self.line_end(heredoc.line) + 1, len(self.text))
            if isinstance(token, Heredoc):
                end = start + len(token.body)
            found.append((heredoc, (start, max(start, end))))
        return found

    def heredoc_at(self, offset: int) -> tuple[Heredoc, Span] | None:
        """The heredoc whose body an offset is in."""
        index = bisect_right(self.heredocs, offset, key=lambda each: each[1][0]) - 1
        if index < 0:
            return None
        heredoc, (start, end) = self.heredocs[index]
        is_last = end == len(self.text)  # there the body goes on, as long as nothing closes it
        return (heredoc, (start, end)) if start <= offset < end + is_last else None


def _legible(text: str) -> str:
    """The text of a script that is none, so that an editor can go on: without what is no text."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return ""
    text = text.removeprefix(BYTE_ORDER_MARK)
    return _NOT_TEXT.sub("\ufffd", text).replace("\r\n", "\n")
