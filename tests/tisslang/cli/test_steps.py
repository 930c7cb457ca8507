"""--step and --from-step: some of the steps, SETUP, and what stands outside of them."""

from pathlib import Path

import pytest
from tiss_process import refused, run_plan

PLAN = """\
TASK "Build"
VAR before = 1
SETUP "prepare" { VAR x = "ready" }
STEP "one" { VAR y = "made by one" }
LOG "between"
STEP "two" {
    LOG "two: {{x}}"
    STEP "inner" { LOG "inner" }
}
STEP "two words, 'quoted'" { LOG "three" }
"""
STEPS = ["prepare", "one", "two", "inner", "two words, 'quoted'"]
LOG = {"one": [], "two": ["two: ready", "inner"], "two words, 'quoted'": ["three"]}


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        (["--step", "one"], ["one"]),
        (["--step", "two"], ["two"]),
        (["--step=two words, 'quoted'"], ["two words, 'quoted'"]),
        (["--step", "two words, 'quoted'", "--step", "one"], ["one", "two words, 'quoted'"]),
        (["--step", "one", "--step", "one"], ["one"]),
        (["--from-step", "one"], ["one", "two", "two words, 'quoted'"]),
        (["--from-step", "two"], ["two", "two words, 'quoted'"]),
        (["--from-step", "two words, 'quoted'"], ["two words, 'quoted'"]),
        (["--from-step", "two words, 'quoted'", "--step", "one"], ["one", "two words, 'quoted'"]),
    ],
)
def test_the_chosen_steps_run(tmp_path: Path, flags: list[str], chosen: list[str]) -> None:
    """SETUP and what stands outside always run; the others are `skipped`, in their places."""
    ran = run_plan(PLAN, *flags, cwd=tmp_path)
    assert ran.code == 0
    entered = ["prepare", *chosen, *(["inner"] if "two" in chosen else [])]
    status = {step["description"]: step["status"] for step in ran.report["steps"]}
    assert [name for name in STEPS if status.get(name) == "passed"] == [
        name for name in STEPS if name in entered
    ]
    assert [name for name in status if status[name] == "skipped"] == [
        name for name in STEPS if name not in (*entered, "inner")
    ]
    order = [name for name in STEPS if name in status]
    assert [step["description"] for step in ran.report["steps"]] == order
    log = [line for name in ("two", "two words, 'quoted'") if name in chosen for line in LOG[name]]
    assert ran.report["log"] == ["between", *log]
    assert ran.report["variables"]["before"] == 1
    assert (ran.report["steps_total"], ran.report["steps_completed"]) == (4, 1 + len(chosen))
    started = [e["description"] for e in ran.events if e["event"] == "step_start"]
    assert started == [name for name in STEPS if name in entered]


@pytest.mark.parametrize("flag", ["--step", "--from-step"])
@pytest.mark.parametrize("name", ["three", "", "tw", "TWO", "two ", "inner", "prepare"])
def test_an_unknown_step_is_exit_2_and_does_nothing(tmp_path: Path, flag: str, name: str) -> None:
    """Exact descriptions of top-level STEPs alone: no SETUP, no nested step."""
    (tmp_path / "plan.tiss").write_text('WRITE "made" <<W\nW\n' + PLAN.partition("\n")[2])
    line = refused("run", "plan.tiss", flag, name, cwd=tmp_path)
    assert repr(name) in line
    assert "'one', 'two'" in line
    assert not (tmp_path / "made").exists()


def test_all_steps_of_one_name_run(tmp_path: Path) -> None:
    plan = 'STEP "a" { LOG 1 }\nSTEP "b" { LOG 2 }\nSTEP "a" { LOG 3 }'
    assert run_plan(plan, "--step", "a", cwd=tmp_path).report["log"] == ["1", "3"]
    assert run_plan(plan, "--from-step", "a", cwd=tmp_path).report["log"] == ["1", "2", "3"]


def test_names_are_analysed_over_all_steps(tmp_path: Path) -> None:
    """A step left out still counts for what is certain to fail; a run may then find nothing."""
    plan = 'STEP "one" { VAR y = 1 }\nSTEP "two" { LOG y }'
    ran = run_plan(plan, "--step", "two", cwd=tmp_path)
    assert (ran.code, ran.report["error"]["kind"]) == (4, "undefined")
    assert "a step that was not chosen" in ran.report["error"]["hint"]
    assert [step["status"] for step in ran.report["steps"]] == ["skipped", "failed"]
    broken = 'STEP "one" { LOG nope }\nSTEP "two" { LOG 1 }'
    assert run_plan(broken, "--step", "two", cwd=tmp_path).code == 3


def test_a_step_that_fails_among_the_chosen(tmp_path: Path) -> None:
    plan = 'STEP "a" { ASSERT 1 == 2 }\nSTEP "b" { }\nSTEP "c" { }'
    ran = run_plan(plan, "--step", "a", "--step", "c", cwd=tmp_path)
    assert [step["status"] for step in ran.report["steps"]] == ["failed", "skipped", "skipped"]
    ran = run_plan(plan, "--step", "a", "--step", "c", "--keep-going", cwd=tmp_path)
    assert [step["status"] for step in ran.report["steps"]] == ["failed", "skipped", "passed"]
    assert ran.code == 1


def test_steps_of_a_parallel_are_not_at_the_top(tmp_path: Path) -> None:
    plan = 'PARALLEL {\nSTEP "a" { LOG "a" }\nSTEP "b" { LOG "b" }\n}\nSTEP "c" { LOG "c" }'
    ran = run_plan(plan, "--step", "c", cwd=tmp_path)
    assert ran.report["log"] == ["a", "b", "c"]
    (tmp_path / "plan.tiss").write_text(plan)
    assert "the steps are: 'c'" in refused("run", "plan.tiss", "--step", "a", cwd=tmp_path)


def test_a_dry_run_walks_the_chosen_steps(tmp_path: Path) -> None:
    ran = run_plan(PLAN, "--dry-run", "--step", "two", cwd=tmp_path)
    assert ran.code == 0
    assert {entry["line"] for entry in ran.report["plan"]} == {2, 3, 5, 7, 8}
