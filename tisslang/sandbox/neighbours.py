"""How many commands run side by side: counted by the supervisor, seen by every monitor at once.

The counts lie in one page of memory that the supervisor shares with the processes it forks; the
programs of the commands do not have it.

They are needed because some of what a command uses cannot be told from what others use: a disk has
less free space, the machine less memory, and no process shows why. Such losses are held against
commands only together: as many run side by side, as many times the limit may be lost.
"""

from __future__ import annotations

import mmap

_NOW, _BEGUN = 0, 1


class Neighbours:
    """The counts of a run. The supervisor calls `begin` just before it forks a monitor: what `ever`
    counts from is kept outside the page, so each monitor has its own.
    """

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        self._ended_before = 0

    def begin(self) -> None:
        """One more runs."""
        self._ended_before = self._counts[_BEGUN] - self._counts[_NOW]
        self._counts[_NOW] += 1
        self._counts[_BEGUN] += 1

    def end(self) -> None:
        """One less runs."""
        self._counts[_NOW] -= 1

    @property
    def now(self) -> int:
        """How many run, the one that asks included."""
        return self._counts[_NOW]

    @property
    def ever(self) -> int:
        """How many have run while the one that asks ran, itself included."""
        return self._counts[_BEGUN] - self._ended_before
