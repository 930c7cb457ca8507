"""One shell command: its result, its limits, and what it leaves behind (nothing)."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from processes import is_running

from tisslang.environment import Scratch, command_environment
from tisslang.process import Completed, run_shell


def shell(command: str, cwd: Path, timeout: float = 20, max_output: int = 1 << 20) -> Completed:
    environment = {"PATH": os.environ["PATH"]}
    return run_shell(
        command, cwd=str(cwd), environment=environment, timeout=timeout, max_output=max_output
    )


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 5
    while is_running(pid):
        assert time.monotonic() < end, f"process {pid} is still running"
        time.sleep(0.01)


def test_the_streams_are_kept_apart(tmp_path: Path) -> None:
    done = shell("echo out; echo err >&2; exit 3", tmp_path)
    assert done[:5] == (3, "out\n", "err\n", 4, 4)
    assert not done.timed_out
    assert 0 < done.seconds < 10


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", 0),
        ("exit 255", 255),
        ("no-such-command-here", 127),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
        ("sh -c 'kill -9 $$'; exit $?", 137),
        ("", 0),
    ],
)
def test_exit_codes(tmp_path: Path, command: str, code: int) -> None:
    assert shell(command, tmp_path).exit_code == code


def test_standard_input_is_at_its_end(tmp_path: Path) -> None:
    assert shell("cat; echo done", tmp_path, timeout=5).stdout == "done\n"


def test_a_timeout_kills_the_whole_group_and_keeps_the_output(tmp_path: Path) -> None:
    command = "echo before; (sleep 60 & echo $! > pid; wait) & sh -c 'sleep 60'; echo after"
    started = time.monotonic()
    done = shell(command, tmp_path, timeout=0.5)
    assert time.monotonic() - started < 3
    assert (done.exit_code, done.timed_out, done.stdout) == (124, True, "before\n")
    wait_until_gone(int((tmp_path / "pid").read_text()))


def test_background_processes_end_with_the_command(tmp_path: Path) -> None:
    started = time.monotonic()
    done = shell("sleep 60 & echo $! > pid; echo started", tmp_path)
    assert time.monotonic() - started < 5
    assert done.stdout == "started\n"
    wait_until_gone(int((tmp_path / "pid").read_text()))


def test_a_process_that_left_the_group_holds_the_pipes_for_a_second_at_most(tmp_path: Path) -> None:
    started = time.monotonic()
    done = shell("setsid sh -c 'echo $$ > pid; exec sleep 30' & sleep 0.3", tmp_path)
    assert done.exit_code == 0
    assert 1 <= time.monotonic() - started < 5
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_command_that_closes_its_streams_is_waited_for(tmp_path: Path) -> None:
    done = shell("exec >&- 2>&-; sleep 0.3; exit 7", tmp_path)
    assert done.exit_code == 7
    assert done.seconds >= 0.3


def test_much_output_needs_little_memory(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = shell("head -c 50000000 /dev/zero; echo x >&2", tmp_path, max_output=100_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert (len(done.stdout), done.stdout_bytes, done.stderr) == (100_000, 50_000_000, "x\n")
    assert grown < 20_000


def test_output_is_cut_between_characters_and_bad_bytes_are_replaced(tmp_path: Path) -> None:
    assert shell("printf 'aé\\200b'", tmp_path).stdout == "aé\ufffdb"
    assert shell("printf 'aé'", tmp_path, max_output=2).stdout == "a"
    assert shell("printf '€€'", tmp_path, max_output=5).stdout == "€"
    assert shell("printf 'abc'", tmp_path, max_output=0).stdout == ""


def test_no_descriptors_or_processes_are_left(tmp_path: Path) -> None:
    shell("true", tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        shell("echo x", tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_an_interruption_kills_the_group(tmp_path: Path) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            shell("sleep 60 & echo $! > pid; wait", tmp_path)
    finally:
        signal.signal(signal.SIGALRM, old)
    wait_until_gone(int((tmp_path / "pid").read_text()))


def test_an_interruption_while_the_command_starts_kills_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Slow(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    monkeypatch.setattr(subprocess, "Popen", Slow)
    with pytest.raises(KeyboardInterrupt):
        shell("sleep 60", tmp_path)
    assert started[0].returncode == -signal.SIGKILL


def test_a_missing_directory_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        shell("true", tmp_path / "gone")


def test_the_environment_holds_little_and_home_is_fresh() -> None:
    outer = {
        "PATH": "/usr/bin:relative::./x:/bin:/usr/bin",
        "HOME": "/home/me",
        "LANG": "de_DE.ISO-8859-1",
        "LC_ALL": "C",
        "LC_TIME": "de_DE.UTF-8",
        "TERM": "xterm",
        "API_KEY": "secret",
        "LD_PRELOAD": "x.so",
    }
    scratch = Scratch()
    inner = command_environment(outer, scratch, {"EXTRA": "1"})
    assert set(inner) == {"PATH", "HOME", "TMPDIR", "LANG", "LC_TIME", "TERM", "EXTRA"}
    assert inner["PATH"] == f"{os.path.dirname(sys.executable)}:/usr/bin:/bin"
    assert inner["LANG"] == "C.UTF-8"
    assert os.listdir(inner["HOME"]) == os.listdir(inner["TMPDIR"]) == []
    again = command_environment(outer, scratch, {})
    assert again["HOME"] == inner["HOME"]
    scratch.remove()
    assert not os.path.exists(inner["HOME"])
    outer["LANG"] = "en_GB.utf8"
    assert command_environment(outer, scratch, {})["LANG"] == "en_GB.utf8"
    scratch.remove()
