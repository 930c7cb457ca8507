"""A process and all its descendants: how many there are, what they wrote, and how they end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterable
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATE, _PARENT, _THREADS, _RESIDENT = 0, 1, 17, 21  # fields of /proc/N/stat behind the name
PATIENCE = 5.0  # seconds for killed processes to be gone; the kernel may be busy writing


class Process(NamedTuple):
    """What is seen of one process from outside."""

    pid: int  # or the number of a thread of it that lives
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


def end_descendants(spared: Collection[int] = ()) -> bool:
    """Kill all below this process, which must be their reaper; False if some are left.

    Children that are `spared` stay, with all below them. Killing walks the tree again and again,
    since it may grow meanwhile: what it loses comes to us.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        children = [pid for pid in _own_children() if pid not in spared]
        for child in children:
            for pid in [child, *(process.pid for process in descendants(child))]:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)
        if not children and (spared or reap()):
            return True
        time.sleep(0.001)
    return False


def written(pids: Iterable[int]) -> int:
    """Bytes that these processes have written to disks, and their children that they waited for;
    of those that let others look.
    """
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/io", encoding="ascii") as file:
            counts = dict(line.split(": ") for line in file)
            total += int(counts["write_bytes"]) - int(counts["cancelled_write_bytes"])
    return total


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or only waits to be taken in."""
    process = _look(pid)
    return process is None or process.is_zombie


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


def _own_children() -> list[int]:
    """The children of this process of one thread, those too that only wait to be taken in. To
    miss some would be wrong here: raises `OSError` when they cannot be read.
    """
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:  # a kernel that does not tell; no confined command runs on it
        return []


def _look(pid: int) -> Process | None:
    process = _read(pid)
    if process is not None and process.is_zombie and process.threads > 1:
        # Its first thread has ended and shows nothing any more; another has what all have.
        with contextlib.suppress(OSError):
            for thread in map(int, os.listdir(f"/proc/{pid}/task")):
                other = _read(thread)
                if other is not None and not other.is_zombie:
                    return other
    return process


def _read(pid: int) -> Process | None:
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
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    for thread in threads:
        with (
            contextlib.suppress(OSError),  # this thread is gone, and others have children too
            open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file,
        ):
            found += map(int, file.read().split())
    return found
