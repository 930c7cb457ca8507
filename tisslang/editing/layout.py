"""The formatter's result as small edits, so that an editor keeps its cursor and its marks."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import accumulate

from tisslang.errors import TissParseError
from tisslang.formatting import format_source
from tisslang.linting.findings import Edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.script import Script

_MOST_PARTS = 4000  # that are compared one by one: the time may grow with their square
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_WORD = re.compile(r"\n|[ \t]+|\w+|[^\w\s]|\s")


def layout_edits(script: Script) -> list[Edit]:
    """The edits of the text as it was given that lay it out; none for a script that is broken.

    A byte order mark and CRLF stay: which ones a file has is the editor's business.
    """
    try:
        formatted = format_source(script.original)
    except TissParseError:
        return []
    original = script.original_offset
    return [
        Edit(original(start), original(end), text)
        for start, end, text in edits_between(script.text, formatted)
    ]


def edits_between(old: str, new: str) -> list[Edit]:
    """The edits that make one text of another: by lines, and in lines by words."""
    return [
        _trimmed(start + first, old[start + first : start + last], word)
        for start, end, text in _between(_LINE, old, new)
        for first, last, word in _between(_WORD, old[start:end], text)
    ]


def _between(part: re.Pattern[str], old: str, new: str) -> Iterator[tuple[int, int, str]]:
    """What differs between two texts in such parts: a span of the old one, and its new text."""
    before, after = part.findall(old), part.findall(new)
    starts = [0, *accumulate(map(len, before))]
    if len(before) + len(after) > _MOST_PARTS:
        head, tail = _same(before, after)
        yield starts[head], starts[len(before) - tail], "".join(after[head : len(after) - tail])
        return
    for tag, a, b, c, d in SequenceMatcher(None, before, after).get_opcodes():
        if tag != "equal":
            yield starts[a], starts[b], "".join(after[c:d])


def _same(before: list[str], after: list[str]) -> tuple[int, int]:
    """How many parts two lists have in common at their beginning, and behind that at their end."""
    most = min(len(before), len(after))
    head = next((i for i in range(most) if before[i] != after[i]), most)
    most -= head
    tail = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    return head, tail


def _trimmed(start: int, old: str, new: str) -> Edit:
    """Without what both texts begin and end with, as where blanks become more or fewer."""
    head = len(os.path.commonprefix([old, new]))  # noqa: RUF071 - character by character is meant
    old, new = old[head:], new[head:]
    tail = len(os.path.commonprefix([old[::-1], new[::-1]]))  # noqa: RUF071
    return Edit(start + head, start + head + len(old) - tail, new[: len(new) - tail])
