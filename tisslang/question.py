"""A question to a person who does not sit at the terminal: a notebook shows it, with buttons."""

import threading
from collections.abc import Callable

from tisslang.values import clip

_MAX_SHOWN = 80  # characters of what is no answer


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
        self._given: str | int | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether the run still waits for the answer."""
        return not self._over.is_set()

    def answer(self, answer: str | int) -> None:
        """Answer it, from any thread: "yes" or "no", a label of a CHOOSE; "" or "continue" for a
        pause. An integer is the place of an option, from 1: labels may look alike. Raises
        `ValueError` when it is no answer, or comes too late.
        """
        if isinstance(answer, str):
            answer = answer.strip()
            is_answer = self._is_answer(answer)
        else:
            is_answer = 1 <= answer <= len(self.options)
        if not is_answer:
            wanted = ", ".join(self.options) or "yes or no"
            shown = clip(repr(answer), _MAX_SHOWN)
            raise ValueError(f"{shown} does not answer the question: it must be {wanted}")
        with self._lock:
            if not self.is_open:
                raise ValueError("the question has been answered, or nobody waits any more")
            self._given = answer
            self._over.set()

    def wait(self, seconds: float) -> bool:
        """Wait for an answer; whether it has come."""
        return self._over.wait(seconds)

    def close(self) -> str | int | None:
        """No more answers; returns the one that was given."""
        with self._lock:
            self._over.set()
            return self._given


def choice_text(labels: list[str]) -> str:
    """The question of a CHOOSE for who answers with a text: each label, and its number from 1."""
    lines = [f"  {number}. {label}" for number, label in enumerate(labels, 1)]
    return "\n".join(["choose one:", *lines])
