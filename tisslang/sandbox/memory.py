"""How much memory a tree of processes uses: what the kernel keeps for none of them counts too.

The sizes that are read at once count shared pages for each process. So they only raise a suspicion;
what it takes longer to know is looked up then, for so long at a time that time, disk and number of
processes stay watched.

What no process shows cannot be told from what the commands beside this one hide. Each of them may
use as much as this one, so as many times the limit as commands run may be gone from the machine
before any of it is held against one; and then only against one that has room for it in its sockets,
pipes and mappings. What can be seen in a command's own processes counts for that command alone.
"""

from __future__ import annotations

import contextlib
import os
import time

from tisslang.sandbox import linux
from tisslang.sandbox.neighbours import Neighbours
from tisslang.sandbox.tree import Process, has_ended

_SLACK = 256 << 20  # bytes by which the machine's figures may be off, since others use it too
_BUDGET = 0.05  # seconds for one look
# Bytes that can wait in one, at most: Linux's own limits.
_CAPACITY = {"socket": 8 << 20, "pipe": 1 << 20}
MOST_DESCRIPTORS = 4096  # of one process: each may hold data that counts for none


class Memory:
    """The memory of one tree since now."""

    def __init__(self, limit: int, neighbours: Neighbours) -> None:
        self._limit = limit
        self._neighbours = neighbours
        self._most_free = _free()
        self._measured: dict[int, int] = {}

    def is_exceeded(self, tree: list[Process]) -> bool:
        """Whether these processes use more than the limit."""
        visible = sum(process.resident for process in tree)
        free = _free()
        self._most_free = max(self._most_free, free)  # others may give memory back meanwhile
        lost = self._most_free - free  # to all programs of this machine
        lost_beside = self._limit * (self._neighbours.now - 1)  # at most, to those beside this one
        if visible <= self._limit and lost <= self._limit + lost_beside:
            return False
        # So much is not gone: they share what they have. (Beside others it may be gone, and as much
        # have come back from them.)
        if self._neighbours.ever == 1 and lost + _SLACK <= self._limit:
            return False
        deadline = time.monotonic() + _BUDGET
        own = self._measure(tree, deadline)
        if own > self._limit:
            return True
        missing, hidden = self._limit - own, lost - own - lost_beside
        return hidden > missing and _hidden(tree, missing, hidden, deadline) > missing

    def _measure(self, tree: list[Process], deadline: float) -> int:
        """The sum of what is known of each; a large tree is measured in several looks."""
        alive = {process.pid for process in tree}
        known = {pid: size for pid, size in self._measured.items() if pid in alive}
        # Those first that were not measured yet, then those whose measure is oldest.
        order = sorted(tree, key=lambda process: process.pid in known)
        for process in order:
            if time.monotonic() > deadline:
                break
            known.pop(process.pid, None)  # to the end: it is the newest
            known[process.pid] = _own_size(process)
            if sum(known.values()) > self._limit:
                break
        self._measured = known
        return sum(known.values())


def _own_size(process: Process) -> int:
    """A process's share of the pages that it has with others, without those of files, which the
    kernel can drop. One that only borrows its parent's memory until it executes (vfork) has none.
    """
    if linux.have_same_memory(process.pid, process.parent):
        return 0
    sizes = {}
    try:
        lines = _lines(f"/proc/{process.pid}/smaps_rollup")
    except PermissionError:  # it does not let others look into it
        return process.resident
    for line in lines:
        name, _, size = line.partition(":")
        if name.startswith("Pss"):
            sizes[name] = int(size.split()[0]) * 1024
    if "Pss_Anon" in sizes:
        return sizes["Pss_Anon"] + sizes["Pss_Shmem"]
    return sizes.get("Pss", 0)


def _hidden(tree: list[Process], enough: int, lost: int, deadline: float) -> int:
    """Bytes that the machine lost and that may wait in the tree's sockets and pipes, or in shared
    memory that is mapped and not resident. What nothing explains was taken by others.
    """
    room: dict[str, int] = {}
    for process in tree:
        room |= _descriptors(process.pid) | _shared_mappings(process.pid)
        if sum(room.values()) > enough or time.monotonic() > deadline:
            break
    return min(sum(room.values()), lost)


def _descriptors(pid: int) -> dict[str, int]:
    """What a process has open, by name, each with the bytes that may wait in it."""
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except PermissionError:  # it does not let others look: then it may hold as much as it can
        if has_ended(pid):  # only user 0 may look into one that is dead, and holds nothing
            return {}
        return {f"closed {pid}": MOST_DESCRIPTORS * _CAPACITY["socket"]}
    except OSError:
        return {}
    found = {}
    for number in numbers:
        with contextlib.suppress(OSError):
            name = os.readlink(f"/proc/{pid}/fd/{number}")
            found[name] = _CAPACITY.get(name.partition(":")[0], 0)
    return found


def _shared_mappings(pid: int) -> dict[str, int]:
    """Memory shared without a file, with its size: the kernel names it /dev/zero."""
    found = {}
    with contextlib.suppress(PermissionError):
        for line in _lines(f"/proc/{pid}/maps"):
            if "/dev/zero" in line:
                place, _, _, _, inode = line.split()[:5]
                first, last = (int(end, 16) for end in place.split("-"))
                found[f"shared {inode}"] = last - first
    return found


def _lines(path: str) -> list[str]:
    """The lines of a file of /proc; none when its process is gone."""
    try:
        with open(path, encoding="latin-1") as file:
            return file.readlines()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _free() -> int:
    """Bytes that this machine could still give to programs, swap space included."""
    free = 0
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith(("MemAvailable:", "SwapFree:")):
                free += int(line.split()[1]) * 1024
    return free
