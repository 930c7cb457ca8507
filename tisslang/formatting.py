"""One style for every script: where its tokens and comments stand, never what they mean.

The layout takes tokens and comments in the order of the source, and writes line by line. A comment
on a line of its own waits until it is known what follows: a statement, to which it may be attached,
or the end of its block.
"""

from __future__ import annotations

import re

from tisslang.errors import TissParseError
from tisslang.syntax import parse
from tisslang.syntax import text as texts
from tisslang.syntax.lexer import Heredoc, Token, tokenize
from tisslang.syntax.source import MAX_BYTES, decode

INDENT = "    "
# Statements with a blank line before and after them.
SPACED = frozenset({"TASK", "SETUP", "STEP", "DEFINE_TASK"})

# In the string behind these, `{{` is text.
_BEFORE_DESCRIPTION = frozenset({"TASK", "SETUP", "STEP", "DEFINE_TASK", "OPTION", "CALL"})
_GO_ON = frozenset({"ELSE", "CATCH"})  # stand behind the `}` before them
_NO_SPACE_AFTER = frozenset({"@", ".", "|"})
_NO_SPACE_BEFORE = frozenset({".", "|", ","})
_BLANKS = re.compile(r"[ \t]++")
_VERSION = re.compile(r"#TISS_VERSION(?![A-Za-z0-9_])")
# What stands last in a block, if not a statement.
_EDGE, _HEADER = "{", "#"
_OTHER = 3  # the rank of a comment that is no pragma


def format_source(text: str | bytes, filename: str = "<script>") -> str:
    r"""The script in the one style. Raises `TissParseError` when it does not parse.

    The result means the same: its tree is equal apart from positions, and the spaces in the
    `source` of an ASSERT. Formatting it once more changes nothing.

    >>> format_source('IF x THEN { LOG "{{ x }}" }  # why')
    'IF x {\n    LOG "{{x}}"\n}  # why\n'
    """
    parse(text, filename)
    tokens, comments = tokenize(decode(text))
    layout = _Layout()
    try:
        index = layout.header_zone(comments, tokens[0])
        for token in tokens:
            while index < len(comments) and _is_before(comments[index], token):
                layout.comment(comments[index], token)
                index += 1
            layout.token(token)
    except TissParseError as error:
        error.filename = filename
        raise
    return "".join(layout.written)


def _is_before(comment: Token, token: Token) -> bool:
    # EOF says where something is missing: on the last line that has tokens.
    return comment.start < token.start or token.kind == "EOF"


