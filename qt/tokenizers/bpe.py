"""Byte-level byte-pair encoding: frequent words are one token, and any text can be encoded.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), section 2.2.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Self

from qt.tokenizers.bpe_training import Pair, train_incremental
from qt.tokenizers.pretokenize import split
from qt.tokenizers.tokenizer import Tokenizer, check_text, cut, number

# Bounds of memory: words that `encode` remembers, their length, and the bytes of all tokens.
CACHED_WORDS, CACHED_LENGTH, VOCABULARY_BYTES = 65_536, 32, 2**26


class BPETokenizer(Tokenizer):
    """Ids 0 to 255 are bytes by value, then merges in the order learned, then special tokens.

    Text is cut into words as GPT-2 does, and each word's bytes are merged, earliest merge first.
    `merges` lists the pairs of ids (merge r makes the id 256 + r), `vocab` gives each id's bytes.
    """

    type = "bpe"

    def __init__(self, merges: Iterable[Pair], special_tokens: Sequence[str] = ()) -> None:
        """Take merges that are known; ValueError if one joins ids that do not exist before it."""
        tokens = [bytes([value]) for value in range(256)]
        self._new_ids: dict[Pair, int] = {}  # pair → the id that its merge makes
        n_bytes = 0
        for pair in map(tuple, merges):
            if len(pair) != 2 or not all(type(i) is int and 0 <= i < len(tokens) for i in pair):
                raise ValueError(f"merge {pair!r:.80} must join two ids below {len(tokens)}")
            n_bytes += len(tokens[pair[0]]) + len(tokens[pair[1]])
            if pair in self._new_ids or n_bytes > VOCABULARY_BYTES:
                raise ValueError(f"merge {pair} comes twice, or makes the vocabulary too large")
            self._new_ids[pair] = len(tokens)
            tokens.append(tokens[pair[0]] + tokens[pair[1]])
        self.merges = list(self._new_ids)
        self.special_tokens = {t: len(tokens) + i for t, i in number(special_tokens).items()}
        self.vocab = dict(enumerate(tokens + [t.encode("utf-8") for t in self.special_tokens]))
        self.vocab_size = len(self.vocab)
        self.fields = {"merges": self.merges, "special_tokens": list(self.special_tokens)}
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls,
        text: str,
        vocab_size: int = 1024,
        special_tokens: Sequence[str] = ("<|endoftext|>",),
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Learn merges from `text` until there are `vocab_size` ids, special tokens included.

        Each merge joins the most frequent pair; of pairs that tie, the smallest (left, right). When
        every word is one token, training ends early and the tokenizer's `vocab_size` says so.
        Special tokens part the text and are not learned from. `on_progress(done, total)` is called
        after each merge. ValueError if `text` is empty or `vocab_size` below 256 + special tokens.
        """
        check_text(text, may_be_empty=False)
        special = number(special_tokens)
        smallest = 256 + len(special)
        if vocab_size < smallest:
            parts = f"256 bytes and {len(special)} special tokens"
            raise ValueError(f"vocab_size must be at least {smallest} ({parts}), got {vocab_size}")
        words: Counter[str] = Counter()
        for piece in cut(text, special):
            if piece not in special:
                words.update(split(piece))
        return cls(train_incremental(words, vocab_size - smallest, on_progress), special_tokens)

    def token_bytes(self, token_id: int) -> bytes:
        """Return a token's bytes, which may be part of a character. ValueError as `decode`."""
        return self.vocab[self._check_ids([token_id])[0]]

    def describe_token(self, token_id: int) -> str:
        r"""Return a token in visible signs: " the" as "␣the", a line break "\n", a byte "\xe2"."""
        text = self.token_bytes(token_id).decode("utf-8", errors="backslashreplace")
        signs = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        return "".join(signs).replace(" ", "␣")

    def describe_merges(self, n: int | None = None) -> list[str]:
        """Return the first `n` merges, or all, as "h + e → he"."""
        show = self.describe_token
        return [
            f"{show(left)} + {show(right)} → {show(256 + r)}"
            for r, (left, right) in enumerate(self.merges[:n])
        ]

    def _encode_plain(self, text: str) -> list[int]:
        ids: list[int] = []
        for word in split(text):
            known = self._cache.get(word)
            ids += self._encode_word(word) if known is None else known
        return ids

    def _encode_word(self, word: str) -> list[int]:
        ids = apply_merges(list(word.encode("utf-8")), self._new_ids)
        if len(word) <= CACHED_LENGTH:
            if len(self._cache) >= CACHED_WORDS:
                self._cache.clear()
            self._cache[word] = ids
        return ids

    def _decode_checked(self, ids: list[int]) -> str:
        return b"".join([self.vocab[i] for i in ids]).decode("utf-8", errors="replace")


def apply_merges(ids: list[int], new_ids: dict[Pair, int]) -> list[int]:
    """Merge until no pair of `ids` is in `new_ids` (pair → new id), the smallest new id first.

    Takes O(n log n), so an endless word does not stall: the ids are a linked list, the possible
    merges a heap. A merge kills its right id (-1); heap entries that no longer hold are skipped.
    """
    left, right = list(range(-1, len(ids))), list(range(1, len(ids) + 2))
    ids = [*ids, -1]  # a dead id at the end, which is also place -1, left of the first
    heap = [(new_ids[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in new_ids]
    heapq.heapify(heap)
    while heap:
        new_id, i = heapq.heappop(heap)
        j = right[i]
        if new_ids.get((ids[i], ids[j])) != new_id:
            continue
        ids[i], ids[j] = new_id, -1
        right[i], left[right[j]] = right[j], i
        for start, pair in ((left[i], (ids[left[i]], new_id)), (i, (new_id, ids[right[i]]))):
            if pair in new_ids:
                heapq.heappush(heap, (new_ids[pair], start))
    return [i for i in ids if i >= 0]
