"""Questions to a person, and who answers them: `--answer`, `--yes`, or somebody who is there:
at the terminal, or wherever `Options.ask` puts the question.
"""

import re
import select
import sys
import threading
from collections.abc import Callable, Container

from tisslang.errors import TissHumanError
from tisslang.options import Options
from tisslang.question import Question, choice_text
from tisslang.terminal import printable

YES = frozenset({"y", "yes"})
GO_ON = frozenset({"", "y", "yes", "continue"})
NO = frozenset({"n", "no"})

_GAP = re.compile(r"[ \t]{40,}")
_PATIENCE = 0.1  # seconds between two looks at whether there is still a reason to wait

Send = Callable[..., None]


class Questions:
    """Asks what a run needs to know. `mask` hides secrets in what a person sees.

    `require_time` raises an error when the run has no time left to wait for an answer. `send`
    records a question and its answer as an event. Branches of PARALLEL ask one at a time.
    """

    def __init__(
        self,
        options: Options,
        mask: Callable[[str], str] = str,
        require_time: Callable[[], None] = lambda: None,
    ) -> None:
        self._options = options
        self._mask = mask
        self._require_time = require_time
        self._is_stopped = False
        self._unused = list(options.answer)
        self._lock = threading.Lock()

    def approve(
        self, send: Send, message: str, line: int | None, hint: str, kind: str = "approve"
    ) -> None:
        """Ask yes or no; `TissHumanError` when the answer is no, or nobody is there to give one."""
        self._consent(send, kind, message, line, hint, "[y/n]", YES, "yes")

    def pause(self, send: Send, message: str, line: int | None, hint: str) -> None:
        """Wait for Enter; `TissHumanError` when the answer is another, or nobody is there."""
        self._consent(send, "pause", message, line, hint, "[Enter goes on, n stops]", GO_ON, "")

    def prepared_answer(self) -> str | None:
        """The next unused `--answer`, for a question of another kind."""
        with self._lock:
            return self._unused.pop(0) if self._unused else None

    def can_ask(self) -> bool:
        """Whether a person is there to be asked."""
        if self._options.non_interactive:
            return False
        if self._options.ask is not None:
            return True
        return sys.stdin is not None and sys.stdin.isatty()

    def choose(
        self, labels: list[str], line: int | None, is_answer: Callable[[str], bool]
    ) -> str | int | None:
        """The label that a person chose, or its number; None when the input has ended.

        An integer is always a number, from 1; a text may be either.
        """
        shown = f"{choice_text(labels)}\nlabel or number:"
        return self._ask("choose", "choose one", labels, line, shown, is_answer)

    def _ask(
        self,
        kind: str,
        message: str,
        labels: list[str],
        line: int | None,
        shown: str,
        is_answer: Callable[[str], bool],
    ) -> str | int | None:
        """What a person says, asked until it is an answer; None at the end of the input.

        `shown` is the question at a terminal.
        """
        with self._lock:
            if self._options.ask is None:
                return self._ask_at_terminal(self._mask(shown), is_answer)
            labels = [self._mask(label) for label in labels]
            question = Question(kind, self._mask(message), line, labels, is_answer)
            try:
                self._options.ask(question)
                while not question.wait(_PATIENCE) and not self._is_stopped:
                    self._require_time()
            finally:
                given = question.close()
            return given

    def _ask_at_terminal(self, shown: str, is_answer: Callable[[str], bool]) -> str | None:
        while not self._is_stopped:
            sys.stderr.write(f"{printable(shown)} ")
            sys.stderr.flush()
            line = self._next_line()
            if not line:
                sys.stderr.write("\n")  # what comes next has its own line
                return None
            if is_answer(line.strip()):
                return line.strip()
        return None

    def stop(self) -> None:
        """Wait no longer for what a person says, in any thread."""
        self._is_stopped = True

    def _next_line(self) -> str:
        """The next line that is typed; an empty text at the end, or when nobody waits any more."""
        while not _has_line(_PATIENCE):
            self._require_time()
            if self._is_stopped:
                return ""
        return sys.stdin.readline()

    def _consent(
        self,
        send: Send,
        kind: str,
        message: str,
        line: int | None,
        hint: str,
        keys: str,
        accepted: Container[str],
        yes: str,
    ) -> None:
        answer, by = self.prepared_answer(), "answer"
        if answer is None and self._options.yes:
            answer, by = yes, "yes"
        if answer is None:
            if not self.can_ask():
                raise TissHumanError(f"nobody is here to answer: {message}", hint=hint)
            shown = f"{_framed(self._mask(message))} {keys}"
            given = self._ask(
                kind, message, [], line, shown, lambda text: _is_clear(text, accepted)
            )
            if given is None and self._is_stopped:  # nobody has answered
                raise TissHumanError("the run has ended")
            answer, by = "no" if given is None else str(given), "person"  # the end is no consent
        send("question", line=line, message=message, answer=answer, by=by)
        if answer.strip().casefold() not in accepted:
            raise TissHumanError(f"refused: {message}", hint=None if by == "person" else hint)


def _has_line(seconds: float) -> bool:
    """Whether a line, or the end, can be read at once; it waits for that, but not for long."""
    try:
        return bool(select.select([sys.stdin], [], [], seconds)[0])
    except (OSError, ValueError):  # this input is no file of the system, and cannot be watched
        return True


def with_gaps_named(message: str) -> str:
    """The message without long gaps, which push what is behind them out of sight."""
    return _GAP.sub(lambda gap: f" [{len(gap[0])} blanks] ", message.rstrip("\n"))


def _framed(message: str) -> str:
    """The message so that no line of it passes for one of ours, and nothing drops out of sight."""
    message = with_gaps_named(message)
    lines = message.split("\n")
    if len(lines) == 1:
        return message
    return "\n  | ".join(lines) + f"\nanswer to these {len(lines)} lines"


def _is_clear(text: str, accepted: Container[str]) -> bool:
    return text.casefold() in accepted or text.casefold() in NO
