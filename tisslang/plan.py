"""The tree of a plan, and the ways through it."""

from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]


def as_script(plan: Node | list[Node]) -> Node:
    """The SCRIPT node of what a user hands in: a script, one statement, or a list of them."""
    if isinstance(plan, dict) and plan.get("type") == "SCRIPT":
        return plan
    body = [plan] if isinstance(plan, dict) else plan
    if not (isinstance(body, list) and all(isinstance(n, dict) and "type" in n for n in body)):
        raise TypeError("a plan is a SCRIPT dict, as parse() gives it, or a list of command dicts")
    return {"type": "SCRIPT", "body": body}


def top_level_statements(script: Node) -> list[Node]:
    """What stands directly in the script or in its TASK."""
    statements: list[Node] = []
    for node in script["body"]:
        statements += node["body"] if node["type"] == "TASK" else [node]
    return statements


def is_step(node: Node) -> bool:
    """True for STEP and SETUP."""
    return node["type"] in ("STEP", "SETUP")


def all_statements(body: list[Node]) -> Iterator[tuple[Node, int]]:
    """Every statement at any depth, in source order, with the number of blocks around it."""
    waiting = [(node, 0) for node in reversed(body)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        inner = depth + (node["type"] != "TASK")  # which may own the file without a block
        blocks = [field for field in node.values() if _is_block(field)]
        waiting += [(child, inner) for block in reversed(blocks) for child in reversed(block)]


def _is_block(field: Any) -> bool:
    return (
        isinstance(field, list)
        and bool(field)
        and all(isinstance(item, dict) and "type" in item for item in field)
    )
