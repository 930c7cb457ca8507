"""What happened in each step, for the page: commands with their output, LOG, ASSERT, questions."""

from collections.abc import Callable
from typing import Any

from tisslang.events import MAX_TEXT
from tisslang.terminal import one_line, printable
from tisslang.values import text_form

Event = dict[str, Any]

MAX_ENTRIES = 200  # of a step: the last ones
MAX_OUTPUT = 4000  # characters of each text

# An entry of its own says more than these commands.
_TOLD_BY_EVENTS = ("LOG", "ASSERT", "PAUSE", "REQUEST_REVIEW")


class Outputs:
    """The events of each step (None: outside of all), kept so that one step can be shown.

    `tidy` takes from a text what depends on the machine.
    """

    def __init__(self, tidy: Callable[[str], str] = str) -> None:
        self._tidy = tidy
        self._events: dict[int | None, list[Event]] = {}
        self._left_out: dict[int | None, int] = {}

    def take(self, step: int | None, event: Event) -> None:
        """Add an event to those of a step; the end of a command takes the place of its start."""
        name = event["event"]
        if name in ("run_start", "run_end", "step_start", "step_end"):
            return
        events = self._events.setdefault(step, [])
        if name == "command_end":
            place = _place_of_start(events, event)
            if place is not None:
                events[place] = event
            return
        if name != "command_start" and events and _is_told_by(events[-1], event):
            events.pop()
        events.append(event)
        if len(events) > MAX_ENTRIES:
            del events[0]
            self._left_out[step] = self._left_out.get(step, 0) + 1

    def of(self, step: int | None) -> dict[str, Any]:
        """What the page shows of a step."""
        entries = [self._entry(event) for event in self._events.get(step, [])]
        return {"id": step, "entries": entries, "left_out": self._left_out.get(step, 0)}

    def _entry(self, event: Event) -> dict[str, Any]:
        name = event["event"]
        entry = {"type": name, "line": event.get("line")}
        if name in ("command_start", "command_end"):
            return entry | self._command(event)
        if name == "caught":
            error = event["error"]
            return entry | {"line": error["line"], "message": self._text(error["message"])}
        if name == "assert":
            sides = {side: self._side(event[side]) for side in ("left", "right")}
            return entry | {
                "source": self._text(event["source"]),
                "passed": event["passed"],
                **sides,
            }
        if name == "agent":
            return entry | {"tokens": event["tokens"], "seconds": event["duration_s"]}
        texts = ("message", "answer", "by", "option")
        entry |= {field: self._text(event[field]) for field in texts if field in event}
        return entry | ({"cost": event["cost"]} if "cost" in event else {})

    def _command(self, event: Event) -> dict[str, Any]:
        streams = {name: event.get(name, "") for name in ("stdout", "stderr")}
        sizes = {name: event.get(name + "_bytes", 0) for name in streams}
        # What the event lacks of a stream, nobody can show: then its beginning stands alone.
        is_whole = {name: len(text) < MAX_TEXT for name, text in streams.items()}
        shown = {name: self._text(text, is_whole[name]) for name, text in streams.items()}
        return {
            "type": "command",
            "word": event["type"],
            "summary": one_line(self._tidy(event["summary"])),
            "status": event.get("status", "running"),
            "exit_code": event.get("exit_code"),
            "seconds": event.get("duration_s"),
            **shown,
            "clipped": any(len(text) > MAX_OUTPUT for text in streams.values()),
            "bytes": event.get("bytes", sum(sizes.values()) if "exit_code" in event else None),
        }

    def _side(self, side: dict[str, Any] | None) -> str:
        """One side of a condition: as it was written, and its value where that says more."""
        if side is None:
            return ""
        value = text_form(side["value"])
        shown = side["text"] if value in side["text"] else f"{side['text']} is {one_line(value)}"
        return self._text(shown)

    def _text(self, text: str, has_end: bool = True) -> str:
        """A text that is safe to show; of a long one the beginning and, if known, the end."""
        text = printable(self._tidy(text))
        if len(text) <= MAX_OUTPUT:
            return text
        if not has_end:
            return text[:MAX_OUTPUT]
        middle = "\n…\n"
        half = (MAX_OUTPUT - len(middle)) // 2
        return text[:half] + middle + text[-half:]


def _place_of_start(events: list[Event], end: Event) -> int | None:
    facts = ("type", "line", "summary", "branch")
    for place in range(len(events) - 1, -1, -1):
        start = events[place]
        if start["event"] == "command_start" and all(start.get(f) == end.get(f) for f in facts):
            return place
    return None


def _is_told_by(start: Event, event: Event) -> bool:
    """Whether an event says all that there is to say about the command in which it happened."""
    is_same = start["event"] == "command_start" and start.get("branch") == event.get("branch")
    return is_same and start["type"] in _TOLD_BY_EVENTS
