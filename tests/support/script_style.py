"""A judge of the formatter's style, which reads the finished text and shares no code with it."""

import re
from itertools import pairwise
from typing import Any

from scripts import without_positions

from tisslang.formatting import format_source
from tisslang.syntax import parse
from tisslang.syntax.lexer import Heredoc, Token, tokenize
from tisslang.syntax.source import decode

SPACED = ("TASK", "SETUP", "STEP", "DEFINE_TASK")
GLUED_BEFORE = (".", "|", ",")
GLUED_AFTER = (".", "|", "@")


def format_and_judge(source: str | bytes) -> str:
    """The formatted script, and all that must hold whatever the script is."""
    formatted = format_source(source)
    assert format_source(formatted) == formatted
    assert without_positions(parse(formatted)) == without_positions(parse(source))
    judge_style(formatted)
    text = decode(source)
    assert plain_comments(formatted) == plain_comments(text)
    before, after = (heredocs_and_words(given) for given in (text, formatted))
    assert before == after
    return formatted


def heredocs_and_words(text: str) -> list[Any]:
    """What the formatter keeps of the tokens: all but spaces, and THEN."""
    return [kept(token) for token in tokenize(text)[0] if token.kind not in ("NL", "THEN")]


def kept(token: Token) -> Any:
    if isinstance(token, Heredoc):
        return token.text, token.body
    is_template = token.text.startswith('"') and "{{" in token.text
    return token.text.replace(" ", "").replace("\t", "") if is_template else token.text


def plain_comments(text: str) -> list[str]:
    """The comments in the order that they are to have, without trailing blanks."""
    tokens, comments = tokenize(text)
    in_zone = [x.start < tokens[0].start or tokens[0].kind == "EOF" for x in comments]
    texts = [comment.text.rstrip(" \t") for comment in comments]
    start = 1 if texts and in_zone[0] and texts[0].startswith("#!") else 0
    end = sum(in_zone)
    return texts[:start] + sorted(texts[start:end], key=_rank) + texts[end:]


def judge_style(text: str) -> None:
    """Assert that a text looks as rules 1 to 7 of the formatter want it to."""
    if not text:
        return
    assert text.endswith("\n")
    assert not text.startswith(("\n", "\ufeff"))
    assert "\r" not in text
    _judge_spaces(text)
    rows = _rows(text)
    _judge_indents(rows)
    _judge_blank_lines(rows)
    _judge_header(rows)


def _judge_spaces(text: str) -> None:
    """One space between two tokens of a line, or none; two before a comment; nothing behind."""
    tokens, comments = tokenize(text)
    lines = text.split("\n")
    things = sorted([*tokens, *comments], key=lambda thing: thing.start)
    for before, after in pairwise(things):
        if before.line != after.line or after.kind in ("NL", "EOF"):
            continue
        between = lines[before.line - 1][before.end_column - 1 : after.column - 1]
        glued = before.kind in GLUED_AFTER or after.kind in GLUED_BEFORE
        wanted = "" if glued else "  " if after.kind == "COMMENT" else " "
        assert between == wanted, (before, after)
    assert not any(token.kind == "THEN" for token in tokens)


def _rows(text: str) -> list[tuple[str, str, str]]:
    """Each line outside heredoc bodies: its first token, the line without comment, the comment."""
    tokens, comments = tokenize(text)
    lines = text.split("\n")[:-1]
    first = {
        token.line: token.text for token in reversed(tokens) if token.kind not in ("NL", "EOF")
    }
    trailing = {comment.line: comment.column - 1 for comment in comments}
    inside: set[int] = set()
    for token in tokens:
        if isinstance(token, Heredoc):
            inside.update(range(token.line + 1, token.end_line + 1))
            indent = re.match(" *", lines[token.line - 1])[0] if token.indented else ""  # type: ignore[index]
            assert lines[token.end_line - 1] == indent + token.word
    rows = []
    for number, line in enumerate(lines, 1):
        if number in inside:
            continue
        assert line == line.rstrip(" \t")
        cut = trailing.get(number, len(line))
        is_own_line = number in trailing and number not in first
        code = line if is_own_line else line[:cut].rstrip(" ")
        rows.append((first.get(number, "#" if line else ""), code, line[cut:]))
    return rows


def _judge_indents(rows: list[tuple[str, str, str]]) -> None:
    """Four spaces a level; `{` ends a line and `}` begins one, but for the empty block."""
    depth = 0
    for first, code, _ in rows:
        depth -= first == "}"
        if first:
            assert re.match(" *", code)[0] == " " * 4 * depth, code  # type: ignore[index]
        depth += first not in ("", "#") and code.endswith(" {")
    assert depth == 0


def _judge_blank_lines(rows: list[tuple[str, str, str]]) -> None:
    """Where blank lines stand, and where none may."""
    opens = [first not in ("", "#") and code.endswith(" {") for first, code, _ in rows]
    kinds: list[str] = []
    behind = ""  # the keyword of the statement that ends on the row before
    for index, (first, _, _) in enumerate(rows):
        at_start = index == 0 or opens[index - 1]
        if not first:
            assert not at_start
            assert rows[index - 1][0] != ""
            assert index + 1 < len(rows)
            assert rows[index + 1][0] != "}"
        if behind in SPACED and first != "}":
            assert first == ""
        if first in SPACED:
            above = index - 1
            while above >= 0 and rows[above][0] == "#":
                above -= 1
            at_edge = above < 0 or opens[above]
            assert at_edge or rows[above][0] == "" or rows[index - 1][0] == ""
        behind = kinds.pop() if first == "}" else first
        if opens[index]:
            kinds.append(behind)
            behind = ""


def _judge_header(rows: list[tuple[str, str, str]]) -> None:
    """The comments before the first statement: their order, and the blank line behind them."""
    firsts = [first for first, _, _ in rows]
    end = next((i for i, first in enumerate(firsts) if first not in ("", "#")), len(rows))
    texts = [code for _, code, _ in rows[:end]]
    start = 1 if texts and texts[0].startswith("#!") else 0
    ranks = [_rank(text) for text in texts[start:] if text]
    assert ranks == sorted(ranks)
    pragmas = start + sum(rank < 2 for rank in ranks)
    assert "" not in texts[:pragmas]
    if pragmas and end < len(rows):
        assert "" in texts


def _rank(text: str) -> int:
    if text.startswith("#TISS!"):
        return 0
    return 1 if re.match(r"#TISS_VERSION(?![A-Za-z0-9_])", text) else 2
