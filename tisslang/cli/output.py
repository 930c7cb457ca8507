"""What the commands print: text, JSON and diagnostics, to readers that may go away."""

from __future__ import annotations

import io
import os
import sys

from tisslang.exit_codes import EXIT_PASSED, EXIT_USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

# What JSON leaves as it is, and a terminal or a reader of lines obeys: C1 controls, marks of the
# direction of writing, Unicode's own ends of lines.
_STEERS_TERMINAL = (
    *range(0x7F, 0xA0),
    0x200E,
    0x200F,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
)


class Outlet:
    """Standard output or error, to which one can always write.

    A reader that has left (`| head`) or a full disk stops no plan: from then on what is written is
    lost. `failure` is then the reason, but None for a reader that left. `before_write` is called
    before each text.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.failure: OSError | None = None
        self.before_write: Callable[[], object] | None = None

    def write(self, text: str) -> int:
        """Write a text; returns its length."""
        if self.before_write is not None:
            self.before_write()
        self._try(lambda: self.stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Send on what was written."""
        self._try(self.stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.failure = self.failure or error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())  # takes what is still in the buffer, too
            os.close(nowhere)


def open_outlets() -> tuple[TextIO, TextIO]:
    """Put an `Outlet` in front of standard output and error; returns what was there before."""
    before = sys.stdout, sys.stderr
    if None in (sys.stdin, *before):
        _open_standard_descriptors()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, Outlet(stream))
    return before


def close_outlets(before: tuple[TextIO, TextIO], exit_code: int) -> int:
    """Undo `open_outlets`. Output that could not be written makes an exit code of 0 a 2."""
    out, err = sys.stdout, sys.stderr
    out.flush()
    failure = out.failure if isinstance(out, Outlet) else None
    if failure is not None:
        say(f"error: cannot write the output: {(failure.strerror or '').lower()}\n", err)
    err.flush()
    for outlet, stream in zip((out, err), before):
        if stream is None:
            outlet.close()
    sys.stdout, sys.stderr = before
    return exit_code or (EXIT_USAGE if failure else EXIT_PASSED)


def say(text: str, stream: TextIO) -> None:
    """Write and flush."""
    stream.write(text)
    stream.flush()


def say_json(content: Any, stream: TextIO, indent: int | None = None) -> None:
    """Write one JSON value and a line end."""
    from tisslang.json_text import json_text

    text = json_text(content, indent)
    text = text.translate({code: f"\\u{code:04x}" for code in _STEERS_TERMINAL})
    say_exactly(text + "\n", stream)


def say_exactly(text: str, stream: TextIO) -> None:
    """Write what a program or a file gets, in UTF-8 whatever the locale."""
    if isinstance(getattr(stream, "stream", stream), io.TextIOWrapper):
        # A stray surrogate becomes \udc80, which is what JSON writes for it.
        settings = {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
        stream.reconfigure(**settings)  # type: ignore[attr-defined]
    say(text, stream)


def show(
    findings: list[Any], source: bytes, colour: str, mask: Callable[[Any], Any] = lambda text: text
) -> None:
    """Draw diagnostics on standard error; `mask` hides secrets."""
    if not findings:
        return
    from tisslang.cli.explanation import draw
    from tisslang.terminal import use_colour

    text = mask(source.decode("utf-8", "replace"))
    for finding in findings:
        say(mask(draw(finding, text, use_colour(colour, sys.stderr))), sys.stderr)


def _open_standard_descriptors() -> None:
    """Let nothing else that is opened get the number of a standard stream that is closed."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
