"""A terminal for tests: a real one, of a given width, and what a person would see on it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

LINES = 100


def screen(shown: str, columns: int) -> list[str]:
    """The lines on the screen of a terminal that got this text."""
    rows: list[list[str]] = [[]]
    x, rest = 0, iter(shown)
    for character in rest:
        if character == "\x1b":
            code = ""
            while not code[-1:].isalpha():
                code += next(rest)
            if code == "[K":
                del rows[-1][x:]
            else:
                assert code.endswith("m"), f"what is {code!r}?"
        elif character == "\r":
            x = 0
        elif character == "\n":
            rows.append([])
        elif character != "\a":
            wide = unicodedata.east_asian_width(character) in "WF"
            width = 0 if unicodedata.combining(character) else 2 if wide else 1
            if x + width > columns:
                rows.append([])
                x = 0
            row = rows[-1]
            row += [" "] * (x + width - len(row))
            row[x : x + width] = [character, *[""] * (width - 1)] if width else []
            x += width
    return ["".join(row).rstrip() for row in rows]


def in_terminal(
    command: list[str],
    cwd: Path,
    columns: int = 80,
    until: Callable[[str], str | None] = lambda shown: None,
    **env: str,
) -> tuple[int, str]:
    """Run a command in a terminal; its exit code, and all that the terminal got.

    `until` is asked again and again what to type, given what was shown so far.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))
    base = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment = {**base, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **env}
    process = subprocess.Popen(
        command, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    data, end = b"", time.monotonic() + 60
    try:
        while True:
            assert time.monotonic() < end, data
            if not select.select([master], [], [], 0.05)[0]:
                continue
            try:
                chunk = os.read(master, 4096)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            data += chunk
            if typed := until(data.decode("utf-8", "replace")):
                os.write(master, typed.encode())
        return process.wait(timeout=60), data.decode("utf-8")
    finally:
        os.close(master)
        if process.poll() is None:
            process.kill()
            process.wait()
