"""A script as the rules look at it: its text, its tokens, its statements, and places in it.

A place is an offset into the text that `decode` has made; a span is two of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from tisslang.linting.offsets import Offsets
from tisslang.syntax.analysis import Analysis
from tisslang.syntax.lexer import DESCRIBED, Heredoc, Token
from tisslang.syntax.text import Reference
from tisslang.syntax.tree import blocks, literal, references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.syntax.text import Text

Node = dict[str, Any]
Span = tuple[int, int]

# What stands for a value that only a run knows, where a text is judged by its literal parts. As a
# path it is long enough that no `..` behind it leads out again.
ANY_TEXT = "v"
ANY_PATH = "v/" * 64

_PATH_COMMANDS = ("READ", "WRITE", "MKDIR", "DELETE")


class Statement:
    """A statement: its node and its `kind`, which is the node's type; its own tokens, of a block's
    statement those before the `{`; its own references; `cwd`, the directory of an `@cwd` for it.
    """

    __slots__ = ("cwd", "kind", "node", "references", "tokens")

    def __init__(self, node: Node, tokens: list[Token], cwd: str) -> None:
        self.node = node
        self.kind: str = node["type"]
        self.tokens = tokens
        self.references = references(node)
        self.cwd = cwd

    def description(self) -> Token | None:
        """The string in which nothing is interpolated: a description, or a sub-task's name."""
        if self.kind in DESCRIBED and self.tokens[1:2] and self.tokens[1].kind == "STRING":
            return self.tokens[1]
        return None

    def path(self) -> tuple[Token, Text] | None:
        """The path that the statement names: its token and its text."""
        node = self.node
        if self.kind in _PATH_COMMANDS:
            return self.tokens[1], node["path"]
        if self.kind in ("ASSERT", "IF") and node["condition"]["op"] == "EXISTS":
            return self.tokens[2], node["condition"]["path"]
        if is_cwd(node) and self.tokens[2].kind == "STRING":
            return self.tokens[2], node["values"][0]
        return None


class Source:
    """A script, as far as it parses, with everything that the rules want to know about it."""

    def __init__(
        self,
        original: str | bytes,
        text: str,
        analysis: Analysis,
        tokens: list[Token],
        comments: list[Token],
    ) -> None:
        self.original = original
        self.text = text
        self.script = analysis.script
        self.analysis = analysis
        self.tokens = tokens
        self.comments = comments
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.statements = list(self._read_statements())

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column."""
        return self.line_starts[line - 1] + column - 1

    @cached_property
    def offsets(self) -> Offsets:
        """Where its places are in the script as it was given."""
        return Offsets(self.original)

    def reference_span(self, reference: Node) -> Span:
        """Where a reference stands."""
        assert isinstance(reference, Reference)
        line = reference.line
        return self.offset(line, reference.column), self.offset(line, reference.end_column)

    def body_span(self, heredoc: Heredoc) -> Span:
        """Where the body of a heredoc stands."""
        start = self.text.index("\n", heredoc.start) + 1
        return start, start + len(heredoc.body)

    def texts(self) -> Iterator[Span]:
        """Where the content of each string and heredoc stands."""
        for token in self.tokens:
            if token.kind == "STRING":
                yield token.start + 1, token.start + len(token.text) - 1
            elif isinstance(token, Heredoc):
                yield self.body_span(token)

    def _read_statements(self) -> Iterator[Statement]:
        """Every statement in the order of the source: the tokens are read along with the tree."""
        index = 0
        open_blocks = [(iter(block), "") for block in reversed(blocks(self.script))]
        while open_blocks:
            nodes, cwd = open_blocks[-1]
            node = next(nodes, None)
            if node is None:
                open_blocks.pop()
                continue
            start = self.offset(node["line"], node["column"])
            while self.tokens[index].start < start:
                index += 1
            end = index + 1
            while self.tokens[end].kind not in ("NL", "{", "}", "EOF"):
                end += 1
            if is_cwd(node):
                cwd = literal(node["values"][0], ANY_PATH)
                open_blocks[-1] = nodes, cwd
            yield Statement(node, self.tokens[index:end], cwd)
            open_blocks += [(iter(block), cwd) for block in reversed(blocks(node))]


def span(token: Token) -> Span:
    """Where a token stands; of a heredoc its opener."""
    return token.start, token.start + len(token.text)


def is_cwd(node: Node) -> bool:
    """Whether a node is an `@cwd` with a text: another value is T107."""
    if node["type"] != "DIRECTIVE" or node["name"] != "cwd":
        return False
    value = node["values"][0]
    return isinstance(value, str) or (isinstance(value, dict) and "template" in value)
