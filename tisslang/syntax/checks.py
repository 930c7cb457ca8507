"""Static errors: what is certain to be wrong before anything has run."""

from __future__ import annotations

import functools

from tisslang.syntax import trampoline
from tisslang.syntax.text import Reference
from tisslang.syntax.tree import BINDS, FIELDS, FILTERS, blocks, references, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tisslang.syntax.diagnostics import Diagnostic
    from tisslang.syntax.trampoline import Deep

    Node = dict[str, Any]

_BEFORE_TASK = frozenset({"DIRECTIVE", "DEFINE_TASK"})
_AFTER_TASK = frozenset({"DEFINE_TASK", "TASK"})  # the second TASK has its own code
_PSEUDO = {"last_run": "LAST_RUN", "error": "ERROR"}


def static_errors(script: Node, filename: str, assigned: Iterable[str]) -> list[Diagnostic]:
    """All static errors of a tree, in the order of the source, once per code and position."""
    findings = Findings(filename)
    check_task(script, findings)
    for statement, _ in walk(script):
        found = references(statement)
        for reference in found:
            check_reference(reference, statement, findings)
        if found and statement["type"] == "RUN":
            check_quoting(statement, findings)
    known = Known(set(assigned), last_run=False)
    trampoline.run(Flow(script, findings).visit(script["body"], known))
    return findings.in_order()


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
        self._add(code, message, line, column, column + len(_keyword(statement)), hint)

    def at_reference(
        self, code: str, reference: Node, statement: Node, message: str, hint: str | None = None
    ) -> None:
        """A finding that points at a reference, or at its statement in a tree that came as JSON."""
        if isinstance(reference, Reference):
            self._add(code, message, reference.line, reference.column, reference.end_column, hint)
        else:
            self.at_statement(code, statement, message, hint)

    def _add(
        self, code: str, message: str, line: int, column: int, end: int, hint: str | None
    ) -> None:
        from tisslang.syntax.diagnostics import Diagnostic  # only where there is something to say

        finding = Diagnostic(code, "error", message, self.filename, line, column, line, end, hint)
        self.by_position.setdefault((line, column, code), finding)

    def in_order(self) -> list[Diagnostic]:
        """The findings by line, column and code."""
        return [self.by_position[key] for key in sorted(self.by_position)]


def check_task(script: Node, findings: Findings) -> None:
    """At most one TASK, at top level, with only directives and definitions around it."""
    seen = False
    for statement, holder in walk(script):
        if statement["type"] != "TASK":
            continue
        if seen:
            hint = "a script has one TASK; use STEP"
            findings.at_statement("T101", statement, "second TASK", hint)
        elif holder is not script:
            hint = "TASK stands at top level; use STEP"
            findings.at_statement("T102", statement, "TASK inside a block", hint)
        seen = True
    body = script["body"]
    tasks = [index for index, node in enumerate(body) if node["type"] == "TASK"]
    if not tasks:
        return
    first = tasks[0]
    for statement in body[:first]:
        if statement["type"] not in _BEFORE_TASK:
            hint = "only directives and definitions stand before the TASK: move it behind"
            message = f"{statement['type']} before the TASK"
            findings.at_statement("T102", statement, message, hint)
    for statement in body[first + 1 :]:
        if statement["type"] not in _AFTER_TASK:
            hint = "move it into the block, or write TASK without a block"
            message = f"{_keyword(statement)} behind the block of the TASK"
            findings.at_statement("T102", statement, message, hint)


def _keyword(statement: Node) -> str:
    return "@" + statement["name"] if statement["type"] == "DIRECTIVE" else statement["type"]


