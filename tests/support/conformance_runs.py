"""What the tests of the reference share about runs: their events, and `tiss` as a process."""

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

from conformance import run

TISS = [sys.executable, "-m", "tisslang"]
Event = dict[str, Any]


def attempt(command: str, root: Path, **options: Any) -> str | None:
    """The kind of the error that a statement raises; None when it raises none."""
    report = run(f"TRY {{\n{command}\n}} CATCH {{ }}", root, **options)
    caught, error = report["caught"], report["error"]
    assert len(caught) <= 1
    return caught[0]["kind"] if caught else error and error["kind"]


def events_of(text: str, root: Path, **options: Any) -> list[Event]:
    """The events of a run, in order."""
    events: list[Event] = []
    run(text, root, on_event=events.append, **options)
    return events


def named(events: list[Event], *names: str) -> list[Event]:
    """The events of some names."""
    return [event for event in events if event["event"] in names]


def steps(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Each step of a report with what became of it."""
    return [(step["description"], step["status"]) for step in report["steps"]]


def write(root: Path, text: str, name: str = "plan.tiss") -> str:
    """A script as a file of the project."""
    (root / name).write_text(text, encoding="utf-8")
    return name


def tiss(
    *arguments: str, cwd: Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command `tiss` as a process."""
    return subprocess.run(
        [*TISS, *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


def at_a_terminal(root: Path, typed: str, *flags: str) -> int:
    """The exit code of a run of `plan.tiss` with a person at its terminal."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        return subprocess.run(
            [*TISS, "run", "plan.tiss", *flags],
            cwd=root,
            stdin=theirs,
            stdout=theirs,  # a few lines: they fit into the terminal's buffer
            stderr=theirs,
            timeout=60,
            check=False,
        ).returncode
    finally:
        os.close(ours)
        os.close(theirs)
