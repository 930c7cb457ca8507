"""What statements would cost, without running them (language reference, 7.7)."""

from collections.abc import Callable
from typing import Any

from tisslang.costs import REPLY_TOKENS
from tisslang.plan import Node
from tisslang.summary import template_text
from tisslang.syntax.tree import blocks

Counts = dict[str, int]


def cost_of_prompt(prompt: str | Node) -> Counts:
    """What one call of the model is taken to cost: the words of the template, and of a reply."""
    return {"API_CALLS": 1, "TOKENS": len(template_text(prompt).split()) + REPLY_TOKENS}


class Estimator:
    """Adds up estimates; `total` says what counts come to, `definitions` are the sub-tasks.

    Each sub-task is estimated once, however often it is called.
    """

    def __init__(self, definitions: dict[str, Node], total: Callable[[Counts], Any]) -> None:
        self._definitions = definitions
        self._total = total
        self._of_task: dict[str, Counts] = {}

    def of(self, body: list[Node]) -> Counts:
        """What a block would cost: an IF its dearer branch, everything else all that it holds."""
        sum_of_all: Counts = {"API_CALLS": 0, "TOKENS": 0, "RUNS": 0}
        for node in body:
            for name, count in self._of_statement(node).items():
                sum_of_all[name] += count
        return sum_of_all

    def _of_statement(self, node: Node) -> Counts:
        kind = node["type"]
        if kind == "PROMPT_AGENT":
            return cost_of_prompt(node["prompt"])
        if kind == "RUN":
            return {"RUNS": 1}
        if kind == "CALL":
            return self._of_call(node["name"])
        if kind in ("ESTIMATE_COST", "DEFINE_TASK"):
            return {}
        if kind in ("IF", "CHOOSE"):  # one of several ways is taken: the dearest
            ways = [self.of(block) for block in _ways(node)]
            return max(ways, key=self._dearness, default={})
        return self.of([inner for block in blocks(node) for inner in block])

    def _of_call(self, name: str) -> Counts:
        if name not in self._of_task:
            self._of_task[name] = {}  # should it lead back to itself
            definition = self._definitions.get(name)
            self._of_task[name] = self.of(definition["body"]) if definition else {}
        return self._of_task[name]

    def _dearness(self, counts: Counts) -> tuple[Any, int]:
        return self._total(counts), sum(counts.values())


def _ways(node: Node) -> list[list[Node]]:
    if node["type"] == "CHOOSE":
        return [option.get("body", []) for option in node["options"]]
    return [node["then"], node.get("else") or []]
