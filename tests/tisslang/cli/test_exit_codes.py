"""Every exit code of `tiss run`, each by a plan; each but 2 comes with a report and all events."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from report_shape import check_report
from tiss_process import run_plan, tiss

from tisslang import cli
from tisslang.cli import source as cli_source

CASES = {
    "passed": ("", [], 0),
    "a failed assertion": ('RUN "exit 3"\nASSERT LAST_RUN.EXIT_CODE == 0', [], 1),
    "a syntax error": ('STEP "x" {', [], 3),
    "two static errors": ("LOG nope\nLOG nope", [], 3),
    "undefined": ('IF FILE "no" EXISTS { VAR x = 1 }\nLOG x', [], 4),
    "type": ('ASSERT "a" < "b"', [], 4),
    "io": ('READ "nope" AS x', [], 4),
    "decode": ('RUN "printf \'\\\\377\' > b"\nREAD "b" AS x', [], 4),
    "timeout": ('RUN "echo out; sleep 60"', ["--timeout", "300ms"], 4),
    "agent": ('PROMPT_AGENT "hello"', [], 4),
    "a path that escapes": ('READ "../x" AS x', [], 5),
    "a denied command": ('RUN "rm -rf /"', [], 5),
    "version control": ('WRITE ".git/hooks/pre-commit" <<W\nW', [], 5),
    "a budget of the operator": ('RUN "true"', ["--budget", "RUN_COUNT=0"], 6),
    "a budget of the plan": ("SET_BUDGET RUN_COUNT = 1\n" + 'RUN "true"\n' * 2, [], 6),
    "time is up": ('RUN "sleep 60"', ["--budget", "EXECUTION_TIME=300ms"], 6),
    "nobody answers": ('PAUSE "go on?"', [], 7),
    "a refusal": ('REQUEST_REVIEW "fine?"', ["--answer", "no"], 7),
    "a command to approve": ('RUN "sudo true"', [], 7),
    "nobody chooses": ('CHOOSE { OPTION "a" { } }', ["--yes"], 7),
}


@pytest.mark.parametrize(("plan", "flags", "code"), CASES.values(), ids=CASES)
def test_an_exit_code_and_its_report(
    tmp_path: Path, plan: str, flags: list[str], code: int
) -> None:
    ran = run_plan(plan, *flags, cwd=tmp_path)
    assert ran.code == code
    assert ran.report["script"] == "<stdin>"


@pytest.mark.parametrize("plan", ["LOG 1", "", 'STEP "x" {', 'READ "nope" AS x'])
def test_a_dry_run_reports_too(tmp_path: Path, plan: str) -> None:
    ran = run_plan(plan, "--dry-run", cwd=tmp_path)
    assert ran.code == (3 if "STEP" in plan else 0)
    assert ran.report["dry_run"]


def test_the_same_codes_in_every_format(tmp_path: Path) -> None:
    for format in ("text", "json", "jsonl"):
        done = tiss("run", "-", "--output-format", format, cwd=tmp_path, stdin="ASSERT 1 == 2")
        assert done.code == 1
        assert "expected 1 == 2" in done.err


WITH_A_FAULT = """
import sys
import tisslang.cli as cli
import tisslang.tools as tools

def broken(state, args):
    raise {kind}("broken\\nin two")

tools.append_log = broken
sys.exit(cli.main())
"""


@pytest.mark.parametrize("kind", ["RuntimeError", "ValueError", "OSError"])
def test_an_internal_error_is_one_line_and_70(tmp_path: Path, kind: str) -> None:
    """It has a report as well, and says how to get the traceback."""

    def run(*flags: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITH_A_FAULT.format(kind=kind), "run", "-", *flags]
        return subprocess.run(
            command, cwd=tmp_path, input="LOG 1", capture_output=True, text=True, check=False
        )

    done = run("--output-format", "json")
    report = json.loads(done.stdout)
    check_report(report)
    assert (done.returncode, report["error"]["kind"]) == (70, "internal")
    assert done.stderr.startswith(f"error: internal: {kind}: broken\\nin two (")
    assert done.stderr.count("\n") == 1
    assert "--debug" in done.stderr
    done = run("--debug")
    assert done.returncode == 70
    assert "Traceback" in done.stderr


def test_an_internal_error_of_another_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(paths: list[str]) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli_source, "read_scripts", broken)
    assert cli.main(["check", "x"]) == 70
    err = capsys.readouterr().err
    assert err == "error: internal: RuntimeError: a bug (--debug shows the traceback)\n"
    assert cli.main(["check", "x", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err
