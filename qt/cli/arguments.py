"""What all commands share: a parser whose errors are one line, and values that check themselves."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from qt.data import DataError


class UsageError(ValueError):
    """Flags that do not go together, or one that is missing: exit code 2."""


class Parser(argparse.ArgumentParser):
    """An argument parser that prints its texts as they are written, and errors in one line."""

    def __init__(self, **options: Any) -> None:
        def formatter(prog: str) -> argparse.HelpFormatter:
            return argparse.RawDescriptionHelpFormatter(prog, max_help_position=30, width=100)

        super().__init__(formatter_class=formatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message.removeprefix('argument ')}; see {self.prog} --help\n")


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], text: str, **options: Any
) -> Parser:
    """Add a command or action; `text` is its line in the list."""
    parser: Parser = commands.add_parser(name, help=text, **options)
    parser.set_defaults(run=run)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def whole(least: int) -> Callable[[str], int]:
    """A whole number that is not below `least`."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {least}, not {text!r}"
            )
        return value

    return convert


def number(rule: str, allowed: Callable[[float], bool]) -> Callable[[str], float]:
    """A finite number for which `allowed` holds; `rule` says that in words."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and allowed(value)):
            raise argparse.ArgumentTypeError(f"must be a number {rule}, not {text!r}")
        return value

    return convert


def positive(text: str) -> float:
    """A number above 0."""
    return number("above 0", lambda x: x > 0)(text)


def from_zero(text: str) -> float:
    """A number of at least 0."""
    return number("of at least 0", lambda x: x >= 0)(text)


def below_one(text: str) -> float:
    """A share: a number from 0 to below 1."""
    return number("from 0 to below 1", lambda x: 0 <= x < 1)(text)


def not_empty(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def one_of(names: Iterable[str]) -> dict[str, Any]:
    """What `add_argument` needs for a choice."""
    known = list(names)

    def convert(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"must be {' or '.join(known)}, not {text!r}")
        return text

    return {"type": convert, "metavar": "|".join(known)}


def read_input(text: str | None, file: str | None) -> str:
    """The text itself, or that of a file, or that of standard input; both must be UTF-8."""
    if text is not None:
        return text
    try:
        content = Path(file).read_bytes() if file is not None else sys.stdin.buffer.read()
        return content.decode("utf-8")
    except OSError as error:
        raise DataError(f"{file or 'standard input'} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file or 'standard input'} is not UTF-8 text: byte {error.start} is "
            f"0x{error.object[error.start]:02x}; convert it, for instance with iconv"
        ) from None
