"""The plan of a dry run, for a person who reviews it before it is let loose."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from tisslang.dry_run.outline import Entry, Heading
from tisslang.terminal import one_line

MAX_LINES = 20  # of a command
MAX_PIECE = 120  # characters of one of them
WIDTH = 60  # remarks stand behind this column, unless all entries are shorter

_MARKS = {"would_run": " ", "would_pass": " ", "would_fail": "x", "unknown": "?"}
_CHANGES = {"WRITE": "writes", "MKDIR": "makes", "DELETE": "deletes"}
_FOUND: dict[str, Callable[[Entry], bool]] = {
    "x would fail": lambda entry: entry.fields["status"] == "would_fail",
    "! needs approval": lambda entry: entry.needs_approval,
    "? not known before a run": lambda entry: entry.fields["status"] == "unknown",
    "asks a person": lambda entry: entry.fields["type"] in ("PAUSE", "REQUEST_REVIEW"),
    "asks the agent": lambda entry: entry.fields["type"] == "PROMPT_AGENT",
    "runs a command": lambda entry: entry.fields["type"] == "RUN",
}

Row = tuple[str, str, str, str]  # line, mark, indented text, remarks


def render_plan(
    report: dict[str, Any], bar: str = "│", outline: Sequence[Entry] | None = None
) -> str:
    """The report's `plan`, one line for each entry, below the steps and ways that it lies in.

    A mark says what needs a look (`x` would fail, `!` needs approval, `?` not known), a bar what
    runs only if things turn out so; remarks stand behind; totals at the end. Without the `outline`
    of the dry run the view has to do with what the report says.
    """
    plan: list[dict[str, Any]] = report["plan"]
    if not plan:
        return "nothing: the plan has no commands"
    entries = outline or _from_report(plan)
    rows = _rows(entries, bar)
    digits = max(len(line) for line, _, _, _ in rows)
    longest = max((len(text) for _, _, text, remarks in rows if remarks), default=0)
    width = min(longest, WIDTH)
    lines = [
        f"{line:>{digits}} {mark} {f'{text:{width}}  {remarks}' if remarks else text}".rstrip()
        for line, mark, text, remarks in rows
    ]
    totals = [one_line(total) for total in _totals(entries)]
    return "\n".join([*lines, *([""] if totals else []), *totals])


def _from_report(plan: list[dict[str, Any]]) -> list[Entry]:
    entries: list[Entry] = []
    around: list[Heading] = []
    for fields in plan:
        names = [*fields["steps"], *(["in some cases:"] if fields["conditional"] else [])]
        shared = shared_length([heading.text for heading in around], names)
        ways = [False] * len(fields["steps"]) + [True]
        around = around[:shared] + list(map(Heading, names[shared:], ways[shared:]))
        entries.append(Entry(fields, around))
    return entries


def _rows(entries: Sequence[Entry], bar: str) -> list[Row]:
    rows: list[Row] = []
    around: list[Heading] = []
    for entry in entries:
        for depth in range(shared_length(around, entry.around), len(entry.around)):
            heading = _indent(entry.around[:depth], bar) + one_line(entry.around[depth].text)
            rows.append(("", " ", heading, ""))
        around, fields = entry.around, entry.fields
        indent = _indent(around, bar)
        mark = "!" if entry.needs_approval else _MARKS[fields["status"]]
        text, remarks = indent + one_line(fields["summary"]), one_line("; ".join(remarks_on(entry)))
        rows.append((_line(fields), mark, text, remarks))
        lines = [piece for line in entry.command for piece in _pieces(line)]
        rows += [("", " ", f"{indent}    {line}", "") for line in lines[:MAX_LINES]]
        if len(lines) > MAX_LINES:
            rest = f"{indent}    … {len(lines) - MAX_LINES} more lines"
            rows.append(("", " ", rest, ""))
    return rows


def _pieces(line: str) -> list[str]:
    """A line of a command; what does not fit stands below it, without the mark of a new line."""
    pieces = [line[start : start + MAX_PIECE] for start in range(0, len(line), MAX_PIECE)] or [""]
    return [f"{'  ' if number else '> '}{one_line(piece)}" for number, piece in enumerate(pieces)]


def shared_length(first: Sequence[Any], second: Sequence[Any]) -> int:
    """How many items two lists have in common at their beginning."""
    pairs = zip(first, second, strict=False)
    return next(
        (n for n, (old, new) in enumerate(pairs) if old != new), min(len(first), len(second))
    )


def _indent(around: Sequence[Heading], bar: str) -> str:
    return "".join(f"{bar} " if heading.is_way else "  " for heading in around)


def _line(fields: dict[str, Any]) -> str:
    return "?" if fields["line"] is None else str(fields["line"])


def remarks_on(entry: Entry) -> list[str]:
    """What else there is to say about an entry: that it would fail, or why nothing is known."""
    status, is_block = entry.fields["status"], entry.fields["type"] in ("IF", "CHOOSE")
    more = entry.remarks
    if status == "unknown":
        return ["not known: all ways are shown" if is_block else "not known", *more]
    if status == "would_fail":  # the last remark says why
        return [": ".join(["would fail", *more[-1:]]), *more[:-1]]
    return ["holds", *more] if status == "would_pass" else more


def _totals(entries: Sequence[Entry]) -> list[str]:
    """What a reviewer looks for first, in a few lines."""

    def total(name: str, found: Callable[[Entry], bool], text: Callable[[Entry], str]) -> str:
        certain: dict[str, bool] = {}
        for entry in filter(found, entries):
            key = text(entry)
            certain[key] = certain.get(key, False) or not entry.fields["conditional"]
        texts = [key + ("" if is_certain else " (perhaps)") for key, is_certain in certain.items()]
        return f"{name}: {', '.join(texts)}" if texts else ""

    def changes(kind: str) -> Callable[[Entry], bool]:
        return lambda e: e.fields["type"] == kind and e.changes is not None

    def line(entry: Entry) -> str:
        return f"line {_line(entry.fields)}"

    totals = [total(name, changes(kind), _path) for kind, name in _CHANGES.items()]
    totals += [total(name, found, line) for name, found in _FOUND.items()]
    return [text for text in totals if text]


def _path(entry: Entry) -> str:
    """A path; in quotes where it could be taken for several, or for a remark."""
    path = entry.changes or ""
    return json.dumps(path, ensure_ascii=False) if re.search(r"[\s,()\"]", path) else path
