"""The tree of steps: kept by the events of real runs, it says what their reports say."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from naive_engine import FILES
from small_plans import random_plan

import tisslang
from tisslang import ExecutionEngine, State, TissCommandError, ToolRegistry
from tisslang.jupyter.steps import MAX_STEPS, StepTree

Report = dict[str, Any]


def run_tool(state: State, args: dict[str, Any]) -> None:
    """RUN without a process: `small_plans` says what its two commands are."""
    word, code, _ = args["command"].split(" ", 2)
    code = 124 if word == "late" else int(code)
    result = {"command": args["command"], "stdout": "", "stderr": ""}
    state.last_run_result = {**result, "exit_code": code, "execution_time": 0.0}
    if word == "late":
        raise TissCommandError("timeout", "too late")


def run(text: str, root: Path, watch: bool = True, **options: Any) -> tuple[StepTree, Report]:
    """A run with its tree; `watch` looks at it after each event."""
    tools = ToolRegistry.default()
    tools.register("RUN", run_tool)
    tree = StepTree(tisslang.parse(text))

    def take(event: dict[str, Any]) -> None:
        place = tree.take(event)
        if not watch:
            return
        rows = {row["id"]: row for row in tree.rows()}
        assert place is None or place in rows
        if event["event"] in ("command_start", "step_start") and place is not None:
            assert rows[place]["state"] == "running"

    engine = ExecutionEngine(tools, root, on_event=take, non_interactive=True, **options)
    report = engine.run(text)
    tree.finish()
    return tree, report


def as_reported(tree: StepTree, report: Report) -> list[tuple[Any, ...]]:
    """The rows that a report would have: of those without a turn it has the outermost only."""
    skipped = [(s["kind"], s["line"]) for s in report["steps"] if s["status"] == "skipped"]
    return [
        (*key(row), row["title"], row["state"])
        for row in tree.rows()
        if row["state"] != "skipped" or (row["parent"] is None and key(row) in skipped)
    ]


def key(row: dict[str, Any]) -> tuple[str, int]:
    return row["kind"], row["line"]


def compare(text: str, root: Path, **options: Any) -> Report:
    tree, report = run(text, root, **options)
    steps = report["steps"]
    expected = [
        (s["kind"], s["line"], ("setup: " * (s["kind"] == "SETUP")) + s["description"], s["status"])
        for s in steps
    ]
    assert as_reported(tree, report) == expected
    assert {row["state"] for row in tree.rows()} <= {"passed", "failed", "skipped"}
    ids = [row["id"] for row in tree.rows()]
    assert len(set(ids)) == len(ids)
    for row in tree.rows():
        assert row["parent"] is None or ids.index(row["parent"]) < ids.index(row["id"])
    return report


def compare_many(root: Path, seeds: range) -> dict[str, int]:
    (root / "there").write_bytes(FILES["there"].encode())
    (root / "bad").write_bytes(b"\xff")
    seen = {"plans": 0, "repeated": 0, "failed": 0}
    for seed in seeds:
        random = Random(seed)
        plan = random_plan(random)
        if tisslang.check(plan["text"]):
            continue
        options = {"agent": "echo", "answer": plan["answers"], "keep_going": random.random() < 0.5}
        try:
            report = compare(plan["text"], root, jobs=random.choice((1, 2, 4)), **options)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}:\n{plan['text']}") from error
        seen["plans"] += 1
        seen["repeated"] += any(step["attempts"] > 1 for step in report["steps"])
        seen["failed"] += report["exit_code"] != 0
    return seen


def test_the_events_of_random_plans_come_to_the_steps_of_their_reports(tmp_path: Path) -> None:
    seen = compare_many(tmp_path, range(300))
    assert seen["plans"] > 200, seen
    assert min(seen.values()) > 3, seen


@pytest.mark.long
def test_of_many_more_plans(tmp_path: Path) -> None:
    compare_many(tmp_path, range(300, 6000))


PLAN = """\
SETUP { LOG 1 }
STEP "a" {
    STEP "b" { LOG 1 }
    IF false { STEP "c" { LOG 1 } } ELSE { STEP "d" { CALL "t" } }
}
PARALLEL {
    STEP "e" { STEP "f" { LOG 1 } }
    STEP "g" { LOG 1 }
}
STEP "h" {
    @retry 1
    STEP "i" { ASSERT false }
}
STEP "j" { }
DEFINE_TASK "t" { STEP "k" { LOG 1 } }
"""


def outline(tree: StepTree) -> list[str]:
    depth: dict[int | None, int] = {None: -1}
    lines = []
    for row in tree.rows():
        depth[row["id"]] = depth[row["parent"]] + 1
        lines.append("  " * depth[row["id"]] + f"{row['title']} {row['state']}")
    return lines


def test_all_steps_wait_from_the_start_in_the_order_of_the_source() -> None:
    tree = StepTree(tisslang.parse(PLAN))
    assert [line.split()[0] for line in outline(tree)] == [
        *("setup", "a", "b", "c", "d", "k", "e", "f", "g", "h", "i", "j")
    ]
    assert {row["state"] for row in tree.rows()} == {"waiting"}
    branches = {row["title"]: row["branch"] for row in tree.rows()}
    assert [branches[name] for name in "aefg"] == [None, 1, 1, 2]


def test_what_has_no_turn_is_skipped_and_each_attempt_stays(tmp_path: Path) -> None:
    tree, report = run(PLAN, tmp_path)
    assert report["exit_code"] == 1
    assert outline(tree) == [
        "setup passed",
        "a passed",
        "  b passed",
        "  c skipped",
        "  d passed",
        "    k passed",
        "e passed",
        "  f passed",
        "g passed",
        "h failed",
        "  i failed",
        "  i failed",
        "j skipped",
    ]
    rows = tree.rows()
    assert [row["attempt"] for row in rows if row["title"] == "h"] == [2]
    assert tree.failed(report["error"]["steps"]) == rows[-2]["id"]


def test_a_tree_has_at_most_2_000_steps(tmp_path: Path) -> None:
    steps = "".join(f'STEP "{n}" {{ LOG {n} }}\n' for n in range(2100))
    tree, report = run(steps, tmp_path, watch=False)
    assert len(report["steps"]) == 2100
    assert len(tree.rows()) == MAX_STEPS
    assert {row["state"] for row in tree.rows()} == {"passed"}
    assert tree.left_out == 100


def test_sub_tasks_that_call_others_twice_are_no_endless_tree() -> None:
    tasks = [f'DEFINE_TASK "{n}" {{ CALL "{n + 1}"\n CALL "{n + 1}" }}\n' for n in range(60)]
    with_steps = [*tasks, 'DEFINE_TASK "60" { STEP "s" { } }\n', 'CALL "0"']
    assert len(StepTree(tisslang.parse("".join(with_steps))).rows()) == MAX_STEPS
    without = [*tasks, 'DEFINE_TASK "60" { LOG 1 }\n', 'CALL "0"']
    assert StepTree(tisslang.parse("".join(without))).rows() == []
    itself = 'DEFINE_TASK "a" { CALL "a" }\nCALL "a"'  # which no check would let run
    assert StepTree(tisslang.parse(itself)).rows() == []


def test_secrets_are_masked_before_the_run_too() -> None:
    tree = StepTree(tisslang.parse('STEP "use hunter2" { }'), lambda t: t.replace("hunter2", "***"))
    assert tree.rows()[0]["title"] == "use ***"


def test_a_long_title_is_cut() -> None:
    tree = StepTree(tisslang.parse(f'STEP "{"x" * 9000}" {{ }}'))
    assert len(tree.rows()[0]["title"]) == 200
