"""The run's side of the sandbox: starts the supervisor, sends it commands, takes the results.

The supervisor is a Python of its own, started without the environment and the search path of this
one, so that no module or variable of the project gets into it.

Several threads may have commands run at once. Replies come in the order in which commands end: of
the threads that wait, always one reads, and lays what it gets ready for the one that it is for.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tisslang.interrupts import interrupts_held_back
from tisslang.sandbox import messages
from tisslang.sandbox.output import text_of
from tisslang.sandbox.policy import PACKAGE

_PATIENCE = 15.0  # seconds that the supervisor has to end a tree and clean up
_GONE = "the process that watches over commands has ended unexpectedly"
_CLOSED = "the run has closed the sandbox, and no command runs in it any more"
_START = (
    "import sys; sys.path.append({path!r}); from tisslang.sandbox.supervisor import main; main()"
)
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # without which some Pythons do not start


class SupervisorError(Exception):
    """The supervisor could not do its work; the text says why."""


class Stopped(Exception):
    """The command was ended before its time: by `Client.stop`, or because its client was closed."""


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
        self._numbers = itertools.count()
        self._is_open = True
        self._sending = threading.Lock()  # held by the thread that sends
        self._change = threading.Condition()  # for what follows
        self._replies: dict[int, tuple[dict[str, Any], list[bytes]]] = {}  # not fetched yet
        self._reader: int | None = None  # the thread that reads
        self._is_over = False  # no more replies can be read
        try:
            with interrupts_held_back():  # until the process is known, and so can be ended
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
        deadline: float | None = None,
    ) -> Completed:
        """Run `command` with `/bin/sh -c`, its standard input at its end, and wait for it.

        It has `timeout` seconds, but none after `deadline`, a time of `time.monotonic`, even if it
        has to wait for others before it can start.

        When the wait is interrupted (Ctrl-C), everything is ended first, and the client closed.
        Raises `OSError` when the command cannot be started, `SupervisorError` when its confinement
        or the care for repositories fails, and `Stopped`.
        """
        request = {
            "command": command,
            "cwd": cwd,
            "environment": dict(environment),
            "timeout": timeout,
            "max_output": max_output,
            "deadline": deadline,
        }
        result, blobs = self._exchange_or_close(request)
        if failure := result["failure"]:
            kind, why = failure
            raise OSError(why) if kind == "start" else SupervisorError(why)
        if result["ended_by"] == "stopped":
            raise Stopped("the command was ended before its time")
        return Completed(
            exit_code=result["exit_code"],
            stdout=text_of(blobs[0], result["stdout_bytes"]),
            stderr=text_of(blobs[1], result["stderr_bytes"]),
            stdout_bytes=result["stdout_bytes"],
            stderr_bytes=result["stderr_bytes"],
            seconds=result["seconds"],
            ended_by=result["ended_by"],
        )

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """While this lasts, the run itself may change files of the project. What commands did to
        repositories is put right behind it: until then such a file may come to lie in one.
        """
        self._exchange_or_close({"writing": True})
        try:
            yield
        finally:
            self._exchange_or_close({"writing": False})

    def stop(self) -> None:
        """End all commands that run now, each with its whole tree; their `run` raises `Stopped`.

        It does not wait for that, and later commands run as ever. Any thread may call it, though
        not the handler of a signal: its thread may be sending.
        """
        try:
            self._send({"stop": True})
        except (SupervisorError, Stopped):
            pass  # nothing runs any more
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End what runs, let the supervisor clean up, and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._sending:
            self._is_open = False
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        with self._change:
            me = threading.get_ident()  # an interruption may have left our mark
            self._change.wait_for(lambda: self._reader in (None, me))
            if self._process.stdout.closed:
                return
            self._is_over = False  # what an interrupted thread left unread
            try:
                while not self._is_over:
                    self._read_reply()
            except (ValueError, KeyError, TypeError):  # it had read a half of a reply
                while os.read(self._process.stdout.fileno(), 1 << 16):
                    pass
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()

    def _exchange_or_close(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        try:
            return self._exchange(request)
        except BaseException:
            self.close()
            raise

    def _exchange(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        """Send a request, and wait for its reply."""
        number = next(self._numbers)
        self._send({**request, "number": number})
        with self._change:
            while number not in self._replies:
                if self._is_over:
                    raise SupervisorError(_GONE) if self._is_open else Stopped(_CLOSED)
                if self._reader is None:
                    self._read_reply()
                else:
                    self._change.wait()
            reply = self._replies.pop(number)
        if error := reply[0].get("error"):
            raise SupervisorError(error)
        return reply

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with self._sending:
            if not self._is_open:
                raise Stopped(_CLOSED)
            try:
                messages.send(self._process.stdin.fileno(), message)
            except BrokenPipeError:
                raise SupervisorError(_GONE) from None
            except BaseException:
                self._is_open = False  # nothing can follow a part of a message
                raise

    def _read_reply(self) -> None:
        """Wait for the next reply to anybody, the others free to send and wait meanwhile."""
        assert self._process.stdout is not None
        received = None
        self._reader = threading.get_ident()
        try:
            self._change.release()
            received = messages.receive(self._process.stdout.fileno())
        finally:
            self._change.acquire()
            self._reader = None
            self._is_over = received is None
            if received is not None:
                self.files_reset.update(received[0].get("files_reset", []))
                self._replies[received[0]["number"]] = received
            self._change.notify_all()


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
