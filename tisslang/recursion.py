"""Plans nested as deep as the language allows: Python's limit of recursion, raised during runs."""

import sys
import threading

# Each block takes some frames of Python, a plan may have 256 levels of them, and so may each of the
# sub-tasks that call one another. They are no danger to the C stack: only memory limits them, and
# the size of a script limits that.
_RECURSION_LIMIT = 10_000_000


class _DeepRecursion:
    """Raises Python's limit, which all threads share, for as long as any run lasts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._before = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._runs == 0:
                self._before = sys.getrecursionlimit()
                sys.setrecursionlimit(max(self._before, _RECURSION_LIMIT))
            self._runs += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs == 0:
                sys.setrecursionlimit(self._before)


deep_recursion = _DeepRecursion()
