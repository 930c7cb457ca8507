"""`@retry`: a step is run again after a catchable error, with what it did so far."""

from pathlib import Path
from typing import Any

import pytest
from engine_runs import caught, named, outcome, run_with_events, steps

from tisslang import State, TissCommandError, ToolRegistry

COUNT = 'RUN "printf x >>tries; test $(wc -c <tries) -ge {{need}}"\nASSERT LAST_RUN.EXIT_CODE == 0'


@pytest.mark.parametrize(("need", "attempts"), [(1, 1), (2, 2), (3, 3)])
def test_a_step_is_run_until_it_passes(tmp_path: Path, need: int, attempts: int) -> None:
    text = f'STEP "s" {{\n@retry 2\n{COUNT}\nLOG "done"\n}}'
    report, events = run_with_events(text, tmp_path, var={"need": str(need)})
    assert (report["exit_code"], report["log"]) == (0, ["done"])
    assert steps(report) == [("s", "passed", attempts)]
    assert (report["caught"], report["suppressed"], named(events, "caught")) == ([], [], [])
    edges = named(events, "step_start", "step_end")
    assert [e["attempt"] for e in edges] == [n for n in range(1, attempts + 1) for _ in (1, 2)]
    ends = [event["status"] for event in edges if event["event"] == "step_end"]
    assert ends == ["failed"] * (attempts - 1) + ["passed"]
    assert (tmp_path / "tries").read_text() == "x" * attempts
    assert (report["steps_completed"], report["cost"]["RUNS"]) == (1, attempts)


def test_a_retry_that_is_exhausted_raises_the_last_error(tmp_path: Path) -> None:
    text = f'STEP "s" {{\n@retry 2\n{COUNT}\n}}\nSTEP "t" {{ }}'
    report, _ = run_with_events(text, tmp_path, var={"need": "9"})
    assert outcome(report) == (1, "assert", 4)
    assert steps(report) == [("s", "failed", 3), ("t", "skipped", 0)]
    assert report["caught"] == report["suppressed"] == []
    assert (tmp_path / "tries").read_text() == "xxx"
    in_try = run_with_events(f"TRY {{ {text} }} CATCH {{ LOG 1 }}", tmp_path, var={"need": "9"})[0]
    assert (in_try["log"], caught(in_try)) == (["1"], [("assert", 4)])


def test_the_state_is_kept_between_attempts(tmp_path: Path) -> None:
    text = """
VAR tries = ""
STEP "s" {
    @persona "p"
    @retry 5
    VAR tries = "{{tries}}x"
    LOG tries
    ASSERT tries == "xxx"
}
"""
    report, _ = run_with_events(text, tmp_path)
    assert (report["log"], report["variables"]) == (["x", "xx", "xxx"], {"tries": "xxx"})


@pytest.mark.parametrize("kind", ["SETUP", "STEP"])
def test_a_setup_is_a_step_too(tmp_path: Path, kind: str) -> None:
    text = f'{kind} "s" {{\n@retry 1\n{COUNT}\n}}'
    report, _ = run_with_events(text, tmp_path, var={"need": "2"})
    assert steps(report) == [("s", "passed", 2)]


def test_only_the_step_that_begins_with_it_is_repeated(tmp_path: Path) -> None:
    text = f'STEP "a" {{\n@retry 1\nSTEP "b" {{\n{COUNT}\n}}\n}}'
    report, events = run_with_events(text, tmp_path, var={"need": "3"})
    assert outcome(report)[:2] == (1, "assert")
    assert steps(report) == [("a", "failed", 2), ("b", "failed", 1), ("b", "failed", 1)]
    starts = [(e["description"], e["attempt"]) for e in named(events, "step_start")]
    assert starts == [("a", 1), ("b", 1), ("a", 2), ("b", 1)]
    late = run_with_events('STEP "a" { LOG 1\n@retry 2\n}', tmp_path)[0]
    assert (outcome(late)[0], late["error"]["code"]) == (3, "T102")  # rather than ignored


def test_retries_multiply_when_nested(tmp_path: Path) -> None:
    text = f'STEP "a" {{\n@retry 1\nSTEP "b" {{\n@retry 2\n{COUNT}\n}}\n}}'
    report, _ = run_with_events(text, tmp_path, var={"need": "5"})
    assert steps(report) == [("a", "passed", 2), ("b", "failed", 3), ("b", "passed", 2)]
    assert len((tmp_path / "tries").read_text()) == 5


def test_what_is_caught_inside_a_repeated_body_stays_listed(tmp_path: Path) -> None:
    text = f'STEP "a" {{\n@retry 1\nTRY {{ READ "no" AS x }} CATCH {{ }}\n{COUNT}\n}}'
    report, _ = run_with_events(text, tmp_path, var={"need": "2"})
    assert [kind for kind, _ in caught(report)] == ["io", "io"]


def test_directives_are_reached_anew_in_each_attempt(tmp_path: Path) -> None:
    text = """
VAR n = "a"
STEP "s" {
    @retry 1
    @persona "{{n}}"
    VAR n = "{{n}}b"
    LOG n
    ASSERT n == "abb"
}
"""
    seen: list[Any] = []
    tools = ToolRegistry.default()
    tools.register("LOG", lambda state, args: seen.append(state.directives["persona"]))
    assert run_with_events(text, tmp_path, tools=tools)[0]["exit_code"] == 0
    assert seen == [["a"], ["ab"]]


def test_a_tool_that_ends_the_run_ends_the_repetition_too(tmp_path: Path) -> None:
    def halt(state: State, args: dict[str, Any]) -> None:
        state.is_halted = True
        raise TissCommandError("io", "enough")

    tools = ToolRegistry.default()
    tools.register("LOG", halt)
    text = 'STEP "s" {\n@retry 5\nLOG 1\n}\nSTEP "t" { }'
    report, _ = run_with_events(text, tmp_path, tools=tools)
    assert outcome(report) == (4, "io", 3)
    assert steps(report) == [("s", "failed", 1), ("t", "skipped", 0)]
    text = 'TRY { LOG 1 } CATCH { VAR x = 1 }\nSTEP "t" { }'
    report, _ = run_with_events(text, tmp_path, tools=tools)
    assert outcome(report) == (4, "io", 1)
