"""Writes snippets/tiss.json: what VS Code offers where a statement may begin.

They are the vocabulary's own snippets. Run it as `python editors/vscode/make/snippets.py` after a
change; a test fails while the file is not what this script makes.
"""

from __future__ import annotations

import json
from pathlib import Path

from tisslang.vocabulary import WORDS

FILE = Path(__file__).parents[1] / "snippets" / "tiss.json"

# The kinds of words with which a line can begin.
KINDS = ("header", "block", "command", "directive")


def snippets() -> dict[str, dict[str, str | list[str]]]:
    """The snippets by name, as VS Code reads them."""
    return {
        word.name: {
            "prefix": word.name,
            "description": word.summary.replace("`", ""),
            "body": word.snippet.split("\n"),
        }
        for word in WORDS
        if word.kind in KINDS and word.snippet
    }


def text() -> str:
    """The file's text."""
    return json.dumps(snippets(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
