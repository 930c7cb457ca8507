"""Tokenizers: text to ids and back. One protocol, `Tokenizer`, and three ways to cut a text."""

from qt.tokenizers.bpe import BPETokenizer
from qt.tokenizers.char import CharTokenizer
from qt.tokenizers.tokenizer import Tokenizer
from qt.tokenizers.word import WordTokenizer

__all__ = ["BPETokenizer", "CharTokenizer", "Tokenizer", "WordTokenizer", "load_tokenizer"]

load_tokenizer = Tokenizer.load  # whichever of the three the file holds
