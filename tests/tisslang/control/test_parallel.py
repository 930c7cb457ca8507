"""PARALLEL: copies, merging, order, and what an error in one branch does to the others.

No clock decides here: where branches must run at once, they wait for files of each other.
"""

import threading
from pathlib import Path
from typing import Any

import pytest
from engine_runs import caught, named, outcome, run_with_events, steps
from plans import run
from processes import sleepers

from tisslang import State, TissCommandError, ToolRegistry

JOBS = pytest.mark.parametrize("jobs", [1, 2, 4])


def waits_for(name: str) -> str:
    """A RUN that ends when a file is there, which another branch makes."""
    return f'RUN "until test -e {name}; do sleep 0.01; done"'


@JOBS
def test_branches_have_copies_which_are_merged_in_the_end(tmp_path: Path, jobs: int) -> None:
    text = """
VAR x = "before"
RUN "echo before"
PARALLEL {
    STEP "a" { VAR a = "{{x}} {{LAST_RUN.STDOUT|trim}}"
        RUN "echo a"
        VAR x = "changed"
        VAR seen_a = "{{x}} {{LAST_RUN.STDOUT|trim}}" }
    STEP "b" { VAR b = "{{x}} {{LAST_RUN.STDOUT|trim}}" }
    STEP "c" { RUN "echo c"
        VAR c = LAST_RUN.STDOUT|trim }
}
"""
    report, _ = run_with_events(text, tmp_path, jobs=jobs)
    assert report["variables"] == {
        "a": "before before",
        "b": "before before",
        "c": "c",
        "seen_a": "changed a",
        "x": "changed",
    }
    assert report["last_run"] is None
    assert report["cost"]["RUNS"] == 3


@JOBS
def test_last_run_is_unset_behind_the_block(tmp_path: Path, jobs: int) -> None:
    text = """
RUN "true"
IF x == 1 { PARALLEL { STEP "a" { LOG 1 } } }
TRY { LOG LAST_RUN.EXIT_CODE } CATCH { LOG ERROR.KIND }
"""
    assert run_with_events(text, tmp_path, jobs=jobs, var={"x": "1"})[0]["log"] == [
        "1",
        "undefined",
    ]
    assert run_with_events(text, tmp_path, jobs=jobs, var={"x": "2"})[0]["log"] == ["0"]


@JOBS
def test_log_steps_and_files_stand_in_the_order_of_the_source(tmp_path: Path, jobs: int) -> None:
    wait_b, wait_c = (waits_for("b"), waits_for("c")) if jobs == 4 else ("", "")
    text = f"""
LOG "before"
PARALLEL {{
    STEP "a" {{ LOG "a1"
        {wait_b}
        WRITE "a" <<W
W
        TRY {{ READ "no" AS x }} CATCH {{ LOG "a2" }}
        STEP "inner" {{ LOG "a3" }} }}
    STEP "b" {{ {wait_c}
        TRY {{ ASSERT 1 == 2 }} CATCH {{ LOG "b" }}
        WRITE "b" <<W
W
    }}
    STEP "c" {{ LOG "c"
        WRITE "c" <<W
W
    }}
}}
LOG "behind"
"""
    report, events = run_with_events(text, tmp_path, jobs=jobs)
    assert report["log"] == ["before", "a1", "a2", "a3", "b", "c", "behind"]
    assert report["files_written"] == ["a", "b", "c"]
    assert [kind for kind, _ in caught(report)] == ["io", "assert"]
    assert [name for name, _, _ in steps(report)] == ["a", "inner", "b", "c"]
    branches = {e["message"]: e.get("branch") for e in named(events, "log")}
    assert branches == {"before": None, "a1": 1, "a2": 1, "a3": 1, "b": 2, "c": 3, "behind": None}
    assert {event["branch"] for event in named(events, "step_start", "step_end")} == {1, 2, 3}


@JOBS
def test_a_catchable_error_lets_the_others_finish(tmp_path: Path, jobs: int) -> None:
    text = """
VAR x = "before"
PARALLEL {
    STEP "good" { VAR x = "lost"
        LOG "good" }
    STEP "first" { LOG "first"
        READ "no" AS y
        LOG "never" }
    STEP "second" { LOG "second"
        STEP "inner" { ASSERT 1 == 2 } }
    STEP "last" { VAR z = 1
        LOG "last"
        WRITE "done" <<W
W
    }
}
"""
    report, _ = run_with_events(text, tmp_path, jobs=jobs)
    assert outcome(report) == (4, "io", 7)
    assert report["error"]["steps"] == ["first"]
    assert [(e["kind"], e["steps"]) for e in report["suppressed"]] == [
        ("assert", ["second", "inner"])
    ]
    assert report["variables"] == {"x": "before"}
    assert report["log"] == ["good", "first", "second", "last"]
    assert (tmp_path / "done").exists()
    assert [(name, status) for name, status, _ in steps(report)] == [
        ("good", "passed"),
        ("first", "failed"),
        ("second", "failed"),
        ("inner", "failed"),
        ("last", "passed"),
    ]


