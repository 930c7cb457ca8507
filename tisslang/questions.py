"""Questions to a person, and who answers them: `--answer`, `--yes`, or somebody at the terminal."""

import sys
from collections.abc import Callable

from tisslang.errors import TissHumanError
from tisslang.options import Options
from tisslang.terminal import printable

YES = frozenset({"y", "yes"})
NO = frozenset({"n", "no"})


class Questions:
    """Asks what a run needs to know. `send` records each question and its answer as an event."""

    def __init__(self, options: Options, send: Callable[..., None]) -> None:
        self._options = options
        self._send = send
        self._unused = list(options.answer)

    def approve(self, message: str, line: int | None, hint: str) -> None:
        """Ask yes or no; `TissHumanError` when the answer is no, or nobody is there to give one."""
        answer, by = self._answer(message, hint)
        self._send("question", line=line, message=message, answer=answer, by=by)
        if answer.strip().casefold() not in YES:
            raise TissHumanError(f"refused: {message}", hint=hint)

    def _answer(self, message: str, hint: str) -> tuple[str, str]:
        if self._unused:
            return self._unused.pop(0), "answer"
        if self._options.yes:
            return "yes", "yes"
        if self._options.non_interactive or sys.stdin is None or not sys.stdin.isatty():
            raise TissHumanError(f"nobody is here to answer: {message}", hint=hint)
        return _ask_person(message), "person"


def _ask_person(message: str) -> str:
    while True:
        sys.stderr.write(f"{printable(message)} [y/n] ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:  # the end of input is no consent
            return "no"
        if line.strip().casefold() in YES | NO:
            return line.strip()
