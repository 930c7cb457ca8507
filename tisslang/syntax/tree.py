"""Ways through the tree: its statements in order, their blocks, references and bound names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Node = dict[str, Any]

# Fields that hold expressions, in the order of the source.
EXPRESSION_FIELDS: dict[str, tuple[str, ...]] = {
    "READ": ("path",),
    "WRITE": ("path", "content"),
    "RUN": ("command",),
    "ASSERT": ("condition",),
    "VAR": ("value",),
    "LOG": ("value",),
    "MKDIR": ("path",),
    "DELETE": ("path",),
    "DIRECTIVE": ("values",),
    "CALL": ("args",),
    "PROMPT_AGENT": ("prompt",),
    "PAUSE": ("message",),
    "REQUEST_REVIEW": ("message",),
    "IF": ("condition",),
}
# The field that names the variable which the statement gives a value; None where it gives none.
BINDS = {"READ": "variable", "VAR": "name", "PROMPT_AGENT": "into", "ESTIMATE_COST": "into"}
# The fields that exist, and the filters.
FIELDS = {
    "last_run": ("STDOUT", "STDERR", "EXIT_CODE", "EXECUTION_TIME", "COMMAND"),
    "error": ("KIND", "MESSAGE", "LINE"),
    "cost": ("TOTAL", "API_CALLS", "TOKENS", "TIME", "RUNS"),
}
FILTERS = ("raw", "trim", "json")
# The fields that hold statements, in the order of the source.
BLOCK_FIELDS: dict[str, tuple[str, ...]] = {
    "SCRIPT": ("body",),
    "TASK": ("body",),
    "SETUP": ("body",),
    "STEP": ("body",),
    "DEFINE_TASK": ("body",),
    "IF": ("then", "else"),
    "TRY": ("body", "catch"),
    "PARALLEL": ("body",),
    "CHOOSE": ("options",),
    "OPTION": ("body",),
    "ESTIMATE_COST": ("body",),
}


def blocks(node: Node) -> list[list[Node]]:
    """The lists of statements directly in a node."""
    return [node[field] for field in BLOCK_FIELDS.get(node["type"], ()) if node.get(field)]


def walk(node: Node, estimates: bool = True) -> Iterator[tuple[Node, Node]]:
    """Every statement below a node with the node that holds it, in the order of the source.

    Without `estimates` it passes over what stands in an ESTIMATE_COST: nothing of that happens.
    """
    open_blocks = [(node, iter(block)) for block in reversed(blocks(node))]
    while open_blocks:
        holder, statements = open_blocks[-1]
        for statement in statements:
            yield statement, holder
            kind = statement["type"]
            if kind in BLOCK_FIELDS and (estimates or kind != "ESTIMATE_COST"):
                # Its blocks come next; the rest of this one waits in its iterator.
                inner = reversed(blocks(statement))
                open_blocks += [(statement, iter(block)) for block in inner]
                break
        else:
            open_blocks.pop()


def bound_name(node: Node) -> str | None:
    """The variable that a statement gives a value."""
    field = BINDS.get(node["type"])
    return node.get(field) if field else None


def is_repeated(node: Node) -> bool:
    """Whether a statement is a step that begins with `@retry`."""
    if node["type"] not in ("STEP", "SETUP"):
        return False
    for statement in node["body"]:
        if statement["type"] != "DIRECTIVE":
            return False
        if statement["name"] == "retry":
            return True
    return False


def literal(text: str | Node, stand_in: str) -> str:
    """A Text with `stand_in` in the place of each reference."""
    if isinstance(text, str):
        return text
    return "".join(part if isinstance(part, str) else stand_in for part in text["template"])


def references(node: Node) -> list[Node]:
    """The references in a statement's own expressions, in the order of the source."""
    found: list[Node] = []
    for field in EXPRESSION_FIELDS.get(node["type"], ()):
        value = node.get(field)
        if node["type"] == "CALL" and isinstance(value, dict):  # an argument may be called `var`
            value = list(value.values())
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
