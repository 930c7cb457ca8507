"""Random small plans: the engine does what a naive interpreter of the reference does."""

import collections
from pathlib import Path
from random import Random
from typing import Any

import pytest
from engine_runs import Report, caught, run_with_events, steps
from naive_engine import FILES, Naive
from small_plans import random_plan

import tisslang
from tisslang import State, TissCommandError, ToolRegistry


def run_tool(state: State, args: dict[str, Any]) -> None:
    """What RUN does here: no process, a result that follows from the command."""
    command = args["command"]
    word, code, _ = command.split(" ", 2)
    persona = state.directives.get("persona", [None])[0]
    state.last_run_result = {
        "command": command,
        "stdout": f"{command}|{persona}",
        "stderr": "",
        "exit_code": 124 if word == "late" else int(code),
        "execution_time": 0.0,
    }
    if word == "late":
        raise TissCommandError("timeout", "too late")


def tools() -> ToolRegistry:
    registry = ToolRegistry.default()
    registry.register("RUN", run_tool)
    return registry


def compare(plan: dict[str, Any], root: Path, random: Random) -> tuple[Naive, Report]:
    keep_going = random.random() < 0.5
    expected = Naive(plan, keep_going)
    report, _ = run_with_events(
        plan["text"],
        root,
        tools=tools(),
        agent="echo",
        answer=plan["answers"],
        non_interactive=True,
        keep_going=keep_going,
        jobs=1 if expected.order_matters else random.choice((1, 2, 4)),
    )
    error = report["error"] or {}
    failed = expected.error
    place = (failed.kind, failed.line, failed.steps) if failed else (None, None, None)
    assert (error.get("kind"), error.get("line"), error.get("steps")) == place
    assert report["exit_code"] == expected.exit_code
    assert report["variables"] == expected.variables
    types = {name: type(value) for name, value in report["variables"].items()}
    assert types == {name: type(value) for name, value in expected.variables.items()}
    assert report["log"] == expected.log
    assert caught(report) == expected.caught
    assert [(e["kind"], e["line"]) for e in report["suppressed"]] == expected.suppressed
    assert steps(report) == [tuple(step.values()) for step in expected.steps]
    counts = {name: report["cost"][name] for name in expected.counts}
    assert counts == expected.counts
    last = report["last_run"] and report["last_run"]["stdout"]
    assert last == (expected.last_run and expected.last_run["STDOUT"])
    return expected, report


def compare_many(root: Path, seeds: range) -> collections.Counter[str]:
    """Compare plans that pass the check; counts what happened in them."""
    (root / "there").write_bytes(FILES["there"].encode())
    (root / "bad").write_bytes(b"\xff")
    seen: collections.Counter[str] = collections.Counter()
    for seed in seeds:
        random = Random(seed)
        plan = random_plan(random)
        if found := tisslang.check(plan["text"]):
            # Names that are certain to be missing, or assigned twice: the price of simple plans.
            assert {d.code for d in found} <= {"T108", "T110", "T111", "T109"}, (seed, found)
            seen["refused"] += 1
            continue
        try:
            expected, report = compare(plan, root, random)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}:\n{plan['text']}\n{plan['answers']}") from error
        seen["plans"] += 1
        seen[str(report["exit_code"])] += 1
        seen.update(kind for kind, _ in expected.caught)
        seen["suppressed"] += len(expected.suppressed)
        seen["repeated"] += any(step["attempts"] > 1 for step in expected.steps)
    return seen


def test_1_000_plans(tmp_path: Path) -> None:
    seen = compare_many(tmp_path, range(1000))
    assert seen["plans"] > 700, seen
    for what in ("0", "1", "4", "5", "6", "7", "repeated", "suppressed"):
        assert seen[what] > 3, seen
    for kind in ("assert", "undefined", "type", "io", "decode", "timeout"):
        assert seen[kind] > 3, seen


@pytest.mark.long
def test_20_000_plans(tmp_path: Path) -> None:
    compare_many(tmp_path, range(1000, 21_000))
