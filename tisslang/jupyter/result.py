"""What a notebook shows of a run: the tree of its steps, in HTML and in plain text.

Nothing here varies from run to run of the same plan, except for the times behind ` · `: there are
no absolute paths. Colours come from the page, so that light and dark themes both work, and every
state is also a word.
"""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from tisslang.cli.explanation import explain
from tisslang.cli.plan_view import render_plan
from tisslang.cli.progress import seconds_text
from tisslang.terminal import SYMBOLS, one_line, printable, step_title

Event = dict[str, Any]

MAX_OUTPUT = 4000  # characters of each stream of a command
MAX_VALUE = 80  # and of an operand of ASSERT
MAX_EVENTS = 5000  # of a run whose tree is drawn: a longer one would fill the notebook
MAX_TEXTS = 1_000_000  # and the characters in them

BOX = "border:1px solid;border-radius:4px;padding:.5em .8em;margin:.2em 0;line-height:1.4"
_TREE = "list-style:none;margin:.3em 0;padding-left:1.2em"
_PLAIN = (
    "margin:.2em 0;padding:.1em .6em;border-left:3px solid;"
    "background:none;color:inherit;font-family:monospace;"
)
_PRE = _PLAIN + "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
_TABLE = _PLAIN + "white-space:pre;overflow-x:auto"  # whose columns stay where they are


def is_drawn(events: Sequence[Event]) -> bool:
    """Whether the events of a run are few enough for a tree in HTML."""
    if len(events) > MAX_EVENTS:
        return False
    texts = (len(text) for event in events for text in event.values() if isinstance(text, str))
    return sum(texts) <= MAX_TEXTS


class PlanResult:
    """One run, ready to be displayed; `report` is its report, `outline` what a dry run knows
    beyond it. Of a very long one only the text is shown.
    """

    def __init__(
        self,
        report: dict[str, Any],
        events: list[Event],
        source: str,
        outline: Sequence[Any] | None = None,
    ) -> None:
        self.report = report
        self._outline = outline
        self._events = events
        self._source = source

    def __repr__(self) -> str:
        lines = [_headline(self.report)]
        if self._is_plan():
            lines += ["", self._plan(), ""]
        else:
            lines += [f"  {_label(step)}" for step in self.report["steps"]]
        if self.report["files_written"]:
            lines.append("files written: " + printable(", ".join(self.report["files_written"])))
        return "\n".join([*lines, self._explanation()]).rstrip()

    def _repr_html_(self) -> str:
        if not is_drawn(self._events):
            return preformatted(repr(self))
        parts = [
            f"<strong>{escape(_headline(self.report))}</strong>",
            preformatted(self._plan(), style=_TABLE)
            if self._is_plan()
            else _children_html(_tree(self.report, self._events)),
        ]
        if self.report["exit_code"]:
            parts.append(preformatted(self._explanation()))
        if self.report["files_written"]:
            names = (escape(printable(path)) for path in self.report["files_written"])
            parts.append("<div>Files written: " + ", ".join(f"<code>{n}</code>" for n in names))
            parts.append("</div>")
        return f'<div class="tiss-result" style="{BOX}">{"".join(parts)}</div>'

    def _is_plan(self) -> bool:
        return self.report["dry_run"] and not self.report["diagnostics"]

    def _plan(self) -> str:
        return render_plan(self.report, outline=self._outline)

    def _explanation(self) -> str:
        return explain(self.report, self._source, colour=False).rstrip()


def _tree(report: dict[str, Any], events: list[Event]) -> list[Event]:
    """The events to show, those of a step as its `children`, and the steps without a turn."""
    shown: list[Event] = []
    main = [shown]
    branches: dict[int, list[list[Event]]] = {}
    steps = iter(report["steps"])
    for event in events:
        around = main
        if "branch" in event:  # of a PARALLEL, whose steps are those of the block around it
            around = branches.setdefault(event["branch"], [main[-1]])
            if len(around) == 1:
                around[0] = main[-1]
        if event["event"] == "step_start":
            for step in steps if event["attempt"] == 1 else ():
                if step["status"] != "skipped":  # those before this one in the report had no turn
                    break
                around[-1].append({**step, "event": "step_end", "children": []})
            children: list[Event] = []
            around[-1].append({"event": "step_end", "children": children})
            around.append(children)
        elif event["event"] == "step_end":
            around.pop()
            around[-1][-1].update(event)
        elif _is_shown(event, around[-1]):
            around[-1].append(event)
    return shown + [{**step, "event": "step_end", "children": []} for step in steps]


