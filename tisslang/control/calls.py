"""DEFINE_TASK and CALL: sub-tasks with parameters."""

from typing import TYPE_CHECKING, Any

from tisslang.errors import TissParseError
from tisslang.plan import Node

if TYPE_CHECKING:
    from tisslang.values import Value
    from tisslang.walk import Walk


def define(walk: "Walk", node: Node) -> None:
    """A definition does nothing in its place: all are known from the start."""


def call(walk: "Walk", node: Node, args: dict[str, "Value"]) -> None:
    """Run the body of a sub-task. Its parameters shadow variables until it ends, also by an error.

    Raises `TissParseError` for a call that does not fit, which `check` finds before a run.
    """
    definition = _definition(walk, node, args)
    variables = walk.state.variables
    shadowed = {name: variables[name] for name in args if name in variables}
    variables.update(args)
    walk.calls.append(node["name"])
    outer, walk.state.error = walk.state.error, None  # a body does not see the caller's ERROR
    try:
        with walk.named(node["name"]):
            walk.body(definition["body"])
    finally:
        walk.state.error = outer
        walk.calls.pop()
        for name in args:
            variables.pop(name, None)
        variables.update(shadowed)


def _definition(walk: "Walk", node: Node, args: dict[str, Any]) -> Node:
    name, line, column = node["name"], node.get("line", 1), node.get("column", 1)
    definition = walk.definitions.get(name)
    if definition is None:
        raise TissParseError("T103", f'unknown sub-task "{name}"', line, column)
    if set(definition["params"]) != set(args):
        wanted = ", ".join(definition["params"]) or "none"
        message = f'CALL "{name}": its parameters are: {wanted}'
        raise TissParseError("T104", message, line, column)
    if name in walk.calls:
        raise TissParseError("T105", f'sub-task "{name}" calls itself', line, column)
    return definition
