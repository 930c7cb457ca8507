"""IF and TRY: which way a run goes on."""

from typing import TYPE_CHECKING

from tisslang.conditions import judge
from tisslang.errors import TissCommandError
from tisslang.evaluation import evaluate_condition
from tisslang.plan import Node
from tisslang.report import error_object
from tisslang.values import Value

if TYPE_CHECKING:
    from tisslang.walk import Walk


def if_(walk: "Walk", node: Node) -> None:
    """Run one of two branches."""
    condition = evaluate_condition(node["condition"], walk.state)
    holds = judge(condition, walk.state.files.exists).holds
    walk.body(node["then"] if holds else node.get("else") or [])


def try_(walk: "Walk", node: Node) -> None:
    """Run the body; when a catchable error escapes it, run CATCH. Nothing is rolled back."""
    try:
        walk.body(node["body"])
    except TissCommandError as error:
        if walk.state.is_halted:  # a tool ended the run, and no CATCH would run
            raise
        handle(walk, node["catch"], error)


def handle(walk: "Walk", body: list[Node], error: TissCommandError) -> None:
    """Run the body of a CATCH, in which `ERROR` is this error."""
    caught = error_object(error)
    walk.record.caught.append(caught)
    walk.state.events.send("caught", error=caught)
    outer = walk.state.error
    walk.state.error = error_fields(error)
    try:
        walk.body(body)
    finally:
        walk.state.error = outer


def error_fields(error: TissCommandError) -> dict[str, Value]:
    """What `ERROR.KIND`, `ERROR.MESSAGE` and `ERROR.LINE` are."""
    return {"KIND": error.kind, "MESSAGE": error.message, "LINE": error.line or 0}
