"""The command `tiss`, as a process: what it prints where, and how it exits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from processes import is_running

from tisslang import cli

TISS = [sys.executable, "-m", "tisslang"]
NO_SANDBOX = ["--sandbox-profile", "none"]

NO_BACKEND = """
import sys
from tisslang import cli, sandbox
sandbox.backends = list
sys.exit(cli.main())
"""

PLAN = """\
TASK "Greet"
STEP "Write" {
    WRITE "name.txt" <<W
{{who}}
W
}
STEP "Check" {
    RUN "cat name.txt; echo warned >&2"
    ASSERT LAST_RUN.STDOUT|trim == "Ada"
    LOG "checked"
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "plan.tiss").write_text(PLAN, encoding="utf-8")
    return tmp_path


def tiss(
    *arguments: str, cwd: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TISS, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def test_a_plan_that_passes(project: Path) -> None:
    done = tiss("run", "plan.tiss", "--var", "who=Ada", *NO_SANDBOX, cwd=project)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "Greet"
    assert lines[1].startswith("✓ Write  ")
    assert lines[2:4] == ["▸ Check", "  checked"]
    assert lines[4].startswith("✓ Check  ")
    assert lines[5].startswith("passed: 2 of 2 steps passed, ")
    assert done.stderr.splitlines() == [
        "tiss: no sandbox: the commands of this plan run with all your rights "
        "(--sandbox-profile none)"
    ]
    assert (project / "name.txt").read_text() == "Ada\n"


def test_a_plan_that_fails_says_why(project: Path) -> None:
    done = tiss("run", "plan.tiss", "--var", "who=Bo\x1b[31mb", *NO_SANDBOX, cwd=project)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("failed: 1 of 2 steps passed, ")
    banner, *explanation = done.stderr.splitlines()
    assert "no sandbox" in banner
    assert explanation == [
        'error[E101]: expected LAST_RUN.STDOUT|trim == "Ada", but it was "Bo\\u001b[31mb"',
        "  --> plan.tiss:9:5",
        "   |",
        ' 9 |     ASSERT LAST_RUN.STDOUT|trim == "Ada"',
        "   |     ^",
        "  the command was: cat name.txt; echo warned >&2",
        "  its exit code: 0",
        "  its stdout:",
        "  │ Bo\\x1b[31mb",
        "  its stderr:",
        "  │ warned",
    ]


def test_a_refused_run_says_what_to_do(project: Path) -> None:
    command = [sys.executable, "-c", NO_BACKEND, "run", "plan.tiss", "--var", "who=Ada"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "error[E301]: RUN is refused: this machine cannot give" in done.stderr
    assert "--sandbox-profile none" in done.stderr
    assert "tiss doctor" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "name.txt").exists()


@pytest.mark.parametrize(
    ("plan", "exit_code"),
    [
        ("", 0),
        ('LOG "x"', 0),
        ("ASSERT 1 == 2", 1),
        ('STEP "x" {', 3),
        ("ASSERT nope", 3),
        ('READ "nope" AS x', 4),
        ('ASSERT "a" < "b"', 4),
        ('RUN "sleep 5"', 4),
        ('READ "/etc/passwd" AS x', 5),
        ('WRITE ".git/hooks/pre-commit" <<W\nW', 5),
    ],
)
def test_exit_codes(tmp_path: Path, plan: str, exit_code: int) -> None:
    """Every exit code comes with a report, and the report has it."""
    flags = [*NO_SANDBOX, "--timeout", "300ms", "--output-format", "json"]
    done = tiss("run", "-", *flags, cwd=tmp_path, stdin=plan)
    report = json.loads(done.stdout)
    assert done.returncode == report["exit_code"] == exit_code
    assert report["script"] == "<stdin>"
    assert (report["error"] is None) is (exit_code == 0)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "plan.tiss", "second.tiss"],
        ["run", "missing.tiss"],
        ["run", "."],
        ["run", "plan.tiss/x"],
        ["run", "a\0b"],
        ["run", ""],
        ["run", "plan.tiss", "--root", "missing"],
        ["run", "plan.tiss", "--root", "plan.tiss"],
        ["run", "plan.tiss", "--timeout", "5"],
        ["run", "plan.tiss", "--timeout", "-5s"],
        ["run", "plan.tiss", "--max-output", "many"],
        ["run", "plan.tiss", "--var", "who"],
        ["run", "plan.tiss", "--var", "1=x"],
        ["run", "plan.tiss", "--env", "x"],
        ["run", "plan.tiss", "--sandbox-profile", "docker"],
        ["run", "plan.tiss", "--output-format", "xml"],
        ["run", "plan.tiss", "--events", "missing/events"],
        ["run", "plan.tiss", "--keep"],
        ["run", "plan.tiss", "--dry-run"],
        ["check"],
        ["check", "missing.tiss"],
        ["check", "plan.tiss", "--root", "."],
        ["ast", "missing.tiss"],
        ["version", "x"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    project: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(project)
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (project / "name.txt").exists()


def test_no_permission_and_a_binary_file(project: Path) -> None:
    (project / "binary.tiss").write_bytes(b"\x7fELF\x00\xff")
    done = tiss("check", "binary.tiss", cwd=project)
    assert done.returncode == 3
    assert "error[T009]" in done.stderr
    if os.geteuid() != 0:
        (project / "plan.tiss").chmod(0)
        assert "permission denied" in tiss("run", "plan.tiss", cwd=project).stderr


def test_check(project: Path) -> None:
    done = tiss("check", "plan.tiss", "--var", "who=x", cwd=project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "plan.tiss: ok\n", "")
    done = tiss("check", "plan.tiss", cwd=project)
    assert done.returncode == 3
    assert done.stderr.startswith("error[T110]: ")
    assert "plan.tiss:4:1" in done.stderr
    done = tiss("check", "--output-format", "json", "plan.tiss", "-", cwd=project, stdin="RUN")
    result = json.loads(done.stdout)
    assert (done.returncode, result["ok"]) == (3, False)
    places = [(d["code"], d["file"], d["line"]) for d in result["diagnostics"]]
    assert places == [("T110", "plan.tiss", 4), ("T001", "<stdin>", 1)]


def test_ast_and_version(project: Path) -> None:
    done = tiss("ast", "plan.tiss", cwd=project)
    tree = json.loads(done.stdout)
    assert (done.returncode, tree["type"], tree["body"][0]["type"]) == (0, "SCRIPT", "TASK")
    done = tiss("ast", "-", cwd=project, stdin='LOG "')
    assert (done.returncode, done.stdout) == (3, "")
    assert "error[T003]" in done.stderr
    done = tiss("version", "--output-format", "json", cwd=project)
    assert json.loads(done.stdout) == {"package": "0.1.0", "language": "1.2.0"}
    assert tiss("version", cwd=project).stdout == "tiss 0.1.0, TissLang 1.2.0\n"
    assert tiss("--version", cwd=project).stdout == "tiss 0.1.0, TissLang 1.2.0\n"
    assert tiss("run", "--help", cwd=project).returncode == 0


def test_jsonl_and_events_are_the_same_lines(project: Path) -> None:
    flags = ["--var", "who=Ada", *NO_SANDBOX, "--output-format", "jsonl", "--events", "e.jsonl"]
    done = tiss("run", "plan.tiss", *flags, cwd=project, LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 0
    assert (project / "e.jsonl").read_text(encoding="utf-8") == done.stdout
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["event"] == "run_end"
    assert events[0]["sandbox"]["profile"] == "none"


def test_json_of_a_script_that_does_not_parse(project: Path) -> None:
    done = tiss("run", "-", "--output-format", "json", cwd=project, stdin='STEP "x" {')
    report = json.loads(done.stdout)
    assert (done.returncode, report["error"]["kind"], report["error"]["code"]) == (
        3,
        "parse",
        "T006",
    )
    assert report["diagnostics"][0]["column"] == 10


def test_root_env_and_max_output(project: Path) -> None:
    (project / "sub").mkdir()
    plan = 'RUN "echo $GREETING; pwd; head -c 5000 /dev/zero"'
    flags = ["--root", "sub", "--env", "GREETING=hi=there", "--max-output", "1K"]
    done = tiss(
        *("run", "-", *flags, *NO_SANDBOX, "--output-format", "json"), cwd=project, stdin=plan
    )
    report = json.loads(done.stdout)
    lines = report["last_run"]["stdout"].splitlines()
    assert lines[:2] == ["hi=there", str(project / "sub")]
    assert len(report["last_run"]["stdout"]) == 1024


def test_the_python_of_a_run_is_ours(project: Path) -> None:
    plan = 'RUN "python3 -c \'import sys; print(sys.prefix)\'"\nLOG "{{LAST_RUN.STDOUT|trim}}"'
    done = tiss("run", "-", *NO_SANDBOX, cwd=project, stdin=plan)
    assert done.stdout.splitlines()[0] == sys.prefix


def test_control_characters_never_reach_the_terminal(project: Path) -> None:
    plan = 'STEP "a\x1b[2J\u202eb" {\nRUN "printf \'\\\\033[2Jx\\\\r\\\\007\'"\n'
    plan += 'LOG LAST_RUN.STDOUT\nASSERT LAST_RUN.STDOUT == "y"\n}'
    for format in ("text", "jsonl"):
        done = tiss(*("run", "-", *NO_SANDBOX, "--output-format", format), cwd=project, stdin=plan)
        assert done.returncode == 1
        shown = done.stderr + (done.stdout if format == "text" else "")
        assert not any((ord(c) < 32 and c != "\n") or c == "\u202e" for c in shown)
    assert "\\x1b[2Jx" in shown


def test_colour_only_when_wanted(project: Path) -> None:
    plan = 'STEP "x" { }'
    assert "\x1b" not in tiss("run", "-", cwd=project, stdin=plan).stdout
    always = ["--color", "always"]
    assert "\x1b[32m✓" in tiss("run", "-", *always, cwd=project, stdin=plan).stdout
    assert "\x1b" not in tiss("run", "-", "--color", "never", cwd=project, stdin=plan).stdout


def test_a_stream_without_the_symbols_gets_ascii(project: Path) -> None:
    done = tiss("run", "-", cwd=project, stdin='STEP "x" { }', PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.startswith("ok x  ")
    done = tiss("run", "-", cwd=project, stdin='STEP "é" { LOG "ü" }', PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "\\xe9" in done.stdout


def test_progress_in_a_terminal_is_rewritten(project: Path) -> None:
    import pty

    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [*TISS, "run", "plan.tiss", "--var", "who=Ada", *NO_SANDBOX],
        cwd=project,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the terminal's other end is closed
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    assert process.wait(timeout=10) == 0
    text = shown.decode()
    assert "▸ Write\r\x1b[K✓ Write" in text
    assert "▸ Check\r\n  checked" in text
    assert "\x1b[3" not in text


def test_a_reader_that_leaves_does_not_stop_the_plan(project: Path) -> None:
    plan = "".join(f'STEP "{n}" {{ LOG "line" }}\n' for n in range(3000))
    (project / "long.tiss").write_text(plan + 'WRITE "end" <<W\nW\n')
    for format in ("text", "jsonl"):
        command = f"{sys.executable} -m tisslang run long.tiss --output-format {format}"
        done = subprocess.run(
            ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert (project / "end").exists()
        (project / "end").unlink()


def test_closed_streams(project: Path) -> None:
    command = f"{sys.executable} -m tisslang check plan.tiss --var who=1 >&- 2>&- <&-"
    assert subprocess.run(["bash", "-c", command], cwd=project, check=False).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_its_commands_and_reports(project: Path, number: int) -> None:
    plan = 'STEP "wait" { RUN "sleep 60 & echo $! > pid; wait" }\nSTEP "later" { }'
    (project / "plan.tiss").write_text(plan)
    process = subprocess.Popen(
        [*TISS, "run", "plan.tiss", *NO_SANDBOX, "--output-format", "json"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for((project / "pid").exists)
    wait_for(lambda: (project / "pid").read_text().strip())
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    report: dict[str, Any] = json.loads(out)
    assert process.returncode == report["exit_code"] == 130
    assert report["error"]["kind"] == "interrupted"
    assert [step["status"] for step in report["steps"]] == ["failed", "skipped"]
    assert "Traceback" not in err
    child = int((project / "pid").read_text())
    wait_for(lambda: not is_running(child))


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_internal_error_is_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(path: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(cli, "read_script", broken)
    assert cli.main(["run", "x"]) == 70
    err = capsys.readouterr().err
    assert err == "error: internal: RuntimeError: a bug (--debug shows the traceback)\n"
    assert cli.main(["run", "x", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_nothing_is_left_in_the_temporary_directory(project: Path) -> None:
    (project / "tmp").mkdir()
    plan = 'RUN "touch $HOME/x $TMPDIR/y; chmod 500 $HOME; ls -d $HOME $TMPDIR"'
    done = tiss("run", "-", *NO_SANDBOX, cwd=project, stdin=plan, TMPDIR=str(project / "tmp"))
    assert done.returncode == 0
    assert list((project / "tmp").iterdir()) == []


def test_importing_costs_next_to_nothing() -> None:
    code = "import sys; import tisslang; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "tisslang" in loaded
    heavy = {"argparse", "json", "subprocess", "numpy", "IPython", "qt", "inspect"}
    assert [m for m in loaded if m in heavy or m.startswith("tisslang.")] == []
    code = "import sys, tisslang.cli as c; c.main(['check', '-']); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code],
        input='LOG "x"',
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    heavy = {"subprocess", "tisslang.engine", "numpy", "IPython", "tempfile", "typing"}
    assert not heavy.intersection(loaded)
