"""Several commands at once in one sandbox: each has its own result, its own limits and end.

They meet by files in the project: `wait_for go` in a command waits until the test makes `go`.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from processes import sleepers, wait_until
from repositories import sh
from sandboxes import BACKENDS, client_of, run_in

from tisslang.sandbox import tree
from tisslang.sandbox.client import Client, Completed, Stopped, SupervisorError

MIB = 1 << 20
PYTHON = sys.executable
# Seconds, and marks by which these sleepers are known from outside.
SLEEP, OTHER_SLEEP = f"61.{os.getpid()}", f"62.{os.getpid()}"
WAIT = "wait_for() { while ! test -e $1; do sleep 0.01; done; }; "

Start = Callable[..., "Future[Completed]"]


@pytest.fixture(params=["none", *BACKENDS])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=BACKENDS)
def confined(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def start(
    pool: ThreadPoolExecutor, client: Client, root: Path, command: str, **settings: Any
) -> "Future[Completed]":
    """Run a command in a thread of its own."""
    return pool.submit(run_in, client, WAIT + command, root, **settings)


def wait_for(file: Path) -> None:
    wait_until(file.exists, f"{file.name} is missing")


def test_commands_that_wait_for_each_other_come_to_their_end(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    with client_of(backend, tmp_path) as client:
        all_here = "; ".join(f"wait_for here.{number}" for number in range(4))
        futures = [
            start(pool, client, tmp_path, f"touch here.{number}; {all_here}; echo {number}")
            for number in range(4)
        ]
        assert [future.result().stdout for future in futures] == ["0\n", "1\n", "2\n", "3\n"]
        assert all(future.result().exit_code == 0 for future in futures)


def test_commands_can_talk_through_pipes_of_the_project(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    for name in ("there", "back"):
        os.mkfifo(tmp_path / name)
    with client_of(backend, tmp_path) as client:
        asks = start(pool, client, tmp_path, "echo 6 > there; read answer < back; echo $answer")
        answers = start(pool, client, tmp_path, "read number < there; echo $((number * 7)) > back")
        assert asks.result().stdout == "42\n"
        assert answers.result().exit_code == 0


def test_each_caller_gets_its_own_result(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    def once(number: int) -> Completed:
        size = number * 1000 if number % 10 == 0 else 0
        command = f"echo out {number}; echo err {number} >&2; head -c {size} /dev/zero >&2"
        return run_in(client, f"{command}; exit {number % 100}", tmp_path)

    with client_of(backend, tmp_path) as client:
        for number, done in enumerate(pool.map(once, range(200))):
            assert (done.exit_code, done.stdout) == (number % 100, f"out {number}\n")
            zeros = "\0" * (number * 1000 if number % 10 == 0 else 0)
            assert done.stderr == f"err {number}\n{zeros}"
            assert done.ended_by is None


# The disk and the memory of the machine are used by others too: so the limits leave much room.
LIMITS = {"memory": 120 * MIB, "processes": 20, "disk": 300 * MIB}
BREAKS = {
    "timeout": "sleep 20",
    "memory": f"{PYTHON} -c 'x = bytearray({200 * MIB}); import time; time.sleep(20)'",
    "processes": "for i in $(seq 40); do sleep 20 & done; wait",
    "disk": "for i in $(seq 8); do head -c 50M /dev/zero > f$i; done; sleep 5; rm f*; sleep 20",
}


@pytest.mark.parametrize("limit", BREAKS)
def test_a_limit_ends_one_and_leaves_the_other(
    tmp_path: Path, confined: str, limit: str, pool: ThreadPoolExecutor
) -> None:
    if limit == "disk":
        require_that_writing_is_counted(tmp_path)
    limits = {limit: LIMITS[limit]} if limit in LIMITS else {}
    with client_of(confined, tmp_path, **limits) as client:
        other = start(pool, client, tmp_path, "touch runs; wait_for go; echo on")
        wait_for(tmp_path / "runs")
        done = run_in(client, BREAKS[limit], tmp_path, timeout=1 if limit == "timeout" else 20)
        assert done.ended_by == limit
        assert not other.done()
        (tmp_path / "go").touch()
        assert other.result()[:3] == (0, "on\n", "")


def require_that_writing_is_counted(directory: Path) -> None:
    """What is written to a file system in memory counts for no process."""
    before = tree.written([os.getpid()])
    with open(directory / "counted", "wb") as file:
        file.write(bytes(MIB))
    if tree.written([os.getpid()]) < before + MIB:
        pytest.skip(f"the kernel does not count what is written to {directory}")


def test_what_neighbours_use_lawfully_is_held_against_nobody(
    tmp_path: Path, confined: str, pool: ThreadPoolExecutor
) -> None:
    """Together it is more than one may have; and their sockets have room for much more."""
    code = (
        "import os, socket, sys; from pathlib import Path\n"
        "idle = [(socket.socketpair(), os.pipe()) for _ in range(200)]\n"
        f"x = bytearray({280 * MIB}); x[::4096] = b'x' * len(x[::4096])\n"
        f"Path('f' + sys.argv[1]).write_bytes(bytes({80 * MIB}))\n"
        "Path('has' + sys.argv[1]).touch()\n"
    )
    (tmp_path / "uses.py").write_text(code + "while not Path('go').exists(): os.sched_yield()\n")
    limits = {"memory": 400 * MIB, "disk": 200 * MIB}
    with client_of(confined, tmp_path, **limits) as client:
        futures = [start(pool, client, tmp_path, f"{PYTHON} uses.py {n}") for n in range(3)]
        for number in range(3):
            wait_for(tmp_path / f"has{number}")
        done = run_in(client, "sleep 0.3", tmp_path)  # for that long all are looked at
        (tmp_path / "go").touch()
        for result in [done, *(future.result() for future in futures)]:
            assert (result.ended_by, result.exit_code, result.stderr) == (None, 0, "")


def test_what_one_leaves_ends_with_it_and_the_rest_stays(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    with client_of(backend, tmp_path) as client:
        command = f"(setsid sleep {OTHER_SLEEP} &); touch runs; wait_for go; echo on"
        other = start(pool, client, tmp_path, command)
        wait_for(tmp_path / "runs")
        for _ in range(5):
            run_in(client, f"sleep {SLEEP} & (setsid nohup sleep {SLEEP} &)", tmp_path)
            assert sleepers(SLEEP) == []
        assert len(sleepers(OTHER_SLEEP)) == 1
        (tmp_path / "go").touch()
        assert other.result().stdout == "on\n"
        assert sleepers(OTHER_SLEEP) == []


def test_one_cannot_touch_another(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    """Landlock lets commands see each other in /proc; with namespaces there is nothing to see."""
    with client_of("landlock", tmp_path) as client:
        other = start(pool, client, tmp_path, "echo $$ > pid; touch runs; wait_for go; echo on")
        wait_for(tmp_path / "runs")
        command = (
            "pid=$(cat pid); kill -9 $pid; echo $?; cat /proc/$pid/environ; : < /proc/$pid/mem"
        )
        done = run_in(client, command, tmp_path)
        assert done.stdout == "1\n"
        assert done.stderr.count("not permitted") + done.stderr.count("denied") == 3
        (tmp_path / "go").touch()
        assert other.result().stdout == "on\n"


def test_when_a_monitor_is_killed_its_command_ends_and_no_other(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    with client_of(backend, tmp_path) as client:
        futures = {}
        for mark in (SLEEP, OTHER_SLEEP):
            command = f"(setsid sleep {mark} &); touch {mark}; wait_for go; echo on"
            futures[mark] = start(pool, client, tmp_path, command)
            wait_for(tmp_path / mark)
            wait_until(lambda mark=mark: sleepers(mark), "it does not sleep")  # type: ignore[misc]
        [sleeper] = sleepers(SLEEP)
        os.kill(monitor_of(client, sleeper), signal.SIGKILL)
        with pytest.raises(SupervisorError, match="monitor of the command was killed"):
            futures[SLEEP].result()
        assert sleepers(SLEEP) == []
        assert len(sleepers(OTHER_SLEEP)) == 1
        (tmp_path / "go").touch()
        assert futures[OTHER_SLEEP].result().stdout == "on\n"
        assert run_in(client, "echo later", tmp_path).stdout == "later\n"


def monitor_of(client: Client, pid: int) -> int:
    """The child of the supervisor that this process is below."""
    while (parent := parent_of(pid)) != client._process.pid:
        pid = parent
    return pid


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_stop_ends_all_that_run_and_the_client_stays_usable(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    with client_of(backend, tmp_path) as client:
        client.stop()
        for round_ in range(3):
            futures = [
                start(
                    pool,
                    client,
                    tmp_path,
                    f"(setsid sleep {SLEEP} &); echo x; touch r{round_}.{number}; sleep {SLEEP}",
                )
                for number in range(4)
            ]
            for number in range(4):
                wait_for(tmp_path / f"r{round_}.{number}")
            client.stop()
            for future in futures:
                with pytest.raises(Stopped):
                    future.result()
            assert sleepers(SLEEP) == []
            client.stop()
            assert run_in(client, "echo on", tmp_path).stdout == "on\n"


def test_what_has_hardly_begun_can_be_ended(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    with client_of(backend, tmp_path) as client:
        for _ in range(30):
            done = run_in(client, f"sleep {SLEEP}", tmp_path, timeout=0)
            assert done.ended_by == "timeout"
            future = start(pool, client, tmp_path, f"sleep {SLEEP}")
            while not future.done():
                client.stop()
            assert isinstance(future.exception(), Stopped)
        assert sleepers(SLEEP) == []


def test_an_interruption_of_the_thread_that_waits_reaches_all(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with client_of(backend, tmp_path) as client:
        futures = [start(pool, client, tmp_path, f"sleep {SLEEP}") for _ in range(4)]
        wait_until(lambda: len(sleepers(SLEEP)) == 4, "not all sleep")
        old = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            with pytest.raises(KeyboardInterrupt):
                futures[0].result()
        finally:
            signal.signal(signal.SIGALRM, old)
        client.stop()
        assert all(isinstance(future.exception(), Stopped) for future in futures)
        assert sleepers(SLEEP) == []
        assert run_in(client, "echo on", tmp_path).stdout == "on\n"


def test_closing_ends_what_runs(tmp_path: Path, backend: str, pool: ThreadPoolExecutor) -> None:
    with client_of(backend, tmp_path) as client:
        futures = [start(pool, client, tmp_path, f"sleep {SLEEP}") for _ in range(4)]
        wait_until(lambda: len(sleepers(SLEEP)) == 4, "not all sleep")
        client.close()
        assert all(isinstance(future.exception(), Stopped) for future in futures)
        assert sleepers(SLEEP) == []
        assert not os.path.exists(client.home)
        with pytest.raises(Stopped):
            run_in(client, "true", tmp_path)


RUNS_FOUR = """
import sys
sys.path[:0] = {path!r}
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from sandboxes import client_of, run_in
root = Path({root!r})
command = "setsid sleep {sleep} & sleep {sleep}"
with client_of({backend!r}, root) as client, ThreadPoolExecutor(4) as pool:
    print(client.home, flush=True)
    list(pool.map(lambda _: run_in(client, command, root), range(4)))
