"""The page of a sweep: table, picture, each run with its report. One file, no outside request."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from qt.sweep.store import DONE, Folder, Record
from qt.sweep.table import Row, cell, columns, head, main_number

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { border-bottom: 1px solid #bbb; padding: .3rem .8rem; text-align: right; }
th:first-child { text-align: left; }
td { white-space: nowrap; }
.wide { overflow-x: auto; }
img { max-width: 100%; height: auto; background: #fff; }
pre { white-space: pre-wrap; background: #f2f2f2; padding: .6rem; }
a { color: #0a4a9c; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #16181c; } a { color: #8ab8ff; } pre { background: #24272d; }
}
"""


def make_page(folder: Folder, rows: Sequence[Row], picture: bytes | None, alt: str) -> str:
    """The whole page as HTML. Links to reports are relative: the folder can be moved."""
    asked = folder.asked[-1]
    title = f"Sweep of {asked['notebook']}"
    records = folder.records()
    done = sum(record["status"] == DONE for record in records)
    failed = len(records) - done
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{done} of {len(records)} runs are done, {failed} failed.{_changed(records)}</p>",
        "<h2>Rows</h2>", _table(rows),
    ]  # fmt: skip
    if picture:
        data = base64.b64encode(picture).decode("ascii")
        parts += ["<h2>Curves and ends</h2>"]
        parts += [
            f'<p><img src="data:image/png;base64,{data}" alt="{escape(alt, quote=True)}"></p>'
        ]
    parts += ["<h2>Runs</h2>", _runs(folder, records, rows)]
    if failed:
        parts += ["<h2>What failed</h2>", *map(_failure, records)]
    parts += ["<h2>What was asked</h2>", "<ul>", *(f"<li>{_asked(a)}</li>" for a in folder.asked)]
    body = "\n".join([*parts, "</ul>"])
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _changed(records: Sequence[Record]) -> str:
    if len({(record["notebook"], record["qt"]) for record in records}) < 2:
        return ""
    return " The notebook or qt was changed between them: they may not be comparable."


def _table(rows: Sequence[Row]) -> str:
    names = columns(rows)
    heads = ["run", "runs done", "failed", *map(head, names)]
    lines = [
        f'<tr><th scope="row">{escape(row.label)}</th><td>{len(row.runs)}</td><td>{row.failed}</td>'
        + "".join(f"<td>{escape(cell(row, name))}</td>" for name in names)
        + "</tr>"
        for row in rows
    ]
    return _framed("Mean ± standard deviation over seeds", heads, lines)


def _framed(caption: str, heads: Sequence[str], lines: Sequence[str]) -> str:
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body, label = "\n".join(lines), escape(caption, quote=True)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{label}">\n'
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{top}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def _runs(folder: Folder, records: Sequence[Record], rows: Sequence[Row]) -> str:
    number = main_number(rows)
    lines = []
    for record in records:
        value = folder.metrics(record)["metrics"].get(number) if record["status"] == DONE else None
        shown = f"{value:,.3f}" if isinstance(value, int | float) else "–"
        where = f"runs/{quote(record['name'])}"
        reported = (folder.run(record["name"]) / "report.ipynb").exists()
        links = [f'<a href="{where}/report.ipynb">report</a>'] if reported else []
        last = "metrics.json" if record["status"] == DONE else "error.txt"
        links += [f'<a href="{where}/{last}">{last.partition(".")[0]}</a>']
        lines.append(
            f'<tr><th scope="row">{escape(record["words"])}</th>'
            f"<td>{record['status']}</td><td>{shown}</td><td>{record['seconds']:,.1f}</td>"
            f"<td>{', '.join(links)}</td></tr>"
        )
    heads = ["run", "state", head(number or "number"), "seconds in all", "files"]
    return _framed("Each run, with its report", heads, lines)


def _failure(record: Record) -> str:
    if record["status"] == DONE:
        return ""
    return f"<h3>{escape(record['words'])}</h3>\n<pre>{escape(record['error'] or '')}</pre>"


def _asked(asked: Record) -> str:
    parts = [f"--grid {g}" for g in asked["grid"]] + [f"--variant {v}" for v in asked["variant"]]
    parts += [f"--set {s}" for s in asked["set"]]
    parts += [f"--seeds {asked['seeds']}"] if asked["seeds"] else []
    what = f" <code>{escape(' '.join(parts))}</code>" if parts else ""
    return f"{escape(asked['time'])}: {len(asked['runs'])} runs{what}"
