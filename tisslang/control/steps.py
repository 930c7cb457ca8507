"""TASK, SETUP and STEP: named blocks, whose state the report shows; `@retry` runs one again."""

import time
from typing import TYPE_CHECKING

from tisslang.errors import TissCommandError
from tisslang.events import seconds_since
from tisslang.plan import Node

if TYPE_CHECKING:
    from tisslang.walk import Walk


def task(walk: "Walk", node: Node) -> None:
    """Run what a TASK holds."""
    walk.body(node["body"])


def step(walk: "Walk", node: Node) -> None:
    """Run a STEP or a SETUP, again after a catchable error as often as its `@retry` says."""
    entry = walk.record.enter_step(node)
    started = time.monotonic()
    attempts = 1 + _retries(node["body"])
    while True:
        try:
            _attempt(walk, node, entry)
            walk.record.step_passed(node)
            return
        except TissCommandError:
            if entry["attempts"] >= attempts or walk.state.is_halted:
                raise
            entry["attempts"] += 1
        finally:
            entry["duration_s"] = seconds_since(started)


def _attempt(walk: "Walk", node: Node, entry: Node) -> None:
    """Run the body once, between the events of its start and its end."""
    facts = {name: entry[name] for name in ("kind", "description", "line")}
    facts["attempt"] = entry["attempts"]
    walk.state.events.send("step_start", **facts)
    started = time.monotonic()
    entry["status"] = "failed"
    try:
        with walk.named(node.get("description") or node["type"]):
            walk.body(node["body"])
        entry["status"] = "passed"
    finally:
        facts |= {"status": entry["status"], "duration_s": seconds_since(started)}
        walk.state.events.send("step_end", **facts)


def _retries(body: list[Node]) -> int:
    """The value of the `@retry` among the directives that a step begins with."""
    for node in body:
        if node["type"] != "DIRECTIVE":
            break
        if node["name"] == "retry":
            return int(node["values"][0])
    return 0
