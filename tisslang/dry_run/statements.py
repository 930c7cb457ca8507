"""The statements that hold others, in a dry run."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tisslang.control.branches import error_fields
from tisslang.control.choices import pick_without_asking
from tisslang.control.steps import step
from tisslang.dry_run.branches import parallel_
from tisslang.dry_run.remarks import remark_condition
from tisslang.errors import TissCommandError
from tisslang.evaluation import evaluate_condition
from tisslang.plan import Node
from tisslang.report import error_object
from tisslang.values import Unknown, Value
from tisslang.walk import BLOCKS

if TYPE_CHECKING:
    from tisslang.dry_run.walk import DryWalk

_UNKNOWN_ERROR: dict[str, Value] = {
    field: Unknown.of(f"ERROR.{field}") for field in ("KIND", "MESSAGE", "LINE")
}

_DECIDED_BY = {"answer": "--answer", "cost": "the estimates"}


def _step(walk: "DryWalk", node: Node) -> None:
    """A step. Under --keep-going a run comes to it also after an error in front of it."""
    if walk.state.options.keep_going and not walk.state.steps:
        walk.allow_for_errors()
    step(walk, node)


def _if(walk: "DryWalk", node: Node) -> None:
    branches = [node["then"], node.get("else") or []]
    with walk.entry(node) as entry:
        condition = evaluate_condition(node["condition"], walk.state)
        remark_condition(entry, condition)
        verdict = walk.judge(condition)
    if verdict is None:
        entry.fields["status"] = "unknown"
        walk.either(dict(zip(("when it holds:", "otherwise:"), branches, strict=True)))
    else:
        entry.remarks.append("holds" if verdict.holds else "does not hold")
        walk.body(branches[0 if verdict.holds else 1])


def _try(walk: "DryWalk", node: Node) -> None:
    """The body; then CATCH, as conditional unless an error is certain.

    Which error a CATCH handles is known when no other could have come before it.
    """
    known: TissCommandError | None = None
    outer, walk.uncertain = walk.uncertain, None
    try:
        walk.body(node["body"])
    except TissCommandError as error:
        known = error
        if not walk.conditional:
            walk.record.caught.append(error_object(error))
    another = walk.allow_for_errors()
    walk.uncertain = outer
    handled = walk.state.error
    walk.state.error = _UNKNOWN_ERROR if known is None or another else error_fields(known)
    try:
        if known is None:
            walk.either({"when an error is caught:": node["catch"], "without one:": []})
        else:
            with walk.under("CATCH"):
                walk.body(node["catch"])
    finally:
        walk.state.error = handled


def _choose(walk: "DryWalk", node: Node) -> None:
    with walk.entry(node) as entry:
        known = walk.questions.used is not None
        decided = pick_without_asking(walk, node) if known else None
    if decided is None:
        entry.fields["status"] = "unknown"
        if walk.state.options.choose_by == "agent":  # whose call costs something
            walk.costs.unsure |= {"API_CALLS", "TOKENS"}
        walk.either(_headed(node["options"]))
    else:
        option, by = decided
        label = walk.state.secrets.mask(option["description"])
        entry.remarks.append(f'decided by {_DECIDED_BY[by]}: "{label}"')
        walk.body(option["body"])


def _headed(options: list[Node]) -> dict[str, list[Node]]:
    return {
        f'option {number}, "{option["description"]}":': option["body"]
        for number, option in enumerate(options, 1)
    }


def _estimate_cost(walk: "DryWalk", node: Node) -> None:
    if node.get("into"):
        walk.journal.note(walk.state.variables, node["into"])
    BLOCKS["ESTIMATE_COST"](walk, node)


STATEMENTS: dict[str, Callable[[Any, Node], None]] = {
    **BLOCKS,
    "STEP": _step,
    "IF": _if,
    "TRY": _try,
    "CHOOSE": _choose,
    "PARALLEL": parallel_,
    "ESTIMATE_COST": _estimate_cost,
}
