"""The command line: `tiss run | check | ast | doctor | version`.

A check should cost little more than starting Python, so what is slow to load is loaded where it is
used.
"""

from __future__ import annotations

import argparse
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn, TextIO

EXIT_PASSED = 0
EXIT_USAGE = 2
EXIT_SCRIPT = 3
EXIT_SECURITY = 5
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130

_WHICH = "which command? run, check, ast, doctor or version"

# What JSON leaves as it is and a terminal obeys: C1 controls, marks of the direction of writing.
_STEERS_TERMINAL = (
    *range(0x7F, 0xA0),
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)

MAX_SOURCE = 8 * 1024 * 1024


class UsageError(Exception):
    """Something that the person at the command line must write differently."""


class Formatter(argparse.HelpFormatter):
    """argparse's help at a fixed width, so that it need not load what finds the terminal's."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=96)


class Parser(argparse.ArgumentParser):
    """argparse, with usage errors as `UsageError`, and without guessing at shortened flags."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=Formatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _prepare_streams()
    try:
        options = command_parser().parse_args(arguments)
        return int(options.command(options))
    except UsageError as error:
        _say(f"error: {error}\n", sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        _say("error: interrupted\n", sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:
        if "--debug" in arguments:
            import traceback

            _say(traceback.format_exc(), sys.stderr)
            return EXIT_INTERNAL
        what = f"{type(error).__name__}: {error}"
        _say(f"error: internal: {what} (--debug shows the traceback)\n", sys.stderr)
        return EXIT_INTERNAL


def command_parser() -> Parser:
    """The parser of the whole command line."""
    parser = Parser(prog="tiss", description="Run and check TissLang plans.")
    parser.add_argument(
        "--version", action="store_const", dest="command", const=_version, help="print the versions"
    )
    parser.set_defaults(output_format="text")
    # With `prog`, argparse need not lay out the usage to find it.
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog="tiss")

    run = commands.add_parser("run", help="run a plan")
    run.add_argument("file", metavar="FILE", help="the plan, or - for standard input")
    add_run_flags(run)
    run.set_defaults(command=_run)

    check = commands.add_parser("check", help="find syntax and static errors")
    check.add_argument("files", metavar="FILE", nargs="+", help="plans, or - for standard input")
    _add_var(check)
    check.set_defaults(command=_check)

    ast = commands.add_parser("ast", help="print the syntax tree as JSON")
    ast.add_argument("file", metavar="FILE", help="the plan, or - for standard input")
    ast.set_defaults(command=_ast)

    doctor = commands.add_parser("doctor", help="show which sandbox this machine allows")
    doctor.set_defaults(command=_doctor)

    version = commands.add_parser("version", help="print the versions")
    version.set_defaults(command=_version)

    for command in (run, check, ast, doctor, version):
        formats = ["text", "json", "jsonl"] if command is run else ["text", "json"]
        add = command.add_argument
        add("--output-format", choices=formats, default="text", help="for people or programs")
        add("--color", choices=["auto", "always", "never"], default="auto", help="auto: a terminal")
        add("--debug", action="store_true", help="show Python's tracebacks")
    # Without a command, argparse would go on; this says what is missing.
    parser.set_defaults(command=lambda _: parser.error(_WHICH))
    return parser


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """The operator's flags of a run, shared with the notebook's magics."""
    add = parser.add_argument
    add("--root", metavar="DIR", default=".", help="the project directory (default: the current)")
    _add_var(parser)
    add("--env", metavar="NAME=VALUE", action="append", default=[], help="environment for RUN")
    add("--timeout", metavar="DUR", default="300s", help="limit for each RUN (default: 300s)")
    add("--max-output", metavar="BYTES", default="10M", help="kept of each stream (default: 10M)")
    for what in ("memory", "disk"):
        text = f"{what} for each RUN (default: 4G; strict: 1G)"
        add(f"--max-{what}", metavar="BYTES", help=text)
    text = "processes and threads for each RUN (default: 512; strict: 64)"
    add("--max-processes", metavar="N", help=text)
    add("--sandbox-profile", metavar="P", default="standard", help="standard, strict or none")
    for what, does in (("allow", "ask nothing for, and permit"), ("deny", "refuse")):
        flag = f"--{what}-command"
        add(flag, metavar="NAME", action="append", default=[], help=f"{does} this command")
    add("--answer", metavar="TEXT", action="append", default=[], help="answer to the next question")
    add("--yes", action="store_true", help="answer yes to every question")
    add("--allow-network", action="store_true", help="let RUN reach the network")
    add("--keep-going", action="store_true", help="after an error go on with the next step")
    add("--non-interactive", action="store_true", help="ask nothing")
    add("--events", metavar="FILE", help="write the events to FILE, one JSON object a line")


def engine_options(options: argparse.Namespace) -> dict[str, Any]:
    """The flags of `add_run_flags` as keyword arguments of `ExecutionEngine`."""
    names = (
        *("root", "var", "env", "timeout", "max_output", "max_memory", "max_processes", "max_disk"),
        *("sandbox_profile", "allow_network", "allow_command", "deny_command", "answer", "yes"),
        *("keep_going", "non_interactive", "events"),
    )
    return {name: getattr(options, name) for name in names}


def make_engine(**options: Any) -> Any:
    """An `ExecutionEngine`; what is wrong with its options or files is a `UsageError`."""
    from tisslang.engine import ExecutionEngine

    try:
        if options.get("events"):
            with open(options["events"], "w", encoding="utf-8"):
                pass
        return ExecutionEngine(**options)
    except OSError as error:
        raise UsageError(_os_error_text(error)) from None
    except ValueError as error:
        raise UsageError(str(error)) from None


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
        raise UsageError(_os_error_text(error)) from None
    except ValueError as error:  # a NUL character in the name
        raise UsageError(f"cannot read {path!r}: {error}") from None


def _run(options: argparse.Namespace) -> int:
    from tisslang.terminal import Progress, explain, symbols, use_colour

    source, filename = read_script(options.file)
    progress = Progress(sys.stdout, use_colour(options.color, sys.stdout))
    listeners: dict[str, Callable[[Any], None]] = {
        "text": progress,
        "jsonl": lambda event: _say_json(event, sys.stdout),
    }
    engine = make_engine(
        **engine_options(options),
        filename=filename,
        debug=options.debug,
        on_event=_until_closed(listeners.get(options.output_format)),
    )
    _end_on_sigterm()
    report: dict[str, Any] = engine.run(source)
    colour = use_colour(options.color, sys.stderr)
    text = source.decode("utf-8", "replace")
    _say(explain(report, text, colour, symbols(sys.stderr)["bar"]), sys.stderr)
    if options.output_format == "text":
        _until_closed(progress.summarise)(report)
    elif options.output_format == "json":
        _say_json(report, sys.stdout)
    return int(report["exit_code"])


def _check(options: argparse.Namespace) -> int:
    from tisslang.syntax import check

    assigned = [assignment.partition("=")[0] for assignment in options.var]
    findings: list[Any] = []
    for path in options.files:
        source, filename = read_script(path)
        found = check(source, filename, assigned)
        findings += found
        if options.output_format == "text":
            if found:
                _show(found, source, options.color)
            else:
                _say(f"{filename}: ok\n", sys.stdout)
    if options.output_format == "json":
        _say_json(_findings_object(findings), sys.stdout)
    return EXIT_SCRIPT if findings else EXIT_PASSED


def _ast(options: argparse.Namespace) -> int:
    from tisslang.errors import TissParseError
    from tisslang.syntax import check, parse

    source, filename = read_script(options.file)
    try:
        tree = parse(source, filename)
    except TissParseError:
        found = check(source, filename)
        if options.output_format == "json":
            _say_json(_findings_object(found), sys.stdout)
        else:
            _show(found, source, options.color)
        return EXIT_SCRIPT
    _say_json(tree, sys.stdout, indent=2)
    return EXIT_PASSED


def _doctor(options: argparse.Namespace) -> int:
    from tisslang.doctor import examine, render

    findings = examine()
    if options.output_format == "json":
        _say_json(findings, sys.stdout, indent=2)
    else:
        _say(render(findings), sys.stdout)
    return EXIT_PASSED if findings["ok"] else EXIT_SECURITY


def _version(options: argparse.Namespace) -> int:
    from tisslang import __version__
    from tisslang.syntax import LANGUAGE_VERSION

    if options.output_format == "json":
        _say_json({"package": __version__, "language": LANGUAGE_VERSION}, sys.stdout)
    else:
        _say(f"tiss {__version__}, TissLang {LANGUAGE_VERSION}\n", sys.stdout)
    return EXIT_PASSED


def _add_var(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--var", metavar="NAME=VALUE", action="append", default=[], help="set a variable (text)"
    )


def _findings_object(findings: list[Any]) -> dict[str, Any]:
    return {"ok": not findings, "diagnostics": [finding.to_json() for finding in findings]}


def _show(findings: list[Any], source: bytes, colour: str) -> None:
    from tisslang.syntax.diagnostics import render
    from tisslang.terminal import use_colour

    text = source.decode("utf-8", "replace")
    for finding in findings:
        _say(render(finding, text, use_colour(colour, sys.stderr)) + "\n", sys.stderr)


def _say_json(content: Any, stream: TextIO, indent: int | None = None) -> None:
    import json

    if isinstance(stream, io.TextIOWrapper):
        # A stray surrogate becomes \udc80, which is what JSON writes for it.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    _say(text.translate({code: f"\\u{code:04x}" for code in _STEERS_TERMINAL}) + "\n", stream)


def _say(text: str, stream: TextIO) -> None:
    """Write and flush; when the reader has gone (`| head`), be silent from then on."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _until_closed(function: Callable[[Any], None] | None) -> Callable[[Any], None]:
    """The same function, whose output may be cut off by its reader without harm to the run."""

    def guarded(argument: Any) -> None:
        try:
            if function is not None:
                function(argument)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return guarded


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _end_on_sigterm() -> None:
    """Let SIGTERM end a run like Ctrl-C: children killed, report written, exit 130."""
    import signal
    import threading

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _os_error_text(error: OSError) -> str:
    if error.filename is None:
        return str(error)
    return f"cannot open {error.filename}: {(error.strerror or str(error)).lower()}"
