"""The one protocol of all tokenizers: `encode` text to ids, `decode` ids to text, save, load."""

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from qt.files import write_atomic

VERSION = 1  # of the files


class Tokenizer(ABC):
    """What character, word and byte-pair tokenizers share. Each adds a classmethod `train`."""

    type: ClassVar[str]  # its name in a file
    fields: dict[str, Any]  # what a file holds of it: its constructor's arguments, all lists
    vocab_size: int  # V: the ids are 0 to V - 1
    special_tokens: dict[str, int]  # each special token's id

    @abstractmethod
    def _encode_plain(self, text: str) -> list[int]: ...

    @abstractmethod
    def _decode_checked(self, ids: list[int]) -> str: ...

    def encode(self, text: str, allowed_special: str = "none") -> list[int]:
        """Text to ids (T,).

        With `allowed_special="none"` a special token's spelling is plain text, so that a user's
        text cannot end a document; with "all" it becomes one id, and of two that fit the longest
        wins. TypeError unless `text` is a `str`, ValueError if it has a lone surrogate.
        """
        check_text(text)
        if allowed_special not in ("none", "all"):
            raise ValueError(f'allowed_special must be "none" or "all", got {allowed_special!r}')
        special = self.special_tokens if allowed_special == "all" else {}
        ids: list[int] = []
        for piece in cut(text, special):
            ids += [special[piece]] if piece in special else self._encode_plain(piece)
        return ids

    def decode(self, ids: Iterable[int] | np.ndarray) -> str:
        """Ids (T,), a list or an integer array, to text.

        TypeError unless they are integers, ValueError if one is outside the vocabulary.
        """
        return self._decode_checked(self._check_ids(ids))

    def _check_ids(self, ids: Iterable[int] | np.ndarray) -> list[int]:
        if isinstance(ids, np.ndarray) and ids.ndim != 1:
            raise ValueError(f"ids must have the shape (T,), got {ids.shape}: decode each row")
        ids = list(ids)
        for place, i in enumerate(ids):
            if not isinstance(i, int | np.integer):
                raise TypeError(f"ids[{place}] must be an integer, got {i!r:.80}")
            if not 0 <= i < self.vocab_size:
                known = f"this vocabulary has the ids 0 to {self.vocab_size - 1}"
                raise ValueError(f"ids[{place}] is {i}, but {known}: is it another tokenizer's?")
        return ids

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer as JSON, whole or not at all: an older file stays until the end."""
        header = {"type": self.type, "version": VERSION, "vocab_size": self.vocab_size}
        write_atomic(path, json.dumps(header | self.fields, ensure_ascii=False))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; ValueError if the file is of another kind or damaged."""
        return read_tokenizer(path, cls)


AnyTokenizer = TypeVar("AnyTokenizer", bound=Tokenizer)


def read_tokenizer(path: str | os.PathLike[str], *classes: type[AnyTokenizer]) -> AnyTokenizer:
    """Make the one of `classes` that the file names by its type. Errors as `Tokenizer.load`."""
    try:
        fields = json.loads(Path(path).read_bytes())
        kind, version, size = (fields.pop(key) for key in ("type", "version", "vocab_size"))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        expected = "give a file that a tokenizer's save() wrote"
        raise ValueError(f"{path} is no tokenizer file ({error!r:.80}): {expected}") from error
    known = {c.type: c for c in classes}
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(f"{path} has the type {kind!r:.80}, expected {' or '.join(known)}")
    if version != VERSION:
        advice = f"this qt reads {VERSION}: use the qt that wrote it, or train again"
        raise ValueError(f"{path} has the version {version!r:.80}, {advice}")
    try:
        if wrong := [key for key, value in fields.items() if not isinstance(value, list)]:
            raise ValueError(f"{wrong[0]!r:.80} is no list")
        tokenizer = known[kind](**fields)
        if size != tokenizer.vocab_size:
            raise ValueError(f"vocab_size is {size!r:.80}, but it has {tokenizer.vocab_size} ids")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    return tokenizer


def check_text(text: str, what: str = "text", may_be_empty: bool = True) -> None:
    """Raise TypeError unless `text` is a `str`, ValueError if it is not UTF-8 or empty."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, got {type(text).__name__}: decode bytes first")
    if not text and not may_be_empty:
        raise ValueError(f"{what} is empty: give at least one character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{what} has the lone surrogate U+{ord(text[error.start]):04X} at position "
            f"{error.start}, half of a character, which UTF-8 cannot hold. To repair the text: "
            "text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')"
        ) from None


def number(tokens: Iterable[str], one: str | re.Pattern[str] = "(?s:.+)") -> dict[str, int]:
    """Give each token its place as its id; ValueError if one comes twice or does not fit `one`."""
    if isinstance(tokens, str):
        raise TypeError(f"expected a list of tokens, got the str {tokens!r:.80}: put it in [ ]")
    ids: dict[str, int] = {}
    for token in tokens:
        check_text(token, what=f"token {len(ids)}", may_be_empty=False)
        if token in ids or not re.fullmatch(one, token):
            raise ValueError(f"token {len(ids)}, {token!r:.80}, comes twice or is not one token")
        ids[token] = len(ids)
    return ids


def cut(text: str, special: Collection[str]) -> Iterator[str]:
    """Yield the special tokens in `text`, longest first, and the pieces between, in order."""
    longest_first = sorted(map(re.escape, special), key=len, reverse=True)
    return filter(None, re.split(f"({'|'.join(longest_first)})", text) if special else [text])
