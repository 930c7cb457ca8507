"""The outline of a script: its task, steps, sub-tasks and options."""

from __future__ import annotations

from dataclasses import dataclass, field

from tisslang.syntax.tree import blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tisslang.editing.script import Script

    Node = dict[str, Any]

MOST_LEVELS = 32  # deeper ones are listed on the last of them

_LISTED = frozenset(
    {"TASK", "SETUP", "STEP", "DEFINE_TASK", "PARALLEL", "CHOOSE", "OPTION", "ESTIMATE_COST"}
)


@dataclass(slots=True)
class Symbol:
    """A statement with a block: what it is called, where it is, and those within it.

    `name_start` and `name_end` are the span of its keyword, or of its description.
    """

    kind: str
    name: str
    start: int
    end: int
    name_start: int
    name_end: int
    children: list[Symbol] = field(default_factory=list)


def symbols(script: Script) -> list[Symbol]:
    """The outermost of them, in the order of the source."""
    top: list[Symbol] = []
    waiting: list[tuple[Node, list[Symbol], int]] = [(script.tree, top, 0)]
    while waiting:
        holder, siblings, level = waiting.pop()
        inner = [node for block in blocks(holder) for node in block]
        if holder["type"] in _LISTED:
            symbol = _symbol(script, holder)
            siblings.append(symbol)
            if level < MOST_LEVELS:
                siblings, level = symbol.children, level + 1
        # The last one is taken first.
        waiting += [
            (node, siblings, level)
            for node in reversed(inner)
            if blocks(node) or node["type"] in _LISTED
        ]
    return top


def _symbol(script: Script, node: Node) -> Symbol:
    kind = node["type"]
    start = script.offset(node["line"], node["column"])
    end = max(script.line_end(node["end_line"]), start + len(kind))
    name = node.get("name") if kind == "DEFINE_TASK" else node.get("description")
    return Symbol(kind, name or kind, start, end, start, start + len(kind))
