"""Answers about commands, kept: an editor asks about each one again with every key pressed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tisslang.syntax.text import Text

    # A command's texts, and in the place of each reference a tuple with its filter.
    Key = tuple[str | tuple[str | None], ...]

MAX_SIZE = 1 << 24  # about so many characters of commands have their answers kept
_SIZE_OF_ANSWER = 200


def key_of(command: Text) -> Key:
    """What the answers depend on: not on where the command stands, nor on the names in it."""
    parts = [command] if isinstance(command, str) else command["template"]
    return tuple(part if isinstance(part, str) else (part.get("filter"),) for part in parts)


def command_of(key: Key) -> dict[str, Any]:
    """A command that has this key."""
    return {"template": [part if isinstance(part, str) else {"filter": part[0]} for part in key]}


def kept(answer: Callable[..., Any]) -> Callable[..., Any]:
    """`answer(key, …)` with a memory. It is emptied when full, so that it never grows for ever."""
    known: dict[Any, Any] = {}
    size = 0

    def ask(key: Key, *more: Any) -> Any:
        nonlocal size
        question = (key, *more)
        try:
            return known[question]
        except KeyError:
            pass
        size += _SIZE_OF_ANSWER + sum(map(len, key))
        if size > MAX_SIZE:
            known.clear()
            size = 0
        found = known[question] = answer(key, *more)
        return found

    return ask