def _is_shown(event: Event, before: list[Event]) -> bool:
    """What a LOG says, and what an ASSERT found, is shown instead of the command."""
    if event["event"] in ("log", "assert"):
        return True
    if event["event"] != "command_end" or event["type"] == "LOG":
        return False
    return event["type"] != "ASSERT" or not before or before[-1]["event"] != "assert"


def _children_html(children: list[Event]) -> str:
    """Steps as a list; the commands between them folded, open where something failed."""
    html, commands = [], []
    for child in [*children, None]:
        if child is not None and child["event"] != "step_end":
            commands.append(child)
            continue
        if commands:
            html.append(_commands_html(commands))
            commands = []
        if child is not None:
            inner = _children_html(child["children"])
            html.append(f"<li>{escape(_label(child))}{inner}</li>")
    return f'<ul style="{_TREE}">{"".join(html)}</ul>' if html else ""


def _commands_html(commands: list[Event]) -> str:
    failed = any(
        command.get("status") == "error" or command.get("passed") is False for command in commands
    )
    count = f"{len(commands)} command{'s' if len(commands) > 1 else ''}"
    return (
        f"<li><details{' open' if failed else ''}><summary>{count}</summary>"
        f"{''.join(map(_command_html, commands))}</details></li>"
    )


def _command_html(event: Event) -> str:
    if event["event"] == "log":
        return f"<div><code>LOG</code> {escape(printable(event['message']))}</div>"
    if event["event"] == "assert":
        found = "; ".join([("holds" if event["passed"] else "failed"), *_operands(event)])
        source = f"ASSERT {one_line(event['source'])}"
        return f"<div><code>{escape(source)}</code> ({escape(found)})</div>"
    notes = ["failed"] if event["status"] == "error" else []
    if "exit_code" in event:
        notes.append(f"exit code {event['exit_code']}")
    if "bytes" in event and event["status"] == "ok":
        notes.append(f"{event['bytes']:,} bytes")
    html = f"<div><code>{escape(printable(event['summary']))}</code>"
    html += f" ({', '.join(notes)})</div>" if notes else "</div>"
    return html + "".join(
        preformatted(printable(event[name][-MAX_OUTPUT:]), label)
        for name, label in (("stdout", ""), ("stderr", "standard error:"))
        if event.get(name)
    )


def _operands(event: Event) -> list[str]:
    """What the operands of an ASSERT were, where that does not stand in the condition already."""
    found = []
    for operand in (event["left"], event["right"]):
        if operand is not None and not operand["text"].startswith(("FILE", '"', "'")):
            value = one_line(json.dumps(operand["value"], ensure_ascii=False))
            value = value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…"
            if value != operand["text"]:
                found.append(f"{operand['text']} is {value}")
    return found


def _headline(report: dict[str, Any]) -> str:
    steps = f"{report['steps_completed']} of {report['steps_total']} steps"
    what = [one_line(report["task"])] if report["task"] else []
    what += [f"({steps})"] if report["steps_total"] else []
    head = report["status"]
    if report["diagnostics"]:
        head = "not run"
    elif report["error"] and report["error"]["kind"] == "security":
        head = "refused"
    if report["dry_run"] and not report["exit_code"]:
        return f"{SYMBOLS['passed']} a dry run, nothing was done: {' '.join(what[:1])}".rstrip(": ")
    return (
        f"{SYMBOLS['failed' if report['exit_code'] else 'passed']} {head}"
        + (f": {' '.join(what)}" if what else "")
        + _time(report)
    )


def _label(step: dict[str, Any]) -> str:
    return f"{SYMBOLS[step['status']]} {step['status']}: {step_title(step)}{_time(step)}"


def _time(record: dict[str, Any]) -> str:
    """How long a run or a step took, if it did anything."""
    did_nothing = record["status"] == "skipped" or record.get("diagnostics")
    return "" if did_nothing else f" · {seconds_text(record['duration_s'])}"


def preformatted(text: str, label: str = "", style: str = _PRE) -> str:
    """Text as it is laid out, escaped, below a label."""
    heading = f"<div>{label}</div>" if label else ""
    return f'{heading}<pre style="{style}">{escape(text)}</pre>'
