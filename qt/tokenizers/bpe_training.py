"""Training of byte-pair encoding: merge the most frequent pair, again and again.

A corpus is its distinct words with their counts. Ids 0 to 255 are bytes; merge r, from 0, makes the
id 256 + r. The next merge is the pair with the highest count and, of pairs that tie, the smallest
(left id, right id). "aaa" counts (a, a) twice.

Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units"
(2016); over bytes, as Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise

Pair = tuple[int, int]


def merge(ids: list[int], pair: Pair, new_id: int) -> list[int]:
    """Return `ids` with each `pair`, taken from the left, replaced by `new_id`."""
    merged: list[int] = []
    for i in ids:
        if merged and (merged[-1], i) == pair:
            merged[-1] = new_id
        else:
            merged.append(i)
    return merged


def train_incremental(words: Mapping[str, int], n_merges: int) -> list[Pair]:
    """Return at most `n_merges` pairs, recounting only the words that a merge changes.

    A heap gives the best pair. All pairs that a merge gains hold its new id, so no older count ever
    rises: a heap entry is right or too high, and one that is too high goes back with its count.
    """
    tokens = {word: list(word.encode("utf-8")) for word in words}
    counts: Counter[Pair] = Counter()
    where: dict[Pair, set[str]] = defaultdict(set)  # the words that have the pair, or once had it
    for word, ids in tokens.items():
        for pair in pairwise(ids):
            counts[pair] += words[word]
            where[pair].add(word)
    heap = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < n_merges:
        negative_count, best = heapq.heappop(heap)
        if -negative_count != counts[best]:
            if counts[best]:
                heapq.heappush(heap, (-counts[best], best))
            continue
        new_id = 256 + len(merges)
        gained: set[Pair] = set()
        for word in where.pop(best):
            for pair in pairwise(tokens[word]):
                counts[pair] -= words[word]
            tokens[word] = merge(tokens[word], best, new_id)
            for pair in pairwise(tokens[word]):
                counts[pair] += words[word]
                if new_id in pair:
                    where[pair].add(word)
                    gained.add(pair)
        for pair in gained:
            heapq.heappush(heap, (-counts[pair], pair))
        merges.append(best)
    return merges
