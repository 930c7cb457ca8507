"""Sections 7.1 to 7.3: TASK, SETUP, STEP, IF, TRY and CATCH."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conformance import logged, run, stopped_by
from conformance_runs import TISS, steps, write
from processes import wait_until

from tisslang import ExecutionEngine, ToolRegistry, parse

# 7.1


def test_statements_run_in_source_order(tmp_path: Path) -> None:
    text = """TASK "t" {
        LOG 1
        SETUP { LOG 2 }
        LOG 3
        STEP "a" { LOG 4
            STEP "b" { LOG 5 }
            LOG 6 }
        LOG 7
    }"""
    assert logged(text, tmp_path) == ["1", "2", "3", "4", "5", "6", "7"]


FOUR = """SETUP "prepare" { LOG "setup" }
STEP "one" { LOG "1" }
LOG "between"
STEP "two" { STEP "in two" { LOG "2" } }
STEP "three" { LOG "3" }
"""


def test_setup_is_a_step_that_is_labelled_setup(tmp_path: Path) -> None:
    report = run('SETUP { LOG "a" }\nSTEP "b" { LOG "b" }', tmp_path)
    assert [(each["kind"], each["description"]) for each in report["steps"]] == [
        ("SETUP", None),
        ("STEP", "b"),
    ]


def test_setup_runs_whatever_step_is_chosen(tmp_path: Path) -> None:
    report = run(FOUR, tmp_path, step=["two"])
    assert report["log"] == ["setup", "between", "2"]
    assert steps(report) == [
        ("prepare", "passed"),
        ("one", "skipped"),
        ("two", "passed"),
        ("in two", "passed"),
        ("three", "skipped"),
    ]


NESTED = """STEP "before" { LOG "x" }
STEP "outer" {
    STEP "done" { LOG "y" }
    STEP "inner" { ASSERT false
        STEP "never entered" { LOG "z" } }
    LOG "z"
}
STEP "after" { LOG "z" }
SETUP_AFTER
"""


@pytest.mark.parametrize(("failing", "code"), [("ASSERT false", 1), ('READ "../x" AS v', 5)])
def test_an_uncaught_error_stops_the_run(tmp_path: Path, failing: str, code: int) -> None:
    text = NESTED.replace("SETUP_AFTER", "").replace("ASSERT false", failing)
    report = run(text, tmp_path)
    assert report["exit_code"] == code
    assert report["log"] == ["x", "y"]
    assert steps(report) == [
        ("before", "passed"),
        ("outer", "failed"),
        ("done", "passed"),
        ("inner", "failed"),
        ("after", "skipped"),
    ]
    assert report["error"]["steps"] == ["outer", "inner"]


KEEPS_GOING = """SETUP { LOG "setup" }
STEP "one" { ASSERT 1 == 2 }
LOG "not after an error"
STEP "two" { STEP "inner" { READ "missing" AS v }
    LOG "not after an error" }
