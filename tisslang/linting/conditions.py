"""Conditions that are decided before a run: T206, and T204 for what then never runs.

Behind a statement that certainly fails nothing in its block is reached. Between top-level steps
the operator decides (`--step`, `--keep-going`), so a step that fails makes no other unreachable.
"""

from __future__ import annotations

from typing import Any

from tisslang.conditions import judge
from tisslang.errors import TissCommandError
from tisslang.linting.findings import Report
from tisslang.linting.source import Node, Source, Statement, span
from tisslang.syntax import trampoline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.syntax.trampoline import Deep

FAILS = "an error"


def check(source: Source, report: Report) -> None:
    """T204 at the first statement of each part that is never reached, T206 at a condition."""
    for statement in source.statements:
        if statement.kind in ("ASSERT", "IF"):
            outcome = constant(statement.node["condition"])
            if outcome is not None:
                shown = outcome if outcome is FAILS else str(outcome).lower()
                message = f"the condition is always {shown}"
                hint = "compare with something that a run can change"
                report.add("T206", span(statement.tokens[0]), message, hint)
    _Reach(source, report).run()


def constant(condition: Node) -> Any:
    """True, False or FAILS for a condition of literals alone, else None."""
    if condition["op"] == "EXISTS":
        return None
    values: dict[str, Any] = {
        side: condition[side] for side in ("left", "right") if side in condition
    }
    for side, value in values.items():
        if isinstance(value, dict):
            if "duration" not in value:
                return None
            values[side] = float(value["seconds"])
    try:
        return judge({**condition, **values}, lambda path: False).holds
    except TissCommandError:
        return FAILS


class _Reach:
    """Walks every block; the answer about a statement is whether it certainly fails."""

    def __init__(self, source: Source, report: Report) -> None:
        self.source = source
        self.report = report
        self.statements: dict[int, Statement] = {id(x.node): x for x in source.statements}
        self.failing: set[str] = set()  # sub-tasks

    def run(self) -> None:
        subtasks = self.source.analysis.subtasks
        for name in subtasks.order:  # callees first
            if trampoline.run(self.block(subtasks.definitions[name]["body"])):
                self.failing.add(name)
        for node in subtasks.again:
            trampoline.run(self.block(node["body"]))
        body = self.source.script["body"]
        trampoline.run(self.block(body, top_level=True))

    def block(self, body: list[Node], top_level: bool = False) -> Deep:
        for index, node in enumerate(body):
            fails = yield self.statement(node, top_level)
            if fails and not (top_level and node["type"] in ("STEP", "SETUP")):
                cause = f"the {node['type']} on line {node['line']} always fails"
                self.unreachable(body[index + 1 :], cause)
                return True
        return False

    def statement(self, node: Node, top_level: bool) -> Deep:
        kind = node["type"]
        if kind == "ASSERT":
            return constant(node["condition"]) in (False, FAILS)
        if kind == "CALL":
            return node["name"] in self.failing
        if kind == "IF":
            return (yield self.branches(node))
        if kind == "TRY":
            body = yield self.block(node["body"])
            catch = yield self.block(node["catch"])
            return body and catch
        if kind in ("STEP", "SETUP", "TASK", "OPTION"):
            return (yield self.block(node["body"], top_level and kind == "TASK"))
        if kind in ("PARALLEL", "CHOOSE"):
            failed = []
            for inner in node["body" if kind == "PARALLEL" else "options"]:
                failed.append((yield self.statement(inner, False)))
            return any(failed) if kind == "PARALLEL" else bool(failed) and all(failed)
        return False

    def branches(self, node: Node) -> Deep:
        outcome = constant(node["condition"])
        otherwise = node["else"] or []
        cause = f"the condition on line {node['line']} is always"
        if outcome in (False, FAILS):
            self.unreachable(node["then"], f"{cause} {str(outcome).lower()}")
        if outcome in (True, FAILS):
            self.unreachable(otherwise, f"{cause} {str(outcome).lower()}")
        if outcome is FAILS:
            return True
        failed = []
        if outcome is not False:
            failed.append((yield self.block(node["then"])))
        if outcome is not True:
            failed.append((yield self.block(otherwise)))
        return all(failed)

    def unreachable(self, body: list[Node], cause: str) -> None:
        """Report the first statement; a definition takes effect wherever it stands."""
        for node in body:
            if node["type"] != "DEFINE_TASK":
                statement = self.statements[id(node)]
                hint = "remove what is never reached, or mend what comes before it"
                message = f"this is never reached: {cause}"
                self.report.add("T204", span(statement.tokens[0]), message, hint)
                return
