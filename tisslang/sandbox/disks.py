"""How much of the disks a command uses: the free space that is gone since it started.

Who took it, the kernel does not say. Of commands that run side by side all together may take as
many times the limit as there are commands. Before that, one that has itself written as much as it
may is taken for the one that did it; so a neighbour that writes little is not ended for its sake.
What is taken without writing (`fallocate`), written to memory (tmpfs), or written by a process that
lets nobody look, shows only in the sum.
"""

from __future__ import annotations

import os

from tisslang.sandbox import tree
from tisslang.sandbox.neighbours import Neighbours

_PER_FILE = 4096  # bytes that a file counts besides its content


class Disks:
    """The disks of some directories, while one command runs."""

    def __init__(self, paths: list[str], limit: int, neighbours: Neighbours) -> None:
        self._paths = {os.stat(path).st_dev: path for path in paths}
        self._limit = limit
        self._neighbours = neighbours
        self._most = self._free()

    def are_exceeded(self, pids: list[int]) -> bool:
        """Whether a command uses more than the limit; these are its processes, and their reaper."""
        lost = self._lost()
        if lost < self._limit:
            return False
        # Those that have ended meanwhile count too: what they wrote is still there.
        may_be_lost = self._neighbours.ever * self._limit
        return lost >= may_be_lost or tree.written(pids) >= self._limit

    def _lost(self) -> int:
        """Bytes fewer than there were at most, over all disks: others may give some back."""
        now = self._free()
        self._most = {disk: max(most, now[disk]) for disk, most in self._most.items()}
        return sum(most - now[disk] for disk, most in self._most.items())

    def _free(self) -> dict[int, int]:
        free = {}
        for disk, path in self._paths.items():
            status = os.statvfs(path)
            # A file without content takes a place too, and there are only so many.
            free[disk] = status.f_bavail * status.f_frsize + status.f_favail * _PER_FILE
        return free