STEP "three" { LOG "three" }
LOG "after a step that passed"
STEP "four" { ASSERT 3 == 4 }
"""


def test_keep_going_goes_on_with_the_next_step(tmp_path: Path) -> None:
    report = run(KEEPS_GOING, tmp_path, keep_going=True)
    assert report["log"] == ["setup", "three", "after a step that passed"]
    assert steps(report) == [
        (None, "passed"),
        ("one", "failed"),
        ("two", "failed"),
        ("inner", "failed"),
        ("three", "passed"),
        ("four", "failed"),
    ]
    assert (report["exit_code"], report["error"]["line"]) == (1, 2)  # those of the first
    assert [each["kind"] for each in report["suppressed"]] == ["io", "assert"]
    assert report["caught"] == []


def test_keep_going_exits_with_the_code_of_the_first(tmp_path: Path) -> None:
    text = 'STEP "a" { READ "missing" AS v }\nSTEP "b" { ASSERT false }'
    report = run(text, tmp_path, keep_going=True)
    assert (report["exit_code"], report["status"]) == (4, "error")


@pytest.mark.parametrize("failing", ['READ "../x" AS v', 'PAUSE "x"', "SET_BUDGET RUN_COUNT = 0"])
def test_keep_going_stops_at_what_cannot_be_caught(tmp_path: Path, failing: str) -> None:
    text = f'STEP "a" {{ {failing}\nRUN "true" }}\nSTEP "b" {{ LOG "b" }}'
    report = run(text, tmp_path, keep_going=True)
    assert report["exit_code"] in (5, 6, 7)
    assert report["log"] == []
    assert steps(report) == [("a", "failed"), ("b", "skipped")]


def test_keep_going_after_an_error_outside_steps_and_in_setup(tmp_path: Path) -> None:
    text = 'ASSERT false\nLOG "x"\nSTEP "a" { LOG "a" }'
    assert run(text, tmp_path, keep_going=True)["log"] == ["a"]
    text = 'SETUP "s" { ASSERT false }\nLOG "x"\nSETUP "t" { LOG "t" }\nSTEP "a" { LOG "a" }'
    report = run(text, tmp_path, keep_going=True)
    assert report["log"] == ["a"]
    assert steps(report) == [("s", "failed"), ("t", "skipped"), ("a", "passed")]


def test_keep_going_inside_a_task_with_a_block(tmp_path: Path) -> None:
    text = 'TASK "t" {\nSTEP "a" { ASSERT false }\nSTEP "b" { LOG "b" }\n}'
    report = run(text, tmp_path, keep_going=True)
    assert (report["log"], report["exit_code"]) == (["b"], 1)


# 7.2


@pytest.mark.parametrize("then", ["", "THEN "])
@pytest.mark.parametrize(("condition", "log"), [("true", ["yes"]), ("false", ["no"])])
def test_exactly_one_branch_runs(tmp_path: Path, then: str, condition: str, log: list[str]) -> None:
    text = f'IF {condition} {then}{{ LOG "yes" }} ELSE {{ LOG "no" }}'
    assert logged(text, tmp_path) == log


def test_without_else_nothing_runs(tmp_path: Path) -> None:
    assert logged('IF 1 == 2 { LOG "x" }\nLOG "y"', tmp_path) == ["y"]


@pytest.mark.parametrize(("value", "log"), [("1", "one"), ("2", "two"), ("3", "three"), ("4", "?")])
def test_else_if_chains(tmp_path: Path, value: str, log: str) -> None:
    text = """IF x == 1 { LOG "one" }
    ELSE IF x == 2 THEN { LOG "two" }
    ELSE IF x == 3 { LOG "three" }
    ELSE { LOG "?" }"""
    assert logged(text, tmp_path, var={"x": value}) == [log]


def test_a_branch_that_changes_what_was_asked_does_not_run_the_other(tmp_path: Path) -> None:
    text = 'VAR x = true\nIF x { VAR x = false\nLOG "a" } ELSE { LOG "b" }'
    assert logged(text, tmp_path) == ["a"]


# 7.3


def test_catch_runs_after_an_error_and_the_rest_of_try_does_not(tmp_path: Path) -> None:
    text = """TRY {
        LOG "before"
        IF true { STEP "deep" { ASSERT 1 == 2 } }
        LOG "never"
    } CATCH {
        LOG "{{ERROR.KIND}} {{ERROR.LINE}} {{ERROR.MESSAGE}}"
    }
    LOG "after\""""
    report = run(text, tmp_path)
    assert report["status"] == "passed"
    assert report["log"] == ["before", "assert 3 expected 1 == 2, but it was 1", "after"]
    assert [each["kind"] for each in report["caught"]] == ["assert"]


def test_error_line_is_a_number_and_the_others_are_text(tmp_path: Path) -> None:
    text = """TRY { READ "missing" AS v } CATCH {
        ASSERT ERROR.LINE == 1
        ASSERT ERROR.LINE < 2
        ASSERT ERROR.KIND == "io"
        ASSERT ERROR.MESSAGE CONTAINS "missing"
    }"""
    assert run(text, tmp_path)["status"] == "passed"


def test_without_an_error_catch_is_skipped(tmp_path: Path) -> None:
    report = run('TRY { LOG "a" } CATCH { LOG "b" }', tmp_path)
    assert (report["log"], report["caught"]) == (["a"], [])


def test_nothing_is_rolled_back(tmp_path: Path) -> None:
    text = """VAR x = 1
    TRY {
        VAR x = 2
        MKDIR "made"
        RUN "echo ran"
        ASSERT false
    } CATCH { }
    LOG "{{x}} {{LAST_RUN.STDOUT}}\""""
    assert logged(text, tmp_path) == ["2 ran\n"]
    assert (tmp_path / "made").is_dir()


def test_an_error_in_catch_goes_outwards(tmp_path: Path) -> None:
    text = 'TRY { ASSERT false } CATCH { READ "missing" AS v }'
    report = run(text, tmp_path)
    assert (report["error"]["kind"], report["exit_code"]) == ("io", 4)
    assert [each["kind"] for each in report["caught"]] == ["assert"]
    report = run(f"TRY {{ {text} }} CATCH {{ LOG ERROR.KIND }}", tmp_path)
    assert report["log"] == ["io"]
    assert [each["kind"] for each in report["caught"]] == ["assert", "io"]


