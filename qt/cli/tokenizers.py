"""Tokenizers as the commands use them: trained and read by kind, with a bar where it takes long."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import numpy.typing as npt

from qt.cli.arguments import UsageError, one_of, whole
from qt.cli.progress import busy, in_pieces
from qt.tokenizers import BPETokenizer, CharTokenizer, Tokenizer, WordTokenizer, load_tokenizer

KINDS = ("bpe", "char", "word")
VOCAB_SIZE = 1024  # of a bpe tokenizer


def add_flags(parser: Any, kind_default: str, size_default: str) -> None:
    """--tokenizer and --vocab-size."""
    parser.add_argument(
        "--tokenizer", **one_of(KINDS), help=f"how text is cut (default: {kind_default})"
    )
    parser.add_argument(
        "--vocab-size", type=whole(1), metavar="N",
        help=f"tokens of a bpe or word tokenizer at most (default: {size_default})",
    )  # fmt: skip


def check_flags(args: argparse.Namespace) -> None:
    """Raise `UsageError` for a size that the kind does not take."""
    if args.vocab_size is not None and args.tokenizer == "char":
        raise UsageError(
            "--vocab-size is for bpe and word: a char tokenizer has every character of the text"
        )


def train(kind: str, text: str, vocab_size: int | None, quiet: bool = False) -> Tokenizer:
    """Learn a tokenizer of that kind."""
    if kind == "char":
        return CharTokenizer.train(text)
    if kind == "word":
        return WordTokenizer.train(text, vocab_size)
    with busy("learning merges", quiet):
        return BPETokenizer.train(text, vocab_size or VOCAB_SIZE)


def encode(tokenizer: Tokenizer, text: str, quiet: bool = False) -> npt.NDArray[np.int64]:
    """Text -> ids (T,), equal to `tokenizer.encode(text)`."""
    pieces = in_pieces(text, "encoding", quiet)
    return np.fromiter(tokenizer.encode_iterable(pieces), dtype=np.int64)


def read(path: str) -> Tokenizer:
    """Our own file, or Hugging Face's tokenizer.json, which is the form of our BPE files too."""
    try:
        return load_tokenizer(path)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read: {error.strerror}; qt tokenize train makes a tokenizer"
        ) from None
