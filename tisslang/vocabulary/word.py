"""What is known about a word of the language: how it is written, what it means, an example."""

from __future__ import annotations

from typing import NamedTuple

HEADER = "#TISS! Language=Python\n"


class Word(NamedTuple):
    """A word, or a mark that is used like one.

    `example` is a whole plan that passes. A comment in it such as `# Run with: --agent echo` says
    which flags it needs. `snippet` is what an editor inserts, with LSP's placeholders `${1:path}`;
    its heredocs are of the form `<<-WORD`, because an editor indents what it inserts.
    """

    name: str
    kind: str
    form: str  # how it is written, on one line
    summary: str  # one sentence, in Markdown
    details: str = ""  # what one needs besides, in Markdown
    example: str = ""
    snippet: str = ""


def plan(text: str) -> str:
    """An example with the header that every plan should have."""
    between = "" if text.startswith("#") else "\n"
    return f"{HEADER}{between}{text}"
