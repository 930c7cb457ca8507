"""What the rules report: diagnostics that may know how to mend what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tisslang.linting.source import Source, Span
from tisslang.rules import SEVERITIES
from tisslang.syntax.diagnostics import Diagnostic


class Edit(NamedTuple):
    """Replace what stands between two offsets of the script as it was given, in code points.

    Bytes count as the text that they are in UTF-8.
    """

    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class Finding(Diagnostic):
    """The finding of a rule. `edits` mend it; without any there is no safe way."""

    edits: tuple[Edit, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The finding as the JSON object of a diagnostic, without the edits."""
        content = Diagnostic.to_json(self)
        del content["edits"]
        return content


class Report:
    """Gathers findings: once per code and position."""

    def __init__(self, source: Source, filename: str) -> None:
        self.source = source
        self.filename = filename
        self._by_position: dict[tuple[int, str], Finding] = {}

    def add(
        self,
        code: str,
        span: Span,
        message: str,
        hint: str | None = None,
        edits: Sequence[Edit] = (),
    ) -> None:
        """A finding about the text in `span`; the edits have the source's own offsets."""
        start, end = span
        line, column = self.source.place(start)
        end_line, end_column = self.source.place(end) if end > start else (line, column + 1)
        original = self.source.offsets.original
        self._by_position.setdefault(
            (start, code),
            Finding(
                code,
                SEVERITIES[code],
                message,
                self.filename,
                line,
                column,
                end_line,
                end_column,
                hint,
                tuple(Edit(original(x.start), original(x.end), x.replacement) for x in edits),
            ),
        )

    def findings(self) -> list[Finding]:
        """All findings, in no order."""
        return list(self._by_position.values())
