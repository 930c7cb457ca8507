"""Names that are given and never used: T203 (variables) and T205 (sub-tasks)."""

from __future__ import annotations

from itertools import pairwise

from tisslang.linting.findings import Report
from tisslang.linting.source import Source, Statement, span
from tisslang.syntax.lexer import Token


def check(source: Source, report: Report) -> None:
    """T203 at the first assignment of a variable, T205 at the name of a sub-task."""
    assigned: dict[str, Token] = {}
    read: set[str] = set()
    called: set[str] = set()
    for statement in source.statements:
        for token in _assigned(statement):
            assigned.setdefault(token.text, token)
        read.update(name for each in statement.references if (name := each.get("var")))
        if statement.kind == "CALL":
            called.add(statement.node["name"])
    for name, token in assigned.items():
        if name not in read and not name.startswith("_"):
            hint = f"use it, remove it, or call it _{name} if only the report is to have it"
            report.add("T203", span(token), f"variable {name} is never read", hint)
    for statement in source.statements:
        if statement.kind == "DEFINE_TASK" and statement.node["name"] not in called:
            message = f'sub-task "{statement.node["name"]}" is never called'
            hint = "CALL it, or remove it"
            report.add("T205", span(statement.tokens[1]), message, hint)


def _assigned(statement: Statement) -> list[Token]:
    """The names that a statement gives a value; of a sub-task its parameters."""
    tokens = statement.tokens
    if statement.kind == "VAR":
        return tokens[1:2]
    if statement.kind == "DEFINE_TASK":
        return [token for token in tokens if token.kind == "NAME"]
    if statement.kind in ("READ", "PROMPT_AGENT", "ESTIMATE_COST"):
        return [name for word, name in pairwise(tokens) if word.kind in ("AS", "INTO")]
    return []
