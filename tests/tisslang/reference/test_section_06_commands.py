"""Section 6: RUN, ASSERT, VAR, LOG."""

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conformance import logged, run, stopped_by
from conformance_runs import attempt, tiss, write
from processes import is_running, wait_until

from tisslang.options import DEFAULT_MAX_OUTPUT, DEFAULT_TIMEOUT

PYTHON = shlex.quote(sys.executable)


def run_line(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'RUN "{escaped}"'


# what ASSERT, VAR and LOG do and raise


UNSET = "VAR no = false\nIF no { VAR x = 1 }\n"


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("ASSERT 1 == 2", "assert"),
        ('ASSERT 1 == "a"', "type"),
        ("ASSERT x == 1", "undefined"),
        ("VAR y = x", "undefined"),
        ('VAR y = "{{x}}"', "undefined"),
        ("VAR y ?= x", "undefined"),
        ("LOG x", "undefined"),
        ("ASSERT 1 == 1", None),
        ("VAR y = 1", None),
        ("VAR no ?= x", "undefined"),  # the value is evaluated in any case
        ("LOG 1", None),
    ],
)
def test_what_assert_var_and_log_raise(tmp_path: Path, command: str, kind: str | None) -> None:
    report = run(f"{UNSET}TRY {{ {command} }} CATCH {{ }}", tmp_path)
    assert [each["kind"] for each in report["caught"]] == ([kind] if kind else [])


def test_var_binds(tmp_path: Path) -> None:
    text = 'VAR a = "x"\nVAR a ?= "y"\nVAR b ?= "z"\nVAR a = 2\nVAR t = <<W\nbody\nW'
    assert run(text, tmp_path)["variables"] == {"a": 2, "b": "z", "t": "body\n"}


def test_log_appends_the_text_form(tmp_path: Path) -> None:
    text = 'VAR x = "a"\nLOG "é {{x}}"\nLOG 10\nLOG 1.50\nLOG true\nLOG 5m\nLOG x\nLOG \'{{x}}\''
    assert logged(text, tmp_path) == ["é a", "10", "1.5", "true", "300.0", "a", "{{x}}"]


# 6.1


def test_run_works_in_the_project_root(tmp_path: Path) -> None:
    report = run('RUN "pwd -P"', tmp_path)
    assert report["last_run"]["stdout"] == f"{tmp_path.resolve()}\n"


def test_run_works_in_the_directory_of_cwd(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    report = run('@cwd "sub"\nRUN "pwd -P"', tmp_path)
    assert report["last_run"]["stdout"] == f"{tmp_path.resolve()}/sub\n"


def test_run_has_a_process_group_of_its_own(tmp_path: Path) -> None:
    report = run(run_line(f"{PYTHON} -c 'import os; print(os.getpgrp())'"), tmp_path)
    assert int(report["last_run"]["stdout"]) != os.getpgrp()


def test_run_finds_standard_input_at_its_end(tmp_path: Path) -> None:
    write(tmp_path, 'RUN "wc -c"')
    done = tiss(
        *("run", "plan.tiss", "--sandbox-profile", "none", "--output-format", "json"),
        cwd=tmp_path,
        stdin="what a person types",
    )
    assert done.returncode == 0
    assert '"stdout": "0\\n"' in done.stdout


def test_stdout_and_stderr_are_captured_apart(tmp_path: Path) -> None:
    report = run('RUN "echo out; echo err >&2"', tmp_path)
    assert (report["last_run"]["stdout"], report["last_run"]["stderr"]) == ("out\n", "err\n")


def test_a_heredoc_is_a_script_of_several_lines(tmp_path: Path) -> None:
    text = 'VAR x = "it\'s $HOME"\nRUN <<SH\nfor each in 1 2; do\n  echo $each {{x}}\ndone\nSH'
    report = run(text, tmp_path)
    assert report["last_run"]["stdout"] == "1 it's $HOME\n2 it's $HOME\n"


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (": " + "x" * 131_069, None),
        (": " + "x" * 131_070, "io"),
        (": " + "é" * 65_534 + "x", None),  # bytes are counted, not characters
        (": " + "é" * 65_535, "io"),
    ],
)
def test_a_command_has_131_071_bytes_at_most(
    tmp_path: Path, command: str, kind: str | None
) -> None:
    report = run(f'TRY {{ RUN "{command}" }} CATCH {{ }}', tmp_path)
    assert [each["kind"] for each in report["caught"]] == ([kind] if kind else [])
    if kind:
        assert "file" in report["caught"][0]["hint"]
        assert report["last_run"] is None
    else:
        assert report["last_run"]["exit_code"] == 0


def test_what_counts_is_the_command_with_its_values(tmp_path: Path) -> None:
    (tmp_path / "big").write_text("x" * 131_072)
    report = run('READ "big" AS big\nRUN "echo {{big}}"', tmp_path)
    assert stopped_by(report) == "io"


