"""What the flow analysis should find, the slow way: every state in which a run can reach a use.

A state is the set of names that have a value, and whether LAST_RUN has one. Each statement is run
from each state in every way it can go; a block says in which states it may end, and in which an
error may leave it.
"""

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

Node = dict[str, Any]


class State(NamedTuple):
    """Names with a value; `LAST_RUN` is one of them."""

    names: frozenset[str]

    def plus(self, *names: str) -> "State":
        return State(self.names | {*names})

    def minus(self, *names: str) -> "State":
        return State(self.names - {*names})


class Ways(NamedTuple):
    """How a block can go: to its end, or left through an error."""

    ends: set[State]
    errors: set[State]


class Oracle:
    """Runs a script in every way; `uses` says for each use in which states it was reached."""

    def __init__(self, script: Node, assigned: Iterable[str] = ()) -> None:
        self.definitions = {
            node["name"]: node for node in every(script["body"]) if node["type"] == "DEFINE_TASK"
        }
        self.seen: dict[tuple[int, int], tuple[str, set[State]]] = {}
        self.recording = True
        self.block(script["body"], State(frozenset(assigned)))
        self.verdicts = self.judged()
        happens = list(every(script["body"], estimates=False))
        everything = {*assigned, *filter(None, map(bound, happens))}
        if any(node["type"] == "RUN" for node in happens):
            everything.add("LAST_RUN")
        for name, node in self.definitions.items():
            self.seen = {}
            runs = {"LAST_RUN"} & everything
            self.block(node["body"], State(frozenset({*node["params"], *runs})))
            visible = everything | self.params_around(name)
            for place, verdict in self.judged().items():
                used = self.seen[place][0]
                if used == "LAST_RUN":
                    self.verdicts[place] = verdict
                else:  # the body sees every name of the script
                    self.verdicts[place] = "always" if used in visible else "never"

    def params_around(self, name: str) -> set[str]:
        """The parameters of a sub-task, and of all that lead to it."""
        found = {*self.definitions[name]["params"]}
        for other, node in self.definitions.items():
            called = {n["name"] for n in every(node["body"]) if n["type"] == "CALL"}
            if name in called and other != name:
                found |= self.params_around(other)
        return found

    def judged(self) -> dict[tuple[int, int], str]:
        verdicts = {}
        for (line, column), (name, states) in self.seen.items():
            having = sum(name in state.names for state in states)
            verdicts[line, column] = (
                "never" if not having else "always" if having == len(states) else "sometimes"
            )
        return verdicts

    def block(self, body: list[Node], start: State) -> Ways:
        ends, errors = {start}, {start}
        for statement in body:
            ways = [self.statement(statement, state) for state in ends]
            errors = errors.union(ends, *(way.errors for way in ways))
            ends = set().union(*(way.ends for way in ways))
        return Ways(ends, errors | ends)

    def statement(self, node: Node, state: State) -> Ways:
        if self.recording:
            for reference in used(node):
                name = reference.get("var", "LAST_RUN")
                place = (reference.line, reference.column)
                self.seen.setdefault(place, (name, set()))[1].add(state)
        run = getattr(self, node["type"].lower() + "_", None)
        if run is not None:
            return run(node, state)
        if node["type"] == "RUN":
            return Ways({state.plus("LAST_RUN")}, {state})
        name = bound(node)
        return Ways({state.plus(name)} if name else {state}, {state})

    def step_(self, node: Node, state: State) -> Ways:
        ways = self.block(node["body"], state)
        first = node["body"][:1]
        if not (first and first[0]["type"] == "DIRECTIVE" and first[0]["name"] == "retry"):
            return ways
        done = {state}
        while more := ways.errors - done:
            done |= more
            again = [self.block(node["body"], other) for other in more]
            ways = Ways(
                ways.ends.union(*(way.ends for way in again)),
                ways.errors.union(*(way.errors for way in again)),
            )
        return ways

    def setup_(self, node: Node, state: State) -> Ways:
        return self.step_(node, state)

    def task_(self, node: Node, state: State) -> Ways:
        return self.block(node["body"], state)

    def define_task_(self, node: Node, state: State) -> Ways:
        return Ways({state}, {state})

    def estimate_cost_(self, node: Node, state: State) -> Ways:
        return Ways({state.plus(node["into"])} if node["into"] else {state}, {state})

    def if_(self, node: Node, state: State) -> Ways:
        return self.one_of([node["then"], node["else"] or []], state)

    def choose_(self, node: Node, state: State) -> Ways:
        return self.one_of([option["body"] for option in node["options"]], state)

    def one_of(self, bodies: list[list[Node]], state: State) -> Ways:
        ways = [self.block(body, state) for body in bodies]
        return Ways(
            set().union(*(way.ends for way in ways)), set().union(*(way.errors for way in ways))
        )

    def try_(self, node: Node, state: State) -> Ways:
        body = self.block(node["body"], state)
        caught = [self.block(node["catch"], error) for error in body.errors]
        return Ways(
            body.ends.union(*(way.ends for way in caught)), set().union(*(w.errors for w in caught))
        )

    def parallel_(self, node: Node, state: State) -> Ways:
        branches = [self.statement(step, state).ends for step in node["body"]]
        ends = {
            State(state.names.union(*(end.names for end in way))).minus("LAST_RUN")
            for way in product(*branches)
        }
        return Ways(ends, {state, state.minus("LAST_RUN")})

    def call_(self, node: Node, state: State) -> Ways:
        definition = self.definitions[node["name"]]
        params = definition["params"]
        recording, self.recording = self.recording, False
        ways = self.block(definition["body"], state.plus(*params))
        self.recording = recording

        def back(end: State) -> State:
            return end.minus(*params).plus(*(state.names & {*params}))

        return Ways({back(end) for end in ways.ends}, {back(end) for end in ways.errors} | {state})


def every(body: list[Node], estimates: bool = True) -> Iterable[Node]:
    for node in body:
        yield node
        if node["type"] == "ESTIMATE_COST" and not estimates:
            continue
        for field in ("body", "then", "else", "catch", "options"):
            yield from every(node.get(field) or [], estimates)


def bound(node: Node) -> str | None:
    if node["type"] == "VAR":
        return node["name"]
    return node.get("into") or node.get("variable")


def used(node: Node) -> list[Any]:
    """The references of a statement; these scripts have them in LOG, VAR and CALL alone."""
    values = {"LOG": ["value"], "VAR": ["value"], "CALL": ["args"]}.get(node["type"], [])
    found = [node[field] for field in values]
    if node["type"] == "CALL":
        found = list(node["args"].values())
    return [value for value in found if isinstance(value, dict)]
