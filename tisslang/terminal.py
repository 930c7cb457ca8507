"""What a person sees of a run in a terminal: steps as they come, and why one failed."""

import os
import re
from typing import Any, TextIO

Event = dict[str, Any]

TAIL_LINES = 20  # of a command's output, shown when its step fails

# Control characters and the marks that reverse the direction of text could rewrite the screen.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

SYMBOLS = {"passed": "✓", "failed": "✗", "skipped": "-", "running": "▸", "bar": "│"}
_ASCII = {"passed": "ok", "failed": "FAILED", "skipped": "-", "running": ">", "bar": "|"}
_COLOURS = {"passed": "32", "failed": "31", "skipped": "2", "running": "2", "bar": "2"}


def printable(text: str) -> str:
    """The text with what could steer a terminal written as an escape; line ends and tabs stay."""
    return _UNSAFE.sub(lambda match: _escape(match[0]), text)


def use_colour(choice: str, stream: TextIO) -> bool:
    """Whether to colour: `always`, `never`, or `auto`: a terminal, and no `NO_COLOR`."""
    if choice == "auto":
        return not os.environ.get("NO_COLOR") and stream.isatty()
    return choice == "always"


class Progress:
    """A listener that prints each step with its state and time, and LOG lines as they come."""

    def __init__(self, stream: TextIO, colour: bool) -> None:
        self._stream = stream
        self._colour = colour
        self._symbols = symbols(stream)
        self._depth = 0
        self._heading: str | None = None  # of a step that runs, while nothing was printed below it

    def __call__(self, event: Event) -> None:
        """Print what an event has to say to a person."""
        name = event["event"]
        if name == "run_start" and event["task"]:
            self._print(printable(event["task"]))
        elif name == "step_start":
            self._start_step(event)
        elif name == "step_end":
            self._end_step(event)
        elif name == "log":
            self._print(printable(event["message"]))

    def summarise(self, report: dict[str, Any]) -> None:
        """Print the steps that had no turn, and one line about the whole run."""
        if report["diagnostics"]:
            count = len(report["diagnostics"])
            self._print(f"not run: {count} error{'s' if count > 1 else ''}, exit 3")
            return
        for step in report["steps"]:
            if step["status"] == "skipped":
                self._print(f"{self._symbol('skipped')} {step_title(step)}  skipped")
        steps = f"{report['steps_completed']} of {report['steps_total']} steps passed, "
        ending = "" if report["exit_code"] == 0 else f", exit {report['exit_code']}"
        self._print(
            f"{self._paint(report['status'], 'passed' if report['exit_code'] == 0 else 'failed')}: "
            f"{steps if report['steps_total'] else ''}{report['duration_s']:.2f} s{ending}"
        )

    def _start_step(self, event: Event) -> None:
        self._print_heading()
        title = step_title(event)
        if self._stream.isatty():  # a line that wraps could not be written over
            columns = os.get_terminal_size(self._stream.fileno()).columns or 80
            title = title[: max(0, columns - 2 * self._depth - 3)]
        self._heading = "  " * self._depth + f"{self._symbol('running')} {title}"
        self._depth += 1
        if self._stream.isatty():  # shown at once, and written over when the step ends
            self._stream.write(self._heading)
            self._stream.flush()

    def _end_step(self, event: Event) -> None:
        self._depth -= 1
        if self._heading is not None and self._stream.isatty():
            self._stream.write("\r\x1b[K")
        self._heading = None
        symbol = self._symbol(event["status"])
        self._print(f"{symbol} {step_title(event)}  {event['duration_s']:.2f} s")

    def _print_heading(self) -> None:
        if self._heading is not None:
            self._stream.write("\n" if self._stream.isatty() else self._heading + "\n")
            self._heading = None

    def _print(self, text: str) -> None:
        self._print_heading()
        for line in text.removesuffix("\n").split("\n"):
            self._stream.write("  " * self._depth + line + "\n")
        self._stream.flush()

    def _symbol(self, status: str) -> str:
        return self._paint(self._symbols[status], status)

    def _paint(self, text: str, status: str) -> str:
        return f"\x1b[{_COLOURS[status]}m{text}\x1b[0m" if self._colour else text


def explain(report: dict[str, Any], source: str, colour: bool, bar: str = "│") -> str:
    """Why a run did not pass: each error with its place, its hint, and the end of the output."""
    if report["diagnostics"]:
        from tisslang.syntax.diagnostics import Diagnostic, render  # only what fails pays for it

        found = [Diagnostic(**item) for item in report["diagnostics"]]
        return "".join(render(item, source, colour) + "\n" for item in found)
    errors = [error for error in [report["error"], *report["suppressed"]] if error]
    return "".join(_explain_error(error, report, source, colour, bar) for error in errors)


def symbols(stream: TextIO) -> dict[str, str]:
    """The marks for each state, in ASCII where the stream's encoding has no others."""
    try:
        "".join(SYMBOLS.values()).encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _ASCII
    return SYMBOLS


def _explain_error(
    error: dict[str, Any], report: dict[str, Any], source: str, colour: bool, bar: str
) -> str:
    text = _with_place(error, report["script"], source, colour)
    last_run = error.get("last_run")
    if error["kind"] == "timeout":
        last_run = report["last_run"]
    if last_run:
        text += _output(last_run, bar)
    return text


def _with_place(error: dict[str, Any], script: str, source: str, colour: bool) -> str:
    line, column = error["line"], error["column"]
    if line is None or column is None or not source:
        hint = f"\n  = hint: {error['hint']}" if error["hint"] else ""
        return printable(f"error: {error['message']}{hint}\n")
    from tisslang.syntax.diagnostics import Diagnostic, render

    diagnostic = Diagnostic(
        code=error["code"],
        severity="error",
        message=printable(error["message"]),
        file=script,
        line=line,
        column=column,
        end_line=line,
        end_column=column + 1,
        hint=error["hint"] and printable(error["hint"]),
    )
    return render(diagnostic, source, colour) + "\n"


def _output(last_run: dict[str, Any], bar: str) -> str:
    lines = [
        f"  the command was: {last_run['command']}",
        f"  its exit code: {last_run['exit_code']}",
    ]
    for name in ("stdout", "stderr"):
        output = last_run.get(name) or last_run.get(name + "_tail") or ""
        if output:
            shown = output.removesuffix("\n").split("\n")
            last = f", last {TAIL_LINES} lines" if len(shown) > TAIL_LINES else ""
            lines.append(f"  its {name}{last}:")
            lines += [f"  {bar} {line}" for line in shown[-TAIL_LINES:]]
    return printable("\n".join(lines) + "\n")


def step_title(step: dict[str, Any]) -> str:
    """What a step is called, for people."""
    label = "setup" if step["kind"] == "SETUP" else ""
    return printable(": ".join(part for part in (label, step["description"]) if part))


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
