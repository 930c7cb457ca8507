"""How a run ended, in words for the page."""

from typing import Any

from tisslang.cli.explanation import explain
from tisslang.exit_codes import EXIT_INTERRUPTED
from tisslang.terminal import one_line, printable

Report = dict[str, Any]


def ending_of(report: Report, source: str) -> dict[str, Any]:
    """Status, headline and error of a run of `source`."""
    ending: dict[str, Any] = {"status": status_of(report), "headline": headline_of(report)}
    ending["error"] = None
    if error := report["error"]:
        facts = {name: error[name] for name in ("code", "line", "column")}
        texts = {name: error[name] and printable(error[name]) for name in ("message", "hint")}
        explanation = explain(report, source, colour=False).rstrip()
        ending["error"] = {**facts, **texts, "explanation": explanation}
    return ending


def status_of(report: Report) -> str:
    """How a run ended, in a word for the page."""
    if report["diagnostics"]:
        return "not run"
    return "interrupted" if report["exit_code"] == EXIT_INTERRUPTED else str(report["status"])


def headline_of(report: Report) -> str:
    """How a run ended, in one line."""
    error, is_dry = report["error"], report["dry_run"]
    sandbox = report["sandbox"] or {}
    note = " There was no sandbox." if sandbox.get("profile") == "none" else ""
    if report["diagnostics"]:
        return f"Not run: {counted(len(report['diagnostics']), 'error')}."
    if report["exit_code"] == EXIT_INTERRUPTED:
        return f"Interrupted: nothing of it is running any more.{note}"
    if error:
        begin = "Dry run: it would fail" if is_dry else "Failed"
        if error["kind"] == "security":
            begin = "Dry run: it would be refused" if is_dry else "Refused"
        place = f" in “{error['steps'][-1]}”" if error["steps"] else ""
        place += f", line {error['line']}" if error["line"] else ""
        end = "" if error["message"].endswith(("?", "!", ".")) else "."
        return one_line(f"{begin}{place}: {error['message']}{end}{note}")
    if is_dry:
        return "Dry run: this would happen; nothing was done."
    steps = f"{report['steps_completed']:,} of {counted(report['steps_total'], 'step')}"
    return f"Passed: {steps}.{note}" if report["steps_total"] else f"Passed.{note}"


def counted(number: int, what: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
