"""Watches over one command: starts it, reads its output, counts its tree, and ends it whole.

It is a process of its own with one thread, forked by the supervisor for each command. It reads what
comes through two pipes, never waiting in a read, and counts; for the backend without mounts it also
changes modes and times of files in the command's place (notify.py).

Other commands may run beside it, each with a monitor. Time, output, processes and the memory that
processes show count for one command alone. Free disk space, and memory that no process shows, are
lost to all of them: disks.py and memory.py say what is held against whom. (So is the kernel's own
limit on the processes of one user, under Landlock: it leaves room for four such trees.)
"""

from __future__ import annotations

import _socket
import array
import contextlib
import json
import os
import select
import signal
import time
from typing import Any

from tisslang.sandbox import tree
from tisslang.sandbox.command import LINUX, STARTED, Ends, become_command
from tisslang.sandbox.disks import Disks
from tisslang.sandbox.neighbours import Neighbours
from tisslang.sandbox.output import CHUNK, Head

if LINUX:
    from tisslang.sandbox import landlock, linux, namespaces, notify, restrict
    from tisslang.sandbox.memory import Memory

TICK = 0.05  # seconds between two looks at the tree
GRACE = 1.0  # seconds that the pipes are waited for when the tree is gone
TIMED_OUT = 124
KILLED = 137
FILE_TOO_LARGE = 128 + 25  # ended by SIGXFSZ

Settings = dict[str, Any]


def watch(
    settings: Settings,
    request: dict[str, Any],
    repositories: list[Any],
    neighbours: Neighbours,
    lifeline: int,
) -> tuple[dict[str, Any], Head, Head]:
    """Run one command to its end: what became of it, and the beginnings of both streams.

    `lifeline` is a pipe that closes when the command is no longer wanted. Raises `OSError` where
    this machine has not what the backend needs.
    """
    if LINUX:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # orphans of the tree come to us
    if settings["backend"] == "landlock":
        landlock.keep_signals_inside()
        _prove_that_signals_stay_inside()
    return _Watch(settings, request, repositories, neighbours).run(lifeline)


