"""Where the names of a script stand: variables, parameters, sub-tasks, also in interpolations.

It reads tokens, statement by statement, so that it works in statements that are broken too.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tisslang.syntax.lexer import DESCRIBED, Heredoc, Token
from tisslang.syntax.text import interpolations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.script import Script

_ENDS = frozenset({"NL", "{", "}", "EOF"})
_BINDING = frozenset({"VAR", "AS", "INTO"})
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "{": "{"}


@dataclass(frozen=True, slots=True)
class Mention:
    """A place that has a name, from `start` to `end`.

    `kind` is "variable" or "task"; `is_definition` says whether the name gets its value there, or
    the sub-task its body. A parameter is a variable whose `owner` is the name of its sub-task; None
    is the owner of what belongs to the whole script. `inside` is the sub-task in whose block it is.
    """

    kind: str
    name: str
    start: int
    end: int
    is_definition: bool
    owner: str | None = None
    inside: str | None = None


@dataclass(slots=True)
class Definition:
    """A sub-task: its name, its parameters in their order, the span of its block."""

    name: str
    params: list[str]
    start: int
    end: int


class Names:
    """All mentions of names in a script, in order, and the definitions of its sub-tasks."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.mentions: list[Mention] = []
        self.definitions: list[Definition] = []
        self._read()

    def at(self, offset: int) -> Mention | None:
        """The name that an offset is in, or directly behind."""
        index = bisect_right(self.mentions, offset, key=lambda each: each.start) - 1
        for mention in self.mentions[max(index - 1, 0) : index + 1][::-1]:
            if mention.start <= offset <= mention.end:
                return mention
        return None

    def like(self, mention: Mention) -> list[Mention]:
        """All mentions of the same variable, parameter or sub-task."""
        key = mention.kind, mention.name, mention.owner
        return [each for each in self.mentions if (each.kind, each.name, each.owner) == key]

    def around(self, offset: int) -> Definition | None:
        """The sub-task in whose block an offset is."""
        for definition in self.definitions:
            if definition.start < offset <= definition.end:
                return definition
        return None

    @functools.cached_property
    def calls(self) -> dict[str, set[str]]:
        """For each sub-task the names of those that it calls."""
        found: dict[str, set[str]] = {each.name: set() for each in self.definitions}
        for mention in self.mentions:
            if mention.kind == "task" and mention.inside is not None:
                found[mention.inside].add(mention.name)
        return found

    def reached(self, name: str) -> set[str]:
        """The sub-tasks that one calls, and those that they call."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            for called in self.calls.get(waiting.pop(), ()):
                if called not in found:
                    found.add(called)
                    waiting.append(called)
        return found

    def _read(self) -> None:
        depth = 0
        open_blocks: list[tuple[Definition, int]] = []
        statement: list[Token] = []
        for token in self.script.tokens:
            if token.kind not in _ENDS:
                statement.append(token)
                continue
            inside = open_blocks[-1][0] if open_blocks else None
            if statement:
                self.mentions += _Statement(self.script, statement, inside).mentions()
            if token.kind == "{":
                depth += 1
                if statement[:1] and statement[0].kind == "DEFINE_TASK":
                    params = list(dict.fromkeys(x.text for x in statement if x.kind == "NAME"))
                    # Its block goes on to the end as long as it is not closed.
                    end = len(self.script.text)
                    inside = Definition(_defined(statement), params, token.start, end)
                    self.definitions.append(inside)
                    open_blocks.append((inside, depth))
            elif token.kind == "}":
                if open_blocks and open_blocks[-1][1] == depth:
                    open_blocks.pop()[0].end = token.start
                depth = max(depth - 1, 0)
            statement = []


class _Statement:
    """The tokens of one statement, which stands in the block of a sub-task or in none."""

    def __init__(self, script: Script, tokens: list[Token], inside: Definition | None) -> None:
        self.script = script
        self.tokens = tokens
        self.inside = inside
        self.first = tokens[0].kind
        self.called: str | None = None
        if self.first == "CALL" and tokens[1:] and tokens[1].kind == "STRING":
            self.called = content(tokens[1])

    def mentions(self) -> Iterator[Mention]:
        """The names in it."""
        before = ""
        for index, token in enumerate(self.tokens):
            kind = token.kind
            if kind == "NAME":
                yield from self.name(token, before)
            elif kind == "STRING" and index == 1 and self.first in DESCRIBED:
                if self.first in ("CALL", "DEFINE_TASK"):
                    end = token.start + len(token.text) - 1
                    is_definition = self.first == "DEFINE_TASK"
                    yield self.mention("task", content(token), token.start + 1, end, is_definition)
            elif kind in ("STRING", "HEREDOC"):
                yield from self.in_text(token)
            before = kind

    def name(self, token: Token, before: str) -> Iterator[Mention]:
        """What a NAME is, by the words around it."""
        name, start, end = token.text, token.start, token.start + len(token.text)
        if self.first == "DEFINE_TASK":
            yield self.mention("variable", name, start, end, True, _defined(self.tokens))
        elif self.first in ("@", "SET_BUDGET") or before in (".", "|") or token is self.tokens[0]:
            return  # a directive and its words, a budget, a field, a filter, an unknown command
        elif self.called is not None and before in ("WITH", ","):
            yield self.mention("variable", name, start, end, False, self.called)
        else:
            yield self.mention("variable", name, start, end, before in _BINDING, self.owner(name))

    def in_text(self, token: Token) -> Iterator[Mention]:
        """The names in the interpolations of a string or heredoc."""
        for reference, match in interpolations_in(self.script, token):
            if "var" in reference:
                name = reference["var"]
                yield self.mention("variable", name, *match.span("root"), False, self.owner(name))

    def mention(
        self, kind: str, name: str, start: int, end: int, defines: bool, owner: str | None = None
    ) -> Mention:
        inside = self.inside.name if self.inside is not None else None
        return Mention(kind, name, start, end, defines, owner, inside)

    def owner(self, name: str) -> str | None:
        return self.inside.name if self.inside is not None and name in self.inside.params else None


def _defined(statement: Sequence[Token]) -> str:
    return content(statement[1]) if statement[1:] and statement[1].kind == "STRING" else ""


def content(token: Token) -> str:
    """What a string without interpolations says, also when an escape in it is wrong."""
    inner = token.text[1:-1]
    if token.text[0] == "'" or "\\" not in inner:
        return inner
    return re.sub(r"\\(.)", lambda match: _ESCAPED.get(match[1], match[0]), inner)


def text_span(script: Script, token: Token) -> tuple[int, int]:
    """Where the content of a string or heredoc stands."""
    if isinstance(token, Heredoc):
        start = min(script.line_end(token.line) + 1, len(script.text))
        return start, start + len(token.body)
    return token.start + 1, token.start + len(token.text) - 1


def interpolations_in(
    script: Script, token: Token
) -> Iterator[tuple[dict[str, str], re.Match[str]]]:
    """The references in a string or heredoc, and where their parts stand."""
    is_heredoc = isinstance(token, Heredoc)
    if isinstance(token, Heredoc):
        if token.raw or "{{" not in token.body:
            return
    elif token.text[0] == "'" or "{{" not in token.text:
        return
    yield from interpolations(script.text, *text_span(script, token), is_heredoc)
