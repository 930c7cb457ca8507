"""DEFINE_TASK and CALL: parameters, results, and trees that nobody checked."""

import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from engine_runs import brief, caught, outcome, run_with_events, steps
from plans import Node, run

from tisslang import ExecutionEngine

SHOUT = 'DEFINE_TASK "shout" WITH word { LOG "{{word}}!"\nVAR said = word }\n'


def test_definitions_may_follow_their_use(tmp_path: Path) -> None:
    text = f'CALL "shout" WITH word = "hey"\nCALL "shout" WITH word = 3\nLOG said\n{SHOUT}'
    report, events = run_with_events(text, tmp_path)
    assert (report["log"], report["variables"]) == (["hey!", "3!", "3"], {"said": 3})
    assert brief(events)[:6] == [
        "command_start CALL",
        "command_start LOG",
        "log hey!",
        "command_end LOG ok",
        "command_start VAR",
        "command_end VAR ok",
    ]
    assert events[1]["summary"] == 'CALL "shout" WITH word = "hey"'
    in_task = f'TASK "t" {{ CALL "shout" WITH word = "a" }}\n{SHOUT}'
    assert run_with_events(in_task, tmp_path)[0]["log"] == ["a!"]


def test_parameters_shadow_and_other_assignments_go_outwards(tmp_path: Path) -> None:
    text = """
VAR p = "outer"
DEFINE_TASK "sub" WITH p, q {
    LOG "{{p}} {{q}}"
    VAR p = "changed"
    VAR r = p
}
CALL "sub" WITH q = p, p = "arg {{p}}"
LOG p
LOG r
"""
    report, _ = run_with_events(text, tmp_path)
    assert report["log"] == ["arg outer outer", "outer", "changed"]
    assert report["variables"] == {"p": "outer", "r": "changed"}


def test_shadowing_ends_with_an_error_too(tmp_path: Path) -> None:
    text = """
VAR p = "outer"
DEFINE_TASK "sub" WITH p, q { VAR p = 1
    VAR kept = 2
    ASSERT q == 1 }
TRY { CALL "sub" WITH p = "inner", q = 0 } CATCH { LOG "{{p}} {{kept}}" }
"""
    report, _ = run_with_events(text, tmp_path)
    assert report["log"] == ["outer 2"]
    assert report["variables"] == {"kept": 2, "p": "outer"}


def test_arguments_are_evaluated_before_the_body(tmp_path: Path) -> None:
    text = """
DEFINE_TASK "swap" WITH a, b { LOG "{{a}} {{b}}" }
VAR a = 1
VAR b = 2
CALL "swap" WITH a = b, b = a
IF a == 9 { VAR maybe = 1 }
CALL "swap" WITH a = 0, b = maybe
"""
    report, _ = run_with_events(text, tmp_path)
    assert (report["log"], outcome(report)) == (["2 1"], (4, "undefined", 7))
    assert report["error"]["steps"] == []


def test_calls_stand_in_steps_and_steps_in_sub_tasks_are_reported(tmp_path: Path) -> None:
    text = """
DEFINE_TASK "inner" { STEP "deep" { ASSERT 1 == 2 } }
DEFINE_TASK "outer" { CALL "inner" }
STEP "s" { CALL "outer" }
"""
    report, events = run_with_events(text, tmp_path)
    assert report["error"]["steps"] == ["s", "outer", "inner", "deep"]
    assert outcome(report) == (1, "assert", 2)
    assert steps(report) == [("s", "failed", 1), ("deep", "failed", 1)]
    ends = ["command_end CALL error", "command_end CALL error", "step_end s failed"]
    assert brief(events)[-3:] == ends
    assert (report["steps_completed"], report["steps_total"]) == (0, 1)


def test_last_run_and_directives_go_through_a_call(tmp_path: Path) -> None:
    text = """
DEFINE_TASK "sub" { RUN "printf $A$B" }
@env "A=1"
STEP "s" {
    @env "B=2"
    CALL "sub"
}
LOG LAST_RUN.STDOUT
CALL "sub"
LOG LAST_RUN.STDOUT
"""
    assert run_with_events(text, tmp_path)[0]["log"] == ["12", "1"]


def test_a_call_in_catch_is_an_ordinary_call(tmp_path: Path) -> None:
    text = """
DEFINE_TASK "sub" WITH kind { TRY { READ "no" AS x } CATCH { LOG "{{kind}} {{ERROR.KIND}}" } }
TRY { ASSERT 1 == 2 } CATCH { CALL "sub" WITH kind = ERROR.KIND
    LOG ERROR.KIND }
"""
    report, _ = run_with_events(text, tmp_path)
    assert report["log"] == ["assert io", "assert"]
    assert caught(report) == [("assert", 3), ("io", 2)]


def nested(definitions: int, levels: int, last: str) -> str:
    """Sub-tasks that call one another, each call that many blocks deep."""
    texts = []
    for number in range(definitions):
        call = f'CALL "t{number + 1}"' if number + 1 < definitions else last
        opening, closing = "IF true {\n" * levels, "}\n" * levels
        texts.append(f'DEFINE_TASK "t{number}" {{\n{opening}{call}\n{closing}}}\n')
    return "".join(texts) + 'CALL "t0"\n'


