"""Gathers static errors: once per code and position, in the order of the source."""

from __future__ import annotations

from tisslang.syntax.text import Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tisslang.syntax.diagnostics import Diagnostic

    Node = dict[str, Any]


class Findings:
    """The diagnostics so far."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.by_position: dict[tuple[int, int, str], Diagnostic] = {}

    def at_statement(
        self, code: str, statement: Node, message: str, hint: str | None = None
    ) -> None:
        """A finding that points at a statement: at its keyword."""
        line, column = statement.get("line", 1), statement.get("column", 1)
        self._add(code, message, line, column, column + len(self.keyword(statement)), hint)

    def at_reference(
        self, code: str, reference: Node, statement: Node, message: str, hint: str | None = None
    ) -> None:
        """A finding that points at a reference, or at its statement in a tree that came as JSON."""
        if isinstance(reference, Reference):
            self._add(code, message, reference.line, reference.column, reference.end_column, hint)
        else:
            self.at_statement(code, statement, message, hint)

    def keyword(self, statement: Node) -> str:
        """The word that a statement begins with."""
        return "@" + statement["name"] if statement["type"] == "DIRECTIVE" else statement["type"]

    def in_order(self) -> list[Diagnostic]:
        """The findings by line, column and code."""
        return [self.by_position[key] for key in sorted(self.by_position)]

    def _add(
        self, code: str, message: str, line: int, column: int, end: int, hint: str | None
    ) -> None:
        from tisslang.syntax.diagnostics import Diagnostic  # only where there is something to say

        finding = Diagnostic(code, "error", message, self.filename, line, column, line, end, hint)
        self.by_position.setdefault((line, column, code), finding)
