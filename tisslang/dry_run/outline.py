"""The plan of a dry run as an outline: its entries, what they lie in, and remarks for people."""

from typing import Any
from weakref import WeakKeyDictionary

from tisslang.state import State


class Heading:
    """What entries of a plan lie in: a step, a call, or one of several ways."""

    __slots__ = ("is_way", "text")

    def __init__(self, text: str, is_way: bool) -> None:
        self.text = text
        self.is_way = is_way  # of which it is not known whether it is taken


class Entry:
    """One entry of a plan: its `fields` in the report, and what only people are shown."""

    __slots__ = ("around", "changes", "command", "fields", "needs_approval", "remarks")

    def __init__(self, fields: dict[str, Any], around: list[Heading]) -> None:
        self.fields = fields
        self.around = list(around)
        self.remarks: list[str] = []
        self.command: list[str] = []  # the lines that a shell gets, where the summary lacks some
        self.needs_approval = False
        self.changes: str | None = None  # the path that it writes, makes or deletes


_OUTLINES: WeakKeyDictionary[State, list[Entry]] = WeakKeyDictionary()


def outline_of(state: State) -> list[Entry]:
    """The outline of the dry run that has this state; it has an entry for each of the report's."""
    return _OUTLINES.setdefault(state, [])
