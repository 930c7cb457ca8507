"""The command `tiss run`: a plan is run, and what happens is shown."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tisslang.cli.explanation import explain, way_on
from tisslang.cli.flags import engine_options
from tisslang.cli.input import UsageError, as_flag, os_error_text, read_script
from tisslang.cli.output import Outlet, say, say_json
from tisslang.cli.progress import Progress
from tisslang.exit_codes import EXIT_PASSED, EXIT_USAGE
from tisslang.secrets import MIN_LENGTH
from tisslang.terminal import one_line, symbols, use_colour

if TYPE_CHECKING:
    import argparse

    from tisslang.engine import ExecutionEngine

Report = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    """`tiss run FILE`; returns the exit code."""
    source, filename = read_script(options.file)
    _require_directory()
    _require_apart(options)
    progress = Progress(sys.stdout, use_colour(options.color, sys.stdout))
    listeners: dict[str, Callable[[Any], None]] = {
        "text": progress,
        "jsonl": lambda event: say_json(event, sys.stdout),
    }
    engine = make_engine(
        **engine_options(options),
        filename=filename,
        debug=options.debug,
        on_event=listeners.get(options.output_format),
    )
    _warn_of_short_secrets(engine)
    with _ended_by_signals(), _shown(progress):
        report, failure = run_plan(engine, source)
    colour = use_colour(options.color, sys.stderr)
    text = engine.state.secrets.mask(source.decode("utf-8", "replace"))
    say(explain(report, text, colour, symbols(sys.stderr)["bar"]), sys.stderr)
    if options.output_format == "text":
        progress.summarise(report, _outline(engine) if report["dry_run"] else None)
        given = [*engine.options.var, *engine.options.secrets]
        say(way_on(report, source, given), sys.stdout)
    elif options.output_format == "json":
        say_json(report, sys.stdout)
    if failure:
        say(f"error: {failure}\n", sys.stderr)
    return int(report["exit_code"]) or (EXIT_USAGE if failure else EXIT_PASSED)


def make_engine(**options: Any) -> ExecutionEngine:
    """An `ExecutionEngine`; what is wrong with its options or files is a `UsageError`."""
    from tisslang.engine import ExecutionEngine

    try:
        engine = ExecutionEngine(**options)
    except OSError as error:
        raise UsageError(os_error_text(error)) from None
    except ValueError as error:
        raise UsageError(as_flag(str(error))) from None
    for flag in ("events", "junit"):
        path = options.get(flag)
        if path == "":
            raise UsageError(f"--{flag}: the name of a file is missing")
        if path is not None:
            _require_no_way_out(path, engine.root, flag)
            _require_writable(path, replaced=flag == "junit")
    return engine


def run_plan(engine: ExecutionEngine, source: bytes) -> tuple[Report, str]:
    """The report of a run, and why a file that it should leave behind could not be written.

    A step that the plan does not have and an agent that cannot be had are a `UsageError`.
    """
    try:
        return engine.run(source), ""
    except ValueError as error:
        if engine.state.execution_log:  # a fault, which --debug lets through
            raise
        raise UsageError(as_flag(engine.state.secrets.mask(str(error)))) from None
    except OSError as error:  # the file of the events, or that for CI servers
        last = engine.state.execution_log[-1:]
        if not last:
            raise UsageError(os_error_text(error)) from None
        if last[0]["event"] != "run_end":
            raise
        path = error.filename or engine.options.junit
        reason = (error.strerror or str(error)).lower()
        return last[0]["report"], one_line(f"cannot write {path}: {reason}")


def _outline(engine: ExecutionEngine) -> Any:
    from tisslang.dry_run import outline_of  # only a dry run pays for it

    return outline_of(engine.state)


def _require_directory() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current directory does not exist: change to another") from None


def _require_no_way_out(path: str, root: str, flag: str) -> None:
    """Refuse a file of the project that is a link to elsewhere: a command may have left it."""
    places = os.path.abspath(path), os.path.realpath(path)
    below = [os.path.commonpath([root, place]) == root for place in places]
    if below == [True, False] and (os.path.isfile(path) or not os.path.exists(path)):
        raise UsageError(f"--{flag}: {path} is a link that leads out of the project: remove it")


def _require_writable(path: str, replaced: bool) -> None:
    """Find out before the run whether what it leaves behind can be written; nothing is opened.

    A file that is `replaced` in one step needs a directory in which that may be done.
    """
    if os.path.isdir(path):
        raise UsageError(f"cannot open {path}: is a directory")
    if os.path.exists(path) and not os.path.isfile(path):  # a terminal, a pipe, /dev/null
        return
    directory = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(directory):
        raise UsageError(f"cannot open {path}: no such directory")
    needed = [path] if os.path.exists(path) else []
    if replaced or not needed:
        needed.append(directory)
    if not all(os.access(place, os.W_OK) for place in needed):
        raise UsageError(f"cannot open {path}: permission denied")


def _require_apart(options: argparse.Namespace) -> None:
    """Refuse to write over the plan, or over what the run writes elsewhere."""
    seen: dict[str, str] = {} if options.file == "-" else {os.path.realpath(options.file): "FILE"}
    for flag in ("events", "junit"):
        path = getattr(options, flag)
        if path is None or (os.path.exists(path) and not os.path.isfile(path)):
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise UsageError(f"--{flag}: {path} is {seen[real]} already: write to another file")
        seen[real] = f"--{flag}"


def _warn_of_short_secrets(engine: ExecutionEngine) -> None:
    for name, value in engine.options.secrets.items():
        if len(value) < MIN_LENGTH:
            text = f"warning: --secret {name}: shorter than {MIN_LENGTH} characters, so not masked"
            say(f"{text}\n", sys.stderr)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP from a terminal that is closed, end a run like Ctrl-C: children
    killed, report written, exit 130. Where one is ignored (nohup), it stays so.
    """
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def _shown(progress: Progress) -> Iterator[None]:
    """While this lasts, progress is kept up to date, and makes way for questions and warnings."""
    if isinstance(sys.stderr, Outlet):
        sys.stderr.before_write = progress.make_way
    try:
        with progress:
            yield
    finally:
        if isinstance(sys.stderr, Outlet):
            sys.stderr.before_write = None
