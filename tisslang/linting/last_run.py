"""T201 and T202, uses that may fail, and T207, results of RUN that nobody looks at.

T207 goes through a script backwards and asks whether `LAST_RUN` may still be read. Every branch is
taken as possible: one read on one of the ways is enough.
"""

from __future__ import annotations

from tisslang.linting.findings import Report
from tisslang.linting.source import Node, Source, span
from tisslang.syntax import trampoline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.syntax.trampoline import Deep

_HINT = "ASSERT LAST_RUN.EXIT_CODE == 0: a command that fails does not stop the plan by itself"


def check(source: Source, report: Report) -> None:
    """All rules of this file."""
    check_uses(source, report)
    check_reads(source, report)


def check_uses(source: Source, report: Report) -> None:
    """T201 and T202, which the flow analysis finds along with T110 and T111."""
    for code, reference, _, message, hint in source.analysis.uses:
        if code in ("T201", "T202"):
            report.add(code, source.reference_span(reference), message, hint)


def check_reads(source: Source, report: Report) -> None:
    """T207 at each RUN whose result is read on no way behind it."""
    reads = _Reads(source)
    for statement in source.statements:
        if statement.kind == "RUN" and id(statement.node) in reads.unread:
            message = "nothing looks at the result of this RUN"
            report.add("T207", span(statement.tokens[0]), message, _HINT)


class _Reads:
    """`unread` are the RUNs without a read, by the identity of their nodes.

    `later` says whether LAST_RUN may be read behind a block before another RUN, `caught` whether it
    may be in the CATCH that an error in the block leads to.
    """

    def __init__(self, source: Source) -> None:
        self.unread: set[int] = set()
        self.read: set[int] = set()
        self.reading = {
            id(statement.node)
            for statement in source.statements
            if any("last_run" in reference for reference in statement.references)
        }
        self.definitions = source.analysis.subtasks.definitions
        self.calls: dict[tuple[str, bool, bool], bool] = {}
        trampoline.run(self.block(source.script["body"], False, False))
        called = {name for name, _, _ in self.calls}
        for statement in source.statements:
            if statement.kind == "DEFINE_TASK" and statement.node["name"] not in called:
                trampoline.run(self.block(statement.node["body"], False, False))
        self.unread -= self.read

    def block(self, body: list[Node], later: bool, caught: bool) -> Deep:
        """Whether LAST_RUN, as it is before the block, may be read in it or later."""
        for node in reversed(body):
            later = yield self.statement(node, later or caught, caught)
        return later

    def statement(self, node: Node, later: bool, caught: bool) -> Deep:
        before = id(node) in self.reading
        kind = node["type"]
        if kind == "RUN":
            (self.read if later else self.unread).add(id(node))
            return before or caught
        if kind == "IF":
            then = yield self.block(node["then"], later, caught)
            otherwise = yield self.block(node["else"] or [], later, caught)
            return before or then or otherwise
        if kind == "TRY":
            catch = yield self.block(node["catch"], later, caught)
            return (yield self.block(node["body"], later, catch))
        if kind in ("TASK", "SETUP", "STEP", "OPTION"):
            return (yield self.block(node["body"], later, caught))
        if kind == "CHOOSE":
            found = []
            for option in node["options"]:
                found.append((yield self.statement(option, later, caught)))
            return any(found) if found else later
        if kind == "PARALLEL":  # each branch has its own LAST_RUN, and none stays
            found = [caught]
            for step in node["body"]:
                found.append((yield self.statement(step, False, False)))
            return any(found)
        if kind == "CALL":
            return before or (yield self.call(node["name"], later, caught))
        return before or later

    def call(self, name: str, later: bool, caught: bool) -> Deep:
        """A sub-task is looked at once for each state that a call of it has."""
        if name not in self.definitions:
            return later
        key = name, later, caught
        if key not in self.calls:
            self.calls[key] = later  # for a sub-task that calls itself, which is T105
            self.calls[key] = yield self.block(self.definitions[name]["body"], later, caught)
        return self.calls[key]
