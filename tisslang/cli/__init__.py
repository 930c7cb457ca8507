"""The command line: `tiss run | check | lint | fmt | ast | list | lsp | doctor | version`.

A check should cost little more than starting Python, so what is slow to load is loaded where it is
used, and only the flags of the command that is asked for are set up.
"""

from __future__ import annotations

import argparse
import sys

from tisslang.cli.input import UsageError
from tisslang.cli.output import close_outlets, open_outlets, say, say_json
from tisslang.exit_codes import (
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_PASSED,
    EXIT_SECURITY,
    EXIT_USAGE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn


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
    before = open_outlets()
    exit_code = EXIT_INTERNAL
    try:
        exit_code = _exit_code_of(arguments)
    finally:
        exit_code = close_outlets(before, exit_code)
    return exit_code


def _exit_code_of(arguments: Sequence[str]) -> int:
    try:
        options = parse_arguments(arguments)
        return int(options.command(options))
    except SystemExit as help_was_shown:
        return int(help_was_shown.code or EXIT_PASSED)
    except UsageError as error:
        from tisslang.terminal import one_line

        say(f"error: {one_line(str(error))}\n", sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        say("error: interrupted\n", sys.stderr)
        return EXIT_INTERRUPTED
    except Exception as error:
        if "--debug" in arguments:
            import traceback

            say(traceback.format_exc(), sys.stderr)
            return EXIT_INTERNAL
        from tisslang.terminal import one_line

        what = one_line(f"{type(error).__name__}: {error}")
        say(f"error: internal: {what} (--debug shows the traceback)\n", sys.stderr)
        return EXIT_INTERNAL


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line as an object; `UsageError` for what no command takes.

    Files may stand before, between and behind the flags.
    """
    options, rest = command_parser(arguments).parse_known_args(arguments)
    flags = [word for word in rest if word.startswith("-") and word != "-"]
    if hasattr(options, "files") and not flags:
        options.files += rest  # argparse takes those before the first flag
    elif rest:
        command = next(name for name in (*arguments, "") if name in (*_COMMANDS, ""))
        text = f"unrecognized arguments: {' '.join(flags or rest)}"
        raise UsageError(f"{text} (see {' '.join(filter(None, ('tiss', command, '--help')))})")
    return options


def command_parser(arguments: Sequence[str] = ()) -> Parser:
    """The parser of the whole command line; it has the flags of the command in `arguments`."""
    parser = Parser(prog="tiss", description="Run and check TissLang plans.")
    parser.add_argument(
        "--version", action="store_const", dest="command", const=_version, help="print the versions"
    )
    parser.set_defaults(output_format="text")
    # With `prog`, argparse need not lay out the usage to find it.
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog="tiss")
    for name, (text, operands, add_flags, command) in _COMMANDS.items():
        usage = f"tiss {name} [flags]{operands}"  # argparse would list all flags twice
        sub = commands.add_parser(name, help=text, description=text, usage=usage)
        if name in arguments:
            add_flags(sub)
            _common_flags(sub, with_lines=name == "run")
        sub.set_defaults(command=command)
    # Without a command, argparse would go on; this says what is missing.
    *names, last = _COMMANDS
    which = f"which command? {', '.join(names)} or {last}"
    parser.set_defaults(command=lambda _: parser.error(which))
    return parser


def _common_flags(parser: argparse.ArgumentParser, with_lines: bool) -> None:
    add = parser.add_argument
    formats, text = ["text", "json"], "for people (default), or one JSON object"
    if with_lines:
        formats, text = [*formats, "jsonl"], f"{text}, or the events, one a line"
    add("--output-format", choices=formats, default="text", help=text)
    choices, text = ["auto", "always", "never"], "auto: in a terminal, unless NO_COLOR is set"
    add("--color", choices=choices, default="auto", help=text)
    add("--debug", action="store_true", help="show Python's tracebacks of internal errors")


def _run_flags(parser: argparse.ArgumentParser) -> None:
    from tisslang.cli.flags import add_run_flags

    parser.add_argument("file", metavar="FILE", help="the plan, or - for standard input")
    add_run_flags(parser)


def _check_flags(parser: argparse.ArgumentParser) -> None:
    from tisslang.cli.flags import many

    parser.add_argument("files", metavar="FILE", nargs="+", help="plans, or - for standard input")
    many(parser, "--var", "NAME=VALUE", "take the variable as set, as a run would")
    many(parser, "--secret", "NAME", "take the variable as set, as a run would")


def _lint_flags(parser: argparse.ArgumentParser) -> None:
    _check_flags(parser)
    add = parser.add_argument
    severities = ["info", "warning", "error"]
    text = "exit 1 from this severity on (default: warning)"
    add("--fail-on", choices=severities, default="warning", help=text)
    for flag, text in (("--select", "these rules only"), ("--ignore", "all but these rules")):
        text += ": codes or their beginnings, as T2 or T203"
        add(flag, metavar="CODES", action="append", default=[], help=text)
    add("--fix", action="store_true", help="make the edits that are safe and plainly meant")


def _fmt_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="scripts, or - for standard input")
    parser.add_argument(
        "--check", action="store_true", help="only list the files that would change"
    )
    parser.add_argument(
        "--diff", action="store_true", help="only show the changes, as diff -u does"
    )


def _file_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the plan, or - for standard input")


def _no_flags(parser: argparse.ArgumentParser) -> None:
    pass


def _run(options: argparse.Namespace) -> int:
    from tisslang.cli.run import run

    return run(options)


def _check(options: argparse.Namespace) -> int:
    from tisslang.cli.source import check

    return check(options)


def _lint(options: argparse.Namespace) -> int:
    from tisslang.cli.source import lint

    return lint(options)


def _fmt(options: argparse.Namespace) -> int:
    from tisslang.cli.source import fmt

    return fmt(options)


def _ast(options: argparse.Namespace) -> int:
    from tisslang.cli.source import ast

    return ast(options)


def _list(options: argparse.Namespace) -> int:
    from tisslang.cli.source import list_

    return list_(options)


def _lsp_flags(parser: argparse.ArgumentParser) -> None:
    from tisslang.cli.language_server import add_lsp_flags

    add_lsp_flags(parser)


def _lsp(options: argparse.Namespace) -> int:
    from tisslang.cli.language_server import language_server

    return language_server(options)


def _doctor(options: argparse.Namespace) -> int:
    from tisslang.doctor import examine, render

    findings = examine()
    if options.output_format == "json":
        say_json(findings, sys.stdout, indent=2)
    else:
        say(render(findings), sys.stdout)
    return EXIT_PASSED if findings["ok"] else EXIT_SECURITY


def _version(options: argparse.Namespace) -> int:
    from tisslang import __version__
    from tisslang.syntax import LANGUAGE_VERSION

    if options.output_format == "json":
        say_json({"package": __version__, "language": LANGUAGE_VERSION}, sys.stdout)
    else:
        say(f"tiss {__version__}, TissLang {LANGUAGE_VERSION}\n", sys.stdout)
    return EXIT_PASSED


# What each command is for, its operands, its flags, and the function that does it.
_COMMANDS: dict[
    str,
    tuple[str, str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]],
] = {
    "run": ("run a plan in a sandbox", " FILE", _run_flags, _run),
    "check": ("find syntax and static errors", " FILE...", _check_flags, _check),
    "lint": ("find errors, and what is probably not meant", " FILE...", _lint_flags, _lint),
    "fmt": ("lay out scripts in the one style", " FILE...", _fmt_flags, _fmt),
    "ast": ("print the syntax tree as JSON", " FILE", _file_flag, _ast),
    "list": ("show what a plan holds and needs", " FILE", _file_flag, _list),
    "lsp": ("be the language server of an editor", "", _lsp_flags, _lsp),
    "doctor": ("show which sandbox this machine allows", "", _no_flags, _doctor),
    "version": ("print the versions", "", _no_flags, _version),
}