def test_run_raises_io_when_its_shell_cannot_start(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    leave = run_line(f"{PYTHON} -c 'import os; os.rmdir(os.getcwd())'")
    assert attempt(f'{leave}\nRUN "true"', root) == "io"


@pytest.mark.parametrize("code", [1, 2, 124, 127, 255])
def test_an_exit_code_is_data(tmp_path: Path, code: int) -> None:
    report = run(f'RUN "exit {code}"\nLOG LAST_RUN.EXIT_CODE', tmp_path)
    assert (report["status"], report["log"]) == ("passed", [str(code)])


def test_a_command_that_never_started_leaves_last_run_as_it_was(tmp_path: Path) -> None:
    text = f'RUN "echo first"\nTRY {{ RUN ": {"x" * 131_072}" }} CATCH {{ LOG LAST_RUN.STDOUT }}'
    assert logged(text, tmp_path) == ["first\n"]


def test_the_limits_that_hold_when_none_are_given() -> None:
    assert DEFAULT_TIMEOUT == 300
    assert DEFAULT_MAX_OUTPUT == 10 << 20


LEAVES_A_CHILD = 'RUN "echo kept; echo too >&2; sleep 71.1371 & echo $! > child; sleep 71.1371"'


@pytest.mark.parametrize(
    ("before", "timeout"), [("", "300ms"), ("@timeout 300ms\n", "1h"), ("@timeout 1h\n", "300ms")]
)
def test_past_the_lesser_limit_the_whole_group_is_killed(
    tmp_path: Path, before: str, timeout: str
) -> None:
    report = run(f"{before}{LEAVES_A_CHILD}", tmp_path, timeout=timeout)
    assert (report["error"]["kind"], report["exit_code"]) == ("timeout", 4)
    last = report["last_run"]
    assert (last["exit_code"], last["stdout"], last["stderr"]) == (124, "kept\n", "too\n")
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_running(child), "the child still runs")


def test_the_innermost_timeout_counts(tmp_path: Path) -> None:
    text = '@timeout 300ms\nSTEP "a" { @timeout 1h\n RUN "sleep 0.5" }'
    assert run(text, tmp_path)["status"] == "passed"
    text = '@timeout 1h\nSTEP "a" { @timeout 300ms\n RUN "sleep 71.1371" }'
    assert stopped_by(run(text, tmp_path)) == "timeout"


def test_a_timeout_can_be_caught_and_its_output_read(tmp_path: Path) -> None:
    text = (
        '@timeout 300ms\nTRY { RUN "echo out; sleep 71.1371" } CATCH {\n'
        ' LOG "{{ERROR.KIND}} {{LAST_RUN.EXIT_CODE}} {{LAST_RUN.STDOUT}}" }'
    )
    assert logged(text, tmp_path) == ["timeout 124 out\n"]


def test_when_the_budget_of_time_runs_out_the_error_is_budget(tmp_path: Path) -> None:
    text = f"TRY {{ {LEAVES_A_CHILD} }} CATCH {{ }}"
    report = run(text, tmp_path, budget=["EXECUTION_TIME=500ms"])
    assert (report["error"]["kind"], report["exit_code"]) == ("budget", 6)
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_running(child), "the child still runs")


def test_background_processes_end_with_their_command(tmp_path: Path) -> None:
    report = run('RUN "sleep 71.1373 & echo $!"', tmp_path)
    assert report["last_run"]["exit_code"] == 0
    child = int(report["last_run"]["stdout"])
    wait_until(lambda: not is_running(child), "the child still runs")


def test_pipes_are_waited_for_a_little_only(tmp_path: Path) -> None:
    """A process that left the group keeps the pipe open: the plan goes on all the same."""
    code = "import os,time; print(os.getpid(), flush=True); os.setsid(); time.sleep(40)"
    before = time.monotonic()
    child = None
    try:
        report = run(run_line(f'{PYTHON} -c "{code}" & sleep 0.5; echo done'), tmp_path)
        pid, said = report["last_run"]["stdout"].split()
        child = int(pid)
        assert said == "done"
        assert time.monotonic() - before < 30  # far less than the child's 40 seconds
    finally:
        if child and is_running(child):
            os.kill(child, 9)


def test_output_beyond_the_limit_is_read_and_dropped(tmp_path: Path) -> None:
    text = "RUN \"head -c 3000000 /dev/zero | tr '\\\\0' a; head -c 5000 /dev/zero >&2; echo >&2\""
    report = run(text, tmp_path, max_output=1000)
    last = report["last_run"]
    assert last["exit_code"] == 0  # the command could write it all
    assert (len(last["stdout"]), len(last["stderr"])) == (1000, 1000)


def test_the_limit_on_output_is_of_each_stream(tmp_path: Path) -> None:
    report = run('RUN "printf 12345; printf abcde >&2"', tmp_path, max_output=5)
    assert (report["last_run"]["stdout"], report["last_run"]["stderr"]) == ("12345", "abcde")


def test_a_shell_is_posix_sh(tmp_path: Path) -> None:
    text = "RUN 'echo \"$0 $#\"'"
    direct = subprocess.run(["/bin/sh", "-c", 'echo "$0 $#"'], capture_output=True, text=True)
    assert run(text, tmp_path)["last_run"]["stdout"] == direct.stdout
