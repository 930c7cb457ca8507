"""Directives: `@name value …` holds from its line to the end of its block."""

from typing import TYPE_CHECKING

from tisslang.evaluation import evaluate
from tisslang.plan import Node

if TYPE_CHECKING:
    from tisslang.walk import Walk


def directive(walk: "Walk", node: Node) -> None:
    """Note the values of a directive, which are evaluated now; `walk.body` forgets them.

    The innermost wins, except that every `@env` counts.
    """
    state, name = walk.state, node["name"]
    values = [evaluate(value, state) for value in node["values"]]
    if name == "env":
        values = [*state.directives.get(name, []), *values]
    state.directives = {**state.directives, name: values}
