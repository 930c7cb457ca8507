"""Where statements may stand (language reference, section 2, "Placement"): T101 and T102."""

from __future__ import annotations

from tisslang.syntax import trampoline
from tisslang.syntax.tree import BLOCK_FIELDS, blocks, references

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tisslang.syntax.findings import Findings
    from tisslang.syntax.trampoline import Deep

    Node = dict[str, Any]

_BEFORE_TASK = frozenset({"DIRECTIVE", "DEFINE_TASK"})
_AFTER_TASK = frozenset({"DEFINE_TASK", "TASK"})  # the second TASK has its own code
_TOP_LEVEL_ONLY = frozenset({"TASK", "SETUP", "DEFINE_TASK"})
# What would ask, choose or limit while other branches are under way.
NOT_IN_PARALLEL = frozenset({"PARALLEL", "CHOOSE", "PAUSE", "REQUEST_REVIEW", "SET_BUDGET"})


def check_placement(script: Node, findings: Findings) -> None:
    """Every statement stands where it may."""
    _check_task(script, findings)
    trampoline.run(_Placement(findings).visit(script, (), in_catch=False))


def _check_task(script: Node, findings: Findings) -> None:
    """Only directives and definitions stand around the TASK."""
    body = script["body"]
    tasks = [index for index, node in enumerate(body) if node["type"] == "TASK"]
    if not tasks:
        return
    first = tasks[0]
    for statement in body[:first]:
        if statement["type"] not in _BEFORE_TASK:
            hint = "only directives and definitions stand before the TASK: move it below"
            message = f"{statement['type']} before the TASK"
            findings.at_statement("T102", statement, message, hint)
    for statement in body[first + 1 :]:
        if statement["type"] not in _AFTER_TASK:
            hint = "move it into the block, or write TASK without a block"
            message = f"{findings.keyword(statement)} after the block of the TASK"
            findings.at_statement("T102", statement, message, hint)


class _Placement:
    """A walk that knows which statements are around."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.has_task = False
        self.has_step = False  # outside definitions, which stand anywhere

    def visit(self, holder: Node, around: tuple[str, ...], in_catch: bool) -> Deep:
        """Check what a statement holds; `around` are the types of all statements around that."""
        inside = (*around, holder["type"])
        if holder["type"] == "CHOOSE" and not holder["options"]:
            self.wrong(holder, "CHOOSE without an OPTION", 'write OPTION "name" { … } in it')
        for block in blocks(holder):
            catching = in_catch or (holder["type"] == "TRY" and block is holder["catch"])
            leading = True
            for statement in block:
                leading = leading and statement["type"] == "DIRECTIVE"
                self.check(statement, holder, inside)
                self.check_retry(statement, holder, leading)
                if not catching:
                    self.check_error(statement)
                if statement["type"] in BLOCK_FIELDS:
                    yield self.visit(statement, inside, catching)

    def check(self, statement: Node, holder: Node, around: tuple[str, ...]) -> None:
        """Check one statement, which stands directly in `holder`."""
        kind, directly_in = statement["type"], holder["type"]
        if directly_in == "CHOOSE" and kind != "OPTION":
            hint = "CHOOSE holds only OPTIONs: put it into one"
            if kind == "STEP":
                hint = "CHOOSE holds OPTIONs: write OPTION in place of STEP"
            self.wrong(statement, f"{self.findings.keyword(statement)} directly in CHOOSE", hint)
        elif kind == "OPTION" and directly_in != "CHOOSE":
            self.wrong(statement, "OPTION outside a CHOOSE", "write CHOOSE { OPTION … }")
        elif directly_in == "PARALLEL" and kind not in ("STEP", "DIRECTIVE"):
            hint = "PARALLEL holds only STEPs, one for each branch: put it into one"
            self.wrong(statement, f"{kind} directly in PARALLEL", hint)
        elif kind == "STEP":
            self.check_step(statement, around)
        elif "PARALLEL" in around and kind in NOT_IN_PARALLEL:
            hint = "move it before or after the PARALLEL block"
            self.wrong(statement, f"{kind} inside PARALLEL", hint)
        elif kind in _TOP_LEVEL_ONLY:
            self.check_top_level(statement, directly_in)

    def check_step(self, statement: Node, around: tuple[str, ...]) -> None:
        """STEP: not inside SETUP or ESTIMATE_COST."""
        self.has_step = self.has_step or "DEFINE_TASK" not in around
        for no_place in ("SETUP", "ESTIMATE_COST"):
            if no_place in around:
                self.wrong(statement, f"STEP inside {no_place}", "write its commands without it")
                return

    def check_top_level(self, statement: Node, directly_in: str) -> None:
        """TASK once, at top level; SETUP and DEFINE_TASK there or in the TASK, SETUP first."""
        kind = statement["type"]
        if kind == "TASK":
            if self.has_task:
                hint = "a script has one TASK; use STEP"
                self.findings.at_statement("T101", statement, "second TASK", hint)
            elif directly_in != "SCRIPT":
                self.wrong(statement, "TASK inside a block", "TASK stands at top level; use STEP")
            self.has_task = True
        elif directly_in not in ("SCRIPT", "TASK"):
            hint = f"{kind} stands at top level or directly in the TASK"
            self.wrong(statement, f"{kind} inside {directly_in}", hint)
        elif kind == "SETUP" and self.has_step:
            self.wrong(statement, "SETUP after a STEP", "SETUP stands before the first STEP")

    def check_retry(self, statement: Node, holder: Node, leading: bool) -> None:
        """@retry: first in a STEP, at most behind other directives."""
        if statement["type"] != "DIRECTIVE" or statement["name"] != "retry":
            return
        if holder["type"] not in ("STEP", "SETUP") or not leading:
            hint = "@retry repeats a step: it is the first line in its STEP"
            self.wrong(statement, "@retry in the wrong place", hint)

    def check_error(self, statement: Node) -> None:
        """ERROR: only where an error is being handled."""
        if any("error" in reference for reference in references(statement)):
            hint = "only a CATCH block has an error to look at"
            self.wrong(statement, "ERROR outside a CATCH", hint)

    def wrong(self, statement: Node, message: str, hint: str) -> None:
        """Report T102 at a statement."""
        self.findings.at_statement("T102", statement, message, hint)
