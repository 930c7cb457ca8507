"""What happens in a run, as events: plain dicts, numbered, timed, sent on as they occur."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from tisslang.values import clip

Event = dict[str, Any]
Listener = Callable[[Event], None]

MAX_TEXT = 8192


class EventLog:
    """Collects the events of one run in `entries` and passes each to every listener."""

    def __init__(self, listeners: list[Listener] | None = None) -> None:
        self.entries: list[Event] = []
        self._listeners = listeners or []

    def send(self, name: str, **fields: Any) -> None:
        """Record one event. Texts are cut to 8,192 characters, except in `run_end`."""
        if name != "run_end":
            fields = _clip_texts(fields)
        event = {"seq": len(self.entries) + 1, "time": _now(), "event": name, **fields}
        self.entries.append(event)
        for listener in self._listeners:
            listener(event)


@contextlib.contextmanager
def events_file(path: str) -> Iterator[Listener]:
    """A listener that writes each event to a file, one JSON object a line, as it occurs."""
    # A stray surrogate becomes \\udc80, which is what JSON writes for it.
    with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:

        def write(event: Event) -> None:
            file.write(json.dumps(event, ensure_ascii=False) + "\n")
            file.flush()

        yield write


def _clip_texts(value: Any) -> Any:
    if isinstance(value, str):
        return clip(value, MAX_TEXT)
    if isinstance(value, dict):
        return {key: _clip_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clip_texts(item) for item in value]
    return value


def _now() -> str:
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03d}Z"
