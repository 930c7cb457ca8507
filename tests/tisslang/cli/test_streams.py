"""Standard output and error that are closed, full or left by their reader, and odd encodings."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from processes import wait_until
from tiss_process import tiss

from tisslang import cli

PLAN = 'TASK "é"\nSTEP "ü" { LOG "ö {{x}}" }\nWRITE "made" <<W\nW\n'
RUN = 'RUN "echo out; echo err >&2"\nASSERT LAST_RUN.STDOUT == "out\\n"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "plan.tiss").write_text(PLAN, encoding="utf-8")
    (tmp_path / "run.tiss").write_text(RUN)
    (tmp_path / "broken.tiss").write_text("LOG nope")
    return tmp_path


def shell(line: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A line for bash, in which `tiss` is the command."""
    script = f'tiss() {{ "{sys.executable}" -m tisslang "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", script],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        errors="replace",  # `head` may leave half a character
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-", "2>&- <&-"])
def test_closed_streams(project: Path, streams: str) -> None:
    """Nothing that a run opens takes the place of a stream that is closed."""
    command = f"tiss run run.tiss --events e.jsonl --junit j.xml {streams}"
    assert shell(command, project).returncode == 0
    events = (project / "e.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(events[-1])["report"]["last_run"]["stdout"] == "out\n"
    assert [json.loads(event)["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (project / "j.xml").read_text(encoding="utf-8").startswith("<?xml")
    assert shell(f"tiss check plan.tiss --var x=1 {streams}", project).returncode == 0
    assert shell(f"tiss check broken.tiss {streams}", project).returncode == 3
    assert shell(f"tiss run - {streams.replace('<&-', '')} <&-", project).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("run plan.tiss --var x=1", 2),
        ("run plan.tiss --var x=1 --output-format json", 2),
        ("run plan.tiss --var x=1 --output-format jsonl", 2),
        ("run plan.tiss", 3),
        ("run plan.tiss --dry-run --var x=1", 2),
        ("check plan.tiss --var x=1", 2),
        ("check plan.tiss --output-format json", 3),
        ("fmt - < plan.tiss", 2),
        ("fmt --diff plan.tiss", 1),
        ("ast plan.tiss", 2),
        ("list plan.tiss", 2),
        ("version", 2),
        ("doctor", 2),
        ("--help", 2),
        ("run --help", 2),
    ],
)
def test_output_that_cannot_be_written_is_an_error(
    project: Path, arguments: str, code: int
) -> None:
    """One line says so; a plan runs all the same, and a code that tells of it stays."""
    done = shell(f"tiss {arguments} > /dev/full", project)
    assert done.returncode == code
    assert done.stderr.endswith("error: cannot write the output: no space left on device\n")
    assert "Traceback" not in done.stderr
    assert "internal" not in done.stderr
    assert (project / "made").exists() == ("run plan.tiss --var x=1" in arguments)


def test_errors_that_cannot_be_written(project: Path) -> None:
    for arguments, code in (
        ("run run.tiss --sandbox-profile none", 0),  # which has a banner
        ("run broken.tiss", 3),
        ("check broken.tiss", 3),
        ("lint broken.tiss", 3),
        ("run missing.tiss", 2),
        ("check", 2),
    ):
        assert shell(f"tiss {arguments} 2> /dev/full", project).returncode == code
        assert shell(f"tiss {arguments} > /dev/full 2>&1", project).returncode == (code or 2)


@pytest.mark.parametrize("format", ["text", "json", "jsonl"])
def test_a_reader_that_leaves_does_not_stop_the_plan(project: Path, format: str) -> None:
    plan = "".join(f'STEP "{n}" {{ LOG "line" }}\n' for n in range(3000))
    (project / "plan.tiss").write_text(plan + 'WRITE "end" <<W\nW\n')
    done = shell(
        f"tiss run plan.tiss --output-format {format} | head -c 1; exit ${{PIPESTATUS[0]}}", project
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "end").exists()


def test_a_reader_that_leaves_other_commands(project: Path) -> None:
    long = "".join(f'LOG  "{n}"\n' for n in range(20_000))
    (project / "long.tiss").write_text(long)
    for arguments, code in (
        ("ast long.tiss", 0),
        ("fmt - < long.tiss", 0),
        ("fmt --diff long.tiss", 1),
        ("lint --output-format json long.tiss", 1),
        ("check --output-format json long.tiss", 0),
    ):
        done = shell(f"tiss {arguments} | head -c 1; exit ${{PIPESTATUS[0]}}", project)
        assert (done.returncode, done.stderr) == (code, "")
    done = shell("tiss lint long.tiss 2>&1 >/dev/null | head -c 1; exit ${PIPESTATUS[0]}", project)
    assert done.returncode == 1


LOCALES = [
    {"LC_ALL": "C"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "xx_YY.broken"},
    {"LANG": "xx", "LC_ALL": ""},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "utf-8:strict"},
]


