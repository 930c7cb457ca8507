"""A process and all its descendants: how many there are, what memory they use, how they end."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import NamedTuple

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_CAPACITY = {"socket": 8 << 20, "pipe": 1 << 20}  # bytes: the most that Linux lets one have
PATIENCE = 5.0  # seconds for killed processes to be gone; the kernel may be busy writing


class Usage(NamedTuple):
    """What a tree uses now."""

    processes: int  # threads count each, as for the kernel's own limits
    memory: int  # bytes


def descendants(root: int) -> dict[int, list[str]]:
    """All processes below `root`: their numbers, each with the fields of its /proc/N/stat."""
    found: dict[int, list[str]] = {}
    waiting = _children(root)
    while waiting:
        pid = waiting.pop()
        if pid in found:
            continue
        try:
            with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
                # The name, in parentheses, may hold anything, parentheses too.
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields:
            found[pid] = fields
        waiting += _children(pid)
    return found


def usage(root: int, limit: int) -> Usage:
    """What the descendants of `root` use. Memory above `limit` is measured a second, better way."""
    tree = descendants(root)
    threads = sum(int(fields[17]) for fields in tree.values())
    resident = {pid: int(fields[21]) * _PAGE for pid, fields in tree.items()}
    memory = sum(resident.values())
    if memory > limit:  # pages that several share were counted for each: count their share only
        memory = sum(_proportional_size(pid, size) for pid, size in resident.items())
    return Usage(threads, memory)


def capacity(root: int) -> int:
    """How many bytes can wait in the sockets and pipes of the descendants of `root`, at most.

    They count for no process. What was sent on inside another socket is not seen.
    """
    found: set[str] = set()
    for pid in descendants(root):
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    found.add(os.readlink(f"/proc/{pid}/fd/{number}"))
    return sum(_CAPACITY.get(name.partition(":")[0], 0) for name in found)


def free_memory() -> int:
    """Bytes that this machine could still give to programs, swap space included."""
    free = 0
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith(("MemAvailable:", "SwapFree:")):
                free += int(line.split()[1]) * 1024
    return free


def end_descendants(root: int) -> bool:
    """Kill all below `root`, which must be this process and their reaper; False if some are left.

    Killing walks the tree again and again, since it may grow meanwhile.
    """
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        tree = [pid for pid, fields in descendants(root).items() if fields[0] != "Z"]
        for pid in tree:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if reap() and not tree:
            return True
        time.sleep(0.001)
    return False


def reap() -> bool:
    """Take in every child that has ended; True when there are no children any more."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return True
    return False


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except OSError:
        pass
    return found


def _proportional_size(pid: int, resident: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return resident
