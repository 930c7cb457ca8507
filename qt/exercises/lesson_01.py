"""Tokenization: byte-pair encoding, one step at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def some_ids(rng: np.random.Generator, length: int) -> list[int]:
    """Ids that repeat often: three different ones."""
    return [int(i) for i in rng.integers(97, 100, size=length)]


def pair_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield ([1, 2, 3, 1, 2],)
    yield ([7, 7, 7],)
    yield ([5],)
    yield ([],)
    yield (some_ids(rng, 40),)


@exercise(
    "tokenization.pairs",
    title="Count the pairs",
    minutes=5,
    difficulty=1,
    todo="count each pair of neighbours and return the dictionary",
    hint="The pair at place i is ids[i], ids[i + 1]; counts.get(pair, 0) is its count so far.",
    cases=pair_cases,
    mistakes=(
        ("len(ids) - 1", "len(ids) - 2", "the last pair is missing: n ids make n - 1 pairs"),
        (
            "range(len(ids) - 1)",
            "range(0, len(ids) - 1, 2)",
            "you stepped two at a time: pairs overlap, so 1 2 3 holds (1, 2) and (2, 3)",
        ),
        (
            "pair = ids[i], ids[i + 1]",
            "pair = tuple(sorted(ids[i : i + 2]))",
            "you sorted the two ids: (3, 1) and (1, 3) are different pairs",
        ),
        ("ids[i], ids[i + 1]", "[ids[i], ids[i + 1]]", "a list cannot be a key: use a tuple"),
    ),
)
def pair_counts(ids: list[int]) -> dict[tuple[int, int], int]:
    """How often each pair of neighbours occurs; the first step of byte-pair encoding.

    Pairs overlap: [7, 7, 7] holds (7, 7) twice. Fewer than two ids give an empty dictionary.

    >>> pair_counts([1, 2, 3, 1, 2])
    {(1, 2): 2, (2, 3): 1, (3, 1): 1}
    """
    counts: dict[tuple[int, int], int] = {}
    for i in range(len(ids) - 1):
        pair = ids[i], ids[i + 1]
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def merge_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield [1, 2, 3, 1, 2], (1, 2), 9
    yield [7, 7, 7], (7, 7), 9
    yield [1, 1, 2, 2], (1, 2), 9
    yield [2, 1], (1, 2), 9
    yield [], (1, 2), 9
    yield some_ids(rng, 40), (97, 98), 256


@exercise(
    "tokenization.merge",
    title="Merge one pair",
    minutes=10,
    difficulty=2,
    todo="return a new list in which each occurrence of the pair is the one new id",
    hint="Walk with an index i in a while loop: step 2 after a match, else 1.",
    cases=merge_cases,
    mistakes=(
        (
            "i += 2",
            "i += 1",
            "after a match you stepped 1, not 2: the pair's second id stays behind",
        ),
        (
            "while i < len(ids):",
            "while i < len(ids) - 1:",
            "the last id is missing: it belongs to the result also when it is in no pair",
        ),
        (
            "(ids[i], ids[i + 1]) == pair",
            "{ids[i], ids[i + 1]} == set(pair)",
            "you merged the pair in both orders: (2, 1) is not (1, 2)",
        ),
    ),
)
def merge(ids: list[int], pair: tuple[int, int], new_id: int) -> list[int]:
    """Replace each `pair`, taken from the left, by `new_id`. `ids` itself stays as it is.

    >>> merge([1, 2, 3, 1, 2], (1, 2), 9)
    [9, 3, 9]
    >>> merge([7, 7, 7], (7, 7), 9)
    [9, 7]
    """
    merged = []
    i = 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            merged.append(new_id)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def encode_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    merges = {(98, 99): 256, (97, 98): 257, (256, 100): 258, (257, 257): 259}
    yield "bcdabc", merges
    yield "abc", merges
    yield "é", {(195, 169): 256}
    yield "", merges
    yield "abab", merges
    yield "".join(map(chr, some_ids(rng, 40))), merges


@exercise(
    "tokenization.encode",
    title="Encode with learned merges",
    minutes=15,
    difficulty=3,
    todo="start from the bytes and apply the merges, the earliest learned first",
    hint="A dictionary keeps its order, and merges are in the order in which they were learned: "
    "one pass over the ids for each merge is enough.",
    cases=encode_cases,
    mistakes=(
        (
            "merges.items():",
            "reversed(merges.items()):",
            "you applied the latest merge first: the one learned first goes first",
        ),
        (
            "merges.items():",
            "list(merges.items())[:1]:",
            "you stopped after one merge: go on until no merge fits",
        ),
        (
            'list(text.encode("utf-8"))',
            "[ord(c) for c in text]",
            'you began with code points: begin with bytes, text.encode("utf-8")',
        ),
        (
            "    for pair, new_id in merges.items():\n",
            "    i = 0\n"
            "    while i < len(ids) - 1:\n"
            "        found = merges.get((ids[i], ids[i + 1]))\n"
            "        if found is not None:\n"
            "            ids[i : i + 2] = [found]\n"
            "        i = i + 1 if found is None else 0\n"
            "    for pair, new_id in merges.items():\n",
            "you merged in the text's order: the order in which merges were learned decides",
        ),
    ),
)
def encode(text: str, merges: dict[tuple[int, int], int]) -> list[int]:
    """The ids of `text`: its UTF-8 bytes, then each merge (pair -> new id) in the order learned.

    >>> encode("abc", {(98, 99): 256, (97, 98): 257})       # b + c was learned before a + b
    [97, 256]
    """
    ids = list(text.encode("utf-8"))
    for pair, new_id in merges.items():
        i = 0
        while i < len(ids) - 1:
            if (ids[i], ids[i + 1]) == pair:
                ids[i : i + 2] = [new_id]
            i += 1
    return ids


def decode_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    vocabulary = [bytes([i]) for i in range(256)] + [b"th", b"the", b"\xc3\xa9"]
    yield [257, 32, 99], vocabulary
    yield [99, 195, 169], vocabulary  # é in two tokens
    yield [99, 258], vocabulary
    yield [195], vocabulary  # half a character
    yield [], vocabulary
    yield some_ids(rng, 20), vocabulary


@exercise(
    "tokenization.decode",
    title="Decode, also half characters",
    minutes=5,
    difficulty=2,
    todo="join the bytes of all ids, then decode them once as UTF-8",
    hint='b"".join(…) first; then .decode("utf-8", errors="replace").',
    cases=decode_cases,
    mistakes=(
        (
            'b"".join(vocabulary[i] for i in ids).decode("utf-8", errors="replace")',
            '"".join(vocabulary[i].decode("utf-8", errors="replace") for i in ids)',
            "you decoded token by token: a character may be spread over several, so join the "
            "bytes first",
        ),
        ('"replace"', '"ignore"', 'broken bytes vanished: errors="replace" shows them as \ufffd'),
        (', errors="replace"', "", 'broken bytes stopped you: use errors="replace"'),
        ('"utf-8", errors="replace"', '"latin-1"', "you took each byte for a character: use UTF-8"),
    ),
)
def decode(ids: list[int], vocabulary: list[bytes]) -> str:
    """The text of `ids`: `vocabulary[i]` holds the bytes of token i.

    Bytes that are not UTF-8, as at the end of half a character, become the sign \ufffd.

    >>> decode([0, 1, 1], [b"h", b"a"])
    'haa'
    """
    return b"".join(vocabulary[i] for i in ids).decode("utf-8", errors="replace")
