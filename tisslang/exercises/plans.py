"""A learner's plan on trial: run in a fresh folder, and asked what came of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tisslang.cli.explanation import draw, explain
from tisslang.exercises.base import Differs
from tisslang.formatting import format_source
from tisslang.linting import lint
from tisslang.syntax import check, parse

FILENAME = "plan.tiss"
LONGEST = 300  # characters of a text that a message shows
SECONDS = 20  # for each RUN: a plan that waits for nothing is told so soon


class Plan:
    """The text of a plan, its tree, and its runs. `options` are those of `tisslang.run`."""

    def __init__(self, text: str, **options: Any) -> None:
        self.text = text
        self.runs = 0
        self._options = options
        self.tree: dict[str, Any] = {}

    def must_read(self, *given: str) -> None:
        """Differ when the plan has a syntax or static error; `given` are names that a run gets."""
        if found := check(self.text, FILENAME, given):
            first = draw(found[0], self.text, colour=False)
            raise Differs(found="the plan is not run: it has an error", because=first)
        self.tree = parse(self.text, FILENAME)

    def run(
        self, files: Mapping[str, str] | None = None, var: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Trial:  # fmt: skip
        """One run in a fresh folder that holds `files`; `options` as of `tisslang.run`."""
        from tisslang import run

        self.must_read(*(var or {}))
        self.runs += 1
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (files or {}).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode("utf-8"))
            report = run(
                self.text, folder, var=var or {}, filename=FILENAME, non_interactive=True,
                **{"timeout": SECONDS, **self._options, **options},
            )  # fmt: skip
            left = {
                path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8", "replace")
                for path in sorted(Path(folder).rglob("*"))
                if path.is_file() and not path.is_symlink()
            }
        return Trial(self, _given(files or {}, var or {}, options), report, left)

    def commands(self, type: str) -> list[dict[str, Any]]:
        """All nodes of the tree of this type, in source order, at any depth."""
        return [node for node in nodes(self.tree) if node.get("type") == type]

    def must_use(self, type: str, why: str) -> None:
        """Differ when no statement of the plan has this type."""
        if not self.commands(type):
            raise Differs(expected=f"a plan with {type} in it", found="none", likely=why)

    def findings(self) -> list[Any]:
        """What the linter finds, but for a missing header."""
        return lint(self.text, FILENAME, ignore=["T209"])

    def layout_differs(self) -> bool:
        """Whether `tiss fmt` would change the plan; empty lines around it do not count."""
        return format_source(self.text).strip() != self.text.strip()


class Trial:
    """What came of one run: the report, and the files that were there at its end."""

    def __init__(
        self, plan: Plan, given: str, report: dict[str, Any], files: dict[str, str]
    ) -> None:
        self.plan, self.given, self.report, self.files = plan, given, report, files

    def differs(self, expected: str, found: str, likely: str = "") -> Differs:
        """The error to raise when this run is not as it should be."""
        return Differs(given=self.given, expected=expected, found=found, likely=likely)

    def must_pass(self, **causes: str) -> None:
        """Differ when the run did not pass; `causes`: the kind of its error → the likely cause."""
        self.must_end_with(0, **causes)

    def must_end_with(self, exit_code: int, **causes: str) -> None:
        """Differ when the run ended otherwise; the cause of a run that passed is `passed`."""
        found, error = self.report["exit_code"], self.report["error"]
        if found != exit_code:
            raise Differs(
                given=self.given,
                expected=f"exit code {exit_code}" if exit_code else "a run that passes",
                found=f"exit code {found}",
                because=explain(self.report, self.plan.text, colour=False),
                likely=causes.get(error["kind"] if error else "passed", ""),
            )

    def must_hold(
        self, path: str, content: str, known: Mapping[str, str] | None = None, likely: str = ""
    ) -> None:
        """Differ when the file does not hold `content`; `known`: other content → its cause."""
        found = self.files.get(path)
        if found is None:
            there = ", ".join(self.files) or "none"
            raise self.differs(f"a file {path}", f"no such file (there are: {there})", likely)
        if found != content:
            cause = (known or {}).get(found, likely)
            raise self.differs(f"{path} with {short(content)}", short(found), cause)


def nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All statements of a tree, outermost first."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += reversed(part)
        elif isinstance(part, dict):
            if "type" in part:
                yield part
            waiting += reversed(part.values())


def short(text: str) -> str:
    """A text in quotes and on one line, so that each difference can be seen."""
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def _given(files: Mapping[str, str], var: Mapping[str, str], options: Mapping[str, Any]) -> str:
    """What a run had, in one line a thing."""
    lines = [f"{name} = {short(value)}" for name, value in var.items()]
    lines += [f"{name} with {short(content)}" for name, content in files.items()]
    lines += [f"{name} = {value!r}" for name, value in options.items()]
    return "\n".join(lines) or "nothing"
