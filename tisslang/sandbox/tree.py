"""A process and all its descendants: how many there are, and how they end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATE, _PARENT, _THREADS, _RESIDENT = 0, 1, 17, 21  # fields of /proc/N/stat behind the name
PATIENCE = 5.0  # seconds for killed processes to be gone; the kernel may be busy writing


class Process(NamedTuple):
    """What is seen of one process from outside."""

    pid: int
    parent: int
    is_zombie: bool
    threads: int
    resident: int  # bytes; pages that it shares with others count in full


def descendants(root: int, most_threads: int | None = None) -> list[Process]:
    """All processes below `root`, or, of a tree with more threads, as many as show that.

    A tree that grows while it is counted would otherwise never be counted to its end.
    """
    found: dict[int, Process] = {}
    threads = 0
    waiting = _children(root)
    while waiting:
        pid = waiting.pop()
        process = None if pid in found else _look(pid)
        if process is None:
            continue
        found[pid] = process
        threads += process.threads
        if most_threads is not None and threads > most_threads:
            break
        waiting += _children(pid)
    return list(found.values())


def end_descendants(root: int) -> bool:
    """Kill all below `root`, which must be this process and their reaper; False if some are left.

    Killing walks the tree again and again, since it may grow meanwhile.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        alive = [process.pid for process in descendants(root) if not process.is_zombie]
        for pid in alive:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if reap() and not alive:
            return True
        time.sleep(0.001)
    return False


def exit_code(status: int) -> int:
    """The code of a process by its wait status, as a shell says it: 128 + n after signal n."""
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def reap() -> bool:
    """Take in every child that has ended; True when there are no children any more."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def can_be_seen() -> bool:
    """Whether /proc shows the processes that there are; it can be told to hide those of others,
    and of one's own those that may not be looked into.
    """
    try:
        with open("/proc/1/stat", encoding="latin-1"):
            return os.path.exists(f"/proc/self/task/{os.getpid()}/children")
    except OSError:
        return False


def _look(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            # The name, in parentheses, may hold anything, parentheses too.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    if not fields:
        return None
    threads, resident = int(fields[_THREADS]), int(fields[_RESIDENT]) * _PAGE
    return Process(pid, int(fields[_PARENT]), fields[_STATE] == "Z", threads, resident)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    return found
