"""Colours for TissLang wherever Pygments makes them: books, terminals, pages.

The tokens are those of the language's own lexer, so both always agree. What is wrong in a script is
an error here too, and the colours go on behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from heapq import merge
from operator import attrgetter
from typing import Any, ClassVar

from pygments.lexer import Lexer, do_insertions
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import (
    Comment,
    Error,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
    Whitespace,
)

from tisslang.syntax.lexer import (
    DESCRIBED,
    NAME,
    PSEUDO_VARIABLES,
    RESERVED,
    Fault,
    Heredoc,
    Token,
    tokenize,
)
from tisslang.vocabulary import BY_NAME, words

Span = tuple[int, Any, str]  # where it begins, the type of the token, its text

MAX_FAULTS = 100  # what stands behind so many has no colours

_BY_KIND = {
    "block": Keyword,
    "command": Keyword,
    "clause": Keyword,
    "condition": Operator.Word,
    "constant": Keyword.Constant,
    "value": Name.Builtin.Pseudo,
    "reserved": Keyword.Reserved,
}
_RESERVED = {word: _BY_KIND[BY_NAME[word].kind] for word in RESERVED}
_FIELDS = frozenset(word.name for word in words("field"))
_FILTERS = frozenset(word.name for word in words("filter"))
_BUDGETS = frozenset(word.name for word in words("budget"))
_LITERALS = frozenset({"NUMBER", "DURATION"})
_PUNCTUATION = frozenset("{},.")

_ESCAPE = r'\\["\\ntr{]'
_UNKNOWN_ESCAPE = r"\\."
_INTERPOLATION = (
    rf"(?P<open>\{{\{{[ \t]*+)(?P<root>{NAME})(?:\.(?P<field>{NAME}))?+"
    rf"(?:(?P<pipe>[ \t]*+\|[ \t]*+)(?P<filter>{NAME}))?+(?P<close>[ \t]*+\}}\}})"
)
_IN_STRING = re.compile(
    rf"(?P<escape>{_ESCAPE})|(?P<unknown>{_UNKNOWN_ESCAPE})|{_INTERPOLATION}", re.DOTALL
)
_IN_HEREDOC = re.compile(rf"(?P<escape>\\\{{)(?=\{{)|{_INTERPOLATION}")
_VERSION = re.compile(r"#TISS_VERSION(?![A-Za-z0-9_])")
_IGNORE = re.compile(r"#[ \t]*tiss:[ \t]*ignore\b")
_PROGRAM = re.compile(r"#![^\n]*\btiss\b")
_STATEMENT = re.compile(r'^(?:TASK|STEP) "[^"\n]*"', re.MULTILINE)


class TissLexer(Lexer):
    """TissLang, with the languages of its heredocs."""

    name = "TissLang"
    aliases: ClassVar = ["tiss", "tisslang"]
    filenames: ClassVar = ["*.tiss"]
    mimetypes: ClassVar = ["text/x-tisslang"]

    @staticmethod
    def analyse_text(text: str) -> float:
        """How sure it is that a text is TissLang, from 0 to 1."""
        if text.startswith("#TISS!") or _PROGRAM.match(text):
            return 1.0
        return 0.4 if _STATEMENT.search(text) else 0.0

    def get_tokens_unprocessed(self, text: str) -> Iterator[Span]:
        """The whole text, piece by piece."""
        end = 0
        for start, kind, value in _spans(text):
            if start > end:
                yield end, Whitespace, text[end:start]
            yield start, kind, value
            end = start + len(value)
        if end < len(text):
            rest = text[end:]
            yield end, Text if rest.strip() else Whitespace, rest


def _spans(text: str) -> Iterator[Span]:
    """Everything but the white space between tokens."""
    tokens, comments = tokenize(text, MAX_FAULTS)
    before = before_that = Token("NL", "", 1, 1, 0)
    end = 0
    for token in merge(tokens, comments, key=attrgetter("start")):
        if token.start < end:
            continue  # a comment that the span of its heredoc has
        spans: Iterator[Span]
        if token.kind == "COMMENT":
            spans = iter([(token.start, _comment(token, tokens[0].start), token.text)])
        elif isinstance(token, Fault):
            spans = _fault(token, text)
        elif isinstance(token, Heredoc):
            spans = _heredoc(token, text, is_shell=before.kind == "RUN")
        elif token.kind == "STRING":
            spans = _string(token, before.kind not in DESCRIBED)
        else:
            spans = iter([(token.start, _type(token, before, before_that), token.text)])
        for start, kind, value in spans:
            if value:
                yield start, kind, value
                end = start + len(value)
        if token.kind != "COMMENT":
            before, before_that = token, before


def _type(token: Token, before: Token, before_that: Token) -> Any:
    """The type of a token that is one piece, by what stands before it."""
    if before.kind == "@":
        return Name.Decorator
    if before.kind == "SET_BUDGET" and token.text in _BUDGETS:
        return Name.Constant
    if before.kind == ".":
        return Name.Attribute if f"{before_that.text}.{token.text}" in _FIELDS else Name
    if before.kind == "|":
        return Name.Function if token.text in _FILTERS else Name
    if token.text in _RESERVED:
        return _RESERVED[token.text]
    if token.kind == "NAME":
        return Name.Variable
    if token.kind in _LITERALS:
        return Number
    if token.kind == "NL":
        return Whitespace
    if token.kind == "@":
        return Name.Decorator
    return Punctuation if token.kind in _PUNCTUATION else Operator


def _comment(comment: Token, first: int) -> Any:
    """The type of a comment; some before the first token mean more."""
    if _IGNORE.match(comment.text):
        return Comment.Special
    if comment.text.startswith("#!") and comment.start == 0:
        return Comment.Hashbang
    in_zone = comment.start < first
    if in_zone and (comment.text.startswith("#TISS!") or _VERSION.match(comment.text)):
        return Comment.Preproc
    return Comment.Single


def _fault(fault: Fault, text: str) -> Iterator[Span]:
    """What is wrong, and then what is skipped: the rest of an open string or heredoc."""
    error = fault.error
    assert error.end_column is not None
    middle = fault.start + error.end_column - error.column
    wrong = text[fault.start : middle]
    # In examples, an ellipsis stands for what is left out.
    yield fault.start, Text if wrong == "…" else Error, wrong
    yield middle, String, text[middle : fault.resume]


def _string(token: Token, is_interpolated: bool) -> Iterator[Span]:
    if token.text[0] == "'":
        yield token.start, String.Single, token.text
        return
    end = 0
    for match in _IN_STRING.finditer(token.text):
        if match["open"] and not (is_interpolated and _is_reference(match)):
            continue
        yield token.start + end, String.Double, token.text[end : match.start()]
        yield from _piece(match, token.start)
        end = match.end()
    yield token.start + end, String.Double, token.text[end:]


def _piece(match: re.Match[str], offset: int) -> Iterator[Span]:
    """An escape or an interpolation. `offset` is where the matched text begins."""
    start = offset + match.start()
    if not match["open"]:
        yield start, String.Escape if match["escape"] else Error, match[0]
        return
    yield start, String.Interpol, match["open"]
    start += len(match["open"])
    root, field, pipe = match["root"], match["field"], match["pipe"]
    yield start, _RESERVED.get(root, Name.Variable), root
    start += len(root)
    if field:
        yield start, Punctuation, "."
        yield start + 1, Name.Attribute if f"{root}.{field}" in _FIELDS else Name, field
        start += 1 + len(field)
    if pipe:
        yield start, Operator, pipe
        start += len(pipe)
        yield start, Name.Function if match["filter"] in _FILTERS else Name, match["filter"]
        start += len(match["filter"])
    yield start, String.Interpol, match["close"]


def _is_reference(match: re.Match[str]) -> bool:
    """Whether the braces are filled in. A field is wanted, allowed or neither, by what has it."""
    root, field = match["root"], match["field"]
    if field in RESERVED or match["filter"] in RESERVED:
        return False
    if field is None:
        return root == "COST" or root not in RESERVED
    return root in PSEUDO_VARIABLES


def _heredoc(heredoc: Heredoc, text: str, is_shell: bool) -> Iterator[Span]:
    start = heredoc.start
    yield start, String.Delimiter, heredoc.text
    if heredoc.end == start:
        return  # a fault stands on the line of the opener, and it has the body
    line_end = text.index("\n", start)
    comment = text.find("#", start, line_end)
    if comment >= 0:
        yield comment, Comment.Single, text[comment:line_end]
    start = line_end + 1
    yield line_end, Whitespace, "\n"
    yield from _body(heredoc, start, "bash" if is_shell else heredoc.word.lower())
    start += len(heredoc.body)
    last = text[start : heredoc.end]
    indent = last[: len(last) - len(last.lstrip(" \t"))]
    yield start, Whitespace, indent
    yield start + len(indent), String.Delimiter, heredoc.word
    yield start + len(indent) + len(heredoc.word), Whitespace, last[len(indent + heredoc.word) :]


def _body(heredoc: Heredoc, start: int, language: str) -> Iterator[Span]:
    """The body in the colours of its language, as it looks without the interpolations in it."""
    body = heredoc.body
    rest, end, left = [], 0, 0  # what is not interpolated, up to where, and how much that is
    pieces: list[tuple[int, list[Span]]] = []
    for match in () if heredoc.raw else _IN_HEREDOC.finditer(body):
        if match["escape"] or _is_reference(match):
            rest.append(body[end : match.start()])
            left += len(rest[-1])
            end = match.end()
            pieces.append((left, list(_piece(match, 0))))
    rest.append(body[end:])
    for _, kind, value in do_insertions(pieces, _in_language("".join(rest), language)):
        yield start, kind, value
        start += len(value)


def _in_language(text: str, language: str) -> list[Span]:
    """The text in the colours of a language, or as plain text when Pygments does not know it."""
    found: list[tuple[Any, str]] = []
    try:
        if language in TissLexer.aliases:
            found = _unplaced(TissLexer(), text)
        elif language in _languages():
            found = _unplaced(get_lexer_by_name(language), text)
    except RecursionError:  # plans in pages in plans …
        pass
    if "".join(value for _, value in found) != text:  # some lexers drop a last line, or add one
        found = [(String.Heredoc, text)]
    spans: list[Span] = []
    end = 0
    for kind, value in found:
        # What is wrong in the other language is no error of the plan.
        spans.append((end, Text if kind is Error else kind, value))
        end += len(value)
    return spans


def _unplaced(lexer: Lexer, text: str) -> list[tuple[Any, str]]:
    """A lexer's tokens. Where it says that they stand is not needed, and not always right."""
    return [(kind, value) for _, kind, value in lexer.get_tokens_unprocessed(text)]


@cache
def _languages() -> frozenset[str]:
    """The aliases of the languages that Pygments itself has colours for."""
    known = {alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases}
    return frozenset(known - {"text", "output"})
