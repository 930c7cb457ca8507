"""What becomes of the processes that a plan started."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether the process lives; a zombie, which only waits to be counted, does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def sleepers(seconds: str) -> list[int]:
    """The processes `sleep SECONDS`, seen from outside: an odd number marks those of one test."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", seconds.encode()]:
            found.append(int(pid))
    return found


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Wait for a condition; `AssertionError` says what did not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)
