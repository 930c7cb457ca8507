"""Runs that differ in their seed alone make one row: the mean of each number, and its spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from qt.sweep.grid import SEED
from qt.sweep.parameters import in_words
from qt.sweep.store import DONE, MEASURES, Folder, Record

SHOWN = {  # the columns of a table for people, if the notebook gives them; its decimals
    "val_bits_per_byte": 3, "val_loss": 3, "seconds": 1, "parameters": 0, "steps": 0,
    "bytes_read": 0,
}  # fmt: skip
HEADS = {
    "val_bits_per_byte": "bits per byte", "val_loss": "validation loss", "bytes_read": "bytes read",
}  # fmt: skip


@dataclass
class Row:
    """One row: its label, its settings (without the seed), the records and metrics of its runs."""

    label: str
    settings: dict[str, Any]
    records: list[Record] = field(default_factory=list)
    failed: int = 0
    runs: list[Record] = field(default_factory=list)  # metrics.json of those that are done

    def values(self, name: str) -> list[float]:
        """A number of each run; empty unless all have it."""
        found = [run["metrics"].get(name) for run in self.runs]
        if any(isinstance(v, bool) or not isinstance(v, int | float) for v in found):
            return []
        return [float(v) for v in found if v is not None]

    def mean(self, name: str) -> float | None:
        """The mean over the runs."""
        values = self.values(name)
        return statistics.fmean(values) if values else None

    def spread(self, name: str) -> float | None:
        """The standard deviation over the seeds, with n - 1; None for a single run."""
        values = self.values(name)
        return statistics.stdev(values) if len(values) > 1 else None


def make_rows(folder: Folder) -> list[Row]:
    """All that the folder holds, in the order in which it was asked for."""
    rows: dict[tuple[str, ...], Row] = {}
    for record in folder.records():
        key = tuple(record["row"])
        if key not in rows:
            settings = {k: value for k, value in record["settings"].items() if k != SEED}
            rows[key] = Row("", settings)
        row = rows[key]
        row.records.append(record)
        if record["status"] == DONE:
            row.runs.append(folder.metrics(record))
        else:
            row.failed += 1
    _label(list(rows.items()))
    return list(rows.values())


def _label(rows: Sequence[tuple[tuple[str, ...], Row]]) -> None:
    """The variant and the place in the grid; where two are called the same, what differs."""
    for (variant, _), row in rows:
        point = row.records[0]["point"]
        shown = {name: value for name, value in point.items() if name in row.settings}
        row.label = " ".join(part for part in (variant, in_words(shown)) if part)
    labels = [row.label for _, row in rows]
    names = {name for _, row in rows for name in row.settings}
    differs = [n for n in sorted(names) if len({repr(row.settings.get(n)) for _, row in rows}) > 1]
    for (variant, _), row in rows:
        if labels.count(row.label) > 1 or not row.label:
            shown = {name: row.settings[name] for name in differs if name in row.settings}
            shown = shown or row.settings
            row.label = " ".join(part for part in (variant, in_words(shown)) if part) or "defaults"


def main_number(rows: Sequence[Row]) -> str | None:
    """What the runs are compared by: lower is better."""
    names = _numbers(rows)
    return next((name for name in MEASURES if name in names), names[0] if names else None)


def _numbers(rows: Sequence[Row]) -> list[str]:
    """The numbers that some run has, in its order."""
    names = dict.fromkeys(name for row in rows for run in row.runs for name in run["metrics"])
    return [name for name in names if any(row.values(name) for row in rows)]


def columns(rows: Sequence[Row]) -> list[str]:
    """The numbers that a table for people has."""
    names = _numbers(rows)
    return [name for name in SHOWN if name in names] or names[:6]


def head(name: str) -> str:
    """A number's name as the head of a column."""
    return HEADS.get(name, name.replace("_", " "))


def cell(row: Row, name: str) -> str:
    """mean ± spread, in as many decimals as make sense."""
    mean, spread = row.mean(name), row.spread(name)
    if mean is None:
        return "–"
    digits = SHOWN.get(name, 3)
    return f"{mean:,.{digits}f}" + (f" ± {spread:,.{digits}f}" if spread and digits else "")


def as_markdown(rows: Sequence[Row]) -> str:
    """The table, as Markdown whose columns also stand one below the other as plain text."""
    names, failed = columns(rows), any(row.failed for row in rows)
    heads = ["run", "n", *(["failed"] if failed else []), *map(head, names)]
    lines = [heads]
    for row in rows:
        counts = [str(len(row.runs)), *([str(row.failed)] if failed else [])]
        lines.append([row.label.replace("|", "\\|"), *counts, *(cell(row, name) for name in names)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    texts = []
    for line in lines:
        cells = [t.rjust(w) if i else t.ljust(w) for i, (t, w) in enumerate(zip(line, widths))]
        texts.append(f"| {' | '.join(cells)} |")
    rule = "|" + "|".join("-" * (w + 1) + (":" if i else "-") for i, w in enumerate(widths)) + "|"
    return "\n".join([texts[0], rule, *texts[1:]]) + "\n"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The same for programs, with every number and the values of each run."""
    return [
        {
            "label": row.label, "settings": row.settings, "n": len(row.runs), "failed": row.failed,
            "runs": [record["name"] for record in row.records],
            "metrics": {name: _statistics(row, name) for name in _numbers([row])},
        }
        for row in rows
    ]  # fmt: skip


def _statistics(row: Row, name: str) -> dict[str, Any]:
    return {"mean": row.mean(name), "spread": row.spread(name), "values": row.values(name)}
