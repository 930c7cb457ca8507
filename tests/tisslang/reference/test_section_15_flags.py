"""Section 15: the flags of `tiss run`."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from conformance import run, stopped_by
from conformance_runs import attempt, steps, tiss, write
from processes import sleepers, wait_until

NO_SANDBOX = ("--sandbox-profile", "none")


def report_of(root: Path, text: str, *flags: str, **environment: str) -> dict[str, Any]:
    """The report of `tiss run` as a process."""
    write(root, text)
    done = tiss("run", "plan.tiss", "--output-format", "json", *flags, cwd=root, **environment)
    assert done.returncode != 2, done.stderr
    return json.loads(done.stdout)


def test_root(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    report = report_of(tmp_path, 'WRITE "f" <<W\nW\nRUN "pwd -P"', "--root", "sub", *NO_SANDBOX)
    assert (tmp_path / "sub/f").exists()
    assert report["last_run"]["stdout"] == f"{(tmp_path / 'sub').resolve()}\n"


def test_a_root_that_is_no_directory_is_wrong_usage(tmp_path: Path) -> None:
    write(tmp_path, "LOG 1")
    for root in ("missing", "plan.tiss"):
        done = tiss("run", "plan.tiss", "--root", root, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")


def test_dry_run(tmp_path: Path) -> None:
    report = report_of(tmp_path, 'MKDIR "made"', "--dry-run")
    assert report["dry_run"] is True
    assert not (tmp_path / "made").exists()


def test_var_is_text_and_may_be_repeated(tmp_path: Path) -> None:
    text = 'VAR a ?= "default"\nVAR c ?= "default"\nASSERT a == "1"\nLOG a'
    report = report_of(tmp_path, text, "--var", "a=1", "--var", "b=x=y z", "--var", "e=")
    assert report["variables"] == {"a": "1", "b": "x=y z", "c": "default", "e": ""}


@pytest.mark.parametrize(
    ("limit", "kind"), [("200ms", "timeout"), ("0.2s", "timeout"), ("2m", None), ("1h", None)]
)
def test_timeout(tmp_path: Path, limit: str, kind: str | None) -> None:
    command = "sleep 71.1471" if kind else "true"
    assert attempt(f'RUN "{command}"', tmp_path, timeout=limit) == kind
    wait_until(lambda: sleepers("71.1471") == [], "a process was left")


@pytest.mark.parametrize(
    ("size", "kept"), [("100", 100), ("1K", 1024), ("2K", 2048), ("1M", 3000), ("1G", 3000)]
)
def test_max_output_and_the_forms_of_bytes(tmp_path: Path, size: str, kept: int) -> None:
    report = run('RUN "head -c 3000 /dev/zero"', tmp_path, max_output=size)
    assert len(report["last_run"]["stdout"]) == kept


@pytest.mark.parametrize("flag", ["--max-output", "--max-memory", "--max-disk"])
@pytest.mark.parametrize("size", ["", "x", "-1", "1.5M", "1k", "1KB", "1 K", "K", "1T"])
def test_other_forms_of_bytes_are_wrong_usage(tmp_path: Path, flag: str, size: str) -> None:
    option = flag.removeprefix("--").replace("-", "_")
    with pytest.raises(ValueError, match=option):
        run("LOG 1", tmp_path, **{option: size})


WRONG = [
    *(("--timeout", "5"), ("--timeout", "5 m"), ("--timeout", "-1s"), ("--max-processes", "0")),
    *(("--max-processes", "1K"), ("--jobs", "0"), ("--jobs", "x"), ("--max-output", "x")),
    *(("--var", "x"), ("--var", "1x=2"), ("--var", "RUN=1"), ("--env", "x"), ("--env", "=1")),
    *(("--budget", "COST"), ("--budget", "TIME=1"), ("--budget", "COST=x"), ("--choose-by", "me")),
    *(("--budget", "RUN_COUNT=5m"), ("--secret", "NOT_SET_AT_ALL"), ("--step", "no such step")),
    *(("--from-step", "no such step"), ("--sandbox-profile", "lax"), ("--output-format", "xml")),
    *(("--agent", "canned:missing"), ("--events", "no/such/place"), ("--junit", "no/such/place")),
]


@pytest.mark.parametrize("flags", WRONG, ids=" ".join)
def test_a_bad_flag_is_exit_2_and_nothing_runs(tmp_path: Path, flags: tuple[str, ...]) -> None:
    write(tmp_path, 'MKDIR "made"\nPROMPT_AGENT "x"')
    done = tiss("run", "plan.tiss", *flags, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) >= 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "made").exists()


def test_answer_yes_and_non_interactive(tmp_path: Path) -> None:
    text = 'PAUSE "a"\nREQUEST_REVIEW "b"'
    assert report_of(tmp_path, text, "--answer", "", "--answer", "y")["exit_code"] == 0
    assert report_of(tmp_path, text, "--answer", "", "--yes")["exit_code"] == 0
    assert report_of(tmp_path, text, "--yes")["exit_code"] == 0
    assert report_of(tmp_path, text, "--non-interactive")["exit_code"] == 7


def test_allow_and_deny_command(tmp_path: Path) -> None:
    text = 'RUN "curl --version || true"'
    assert report_of(tmp_path, text, *NO_SANDBOX)["exit_code"] == 7
    assert report_of(tmp_path, text, *NO_SANDBOX, "--allow-command", "curl")["exit_code"] == 0
    flags = ("--allow-command", "curl", "--deny-command", "curl")
    assert report_of(tmp_path, text, *NO_SANDBOX, *flags)["exit_code"] == 5


def test_env(tmp_path: Path) -> None:
    text = '@env "A=script"\n@env "B=script"\nRUN "echo $A $B $C"'
    flags = ("--env", "A=operator", "--env", "C=x=y")
    report = report_of(tmp_path, text, *NO_SANDBOX, *flags)
    assert report["last_run"]["stdout"] == "operator script x=y\n"


def test_keep_going(tmp_path: Path) -> None:
    text = 'STEP "a" { ASSERT false }\nSTEP "b" { LOG "b" }'
    report = report_of(tmp_path, text, "--keep-going")
    assert (report["exit_code"], report["log"]) == (1, ["b"])
    assert report_of(tmp_path, text)["log"] == []


def test_agent_choose_by_and_budget(tmp_path: Path) -> None:
    text = 'PROMPT_AGENT "a b" INTO v\nCHOOSE { OPTION "a" { LOG 1 } }'
    (tmp_path / "replies").write_text('"hello"\n"a"\n')
    flags = ("--agent", "canned:replies", "--choose-by", "agent")
    report = report_of(tmp_path, text, *flags)
    assert (report["variables"], report["log"]) == ({"v": "hello"}, ["1"])
    assert report_of(tmp_path, text, *flags, "--budget", "API_CALLS=0")["exit_code"] == 6
    assert report_of(tmp_path, text, *flags, "--budget", "EXECUTION_TIME=5m")["exit_code"] == 0


def test_jobs_allow_network_and_limits_are_taken(tmp_path: Path) -> None:
    flags = ("--jobs", "2", "--allow-network", "--max-memory", "1G", "--max-disk", "512M")
    report = report_of(tmp_path, "LOG 1", *flags, "--max-processes", "100", "--timeout", "1.5s")
    assert report["exit_code"] == 0


def test_secret(tmp_path: Path) -> None:
    report = report_of(tmp_path, "LOG TOKEN", "--secret", "TOKEN", TOKEN="xyzzy")
    assert report["log"] == ["***"]


# --step, --from-step

STEPS = """VAR x = "outside"
LOG "before"
SETUP { LOG "setup" }
STEP "one" { LOG "one"
    VAR y = "y of one" }