@JOBS
def test_a_parallel_inside_try(tmp_path: Path, jobs: int) -> None:
    text = f"""
STEP "s" {{ TRY {{
    PARALLEL {{
        STEP "a" {{ {waits_for("b") if jobs > 1 else ""}
            ASSERT 1 == 2 }}
        STEP "b" {{ WRITE "b" <<W
W
            READ "no" AS x }}
    }}
}} CATCH {{ LOG "{{{{ERROR.KIND}}}} {{{{ERROR.LINE}}}}" }} }}
"""
    report, events = run_with_events(text, tmp_path, jobs=jobs)
    assert (report["exit_code"], report["log"]) == (0, ["assert 5"])
    assert [kind for kind, _ in caught(report)] == ["assert"]
    assert [error["kind"] for error in report["suppressed"]] == ["io"]
    assert [event.get("branch") for event in named(events, "caught")] == [None]
    assert [status for _, status, _ in steps(report)] == ["passed", "failed", "failed"]


def test_a_step_around_may_repeat_it(tmp_path: Path) -> None:
    text = """
STEP "s" {
    @retry 2
    PARALLEL {
        STEP "a" { RUN "printf x >>tries; test $(wc -c <tries) = 2"
            ASSERT LAST_RUN.EXIT_CODE == 0 }
        STEP "b" { @retry 1
            RUN "printf y >>b; test $(wc -c <b) != 1"
            ASSERT LAST_RUN.EXIT_CODE == 0 }
    }
}
"""
    report, events = run_with_events(text, tmp_path)
    assert report["exit_code"] == 0
    expected = [("s", "passed", 2), ("a", "failed", 1), ("b", "passed", 2)]
    assert steps(report) == [*expected, ("a", "passed", 1), ("b", "passed", 1)]
    assert {event["branch"] for event in events if event.get("description") == "b"} == {2}


FINAL = {
    "security": ('READ "../x" AS x', 5),
    "human": ('RUN "sudo true"', 7),
    "budget": ('PROMPT_AGENT "x"', 6),
    "internal": ('LOG "boom"', 70),
}


@pytest.mark.parametrize("kind", FINAL)
def test_an_uncatchable_error_ends_the_other_branches_at_once(tmp_path: Path, kind: str) -> None:
    """The others would wait for ever: in commands, one behind TRY and @retry, and in a loop."""
    statement, exit_code = FINAL[kind]
    tools = ToolRegistry.default()
    default_log = tools.get_tool("LOG")

    def log(state: State, args: dict[str, Any]) -> None:
        if args["value"] == "boom":
            raise ZeroDivisionError
        default_log(state, args)

    tools.register("LOG", log)
    text = f"""
VAR x = "before"
PARALLEL {{
    STEP "a" {{ @retry 3
        TRY {{ RUN "touch a; exec sleep 97541" }} CATCH {{ LOG "caught" }}
        LOG "never" }}
    STEP "b" {{ RUN "touch b; exec sleep 97541"
        LOG "never" }}
    STEP "c" {{ {waits_for("a")}
        {waits_for("b")}
        LOG "c"
        VAR x = "lost"
        {statement} }}
    STEP "d" {{ STEP "inner" {{ RUN "sleep 97541" }} }}
}}
"""
    options: dict[str, Any] = {"budget": {"API_CALLS": 0}, "non_interactive": True}
    report, events = run_with_events(text, tmp_path, tools=tools, **options)
    assert outcome(report)[:2] == (exit_code, kind)
    assert report["error"]["steps"][0] == "c"
    assert (report["log"], report["caught"], report["suppressed"]) == (["c"], [], [])
    assert report["variables"]["x"] == "before"
    assert {status for _, status, _ in steps(report)} == {"failed"}
    assert {e["status"] for e in named(events, "step_end")} == {"failed"}
    assert sleepers("97541") == []


