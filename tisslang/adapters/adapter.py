"""What a language model adapter is: a prompt in; a reply, and what it took, out."""

from typing import NamedTuple, Protocol

from tisslang.errors import TissCommandError
from tisslang.values import Value

CHOICES = ("none", "echo", "canned:FILE", "qt:CHECKPOINT", "http:URL")  # what `--agent` takes


class Reply(NamedTuple):
    """What a model wrote, and the tokens that prompt and reply are together."""

    text: str
    tokens: int


class LanguageModelAdapter(Protocol):
    """The way to one model. Several threads may ask it at once."""

    def reply(self, prompt: str, directives: dict[str, list[Value]], timeout: float) -> Reply:
        """The reply to `prompt`, within `timeout` seconds for the whole call.

        Raises `TissCommandError` of kind `agent` when there is none.
        """
        ...

    def close(self) -> None:
        """End the calls that are under way, in any thread; each raises `agent`."""
        ...


def failure(message: str, hint: str | None = None) -> TissCommandError:
    """The error of a call that brought no reply."""
    return TissCommandError("agent", message, hint=hint)


def too_slow(who: str, timeout: float) -> TissCommandError:
    """The error of a call whose time was up."""
    hint = "give it more time, or choose a smaller model"
    return failure(f"{who} did not finish the reply within {timeout:g} s", hint)


def given_up(who: str) -> TissCommandError:
    """The error of a call that `close` ended, or that came after it."""
    return failure(f"{who} is asked no more: the run has ended")


def count_words(*texts: str) -> int:
    """What stands for the tokens where nobody counts them: words between white space."""
    return sum(len(text.split()) for text in texts)