class _Watch:
    def __init__(
        self,
        settings: Settings,
        request: dict[str, Any],
        repositories: list[Any],
        neighbours: Neighbours,
    ) -> None:
        self._settings = settings
        self._request = request
        self._started = time.monotonic()
        self._status: int | None = None
        self._ended_by: str | None = None
        self._status_text = b""  # that the command started, or why it could not
        limits, places = settings["limits"], [settings["root"], *settings["writable"]]
        if LINUX:
            self._memory = Memory(limits["memory"], neighbours)
        self._disks = Disks(places, limits["disk"], neighbours)
        self._heads = Head(request["max_output"]), Head(request["max_output"])
        self._poll = select.poll()
        self._readers: dict[int, Any] = {}
        self._start(repositories)

    def _start(self, repositories: list[Any]) -> None:
        (out, out_end), (err, err_end), (status, status_end) = os.pipe(), os.pipe(), os.pipe()
        control, control_end = _socket_pair()
        settings = {**self._settings, "monitor": os.getpid()}
        if settings["backend"] == "namespaces" and not settings["bubblewrap"]:
            self._pid = namespaces.fork(settings["network"])
        else:
            self._pid = os.fork()
        if self._pid == 0:
            ends = Ends(out_end, err_end, status_end, control_end)
            become_command(settings, self._request, repositories, ends)
        for end in (out_end, err_end, status_end, control_end):
            os.close(end)
        self._control = control
        self._read_from(out, self._heads[0].take)
        self._read_from(err, self._heads[1].take)
        self._read_from(status, self._take_status)
        self._wakeup = _process_descriptor(self._pid)
        self._watch_descriptor(control)
        if self._wakeup is not None:
            self._watch_descriptor(self._wakeup)

    def run(self, lifeline: int) -> tuple[dict[str, Any], Head, Head]:
        """Watch until the command has ended or must end; then end all of it."""
        self._watch_descriptor(lifeline)
        deadline = self._started + self._request["timeout"]
        next_look = self._started
        while not self._has_ended() and self._ended_by is None:
            now = time.monotonic()
            if now >= deadline:
                self._ended_by = "timeout"
            elif now >= next_look:
                self._look_at_limits()
                next_look = time.monotonic() + TICK
            else:
                self._serve(min(deadline, next_look) - now, lifeline)
        seconds = time.monotonic() - self._started
        if self._ended_by is None:
            self._look_at_limits()
        code = self._end_tree()
        self._drain()
        out, err = self._heads
        result = {
            "exit_code": self._exit_code(code),
            "seconds": seconds,
            "stdout_bytes": out.count,
            "stderr_bytes": err.count,
            "ended_by": self._ended_by,
            "failure": self._why_not_started(),
        }
        return result, out, err

    def _why_not_started(self) -> Any:
        before, started, after = self._status_text.partition(STARTED)
        told = before or after
        if told:
            return json.loads(told)
        if not started and self._ended_by is None:
            return ["confinement", "its process ended before the command started"]
        return None

    def _serve(self, seconds: float, lifeline: int) -> None:
        wait = seconds if self._wakeup is not None else min(seconds, 0.01)
        for descriptor, _ in self._poll.poll(max(1, round(wait * 1000))):
            if descriptor == lifeline:
                self._ended_by = "stopped"
            elif descriptor == self._control:
                self._take_listener()
            elif descriptor in self._readers:
                self._read(descriptor)
            elif descriptor != self._wakeup:  # the filter asks
                places = (self._settings["root"], *self._settings["writable"])
                notify.answer(descriptor, places)

    def _look_at_limits(self) -> None:
        """The limits of the whole tree; under `none` only time and output are limited."""
        if not self._settings["confined"] or not LINUX:
            return
        limits = self._settings["limits"]
        root = self._pid if self._settings["backend"] == "namespaces" else os.getpid()
        processes = tree.descendants(root, limits["processes"])
        if sum(process.threads for process in processes) > limits["processes"]:
            self._ended_by = "processes"
        elif self._disks.are_exceeded([root, *(process.pid for process in processes)]):
            self._ended_by = "disk"
        elif self._memory.is_exceeded(processes):
            self._ended_by = "memory"

    def _has_ended(self) -> bool:
        """True once the main process has ended. It stays a zombie: its number is not given away."""
        if self._status is None and hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        if self._status is None:  # macOS before Python 3.13: it is taken in at once
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def _end_tree(self) -> int:
        """Kill all that is left; the wait status of the main process."""
        self._kill_all()
        if self._status is None:
            self._status = os.waitpid(self._pid, 0)[1]
        if self._settings["backend"] == "landlock":
            end = time.monotonic() + tree.PATIENCE
            while not tree.reap() and time.monotonic() < end:
                self._kill_all()
                time.sleep(0.001)
        elif LINUX:  # what left the group of a command without a sandbox comes to us as orphans
            tree.end_descendants()
        return self._status

    def _kill_all(self) -> None:
        backend = self._settings["backend"]
        if backend == "landlock":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(-1, signal.SIGKILL)  # reaches this Landlock domain, which is the tree
            return
        if self._status is None:
            with contextlib.suppress(PermissionError):
                os.kill(self._pid, signal.SIGKILL)  # in namespaces all end with it
        if backend != "namespaces":  # its group is killed second: at first it had none
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)

    def _exit_code(self, status: int) -> int:
        if self._ended_by == "timeout":
            return TIMED_OUT
        if self._ended_by is not None:
            return KILLED
        code = tree.exit_code(status)
        if code == FILE_TOO_LARGE and self._settings["confined"]:
            self._ended_by = "file"
        return code

    def _drain(self) -> None:
        """Read what the pipes still hold, until they close or a second has passed."""
        end = time.monotonic() + GRACE
        while self._readers and (left := end - time.monotonic()) > 0:
            for descriptor, _ in self._poll.poll(max(1, round(left * 1000))):
                if descriptor in self._readers:
                    self._read(descriptor)
                else:
                    self._poll.unregister(descriptor)

    def _read_from(self, descriptor: int, take: Any) -> None:
        # A command can open its own end of a pipe and take back what it wrote: never wait in read.
        os.set_blocking(descriptor, False)
        self._readers[descriptor] = take
        self._watch_descriptor(descriptor)

    def _watch_descriptor(self, descriptor: int) -> None:
        self._poll.register(descriptor, select.POLLIN)

    def _read(self, descriptor: int) -> None:
        try:
            chunk = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self._readers[descriptor](chunk)
        else:
            self._poll.unregister(descriptor)
            del self._readers[descriptor]
            os.close(descriptor)

    def _take_status(self, chunk: bytes) -> None:
        self._status_text += chunk

    def _take_listener(self) -> None:
        """Before the command starts, its process hands over the descriptor of its filter."""
        listener = _receive_descriptor(self._control)
        self._poll.unregister(self._control)
        if listener is not None:
            self._watch_descriptor(listener)


def _prove_that_signals_stay_inside() -> None:
    """Before `kill(-1)` is ever called: some kernels claim to keep signals inside and do not."""
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return
    raise restrict.NotConfined("signals leave the Landlock domain")


def _process_descriptor(pid: int) -> int | None:
    """Readable when the process has ended; None where the system has no such descriptors."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _receive_descriptor(control: int) -> int | None:
    sock = _socket.socket(fileno=control)
    numbers = array.array("i")
    _, ancillary, _, _ = sock.recvmsg(1, _socket.CMSG_LEN(numbers.itemsize))
    sock.detach()
    for _, _, data in ancillary:
        numbers.frombytes(data[: numbers.itemsize])
    return numbers[0] if numbers else None


def _socket_pair() -> tuple[int, int]:
    ours, theirs = _socket.socketpair()
    return ours.detach(), theirs.detach()
