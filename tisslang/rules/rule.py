"""What is known about a code: its severity, what it means, and an example of each side."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """A code of a diagnostic. `failing` is a script that yields it, `mended` one that does not."""

    code: str
    severity: str  # error, warning or info
    title: str
    meaning: str  # one or two sentences, in Markdown
    failing: str
    mended: str
