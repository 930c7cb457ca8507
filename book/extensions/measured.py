"""The tables of the page of results, made of benchmarks/results.json: nobody types a figure.

They stand where the page has its mark, and are made whenever the book is built.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from benchmarks.claim import is_busy

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results.json"
MARK = "<!-- made of benchmarks/results.json when the book is built -->"
Row = dict[str, Any]

# Title, what is raced, and what each row is in words. A row that stands nowhere comes last.
SUBJECTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "Training",
        "One step of the same model on the same batch: forward, backward, clipping, AdamW. The bare"
        " matrix products of a step are a floor under which no NumPy program comes; the same"
        " formulas by hand show what the tape costs.",
        {
            "train_small/1": "0.8 M parameters, 1 thread",
            "train_small/2": "0.8 M parameters, 2 threads",
            "train_medium/1": "10.7 M parameters, 1 thread",
            "train_medium/2": "10.7 M parameters, 2 threads",
            "train_floor": "against its matrix products alone",
            "engine_overhead": "against the same by hand",
        },
    ),
    (
        "Training on two processes",
        "The same step shared by two processes over MPI, against one: the ratio is the speed-up, 2"
        " at best. Strong: both sides do the same batch. Weak: each process has a batch of its own"
        " of that size.",
        {
            "data_parallel/small_strong": "0.8 M parameters, strong",
            "data_parallel/small_weak": "0.8 M parameters, weak",
            "data_parallel/medium_strong": "10.7 M parameters, strong",
            "data_parallel/medium_weak": "10.7 M parameters, weak",
        },
    ),
    (
        "Memory of training",
        "The most that the process holds during a step, above its size after the import.",
        {"memory/train_small": "0.8 M parameters", "memory/train_medium": "10.7 M parameters"},
    ),
    (
        "Writing",
        "A model of 0.8 M parameters reads a text and goes on with it, on one thread.",
        {
            "decode": "one text, KV cache",
            "decode_batch": "16 texts at once",
            "prefill": "reading 1,024 tokens",
        },
    ),
    (
        "Long texts",
        "Attention over 4,096 tokens, forward and backward.",
        {
            "long_context/time": "time",
            "long_context/memory": "memory",
            "long_context/memory_plain": "memory, against all scores at once",
        },
    ),
    (
        "Tokenizers",
        "Byte-pair encoding on one thread. The peers are written in Rust.",
        {
            "bpe_train_1000": "learning 1,000 tokens",
            "bpe_train_4096": "learning 4,096 tokens",
            "bpe_encode/tokenizers": "encoding 10 MB",
            "bpe_encode/tiktoken": "encoding 10 MB",
        },
    ),
    (
        "How time and memory grow",
        "Exponents: 1 means that twice the size takes twice as long. The peer is the arithmetic;"
        " an exponent below its own means that small sizes have costs of their own.",
        {
            "scaling/batch": "training step, by batch size",
            "scaling/block_size": "training step, by block size",
            "scaling/d_model": "training step, by width",
            "scaling/n_layer": "training step, by layers",
            "scaling/attention_memory": "memory of attention, by length",
            "scaling/bpe_corpus": "training of a tokenizer, by corpus",
        },
    ),
    (
        "Starting",
        "Whole processes, from start to exit. Python and NumPy alone are floors: what imports them"
        " cannot start sooner.",
        {
            "import": "`import qt`",
            "tiss_check": "`tiss check` of a small plan",
            "tiss_help": "`tiss --help`",
            "tiss_run/just": "`tiss run` of one command, against `just`, which has no sandbox",
            "tiss_run/robot": "`tiss run` of one command, against Robot Framework",
        },
    ),
    (
        "Long plans",
        "Plans of 10,000 steps, which are 30,000 lines; and plans eight times as long as others,"
        " of which an eighth should take as long as the short one: a ratio of 1.",
        {
            "parse_check/10000": "parsing and checking",
            "format/10000": "formatting",
            "run_steps/10000": "running, one `LOG` a step",
            "growth/steps": "growth by steps",
            "growth/string": "growth by the length of a text",
            "growth/nested": "growth by blocks in blocks",
            "growth/variables": "growth by variables",
        },
    ),
    (
        "The language server",
        "What an editor waits for, with a plan of 10,000 lines open.",
        {
            "lsp_edit/mixed": "from an edit to its problems",
            "lsp_edit/findings": "from an edit to its problems, where many lines have findings",
            "lsp_edit/robot": "from an edit to its problems, against one parse of Robot Framework",
            "lsp_completion/mixed": "completion",
            "lsp_hover/mixed": "hover",
        },
    ),
    (
        "The sandbox",
        "A `RUN` is a fork, the confinement, its proof, a shell, and the end of the whole tree of"
        " processes; `bwrap` confines and does nothing else. Files are read and written below the"
        " root without following links, and written whole or not at all; `open` has no such care.",
        {
            "run/namespaces": '`RUN "true"`, namespaces',
            "run/landlock": '`RUN "true"`, Landlock',
            "run_added/namespaces": "beyond a plain process, namespaces",
            "run_added/landlock": "beyond a plain process, Landlock",
            "run_memory": "memory for a command that prints a gigabyte",
            "file_read/1KB": "reading 1 KB",
            "file_read/10MB": "reading 10 MB",
            "file_write/1KB": "writing 1 KB",
            "file_write/10MB": "writing 10 MB",
        },
    ),
)
# Rows that are no race against another program, by what stands in the place of one.
FLOORS = ("its matrix products", "import numpy", "python -c pass")
GROWTH = ("theory", "an eighth of it, per part")
OWN = ("by hand, no tape", "our plain attention", "1 process")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", _put_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _put_tables(app: Sphinx, page: str, source: list[str]) -> None:
    if page == "book/results":
        app.env.note_dependency(str(RESULTS))
        source[0] = source[0].replace(MARK, tables(json.loads(RESULTS.read_text("utf-8"))))


def tables(results: dict[str, Any]) -> str:
    """Markdown: the machine, what is behind, and a section for each subject."""
    rows = {row["name"]: row for row in results["rows"]}
    sections = [
        (title, about, {name: text for name, text in words.items() if name in rows})
        for title, about, words in SUBJECTS
    ]
    known = {name for _, _, words in sections for name in words}
    sections.append(("Others", "", {name: "" for name in rows if name not in known}))
    sections = [section for section in sections if section[2]]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    return "\n\n".join([
        f"Measured on {results['date']}: {results['machine']}; {versions}.",
        *_where_we_stand(rows, sections),
        *(part for title, about, words in sections for part in _section(title, about, words, rows)),
    ])  # fmt: skip


def _where_we_stand(rows: dict[str, Row], sections: list[Any]) -> Iterator[str]:
    """Counts, and by name all that is behind or misses its goal."""
    texts = {
        name: f"{title}: {text or name}"
        for title, _, words in sections
        for name, text in words.items()
    }
    kinds: dict[str, list[Row]] = {}
    for row in rows.values():
        kinds.setdefault(_kind(row), []).append(row)
    races, limits = kinds.get("race", []), kinds.get("limit", [])
    lost = sorted((row for row in races if row["ratio"] < 1), key=lambda row: row["ratio"])
    broken = [row for row in limits if row["ratio"] < 1]
    missed = [row for row in rows.values() if _misses(row)]
    yield "## Where we stand"
    yield (
        f"Of {len(races)} races against other programs we win {len(races) - len(lost)}"
        + (", and lose:" if lost else ".")
    )
    yield "\n".join(f"- {texts[row['name']]}. It takes {_behind(row)}." for row in lost)
    yield f"Of {len(limits)} limits that we set ourselves {len(limits) - len(broken)} are kept."
    if floors := kinds.get("floor"):
        yield "Floors cannot be won, only come near to:"
        yield "\n".join(f"- {texts[row['name']]}. It takes {_behind(row)}." for row in floors)
    if missed:
        yield "Goals that are missed:"
        yield "\n".join(
            f"- {texts[row['name']]}. The ratio is {row['ratio']:.2g}, the goal {row['goal']:g}."
            for row in missed
        )
    else:
        yield "Every goal is met."


def _kind(row: Row) -> str:
    peer = row["peer_name"]
    if peer.startswith(("a limit", "a budget")):
        return "limit"
    named = {"floor": FLOORS, "growth": GROWTH, "own": OWN}
    return next((kind for kind, peers in named.items() if peer in peers), "race")


def _behind(row: Row) -> str:
    much = "much memory" if row["unit"] == "MB" else "long"
    return f"{1 / row['ratio']:.2g} times as {much} as {row['peer_name']}"


def _section(title: str, about: str, words: dict[str, str], rows: dict[str, Row]) -> Iterator[str]:
    yield f"## {title}"
    if about:
        yield about
    names = " ".join(dict.fromkeys(name.split("/")[0] for name in words))
    yield f'`make bench ROWS="{names}"`'
    lines = ["| what | row | ours | peer | ratio | goal |", "|---|---|---|---|---|---|"]
    for name, text in words.items():
        row = rows[name]
        peer = row["peer_name"]
        if _kind(row) != "limit":
            peer = f"{_figure(row, 'peer')}, {peer}"
        ratio = f"{row['ratio']:{',.0f' if row['ratio'] >= 100 else '.2g'}}"
        busy = " (the machine was busy)" if is_busy(row["spread"]) else ""
        lines.append(
            f"| {text or name} | `{name}` | {_figure(row, 'ours')} | {peer} | **{ratio}×**{busy}"
            f" | {_goal(row)} |"
        )
    yield "\n".join(lines)


def _figure(row: Row, side: str) -> str:
    value = row[side]
    unit = "" if row["unit"] == "exponent" else f" {row['unit']}"
    spread = f" ± {50 * row['spread'][side]:.2g} %" if row["spread"].get(side) else ""
    return f"{value:{',.0f' if value >= 1000 else '.4g'}}{unit}{spread}"


def _goal(row: Row) -> str:
    if row["goal"] is None:
        return ""
    return f"{row['goal']:g}, {'missed' if _misses(row) else 'met'}"


def _misses(row: Row) -> bool:
    return row["goal"] is not None and row["ratio"] < row["goal"]
