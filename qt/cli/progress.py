"""A bar for work that takes a while: on standard error, and only where that is a terminal."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from types import TracebackType
from typing import Self, TypeVar

Item = TypeVar("Item")
FIRST, AGAIN = 0.5, 0.1  # seconds before the bar shows at all, and between two drawings


class Bar:
    """`with Bar("training", 1250) as bar: … bar.update(10, "loss 2.1")`. It wipes itself away."""

    def __init__(self, label: str, total: int, quiet: bool = False) -> None:
        self.label, self.total = label, total
        self.shown = sys.stderr.isatty() and not quiet
        self.started = time.monotonic()
        self._next = self.started + FIRST

    def update(self, done: int, note: str = "") -> None:
        """Say that `done` of `total` are done; drawn now and then only."""
        now = time.monotonic()
        if not self.shown or now < self._next:
            return
        self._next = now + AGAIN
        share = min(done / self.total, 1.0)
        filled = round(20 * share)
        left = (now - self.started) * (1 - share) / share if share else 0.0
        self._draw(
            f"{self.label} {'█' * filled}{'░' * (20 - filled)} {done:,} of {self.total:,}  "
            f"{left // 60:.0f}:{left % 60:02.0f} left  {note}"
        )

    def clear(self) -> None:
        """Wipe the bar away, so that a line can stand in its place."""
        if self.shown:
            self._draw("")

    def _draw(self, line: str) -> None:
        room = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:room]:{room}}\r", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()


@contextmanager
def busy(label: str, quiet: bool = False) -> Iterator[None]:
    """Count the seconds of work that cannot say how far it is."""
    bar, done = Bar(label, 1, quiet), Event()

    def count() -> None:
        while not done.wait(FIRST):
            bar._draw(f"{label} … {time.monotonic() - bar.started:.0f} s")

    ticker = Thread(target=count, daemon=True)
    if bar.shown:
        ticker.start()
    try:
        yield
    finally:
        done.set()
        if bar.shown:
            ticker.join()
        bar.clear()


def with_bar(items: Sequence[Item], label: str) -> Iterator[Item]:
    """The items, while a bar counts them."""
    with Bar(label, len(items)) as bar:
        for i, item in enumerate(items):
            bar.update(i)
            yield item


def in_pieces(text: str, label: str, quiet: bool = False, size: int = 10_000) -> Iterator[str]:
    """The text, cut into pieces of `size` characters, while a bar counts the characters."""
    with Bar(label, len(text), quiet) as bar:
        for start in range(0, len(text), size):
            bar.update(start)
            yield text[start : start + size]
