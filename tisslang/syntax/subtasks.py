"""Sub-tasks: each call fits its definition, and none leads back to itself (T103 to T106)."""

from __future__ import annotations

import functools
import itertools

from tisslang.syntax import trampoline
from tisslang.syntax.names import Names
from tisslang.syntax.placement import NOT_IN_PARALLEL
from tisslang.syntax.suggestions import Suggestions
from tisslang.syntax.tree import bound_name, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tisslang.syntax.findings import Findings
    from tisslang.syntax.names import Packed
    from tisslang.syntax.trampoline import Deep

    Node = dict[str, Any]


MOST_NAMES = 8  # of many names a message lists the first


class Subtasks:
    """The definitions of a script by name, and in `order`: each one behind those that it calls."""

    def __init__(self, script: Node) -> None:
        self.definitions: dict[str, Node] = {}
        self.again: list[Node] = []  # definitions of a name that has one
        self.names = Names()
        self._suggestions = Suggestions()
        for statement, _ in walk(script):
            if statement["type"] == "DEFINE_TASK":
                if statement["name"] in self.definitions:
                    self.again.append(statement)
                self.definitions.setdefault(statement["name"], statement)
        self._params = {
            name: dict.fromkeys(node["params"]) for name, node in self.definitions.items()
        }
        self.calls = {name: _calls(node) for name, node in self.definitions.items()}
        self.order: list[str] = []
        self.cycles: list[list[str]] = []
        self._find_cycles()
        self._assigned: dict[str, Packed] = {}  # what a sub-task may give a value
        self._not_parallel: dict[str, tuple[str, str] | None] = {}
        for name in self.order:
            params = self.names.bits(self.definitions[name]["params"])
            assigned = self.assigned_in(self.definitions[name]["body"])
            self._assigned[name] = self.names.pack(assigned & ~params)
            self._not_parallel[name] = self._find_not_parallel(name)

    def assigned_in(self, block: list[Node]) -> int:
        """The names that may get a value in a block, also through the sub-tasks that it calls."""
        names = 0
        for statement, _ in walk({"type": "STEP", "body": block}, estimates=False):
            if name := bound_name(statement):
                names |= self.names.bit(name)
            if statement["type"] == "CALL":
                names |= self.names.unpack(self._assigned.get(statement["name"], (0, 0)))
        return names

    @functools.cached_property
    def params_around(self) -> dict[str, Packed]:
        """The parameters of all that calls a sub-task: they shadow until the outer call returns."""
        names = self.names
        around: dict[str, Packed] = {}
        for name in reversed(self.order):  # callers first
            inside = names.unpack(around.get(name, (0, 0)))
            inside |= names.bits(self.definitions[name]["params"])
            for called in self.calls[name]:
                around[called] = names.pack(names.unpack(around.get(called, (0, 0))) | inside)
        return around

    def check(self, script: Node, findings: Findings) -> None:
        """Report all that is wrong with definitions and calls."""
        self._check_definitions(findings)
        for statement, _ in walk(script):
            if statement["type"] == "CALL":
                self._check_call(statement, findings)
            elif statement["type"] == "PARALLEL":
                self._check_parallel(statement, findings)

    def _check_definitions(self, findings: Findings) -> None:
        for node in self.again:
            line = self.definitions[node["name"]].get("line")
            message = f'sub-task "{node["name"]}" is defined twice'
            hint = f"the first definition is on line {line}: choose another name"
            findings.at_statement("T106", node, message, hint)
        for node in [*self.definitions.values(), *self.again]:
            if len(set(node["params"])) < len(node["params"]):
                message = f'sub-task "{node["name"]}" has two parameters of one name'
                findings.at_statement("T106", node, message, "each parameter has its own name")
        for cycle in self.cycles:
            first = min(cycle, key=lambda name: _place(self.definitions[name]))
            way = self._way_back(first)
            if len(way) > MOST_NAMES + 1:
                way = [*way[: MOST_NAMES // 2], "…", *way[-MOST_NAMES // 2 :]]
            message = f'sub-task "{first}" leads back to itself ({" → ".join(way)})'
            hint = "there is no recursion, so that every plan ends"
            findings.at_statement("T105", self.definitions[first], message, hint)

    def _way_back(self, start: str) -> list[str]:
        """The shortest way of calls from a sub-task to itself."""
        caller: dict[str, str] = {}
        waiting = [start]
        for name in waiting:  # grows meanwhile
            for called in self.calls.get(name, ()):
                if called not in caller:
                    caller[called] = name
                    waiting.append(called)
        way = [start, caller[start]]
        while way[-1] != start:
            way.append(caller[way[-1]])
        return way[::-1]

    def _check_call(self, call: Node, findings: Findings) -> None:
        definition = self.definitions.get(call["name"])
        if definition is None:
            hint = self._suggestions.nearest(call["name"], lambda: self.definitions)
            hint = hint or f'define it: DEFINE_TASK "{call["name"]}" {{ … }}'
            findings.at_statement("T103", call, f'unknown sub-task "{call["name"]}"', hint)
            return
        repeated = getattr(call["args"], "repeated", [])
        given, wanted = call["args"], self._params[call["name"]]
        faults = _some(
            itertools.chain(
                (f"{name} is missing" for name in wanted if name not in given),
                (f"{name} is no parameter of it" for name in given if name not in wanted),
                (f"{name} is given twice" for name in dict.fromkeys(repeated)),
            )
        )
        if faults:
            message = f'CALL "{call["name"]}": {faults}'
            hint = f"its parameters are: {_some(wanted)}" if wanted else "it has no parameters"
            findings.at_statement("T104", call, message, hint)

    def _check_parallel(self, parallel: Node, findings: Findings) -> None:
        """What may not stand in PARALLEL may not come there through a call."""
        calls = (x for x, _ in walk(parallel, estimates=False) if x["type"] == "CALL")
        for statement in calls:
            if inside := self._not_parallel.get(statement["name"]):
                kind, name = inside
                message = f'{kind} inside PARALLEL, through the sub-task "{name}"'
                hint = "move the CALL before or after the PARALLEL block"
                findings.at_statement("T102", statement, message, hint)

    def _find_not_parallel(self, name: str) -> tuple[str, str] | None:
        """A statement in a sub-task, or in one that it calls, that PARALLEL refuses, and where."""
        for statement, _ in walk(self.definitions[name], estimates=False):
            if statement["type"] in NOT_IN_PARALLEL:
                return statement["type"], name
        inside = (self._not_parallel.get(called) for called in self.calls[name])
        return next((found for found in inside if found), None)

    def _find_cycles(self) -> None:
        """Tarjan's strongly connected components (SIAM J. Comput. 1, 1972), callees first."""
        search = _Components(self.calls)
        for name in self.definitions:
            if name not in search.number:
                trampoline.run(search.visit(name))
        for component in search.components:
            self.order += component
            if len(component) > 1 or component[0] in self.calls[component[0]]:
                self.cycles.append(component)


class _Components:
    def __init__(self, calls: dict[str, list[str]]) -> None:
        self.calls = calls
        self.number: dict[str, int] = {}  # in the order of the visits
        self.lowest: dict[str, int] = {}  # the lowest number that can be reached
        self.open: dict[str, None] = {}
        self.components: list[list[str]] = []

    def visit(self, name: str) -> Deep:
        self.number[name] = self.lowest[name] = len(self.number)
        self.open[name] = None
        for called in self.calls[name]:
            if called not in self.number and called in self.calls:
                yield self.visit(called)
                self.lowest[name] = min(self.lowest[name], self.lowest[called])
            elif called in self.open:
                self.lowest[name] = min(self.lowest[name], self.number[called])
        if self.lowest[name] == self.number[name]:
            component = []
            while name in self.open:
                component.append(self.open.popitem()[0])
            self.components.append(component[::-1])


def _calls(definition: Node) -> list[str]:
    """The names that a sub-task calls, each once, in the order of the source."""
    names = (node["name"] for node, _ in walk(definition) if node["type"] == "CALL")
    return list(dict.fromkeys(names))


def _some(texts: Iterable[str]) -> str:
    """The texts with commas between them, but not all of very many."""
    first = list(itertools.islice(texts, MOST_NAMES + 1))
    return ", ".join([*first[:MOST_NAMES], *["…" for _ in first[MOST_NAMES:]]])


def _place(node: Node) -> tuple[int, int]:
    return node.get("line", 1), node.get("column", 1)
