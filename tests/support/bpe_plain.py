"""Byte-pair encoding as a textbook has it: slow, plain, and the oracle of `qt`'s."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from qt.tokenizers.bpe_training import Pair


def merge(ids: list[int], pair: Pair, new_id: int) -> list[int]:
    """Return `ids` with each `pair`, taken from the left, replaced by `new_id`."""
    merged: list[int] = []
    for i in ids:
        if merged and (merged[-1], i) == pair:
            merged[-1] = new_id
        else:
            merged.append(i)
    return merged


def train_plain(words: Mapping[str, int], n_merges: int) -> list[Pair]:
    """Count all pairs, merge the best one everywhere, repeat until no word has a pair.

    `{"low": 5, "lower": 2}` gives l + o, then lo + w: `[(108, 111), (256, 119)]`.
    """
    tokens = {word: list(word.encode("utf-8")) for word in words}
    merges: list[Pair] = []
    while len(merges) < n_merges:
        counts: Counter[Pair] = Counter()
        for word, ids in tokens.items():
            for pair in pairwise(ids):
                counts[pair] += words[word]
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        tokens = {word: merge(ids, best, 256 + len(merges)) for word, ids in tokens.items()}
        merges.append(best)
    return merges


def apply_merges_plainly(ids: list[int], new_ids: Mapping[Pair, int]) -> list[int]:
    """Of all pairs merge the one that was learned first, everywhere, and repeat."""
    while possible := [pair for pair in pairwise(ids) if pair in new_ids]:
        best = min(possible, key=lambda pair: new_ids[pair])
        ids = merge(ids, best, new_ids[best])
    return ids
