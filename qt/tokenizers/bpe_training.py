"""Training of byte-pair encoding: merge the most frequent pair, again and again.

A corpus is its distinct words with their counts. Ids 0 to 255 are bytes; merge r, from 0, makes the
id 256 + r. The next merge is the pair with the highest count and, of pairs that tie, the smallest
(left id, right id). "aaa" counts (a, a) twice, and becomes (aa, a).

Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units"
(2016); over bytes, as Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

Pair = tuple[int, int]
GAP = 255  # stands behind each word: UTF-8 never has this byte


def train_incremental(words: Mapping[str, int], n_merges: int) -> list[Pair]:
    """Return at most `n_merges` pairs, looking only where the best pair stands.

    All words lie in one list. A token has its id at its first byte and at its last, so the two ids
    beside a border of tokens are right. Each merge leaves a newer id at the outer ends of its
    tokens: a border that has lost a pair to a neighbour never seems to have it again.

    A heap gives the best pair. All pairs that a merge gains hold its new id, so no older count ever
    rises: a heap entry is right or too high, and one that is too high goes back with its count.

    Takes O(n log n) for n bytes of distinct words, be they many or one endless word.
    """
    data = [(word.encode("utf-8") + bytes([GAP]), count) for word, count in words.items()]
    ids = [i for word, _ in data for i in word]
    times = [count for word, count in data for _ in word]  # how often a byte's word comes
    counts: dict[Pair, int] = defaultdict(int)  # a Counter is slow to store in
    where: dict[Pair, list[int]] = defaultdict(list)  # the borders that have a pair, or once had it
    for border, pair in enumerate(pairwise(ids), start=1):  # border 1 is left of ids[1]
        if GAP not in pair:
            counts[pair] += times[border]
            where[pair].append(border)
    heap = sorted((-count, pair) for pair, count in counts.items())
    lengths = [1] * 256  # in bytes, by id
    merges: list[Pair] = []
    while len(merges) < n_merges and heap and heap[0][0]:  # else no pair is left
        negative_count, best = heapq.heappop(heap)
        if -negative_count != counts[best]:
            heapq.heappush(heap, (-counts[best], best))
            continue
        (left, right), new_id = best, 256 + len(merges)
        gained: dict[Pair, list[int]] = defaultdict(list)
        for border in where.pop(best):  # from the left
            if ids[border - 1] == left and ids[border] == right:
                start, end = border - lengths[left], border + lengths[right]
                ids[start] = ids[end - 1] = new_id
                gained[ids[start - 1], new_id].append(start)  # ids[-1] is a gap as well
                gained[new_id, ids[end]].append(end)
        for pair, borders in gained.items():
            if GAP not in pair:
                lost = (pair[0], left) if pair[1] == new_id else (right, pair[1])
                count = sum(map(times.__getitem__, borders))
                counts[lost] -= count
                counts[pair] += count
                where[pair] = borders
                heapq.heappush(heap, (-counts[pair], pair))
        lengths.append(lengths[left] + lengths[right])
        merges.append(best)
    return merges