@pytest.mark.parametrize("env", LOCALES, ids=str)
def test_any_locale(project: Path, env: dict[str, str]) -> None:
    """Scripts, reports and files are UTF-8 whatever the locale; text is written as it can be."""
    for command in ("run", "check", "list", "lint"):
        flags = [] if command == "list" else ["--var", "x=1"]
        raw = subprocess.run(
            [sys.executable, "-m", "tisslang", command, "plan.tiss", *flags],
            cwd=project,
            capture_output=True,
            env={**os.environ, **env},
            check=False,
        )
        assert raw.returncode in (0, 1)
        assert b"Traceback" not in raw.stderr
        assert raw.stdout or raw.stderr
    flags = ["--var", "x=1", "--output-format", "json", "--events", "e.jsonl"]
    done = tiss("run", "plan.tiss", *flags, cwd=project, env=env)
    report = json.loads(done.out)
    assert (done.code, report["task"], report["log"]) == (0, "é", ["ö 1"])
    assert json.loads((project / "e.jsonl").read_text("utf-8").splitlines()[-1])["report"] == report
    done = tiss("fmt", "-", "--output-format", "json", cwd=project, env=env, stdin=PLAN)
    assert 'TASK "é"' in json.loads(done.out)["text"]


def test_what_fmt_prints_is_utf_8(project: Path) -> None:
    fix = ["lint", "--fix", "-", "--var", "x=1", "--select", "T306"]
    for env in LOCALES:
        assert "é" in tiss("fmt", "-", cwd=project, env=env, stdin=PLAN).out
        assert "é" in tiss("fmt", "--diff", "-", cwd=project, env=env, stdin=PLAN).out
        assert "é" in tiss(*fix, cwd=project, env=env, stdin=PLAN).out


def test_symbols_in_ascii_where_there_are_no_others(project: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii"}
    done = tiss("run", "plan.tiss", "--var", "x=1", cwd=project, env=env)
    assert done.code == 0
    assert done.out.splitlines()[:4] == ["\\xe9", "> \\xfc", "  \\xf6 1", done.out.splitlines()[3]]
    assert done.out.splitlines()[3].startswith("ok \\xfc  ")
    assert done.out.isascii()


def test_arguments_that_are_no_text(project: Path) -> None:
    """A value that is not UTF-8 is refused; so is a name of a file that is not there."""
    for arguments in (
        ["run", "plan.tiss", "--var", b"x=\xff"],
        ["run", "plan.tiss", "--env", b"x=\xff", "--var", "x=1"],
        ["run", b"missing\xff.tiss"],
        ["run", "plan.tiss", b"--\xff"],
        [b"\xff"],
        ["run", "plan.tiss", "--var", "x=1", "--step", b"\xff"],
        ["run", "plan.tiss", "--var", "x=1", "--root", b"\xff"],
        ["run", "plan.tiss", "--secret", "S"],
    ):
        environment = {**os.environb, b"S": b"\xff\xfe"}
        done = subprocess.run(
            [sys.executable, "-m", "tisslang", *arguments],
            cwd=project,
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2, arguments
        assert done.stderr.startswith(b"error: ")
        assert done.stderr.count(b"\n") == 1


def test_a_terminal_that_is_taken_away(project: Path) -> None:
    """The plan goes on to its end, if the run outlives the loss, as under nohup."""
    plan = 'STEP "a" { RUN "touch begun; while [ ! -e gone ]; do sleep 0.02; done" }\n'
    plan += 'STEP "b" { LOG 1 }\nWRITE "end" <<W\nW\n'
    (project / "plan.tiss").write_text(plan)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tisslang", "run", "plan.tiss", "--events", "e.jsonl"],
        cwd=project,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        wait_until((project / "begun").exists, "the plan did not begin")
        os.close(master)
        (project / "gone").touch()
        assert process.wait(timeout=60) == 2  # not all that it said could be written
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert (project / "end").exists()
    last = (project / "e.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    assert json.loads(last)["report"]["exit_code"] == 0


def test_the_streams_of_whoever_calls_us_stay_as_they_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sys.stdout, sys.stderr
    assert cli.main(["version"]) == 0
    assert cli.main(["run", "missing"]) == 2
    assert (sys.stdout, sys.stderr) == before
    monkeypatch.setattr(sys, "stdout", None)  # as under pythonw
    assert cli.main(["version"]) == 0
    assert sys.stdout is None
    assert "cannot open missing" in capsys.readouterr().err
