r"""GPT-2's split of a text into words; merges never cross the border of a word.

    '(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+

An English ending, letters, numbers or other signs, each with at most one space before it; then
white space, which leaves its last character to the word that follows. So "dog", "dog." and "dog!"
share the tokens of the dog. The pattern is that of GPT-2's published encoder.

Python's `re` has no \p{L} and \p{N}, and its \s has four control characters more (U+001C to U+001F)
than Unicode's White_Space. So the classes are written out: White_Space whole, letters and numbers
from `unicodedata`, exact for every character that this Python's Unicode version assigns.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from unicodedata import category

SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# Short classes match faster: ASCII, Unicode's first plane, all planes that have letters or numbers.
BOUNDS = (0x80, 0x10000, 0x40000)


def split(text: str) -> Iterator[str]:
    """Cut `text` into words: "I'll go,  now" into "I", "'ll", " go", ",", " ", " now"."""
    highest = 0 if text.isascii() else ord(max(text))
    bound = next((bound for bound in BOUNDS if highest < bound), BOUNDS[-1])
    return map(re.Match.group, _pattern(bound).finditer(text))


@lru_cache
def _pattern(bound: int) -> re.Pattern[str]:
    letters, numbers = character_classes(bound)
    return re.compile(
        rf"'(?:[sdmt]|ll|ve|re)| ?[{letters}]+| ?[{numbers}]+| ?[^{SPACE}{letters}{numbers}]+"
        rf"|[{SPACE}]+(?![^{SPACE}])|[{SPACE}]+"
    )


def character_classes(bound: int) -> tuple[str, str]:
    r"""Return \p{L} and \p{N}, of the characters below `bound`, as ranges: "A-Za-z…", "0-9…"."""
    ranges = {"L": "", "N": ""}
    for major, run in groupby(map(chr, range(bound)), lambda c: category(c)[0]):
        if major in ranges:
            first, *rest = run
            ranges[major] += f"{first}-{rest[-1] if rest else first}"
    return ranges["L"], ranges["N"]
