"""What the commands read: scripts, from files or standard input; and what is wrong with flags."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

MAX_SOURCE = 8 * 1024 * 1024


class UsageError(Exception):
    """Something that the person at the command line must write differently."""


def read_script(path: str) -> tuple[bytes, str]:
    """The bytes of a script and the name to show for it; `-` is standard input."""
    if path == "-":
        stream = getattr(sys.stdin, "buffer", sys.stdin)
        if stream is None:
            raise UsageError("there is no standard input to read a script from")
        data = stream.read(MAX_SOURCE + 1)
        return data if isinstance(data, bytes) else data.encode("utf-8"), "<stdin>"
    try:
        with open(path, "rb") as file:
            return file.read(MAX_SOURCE + 1), path
    except OSError as error:
        raise UsageError(os_error_text(error)) from None
    except ValueError as error:  # a NUL character in the name
        raise UsageError(f"cannot open {path!r}: {error}") from None


def read_scripts(paths: list[str]) -> list[tuple[str, bytes, str]]:
    """Path, bytes and name of each: all are read before anything is done to one of them."""
    if paths.count("-") > 1:
        raise UsageError("standard input, -, can be read only once")
    return [(path, *read_script(path)) for path in paths]


def write_script(path: str, text: str) -> None:
    """Replace a script in one step, its mode kept; a symbolic link to it stays."""
    import os

    from tisslang.paths import replace_file

    real = os.path.realpath(path)
    if not os.path.isfile(real):
        raise UsageError(f"cannot write {path}: not a regular file")
    if not os.access(real, os.W_OK):  # renaming would not ask whether the file may be written
        raise UsageError(f"cannot write {path}: permission denied")
    try:
        replace_file(None, real, text.encode())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"cannot write {path}: {reason}") from None


def given_names(var: Iterable[str], secret: Iterable[str]) -> list[str]:
    """The names that --var and --secret give values to; check and lint need no more of them."""
    if not var and not secret:
        return []
    from tisslang.options import parse_assignment, require_name

    try:
        names = [parse_assignment(text, "var")[0] for text in var]
        for option, given in (("var", names), ("secret", secret)):
            for name in given:
                require_name(name, option)
    except ValueError as error:
        raise UsageError(as_flag(str(error))) from None
    return [*names, *secret]


def hidden(names: Iterable[str]) -> Callable[[Any], Any]:
    """What masks the values of these environment variables, where they are set, in texts."""
    import os

    values = {name: os.environ[name] for name in names if name in os.environ}
    if not values:
        return lambda text: text
    from tisslang.secrets import Secrets

    return Secrets(values).mask_all


def as_flag(message: str) -> str:
    """What an option is reported for, with the option written as a flag: `max_disk: …`."""
    name, colon, rest = message.partition(":")
    if colon and name.isidentifier():
        return f"--{name.replace('_', '-')}:{rest}"
    return message


def os_error_text(error: OSError) -> str:
    """An error of the system in one line."""
    reason = (error.strerror or str(error)).lower()
    return reason if error.filename is None else f"cannot open {error.filename}: {reason}"
