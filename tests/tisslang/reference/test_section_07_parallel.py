"""Section 7.5: PARALLEL. Each case runs with one branch at a time and with several."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conformance import found, run
from conformance_runs import events_of, named, steps
from processes import is_running, wait_until


@pytest.fixture(params=[1, 3], ids="jobs={}".format)
def jobs(request: pytest.FixtureRequest) -> int:
    return request.param


def test_each_step_works_on_its_own_copy(tmp_path: Path, jobs: int) -> None:
    text = """VAR x = "before"
    RUN "echo first"
    PARALLEL {
        STEP "a" { VAR x = "a"
            RUN "echo in a"
            LOG "{{x}} {{LAST_RUN.STDOUT|trim}}" }
        STEP "b" { LOG "{{x}} {{LAST_RUN.STDOUT|trim}}" }
        STEP "c" { RUN "sleep 0.1; echo in c"
            LOG "{{x}} {{LAST_RUN.STDOUT|trim}}" }
    }
    LOG x"""
    report = run(text, tmp_path, jobs=jobs)
    assert report["log"] == ["a in a", "before first", "before in c", "a"]


def test_the_names_that_each_assigned_are_merged(tmp_path: Path, jobs: int) -> None:
    text = """VAR kept = 0
    PARALLEL {
        STEP "a" { VAR a = 1 }
        STEP "b" { VAR b = 2
            READ "f" AS c }
    }"""
    (tmp_path / "f").write_text("three")
    report = run(text, tmp_path, jobs=jobs)
    assert report["variables"] == {"a": 1, "b": 2, "c": "three", "kept": 0}


def test_last_run_is_unset_after_the_block(tmp_path: Path, jobs: int) -> None:
    block = 'PARALLEL { STEP "a" { RUN "echo a" }\nSTEP "b" { RUN "echo b" } }'
    report = run(f'RUN "echo first"\n{block}', tmp_path, jobs=jobs)
    assert report["last_run"] is None
    assert found(f'RUN "echo first"\n{block}\nLOG LAST_RUN.STDOUT') == ["T111 4:5"]


def test_last_run_is_unset_after_a_block_without_run(tmp_path: Path, jobs: int) -> None:
    text = 'RUN "echo first"\nPARALLEL { STEP "a" { LOG 1 } }'
    assert run(text, tmp_path, jobs=jobs)["last_run"] is None


@pytest.mark.parametrize(
    ("a", "b", "codes"),
    [
        ("VAR x = 1", "VAR y = 1", []),
        ("VAR x = 1", "VAR x = 1", ["T108 3:1"]),
        ("VAR x = 1", 'READ "f" AS x', ["T108 3:1"]),
        ("VAR x = 1", "IF true { VAR x ?= 2 }", ["T108 3:1"]),
        ('PROMPT_AGENT "p" INTO x', "ESTIMATE_COST INTO x { LOG 1 }", ["T108 3:1"]),
        ("VAR x = 1", 'CALL "sets"', ["T108 3:1"]),
        ("LOG 1", 'CALL "sets"', []),
    ],
)
def test_two_branches_that_can_assign_one_name(a: str, b: str, codes: list[str]) -> None:
    text = f'PARALLEL {{\nSTEP "a" {{ {a} }}\nSTEP "b" {{ {b} }}\n}}'
    assert found(f'{text}\nDEFINE_TASK "sets" {{ VAR x = 2 }}') == codes


def test_a_name_that_only_shadows_is_not_assigned() -> None:
    text = """PARALLEL {
    STEP "a" { CALL "f" WITH x = 1 }
    STEP "b" { CALL "f" WITH x = 2 }
    }
    DEFINE_TASK "f" WITH x { LOG x }"""
    assert found(text) == []


FAILING = """VAR kept = 0
TRY {
    PARALLEL {
        STEP "a" { VAR a = 1
            RUN "sleep 0.1; touch a" }
        STEP "b" { RUN "sleep 0.2"
            ASSERT 1 == 2 }
        STEP "c" { READ "missing" AS c }
        STEP "d" { RUN "sleep 0.1; touch d" }
    }
    LOG "never"
} CATCH { LOG "caught {{ERROR.KIND}} {{ERROR.LINE}}" }
"""


def test_a_catchable_error_lets_the_others_finish(tmp_path: Path, jobs: int) -> None:
    report = run(FAILING, tmp_path, jobs=jobs)
    assert (tmp_path / "a").exists()
    assert (tmp_path / "d").exists()
    assert report["log"] == ["caught assert 7"]  # of the first failing branch in source order
    assert [each["kind"] for each in report["caught"]] == ["assert"]
    assert [each["kind"] for each in report["suppressed"]] == ["io"]
    assert report["variables"] == {"kept": 0}  # nothing is merged
    assert report["last_run"] is None
    assert steps(report) == [("a", "passed"), ("b", "failed"), ("c", "failed"), ("d", "passed")]


def test_an_error_that_nobody_catches_ends_the_run(tmp_path: Path, jobs: int) -> None:
    text = 'PARALLEL { STEP "a" { READ "missing" AS a }\nSTEP "b" { ASSERT false } }\nLOG "never"'
    report = run(text, tmp_path, jobs=jobs)
    assert (report["exit_code"], report["error"]["steps"]) == (4, ["a"])
    assert [each["kind"] for each in report["suppressed"]] == ["assert"]
    assert report["log"] == []


def test_an_error_caught_inside_a_branch_concerns_nobody_else(tmp_path: Path, jobs: int) -> None:
    text = """PARALLEL {
        STEP "a" { TRY { ASSERT false } CATCH { LOG ERROR.KIND } }
        STEP "b" { LOG "b" }
    }"""
    report = run(text, tmp_path, jobs=jobs)
    assert (report["status"], report["log"]) == ("passed", ["assert", "b"])
    assert [each["kind"] for each in report["caught"]] == ["assert"]


@pytest.mark.parametrize("uncatchable", ['READ "../x" AS v', 'RUN "rm -rf /"'])
def test_an_uncatchable_error_kills_the_other_branches(tmp_path: Path, uncatchable: str) -> None:
    text = f"""TRY {{ PARALLEL {{
        STEP "slow" {{ RUN "echo $$ > pid; sleep 71.1399; touch never" }}
        STEP "bad" {{ RUN "until [ -s pid ]; do sleep 0.05; done"
            {uncatchable} }}
    }} }} CATCH {{ LOG "caught" }}"""
    report = run(text, tmp_path, jobs=2)
    assert (report["error"]["kind"], report["exit_code"], report["log"]) == ("security", 5, [])
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_running(pid), "the other branch still runs")
    assert not (tmp_path / "never").exists()


def test_log_entries_are_grouped_by_branch(tmp_path: Path, jobs: int) -> None:
    text = """PARALLEL {
        STEP "a" { RUN "sleep 0.2"
            LOG "a1"
            RUN "sleep 0.1"
            LOG "a2" }
        STEP "b" { LOG "b1"
            RUN "sleep 0.1"
            LOG "b2" }
    }"""
    report = run(text, tmp_path, jobs=jobs)
    assert report["log"] == ["a1", "a2", "b1", "b2"]
    assert steps(report) == [("a", "passed"), ("b", "passed")]


def test_at_most_as_many_run_at_once_as_jobs_says(tmp_path: Path) -> None:
    """Each branch notes itself, looks who else is there, and leaves."""
    branches = "\n".join(
        f"""STEP "{n}" {{ RUN "mkdir here-{n}; ls -d here-* | wc -l; sleep 0.1; rmdir here-{n}"
            LOG LAST_RUN.STDOUT|trim }}"""
        for n in range(5)
    )
    text = f"PARALLEL {{\n{branches}\n}}"
    for jobs in (1, 2):
        assert max(map(int, run(text, tmp_path, jobs=jobs)["log"])) <= jobs
    assert max(map(int, run(text, tmp_path)["log"])) <= 4  # the default


def test_branches_run_side_by_side(tmp_path: Path) -> None:
    """Two that wait for each other end only when they run at once."""
    meet = 'RUN "touch {mine}; until [ -e {other} ]; do sleep 0.05; done"'
    text = f"""PARALLEL {{
        STEP "a" {{ {meet.format(mine="a", other="b")} }}
        STEP "b" {{ {meet.format(mine="b", other="a")} }}
    }}"""
    assert run(text, tmp_path, jobs=2, timeout=30)["status"] == "passed"


def without_times(report: dict[str, Any]) -> Any:
    text = json.dumps(report)
    return json.loads(text, object_hook=lambda each: {k: v for k, v in each.items() if k not in (
        "duration_s", "execution_time", "TIME", "root")})  # fmt: skip


@pytest.mark.parametrize(
    "text", [FAILING, FAILING.replace("TRY {", "IF true {").split("} CATCH")[0] + "}"]
)
def test_one_job_gives_the_same_result(tmp_path: Path, text: str) -> None:
    reports = []
    for jobs in (1, 4):
        root = tmp_path / str(jobs)
        root.mkdir()
        reports.append(without_times(run(text, root, jobs=jobs)))
        assert sorted(os.listdir(root)) == ["a", "d"]
    assert reports[0] == reports[1]


def test_every_event_of_a_branch_says_which(tmp_path: Path, jobs: int) -> None:
    text = 'LOG 0\nPARALLEL { STEP "a" { LOG 1 }\nSTEP "b" { LOG 2 } }\nLOG 3'
    logs = named(events_of(text, tmp_path, jobs=jobs), "log")
    assert {each["message"]: each.get("branch") for each in logs} == {
        "0": None,
        "1": 1,
        "2": 2,
        "3": None,
    }


def test_directives_of_the_block_hold_in_its_branches(tmp_path: Path, jobs: int) -> None:
    text = """PARALLEL { @env "WHO=all"
        STEP "a" { RUN "echo $WHO"
            LOG LAST_RUN.STDOUT|trim }
        STEP "b" { @env "WHO=b"
            RUN "echo $WHO"
            LOG LAST_RUN.STDOUT|trim }
    }"""
    assert run(text, tmp_path, jobs=jobs)["log"] == ["all", "b"]


def test_budgets_count_over_all_branches(tmp_path: Path, jobs: int) -> None:
    branches = "\n".join(f'STEP "{n}" {{ RUN "true" }}' for n in range(4))
    text = f"SET_BUDGET RUN_COUNT = 3\nPARALLEL {{\n{branches}\n}}"
    report = run(text, tmp_path, jobs=jobs)
    assert (report["error"]["kind"], report["cost"]["RUNS"]) == ("budget", 3)
