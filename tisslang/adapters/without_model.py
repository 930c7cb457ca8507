"""Adapters without a model: for plans that ask none, and for tests of those that do."""

import json
import os
import threading

from tisslang.adapters.adapter import CHOICES, Reply, count_words, failure
from tisslang.amounts import size_text
from tisslang.values import Value, kind_of

_MAX_SIZE = 16 * 1024 * 1024  # bytes of a file of replies
_KINDS: dict[type, str] = {dict: "an object", list: "a list", type(None): "null"}


class _Adapter:
    def close(self) -> None:
        """Nothing is held."""


class NoModel(_Adapter):
    """`none`: no model was chosen, so nobody can reply."""

    def reply(self, prompt: str, directives: dict[str, list[Value]], timeout: float) -> Reply:
        """Raise `agent`, with the choices as its hint."""
        raise failure(
            "no language model was chosen to answer PROMPT_AGENT",
            hint=f"choose one with --agent: {', '.join(CHOICES)}",
        )


class Echo(_Adapter):
    """`echo`: the reply is the prompt."""

    def reply(self, prompt: str, directives: dict[str, list[Value]], timeout: float) -> Reply:
        """The prompt itself."""
        return Reply(prompt, count_words(prompt, prompt))


class Canned(_Adapter):
    """`canned:FILE`: replies from a file, one a call, in the order in which the calls come.

    Each line of the file is a JSON string; empty lines mean nothing. `ValueError` when it cannot be
    read, or a line is something else.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._replies = _read_replies(path)
        self._used = 0
        self._lock = threading.Lock()

    def reply(self, prompt: str, directives: dict[str, list[Value]], timeout: float) -> Reply:
        """The next reply of the file; `agent` when there is none left."""
        with self._lock:
            if self._used == len(self._replies):
                raise failure(
                    f"the canned replies have run out: {self._path!r} holds {self._used}",
                    hint="give the file one line, a JSON string, for each call of PROMPT_AGENT",
                )
            text = self._replies[self._used]
            self._used += 1
        return Reply(text, count_words(prompt, text))


def _read_replies(path: str) -> list[str]:
    try:
        with open(os.path.expanduser(path), "rb") as file:
            data = file.read(_MAX_SIZE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"the canned replies {path!r} cannot be read: {reason}") from None
    if len(data) > _MAX_SIZE:
        raise ValueError(f"the canned replies {path!r} are larger than {size_text(_MAX_SIZE)}")
    # Lines end at \n alone: a JSON string may hold U+2028, at which `splitlines` would cut it.
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [_reply(line, f"{path!r}, line {i}") for i, line in enumerate(lines, 1) if line.strip()]


def _reply(line: bytes, place: str) -> str:
    try:
        reply = json.loads(line.decode("utf-8"))
        if isinstance(reply, str):
            reply.encode("utf-8")  # "\ud800" is valid JSON, but half a character
            return reply
        reason = f"it is {_KINDS.get(type(reply)) or f'a {kind_of(reply)}'}"
    except (ValueError, RecursionError) as error:
        reason = str(error)
    raise ValueError(
        f'the canned replies {place}: expected one JSON string, such as "yes", but {reason}'
    )
