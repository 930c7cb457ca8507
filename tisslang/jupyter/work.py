"""Threads that work for a cell; small jobs one after the other, for which nobody need wait."""

import contextvars
import queue
import threading
import traceback
from collections.abc import Callable


def thread(target: Callable[[], None]) -> threading.Thread:
    """A thread that does not keep the interpreter, and acts on behalf of the cell that made it."""
    context = contextvars.copy_context()
    return threading.Thread(target=context.run, args=(target,), daemon=True)


class Work:
    """Does jobs in their order. Its thread ends when there are none left."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_on = False

    def add(self, job: Callable[[], object]) -> None:
        """Do this, too, and return at once."""
        self._jobs.put(job)
        with self._lock:
            if not self._is_on:
                self._is_on = True
                thread(self._work).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._jobs.empty():
                    self._is_on = False
                    return
            try:
                self._jobs.get()()
            except Exception:  # a fault of ours: it does not end the jobs behind it
                traceback.print_exc()
