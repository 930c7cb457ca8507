"""IF and TRY: exactly one branch; errors that are caught, and those that never are."""

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


@pytest.mark.parametrize(("value", "log"), [("1", ["a"]), ("2", ["b"]), ("3", ["c"])])
def test_exactly_one_branch_runs(tmp_path: Path, value: str, log: list[str]) -> None:
    text = 'IF x == 1 THEN { LOG "a" } ELSE IF x == 2 { LOG "b" }\nELSE { LOG "c" }'
    report, _ = run_with_events(text, tmp_path, var={"x": value})
    assert report["log"] == log


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


def test_catch_is_skipped_without_an_error(tmp_path: Path) -> None:
    report, events = run_with_events('TRY { LOG "a" } CATCH { LOG "b" }', tmp_path)
    assert (report["log"], report["caught"], named(events, "caught")) == (["a"], [], [])


def test_nothing_is_rolled_back(tmp_path: Path) -> None:
    text = """
TRY {
    VAR x = 1
    WRITE "kept" <<W
W
    RUN "printf out; exit 3"
    ASSERT LAST_RUN.EXIT_CODE == 0
} CATCH {
    LOG "{{x}} {{LAST_RUN.STDOUT}} {{LAST_RUN.EXIT_CODE}}"
}
"""
    report, _ = run_with_events(text, tmp_path)
    assert (report["log"], report["files_written"]) == (["1 out 3"], ["kept"])
    assert (tmp_path / "kept").exists()


def test_error_has_the_kind_message_and_line(tmp_path: Path) -> None:
    text = """
TRY {
    IF true {

        READ "nope" AS x
    }
} CATCH {
    VAR line = ERROR.LINE
    ASSERT ERROR.LINE == 5
    ASSERT ERROR.KIND == "io"
    ASSERT ERROR.MESSAGE CONTAINS "nope"
    LOG "{{ERROR.KIND}} {{ ERROR.LINE | json }}"
}
"""
    report, _ = run_with_events(text, tmp_path)
    assert (report["error"], report["log"], report["variables"]) == (None, ["io 5"], {"line": 5})
    assert report["caught"][0]["message"]


def test_nested_handlers_restore_the_outer_error(tmp_path: Path) -> None:
    text = """
TRY { ASSERT 1 == 2 } CATCH {
    TRY { READ "nope" AS x } CATCH {
        LOG ERROR.KIND
        TRY { ASSERT "a" < 1 } CATCH { LOG ERROR.KIND }
        LOG ERROR.KIND
    }
    LOG ERROR.KIND
    TRY { LOG "fine" } CATCH { LOG "never" }
    TRY {
        TRY { READ "nope" AS x } CATCH { ASSERT "b" < "c" }
    } CATCH { LOG ERROR.KIND }
    LOG "{{ERROR.KIND}} {{ERROR.LINE}}"
}
"""
    report, _ = run_with_events(text, tmp_path)
    assert report["log"] == ["io", "type", "io", "assert", "fine", "type", "assert 2"]
    assert [kind for kind, _ in caught(report)] == ["assert", "io", "type", "io", "type"]


def test_an_error_in_catch_goes_outwards(tmp_path: Path) -> None:
    text = 'TRY { ASSERT 1 == 2 } CATCH {\nREAD "nope" AS x\nLOG 1\n}\nLOG 2'
    report, _ = run_with_events(text, tmp_path)
    assert outcome(report) == (4, "io", 2)
    assert (caught(report), report["log"]) == ([("assert", 1)], [])
    around = run_with_events(f"TRY {{ {text} }} CATCH {{ LOG ERROR.KIND }}", tmp_path)[0]
    assert (around["exit_code"], around["log"]) == (0, ["io"])


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
