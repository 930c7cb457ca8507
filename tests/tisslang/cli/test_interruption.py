"""Ctrl-C and SIGTERM: everything that the run started ends, the report is written, exit 130."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer
from processes import is_running, wait_until
from report_shape import check_events, check_report
from tiss_process import TISS, started

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
PROFILES = pytest.mark.parametrize("profile", ["none", "standard"])

RUN = 'STEP "wait" { RUN "sleep 600 & touch ready; wait" }\nSTEP "later" { LOG "later" }'
PARALLEL = """\
STEP "wait" {
    PARALLEL {
        STEP "a" { RUN "sleep 600 & touch a; wait" }
        STEP "b" { RUN "sleep 600 & touch b; wait" }
        STEP "c" { RUN "trap '' INT TERM; touch c; sleep 600" }
    }
}
STEP "later" { LOG "later" }
"""


def interrupted(
    plan: str, ready: Callable[[], object], number: int, cwd: Path, *flags: str
) -> dict[str, Any]:
    """Run the plan, send the signal once it is ready; the report, which is judged."""
    (cwd / "plan.tiss").write_text(plan)
    files = ["--events", "e.jsonl", "--junit", "j.xml", "--output-format", "json"]
    with started("run", "plan.tiss", *files, *flags, cwd=cwd) as process:
        wait_until(ready, "the plan did not begin")
        children = descendants(process.pid)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        report: dict[str, Any] = json.loads(out)
        check_report(report)
        check_events([json.loads(line) for line in (cwd / "e.jsonl").read_text().splitlines()])
        assert process.returncode == report["exit_code"] == 130
        assert report["error"]["kind"] == "interrupted"
        assert "Traceback" not in err
        assert "interrupted" in err
        assert "<error" in (cwd / "j.xml").read_text()
        wait_until(lambda: not any(map(is_running, children)), "something still runs")
    return report


def descendants(pid: int) -> list[int]:
    """The processes below this one."""
    found = []
    for child in Path(f"/proc/{pid}/task").glob("*/children"):
        for below in map(int, child.read_text().split()):
            found += [below, *descendants(below)]
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@PROFILES
def test_during_run(tmp_path: Path, number: int, profile: str) -> None:
    ready = (tmp_path / "ready").exists
    report = interrupted(RUN, ready, number, tmp_path, "--sandbox-profile", profile)
    assert [step["status"] for step in report["steps"]] == ["failed", "skipped"]
    assert report["error"]["steps"] == ["wait"]


@SIGNALS
@PROFILES
def test_during_parallel(tmp_path: Path, number: int, profile: str) -> None:
    def ready() -> bool:
        return all((tmp_path / name).exists() for name in "abc")

    report = interrupted(PARALLEL, ready, number, tmp_path, "--sandbox-profile", profile)
    status = {step["description"]: step["status"] for step in report["steps"]}
    assert status == {**dict.fromkeys(("wait", "a", "b", "c"), "failed"), "later": "skipped"}


@SIGNALS
@pytest.mark.parametrize("around", ["{}", 'PARALLEL {{\nSTEP "p" {{\n{}\n}}\n}}'])
def test_during_a_call_of_the_agent(tmp_path: Path, number: int, around: str) -> None:
    asked = threading.Event()

    with ChatServer(lambda request: asked.set() or server.silence()) as server:
        plan = around.format('PROMPT_AGENT "hello" INTO x\nLOG x')
        report = interrupted(plan, asked.is_set, number, tmp_path, "--agent", server.url)
    assert report["log"] == []


@SIGNALS
def test_in_a_try_and_with_keep_going(tmp_path: Path, number: int) -> None:
    """It is no error that a plan can catch."""
    plan = f'TRY {{\n{RUN}\n}} CATCH {{ LOG "caught" }}\nSTEP "next" {{ LOG "next" }}'
    report = interrupted(plan, (tmp_path / "ready").exists, number, tmp_path, "--keep-going")
    assert (report["log"], report["caught"]) == ([], [])


def test_ctrl_c_in_a_terminal(tmp_path: Path) -> None:
    """There it reaches every process of the group; and the terminal is left on a new line."""
    (tmp_path / "plan.tiss").write_text(RUN)
    master, slave = pty.openpty()
    begin = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(1, termios.TIOCSCTTY, 0);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", begin, *TISS, "run", "plan.tiss"],
        cwd=tmp_path,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "NO_COLOR": "1"},
    )
    os.close(slave)
    try:
        wait_until((tmp_path / "ready").exists, "the plan did not begin")
        children = descendants(process.pid)
        os.write(master, b"\x03")
        shown = b""
        while True:
            try:
                chunk = os.read(master, 4096)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        assert process.wait(timeout=60) == 130
        wait_until(lambda: not any(map(is_running, children)), "something still runs")
    finally:
        os.close(master)
        if process.poll() is None:
            process.kill()
            process.wait()
    text = shown.decode()
    assert "✗ wait" in text
    assert "error: interrupted" in text
    assert "- later  skipped" in text
    assert text.endswith("exit 130\r\n")
    assert "Traceback" not in text


def test_ctrl_c_at_a_question(tmp_path: Path) -> None:
    (tmp_path / "plan.tiss").write_text('PAUSE "go on?"')
    master, slave = pty.openpty()
    with subprocess.Popen(
        [*TISS, "run", "plan.tiss", "--output-format", "json"],
        cwd=tmp_path,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        shown = ""
        while "Enter" not in shown:
            shown += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=60)[0]
    os.close(slave)
    os.close(master)
    report = json.loads(out)
    check_report(report)
    assert process.returncode == report["exit_code"] == 130


def test_commands_without_a_run(tmp_path: Path) -> None:
    """Ctrl-C while a script is read: one line."""
    os.mkfifo(tmp_path / "pipe")
    for command in ("check", "run"):
        with started(command, "pipe", cwd=tmp_path) as process:
            descriptor = os.open(tmp_path / "pipe", os.O_WRONLY)  # it is being read by then
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            os.close(descriptor)
        assert (process.returncode, out, err) == (130, "", "error: interrupted\n")


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    """As under nohup, or in the background of a script."""
    (tmp_path / "plan.tiss").write_text(
        'RUN "touch ready; while [ ! -e go ]; do sleep 0.02; done"\nLOG "end"'
    )

    def ignore() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    with started("run", "plan.tiss", cwd=tmp_path, preexec_fn=ignore) as process:
        wait_until((tmp_path / "ready").exists, "the plan did not begin")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
        (tmp_path / "go").touch()
        out = process.communicate(timeout=60)[0]
    assert (process.returncode, out.splitlines()[0]) == (0, "end")
