"""The magics `%%tiss` (a plan in a cell) and `%tiss FILE` (a plan in a file)."""

import shlex
import sys
from argparse import Namespace
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.display import display

from tisslang import cli
from tisslang.cli.flags import add_run_flags, engine_options
from tisslang.cli.input import UsageError as FlagError
from tisslang.cli.input import read_script
from tisslang.cli.run import make_engine, run_plan
from tisslang.dry_run import outline_of
from tisslang.exit_codes import EXIT_INTERRUPTED
from tisslang.jupyter.result import PlanResult
from tisslang.terminal import one_line, printable
from tisslang.values import text_form


class PlanInterrupted(KeyboardInterrupt):
    """The cell was interrupted; shown as one line, and it keeps the next cells from running."""

    def _render_traceback_(self) -> list[str]:
        return ["The plan was interrupted; nothing of it is running any more."]


@magics_class
class TissMagics(Magics):
    """The magics of TissLang."""

    @no_var_expand
    @line_cell_magic
    def tiss(self, line: str, cell: str | None = None) -> None:
        """Run a TissLang plan: `%%tiss [flags]` above a plan, or `%tiss FILE [flags]`.

        The flags are those of `tiss run`. Besides, `--var NAME` passes the notebook's variable NAME
        as text, `-o NAME` binds the report to NAME, and `--widget` runs the plan in a `TissWidget`,
        beside which the kernel stays usable.
        """
        assert self.shell is not None
        variables = self.shell.user_ns
        parser = _parser(with_file=cell is None)
        try:
            options = parser.parse_args(shlex.split(line))
            if cell is None:
                source, filename = read_script(options.file)
            else:
                source, filename = cell.encode("utf-8", "surrogatepass"), "<cell>"
            options.var = [_assignment(text, variables) for text in options.var]
            if options.widget:
                _show_widget(source.decode("utf-8"), options, variables)
                return
            engine = make_engine(
                **engine_options(options), filename=filename, on_event=_show_progress
            )
            report, failure = run_plan(engine, source)
        except (FlagError, ValueError) as error:
            raise UsageError(str(error)) from None
        except SystemExit:  # --help has been printed
            return
        if options.o:
            variables[options.o] = report
        text = engine.state.secrets.mask(source.decode("utf-8", "replace"))
        outline = outline_of(engine.state) if report["dry_run"] else None
        display(PlanResult(report, engine.state.execution_log, text, outline))
        if failure:
            print(f"error: {failure}", file=sys.stderr)
        stopped_by = report["error"]
        if stopped_by and stopped_by["kind"] == "human" and not options.answer:
            print("With --widget the cell asks you, and you answer by a button.")
        if report["exit_code"] == EXIT_INTERRUPTED:
            raise PlanInterrupted


def register(shell: Any) -> None:
    """Add the magics to an IPython shell."""
    shell.register_magics(TissMagics)


class _Parser(cli.Parser):
    def error(self, message: str) -> NoReturn:
        # Not %%tiss --help: IPython refuses a cell that holds nothing else.
        raise FlagError(f"{message} (see %tiss --help)")


def _parser(with_file: bool) -> cli.Parser:
    note = "--var NAME alone passes the notebook's variable of that name, as text."
    parser = _Parser(prog="%tiss" if with_file else "%%tiss", epilog=note)
    if with_file:
        parser.add_argument("file", metavar="FILE", help="the plan")
    add_run_flags(parser)
    parser.add_argument("-o", metavar="NAME", help="bind the report to this Python name")
    parser.add_argument("--widget", action="store_true", help="run it in a widget with buttons")
    return parser


def _show_widget(source: str, options: Namespace, variables: dict[str, Any]) -> None:
    """Show a plan in a widget, and start it there; the report is bound at its end."""

    def bind_report(event: dict[str, Any]) -> None:
        if options.o and event["event"] == "run_end":
            variables[options.o] = event["report"]

    settings = engine_options(options)
    make_engine(**settings)  # says what is wrong with the flags
    dry_run = settings.pop("dry_run")
    from tisslang.jupyter.widget import TissWidget

    widget = TissWidget(source, settings.pop("root"), on_event=bind_report, **settings)
    display(widget)
    widget.run(dry_run=dry_run, wait=False)


def _assignment(text: str, variables: dict[str, Any]) -> str:
    """`NAME=VALUE` as it is; for `NAME` the value of the notebook's variable, as text."""
    if "=" in text:
        return text
    if text not in variables:
        raise FlagError(f"--var {text}: the notebook has no variable of that name")
    value = variables[text]
    return f"{text}={text_form(value) if isinstance(value, bool) else value}"


def _show_progress(event: dict[str, Any]) -> None:
    # Without times, so that a notebook's stored output is the same at every run.
    if event["event"] == "step_start":
        print("▸", one_line(event["description"] or "setup"), flush=True)
    elif event["event"] == "log":
        print(printable(event["message"]), flush=True)
