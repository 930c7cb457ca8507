"""Run one shell command in a process group of its own, bounded in time and output."""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

SHELL = "/bin/sh"
GRACE = 1.0  # seconds that the pipes are waited for after the command has ended
POLL = 0.02  # seconds between looks at the process where the system cannot wake us up
LONG_WAIT = 3600.0  # one wait at most: systems refuse very long ones
CHUNK = 1 << 16
TIMED_OUT = 124


class Completed(NamedTuple):
    """How a command ended. The texts hold the first `max_output` bytes, the counts all of them."""

    exit_code: int  # 128 + n after signal n, 124 when the time was up
    stdout: str
    stderr: str
    stdout_bytes: int
    stderr_bytes: int
    seconds: float
    timed_out: bool


class _Head:
    """The first bytes of a stream, and the number of all of them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.kept = bytearray()
        self.count = 0

    def take(self, chunk: bytes) -> None:
        self.kept += chunk[: self.limit - len(self.kept)]
        self.count += len(chunk)

    def text(self) -> str:
        data = bytes(self.kept)
        if self.count > len(data):
            data = _without_cut_character(data)
        return data.decode("utf-8", "replace")


def run_shell(
    command: str, *, cwd: str, environment: Mapping[str, str], timeout: float, max_output: int
) -> Completed:
    """Run `command` with `/bin/sh -c`, its standard input at its end, and wait for it.

    After the command, or after `timeout` seconds, everything left in its process group is killed;
    so it is when the wait is interrupted (Ctrl-C). Raises `OSError` when the shell cannot start.
    """
    started = time.monotonic()
    heads = _Head(max_output), _Head(max_output)
    process: subprocess.Popen[bytes] | None = None
    try:
        with _interrupts_held_back():
            # A new session rather than a preexec_fn: that is not safe beside a notebook's threads.
            process = subprocess.Popen(
                [SHELL, "-c", command],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        with _Reader(process, heads) as reader:
            ended = reader.read_until_end(started + timeout)
            seconds = time.monotonic() - started
            _kill_group(process.pid)  # while its leader is not yet reaped, so the number is its own
            process.wait()
            reader.drain(time.monotonic() + GRACE)
    except BaseException:
        if process is not None and process.returncode is None:
            _kill_group(process.pid)
            process.wait()
        raise
    finally:
        for stream in (process.stdout, process.stderr) if process is not None else ():
            if stream is not None:
                stream.close()
    code = process.returncode
    exit_code = TIMED_OUT if not ended else 128 - code if code < 0 else code
    out, err = heads
    return Completed(exit_code, out.text(), err.text(), out.count, err.count, seconds, not ended)


class _Reader:
    """Reads both pipes at once, and learns when the process ends without reaping it."""

    def __init__(self, process: subprocess.Popen[bytes], heads: tuple[_Head, _Head]) -> None:
        self._process = process
        self._selector = selectors.DefaultSelector()
        self._open_pipes = 0
        for stream, head in zip((process.stdout, process.stderr), heads):
            assert stream is not None
            self._selector.register(stream, selectors.EVENT_READ, head)
            self._open_pipes += 1
        self._wakeup: int | None = None
        with contextlib.suppress(AttributeError, OSError):  # Linux only
            self._wakeup = os.pidfd_open(process.pid)
            self._selector.register(self._wakeup, selectors.EVENT_READ, None)

    def __enter__(self) -> "_Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        if self._wakeup is not None:
            os.close(self._wakeup)

    def read_until_end(self, deadline: float) -> bool:
        """True when the process has ended, False when the deadline came first."""
        while not _has_ended(self._process):
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._read_once(min(left, POLL if self._wakeup is None else LONG_WAIT))
        return True

    def drain(self, deadline: float) -> None:
        """Read what the pipes still hold, until they close or the deadline comes."""
        if self._wakeup is not None:
            self._selector.unregister(self._wakeup)
        while self._open_pipes and (left := deadline - time.monotonic()) > 0:
            self._read_once(left)

    def _read_once(self, timeout: float) -> None:
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                continue
            chunk = os.read(key.fd, CHUNK)
            if chunk:
                key.data.take(chunk)
            else:
                self._selector.unregister(key.fileobj)
                self._open_pipes -= 1


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C wait until a process that is being started is known, and so can be killed."""
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


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """True once the process has ended. It stays a zombie, so that its number is not given away."""
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None  # macOS before Python 3.13: reaped at once


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _without_cut_character(data: bytes) -> bytes:
    """`data` without the incomplete UTF-8 character at its end, if there is one."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:  # the first byte of a character that wants `length` bytes
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if length > back else data
        if byte < 0x80:
            break
    return data
