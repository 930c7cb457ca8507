"""What stands around the cursor: the statement before it, the string or heredoc it is in."""

from __future__ import annotations

import re
import string

from tisslang.syntax.lexer import Fault, Token, tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.script import Script

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_IN_WORDS = string.ascii_letters + string.digits + "_"
_WORD_BEHIND = re.compile(r"[A-Za-z0-9_]*")
_OPEN_INTERPOLATION = re.compile(
    r"""\{\{ [ \t]* (?:
        (?P<root>[A-Za-z_][A-Za-z0-9_]*) (?: \. (?P<field>[A-Za-z0-9_]*) )?
        (?P<filter> [ \t]* \| [ \t]* [A-Za-z0-9_]* )?
    )? \Z""",
    re.VERBOSE,
)


class Cursor:
    """A place in a script, as completion looks at it.

    `place` says where it is: "code", "string", "heredoc" or "comment". `before` are the kinds and
    texts of the tokens of its statement, up to the word that the cursor is in or behind; `word` is
    the part of that word before the cursor, and `start` and `end` are where the whole word stands.
    """

    def __init__(self, script: Script, offset: int) -> None:
        self.script = script
        self.offset = offset
        self.line, self.column = script.place(offset)
        self.start = self.end = offset
        self.word = ""
        self.place = "code"
        self.before: list[Token] = []
        self.quote = ""
        self.content = ""  # of the string, up to the cursor
        heredoc = script.heredoc_at(offset)
        if heredoc is not None:
            self.place = "heredoc"
            self.quote = "'" if heredoc[0].raw else '"'
            line_start = script.line_starts[self.line - 1]
            self.content = script.text[max(line_start, heredoc[1][0]) : offset]
        else:
            self._read_line()
        if self.place == "code" or self.interpolation is not None:
            self._find_word()

    def _read_line(self) -> None:
        """Read the tokens of the line before the cursor."""
        text = self.script.text
        line_start = self.script.line_starts[self.line - 1]
        tokens, comments = tokenize(text[line_start : self.offset], 100)
        tokens = [token for token in tokens if token.kind not in ("EOF", "NL")]
        if comments:
            self.place = "comment"
            self.content = comments[-1].text
        last = tokens[-1] if tokens else None
        if isinstance(last, Fault) and last.error.code == "T003":
            self.place = "string"
            opening = line_start + last.start
            self.quote = text[opening]
            self.content = text[opening + 1 : self.offset]
            self.start = opening + 1
            self.end = self._end_of_string(opening)
            tokens.pop()
        elif tokens and _WORD.match(tokens[-1].text) and self._ends_here(tokens[-1]):
            tokens.pop()
        for index in range(len(tokens) - 1, -1, -1):
            if tokens[index].kind in ("{", "}"):
                tokens = tokens[index:] if tokens[index].kind == "}" else tokens[index + 1 :]
                break
        self.before = tokens

    def _ends_here(self, token: Token) -> bool:
        """Whether a token of this line ends at the cursor."""
        return token.column + len(token.text) == self.column

    def _end_of_string(self, opening: int) -> int:
        """Where the string that is open at the cursor ends: before its quote, if it has one."""
        token = self.script.token_at(opening + 1)
        if token is not None and token.kind == "STRING" and token.start == opening:
            return token.start + len(token.text) - 1
        return self.offset

    def _find_word(self) -> None:
        text = self.script.text
        line_start = self.script.line_starts[self.line - 1]
        before = text[line_start : self.offset]
        # A regular expression that searches for its end takes quadratic time.
        self.word = before[len(before.rstrip(_IN_WORDS)) :].lstrip(string.digits)
        behind = _WORD_BEHIND.match(text, self.offset)
        self.start = self.offset - len(self.word)
        self.end = behind.end() if behind and self.word else self.offset

    @property
    def statement_start(self) -> int:
        """Where the statement of the cursor begins, as far as it is on its line."""
        if not self.before:
            return self.start
        return self.script.line_starts[self.line - 1] + self.before[0].start

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the tokens before."""
        return tuple(token.kind for token in self.before)

    @property
    def interpolation(self) -> re.Match[str] | None:
        """The interpolation that is open at the cursor."""
        if self.place not in ("string", "heredoc") or self.quote == "'":
            return None
        return _OPEN_INTERPOLATION.search(self.content)

    def around(self) -> tuple[list[str], str]:
        """The statements whose blocks are around, by their keywords, from the outermost inwards;
        and the one whose block ends directly before.
        """
        found: list[str] = []
        first = closed = ""
        for token in self.script.tokens:
            if token.start >= self.start:
                break
            if token.kind == "{":
                found.append(first)
                first = closed = ""
            elif token.kind == "}":
                first, closed = "", found.pop() if found else ""
            elif token.kind == "NL":
                first = ""
            else:
                first = token.kind if first in ("", "ELSE") else first
                closed = ""
        return found, closed
