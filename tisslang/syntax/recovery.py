"""For editors: all syntax errors of a script in one pass, and the tree of what is well written.

Behind an error the parser goes on at the next line, or at the brace that closes the block. The
statements in the blocks of a broken statement stay, in its place.
"""

from __future__ import annotations

from tisslang.errors import TissParseError
from tisslang.syntax.header import read_header
from tisslang.syntax.lexer import Fault, Token, tokenize
from tisslang.syntax.parser import MAX_DEPTH, Parser
from tisslang.syntax.source import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tisslang.syntax.trampoline import Deep

    Node = dict[str, Any]

MAX_ERRORS = 100


def parse_all(
    text: str | bytes, filename: str = "<script>"
) -> tuple[dict[str, Any], list[TissParseError]]:
    """The SCRIPT node of all good statements, and the syntax errors, at most `MAX_ERRORS`.

    The first error is the one that `parse` raises; the others follow in the order of the source,
    but a block that is never closed comes last, because that shows only at the end of the file.
    """
    try:
        decoded = decode(text)
        script, errors = parse_all_tokens(decoded, *tokenize(decoded, MAX_ERRORS))
    except TissParseError as error:  # of `decode`: this is no text that has lines
        script, errors = parse_all_tokens("", *tokenize(""))[0], [error]
    for noted in errors:
        noted.filename = filename
    return script, errors


def parse_all_tokens(
    text: str, tokens: list[Token], comments: list[Token]
) -> tuple[Node, list[TissParseError]]:
    """As `parse_all`, of what `tokenize` has made of a text with `MAX_ERRORS`.

    Tokens that end in a fault get an EOF behind it.
    """
    parser = _Recovering(text, tokens)
    header: dict[str, str] | None = None
    requires: list[dict[str, str]] = []
    try:
        header, requires = read_header(comments, tokens[0])
    except TissParseError as error:
        parser.note(error)
    script = parser.script(header, requires)
    if parser.unclosed is not None and len(parser.errors) < MAX_ERRORS:
        parser.errors.append(parser.unclosed)
    return script, parser.errors


class _Recovering(Parser):
    """A parser that notes an error and goes on."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        if isinstance(last := tokens[-1], Fault):
            tokens.append(Token("EOF", "", last.line, last.column, last.start))
        # A heredoc without an end has taken in all that might have closed a block.
        behind = tokens[-2:][0]
        self.is_cut = isinstance(behind, Fault) and (
            isinstance(last, Fault) or behind.error.code == "T005"
        )
        super().__init__(text, tokens)
        self.errors: list[TissParseError] = []
        self.unclosed: TissParseError | None = None
        self.finished: list[list[Node]] = []  # blocks of statements that are not finished

    def note(self, error: TissParseError) -> None:
        """Keep an error, unless it only follows from the one before."""
        if self.unclosed is not None or len(self.errors) == MAX_ERRORS:
            return
        is_first_of_kind = all(error.code != other.code for other in self.errors)
        if error.code == "T008" and not is_first_of_kind:
            return
        if self.errors and _place(self.errors[-1]) == _place(error):
            return
        self.errors.append(error)

    def statements(self, brace: Token | None) -> Deep:
        """As in a parser, but a statement with an error in it is left out."""
        body: list[Node] = []
        is_behind = False  # directly behind a statement: there its line must end
        while not self.at_end(brace):
            depth, finished = self.depth, len(self.finished)
            try:
                if is_behind:
                    self.expect("NL", "the end of the line")
                self.skip("NL")
                made = self.statement()
                body.append(made if isinstance(made, dict) else (yield made))
                is_behind = True
            except TissParseError as error:
                self.note(error)
                is_behind = False
            if not is_behind:
                self.depth = depth
                for block in self.finished[finished:]:
                    body += block
                yield self.rest(body)
            del self.finished[finished:]
        return body

    def rest(self, body: list[Node]) -> Deep:
        """Pass over the rest of a broken statement, except for what stands in its blocks."""
        while self.token.kind not in ("}", "EOF"):
            if self.token.kind == "{":
                body += yield self.block()
            elif self.token.kind != "NL" or self.tokens[self.index + 1].kind == "{":
                self.advance()
            else:
                return

    def at_end(self, brace: Token | None) -> bool:
        """As in a parser; a stray brace is noted and passed over."""
        while True:
            try:
                return super().at_end(brace)
            except TissParseError as error:
                if error.code == "T006":
                    if not self.is_cut:
                        self.unclosed = self.unclosed or error
                    return True
                self.note(error)
                self.advance()

    def block(self) -> Deep:
        """As in a parser; what lies too deep is left out of the tree."""
        body = yield super().block()
        if self.depth >= MAX_DEPTH:
            body = []
        self.finished.append(body)
        return body

    def deeper(self, at: Token) -> None:
        """As in a parser, but a block that lies too deep is read too, to find its end."""
        try:
            super().deeper(at)
        except TissParseError as error:
            self.note(error)
            if at.kind != "{":
                raise


def _place(error: TissParseError) -> tuple[int, int]:
    return error.line, error.column
