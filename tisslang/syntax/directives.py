"""The directives that the engine obeys: what their values must look like (T107)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tisslang.syntax.findings import Findings

    Node = dict[str, Any]

# Variables that decide which programs run and what they load; so do those that begin with LD_.
_REFUSED = ("PATH", "HOME", "TMPDIR", "IFS", "ENV", "BASH_ENV", "SHELLOPTS")

FOR_AGENT = ("persona", "output", "language")
OBEYED = ("timeout", "retry", "cwd", "env")


def check_directive(node: Node, findings: Findings) -> None:
    """A directive that has a meaning is written as its meaning wants it."""
    if fault := fault_of(node):
        findings.at_statement("T107", node, f"@{node['name']}: {fault[0]}", fault[1])


def fault_of(node: Node) -> tuple[str, str] | None:
    """What is wrong with a directive, and a hint; None when nothing is."""
    judge = _FAULTS.get(node["name"])
    return judge(node["values"]) if judge else None


def _timeout(values: list[Any]) -> tuple[str, str] | None:
    if len(values) == 1 and isinstance(values[0], dict) and "duration" in values[0]:
        return None
    return "one duration is expected", "write a number and a unit: @timeout 30s"


def _retry(values: list[Any]) -> tuple[str, str] | None:
    if len(values) == 1 and type(values[0]) is int and values[0] >= 0:
        return None
    return "one whole number is expected", "how often to try again: @retry 2"


def _cwd(values: list[Any]) -> tuple[str, str] | None:
    if len(values) == 1 and _is_text(values[0]):
        return None
    return "one path is expected", 'write it in quotes: @cwd "sub"'


def _env(values: list[Any]) -> tuple[str, str] | None:
    if len(values) != 1 or not _is_text(values[0]):
        return 'one text "NAME=value" is expected', "write a line for each variable"
    literal = values[0] if isinstance(values[0], str) else values[0]["template"][0]
    name, equals, _ = literal.partition("=") if isinstance(literal, str) else ("", "", "")
    if not (equals and name.isascii() and name.isidentifier()):
        return "NAME=value is expected", 'the name is literal text: @env "MODE={{mode}}"'
    if name in _REFUSED or name.startswith("LD_"):
        return f"{name} cannot be set", "it decides which programs run, or where they write"
    return None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and "template" in value)


_FAULTS: dict[str, Callable[[list[Any]], tuple[str, str] | None]] = {
    "timeout": _timeout,
    "retry": _retry,
    "cwd": _cwd,
    "env": _env,
}
