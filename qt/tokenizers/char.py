"""One token a character: the smallest vocabulary, the longest sequences."""

from collections.abc import Iterable, Iterator
from typing import Self

from qt.tokenizers.tokenizer import Tokenizer, check_text


class CharTokenizer(Tokenizer):
    """The distinct characters (code points) of a text; no special tokens, and no other character.

    `tokens` lists them; a character's place is its id.
    """

    type, one = "char", "(?s:.)"

    @classmethod
    def train(cls, text: str) -> Self:
        """Take the distinct characters of `text`, sorted. `ValueError` if it is empty."""
        check_text(text, may_be_empty=False)
        return cls(sorted(set(text)))

    def _encode_plain(self, text: str) -> list[int]:
        try:
            return [self.ids[character] for character in text]
        except KeyError as error:
            unseen = error.args[0]
        where = f"{unseen!r} (U+{ord(unseen):04X}) at position {text.index(unseen)}"
        advice = "remove it, train on text that has it, or use BPETokenizer, which encodes any text"
        raise ValueError(f"text has {where}, none of the {self.vocab_size} characters: {advice}")

    def _pieces(self, ids: Iterable[int]) -> Iterator[str]:
        return (self.tokens[i] for i in ids)
