"""What happens in a run, as events: plain dicts, numbered, timed, sent on as they occur."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tisslang.json_text import json_text
from tisslang.values import clip

Event = dict[str, Any]
Listener = Callable[[Event], None]

MAX_TEXT = 8192


class EventLog:
    """Collects the events of one run in `entries` and passes each to every listener.

    `mask` hides secrets in a whole event before its texts are cut. A dry run is `quiet`: it sends
    `run_start` and `run_end` alone. `branch` is the number of the branch of PARALLEL, if it is one.
    """

    branch: int | None = None

    def __init__(
        self,
        listeners: list[Listener] | None = None,
        mask: Callable[[Any], Any] | None = None,
        quiet: bool = False,
    ) -> None:
        self.entries: list[Event] = []
        self._listeners = listeners or []
        self._mask = mask
        self._quiet = quiet
        self._lock = threading.RLock()  # branches of PARALLEL send too, and events are numbered

    def send(self, name: str, **fields: Any) -> None:
        """Record one event. Texts are cut to 8,192 characters, except in `run_end`."""
        if name != "run_end":  # whose report is masked already
            if self._quiet and name != "run_start":
                return
            fields = _clip_texts(self._mask(fields) if self._mask else fields)
        with self._lock:
            event = {"seq": len(self.entries) + 1, "time": _now(), "event": name, **fields}
            self.entries.append(event)
            for listener in self._listeners:
                listener(event)

    def in_branch(self, number: int) -> "BranchLog":
        """The same log for a branch of PARALLEL: its events carry the branch's number, from 1."""
        return BranchLog(self, number)


class BranchLog(EventLog):
    """A log whose events say in which branch they happened."""

    def __init__(self, log: EventLog, number: int) -> None:
        self.entries = log.entries
        self._log = log
        self.branch = number

    def send(self, name: str, **fields: Any) -> None:
        """See `EventLog.send`."""
        fields.setdefault("branch", self.branch)
        self._log.send(name, **fields)


@contextlib.contextmanager
def events_file(path: str) -> Iterator[Listener]:
    """A listener that writes each event to a file, one JSON object a line, as it occurs.

    A full disk does not stop the run: the rest is left out, and the end raises `OSError`.
    """
    failure: OSError | None = None
    file = open(path, "wb")  # noqa: SIM115 -- closing it can fail, too

    def write(event: Event) -> None:
        nonlocal failure
        line = json_text(event) + "\n"
        if failure is None:
            try:
                # A stray surrogate becomes \\udc80, which is what JSON writes for it.
                file.write(line.encode("utf-8", "backslashreplace"))
                file.flush()
            except OSError as error:
                failure = error

    try:
        yield write
    finally:
        try:
            file.close()
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise OSError(failure.errno, failure.strerror, path)


def seconds_since(started: float) -> float:
    """Seconds since a time of `time.monotonic`, to the millisecond."""
    return round(time.monotonic() - started, 3)


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