class _Layout:
    """What is written so far, the line under way, and the comments that wait for their place."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.size = 0  # of what is written, in bytes
        self.line: list[str] = []
        self.trailing = ""  # the comment at the end of the line under way
        self.waiting: list[tuple[str, bool]] = []  # own-line comments; is a blank line before it?
        self.last_kinds = [_EDGE]  # for each open block, the kind of what stands last in it
        self.previous = Token("NL", "", 0, 0, 0)
        self.number = 0  # the line of the source where the previous token or comment ends

    # What the source has

    def header_zone(self, comments: list[Token], first: Token) -> int:
        """Write the comments before the first statement; return how many have been dealt with.

        Those directly above the statement belong to it, unless they are part of the header.
        """
        zone = [comment for comment in comments if _is_before(comment, first)]
        ranks = [_rank(comment, index) for index, comment in enumerate(zone)]
        count = len(zone)  # of those that are part of the header
        line = first.line if first.kind != "EOF" else 0
        while count and ranks[count - 1] == _OTHER and zone[count - 1].line == line - 1:
            count, line = count - 1, line - 1
        after_other = False
        for index in sorted(range(count), key=lambda index: ranks[index]):
            is_other = ranks[index] == _OTHER
            if is_other and after_other and zone[index].line > zone[index - 1].line + 1:
                self.write("")
            self.write(_text(zone[index]))
            after_other = is_other
        if count:
            self.last_kinds = [_HEADER]
        self.waiting = [(_text(comment), False) for comment in zone[count:]]
        self.number = zone[-1].line if zone else 0
        return len(zone)

    def comment(self, comment: Token, following: Token) -> None:
        """Take a comment that stands before the token `following`."""
        trails = comment.line == self.previous.line
        if trails and not self.trailing and not self.waiting:
            self.trailing = _text(comment)
        else:
            if following.kind not in _GO_ON:  # else it moves into the block of ELSE or CATCH
                self.end_line()
            self.waiting.append((_text(comment), comment.line > self.number + 1))
        self.number = max(self.number, comment.line)

    def token(self, token: Token) -> None:
        """Take the next token."""
        kind = token.kind
        if kind in ("NL", "EOF"):
            self.end_line()
            if kind == "EOF":
                self.write_waiting(None)
            return
        if kind == "THEN":
            return
        if kind == "}":
            self.close_block()
        elif self.line and self.previous.kind != "{":
            self.line.append(self.space_before(token) + self.spelling(token))
        else:
            self.end_line()
            self.write_waiting(token)
            self.last_kinds[-1] = kind
            self.line = [self.spelling(token)]
        self.previous = token
        self.number = token.end_line

    def close_block(self) -> None:
        """Close the innermost block: on its own line, unless it is empty."""
        if self.line and self.previous.kind == "{" and not self.trailing and not self.waiting:
            self.line.append(" }")
            return
        self.end_line()
        self.write_waiting(None)
        self.last_kinds.pop()
        self.line = ["}"]

    # What is written

    def end_line(self) -> None:
        """Write the line under way, and the heredoc that it opens."""
        if not self.line:
            return
        self.write("".join(self.line), self.trailing)
        self.line, self.trailing = [], ""
        if isinstance(self.previous, Heredoc):
            self.append(self.previous.body)
            if self.previous.indented:
                self.write(self.previous.word)
            else:
                self.append(self.previous.word + "\n")
        elif self.previous.kind == "{":
            self.last_kinds.append(_EDGE)

    def write_waiting(self, statement: Token | None) -> None:
        """Write the comments that wait, then the blank line before the statement, if one is due."""
        blanks = [is_blank for _, is_blank in self.waiting]
        if statement is not None:
            blanks.append(statement.line > self.number + 1)
            if statement.kind in SPACED:
                # The blank line stands above the comments that are attached to the statement.
                first = len(blanks) - 1
                while first > 0 and not blanks[first]:
                    first -= 1
                blanks[first] = True
        if blanks and self.last_kinds[-1] == _EDGE:
            blanks[0] = False
        elif blanks and self.last_kinds[-1] in (_HEADER, *SPACED):
            blanks[0] = True
        for index, (text, _) in enumerate(self.waiting):
            if blanks[index]:
                self.write("")
            self.write(text)
        if statement is not None and blanks[-1]:
            self.write("")
        self.waiting = []

    def write(self, text: str, trailing: str = "") -> None:
        """Write one line in the innermost block."""
        if text:
            text = INDENT * (len(self.last_kinds) - 1) + text
        if trailing:
            text += "  " + trailing
        self.append(text + "\n")

    def append(self, text: str) -> None:
        """Append a text as it is. Raises T009 where the result becomes too long to be a script."""
        self.size += len(text.encode())
        if self.size > MAX_BYTES:
            message = "the formatted script would be longer than 8 MiB"
            hint = "split the plan, or READ the long text from a file"
            raise TissParseError("T009", message, max(self.number, 1), 1, hint)
        self.written.append(text)

    # Tokens

    def space_before(self, token: Token) -> str:
        """What stands between a token and the previous one on its line."""
        if self.previous.kind in _NO_SPACE_AFTER or token.kind in _NO_SPACE_BEFORE:
            return ""
        return " "

    def spelling(self, token: Token) -> str:
        """A token as written, but for the spaces in interpolations."""
        text = token.text
        if token.kind != "STRING" or "{{" not in text:
            return text
        if self.previous.kind in _BEFORE_DESCRIPTION:
            return text
        value = texts.string(token)
        if isinstance(value, str):
            return text
        parts, end = [], 0
        for part in value["template"]:
            if isinstance(part, texts.Reference):
                start, behind = part.column - token.column, part.end_column - token.column
                parts += [text[end:start], _BLANKS.sub("", text[start:behind])]
                end = behind
        return "".join(parts) + text[end:]


def _rank(comment: Token, index: int) -> int:
    """The place of a comment in the header: `#!`, `#TISS!`, versions, others."""
    if index == 0 and comment.text.startswith("#!"):  # blank lines above it go: it is on line 1
        return 0
    if comment.text.startswith("#TISS!"):
        return 1
    return 2 if _VERSION.match(comment.text) else _OTHER


def _text(comment: Token) -> str:
    return comment.text.rstrip(" \t")
