"""Changes that can be taken back, so that a dry run can walk several ways from one place."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tisslang.costs import RATES, Costs
from tisslang.questions import Questions
from tisslang.values import Unknown, Value

ABSENT: Any = object()  # the value of a key that is not there

UNKNOWN_RUN = {
    field: Unknown.of(f"LAST_RUN.{field.upper()}")
    for field in ("stdout", "stderr", "exit_code", "execution_time", "command")
}
_NOWHERE: dict[Any, Any] = {}


class Journal:
    """Changes of dicts, in their order, each with what was there before."""

    def __init__(self) -> None:
        self.entries: list[tuple[dict[Any, Any], Any, Any]] = []

    def change(self, target: dict[Any, Any], key: Any, value: Any) -> None:
        """Change one value; ABSENT removes it."""
        self.note(target, key)
        _put(target, key, value)

    def note(self, target: dict[Any, Any], key: Any) -> None:
        """Note what is there, before somebody else changes it."""
        self.entries.append((target, key, target.get(key, ABSENT)))

    def since(self, start: int, target: Mapping[Any, Any]) -> set[Any]:
        """The keys of a dict that were changed since the journal had `start` entries."""
        return {key for changed, key, _ in self.entries[start:] if changed is target}

    def take_back(self, start: int) -> None:
        """Undo all changes since then."""
        while len(self.entries) > start:
            target, key, before = self.entries.pop()
            _put(target, key, before)

    def settle(self, start: int, target: dict[Any, Any], keys: Mapping[str, Any]) -> None:
        """Strike out changes of these keys since then: somebody else has undone them."""
        for index in range(start, len(self.entries)):
            changed, key, _ = self.entries[index]
            if changed is target and key in keys:
                self.entries[index] = _NOWHERE, None, ABSENT  # the others keep their numbers


class DryCosts(Costs):
    """Costs as a dry run counts them. `unsure` names the counters that a run may bring elsewhere.

    Where it depends on the way taken, the counts are those of the dearer way. While branches of a
    PARALLEL share the counters, none is known.
    """

    unsure: frozenset[str] = frozenset(["TIME"])
    is_shared = False

    def field(self, name: str) -> Value:
        """See `Costs.field`."""
        part_of_total = {counter for counter in RATES if self._rates[counter]}
        depends_on = part_of_total if name == "TOTAL" else {name}
        if self.is_shared or depends_on & self.unsure:
            return Unknown.of(f"COST.{name}")
        return super().field(name)


class DryQuestions(Questions):
    """The prepared answers. `used` counts those used up, None when it depends on the way taken."""

    used: int | None = 0

    def prepared_answer(self) -> str | None:
        """See `Questions.prepared_answer`."""
        answers = self._options.answer
        if self.used is None or self.used >= len(answers):
            return None
        self.used += 1
        return answers[self.used - 1]


class Facts(NamedTuple):
    """What a state holds besides variables and files."""

    last_run: dict[str, Any] | None
    counts: dict[str, int]
    budgets: dict[str, float]
    unsure: frozenset[str]
    answers: int | None


class Mark(NamedTuple):
    """A place in a walk to which it can go back."""

    changes: int  # in the journal
    facts: Facts


class Way(NamedTuple):
    """What one way, which has been taken back, changed."""

    names: set[str]
    files: dict[str, Any] | None  # what is known of the places that it changed; None: all forgotten
    gone_links: set[str]
    facts: Facts


def join_facts(ways: list[Facts]) -> Facts:
    """What holds behind several ways, whichever is taken; the costs are those of the dearer way."""
    first, *others = ways
    same_run = all(other.last_run is first.last_run for other in others)
    same_answers = all(other.answers == first.answers for other in others)
    counts = {name: max(way.counts[name] for way in ways) for name in first.counts}
    differ = {name for name in counts if any(way.counts[name] != counts[name] for way in ways)}
    budgets = {
        name: max(way.budgets[name] for way in ways)
        for name in first.budgets
        if all(name in other.budgets for other in others)
    }
    return Facts(
        first.last_run if same_run else dict(UNKNOWN_RUN),
        counts,
        budgets,
        frozenset(differ).union(*(way.unsure for way in ways)),
        first.answers if same_answers else None,
    )


def _put(target: dict[Any, Any], key: Any, value: Any) -> None:
    if value is ABSENT:
        target.pop(key, None)
    else:
        target[key] = value
