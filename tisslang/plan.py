"""The tree of a plan, and the ways through it."""

from collections.abc import Iterator
from typing import Any

from tisslang.syntax.tree import BLOCK_FIELDS

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
        statements += node.get("body", []) if node["type"] == "TASK" else [node]
    return statements


def definitions(script: Node) -> dict[str, Node]:
    """The sub-tasks of a script by name; of two with one name the first."""
    found: dict[str, Node] = {}
    for node in [*script["body"], *top_level_statements(script)]:
        if node["type"] == "DEFINE_TASK":
            found.setdefault(node.get("name"), node)
    return found


class Selection:
    """The top-level statements that `--step` and `--from-step` choose.

    SETUP and what stands outside of steps always run.
    """

    def __init__(self, top_level: list[Node], steps: list[str], from_step: str | None) -> None:
        self._descriptions = [n.get("description") for n in top_level if n["type"] == "STEP"]
        self._wanted = [*steps, *([] if from_step is None else [from_step])]
        self._all = not self._wanted
        self._chosen: set[int] = set()
        reached = False
        for node in top_level:
            if node["type"] == "STEP":
                description = node.get("description")
                reached = reached or (from_step is not None and description == from_step)
                if reached or description in steps:
                    self._chosen.add(id(node))

    def require(self) -> None:
        """Raise `ValueError` for a description that no top-level step has."""
        for wanted in self._wanted:
            if wanted not in self._descriptions:
                there = ", ".join(map(repr, self._descriptions)) or "none"
                raise ValueError(f"there is no top-level step {wanted!r}; the steps are: {there}")

    def has(self, node: Node) -> bool:
        """Whether a top-level statement is to run."""
        return self._all or node["type"] != "STEP" or id(node) in self._chosen


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
        held = [node.get(field) for field in BLOCK_FIELDS.get(node["type"], ())]
        children = [child for block in held if isinstance(block, list) for child in block]
        waiting += [(child, inner) for child in reversed(children) if _is_statement(child)]


def _is_statement(item: Any) -> bool:
    return isinstance(item, dict) and "type" in item  # the tree may be anybody's
