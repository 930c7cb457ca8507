"""What the outline of a plan says about an entry, for the person who reviews it."""

import json
import re
from collections.abc import Callable
from typing import Any

from tisslang.dry_run.files import plain_path
from tisslang.dry_run.outline import Entry
from tisslang.plan import Node
from tisslang.values import Unknown, Value, text_form

UNKNOWN_PART = re.compile(r"<unknown:([A-Za-z0-9_.]+)>")

MAX_REMARK = 120  # characters of a command; a longer one stands on lines of its own

Mask = Callable[[str], str]


def remark(entry: Entry, node: Node, args: dict[str, Any], mask: Mask) -> None:
    """Say what a command comes to with the values that are known."""
    kind = node["type"]
    if kind == "WRITE":
        entry.remarks.append(_size(args["content"]))
    if kind in ("WRITE", "MKDIR", "DELETE"):
        entry.changes = mask(text_form(args["path"]))
    if isinstance(node.get("path"), dict):
        entry.remarks.append(f"the path is {mask(text_form(args['path']))}")
    if args.get("place") is not None and args["place"] != plain_path(str(args["path"])):
        place = mask(args["place"] or ".")
        entry.remarks.append(f"which leads to {place}")
        entry.changes = entry.changes and place
    if kind == "RUN":
        _remark_command(entry, mask(text_form(args["command"])).strip())
    if kind == "ASSERT":
        remark_condition(entry, args["condition"])


def _remark_command(entry: Entry, command: str) -> None:
    """Show what the shell gets, unless the summary is just that."""
    if "\n" in command or len(command) > MAX_REMARK:
        entry.command = command.split("\n")
    elif entry.fields["summary"] != f"RUN {command}":
        entry.remarks.append(f"runs {command}")


def remark_surroundings(entry: Entry, directives: dict[str, list[Value]], mask: Mask) -> None:
    """Say in which directory a command runs, and what its environment has more than usual."""
    for name, preposition in (("cwd", "in"), ("env", "with")):
        for value in directives.get(name, ()):
            text = json.dumps(mask(text_form(value)), ensure_ascii=False)  # a remark of its own
            entry.remarks.append(f"{preposition} {text}")


def remark_condition(entry: Entry, condition: dict[str, Any]) -> None:
    """Say which unknown values a condition depends on."""
    names: dict[str, None] = {}
    for side in ("left", "right", "path"):
        if isinstance(condition.get(side), Unknown):
            names |= dict.fromkeys(UNKNOWN_PART.findall(text_form(condition[side])))
    if names:
        entry.remarks.append(f"depends on {', '.join(names)}")


def _size(content: Value) -> str:
    text = text_form(content)
    lines, size = text.count("\n"), len(text.encode("utf-8", "surrogatepass"))
    if isinstance(content, Unknown):
        return f"{lines} lines or more, partly unknown"
    return f"{lines} line{'' if lines == 1 else 's'}, {size:,} byte{'' if size == 1 else 's'}"
