"""tiss without the time to load it: loaded.py has loaded it once, and forks for each run.

What starts so is a child of the tests like any other, with the arguments, the environment, the
folder and the files that `Popen` would give it, and its sandbox is started as always. But it is no
new program: an attack that looks at tiss itself needs a real start.
"""

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from attacks.variant import REPOSITORY, Variant

LOADED = Path(__file__).with_name("loaded.py")


class Child:
    """A process that runs `tiss`, with the methods of `Popen` that are needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = os.pidfd_open(pid)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        os.close(self._ended)

    def poll(self) -> int | None:
        """The exit code as Popen has it, or None."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; `subprocess.TimeoutExpired` when it still runs after these seconds."""
        if not select.select([self._ended], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("tiss", timeout or 0)
        exit_code = self.poll()
        assert exit_code is not None
        return exit_code

    def kill(self) -> None:
        """End it at once."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


@functools.cache
def server(variant: Variant) -> socket.socket:
    """A loaded tiss of this variant; it ends with the tests."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = variant.command()
    module = command.index("-m")
    with there:
        process = subprocess.Popen(
            [*command[:module], str(LOADED), str(there.fileno())],
            cwd="/",
            env={"PATH": variant.search_path(), "LANG": "C.UTF-8", "PYTHONPATH": str(REPOSITORY)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(there.fileno(),),
            start_new_session=True,
        )

    def end() -> None:
        here.close()
        process.wait()

    atexit.register(end)
    return here


def start(variant: Variant, arguments: list[str], out: int, err: int, **options: Any) -> Child:
    """`tiss` with these arguments; `options` are Popen's. This process must be a subreaper."""
    given = {"arguments": arguments, "environment": options["env"], "cwd": str(options["cwd"])}
    kept = options["pass_fds"]
    channel = server(variant)
    with open(os.devnull, "rb") as nothing:
        order = json.dumps({**given, "kept": kept}).encode()
        socket.send_fds(channel, [order], [nothing.fileno(), out, err, *kept])
    answer = channel.recv(64)
    assert answer, f"the loaded tiss of {variant} has ended"
    return Child(int(answer))