LOG "between"
STEP "two" { LOG "two"
    STEP "inner" { LOG "inner" } }
STEP "two" { LOG "two again" }
STEP "three {{x}}" { LOG "three" }
LOG "after"
"""


@pytest.mark.parametrize(
    ("options", "log"),
    [
        ({"step": ["one"]}, "before setup one between after"),
        ({"step": ["three {{x}}", "one"]}, "before setup one between three after"),
        ({"step": ["two"]}, "before setup between two inner two again after"),
        ({"from_step": "one"}, "before setup one between two inner two again three after"),
        ({"from_step": "two"}, "before setup between two inner two again three after"),
        ({"from_step": "three {{x}}"}, "before setup between three after"),
    ],
)
def test_which_steps_run(tmp_path: Path, options: dict[str, Any], log: str) -> None:
    report = run(STEPS, tmp_path, **options)
    assert " ".join(report["log"]) == log
    assert report["status"] == "passed"
    ran = [name for name, status in steps(report) if status == "passed" and name]
    skipped = [name for name, status in steps(report) if status == "skipped"]
    assert sorted({*ran, *skipped} - {"inner"}) == ["one", "three {{x}}", "two"]
    assert not set(ran) & set(skipped)


@pytest.mark.parametrize("options", [{"step": ["inner"]}, {"step": ["One"]}, {"from_step": "tw"}])
def test_an_exact_description_of_a_top_level_step(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="step"):
        run(STEPS, tmp_path, **options)


def test_step_may_be_repeated(tmp_path: Path) -> None:
    report = report_of(tmp_path, STEPS, "--step", "one", "--step", "three {{x}}")
    assert report["log"] == ["before", "setup", "one", "between", "three", "after"]
    report = report_of(tmp_path, STEPS, "--from-step", "three {{x}}")
    assert report["log"] == ["before", "setup", "between", "three", "after"]


def test_the_analysis_of_names_sees_all_steps(tmp_path: Path) -> None:
    """A name that a skipped step assigns is undefined when it is used, not before."""
    text = 'STEP "a" { VAR y = 1 }\nSTEP "b" { MKDIR "made"\nLOG y }'
    report = run(text, tmp_path, step=["b"])
    assert (stopped_by(report), report["exit_code"]) == ("undefined", 4)
    assert (tmp_path / "made").exists()
    report = run(f"{text}\nLOG z", tmp_path, step=["a"])
    assert report["exit_code"] == 3


def test_steps_of_a_task_with_a_block(tmp_path: Path) -> None:
    text = 'TASK "t" { STEP "a" { LOG "a" }\nSTEP "b" { LOG "b" } }'
    assert run(text, tmp_path, step=["b"])["log"] == ["b"]


# --junit


def test_junit_has_one_suite_a_script_and_one_case_a_step(tmp_path: Path) -> None:
    text = """SETUP "prepare" { LOG 1 }
STEP "outer" { STEP "inner" { LOG 1 } }
STEP "fails" { ASSERT 1 == 2 }
STEP "never" { LOG 1 }"""
    report = report_of(tmp_path, text, "--junit", "junit.xml")
    assert report["exit_code"] == 1
    suites = list(ElementTree.parse(tmp_path / "junit.xml").iter("testsuite"))
    assert len(suites) == 1
    cases = list(suites[0].iter("testcase"))
    assert len(cases) == len(report["steps"]) == 5
    results = {str(case.get("name")): [child.tag for child in case] for case in cases}
    (failed,) = [tags for name, tags in results.items() if "fails" in name]
    assert "failure" in failed
    (skipped,) = [tags for name, tags in results.items() if "never" in name]
    assert skipped == ["skipped"]
    (passed,) = [tags for name, tags in results.items() if "prepare" in name]
    assert passed == []


def test_junit_of_a_script_that_is_refused(tmp_path: Path) -> None:
    report_of(tmp_path, "LOG x", "--junit", "junit.xml")
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert len(list(root.iter("testsuite"))) == 1
    assert len(list(root.iter("error"))) == 1
