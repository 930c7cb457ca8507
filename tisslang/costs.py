"""What a run has cost so far, and the budgets that it must keep (language reference, 7.7)."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tisslang.errors import TissBudgetError
from tisslang.values import Value

# What `COST.TOTAL` counts, and by how much. Time has no rate, so that costs repeat exactly.
RATES = {"API_CALLS": 1.0, "TOKENS": 0.001, "RUNS": 0.0}
# The counter that each budget is compared with.
BUDGETS = {
    "API_CALLS": "API_CALLS",
    "TOKEN_COUNT": "TOKENS",
    "RUN_COUNT": "RUNS",
    "COST": "TOTAL",
    "EXECUTION_TIME": "TIME",
}
# A reply of a model is taken to be this long, before it is there.
REPLY_TOKENS = 256
_LARGEST = 1e300


def whole(number: float) -> int | float:
    """The number, as an integer when it is whole; rounded where floats are not exact."""
    number = round(number, 9)
    return int(number) if number == int(number) else number


class Costs:
    """Counters since the start of the run, and its budgets. Safe to use from several threads."""

    def __init__(self, operator: dict[str, float], rates: dict[str, float] | None = None) -> None:
        self.counts = {"API_CALLS": 0, "TOKENS": 0, "RUNS": 0}
        self.budgets = dict(operator)
        self._operator = operator
        self._rates = {**RATES, **(rates or {})}
        self._started = time.monotonic()
        self._held: Counter[str] = Counter()  # for commands that are under way
        self._lock = threading.Lock()

    def field(self, name: str) -> Value:
        """The value of `COST.name`."""
        return self.as_dict()[name]

    def as_dict(self) -> dict[str, Any]:
        """All counters, as the report shows them; TIME in seconds."""
        total = self.total(self.counts)
        return {**self.counts, "TIME": round(self.seconds(), 3), "TOTAL": total}

    def seconds(self) -> float:
        """Seconds since the start of the run."""
        return time.monotonic() - self._started

    def total(self, counts: dict[str, int]) -> int | float:
        """What these counts come to."""
        return whole(sum(self._rates[name] * count for name, count in counts.items()))

    def set_budget(self, name: str, value: float) -> None:
        """Hold the run to a budget from here on, never above the operator's."""
        value = min(value, _LARGEST)  # an integer may have any size
        self.budgets[name] = min(value, self._operator.get(name, value))

    def seconds_left(self) -> float | None:
        """How long the run may still go on; None without a limit."""
        limit = self.budgets.get("EXECUTION_TIME")
        return None if limit is None else limit - self.seconds()

    def spend(self, estimate: dict[str, int] | None = None, **counts: int) -> None:
        """Count what a command is about to cost, or refuse it: `TissBudgetError`.

        What is compared with the budgets is `estimate` where it is given, else `counts`.
        """
        with self._lock:
            self._require(estimate or counts)
            self._add(counts)

    @contextlib.contextmanager
    def held(self, estimate: dict[str, int], **counts: int) -> Iterator[None]:
        """The same while a command runs whose real cost is known at its end alone.

        Until then the estimate is held for it, so that commands side by side keep the budgets.
        """
        rest = {name: count - counts.get(name, 0) for name, count in estimate.items()}
        with self._lock:
            self._require(estimate)
            self._add(counts)
            self._held.update(rest)
        try:
            yield
        finally:
            with self._lock:
                self._held.subtract(rest)

    def add(self, **counts: int) -> None:
        """Count what has been spent already."""
        with self._lock:
            self._add(counts)

    def require_time(self) -> None:
        """Refuse to start anything once the time is up."""
        left = self.seconds_left()
        if left is not None and left <= 0:
            raise self.out_of_time()

    def out_of_time(self) -> TissBudgetError:
        """The error about a run that has used up its time."""
        return _spent("EXECUTION_TIME", self.budgets["EXECUTION_TIME"], self.seconds())

    def _add(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            self.counts[name] += count

    def _require(self, counts: dict[str, int]) -> None:
        after = {
            name: count + self._held[name] + counts.get(name, 0)
            for name, count in self.counts.items()
        }
        now: dict[str, float] = {**after, "TOTAL": self.total(after), "TIME": 0.0}
        for name, limit in self.budgets.items():
            counter = BUDGETS[name]
            if now[counter] > limit and self._counts_towards(counter, counts):
                raise _spent(name, limit, now[counter])

    def _counts_towards(self, counter: str, counts: dict[str, int]) -> bool:
        """Whether the command adds anything to a counter: what costs nothing is never refused."""
        return self.total(counts) > 0 if counter == "TOTAL" else counts.get(counter, 0) > 0


def _spent(name: str, limit: float, needed: float) -> TissBudgetError:
    unit = " s" if name == "EXECUTION_TIME" else ""
    shown = f"{needed:.1f}" if unit else f"{whole(needed)}"
    return TissBudgetError(
        f"the budget {name} of {whole(limit)}{unit} is spent: this would make it {shown}{unit}",
        hint=f"the operator gives more with --budget {name}=…, the plan with SET_BUDGET",
    )
