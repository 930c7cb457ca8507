"""Commands with references for the shells that are here: templates, contexts, final texts."""

import shutil
from typing import Any

from tisslang.syntax.shell import Context, Unsupported, reference_contexts, render_command

SHELLS = [
    command
    for name, *options in (["dash"], ["bash"], ["bash", "--posix"])
    if (found := shutil.which(name))
    for command in ([found, *options],)
] or [["/bin/sh"]]
BASH = [shell for shell in SHELLS if "bash" in shell[0]]


def split(command: str) -> list[Any]:
    """A template from a text in which `@@` stands for a reference and `@raw@` for a raw one."""
    parts: list[Any] = []
    for number, piece in enumerate(command.split("@@")):
        if number:
            parts.append({"var": "x"})
        for count, literal in enumerate(piece.split("@raw@")):
            if count:
                parts.append({"var": "x", "filter": "raw"})
            if literal:
                parts.append(literal)
    return parts


def contexts(command: str) -> str:
    """The contexts of a command's references, one letter each: u s d r, and `-` for unsupported."""
    letters = {Context.UNQUOTED: "u", Context.SINGLE: "s", Context.DOUBLE: "d", Context.RAW: "r"}
    found = reference_contexts(split(command))
    return "".join("-" if isinstance(c, Unsupported) else letters[c] for c in found)


def render(command: str, value: str) -> str:
    """The command with a value in the place of each reference."""
    return render_command({"template": split(command)}, lambda _: value)
