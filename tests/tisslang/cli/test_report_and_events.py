"""Reports and events of all kinds of plans have exactly the fields of section 12, in order."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from report_shape import check_events, check_report
from scripts import random_script
from tiss_process import run_plan

import tisslang

EVERYTHING = """\
#TISS! Language=Python
TASK "Everything"
SETUP "prepare" { VAR who ?= "Ada" }
DEFINE_TASK "greet" WITH name {
    STEP "in greet" { LOG "hello {{name}}" }
}
STEP "files" {
    WRITE "./a//b.txt" <<W
{{who}}
W
    READ "a/b.txt" AS text
    MKDIR "d"
    DELETE "d"
    IF FILE "a" EXISTS { LOG 1 } ELSE { LOG 2 }
}
STEP "commands" {
    RUN "echo out; echo err >&2; exit 3"
    ASSERT LAST_RUN.EXIT_CODE == 3
    ASSERT LAST_RUN.STDOUT CONTAINS "out"
    ASSERT LAST_RUN.STDERR NOT IS_EMPTY
    ASSERT true
}
STEP "errors" {
    TRY { STEP "fails" { READ "nope" AS x } } CATCH { LOG ERROR.KIND }
    TRY { CALL "greet" WITH name = who
        ASSERT 1 == 2 } CATCH { TRY { RUN "sleep 60" } CATCH { LOG ERROR.KIND } }
}
STEP "again" {
    @retry 2
    @timeout 200ms
    TRY { RUN "test -e tried || { touch tried; sleep 60; }" } CATCH { LOG "slow" }
    READ "tried" AS tried
}
STEP "people" {
    PAUSE "ready?"
    REQUEST_REVIEW "fine?"
    CHOOSE {
        OPTION "a" { ESTIMATE_COST INTO c { PROMPT_AGENT "long long long" } }
        OPTION "b" { ESTIMATE_COST { RUN "true" } }
    }
    ESTIMATE_COST { PROMPT_AGENT "x" }
    SET_BUDGET API_CALLS = 5
    PROMPT_AGENT "hi" INTO reply
    PROMPT_AGENT <<W
two words
W
}
STEP "side by side" {
    PARALLEL {
        STEP "p" { RUN "echo p"
            LOG LAST_RUN.STDOUT
            STEP "in p" { VAR p = 1 } }
        STEP "q" { TRY { READ "nope" AS q } CATCH { LOG "caught in q" } }
        STEP "r" { CALL "greet" WITH name = "r" }
    }
    LOG COST
}
LOG "end"
"""
FLAGS = ["--yes", "--agent", "echo", "--timeout", "300ms"]


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_a_plan_with_everything(tmp_path: Path, jobs: str) -> None:
    ran = run_plan(EVERYTHING, *FLAGS, "--jobs", jobs, cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.report["files_written"] == ["a/b.txt"]
    assert [error["kind"] for error in ran.report["caught"]] == [
        *("io", "assert", "timeout", "timeout", "io")
    ]
    assert ran.report["cost"]["API_CALLS"] == 2
    assert ran.report["cost"]["TOTAL"] == 2.006
    assert ran.report["log"][-5:] == ["p\n", "caught in q", "hello r", "2.006", "end"]
    names = {event["event"] for event in ran.events}
    assert names == {
        *("run_start", "step_start", "step_end", "command_start", "command_end", "assert", "log"),
        *("caught", "agent", "question", "choose", "estimate", "run_end"),
    }
    assert {event.get("branch") for event in ran.events} == {None, 1, 2, 3}


@pytest.mark.parametrize("profile", ["standard", "strict"])
def test_in_the_sandbox(tmp_path: Path, profile: str) -> None:
    plan = 'STEP "a" { RUN "echo x > made; mkdir -p .git/hooks; touch .git/hooks/post-commit" }'
    ran = run_plan(plan, "--sandbox-profile", profile, cwd=tmp_path)
    if ran.code == 5:
        pytest.skip("no sandbox here")
    assert ran.report["sandbox"]["profile"] == profile
    assert ran.report["files_reset"] == [".git/hooks/post-commit"]


def test_a_dry_run_of_everything(tmp_path: Path) -> None:
    ran = run_plan(EVERYTHING, "--dry-run", *FLAGS, cwd=tmp_path)
    assert ran.code == 0
    assert len(ran.report["plan"]) > 30


@pytest.mark.parametrize(
    "end",
    [
        "ASSERT 1 == 2",
        'ASSERT "a\\n" == "a"',
        'ASSERT FILE "x" EXISTS',
        "ASSERT false",
        'READ "nope" AS x',
        'READ "/x" AS x',
        'RUN "sleep 60"',
        'PROMPT_AGENT "x"',
        'PAUSE "x"',
        'CHOOSE { OPTION "a" { } }',
        "SET_BUDGET RUN_COUNT = 0\nRUN 'true'",
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        'STEP "a" {{ STEP "b" {{\n{}\n}} }}\nSTEP "c" {{ }}',
        'TRY {{ STEP "a" {{\n{}\n}} }} CATCH {{ STEP "b" {{ LOG ERROR.MESSAGE }} }}',
        'DEFINE_TASK "t" {{\n{}\n}}\nSTEP "a" {{ CALL "t" }}',
        'STEP "a" {{\n@retry 1\n{}\n}}',
    ],
)
def test_an_error_anywhere(tmp_path: Path, around: str, end: str) -> None:
    """In this process, for there are many."""
    events: list[dict[str, Any]] = []
    report = tisslang.run(
        around.format(end),
        tmp_path,
        on_event=events.append,
        sandbox_profile="none",
        timeout=0.1,
        non_interactive=True,
    )
    check_report(report)
    check_events(events)
    assert report["exit_code"] or report["caught"]


@pytest.mark.parametrize("end", ["ASSERT 1 == 2", 'READ "/x" AS x', 'RUN "sleep 60"', "LOG 1"])
def test_an_error_in_branches(tmp_path: Path, end: str) -> None:
    plan = f"""\
