"""The tree of a plan's steps: all of them waiting at first, then kept up to date by the events."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tisslang.events import MAX_TEXT
from tisslang.plan import Node, definitions, is_step
from tisslang.syntax.tree import blocks
from tisslang.terminal import step_title
from tisslang.values import clip

Event = dict[str, Any]

MAX_TITLE = 200  # characters
MAX_STEPS = 2000  # more are no tree that anybody looks at; commands count for the step around them
_MAX_LOOKED_AT = 50_000  # statements: sub-tasks that call others twice could be any number


class Step:
    """One step; the `root`, which has no number, holds the outermost ones."""

    def __init__(self, number: int | None, parent: "Step | None", facts: Event) -> None:
        self.id = number
        self.parent = parent
        self.kind: str = facts.get("kind") or facts["type"]
        self.description: str | None = facts.get("description")
        title = step_title({"kind": self.kind, "description": self.description})
        self.title = title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1] + "…"
        self.line: int | None = facts.get("line")
        self.branch: int | None = facts.get("branch")
        self.body: list[Node] = facts.get("body", [])
        self.state = "waiting"
        self.seconds: float | None = None
        self.attempt = 1
        self.children: list[Step] = []
        self.turn = 0  # the children before this one had their turn

    def row(self) -> dict[str, Any]:
        """The step as the page gets it."""
        return {
            "id": self.id,
            "parent": self.parent and self.parent.id,
            "title": self.title,
            "kind": self.kind,
            "line": self.line,
            "state": self.state,
            "seconds": self.seconds,
            "branch": self.branch,
            "attempt": self.attempt,
        }

    def is_like(self, event: Event) -> bool:
        """Whether an event is about this step, or about a copy of it."""
        facts = event["line"], event["kind"], event["description"], event.get("branch")
        return facts == (self.line, self.kind, self.description, self.branch)


class StepTree:
    """The steps of one run. `mask` hides secrets in what stands in the script."""

    def __init__(self, script: Node, mask: Callable[[str], str] = str) -> None:
        self.left_out = 0  # steps that were run and found no place
        self._mask = mask
        self._definitions = definitions(script)
        self._count = 0
        self._root = Step(None, None, {"type": "SCRIPT"})
        self._open = [self._root]
        self._branches: dict[int, list[Step]] = {}  # the open steps of each branch of a PARALLEL
        self._plant(script["body"], self._root)

    def take(self, event: Event) -> int | None:
        """Note what an event says; returns the step that it belongs to, None outside of steps."""
        branch = event.get("branch")
        opened = self._open if branch is None else self._branches.setdefault(branch, [])
        around = opened[-1] if opened else self._open[-1]
        if event["event"] == "step_start":
            # The branches of a PARALLEL begin in any order, all other steps one after the other.
            around = self._start(around, event, in_turn=bool(opened))
            opened.append(around)
        elif event["event"] == "step_end":
            step = opened.pop()
            step.state = event["status"]
            step.seconds = round((step.seconds or 0.0) + event["duration_s"], 3)
            _skip(step.children)
            return step.id
        return around.id

    def finish(self) -> None:
        """The run is over: what waits is skipped."""
        _skip(self._root.children)

    def rows(self) -> list[dict[str, Any]]:
        """All steps, in the order of the source."""
        return [step.row() for step in _below(self._root)]

    def failed(self, names: list[str]) -> int | None:
        """The step in which a run failed; `names` are those of the blocks around the error."""
        place = self._root
        for name in names:
            for step in reversed(place.children):  # those before it were caught
                if step.state == "failed" and (step.description or step.kind) == name:
                    place = step
                    break
        return place.id

    def _plant(self, body: list[Node], parent: Step) -> None:
        """Add the steps of a block, and those of the sub-tasks that it calls, as waiting."""
        looked_at = 0
        todo: list[tuple[Node, Step, int | None]]
        todo = [(node, parent, parent.branch) for node in reversed(body)]
        while todo and self._count < MAX_STEPS and looked_at < _MAX_LOOKED_AT:
            looked_at += 1
            node, around, branch = todo.pop()
            if is_step(node):
                around = self._add(around, node, branch)
            inner = list(self._statements(node, branch))
            todo += [(child, around, number) for child, number in reversed(inner)]

    def _statements(self, node: Node, branch: int | None) -> Iterator[tuple[Node, int | None]]:
        """What a statement may run, each with the branch of a PARALLEL in which it does."""
        if node["type"] in ("DEFINE_TASK", "ESTIMATE_COST"):  # runs elsewhere, or not at all
            return
        if node["type"] == "CALL":
            node = self._definitions.get(node["name"], {"type": ""})
        branches = 0
        for child in (child for block in blocks(node) for child in block):
            if node["type"] == "PARALLEL" and child["type"] != "DIRECTIVE":
                branches += 1
                branch = branches
            yield child, branch

    def _add(self, around: Step, node: Node, branch: int | None, place: int | None = None) -> Step:
        self._count += 1
        description = node.get("description")
        if description is not None:  # as events have it
            description = clip(self._mask(description), MAX_TEXT)
        facts = {**node, "branch": branch, "description": description}
        step = Step(self._count, around, facts)
        around.children.insert(len(around.children) if place is None else place, step)
        return step

    def _start(self, around: Step, event: Event, in_turn: bool) -> Step:
        """The step that begins: the next one of those that wait, or the next attempt at one."""
        attempt = event["attempt"]
        step = _again(around, event) if attempt > 1 else _next(around, event, in_turn)
        if step is None and self._count < MAX_STEPS:
            node = {**event, "type": event["kind"]}
            step = self._add(around, node, event.get("branch"), around.turn if in_turn else None)
            around.turn += in_turn
        if step is None:
            self.left_out += attempt == 1
            step = Step(around.id, around.parent, event)  # what happens in it counts for `around`
        step.state, step.attempt = "running", attempt
        if attempt > 1:
            step.turn = len(step.children)
            self._plant(step.body, step)
        return step


def _next(around: Step, event: Event, in_turn: bool) -> Step | None:
    """The first waiting step of this kind. Those before it that wait had their turn."""
    for place in range(around.turn, len(around.children)):
        step = around.children[place]
        if step.state == "waiting" and step.is_like(event):
            # The steps of a PARALLEL stand together, in the order of their branches.
            begin = place if in_turn else place - event["branch"] + 1
            _skip(around.children[around.turn : begin])
            around.turn = max(around.turn, begin + in_turn)
            return step
    return None


def _again(around: Step, event: Event) -> Step | None:
    """The step that has just failed and is repeated."""
    failed = (step for step in reversed(around.children) if step.state == "failed")
    return next((step for step in failed if step.is_like(event)), None)


def _skip(steps: Iterable[Step]) -> None:
    for outer in steps:
        for step in (outer, *_below(outer)):
            if step.state == "waiting":
                step.state = "skipped"


def _below(top: Step) -> Iterator[Step]:
    todo = list(reversed(top.children))
    while todo:
        step = todo.pop()
        yield step
        todo += reversed(step.children)
