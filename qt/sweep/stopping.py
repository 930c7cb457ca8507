"""Ctrl-C and SIGTERM: a sweep leaves by itself, so that no process and no folder is left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """`with Stop() as stop:` notes both signals; `signal` is the one that came first, or None.

    In the block `with stop.at_once():` they raise `KeyboardInterrupt`, as Ctrl-C does. Elsewhere
    workers begin or end, or files are written, and that is done to its end.
    """

    def __init__(self, quiet: bool = False):
        self.signal: int | None = None
        self._quiet, self._at_once = quiet, False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A block that a signal leaves at once, and that is not begun after one."""
        self._at_once = True
        try:
            if self.signal is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._at_once = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:  # it is on its way
            return
        self.signal = number
        if not self._quiet:  # not by print, which may be what was interrupted
            below_the_bar = "\n" if os.isatty(2) else ""
            os.write(2, f"{below_the_bar}stopping …\n".encode())
        if self._at_once:
            raise KeyboardInterrupt
