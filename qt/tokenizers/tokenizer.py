"""The one protocol of all tokenizers: `encode` text to ids, `decode` ids to text, save, load."""

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from qt.files import write_atomic


class Tokenizer(ABC):
    """What character, word and byte-pair tokenizers share. Each adds a classmethod `train`."""

    type: ClassVar[str]  # its name in a file
    one: ClassVar[str] = "(?s:.+)"  # what one token looks like
    special_tokens: dict[str, int]  # each special token's id

    def __init__(self, tokens: Iterable[str]) -> None:
        """Number `tokens` as given; `ValueError` if one comes twice or is more than one."""
        self.ids, self.special_tokens = number(tokens, self.one), {}
        self.tokens = list(self.ids)

    @property
    def vocab_size(self) -> int:
        """V: the ids are 0 to V - 1."""
        return len(self.tokens)

    @abstractmethod
    def _encode_plain(self, text: str) -> list[int]: ...

    @abstractmethod
    def _pieces(self, ids: Iterable[int]) -> Iterator[str]: ...

    def _content(self) -> dict[str, Any]:  # what a file holds
        tokens = [token for token in self.tokens if token not in self.special_tokens]
        return {"type": self.type, "tokens": tokens}

    @classmethod
    def _from_content(cls, content: dict[str, Any]) -> Self:
        return cls(**content)

    def _settled(self, text: str) -> int:  # how many characters keep their ids, whatever follows
        return len(text)

    def encode(self, text: str, allowed_special: str = "none") -> list[int]:
        """Text to ids (T,).

        With `allowed_special="none"` a special token's spelling is plain text, so that a user's
        text cannot end a document; with "all" it becomes one id, and of two that fit the longest
        wins. `TypeError` unless `text` is a `str`, `ValueError` if it has a lone surrogate.
        """
        check_text(text)
        if allowed_special not in ("none", "all"):
            raise ValueError(f'allowed_special must be "none" or "all", got {allowed_special!r}')
        special = self.special_tokens if allowed_special == "all" else {}
        ids: list[int] = []
        for piece in cut(text, special):
            ids += [special[piece]] if piece in special else self._encode_plain(piece)
        return ids

    def encode_iterable(self, texts: Iterable[str], allowed_special: str = "none") -> Iterator[int]:
        """Yield the ids that `encode` gives for the joined `texts`, wherever they are cut.

        Held back is what more text may change: the last word, a run of white space, the beginning
        of a special token. One of over 1,000 characters is looked at again when it has doubled.
        """
        special = self.special_tokens if allowed_special == "all" else {}
        starts = {token[:n] for token in special for n in range(1, len(token))}
        held, enough = "", 0
        for text in texts:
            check_text(text)
            held += text
            if len(held) >= enough:
                pieces = ["", *cut(held, special, starts)]
                start = pieces.pop() if pieces[-1] in starts else ""  # of a special token, maybe
                last = "" if pieces[-1] in special else pieces[-1]
                rest = last[self._settled(last) :]
                ids = self.encode(held[: len(held) - len(start)], allowed_special)
                yield from ids[: len(ids) - len(self._encode_plain(rest))]
                held = rest + start
                enough = 2 * len(held) if len(held) > 1000 else 0
        yield from self.encode(held, allowed_special)

    def decode(self, ids: Iterable[int] | np.ndarray) -> str:
        """Ids (T,), a list or an integer array, to text; broken UTF-8 becomes U+FFFD.

        `TypeError` unless they are integers, `ValueError` if one is outside the vocabulary.
        """
        return "".join(self.decode_iterable(ids))

    def decode_iterable(self, ids: Iterable[int] | np.ndarray) -> Iterator[str]:
        """Yield what `decode` gives piece by piece, a character as soon as it is whole."""
        return self._pieces(self._checked(ids))

    def _checked(self, ids: Iterable[int] | np.ndarray) -> Iterator[Any]:
        if isinstance(ids, np.ndarray) and ids.ndim != 1:
            raise ValueError(f"ids must have the shape (T,), got {ids.shape}: decode each row")
        size = self.vocab_size
        for place, i in enumerate(ids):
            if not isinstance(i, int | np.integer):
                raise TypeError(f"ids[{place}] must be an integer, got {i!r:.80}")
            if not 0 <= i < size:
                known = f"this vocabulary has the ids 0 to {size - 1}"
                raise ValueError(f"ids[{place}] is {i}, but {known}: is it another tokenizer's?")
            yield i

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer as JSON, whole or not at all: an older file stays until the end."""
        write_atomic(path, json.dumps(self._content(), ensure_ascii=False))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; `ValueError` if the file is of another kind or damaged."""
        known = {c.type: c for c in cls.__subclasses__() or [cls]}
        with reading(path) as content:
            kind = content.pop("type", "bpe")
            if kind not in list(known):
                raise ValueError(f"its type is {kind!r:.80}, expected {' or '.join(known)}")
            return known[kind]._from_content(content)


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """Give the JSON object in a file; what its content makes fail becomes a `ValueError`."""
    try:
        yield {**json.loads(Path(path).read_bytes())}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        cause = str(error) if isinstance(error, ValueError) else repr(error)
        raise ValueError(f"{path} is no tokenizer file, or damaged: {cause:.300}") from error


def check_text(text: str, what: str = "text", may_be_empty: bool = True) -> None:
    """Raise `TypeError` unless `text` is a `str`, `ValueError` if it is not UTF-8 or empty."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, got {type(text).__name__}: decode bytes first")
    if not text and not may_be_empty:
        raise ValueError(f"{what} is empty: give at least one character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        where = f"U+{ord(text[error.start]):04X} at position {error.start}, half of a character"
        repair = "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        raise ValueError(f"{what} has the lone surrogate {where}. To repair: {repair}") from None


def number(tokens: Iterable[str], one: str) -> dict[str, int]:
    """Give each token its place as its id; `ValueError` if one comes twice or does not match."""
    if isinstance(tokens, str | dict):
        raise TypeError(f"expected a list of tokens, got {tokens!r:.80}: put it in [ ]")
    ids: dict[str, int] = {}
    for token in tokens:
        check_text(token, f"token {len(ids)}", may_be_empty=False)
        if token in ids or not re.fullmatch(one, token):
            raise ValueError(f"token {len(ids)}, {token!r:.80}, comes twice or is not one token")
        ids[token] = len(ids)
    return ids


def cut(text: str, special: Iterable[str], starts: Iterable[str] = ()) -> Iterator[str]:
    """Yield the special tokens in `text`, longest first, and the pieces between, in order.

    At its very end one of `starts`, the beginnings of special tokens, is a piece too.
    """
    if not special:
        return iter([text] if text else [])
    whole, ends = ("|".join(sorted(map(re.escape, s), key=len)[::-1]) for s in (special, starts))
    return filter(None, re.split(f"((?:{ends})\\Z|{whole})", text))