"""


def test_when_the_run_is_killed_nothing_of_four_survives(tmp_path: Path, backend: str) -> None:
    script = RUNS_FOUR.format(path=sys.path, root=str(tmp_path), backend=backend, sleep=SLEEP)
    with subprocess.Popen([PYTHON, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        home = process.stdout.readline().decode().strip()
        wait_until(lambda: len(sleepers(SLEEP)) == 8, "not all run")
        process.kill()
    wait_until(
        lambda: not sleepers(SLEEP) and not os.path.exists(home),
        "something is left of a run that was killed",
    )


def test_when_the_supervisor_is_killed_nothing_of_four_survives(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    with client_of(backend, tmp_path) as client:
        futures = [start(pool, client, tmp_path, f"sleep {SLEEP}") for _ in range(4)]
        wait_until(lambda: len(sleepers(SLEEP)) == 4, "not all sleep")
        client._process.kill()
        for future in futures:
            assert isinstance(future.exception(), (SupervisorError, Stopped))
        wait_until(lambda: not sleepers(SLEEP), "a monitor has outlived the supervisor")


# Repositories


def test_what_overlapping_commands_leave_is_undone_when_the_last_has_ended(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    sh("git init -q .", tmp_path)
    settings, hook = tmp_path / ".git/config.worktree", tmp_path / "new/.git/hooks/post-commit"
    with client_of(backend, tmp_path) as client:
        other = start(pool, client, tmp_path, "touch runs; wait_for go; mkdir -p new/.git/hooks")
        wait_for(tmp_path / "runs")
        done = run_in(client, "echo x > .git/config.worktree", tmp_path)
        assert done.exit_code == 0
        made = "mkdir -p new/.git/hooks; echo x > new/.git/hooks/post-commit"
        assert run_in(client, made, tmp_path).exit_code == 0
        assert (settings.exists(), hook.exists()) == (True, True)  # so it was not guarded twice
        assert client.files_reset == set()
        (tmp_path / "go").touch()
        assert other.result().exit_code == 0
        assert (settings.exists(), hook.exists()) == (False, False)
        assert client.files_reset == {".git/config.worktree", "new/.git/hooks/post-commit"}


def test_stopped_commands_leave_no_hook(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    sh("git init -q .", tmp_path)
    with client_of(backend, tmp_path) as client:
        command = "echo x > .git/commondir; touch runs; sleep 20"
        future = start(pool, client, tmp_path, command)
        wait_for(tmp_path / "runs")
        client.stop()
        assert isinstance(future.exception(), Stopped)
        assert not (tmp_path / ".git/commondir").exists()
        assert client.files_reset == {".git/commondir"}


def test_a_repository_that_was_moved_meanwhile_is_guarded_where_it_is(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """A command gets its mounts by path: it waits until it is known again what is where."""
    (tmp_path / "old").mkdir()
    sh("git init -q old", tmp_path)
    with client_of("namespaces", tmp_path) as client:
        command = "mv old new; mkdir -p old/.git/hooks; touch moved; wait_for go"
        first = start(pool, client, tmp_path, command)
        wait_for(tmp_path / "moved")
        others = [
            start(pool, client, tmp_path, f"touch {n}; echo x > new/.git/hooks/x") for n in range(3)
        ]
        time.sleep(0.3)  # should they be asked for later than that, they find the same
        (tmp_path / "go").touch()
        assert first.result().exit_code == 0
        for number, other in enumerate(others):
            assert "Read-only file system" in other.result().stderr
            assert (tmp_path / str(number)).exists()


def test_stop_reaches_those_that_wait(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    (tmp_path / "old").mkdir()
    sh("git init -q old", tmp_path)
    with client_of("namespaces", tmp_path) as client:
        first = start(pool, client, tmp_path, "mv old new; touch moved; wait_for go")
        wait_for(tmp_path / "moved")
        second = start(pool, client, tmp_path, "wait_for never")
        time.sleep(0.3)
        while not second.done():  # it may be asked for only now
            client.stop()
            time.sleep(0.01)
        assert isinstance(first.exception(), Stopped)
        assert isinstance(second.exception(), Stopped)
        assert run_in(client, "echo on", tmp_path).stdout == "on\n"


def test_where_repositories_cannot_be_put_right_nothing_goes_on(
    tmp_path: Path, backend: str, pool: ThreadPoolExecutor
) -> None:
    sh("git init -q .", tmp_path)
    with client_of(backend, tmp_path) as client:
        future = start(pool, client, tmp_path, "touch runs; wait_for go")
        wait_for(tmp_path / "runs")
        resource.prlimit(client._process.pid, resource.RLIMIT_NOFILE, (3, 3))  # no more descriptors
        (tmp_path / "go").touch()
        with pytest.raises(SupervisorError, match="version control"):
            future.result()
        with pytest.raises(Stopped):
            run_in(client, "true", tmp_path)


def test_what_the_run_writes_in_a_directory_that_becomes_a_repository_is_put_right(
    tmp_path: Path, backend: str
) -> None:
    made = "git init -q new && mv new/.git/* late && mv late .git"
    (tmp_path / "late").mkdir()
    with client_of(backend, tmp_path) as client:
        with client.writing():
            directory = os.open(tmp_path / "late", os.O_DIRECTORY)  # and it is no repository yet
            assert run_in(client, made, tmp_path).exit_code == 0
            config = os.open("config", os.O_WRONLY | os.O_TRUNC, dir_fd=directory)
            os.write(config, b"[core]\n\tfsmonitor = touch pwned\n")
            os.close(config)
            os.close(directory)
            assert run_in(client, "test -e .git/HEAD", tmp_path).exit_code == 0
            assert b"pwned" in (tmp_path / ".git/config").read_bytes()
        assert b"pwned" not in (tmp_path / ".git/config").read_bytes()
        assert ".git/config" in client.files_reset


def test_repositories_are_put_right_though_the_run_dies_while_it_writes(
    tmp_path: Path, backend: str
) -> None:
    with client_of(backend, tmp_path) as client:
        with contextlib.suppress(Stopped), client.writing():
            run_in(client, "git init -q . && echo x > .git/hooks/post-commit", tmp_path)
            assert (tmp_path / ".git/hooks/post-commit").exists()
            client.close()
        assert not (tmp_path / ".git/hooks/post-commit").exists()


def test_the_deadline_holds_for_a_command_that_had_to_wait(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    (tmp_path / "old").mkdir()
    sh("git init -q old", tmp_path)
    with client_of("namespaces", tmp_path) as client:
        first = start(pool, client, tmp_path, "mv old new; touch moved; wait_for go")
        wait_for(tmp_path / "moved")
        deadline = time.monotonic() + 0.3
        second = start(pool, client, tmp_path, f"sleep {SLEEP}", deadline=deadline)
        while time.monotonic() < deadline:
            time.sleep(0.01)
        (tmp_path / "go").touch()
        assert first.result().exit_code == 0
        assert second.result().ended_by == "timeout"