def test_nested_handlers_restore_the_outer_error(tmp_path: Path) -> None:
    text = """TRY { ASSERT false } CATCH {
        LOG ERROR.KIND
        TRY { READ "missing" AS v } CATCH { LOG ERROR.KIND }
        LOG ERROR.KIND
        TRY { TRY { READ "missing" AS v } CATCH { ASSERT 1 == "a" } } CATCH { LOG ERROR.KIND }
        LOG ERROR.KIND
    }"""
    assert logged(text, tmp_path) == ["assert", "io", "assert", "type", "assert"]


def test_a_step_left_through_a_caught_error_is_failed_the_one_around_is_not(tmp_path: Path) -> None:
    text = """STEP "around" {
        TRY { STEP "left" { ASSERT false } } CATCH { STEP "handles" { LOG "x" } }
    }"""
    report = run(text, tmp_path)
    assert steps(report) == [("around", "passed"), ("left", "failed"), ("handles", "passed")]
    assert report["status"] == "passed"


CATCHABLE = {
    "assert": "ASSERT false",
    "undefined": "IF no { VAR x = 1 }\nLOG x",
    "type": 'ASSERT 1 == "a"',
    "io": 'READ "missing" AS v',
    "decode": 'READ "latin" AS v',
    "timeout": '@timeout 100ms\nRUN "sleep 71.1381"',
    "agent": 'PROMPT_AGENT "x"',
}


@pytest.mark.parametrize("kind", CATCHABLE)
def test_what_can_be_caught(tmp_path: Path, kind: str) -> None:
    (tmp_path / "latin").write_bytes(b"\xe9")
    text = f"VAR no = false\nTRY {{\n{CATCHABLE[kind]}\n}} CATCH {{ LOG ERROR.KIND }}"
    report = run(text, tmp_path)
    assert (report["status"], report["log"]) == ("passed", [kind])
    assert [each["kind"] for each in report["caught"]] == [kind]
    report = run(f"VAR no = false\n{CATCHABLE[kind]}", tmp_path)
    assert stopped_by(report) == kind


@pytest.mark.parametrize(
    ("kind", "code", "text"),
    [
        ("security", 5, 'READ "/etc/passwd" AS v'),
        ("security", 5, 'RUN "rm -rf /"'),
        ("budget", 6, 'SET_BUDGET RUN_COUNT = 0\nRUN "true"'),
        ("human", 7, 'PAUSE "x"'),
    ],
)
def test_what_can_never_be_caught(tmp_path: Path, kind: str, code: int, text: str) -> None:
    report = run(f'TRY {{ {text} }} CATCH {{ LOG "caught" }}', tmp_path)
    assert (report["error"]["kind"], report["exit_code"]) == (kind, code)
    assert (report["log"], report["caught"]) == ([], [])


def test_a_syntax_error_inside_try_is_not_caught(tmp_path: Path) -> None:
    report = run('LOG "x"\nTRY { RUN } CATCH { LOG "caught" }', tmp_path)
    assert (report["error"]["kind"], report["exit_code"], report["log"]) == ("parse", 3, [])


def broken(state: Any, args: dict[str, Any]) -> None:
    raise RuntimeError("a bug of the tool")


def test_an_internal_error_is_not_caught(tmp_path: Path) -> None:
    tools = ToolRegistry.default()
    tools.register("LOG", broken)
    engine = ExecutionEngine(tools=tools, root=tmp_path, sandbox_profile="none")
    report = engine.execute(parse('TRY { LOG "x" } CATCH { MKDIR "caught" }'))
    assert (report["error"]["kind"], report["exit_code"]) == ("internal", 70)
    assert not (tmp_path / "caught").exists()


def test_an_interruption_is_not_caught(tmp_path: Path) -> None:
    text = 'TRY { RUN "touch started; sleep 71.1383" } CATCH { MKDIR "caught" }\nMKDIR "after"'
    write(tmp_path, text)
    with subprocess.Popen(
        [*TISS, "run", "plan.tiss", "--sandbox-profile", "none"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as plan:
        wait_until((tmp_path / "started").exists, "the plan did not start")
        plan.send_signal(signal.SIGINT)
        assert plan.wait(timeout=30) == 130
    assert sorted(os.listdir(tmp_path)) == ["plan.tiss", "started"]
