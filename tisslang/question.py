"""A question to a person who does not sit at the terminal: a notebook shows it, with buttons."""

import threading
from collections.abc import Callable


class Question:
    """One question, put to `Options.ask`; the run waits for `answer`.

    `kind` is "pause", "approve" (a command), "review" or "choose". `message` may have several
    lines; secrets are masked. `options` are the labels of a CHOOSE. `is_open` ends with an answer,
    and when the run waits no longer.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        line: int | None,
        options: list[str],
        is_answer: Callable[[str], bool],
    ) -> None:
        self.kind = kind
        self.message = message
        self.line = line
        self.options = options
        self._is_answer = is_answer
        self._given: str | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether the run still waits for the answer."""
        return not self._over.is_set()

    def answer(self, text: str) -> None:
        """Answer it, from any thread: "yes" or "no", a label of a CHOOSE; "" or "continue" for a
        pause. Raises `ValueError` when it is no answer, or comes too late.
        """
        if not self._is_answer(text.strip()):
            wanted = ", ".join(self.options) or "yes or no"
            raise ValueError(f"{text!r} does not answer the question: it must be {wanted}")
        with self._lock:
            if not self.is_open:
                raise ValueError("the question has been answered, or nobody waits any more")
            self._given = text.strip()
            self._over.set()

    def wait(self, seconds: float) -> bool:
        """Wait for an answer; whether it has come."""
        return self._over.wait(seconds)

    def close(self) -> str | None:
        """No more answers; returns the one that was given."""
        with self._lock:
            self._over.set()
            return self._given
