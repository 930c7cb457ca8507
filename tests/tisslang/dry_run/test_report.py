"""The report and the events of a dry run; its exit code is that of a run where all is known."""

import json
from pathlib import Path
from typing import Any

import pytest
from dry_runs import EVERYTHING, dry
from plans import run

import tisslang


def test_what_was_not_done_is_not_reported_as_done(tmp_path: Path) -> None:
    report = dry(EVERYTHING, tmp_path)
    assert report["dry_run"] is True
    assert report["status"] == "passed"
    assert report["sandbox"] is None
    assert report["files_written"] == report["files_reset"] == []
    assert report["error"] is None
    json.dumps(report, allow_nan=False)
    assert report.keys() == run("", tmp_path).keys()


def test_a_run_has_no_plan_and_a_dry_run_has_one(tmp_path: Path) -> None:
    assert run("LOG 1\n", tmp_path)["plan"] is None
    assert dry("", tmp_path)["plan"] == []


@pytest.mark.parametrize("text", [EVERYTHING, "ASSERT false\n", 'READ "../x" AS a\n', "RUN\n"])
def test_its_events_are_the_first_and_the_last(text: str, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    path = tmp_path / "events.jsonl"
    report = tisslang.run(
        text, tmp_path, dry_run=True, on_event=seen.append, events=str(path), var={"who": "x"}
    )
    assert [event["event"] for event in seen] == ["run_start", "run_end"]
    assert [event["seq"] for event in seen] == [1, 2]
    assert seen[0]["dry_run"] is True
    assert seen[0]["sandbox"] is None
    assert seen[1]["report"] == report
    assert [json.loads(line) for line in path.read_text().splitlines()] == seen


def test_steps_are_counted(tmp_path: Path) -> None:
    report = dry(EVERYTHING, tmp_path)
    assert (report["steps_completed"], report["steps_total"]) == (4, 4)
    assert {step["status"] for step in report["steps"]} == {"passed", "failed"}  # `Inner` would


def test_the_error_is_that_of_a_run(tmp_path: Path) -> None:
    text = 'STEP "s" {\nVAR a = "x"\nASSERT a == "X"\n}\n'
    assert dry(text, tmp_path)["error"] == run(text, tmp_path)["error"]


def test_a_failed_assert_behind_a_run_still_reports(tmp_path: Path) -> None:
    error = dry('RUN "x"\nASSERT 1 == 2\n', tmp_path)["error"]
    assert error["kind"] == "assert"
    assert error["last_run"]["exit_code"] == "<unknown:LAST_RUN.EXIT_CODE>"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "LOG 1\n",
        "ASSERT 1 == 1\n",
        "ASSERT 1 == 2\n",
        'ASSERT "a" < 1\n',
        "IF false { VAR a = 1 }\nLOG a\n",
        'READ "../x" AS a\n',
        'DELETE ".git/x"\n',
        'WRITE "a/" <<W\nW\n',
        'WRITE "a" <<W\nx\nW\nREAD "a" AS a\nASSERT a == "x"\n',
        'WRITE "a" <<W\nx\nW\nASSERT FILE "a" EXISTS\nDELETE "a"\nASSERT FILE "a" EXISTS\n',
        'RUN "rm -rf /"\n',
        'VAR a = "x"\nRUN "echo {{a|raw}}; rm -rf ~"\n',
        "SET_BUDGET RUN_COUNT = 0\nRUN 'true'\n",
        "SET_BUDGET API_CALLS = 0\nPROMPT_AGENT 'x'\n",
        'TRY { ASSERT false } CATCH { ASSERT ERROR.KIND == "io" }\n',
        'DEFINE_TASK "t" WITH p { ASSERT p == 1 }\nCALL "t" WITH p = 2\n',
        'PARALLEL {\nSTEP "a" { VAR a = 1 }\nSTEP "b" { ASSERT false }\n}\nLOG a\n',
        'CHOOSE {\nOPTION "a" { ASSERT false }\nOPTION "b" { LOG 1 }\n}\n',
        'STEP "s" {\n@retry 1\nASSERT false\n}\n',
        'STEP "s" {\n@cwd "../x"\nRUN "true"\n}\n',
        'RUN "{{x}}"\n',
        "RUN\n",
        '@env "A=b"\nLOG 1\n',
        f"VAR a = '{'x' * 70000}'\nRUN \"echo {{{{a}}}}{{{{a}}}}\"\n",
    ],
)
def test_the_exit_code_is_that_of_a_run(text: str, tmp_path: Path) -> None:
    (tmp_path / "dry").mkdir()
    (tmp_path / "run").mkdir()
    planned = tisslang.run(text, tmp_path / "dry", dry_run=True, answer=["a"])
    done = run(text, tmp_path / "run", answer=["a"])
    assert planned["exit_code"] == done["exit_code"]
    assert _without_times(planned["steps"]) == _without_times(done["steps"])
    for name in ("status", "variables", "log", "caught", "suppressed", "error", "steps_completed"):
        assert planned[name] == done[name], name


def _without_times(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: step[key] for key in step if key != "duration_s"} for step in steps]


def test_a_root_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    engine = tisslang.ExecutionEngine(root=tmp_path / "root", dry_run=True)
    (tmp_path / "root").rmdir()
    report = engine.run('WRITE "a" <<W\nW\n')
    assert (report["exit_code"], report["error"]["kind"]) == (4, "io")
