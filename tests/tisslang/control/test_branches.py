"""IF and TRY: which errors are caught and which never are, and what events and steps tell."""

from pathlib import Path

import pytest
from engine_runs import brief, caught, named, outcome, run_with_events, steps

CATCHABLE = {
    "assert": "ASSERT 1 == 2",
    "undefined": 'IF unset == "1" { VAR maybe = 1 }\nLOG maybe',
    "type": 'ASSERT "a" < "b"',
    "io": 'READ "missing" AS x',
    "decode": 'READ "latin1" AS x',
    "timeout": '@timeout 100ms\nRUN "sleep 97531"',
    "agent": 'PROMPT_AGENT "hello"',
}
FINAL = {
    "security": ('READ "../x" AS x', 5),
    "budget": ('SET_BUDGET RUN_COUNT = 0\nRUN "true"', 6),
    "human": ('PAUSE "wait"', 7),
}


def test_an_if_without_else_may_do_nothing(tmp_path: Path) -> None:
    text = 'IF x == 1 { LOG "a" } ELSE IF x == 2 { LOG "b" }\nIF FILE "d" NOT EXISTS { MKDIR "d" }'
    report, events = run_with_events(text, tmp_path, var={"x": "3"})
    assert (report["exit_code"], report["log"]) == (0, [])
    assert brief(events) == ["command_start MKDIR", "command_end MKDIR ok"]
    assert (tmp_path / "d").is_dir()


def test_an_error_in_a_condition_stands_where_its_if_stands(tmp_path: Path) -> None:
    text = 'STEP "s" {\n  IF x == 1 { LOG 1 }\n  ELSE IF "a" < "b" { LOG 2 }\n}'
    report, _ = run_with_events(text, tmp_path, var={"x": "0"})
    assert outcome(report) == (4, "type", 3)
    assert report["error"]["steps"] == ["s"]
    escaping = run_with_events('IF FILE "../x" EXISTS { LOG 1 }', tmp_path)[0]
    assert outcome(escaping) == (5, "security", 1)


@pytest.mark.parametrize("kind", CATCHABLE)
def test_the_catchable_family_is_caught(tmp_path: Path, kind: str) -> None:
    (tmp_path / "latin1").write_bytes(b"\xe9")
    text = f"TRY {{\n{CATCHABLE[kind]}\nLOG 1\n}} CATCH {{ LOG ERROR.KIND }}\nLOG 2"
    report, _ = run_with_events(text, tmp_path, var={"unset": "0"})
    assert (report["exit_code"], report["error"], report["log"]) == (0, None, [kind, "2"])
    line = 2 + CATCHABLE[kind].count("\n")
    assert caught(report) == [(kind, line)]
    assert report["suppressed"] == []


@pytest.mark.parametrize("kind", FINAL)
def test_what_the_operator_owns_is_never_caught(tmp_path: Path, kind: str) -> None:
    statements, exit_code = FINAL[kind]
    text = f'STEP "s" {{\n@retry 3\nTRY {{ {statements} }} CATCH {{ LOG 1 }} }}\nSTEP "t" {{ }}'
    report, events = run_with_events(text, tmp_path, keep_going=True)
    assert outcome(report)[:2] == (exit_code, kind)
    assert (report["log"], report["caught"], named(events, "caught")) == ([], [], [])
    assert steps(report) == [("s", "failed", 1), ("t", "skipped", 0)]


def test_a_step_inside_the_try_is_failed_and_the_one_around_it_is_not(tmp_path: Path) -> None:
    text = """
STEP "around" {
    TRY {
        STEP "before" { LOG 1 }
        STEP "outer" { STEP "inner" { ASSERT 1 == 2 } }
        STEP "never" { }
    } CATCH {
        STEP "repair" { LOG 2 }
    }
}
"""
    report, events = run_with_events(text, tmp_path)
    assert steps(report) == [
        ("around", "passed", 1),
        ("before", "passed", 1),
        ("outer", "failed", 1),
        ("inner", "failed", 1),
        ("repair", "passed", 1),
    ]
    assert (report["status"], report["steps_completed"], report["steps_total"]) == ("passed", 1, 1)
    assert report["caught"][0]["steps"] == ["around", "outer", "inner"]
    assert brief(events)[6:] == [
        "step_start outer",
        "step_start inner",
        "command_start ASSERT",
        "assert",
        "command_end ASSERT error",
        "step_end inner failed",
        "step_end outer failed",
        "caught",
        "step_start repair",
        "command_start LOG",
        "log 2",
        "command_end LOG ok",
        "step_end repair passed",
        "step_end around passed",
    ]
    assert named(events, "caught")[0]["error"] == report["caught"][0]


def test_a_caught_assert_is_the_whole_object(tmp_path: Path) -> None:
    text = 'TRY { RUN "exit 1"\nASSERT LAST_RUN.EXIT_CODE == 0 } CATCH { }'
    report, _ = run_with_events(text, tmp_path)
    (error,) = report["caught"]
    assert error["source"] == "LAST_RUN.EXIT_CODE == 0"
    assert (error["left"]["value"], error["last_run"]["exit_code"]) == (1, 1)
