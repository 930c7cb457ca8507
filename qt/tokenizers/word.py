"""One token a word: short sequences, a large vocabulary, and words that it does not know."""

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import Self

from qt.tokenizers.tokenizer import Tokenizer, check_text

UNKNOWN = "<unk>"

# A line break; a word, with inner apostrophes and hyphens; or one other sign.
TOKEN = r"\n|\w+(?:['’-]\w+)*|[^\w\s]"
NO_SPACE_BEFORE, NO_SPACE_AFTER = "\n,.!?;:)]}’”", "\n([{‘“"


class WordTokenizer(Tokenizer):
    """Words, signs and line breaks of a text; any other word is the special token <unk>, the last.

    `decode` gives readable text, not the same text. It loses unknown words ("<unk>" stands for
    each) and which white space stood between two tokens: it puts none before , . ! ? ; : ) ] } ’ ”
    nor after ( [ { ‘ “ nor inside a line's straight quotes, and one space elsewhere. The tokens
    survive: decoded text encodes to the same ids (with `allowed_special="all"`, if it has <unk>).
    """

    type, one = "word", TOKEN

    def __init__(self, tokens: Iterable[str]) -> None:
        super().__init__(tokens)
        self.special_tokens = {UNKNOWN: len(self.tokens)}
        self.tokens.append(UNKNOWN)

    @classmethod
    def train(cls, text: str, vocab_size: int | None = None) -> Self:
        """Take the words of `text`, the most frequent first, those that tie in sorted order.

        With `vocab_size` only so many are kept, <unk> included; without it a model never learns
        what <unk> means. `ValueError` if `text` has no word or `vocab_size` is below 2.
        """
        check_text(text)
        if vocab_size is not None and vocab_size < 2:
            raise ValueError(f"vocab_size must be at least 2 (a word, <unk>), got {vocab_size}")
        counts = Counter(re.findall(TOKEN, text))
        if not counts:
            raise ValueError("text has no words: give text to learn from")
        words = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(words if vocab_size is None else words[: vocab_size - 1])

    def _encode_plain(self, text: str) -> list[int]:
        unknown = self.special_tokens[UNKNOWN]
        return [self.ids.get(word, unknown) for word in re.findall(TOKEN, text)]

    def _settled(self, text: str) -> int:
        # "don" and "don'" may become "don't": the last word waits, with a joint behind it.
        open_end = re.search(r"\w['’-]?\Z", text[-2:])
        last_two = deque(re.finditer(TOKEN, text), maxlen=2)
        return last_two[-len(open_end[0])].start() if open_end else len(text)

    def _pieces(self, ids: Iterable[int]) -> Iterator[str]:
        before, quoted = "\n", False  # quoted: this line has a straight quote that is still open
        for i in ids:
            word = self.tokens[i]
            inside = quoted and '"' in (before, word)
            together = inside or before in NO_SPACE_AFTER or word in NO_SPACE_BEFORE
            yield word if together else " " + word
            before, quoted = word, word != "\n" and quoted != (word == '"')
