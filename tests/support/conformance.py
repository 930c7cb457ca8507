"""What the tests of the language share: small looks at a script through the API."""

from pathlib import Path
from typing import Any

import tisslang

Node = dict[str, Any]


def found(text: str | bytes, assigned: tuple[str, ...] = ()) -> list[str]:
    """What `check` says against a script, each as `T001 1:5`."""
    return [f"{d.code} {d.line}:{d.column}" for d in tisslang.check(text, assigned=assigned)]


def hint(text: str | bytes) -> str:
    """The hint of the only thing that `check` says."""
    (diagnostic,) = tisslang.check(text)
    return diagnostic.hint or ""


def linted(text: str, *codes: str, **options: Any) -> list[str]:
    """The findings of some rules of the linter, by the beginnings of codes; each as `T203 1:5`."""
    findings = tisslang.lint(text, **options)
    return [f"{d.code} {d.line}:{d.column}" for d in findings if d.code.startswith(codes)]


def body(text: str | bytes) -> list[Node]:
    """The statements of a script."""
    return tisslang.parse(text)["body"]


def first(text: str | bytes) -> Node:
    """The first statement of a script."""
    return body(text)[0]


def bare(tree: Any) -> Any:
    """A part of a tree without its positions."""
    if isinstance(tree, dict):
        places = ("line", "column", "end_line")
        return {key: bare(value) for key, value in tree.items() if key not in places}
    return [bare(each) for each in tree] if isinstance(tree, list) else tree


def run(text: str | bytes, root: Path, **options: Any) -> dict[str, Any]:
    """The report of a run; the sandbox is not the point."""
    settings = {"sandbox_profile": "none", "non_interactive": True} | options
    return tisslang.run(text, root=root, **settings)


def logged(text: str, root: Path, **options: Any) -> list[str]:
    """What a script that passes logs."""
    report = run(text, root, **options)
    assert report["error"] is None
    return report["log"]


def stopped_by(report: dict[str, Any]) -> str | None:
    """The kind of the error that ended a run, or of what `check` found."""
    return report["error"] and report["error"]["kind"]
