"""Static errors: what is certain to be wrong before anything has run."""

from __future__ import annotations

from tisslang.syntax.command_answers import command_of, kept, key_of
from tisslang.syntax.directives import check_directive
from tisslang.syntax.findings import Findings
from tisslang.syntax.placement import check_placement
from tisslang.syntax.tree import FIELDS, FILTERS, references, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tisslang.syntax.analysis import Analysis
    from tisslang.syntax.command_answers import Key
    from tisslang.syntax.diagnostics import Diagnostic
    from tisslang.syntax.subtasks import Subtasks

    Node = dict[str, Any]

BUDGETS = ("API_CALLS", "TOKEN_COUNT", "RUN_COUNT", "COST", "EXECUTION_TIME")


def static_errors(analysis: Analysis, filename: str) -> list[Diagnostic]:
    """All static errors of a tree, in the order of the source, once per code and position."""
    findings = Findings(filename)
    script, subtasks = analysis.script, analysis.subtasks
    check_placement(script, findings)
    subtasks.check(script, findings)
    for statement, _ in walk(script):
        found = references(statement)
        for reference in found:
            check_reference(reference, statement, findings)
        kind = statement["type"]
        if found and kind == "RUN":
            check_quoting(statement, findings)
        elif kind == "DIRECTIVE":
            check_directive(statement, findings)
        elif kind == "SET_BUDGET":
            check_budget(statement, findings)
        elif kind == "PARALLEL":
            check_branches(statement, subtasks, findings)
    for code, reference, statement, message, hint in analysis.uses:
        if code in ("T110", "T111"):
            findings.at_reference(code, reference, statement, message, hint)
    return findings.in_order()


def check_reference(reference: Node, statement: Node, findings: Findings) -> None:
    """Fields and filters that exist."""
    for key, fields in FIELDS.items():
        field = reference.get(key)
        if field is not None and field not in fields:
            message = f"{key.upper()} has no field {field}"
            hint = f"fields are upper case: {field.upper()}"
            if field.upper() not in fields:
                hint = _similar(field.upper(), fields, "its fields are")
            findings.at_reference("T107", reference, statement, message, hint)
    name = reference.get("filter")
    if name is not None and name not in FILTERS:
        hint = _similar(name, FILTERS, "the filters are")
        findings.at_reference("T107", reference, statement, f"unknown filter {name}", hint)


def _similar(word: str, choices: tuple[str, ...], introduction: str) -> str:
    from tisslang.syntax.hints import nearest

    return nearest(word, choices) or f"{introduction} {', '.join(choices)}"


def check_quoting(statement: Node, findings: Findings) -> None:
    """Every reference of a RUN stands where it can be quoted."""
    faults = _quoting_faults(key_of(statement["command"]))
    for reference, fault in zip(references(statement), faults):
        if fault is not None:
            message = f"this reference cannot be quoted safely: {fault[0]}"
            findings.at_reference("T109", reference, statement, message, fault[1])


@kept
def _quoting_faults(key: Key) -> list[tuple[str, str] | None]:
    """For each reference of a command why it cannot be quoted, and a hint."""
    from tisslang.syntax.shell import Unsupported, reference_contexts

    contexts = reference_contexts(command_of(key)["template"])
    return [(x.reason, x.hint) if isinstance(x, Unsupported) else None for x in contexts]


def check_budget(statement: Node, findings: Findings) -> None:
    """A budget that exists, and a value that it can have."""
    name, value = statement["resource"], statement["value"]
    if name not in BUDGETS:
        hint = _similar(name.upper(), BUDGETS, "the budgets are")
        findings.at_statement("T107", statement, f"unknown budget {name}", hint)
    elif isinstance(value, dict) and name != "EXECUTION_TIME":
        hint = "only EXECUTION_TIME is a time; write a number"
        findings.at_statement("T107", statement, f"the budget {name} is no duration", hint)
    elif not isinstance(value, dict) and value < 0:
        findings.at_statement("T107", statement, "a budget is 0 or more", "write a number ≥ 0")


def check_branches(parallel: Node, subtasks: Subtasks, findings: Findings) -> None:
    """Two branches never assign one name: which value should stay?"""
    names = subtasks.names
    seen = 0
    first: dict[str, Node] = {}
    for step in parallel["body"]:
        assigned = subtasks.assigned_in([step])
        if both := assigned & seen:
            name = names.first(both)
            message = f"two branches of PARALLEL assign {name}"
            hint = f"the other one is on line {first[name].get('line')}: use two names"
            findings.at_statement("T108", step, message, hint)
        fresh = assigned & ~seen
        while fresh:
            first[names.first(fresh)] = step
            fresh &= fresh - 1  # without its lowest bit
        seen |= assigned
