"""One token a word: short sequences, a large vocabulary, and words that it does not know."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Self

from qt.tokenizers.tokenizer import Tokenizer, check_text, number

UNKNOWN = "<unk>"

# A line break; a word, with inner apostrophes and hyphens; or one other sign.
TOKEN = re.compile(r"\n|\w+(?:['’-]\w+)*|[^\w\s]")


class WordTokenizer(Tokenizer):
    """Words, signs and line breaks of a text; any other word is the special token <unk>, the last.

    `decode` gives readable text, not the same text. It loses unknown words ("<unk>" stands for
    each), how many and which spaces parted two tokens, spaces at the ends of lines, and whether a
    space stood beside a sign: it puts none before , . ! ? ; : ) ] } ’ ” nor after ( [ { ‘ “ nor
    inside a pair of straight quotes, and one elsewhere. The tokens survive: decoded text encodes
    to the same ids (with `allowed_special="all"`, if it has <unk>).
    """

    type = "word"

    def __init__(self, words: Iterable[str]) -> None:
        """Number `words` as given; ValueError if one comes twice or is more than one word."""
        self._ids = number(words, one=TOKEN)
        self.words = list(self._ids)
        self.fields = {"words": self.words}
        self.unk_id = len(self.words)
        self.vocab_size = len(self.words) + 1
        self.special_tokens = {UNKNOWN: self.unk_id}

    @classmethod
    def train(cls, text: str, vocab_size: int | None = None) -> Self:
        """Take the words of `text`, the most frequent first, those that tie in sorted order.

        With `vocab_size` only so many are kept, <unk> included. Without it no training word is
        unknown, so a model never learns what <unk> means. ValueError if `text` has no word or
        `vocab_size` is below 2.
        """
        check_text(text)
        if vocab_size is not None and vocab_size < 2:
            raise ValueError(f"vocab_size must be at least 2 (a word, <unk>), got {vocab_size}")
        counts = Counter(TOKEN.findall(text))
        if not counts:
            raise ValueError("text has no words: give text to learn from")
        words = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(words if vocab_size is None else words[: vocab_size - 1])

    def _encode_plain(self, text: str) -> list[int]:
        return [self._ids.get(word, self.unk_id) for word in TOKEN.findall(text)]

    def _decode_checked(self, ids: list[int]) -> str:
        text = " ".join([UNKNOWN if i == self.unk_id else self.words[i] for i in ids])
        text = re.sub(r" ?\n ?", "\n", text)
        text = re.sub(r" ([,.!?;:)\]}’”])", r"\1", text)
        text = re.sub(r"([(\[{‘“]) ", r"\1", text)
        return re.sub(r'" ([^"\n]*) "', r'"\1"', text)
