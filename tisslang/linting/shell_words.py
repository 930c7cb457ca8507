"""The words of a RUN's commands, with a mark in the place of each reference.

A value that is inserted stays part of the word in which it was written (language reference, 4.4),
so a word with a mark is the word that a program gets, except for what the mark stands for.
"""

from __future__ import annotations

import re

from tisslang.shell_commands import (
    LOOKS_UP,
    RESERVED,
    WRAPPERS,
    Frame,
    Scan,
    after_options,
    basename,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.syntax.text import Text

# A mark is the number of its reference between two NULs, which no script holds.
MARK = re.compile(r"\0(\d+)\0")
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\+?=")
DOWNLOADS = ("curl", "wget")


def marked(command: Text) -> str:
    """The text of a command with a mark for each reference, numbered in order."""
    if isinstance(command, str):
        return command
    parts, count = [], 0
    for part in command["template"]:
        parts.append(part if isinstance(part, str) else f"\0{count}\0")
        count += not isinstance(part, str)
    return "".join(parts)


def marks(text: str) -> list[int]:
    """The numbers of the references in a text."""
    return [int(number) for number in MARK.findall(text)]


class Simple:
    """A simple command: `words` as they stand, `name` and `arguments` behind what is skipped.

    `start` is the place of the name in `words`, `split` are the words that `env -S` takes apart.
    With `by_xargs` xargs gives it more arguments; with `gets_download` a pipe leads to it from a
    command which downloads.
    """

    def __init__(self, words: list[str], gets_download: bool = False) -> None:
        self.words = words
        self.gets_download = gets_download
        self.split: list[str] = []
        self.by_xargs = False
        self.start = self._skip()
        self.name = basename(words[self.start]) if self.start < len(words) else ""
        self.arguments = words[self.start + 1 :]

    def _skip(self) -> int:
        """Skip reserved words, assignments, and wrappers with their options."""
        words, place = self.words, 0
        while place < len(words):
            word, name = words[place], basename(words[place])
            if word in RESERVED or ASSIGNMENT.match(word):
                place += 1
            elif name in WRAPPERS and not (name == "command" and _looks_up(words, place)):
                end = after_options(words, place + 1, WRAPPERS[name])
                if name == "env":
                    self._note_split(words[place + 1 : end + 1])
                self.by_xargs = self.by_xargs or name == "xargs"
                place = end + (name == "timeout")  # its first operand is the time
            else:
                break
        return min(place, len(words))

    def _note_split(self, words: list[str]) -> None:
        for word, following in zip(words, [*words[1:], ""]):
            for option in ("-S", "--split-string"):
                if word == option:
                    self.split.append(following)
                elif word.startswith(option):
                    self.split.append(word)


def _looks_up(words: list[str], place: int) -> bool:
    return bool(LOOKS_UP.match("".join(words[place + 1 : place + 2])))


class _Words(Scan):
    """The scan of the command policy, which also keeps each command's words as they stand."""

    def __init__(self, source: str) -> None:
        self.simple: list[Simple] = []
        super().__init__(source)

    def gather(self, words: list[str], frame: Frame) -> bool:
        if words:
            gets_download = frame.piped and any(name in frame.pipe for name in DOWNLOADS)
            self.simple.append(Simple(words, gets_download))
        return super().gather(words, frame)


def simple_commands(text: str) -> list[Simple]:
    """The simple commands of a marked text; one in a `$( )` comes before the one around it."""
    return _Words(text).simple
