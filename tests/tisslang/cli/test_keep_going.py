"""--keep-going: on with the next top-level step after a catchable error; the first one counts."""

from pathlib import Path

from tiss_process import run_plan

PLAN = """\
STEP "a" { STEP "in a" { ASSERT 1 == 2 } }
LOG "between"
STEP "b" { LOG "b" }
STEP "c" { READ "nope" AS x }
STEP "d" { LOG "d" }
READ "nope, outside" AS y
STEP "e" { LOG "e" }
"""


def test_it_goes_on_with_the_next_step(tmp_path: Path) -> None:
    ran = run_plan(PLAN, "--keep-going", cwd=tmp_path)
    assert ran.code == 1
    assert ran.report["error"]["kind"] == "assert"
    assert ran.report["error"]["steps"] == ["a", "in a"]
    kinds = [(error["kind"], error["line"]) for error in ran.report["suppressed"]]
    assert kinds == [("io", 4), ("io", 6)]
    assert ran.report["log"] == ["b", "d", "e"]  # what stands before the next step is left out
    status = [(step["description"], step["status"]) for step in ran.report["steps"]]
    assert status == [
        ("a", "failed"),
        ("in a", "failed"),
        ("b", "passed"),
        ("c", "failed"),
        ("d", "passed"),
        ("e", "passed"),
    ]
    assert (ran.report["steps_completed"], ran.report["steps_total"]) == (3, 5)


def test_the_code_is_that_of_the_first(tmp_path: Path) -> None:
    plan = 'STEP "a" { READ "nope" AS x }\nSTEP "b" { ASSERT 1 == 2 }'
    ran = run_plan(plan, "--keep-going", cwd=tmp_path)
    assert (ran.code, ran.report["status"]) == (4, "error")
    assert [error["kind"] for error in ran.report["suppressed"]] == ["assert"]


def test_without_it_the_first_error_ends_the_run(tmp_path: Path) -> None:
    ran = run_plan(PLAN, cwd=tmp_path)
    assert ran.report["suppressed"] == []
    assert [step["status"] for step in ran.report["steps"]] == [*["failed"] * 2, *["skipped"] * 4]


def test_what_no_try_may_catch_ends_it_all_the_same(tmp_path: Path) -> None:
    plan = 'STEP "a" { ASSERT 1 == 2 }\nSTEP "b" { READ "/x" AS x }\nSTEP "c" { LOG "c" }'
    ran = run_plan(plan, "--keep-going", cwd=tmp_path)
    assert ran.code == 1
    assert [error["kind"] for error in ran.report["suppressed"]] == ["security"]
    assert [step["status"] for step in ran.report["steps"]] == ["failed", "failed", "skipped"]
    ran = run_plan('STEP "a" { PAUSE "x" }\nSTEP "b" { LOG "b" }', "--keep-going", cwd=tmp_path)
    assert (ran.code, ran.report["log"]) == (7, [])


def test_an_error_outside_of_steps(tmp_path: Path) -> None:
    plan = 'READ "nope" AS x\nSETUP { LOG "setup" }\nLOG "lost"\nSTEP "a" { LOG "a" }'
    ran = run_plan(plan, "--keep-going", cwd=tmp_path)
    assert ran.code == 4
    assert ran.report["log"] == ["a"]
    assert [step["status"] for step in ran.report["steps"]] == ["skipped", "passed"]


def test_with_parallel_branches(tmp_path: Path) -> None:
    plan = """\
STEP "p" {
    PARALLEL {
        STEP "x" { ASSERT 1 == 2 }
        STEP "y" { READ "nope" AS x }
    }
}
STEP "q" { ASSERT 3 == 4 }
"""
    ran = run_plan(plan, "--keep-going", cwd=tmp_path)
    assert ran.code == 1
    assert ran.report["error"]["steps"] == ["p", "x"]
    assert [error["kind"] for error in ran.report["suppressed"]] == ["io", "assert"]
