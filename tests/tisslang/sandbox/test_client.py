"""One shell command: its result, its limits, and what it leaves behind (nothing)."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import is_running, sleepers, wait_until
from sandboxes import client_of, run_in

from tisslang.sandbox.client import Client, Completed
from tisslang.sandbox.output import Head, text_of

Shell = Callable[..., Completed]
SLEEP = f"60.{os.getpid()}"  # seconds, and a mark by which these sleepers are known from outside


@pytest.fixture(scope="module", params=["none", "namespaces", "landlock"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def client(backend: str, root: Path) -> Iterator[Client]:
    with client_of(backend, root) as client:
        yield client


@pytest.fixture
def shell(client: Client, root: Path) -> Shell:
    return lambda command, **settings: run_in(client, command, root, **settings)


def test_the_streams_are_kept_apart(shell: Shell) -> None:
    done = shell("echo out; echo err >&2; exit 3")
    assert done[:5] == (3, "out\n", "err\n", 4, 4)
    assert done.ended_by is None
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
def test_exit_codes(shell: Shell, command: str, code: int) -> None:
    assert shell(command).exit_code == code


def test_standard_input_is_at_its_end(shell: Shell) -> None:
    assert shell("cat; echo done", timeout=5).stdout == "done\n"


def test_a_timeout_ends_the_whole_tree_and_keeps_the_output(shell: Shell) -> None:
    command = f"echo before; (sleep {SLEEP} & wait) & setsid sleep {SLEEP} & sh -c 'sleep {SLEEP}'"
    done = shell(command, timeout=0.5)
    assert (done.exit_code, done.ended_by, done.stdout) == (124, "timeout", "before\n")
    assert 0.5 <= done.seconds < 5
    assert sleepers(SLEEP) == []


@pytest.mark.parametrize(
    "start",
    [
        "sleep SLEEP &",
        "(sleep SLEEP &)",
        "setsid sleep SLEEP &",
        "setsid nohup sh -c 'trap \"\" TERM HUP INT; sleep SLEEP' &",
        "exec >&- 2>&-; setsid sleep SLEEP &",
    ],
)
def test_background_processes_end_with_the_command(shell: Shell, start: str) -> None:
    done = shell(start.replace("SLEEP", SLEEP) + " sleep 0.1; echo started 2>/dev/null")
    assert done.seconds < 5
    assert sleepers(SLEEP) == []


def test_a_command_that_closes_its_streams_is_waited_for(shell: Shell) -> None:
    done = shell("exec >&- 2>&-; sleep 0.3; exit 7")
    assert done.exit_code == 7
    assert done.seconds >= 0.3


def test_much_output_needs_little_memory(shell: Shell) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = shell("head -c 50000000 /dev/zero; echo x >&2", max_output=100_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # KiB
    assert (len(done.stdout), done.stdout_bytes, done.stderr) == (100_000, 50_000_000, "x\n")
    assert grown < 20_000


def test_output_is_cut_between_characters_and_bad_bytes_are_replaced() -> None:
    def text(data: bytes, limit: int) -> str:
        head = Head(limit)
        for byte in data:
            head.take(bytes([byte]))
        return text_of(bytes(head.kept), head.count)

    assert text(b"a\xc3\xa9\x80b", 100) == "aé\ufffdb"
    assert text("aé".encode(), 2) == "a"
    assert text("€€".encode(), 5) == "€"
    assert text(b"abc", 0) == ""


def test_odd_bytes_arrive_as_they_are(shell: Shell) -> None:
    done = shell("printf 'a\\000b\\377\\r\\n'; head -c 300000 /dev/zero >&2")
    assert done.stdout == "a\0b\ufffd\r\n"
    assert done.stderr == "\0" * 300_000


def test_a_thousand_runs_leave_no_descriptor_and_no_process(client: Client, root: Path) -> None:
    def left() -> tuple[int, list[int]]:
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        return len(os.listdir("/proc/self/fd")), [int(pid) for pid in children]

    before = left()
    for _ in range(100):
        run_in(client, "echo x", root)
    assert left() == before
    [supervisor] = [pid for pid in before[1] if b"sandbox.supervisor" in cmdline(pid)][-1:]
    assert len(os.listdir(f"/proc/{supervisor}/fd")) < 12
    assert Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text() == ""


def cmdline(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.parametrize("command", ["sleep SLEEP & wait", "setsid sleep SLEEP"])
def test_an_interruption_ends_the_tree(backend: str, root: Path, command: str) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with client_of(backend, root) as client:
        old = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        try:
            with pytest.raises(KeyboardInterrupt):
                run_in(client, command.replace("SLEEP", SLEEP), root)
        finally:
            signal.signal(signal.SIGALRM, old)
        assert sleepers(SLEEP) == []
        assert not os.path.exists(client.home)


def test_an_interruption_while_the_supervisor_starts_ends_it_too(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Slow(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **settings)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)

    monkeypatch.setattr(subprocess, "Popen", Slow)
    with pytest.raises(KeyboardInterrupt), client_of("none", root):
        pass
    wait_until(lambda: not is_running(started[0].pid), "the supervisor is still running")


RUNS_FOR_LONG = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from sandboxes import client_of, run_in
root = Path({root!r})
with client_of({backend!r}, root) as client:
    print(client.home, flush=True)
    run_in(client, "touch started; setsid sleep {sleep} & sleep {sleep}", root)
"""


def test_when_the_run_is_killed_nothing_survives(backend: str, tmp_path: Path) -> None:
    script = RUNS_FOR_LONG.format(path=sys.path, root=str(tmp_path), backend=backend, sleep=SLEEP)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        home = process.stdout.readline().decode().strip()
        wait_until((tmp_path / "started").exists, "the command did not start")
        process.kill()
    wait_until(
        lambda: not sleepers(SLEEP) and not os.path.exists(home),
        "something is left of a run that was killed",
    )


def test_a_missing_directory_is_an_os_error(client: Client, root: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        run_in(client, "true", root / "gone")
    assert run_in(client, "echo on", root).stdout == "on\n"
