"""What stands in an autograd graph's boxes, and which box leads to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qt.tensor import Tensor

LONGEST_LINE = 16  # characters; a longer name is broken behind a dot


@dataclass
class Node:
    """One box: its `lines` of text, its `level` (0: the result), and the places of its parents.

    `kind` is "operation", "leaf", "constant" (a leaf without a gradient) or "more" (what is cut).
    """

    kind: str
    lines: list[str]
    level: int
    parents: list[int] = field(default_factory=list)
    name: str = ""  # what a screen reader says


def collect(end: Tensor, max_nodes: int, names: Mapping[str, Tensor]) -> list[Node]:
    """The `max_nodes` nodes nearest to `end`, itself first, and one that stands for the others."""
    if not isinstance(end, Tensor):
        raise TypeError(f"a graph is drawn of a Tensor, not of {type(end).__name__}")
    if max_nodes < 1:
        raise ValueError(f"max_nodes must be at least 1, not {max_nodes}")
    if not end.requires_grad:
        raise RuntimeError(
            "there is no graph: no tensor in this computation has requires_grad=True, "
            "or it ran under no_grad()"
        )
    levels = _levels(end)
    kept = sorted(levels, key=lambda tensor: levels[tensor])[:max_nodes]
    place = {tensor: i for i, tensor in enumerate(kept)}
    name_of = {tensor: name for name, tensor in names.items()}
    nodes = [_node(tensor, name_of.get(tensor, ""), levels[tensor]) for tensor in kept]
    for node, tensor in zip(nodes, kept):
        node.parents = [place.get(parent, len(kept)) for parent in tensor._parents]
    if len(levels) > len(kept):
        text = f"… {len(levels) - len(kept)} more"
        nodes.append(Node("more", [text], nodes[-1].level + 1, [], text))
    return nodes


def _levels(end: Tensor) -> dict[Tensor, int]:
    """Each tensor's longest way to `end`, so that it stands above all that was made from it."""
    order = _children_last(end)
    levels = {end: 0}
    for tensor in reversed(order):
        for parent in tensor._parents:
            levels[parent] = max(levels.get(parent, 0), levels[tensor] + 1)
    return levels


def _children_last(end: Tensor) -> list[Tensor]:
    """Every tensor after its parents. A loop with its own stack: deep graphs must not recurse."""
    order: list[Tensor] = []
    seen = {end}
    stack: list[tuple[Tensor, Iterator[Tensor]]] = [(end, iter(end._parents))]
    while stack:
        tensor, parents = stack[-1]
        if tensor._backward is not None and not tensor._parents:
            raise RuntimeError(
                "this graph was used up by backward(): draw it before, or keep it with "
                "backward(retain_graph=True)"
            )
        parent = next((p for p in parents if p not in seen), None)
        if parent is None:
            order.append(tensor)
            stack.pop()
        else:
            seen.add(parent)
            stack.append((parent, iter(parent._parents)))
    return order


def _node(tensor: Tensor, given_name: str, level: int) -> Node:
    name = given_name or getattr(tensor, "name", "")
    if tensor.size == 1:
        facts = [f"= {tensor.item():.4g}"]
        if tensor.grad is not None:
            facts.append(f"grad {tensor.grad.item():.4g}")
    else:
        facts = [str(tensor.shape)]
    if tensor.is_leaf:
        kind = "leaf" if tensor.requires_grad else "constant"
        heading = name or ("tensor" if tensor.size > 1 else "")
    else:
        kind, heading = "operation", f"{name} ← {tensor.op}" if name else tensor.op
    return Node(kind, [*_broken(heading), *facts], level, name=" ".join([heading, *facts]).strip())


def _broken(name: str) -> list[str]:
    """The name in lines that end behind a dot."""
    lines = [""]
    for part in name.replace(".", ".\n").split("\n"):
        if lines[-1] and len(lines[-1] + part) > LONGEST_LINE:
            lines.append("")
        lines[-1] += part
    return [line for line in lines if line]