STEP "around" {{
    TRY {{
        PARALLEL {{
            STEP "a" {{ RUN "true" }}
            STEP "b" {{
                STEP "in b" {{ {end}
                }}
            }}
            STEP "c" {{ ASSERT 3 == 4 }}
            STEP "d" {{ RUN "sleep 0.05" }}
        }}
    }} CATCH {{ LOG ERROR.KIND }}
}}
"""
    for jobs in (1, 4):
        events: list[dict[str, Any]] = []
        report = tisslang.run(
            plan, tmp_path, on_event=events.append, sandbox_profile="none", timeout=0.2, jobs=jobs
        )
        check_report(report)
        check_events(events)
        assert report["exit_code"] == (5 if "/x" in end else 0)


def test_texts_that_are_too_long_are_cut(tmp_path: Path) -> None:
    plan = """\
RUN "head -c 200000 /dev/zero | tr '\\\\0' x; head -c 200000 /dev/zero | tr '\\\\0' y >&2"
VAR v = LAST_RUN.STDOUT
VAR short = "x"
LOG v
ASSERT v == "z"
"""
    ran = run_plan(plan, cwd=tmp_path)
    report = ran.report
    assert report["clipped"] == ["v"]
    assert len(report["variables"]["v"]) == 65_536
    assert len(report["last_run"]["stdout"]) == len(report["last_run"]["stderr"]) == 65_536
    assert len(report["error"]["left"]["value"]) == 500
    assert report["error"]["left"]["clipped"] is True
    assert len(report["error"]["last_run"]["stdout_tail"]) == 2000
    (run_end,) = [e for e in ran.events if e["event"] == "command_end" and e["type"] == "RUN"]
    assert (len(run_end["stdout"]), run_end["stdout_bytes"]) == (8192, 200_000)
    (log,) = [event for event in ran.events if event["event"] == "log"]
    assert len(log["message"]) == 8192
    assert len(report["log"][0]) == 200_000


@pytest.mark.parametrize("seed", range(150))
def test_any_plan(tmp_path: Path, seed: int) -> None:
    """Random plans of the whole language; most are refused, the others end somehow."""
    text = random_script(random.Random(seed))
    for dry_run in (False, True):
        events: list[dict[str, Any]] = []
        report = tisslang.run(
            text,
            tmp_path,
            on_event=events.append,
            dry_run=dry_run,
            deny_command=["cat"],
            sandbox_profile="none",
            agent="echo",
            yes=True,
            timeout=1.0,
            budget={"RUN_COUNT": 0},  # what such a plan might run, nobody knows
        )
        check_report(report)
        check_events(events)
        assert report["exit_code"] != 70
        json.dumps(events, allow_nan=False)
