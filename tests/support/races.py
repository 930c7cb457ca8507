"""Two threads at once: one that changes something all the time, one that acts."""

import threading
import time
from collections.abc import Callable


def race(change: Callable[[], None], act: Callable[[], None], seconds: float) -> int:
    """Act again and again while the other thread changes; returns how often."""
    done = threading.Event()

    def keep_changing() -> None:
        while not done.is_set():
            change()

    thread = threading.Thread(target=keep_changing)
    thread.start()
    tries = 0
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            act()
            tries += 1
    finally:
        done.set()
        thread.join()
    return tries
