"""What a benchmark is: two sides that take turns, and the row that their medians make."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

REPEATS = 9
BUSY = 0.1  # a control that spreads more than this has shared its core with something else,
SHAKEN = 0.5  # and so has a side that spreads more than this, perhaps with its second thread alone
Work = Callable[[], Any]
Numbers = list[float]


class LeftOut(Exception):
    """A row cannot run here; the text says what it lacks."""


@dataclass(frozen=True)
class Samples:
    """What was measured at each turn: of both sides, and of a control that never changes."""

    ours: Numbers
    peer: Numbers
    control: Numbers

    def times(self, factor: float) -> Samples:
        """The same in another unit: seconds `times(1e3)` are milliseconds."""
        return Samples(
            [factor * x for x in self.ours], [factor * x for x in self.peer], self.control
        )

    def per_second(self, amount: float) -> Samples:
        """Seconds as a speed: `amount` is what was done in each."""
        return Samples(
            [amount / x for x in self.ours], [amount / x for x in self.peer], self.control
        )


@dataclass(frozen=True)
class Claim:
    """A row of the table: what is measured, against whom, and the ratio that we aim at."""

    name: str
    peer_name: str
    unit: str  # more is better where it ends in "/s", else less is
    goal: float | None
    measure: Callable[[], Samples]

    def row(self) -> dict[str, Any]:
        """Measure, and return the row as it stands in results.json."""
        samples = self.measure()
        ours, peer = float(np.median(samples.ours)), float(np.median(samples.peer))
        ratio = ours / peer if self.unit.endswith("/s") else peer / ours
        return {
            "name": self.name, "ours": _digits(ours), "peer": _digits(peer),
            "peer_name": self.peer_name, "unit": self.unit, "ratio": _digits(ratio),
            "goal": self.goal, "spread": {
                side: round(spread(values), 4) for side, values in vars(samples).items() if values
            },
        }  # fmt: skip


def _digits(x: float) -> float:
    """Four digits that count: no measurement of ours has more."""
    return float(f"{x:.4g}")


def spread(values: Numbers) -> float:
    """The middle half's width, as a share of the median: (q75 - q25) / q50."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float((high - low) / middle) if middle else 0.0


def is_busy(spreads: Mapping[str, float]) -> bool:
    """Whether the control, or a side itself, says that the machine had other work to do."""
    return spreads.get("control", 0.0) > BUSY or max(spreads.values(), default=0.0) > SHAKEN


def seconds(work: Work, clock: Callable[[], float] = time.perf_counter) -> float:
    """How long one call of `work` takes."""
    start = clock()
    work()
    return clock() - start


_MATRIX = np.ones((256, 256), dtype=np.float32)


def control() -> float:
    """Seconds that a fixed matrix product takes, some milliseconds on an idle machine."""
    return seconds(lambda: [_MATRIX @ _MATRIX for _ in range(10)])


def race(
    ours: Work, peer: Work, repeats: int = REPEATS, clock: Callable[[], float] = time.perf_counter
) -> Samples:
    """Let both run once to warm up, and then in turns; in seconds of `clock`."""
    ours(), peer(), control()
    turns = [(seconds(ours, clock), seconds(peer, clock), control()) for _ in range(repeats)]
    return Samples(*map(list, zip(*turns)))


def require_close(what: str, ours: Any, theirs: Any, tolerance: float) -> None:
    """A race is fair when both sides compute the same. `ValueError` says by how much they do not.

    The difference is that of the farthest element, relative to the largest one.
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    difference = float(np.abs(a - b).max() / np.abs(b).max())
    if not difference <= tolerance:
        raise ValueError(f"{what} differs by {difference:.2g}, allowed is {tolerance:.0e}")
