"""Ctrl-C and SIGTERM while threads are waited for: noted first, and obeyed a little later."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def noted_interrupts() -> Iterator[list[int]]:
    """The numbers of the signals that have come; `KeyboardInterrupt` at the end if there were any.

    Whoever waits in the block looks at them now and then. Only the main thread gets signals; in
    others the list stays empty.
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
        if arrived:
            handlers[arrived[0]](arrived[0], None)
            raise KeyboardInterrupt