def test_one_after_another_nothing_starts_behind_an_uncatchable_error(tmp_path: Path) -> None:
    text = """
TRY { PARALLEL {
    STEP "a" { ASSERT 1 == 2 }
    STEP "b" { READ "../x" AS x }
    STEP "c" { LOG "never" }
} } CATCH { LOG "never" }
STEP "later" { }
"""
    report, _ = run_with_events(text, tmp_path, jobs=1, keep_going=True)
    assert outcome(report) == (5, "security", 4)
    assert [error["kind"] for error in report["suppressed"]] == ["assert"]
    assert report["log"] == []
    # Only a top-level step stands in the report without having been entered.
    assert [(n, s) for n, s, _ in steps(report)] == [
        ("a", "failed"),
        ("b", "failed"),
        ("later", "skipped"),
    ]


def test_four_branches_run_at_once_and_no_more_than_jobs(tmp_path: Path) -> None:
    """Four steps wait for each other, so one less would never end; then at most two are seen."""
    everyone = " ".join(f"test -e {n} &&" for n in range(4)) + " true"
    together = "".join(
        f'STEP "{n}" {{ RUN "touch {n}; until {everyone}; do sleep 0.01; done" }}\n'
        for n in range(4)
    )
    assert run(f"PARALLEL {{\n{together}}}", tmp_path, jobs=4)["exit_code"] == 0

    inside, most = set(), []
    lock = threading.Lock()

    def log(state: State, args: dict[str, Any]) -> None:
        with lock:
            inside.add(args["value"]) if args["value"] > 0 else inside.discard(-args["value"])
            most.append(len(inside))

    tools = ToolRegistry.default()
    tools.register("LOG", log)
    many = "".join(f'STEP "s" {{ LOG {n}\nRUN "true"\nLOG -{n} }}\n' for n in range(1, 13))
    assert run(f"PARALLEL {{\n{many}}}", tmp_path, jobs=2, tools=tools)["exit_code"] == 0
    assert max(most) <= 2
    assert len(most) == 24


@JOBS
def test_the_result_does_not_depend_on_jobs(tmp_path: Path, jobs: int) -> None:
    text = """
VAR n = 0
PARALLEL {
    STEP "a" { @retry 1
        VAR n = "{{n}}1"
        LOG "a {{n}}"
        ASSERT n == 11
        TRY { READ "no" AS x } CATCH { VAR e = ERROR.KIND } }
    STEP "b" { CALL "sub" WITH p = n
        LOG out }
    STEP "c" { ESTIMATE_COST INTO c { RUN "true"
        PROMPT_AGENT "a b" } }
}
DEFINE_TASK "sub" WITH p { VAR out = "{{p}}!"
    VAR p = "gone" }
LOG "{{n}} {{out}} {{c}} {{e}}"
"""
    report, _ = run_with_events(text, tmp_path, jobs=jobs)
    assert report["log"] == ["a 01", "a 011", "0!", "011 0! 1.258 io"]
    assert report["variables"] == {"c": 1.258, "e": "io", "n": "011", "out": "0!"}
    assert steps(report) == [("a", "passed", 2), ("b", "passed", 1), ("c", "passed", 1)]


def test_directives_hold_for_the_branches_below_them(tmp_path: Path) -> None:
    text = """
@env "A=1"
PARALLEL {
    STEP "a" { RUN "printf $A$B"
        LOG LAST_RUN.STDOUT }
    @env "B=2"
    STEP "b" { @env "A=3"
        RUN "printf $A$B"
        LOG LAST_RUN.STDOUT }
    @env "A=4"
    STEP "c" { RUN "printf $A$B"
        LOG LAST_RUN.STDOUT }
}
RUN "printf $A$B"
LOG LAST_RUN.STDOUT
"""
    assert run_with_events(text, tmp_path)[0]["log"] == ["1", "32", "42", "1"]


def test_an_error_in_a_directive_stands_where_the_directive_stands(tmp_path: Path) -> None:
    text = """
IF x == 1 { VAR maybe = 1 }
PARALLEL {
    STEP "a" { LOG "never" }
    @persona "{{maybe}}"
    STEP "b" { }
}
"""
    report, _ = run_with_events(text, tmp_path, var={"x": "0"})
    assert (outcome(report), report["log"]) == ((4, "undefined", 5), [])


def test_parameters_of_a_sub_task_around_it_shadow_to_its_end(tmp_path: Path) -> None:
    text = """
VAR p = "outer"
DEFINE_TASK "sub" WITH p {
    PARALLEL {
        STEP "a" { LOG p
            VAR p = "changed" }
        STEP "b" { LOG p
            VAR q = p }
    }
    LOG p
}
CALL "sub" WITH p = "inner"
LOG p
"""
    report, _ = run_with_events(text, tmp_path)
    assert report["log"] == ["inner", "inner", "changed", "outer"]
    assert report["variables"] == {"p": "outer", "q": "inner"}


