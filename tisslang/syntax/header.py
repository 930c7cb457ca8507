"""The header zone: the comments before the first statement that are more than comments."""

from __future__ import annotations

import re

from tisslang.errors import TissParseError
from tisslang.syntax.lexer import Token

LANGUAGE_VERSION = "1.2.0"

# Not compiled here: few scripts need them, and every start would pay.
_PAIR = r"([A-Za-z_][A-Za-z0-9_]*)=(\S+)"
_IS_PRAGMA = r"#TISS_VERSION(?![A-Za-z0-9_])"
_PRAGMA = r"#TISS_VERSION[ \t]*(>=|==|<)[ \t]*([0-9]{1,9}\.[0-9]{1,9}(?:\.[0-9]{1,9})?)[ \t]*"


def read_header(
    comments: list[Token], first: Token
) -> tuple[dict[str, str] | None, list[dict[str, str]]]:
    """`header` and `requires` of a script whose first token is `first`.

    Raises T010 for a version pragma that is malformed or that this version does not fulfil.
    """
    header: dict[str, str] | None = None
    requires: list[dict[str, str]] = []
    for comment in comments:
        if comment.start > first.start:
            break
        text = comment.text
        if text.startswith("#TISS!"):
            header = (header or {}) | dict(re.findall(_PAIR, text.removeprefix("#TISS!")))
        elif re.match(_IS_PRAGMA, text):
            requires.append(_requirement(comment))
    return header, requires


def _requirement(comment: Token) -> dict[str, str]:
    match = re.fullmatch(_PRAGMA, comment.text)
    if match is None:
        raise _error(comment, "malformed version pragma", "write it as #TISS_VERSION >= 1.2")
    operator, version = match[1], match[2]
    ours, theirs = _parts(LANGUAGE_VERSION), _parts(version)
    holds = {">=": ours >= theirs, "==": ours == theirs, "<": ours < theirs}[operator]
    if not holds:
        message = f"this plan needs TissLang {operator} {version}, and this is {LANGUAGE_VERSION}"
        raise _error(comment, message, "run it with a version of tiss that it was written for")
    return {"op": operator, "version": version}


def _parts(version: str) -> tuple[int, ...]:
    parts = [int(part) for part in version.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def _error(comment: Token, message: str, hint: str) -> TissParseError:
    return TissParseError("T010", message, comment.line, 1, hint, end_column=comment.end_column)
