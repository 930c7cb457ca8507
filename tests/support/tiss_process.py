"""The command `tiss` as a process of its own, and what it says of a run, judged by section 12."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from attacks.variant import ORDINARY_USER, interpreter
from report_shape import check_events, check_report

SUPPORT = Path(__file__).parent
TISS = [sys.executable, "-m", "tisslang"]
NO_SANDBOX = ["--sandbox-profile", "none"]


class Done(NamedTuple):
    """How a process ended."""

    code: int
    out: str
    err: str


def tiss(
    *arguments: str | bytes | Path,
    cwd: Path,
    stdin: str | bytes = "",
    env: dict[str, str] | None = None,
    command: Sequence[str] = TISS,
    **settings: Any,
) -> Done:
    """Run the command to its end; `command` is how it is started."""
    done = subprocess.run(
        [*command, *arguments],
        cwd=cwd,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        timeout=100,
        check=False,
        **settings,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


class Ran(NamedTuple):
    """A run of a plan: both of its reports were judged, and are the same."""

    code: int
    report: dict[str, Any]
    events: list[dict[str, Any]]
    err: str


def run_plan(
    plan: str | bytes, *flags: str, cwd: Path, env: dict[str, str] | None = None, **settings: Any
) -> Ran:
    """Run a plan, outside of the sandbox unless flags say so; judge its report and events."""
    events_file = cwd.parent / f"{cwd.name}-events.jsonl"
    profile = [] if "--sandbox-profile" in flags else NO_SANDBOX
    arguments = ["run", "-", *profile, "--output-format", "json", "--events", str(events_file)]
    done = tiss(*arguments, *flags, cwd=cwd, stdin=plan, env=env, **settings)
    assert "Traceback" not in done.err, done.err
    report = json.loads(done.out)
    assert done.out.count("\n") == 1
    events = [json.loads(line) for line in events_file.read_text(encoding="utf-8").splitlines()]
    check_report(report)
    check_events(events)
    assert events[-1]["report"] == report
    assert report["exit_code"] == done.code, done.err
    return Ran(done.code, report, events, done.err)


def refused(
    *arguments: str | bytes | Path, cwd: Path, env: dict[str, str] | None = None, stdin: str = ""
) -> str:
    """What is said of wrong usage: one line, and exit code 2."""
    done = tiss(*arguments, cwd=cwd, env=env, stdin=stdin)
    assert (done.code, done.out) == (2, ""), done
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    return done.err


def _obey_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def started(*arguments: str, cwd: Path, **settings: Any) -> Iterator["subprocess.Popen[str]"]:
    """The command, running; killed at the end, should it still run.

    Signals end it, also where the tests themselves were started so that they ignore some (nohup).
    """
    settings.setdefault("preexec_fn", _obey_signals)
    process = subprocess.Popen(
        [*TISS, *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **settings,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def place_of_a_user() -> Iterator[tuple[Path, list[str]]]:
    """A directory that belongs to an ordinary user, and `tiss` as that user's command."""
    uid = ORDINARY_USER if os.geteuid() == 0 else os.geteuid()
    command = [interpreter(uid), "-m", "tisslang"]
    if uid != os.geteuid():
        command = [sys.executable, str(SUPPORT / "as_user.py"), str(uid), *command]
    with tempfile.TemporaryDirectory(prefix="tiss-test-") as base:  # pytest's are closed to others
        os.chmod(base, 0o755)
        place = Path(base) / "place"
        place.mkdir()
        os.chown(place, uid, -1)
        yield place, ["env", f"PYTHONPATH={SUPPORT.parent.parent}", *command]
