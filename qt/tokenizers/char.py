"""One token a character: the smallest vocabulary, the longest sequences."""

from collections.abc import Iterable
from typing import Self

from qt.tokenizers.tokenizer import Tokenizer, check_text, number


class CharTokenizer(Tokenizer):
    """The distinct characters (code points) of a text; no special tokens, and no other character.

    `characters` lists them; a character's place is its id.
    """

    type = "char"

    def __init__(self, characters: Iterable[str]) -> None:
        """Number `characters` as given; ValueError if one comes twice or is longer."""
        self._ids = number(characters, one="(?s:.)")
        self.characters = list(self._ids)
        self.fields = {"characters": self.characters}
        self.vocab_size = len(self.characters)
        self.special_tokens = {}

    @classmethod
    def train(cls, text: str) -> Self:
        """Take the distinct characters of `text`, sorted. ValueError if it is empty."""
        check_text(text, may_be_empty=False)
        return cls(sorted(set(text)))

    def _encode_plain(self, text: str) -> list[int]:
        try:
            return [self._ids[character] for character in text]
        except KeyError as error:
            unseen = error.args[0]
        raise ValueError(
            f"text has {unseen!r} (U+{ord(unseen):04X}) at position {text.index(unseen)}, none of "
            f"the {self.vocab_size} characters that this tokenizer knows: remove it, train on text "
            "that has it, or use BPETokenizer, which encodes any text"
        )

    def _decode_checked(self, ids: list[int]) -> str:
        return "".join([self.characters[i] for i in ids])