def check_reference(reference: Node, statement: Node, findings: Findings) -> None:
    """Fields and filters that exist; ERROR only where there is one."""
    for key, fields in FIELDS.items():
        field = reference.get(key)
        if field is not None and field not in fields:
            message = f"{_PSEUDO[key]} has no field {field}"
            hint = f"fields are upper case: {field.upper()}"
            if field.upper() not in fields:
                hint = _similar(field.upper(), fields, "its fields are")
            findings.at_reference("T107", reference, statement, message, hint)
    name = reference.get("filter")
    if name is not None and name not in FILTERS:
        hint = _similar(name, FILTERS, "the filters are")
        findings.at_reference("T107", reference, statement, f"unknown filter {name}", hint)
    if "error" in reference:
        hint = "only a CATCH block has an error to look at"
        findings.at_statement("T102", statement, "ERROR outside a CATCH", hint)


def _similar(word: str, choices: tuple[str, ...], introduction: str) -> str:
    from tisslang.syntax.hints import nearest

    return nearest(word, choices) or f"{introduction} {', '.join(choices)}"


def check_quoting(statement: Node, findings: Findings) -> None:
    """Every reference of a RUN stands where it can be quoted."""
    from tisslang.syntax.shell import Unsupported, reference_contexts

    contexts = reference_contexts(statement["command"]["template"])
    for reference, context in zip(references(statement), contexts):
        if isinstance(context, Unsupported):
            findings.at_reference(
                "T109",
                reference,
                statement,
                f"this reference cannot be quoted safely: {context.reason}",
                context.hint,
            )


class Known:
    """What may have been assigned by now, on some way through the script.

    A branch works on a copy; behind it is known what one of the branches may have assigned.
    """

    def __init__(self, names: set[str], last_run: bool) -> None:
        self.names = names
        self.last_run = last_run

    def copy(self) -> Known:
        """The same, to be changed apart."""
        return Known(set(self.names), self.last_run)

    def join(self, other: Known) -> None:
        """Know what the other knows too."""
        self.names |= other.names
        self.last_run = self.last_run or other.last_run


class Flow:
    """Uses that are certain to fail: no statement that could run before assigns the name."""

    MAX_SUGGESTIONS = 20  # names that look alike are searched for this often: it takes its time

    def __init__(self, script: Node, findings: Findings) -> None:
        self.script = script
        self.findings = findings
        self.suggestions = 0

    def visit(self, body: list[Node], known: Known) -> Deep:
        """Go through a block, and let `known` grow."""
        for statement in body:
            for reference in references(statement):
                self.use(reference, statement, known)
            if statement["type"] in BINDS:
                known.names.add(statement[BINDS[statement["type"]]])
            elif statement["type"] == "RUN":
                known.last_run = True
            for block in blocks(statement):
                yield self.visit(block, known)

    def use(self, reference: Node, statement: Node, known: Known) -> None:
        """Report a reference to what cannot have a value."""
        name = reference.get("var")
        if name is not None and name not in known.names:
            hint = self.hint(reference, name, known)
            message = f"variable {name} has no value here"
            self.findings.at_reference("T110", reference, statement, message, hint)
        if "last_run" in reference and not known.last_run:
            message = "LAST_RUN has no value here"
            hint = "nothing has run yet: a RUN must come before"
            self.findings.at_reference("T111", reference, statement, message, hint)

    def hint(self, reference: Node, name: str, known: Known) -> str:
        """What may have been meant by a name without a value."""
        verbatim = getattr(reference, "heredoc", None)
        if verbatim is not None:
            return f"where {{{{ is meant as text, write \\{{{{ or open the heredoc with {verbatim}"
        if name in self.bound_on:
            return f"it gets its value only later, on line {self.bound_on[name]}"
        self.suggestions += 1
        if self.suggestions <= self.MAX_SUGGESTIONS:
            from tisslang.syntax.hints import nearest

            if similar := nearest(name, known.names):
                return similar
        return f"give it one with VAR, READ … AS or --var {name}=VALUE"

    @functools.cached_property
    def bound_on(self) -> dict[str, int]:
        """The line on which each name first gets a value."""
        lines: dict[str, int] = {}
        for statement, _ in walk(self.script):
            if statement["type"] in BINDS:
                lines.setdefault(statement[BINDS[statement["type"]]], statement.get("line", 1))
        return lines