@pytest.mark.parametrize("last", ['LOG "end"', "ASSERT 1 == 2"])
def test_100_sub_tasks_200_levels_deep_call_one_another(tmp_path: Path, last: str) -> None:
    reports: list[dict[str, Any]] = []
    text = nested(100, 200, last)
    thread = threading.Thread(target=lambda: reports.append(run(text, tmp_path)))
    thread.start()  # a thread has a smaller stack
    reports.append(run(text, tmp_path))
    thread.join()
    for report in reports:
        assert (report["exit_code"], report["log"]) == ((0, ["end"]) if "LOG" in last else (1, []))
        if report["error"]:
            assert report["error"]["steps"] == [f"t{number}" for number in range(100)]


@pytest.mark.long
def test_a_script_of_8_mib_may_be_nested_all_the_way(tmp_path: Path) -> None:
    report = run(nested(2000, 254, "ASSERT 1 == 2"), tmp_path)
    assert outcome(report)[:2] == (1, "assert")
    assert len(report["error"]["steps"]) == 2000


def test_runs_that_overlap_leave_the_recursion_limit_as_it_was(tmp_path: Path) -> None:
    before = sys.getrecursionlimit()
    assert before < 1_000_000  # else a run before this one has left its own
    tools_are_in = threading.Barrier(2)
    first_is_over = threading.Event()
    text = nested(20, 200, 'LOG "end"')
    reports = []

    def long_run() -> None:
        from tisslang import ToolRegistry

        tools = ToolRegistry.default()

        def wait(state: Any, args: Any) -> None:
            tools_are_in.wait()
            first_is_over.wait()

        tools.register("VAR", wait)
        reports.append(run(f"VAR x = 1\n{text}", tmp_path, tools=tools))

    thread = threading.Thread(target=long_run)
    thread.start()
    tools_are_in.wait()
    reports.append(run("LOG 1", tmp_path))
    first_is_over.set()
    thread.join()
    assert [report["exit_code"] for report in reports] == [0, 0]
    assert sys.getrecursionlimit() == before


# Trees that nobody checked


def log(value: Any) -> Node:
    return {"type": "LOG", "value": value}


def definition(name: str, *body: Node, params: tuple[str, ...] = ()) -> Node:
    return {"type": "DEFINE_TASK", "name": name, "params": list(params), "body": list(body)}


def call(name: str, **args: Any) -> Node:
    return {"type": "CALL", "name": name, "args": args, "line": 7, "column": 3}


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ([call("nowhere")], "T103"),
        ([definition("a", params=("p",)), call("a")], "T104"),
        ([definition("a"), call("a", p=1)], "T104"),
        ([definition("a", call("a")), call("a")], "T105"),
        ([definition("a", call("b")), definition("b", call("a")), call("b")], "T105"),
        ([{"type": "OPTION", "description": "o", "body": [], "line": 7, "column": 3}], "T102"),
    ],
)
def test_a_call_that_does_not_fit_is_a_static_error(
    tmp_path: Path, plan: list[Node], code: str
) -> None:
    in_try: Node = {"type": "TRY", "body": plan, "catch": [log("caught")]}
    in_steps: Node = {"type": "STEP", "description": "s", "body": [in_try]}
    definitions = [node for node in plan if node["type"] == "DEFINE_TASK"]
    for tree in (plan, [*definitions, in_steps]):
        report = ExecutionEngine(root=tmp_path, filename="p").execute(tree)
        assert (report["exit_code"], report["status"], report["log"]) == (3, "error", [])
        error = report["error"]
        assert (error["kind"], error["code"]) == ("static", code)
        assert (error["line"], error["column"]) == (7, 3)
        (found,) = report["diagnostics"]
        assert (found["code"], found["file"], found["line"]) == (code, "p", 7)


@pytest.mark.parametrize(
    ("plan", "exit_code"),
    [
        ([{"type": "SET_BUDGET", "resource": "LUCK", "value": 1}], 3),
        ([{"type": "SET_BUDGET", "resource": "COST", "value": -1}], 3),
        ([{"type": "DIRECTIVE", "name": "retry", "values": ["x"]}], 3),
        ([{"type": "FLY"}], 3),
        ([{"type": "RUN"}], 70),
        ([{"type": "CALL"}], 70),
        ([{"type": "DEFINE_TASK"}, {"type": "STEP"}], 70),
        ([{"type": "TASK"}], 0),
        ([{"type": "LOG", "value": {"error": "KIND"}}], 4),
        ([{"type": "LOG", "value": {"last_run": "STDOUT"}}], 4),
    ],
)
def test_a_tree_with_something_missing_gives_a_report(
    tmp_path: Path, plan: list[Node], exit_code: int
) -> None:
    report = ExecutionEngine(root=tmp_path, from_step=None).execute([log("first"), *plan])
    assert report["exit_code"] == exit_code
    assert bool(report["error"]) is (exit_code > 0)
    assert report["log"] == ([] if exit_code == 3 else ["first"])
