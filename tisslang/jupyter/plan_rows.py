"""The plan of a dry run as rows for the page, below the steps and ways that they lie in."""

from collections.abc import Sequence
from typing import Any

from tisslang.cli.plan_view import remarks_on, shared_length
from tisslang.dry_run.outline import Entry, Heading
from tisslang.terminal import one_line

MAX_ROWS = 2000


def plan_rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """One row for each entry, and one for each heading above; `depth` is how deep it lies."""
    rows: list[dict[str, Any]] = []
    around: list[Heading] = []
    for number, entry in enumerate(entries):
        if len(rows) >= MAX_ROWS:
            rows.append(_row(0, f"… {len(entries) - number} more"))
            break
        for depth in range(shared_length(around, entry.around), len(entry.around)):
            rows.append(_row(depth, entry.around[depth].text))
        around, fields = entry.around, entry.fields
        told = {name: fields[name] for name in ("line", "type", "status", "conditional")}
        told |= {
            "approval": entry.needs_approval,
            "remarks": one_line("; ".join(remarks_on(entry))),
        }
        rows.append(_row(len(around), fields["summary"]) | told)
    return rows


def _row(depth: int, summary: str) -> dict[str, Any]:
    return {
        "depth": depth,
        "line": None,
        "type": "",
        "summary": one_line(summary),
        "status": "",
        "conditional": False,
        "approval": False,
        "remarks": "",
    }
