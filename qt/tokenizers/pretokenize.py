r"""The split of a text into words; merges never cross the border of a word.

GPT-2's takes an English ending, letters, numbers or other signs, each with at most one space before
it; then white space, which leaves its last character to the word that follows. Llama 3's takes any
one sign before letters, numbers in threes, and line breaks with the signs or spaces before them.

Python's `re` has no \p{L} and \p{N}, and its \s has U+001C to U+001F beyond Unicode's White_Space.
So the classes are written out, exact for every character that this Python's Unicode assigns.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, groupby
from unicodedata import category

# As published: GPT-2's encoder.py, and the tokenizer.json of Llama 3.
PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# Short classes match faster: ASCII, Unicode's first plane, all planes that have letters or numbers.
BOUNDS = (0x80, 0x10000, 0x40000)

# `findall` beats a match at a time, and chunks keep its lists short. In neither pattern does a word
# go on from a letter or number to another sign: there a chunk may end.
CHUNK = r"(?s).{10000}.*?[^\W_](?=[\W_])|.+"


def split(text: str, pattern: str = "gpt2") -> Iterator[str]:
    """Cut `text` into words: "I'll go,  now" into "I", "'ll", " go", ",", " ", " now"."""
    highest = 0 if text.isascii() else ord(max(text))
    bound = next((bound for bound in BOUNDS if highest < bound), BOUNDS[-1])
    chunks = map(re.Match.group, re.finditer(CHUNK, text))
    return chain.from_iterable(map(_compiled(pattern, bound).findall, chunks))


@lru_cache
def _compiled(pattern: str, bound: int) -> re.Pattern[str]:
    letters, numbers = character_classes(bound)
    source = PATTERNS[pattern].replace(r"\S", r"[^\s]")
    source = re.sub(r"(\[.*?\])|(\\p\{.\}|\\s)", lambda m: m[1] or f"[{m[2]}]", source)
    source = source.replace(r"\p{L}", letters).replace(r"\p{N}", numbers).replace(r"\s", SPACE)
    return re.compile(source)


def character_classes(bound: int) -> tuple[str, str]:
    r"""Return \p{L} and \p{N}, of the characters below `bound`, as ranges: "A-Za-z…", "0-9…"."""
    ranges = {"L": "", "N": ""}
    for major, run in groupby(map(chr, range(bound)), lambda c: category(c)[0]):
        if major in ranges:
            first, *rest = run
            ranges[major] += f"{first}-{rest[-1] if rest else first}"
    return ranges["L"], ranges["N"]
