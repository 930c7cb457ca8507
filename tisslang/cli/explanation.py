"""Why a run did not pass, for people: each error with its place, hint, and the command's output."""

import shlex
from dataclasses import replace
from typing import Any

from tisslang.errors import CATCHABLE
from tisslang.plan import top_level_statements
from tisslang.syntax import parse
from tisslang.terminal import one_line, printable

TAIL_LINES = 20  # of a command's output
TAIL_CHARACTERS = 2000
COMMAND_CHARACTERS = 300

Error = dict[str, Any]
Report = dict[str, Any]


def explain(report: Report, source: str, colour: bool, bar: str = "│") -> str:
    """Everything that went wrong in a run; the empty text when nothing did."""
    if report["diagnostics"]:
        from tisslang.syntax.diagnostics import Diagnostic  # only what fails pays for it

        return "".join(draw(Diagnostic(**item), source, colour) for item in report["diagnostics"])
    errors = [error for error in [report["error"], *report["suppressed"]] if error]
    last_run = report["last_run"]
    return "".join(
        _explain_error(error, report["script"], source, colour, bar, last_run) for error in errors
    )


def draw(diagnostic: Any, source: str, colour: bool) -> str:
    """A diagnostic whose words, too, may come from a script or a program."""
    from tisslang.syntax.diagnostics import render

    message, hint = _in_frame(diagnostic.message), diagnostic.hint and _in_frame(diagnostic.hint)
    return render(replace(diagnostic, message=message, hint=hint), source, colour) + "\n"


def _in_frame(text: str) -> str:
    """A text of which no line passes for another message."""
    return printable(text).replace("\n", "\n   | ")


def way_on(report: Report, source: bytes, given: list[str]) -> str:
    """How to go on behind the steps that passed, once the failed one is mended; or nothing.

    `given` are the variables that the operator set: with others, that earlier steps set, a run
    could not begin in the middle.
    """
    error = report["error"]
    if not error or error["kind"] not in CATCHABLE or report["suppressed"] or report["dry_run"]:
        return ""
    failed = "".join(error["steps"][:1])
    top_level = top_level_statements(parse(source))
    names = [node["description"] for node in top_level if node["type"] == "STEP"]
    passed = {step["description"] for step in report["steps"] if step["status"] == "passed"}
    is_plain = failed.isprintable() and names.count(failed) == 1
    if not is_plain or not passed.intersection(names) or not {*report["variables"]} <= {*given}:
        return ""
    return f"next: mend this step, then go on from it with --from-step {shlex.quote(failed)}\n"


def _explain_error(
    error: Error, script: str, source: str, colour: bool, bar: str, last_run: dict[str, Any] | None
) -> str:
    text = _with_place(error, script, source, colour)
    if error["steps"] and error["kind"] != "internal":
        text += f"  in: {one_line(' / '.join(error['steps']))}\n"
    if error.get("last_run"):
        text += _output(error["last_run"], bar)
    elif error["kind"] == "timeout" and last_run and last_run["exit_code"] == 124:
        text += _output(last_run, bar)
    return text


def _with_place(error: Error, script: str, source: str, colour: bool) -> str:
    line, column = error["line"], error["column"]
    if error["kind"] == "internal":
        return one_line(f"error: internal: {error['message']} ({error['hint']})") + "\n"
    if line is None or column is None or error["code"] is None or not source:
        place = f"  --> {one_line(script)}:{line}:{column}\n" if line else ""
        hint = f"  = hint: {error['hint']}\n" if error["hint"] else ""
        return printable(f"error: {error['message']}\n{place}{hint}")
    from tisslang.syntax.diagnostics import Diagnostic

    message, end = error["message"], column + 1
    found = Diagnostic(
        error["code"], "error", message, script, line, column, line, end, error["hint"]
    )
    return draw(found, source, colour)


def _output(last_run: dict[str, Any], bar: str) -> str:
    lines = [
        f"  the command was: {_folded(last_run['command'])}",
        f"  its exit code: {last_run['exit_code']}",
    ]
    for name in ("stdout", "stderr"):
        output = last_run.get(name) or last_run.get(name + "_tail") or ""
        if output:
            end, is_whole = _end_of(output)
            lines.append(f"  its {name}:" if is_whole else f"  the end of its {name}:")
            lines += [f"  {bar} {line}" for line in end]
    return printable("\n".join(lines) + "\n")


def _folded(command: str) -> str:
    """A command in one line; of a script of several lines the first one."""
    first, _, more = command.strip().partition("\n")
    if more:
        first += f" … ({more.count(chr(10)) + 2} lines)"
    return first if len(first) <= COMMAND_CHARACTERS else first[:COMMAND_CHARACTERS] + "…"


def _end_of(output: str) -> tuple[list[str], bool]:
    """The last lines of an output, and whether they are all of it."""
    # A tail in the report of an ASSERT has this length when something was cut off before it.
    is_whole = len(output) < TAIL_CHARACTERS
    lines = output[-TAIL_CHARACTERS:].removesuffix("\n").split("\n")
    return lines[-TAIL_LINES:], is_whole and len(lines) <= TAIL_LINES
