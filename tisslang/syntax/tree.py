"""The shape of the tree: which fields hold expressions, names that get a value, and blocks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Node = dict[str, Any]

# Fields that hold expressions, in the order of the source.
EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "READ": ("path",),
    "WRITE": ("path", "content"),
    "RUN": ("command",),
    "ASSERT": ("condition",),
    "VAR": ("value",),
    "LOG": ("value",),
    "DIRECTIVE": ("values",),
}
# The field that names the variable which the statement gives a value.
BINDS = {"READ": "variable", "VAR": "name"}
# The fields that exist, and the filters.
FIELDS = {
    "last_run": ("STDOUT", "STDERR", "EXIT_CODE", "EXECUTION_TIME", "COMMAND"),
    "error": ("KIND", "MESSAGE", "LINE"),
}
FILTERS = ("raw", "trim", "json")
BLOCKS: dict[str, tuple[str, ...]] = {"SCRIPT": ("body",), "TASK": ("body",), "STEP": ("body",)}


def blocks(node: Node) -> list[list[Node]]:
    """The lists of statements directly in a node."""
    return [node[field] for field in BLOCKS.get(node["type"], ())]


def walk(node: Node) -> Iterator[tuple[Node, Node]]:
    """Every statement below a node with the node that holds it, in the order of the source."""
    open_blocks = [(node, iter(block)) for block in reversed(blocks(node))]
    while open_blocks:
        holder, statements = open_blocks[-1]
        statement = next(statements, None)
        if statement is None:
            open_blocks.pop()
            continue
        yield statement, holder
        open_blocks += [(statement, iter(block)) for block in reversed(blocks(statement))]


def references(node: Node) -> list[Node]:
    """The references in a statement's own expressions, in the order of the source."""
    found: list[Node] = []
    for field in EXPRESSIONS.get(node["type"], ()):
        value = node.get(field)
        if isinstance(value, dict | list):
            _collect(value, found)
    return found


def _collect(value: Any, found: list[Node]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, found)
    elif not isinstance(value, dict) or "duration" in value:
        return
    elif "template" in value:
        found += [part for part in value["template"] if isinstance(part, dict)]
    elif "op" in value:
        for side in ("path", "left", "right"):
            _collect(value.get(side), found)
    else:
        found.append(value)
