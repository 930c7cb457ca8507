"""The table of claims in the README, made from results.json: nobody types a figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qt.files import write_atomic

BEGIN, END = "<!-- made by `make bench` -->", "<!-- end of what is made -->"
CLAIMS = {  # of these rows; with several settings, of each
    "train_small": "training step, 0.8 M parameters",
    "train_medium": "training step, 10.7 M parameters",
    "train_floor": "training step",
    "data_parallel": "training on 2 processes",
    "decode": "writing a text, KV cache",
    "decode_batch": "writing 16 texts at once",
    "prefill": "reading 1,024 tokens",
    "long_context": "attention over 4,096 tokens, both ways",
    "bpe_train_1000": "learning 1,000 tokens",
    "bpe_train_4096": "learning 4,096 tokens",
    "bpe_encode": "encoding 10 MB",
    "memory": "memory of training",
    "import": "import qt",
    "tiss_check": "tiss check",
    "tiss_run": "tiss run, one command",
    "parse_check": "parsing and checking 10,000 steps",
    "lsp_edit": "an edit to its problems in 10,000 lines, tiss lsp",
    "run_added": "starting a command in the sandbox, beyond a plain one",
}


def table(results: dict[str, Any]) -> str:
    """Markdown: a line a claim, in words, with our figure, the peer's, and their ratio."""
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    lines = [
        f"{results['date']}, {results['machine']}; {versions}. Above 1× we are ahead.",
        "",
        "| work | row of `make bench` | ours | peer | ratio |",
        "|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        if words := CLAIMS.get(row["name"].split("/")[0]):
            ours, peer = (
                f"{row[side]:{',.0f' if row[side] >= 1000 else '.4g'}} {row['unit']}"
                for side in ("ours", "peer")
            )
            ratio = f"**{row['ratio']:.2g}×**"
            lines.append(
                f"| {words} | `{row['name']}` | {ours} | {peer}, {row['peer_name']} | {ratio} |"
            )
    return "\n".join(lines)


def write_table(results: Path, readme: Path) -> None:
    """Put the table between the two marks of the README. `ValueError` without the marks."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(
            f"{readme} lacks the marks {BEGIN} and {END}, between which the table goes"
        )
    made = table(json.loads(results.read_text(encoding="utf-8")))
    write_atomic(readme, f"{before}{BEGIN}\n{made}\n{END}{after}")
