"""Tokenizers: text to ids and back. One protocol, `Tokenizer`, and three ways to cut a text."""

import os

from qt.tokenizers.bpe import BPETokenizer
from qt.tokenizers.char import CharTokenizer
from qt.tokenizers.tokenizer import Tokenizer, read_tokenizer
from qt.tokenizers.word import WordTokenizer

__all__ = ["BPETokenizer", "CharTokenizer", "Tokenizer", "WordTokenizer", "load_tokenizer"]


def load_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """Read whichever tokenizer the file holds. ValueError as `Tokenizer.load`."""
    return read_tokenizer(path, BPETokenizer, CharTokenizer, WordTokenizer)
