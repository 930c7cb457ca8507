"""Byte-level byte-pair encoding: frequent words are one token, and any text can be encoded.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), section 2.2.
"""

import heapq
import json
import os
from codecs import iterdecode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from qt.files import write_atomic
from qt.tokenizers.bpe_files import BYTE_LEVEL, BYTES, SIGNS, from_content, to_content, unspell
from qt.tokenizers.bpe_training import Pair, train_incremental
from qt.tokenizers.pretokenize import PATTERNS, split
from qt.tokenizers.tokenizer import Tokenizer, check_text, cut, number, reading

CACHED_WORDS, CACHED_LENGTH = 65_536, 32  # how many words `encode` remembers, and how long ones
SPECIAL = "(?s:.{1,200})"  # what a special token looks like


class BPETokenizer(Tokenizer):
    """Cuts text into words as `pattern` says, and merges each word's bytes, earliest merge first.

    Ids 0 to 255 are bytes by value, then come the merges' tokens in order, then special tokens,
    unless `tokens` spells all by id (see `bpe_files`). `merges` lists pairs of ids, `vocab` gives
    each id's bytes. With `ignore_merges` a word that is a token is taken whole at once.
    """

    type = "bpe"

    def __init__(
        self, merges: Iterable[Pair], special_tokens: Sequence[str] = (),
        tokens: Sequence[str] = SIGNS, pattern: str = "gpt2", ignore_merges: bool = False,
    ) -> None:  # fmt: skip
        """Take what is known; `ValueError` if merges and tokens do not fit together."""
        super().__init__(tokens)
        special, ids = number(special_tokens, SPECIAL), self.ids
        self._ranks: dict[Pair, int] = {}  # when a pair is merged,
        self._made: list[int] = []  # and the id that it becomes
        for left, right in merges:
            known = all(type(i) is int and 0 <= i < len(ids) for i in (left, right))
            if not known or (left, right) in self._ranks:
                wrong = f"({left!r:.80}, {right!r:.80})"
                raise ValueError(f"merge {wrong} must join two ids below {len(ids)}, and once")
            token = self.tokens[left] + self.tokens[right]
            if token not in ids:
                ids[token] = len(ids)
                self.tokens.append(token)
            self._ranks[left, right] = len(self._made)
            self._made.append(ids[token])
        if alike := special.keys() & {*SIGNS, *(self.tokens[i] for i in self._made)}:
            raise ValueError(f"special token {min(alike)!r} is spelled as another token")
        if not BYTES.keys() <= ids.keys():
            raise ValueError("the tokens lack a byte")
        if pattern not in PATTERNS or type(ignore_merges) is not bool:
            raise ValueError(f"no pattern is {pattern!r:.80}, or no bool {ignore_merges!r:.80}")
        self.merges, self.pattern, self.ignore_merges = list(self._ranks), pattern, ignore_merges
        self.tokens += [token for token in special if token not in ids]
        self.special_tokens = {token: ids.setdefault(token, len(ids)) for token in special}
        self.vocab = [t.encode("utf-8") if t in special else unspell(t) for t in self.tokens]
        self._bytes = [ids[sign] for sign in SIGNS]  # the id of each byte
        self._whole = {self.vocab[i]: i for i in ids.values()} if ignore_merges else {}
        self._cache: dict[str, list[int]] = {}

    @classmethod
    def train(
        cls, text: str, vocab_size: int = 1024, special_tokens: Sequence[str] = ("<|endoftext|>",),
        pattern: str = "gpt2",
    ) -> Self:  # fmt: skip
        """Learn merges from `text` until there are `vocab_size` ids, special tokens included.

        Each merge joins the most frequent pair; of pairs that tie, the smallest (left, right). When
        every word is one token, training ends early and the tokenizer's `vocab_size` says so.
        Special tokens part the text and are not learned from. `ValueError` if `text` is empty or
        `vocab_size` below 256 + special tokens.
        """
        check_text(text, may_be_empty=False)
        special = number(special_tokens, SPECIAL)
        n_merges = vocab_size - 256 - len(special)
        if n_merges < 0:
            least = f"{256 + len(special)} (256 bytes and {len(special)} special tokens)"
            raise ValueError(f"vocab_size must be at least {least}, got {vocab_size}")
        plain = (split(piece, pattern) for piece in cut(text, special) if piece not in special)
        merges = train_incremental(Counter(chain.from_iterable(plain)), n_merges)
        return cls(merges, special_tokens, pattern=pattern)

    @classmethod
    def from_huggingface(cls, path: str | os.PathLike[str]) -> Self:
        """Read a tokenizer.json of byte-level BPE that splits as GPT-2 or Llama 3; as `load`.

        Added tokens become special tokens; what a `post_processor` puts around a text is left to
        the caller. Anything else that it asks for is a `ValueError` that names it.
        """
        return cls.load(path)

    save_huggingface = Tokenizer.save

    @classmethod
    def from_gpt2(
        cls, encoder_json: str | os.PathLike[str], merges_txt: str | os.PathLike[str]
    ) -> Self:
        """Read GPT-2's files; a token that no merge makes is special. `ValueError` if damaged."""
        with reading(encoder_json) as encoder:
            text = Path(merges_txt).read_text(encoding="utf-8")
            merges = list(filter(None, text.splitlines()[text.startswith("#version") :]))
            made = {merge.replace(" ", "") for merge in merges} | BYTES.keys()
            added = [{"content": t, "id": i} for t, i in encoder.items() if t not in made]
            model = {"vocab": encoder, "merges": merges}
            content = {"model": model, "added_tokens": added, "pre_tokenizer": BYTE_LEVEL}
            return cls._from_content(content)

    def save_gpt2(self, directory: str | os.PathLike[str]) -> None:
        """Write `encoder.json` and `merges.txt`; `ValueError` if they cannot say all of it."""
        model = self._content()["model"]
        plain = len(self.special_tokens) + 256 + len(set(self._made)) == self.vocab_size
        if self.pattern != "gpt2" or self.ignore_merges or not plain:
            raise ValueError("GPT-2's files have only its split and merged tokens: use save()")
        write_atomic(Path(directory, "encoder.json"), json.dumps(model["vocab"]))
        merges = "\n".join(["#version: 0.2", *model["merges"], ""])
        write_atomic(Path(directory, "merges.txt"), merges)

    def _content(self) -> dict[str, Any]:
        special, tokens = self.special_tokens, self.tokens
        return to_content(self.merges, special, tokens, self.pattern, self.ignore_merges)

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        return cls(**from_content(content))

    def describe_token(self, token_id: int) -> str:
        r"""Return a token in visible signs: " the" as "␣the", a line break "\n", a byte "\xe2"."""
        text = self.vocab[token_id].decode("utf-8", errors="backslashreplace")
        signs = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        return "".join(signs).replace(" ", "␣")

    def describe_merges(self, n: int | None = None) -> list[str]:
        """Return the first `n` merges, or all, as "h + e → he"."""
        show, merges = self.describe_token, zip(self.merges[:n], self._made)
        return [f"{show(left)} + {show(right)} → {show(made)}" for (left, right), made in merges]

    def _encode_plain(self, text: str) -> list[int]:
        ids: list[int] = []
        for word in split(text, self.pattern):
            known = self._cache.get(word)
            ids += self._encode_word(word) if known is None else known
        return ids

    def _encode_word(self, word: str) -> list[int]:
        data = word.encode("utf-8")
        ids = list(map(self._bytes.__getitem__, data))
        whole = self._whole.get(data)
        ids = apply_merges(ids, self._ranks, self._made) if whole is None else [whole]
        if len(word) <= CACHED_LENGTH:
            if len(self._cache) >= CACHED_WORDS:
                self._cache.clear()
            self._cache[word] = ids
        return ids

    def _settled(self, text: str) -> int:
        # "'l" may become "'ll", and a run of white space, also of several words, may grow.
        tail = min(len(text.rstrip()), max(len(text) - 1, 0))
        tail -= text.endswith(("'l", "'r", "'v"))
        words, end = list(split(text, self.pattern)), len(text)
        while end > tail:
            end -= len(words.pop())
        return end

    def decode(self, ids: Iterable[int] | np.ndarray) -> str:
        return b"".join([self.vocab[i] for i in self._checked(ids)]).decode(errors="replace")

    def _pieces(self, ids: Iterable[int]) -> Iterator[str]:
        return iterdecode((self.vocab[i] for i in ids), "utf-8", errors="replace")


def apply_merges(ids: list[int], ranks: dict[Pair, int], made: Sequence[int]) -> list[int]:
    """Merge until no pair of `ids` has a rank, the smallest first; rank r makes the id `made[r]`.

    Takes O(n log n), so an endless word does not stall: the ids are a linked list, the possible
    merges a heap. A merge kills its right id (-1); heap entries that no longer hold are skipped.
    """
    left, right = list(range(-1, len(ids))), list(range(1, len(ids) + 2))
    ids = [*ids, -1]  # a dead id at the end, which is also place -1, left of the first
    heap = [(ranks[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in ranks]
    heapq.heapify(heap)
    while heap:
        rank, i = heapq.heappop(heap)
        j = right[i]
        if ranks.get((ids[i], ids[j])) != rank:
            continue
        ids[i], ids[j] = made[rank], -1
        right[i], left[right[j]] = right[j], i
        for start, pair in ((left[i], (ids[left[i]], ids[i])), (i, (ids[i], ids[right[i]]))):
            if pair in ranks:
                heapq.heappush(heap, (ranks[pair], start))
    return [i for i in ids if i >= 0]