@JOBS
def test_approvals_are_asked_for_in_branches(tmp_path: Path, jobs: int) -> None:
    text = 'PARALLEL {\nSTEP "a" { RUN "true; : | sh" }\nSTEP "b" { RUN ": | sh" }\n}'
    report, events = run_with_events(text, tmp_path, jobs=jobs, answer=["y", "yes"])
    assert report["exit_code"] == 0
    asked = named(events, "question")
    assert sorted((e["branch"], e["line"]) for e in asked) == [(1, 2), (2, 3)]
    report, events = run_with_events(text, tmp_path, jobs=jobs, answer=["y"])
    assert outcome(report)[:2] == (7, "human")


def test_a_tool_in_a_branch_may_end_the_run(tmp_path: Path) -> None:
    tools = ToolRegistry.default()

    def halt(state: State, args: dict[str, Any]) -> None:
        state.is_halted = True

    tools.register("LOG", halt)
    text = """
TRY { PARALLEL {
    STEP "a" { LOG 1
        VAR never = 1 }
    STEP "b" { VAR b = 1 }
} } CATCH { VAR caught = 1 }
STEP "later" { }
"""
    report, _ = run_with_events(text, tmp_path, tools=tools)
    assert (report["exit_code"], report["variables"]) == (0, {"b": 1})
    assert [s for _, s, _ in steps(report)] == ["passed", "passed", "skipped"]
    failing = text.replace("VAR b = 1", "ASSERT 1 == 2")
    report, _ = run_with_events(failing, tmp_path, tools=tools)
    assert (outcome(report), report["variables"]) == ((1, "assert", 5), {})


def test_a_tool_cannot_reach_the_other_branches_through_the_state(tmp_path: Path) -> None:
    def change(state: State, args: dict[str, Any]) -> None:
        assert state.last_run_result
        state.last_run_result["stdout"] += args["value"]
        state.variables["x"] = state.last_run_result["stdout"]
        raise TissCommandError("io", state.last_run_result["stdout"])

    tools = ToolRegistry.default()
    tools.register("LOG", change)
    text = """
RUN "printf out"
TRY { PARALLEL {
    STEP "a" { LOG "1" }
    STEP "b" { LOG "2" }
} } CATCH { }
"""
    report, _ = run_with_events(text, tmp_path, tools=tools)
    messages = [report["caught"][0]["message"], report["suppressed"][0]["message"]]
    assert (messages, report["variables"]) == (["out1", "out2"], {})


@pytest.mark.parametrize("count", [0, 300])
def test_few_and_many_branches(tmp_path: Path, count: int) -> None:
    body = "".join(f'STEP "{n}" {{ VAR v{n} = {n} }}\n' for n in range(count))
    report, _ = run_with_events(f"LOG 1\nPARALLEL {{\n{body}}}", tmp_path)
    assert report["variables"] == dict(sorted((f"v{n}", n) for n in range(count)))


def test_a_tree_with_one_inside_another_runs_too(tmp_path: Path) -> None:
    from tisslang import ExecutionEngine

    def nested(depth: int) -> dict[str, Any]:
        inner: dict[str, Any] = {"type": "LOG", "value": depth}
        body = [inner] if depth == 0 else [nested(depth - 1)]
        step = {"type": "STEP", "description": str(depth), "body": body}
        return {"type": "PARALLEL", "body": [step, step]}

    events: list[dict[str, Any]] = []
    engine = ExecutionEngine(root=tmp_path, jobs=2, on_event=events.append)
    report = engine.execute([nested(3)])
    assert (report["exit_code"], report["log"]) == (0, ["0"] * 16)


@pytest.mark.parametrize("jobs", [1, 2])
def test_answers_are_used_up_in_the_order_of_the_source(tmp_path: Path, jobs: int) -> None:
    """However long the first branch takes before it asks."""
    plan = """
PARALLEL {
    STEP "first" { RUN "sleep 0.3"
        RUN "echo first > first; curl --version" }
    STEP "second" { TRY { RUN "echo second > second; wget --version" } CATCH { } }
}
"""
    report = run(plan, tmp_path, jobs=jobs, answer=["yes", "no"])
    assert (report["exit_code"], report["error"]["kind"]) == (7, "human")
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()
