"""The command `qt`: train a model, let it write, measure it, compare many. One file a command.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 130 interrupted. What went wrong stands in one
line on standard error, what a command made on standard output.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from qt.cli import evaluate, generate, info, sweep, tokenize, train
from qt.cli.arguments import Parser, UsageError

ABOUT = """\
Train a small GPT made of NumPy parts on one CPU, and let it write. Every command says more with
--help, for instance: qt train --help"""

EXAMPLES = """\
in this order, the first takes a minute, each of the others seconds:
  qt train --data stories --out run
  qt generate --checkpoint run --prompt "Once upon a time"
  qt eval --checkpoint run --data stories
  qt info --checkpoint run

exit codes: 0 done, 1 the run failed, 2 wrong usage, 130 interrupted (what is done is kept)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    debug = False
    try:
        try:
            for stream in (sys.stdout, sys.stderr):
                if hasattr(stream, "reconfigure"):  # a console of Windows may not be UTF-8
                    stream.reconfigure(encoding="utf-8")
            args = build_parser().parse_args(argv)
            debug = args.debug
            return args.run(args)
        finally:
            sys.stdout.flush()  # here, where a closed pipe is caught, and not at exit
    except KeyboardInterrupt as error:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `qt generate | head`: the reader has seen enough
        _drop_output()
        return 0
    except (ValueError, TypeError, OSError, RuntimeError, MemoryError) as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno and not error.filename:  # a full disk
            _drop_output()
        print(f"error: {_in_one_line(error)}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _drop_output() -> None:
    """Throw away what standard output could not take, so that Python does not try again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _in_one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def build_parser() -> Parser:
    """Make the parser of all commands and flags."""
    parser = Parser(prog="qt", description=ABOUT, epilog=EXAMPLES)
    commands = parser.add_subparsers(required=True, metavar="command", title="commands")
    for command in (train, generate, evaluate, tokenize, info, sweep):
        command.add_to(commands)
    return parser
