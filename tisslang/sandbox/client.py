"""The run's side of the sandbox: starts the supervisor, sends it commands, takes the results.

The supervisor is a Python of its own, started without the environment and the search path of this
one, so that no module or variable of the project gets into it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tisslang.sandbox import messages
from tisslang.sandbox.output import text_of
from tisslang.sandbox.policy import PACKAGE

_PATIENCE = 15.0  # seconds that the supervisor has to end a tree and clean up
_START = (
    "import sys; sys.path.append({path!r}); from tisslang.sandbox.supervisor import main; main()"
)
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # without which some Pythons do not start


class SupervisorError(Exception):
    """The supervisor could not do its work; the text says why."""


class Completed(NamedTuple):
    """How a command ended. The texts hold the first `max_output` bytes, the counts all of them."""

    exit_code: int  # 128 + n after signal n, 124 when the time was up, 137 for another limit
    stdout: str
    stderr: str
    stdout_bytes: int
    stderr_bytes: int
    seconds: float
    ended_by: str | None  # the limit that ended it: timeout, memory, processes, disk or file


class Client:
    """A running supervisor, and what it found out about this machine.

    `backend` is the one that holds, or None; `refused` says of each that was tried before why not;
    `home` and `tmp` are directories of the run's own; `files_reset` are the paths below the root
    that commands changed in repositories, and that were put right.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.files_reset: set[str] = set()
        try:
            with _interrupts_held_back():
                self._process = _start_supervisor()
            hello = self._exchange(settings)[0]
        except BaseException:
            if hasattr(self, "_process"):
                self.close()
            raise
        self.backend: str | None = hello["backend"]
        self.refused: dict[str, str] = hello["refused"]
        self.home: str = hello["HOME"]
        self.tmp: str = hello["TMPDIR"]

    def run(
        self,
        command: str,
        *,
        cwd: str,
        environment: Mapping[str, str],
        timeout: float,
        max_output: int,
    ) -> Completed:
        """Run `command` with `/bin/sh -c`, its standard input at its end, and wait for it.

        When the wait is interrupted (Ctrl-C), the command's whole tree is ended first. Raises
        `OSError` when the command cannot be started, `SupervisorError` when its confinement or the
        care for repositories fails.
        """
        request = {
            "command": command,
            "cwd": cwd,
            "environment": dict(environment),
            "timeout": timeout,
            "max_output": max_output,
        }
        try:
            result, blobs = self._exchange(request)
        except BaseException:
            self.close()
            raise
        self.files_reset.update(result["files_reset"])
        if failure := result["failure"]:
            kind, why = failure
            raise OSError(why) if kind == "start" else SupervisorError(why)
        return Completed(
            exit_code=result["exit_code"],
            stdout=text_of(blobs[0], result["stdout_bytes"]),
            stderr=text_of(blobs[1], result["stderr_bytes"]),
            stdout_bytes=result["stdout_bytes"],
            stderr_bytes=result["stderr_bytes"],
            seconds=result["seconds"],
            ended_by=result["ended_by"],
        )

    def close(self) -> None:
        """End what runs, let the supervisor clean up, and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._process.stdout.closed:
            return
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._take_last_answers(self._process.stdout.fileno())
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _take_last_answers(self, descriptor: int) -> None:
        """What was undone at the end; until the supervisor ends and closes its side of the pipe."""
        try:
            while (received := messages.receive(descriptor)) is not None:
                self.files_reset.update(received[0].get("files_reset", []))
        except (ValueError, KeyError, TypeError):  # an answer that was half read when we gave up
            while os.read(descriptor, 1 << 16):
                pass

    def _exchange(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            messages.send(self._process.stdin.fileno(), message)
            received = messages.receive(self._process.stdout.fileno())
        except BrokenPipeError:
            received = None
        if received is None:
            raise SupervisorError("the process that watches over commands has ended unexpectedly")
        if error := received[0].get("error"):
            raise SupervisorError(error)
        return received


def _start_supervisor() -> subprocess.Popen[bytes]:
    python = getattr(sys, "_base_executable", None) or sys.executable
    # A new session, so that Ctrl-C in a terminal does not end it before it has cleaned up; and no
    # preexec_fn, which is not safe beside a notebook's threads.
    return subprocess.Popen(
        [python, "-I", "-S", "-B", "-c", _START.format(path=os.path.dirname(PACKAGE))],
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
        cwd=os.sep,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C wait until a process that is being started is known, and so can be ended."""
    handlers: dict[int, Any] = {}
    arrived: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, lambda got, frame: arrived.append(got))
    try:
        yield
    finally:
        for held, handler in handlers.items():
            signal.signal(held, handler)
        for got in arrived:
            handlers[got](got, None)
