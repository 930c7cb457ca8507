"""The form of a script: T208 to T210, T212 to T214."""

from __future__ import annotations

import re
from itertools import pairwise

from tisslang.linting.findings import Edit, Report
from tisslang.linting.source import Source, span
from tisslang.syntax.directives import FOR_AGENT, OBEYED
from tisslang.syntax.hints import nearest

_HEADER = re.compile(r"#TISS(?:!|_VERSION(?![A-Za-z0-9_]))")
_BLANKS = " \t"


def check(source: Source, report: Report) -> None:
    """All rules of this file."""
    check_top(source, report)
    check_header_zone(source, report)
    check_tokens(source, report)
    check_directives(source, report)


def check_top(source: Source, report: Report) -> None:
    """T208 and T209, at the start of the file."""
    if not any(statement.kind == "TASK" for statement in source.statements):
        hint = 'begin with TASK "what the plan is for"'
        report.add("T208", (0, 0), "the script has no TASK", hint)
    if source.script["header"] is None:
        hint = "begin with a line such as #TISS! Language=Python"
        report.add("T209", (0, 0), "the script has no #TISS! header", hint)


def check_header_zone(source: Source, report: Report) -> None:
    """T213: a header or pragma behind the first statement is only a comment."""
    first = source.tokens[0].start
    for comment in source.comments:
        if comment.start > first and (match := _HEADER.match(comment.text)):
            hint = "move it to the top of the file: after the first statement it is a comment"
            message = f"{match[0]} outside the header zone"
            report.add("T213", span(comment), message, hint)


def check_tokens(source: Source, report: Report) -> None:
    """T210, a `{` right before its `}`, and T214."""
    tokens = source.tokens
    for token, following in pairwise(tokens):
        if token.kind == "{" and following.kind == "}":
            end = following.start + 1 if following.line == token.line else token.start + 1
            hint = "fill it, or remove the statement that it belongs to"
            report.add("T210", (token.start, end), "the block is empty", hint)
        elif token.kind == "THEN":
            start = token.start
            while start and source.text[start - 1] in _BLANKS:
                start -= 1
            edit = Edit(start, token.start + len(token.text), "")
            report.add("T214", span(token), "THEN is an old spelling", "leave it out", [edit])


def check_directives(source: Source, report: Report) -> None:
    """T212: a name that means nothing here goes to the agent, which may not have been meant."""
    for statement in source.statements:
        if statement.kind == "DIRECTIVE":
            name = statement.node["name"]
            if name not in (*FOR_AGENT, *OBEYED):
                hint = nearest(name, (*FOR_AGENT, *OBEYED))
                hint = hint or f"known are {', '.join((*FOR_AGENT, *OBEYED))}"
                report.add("T212", span(statement.tokens[1]), f"unknown directive @{name}", hint)
