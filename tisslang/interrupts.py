"""Ctrl-C and SIGTERM at a moment when they must wait: noted first, and obeyed a little later."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[list[int]]:
    """While this lasts, the numbers of the signals that come are noted; their handlers run after.

    Only the main thread gets signals; in others the list stays empty.
    """
    handlers: dict[int, Any] = {}
    arrived: list[int] = []
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):  # else it is ignored, or ends the process
                handlers[number] = handler
                signal.signal(number, lambda got, frame: arrived.append(got))
    try:
        yield arrived
    finally:
        for held, handler in handlers.items():
            signal.signal(held, handler)
        for got in arrived:
            handlers[got](got, None)


@contextlib.contextmanager
def noted_interrupts() -> Iterator[list[int]]:
    """The same for who waits for threads and looks at the list now and then.

    `KeyboardInterrupt` at the end if any came, whatever their handlers do.
    """
    arrived: list[int] = []
    try:
        with interrupts_held_back() as arrived:
            yield arrived
    finally:
        if arrived:
            raise KeyboardInterrupt
