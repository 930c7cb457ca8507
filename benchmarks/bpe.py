"""Byte-pair encoding on one thread: learning merges, and encoding 10 MB."""

from __future__ import annotations

import importlib
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import qt
from benchmarks.claim import Claim, LeftOut, Samples, race

VOCAB = 4096


def text() -> str:
    """Tinyshakespeare."""
    try:
        return qt.data.load("tinyshakespeare")
    except qt.data.DataError as error:
        raise LeftOut(str(error)) from None


def spliced(megabytes: float) -> str:
    """Pieces of tinyshakespeare of 1 to 2,000 characters, cut anywhere.

    The cuts make words that it does not have, so that remembered words do not do all the work.
    """
    source, size, rng = text(), int(megabytes * 1e6), np.random.default_rng(0)
    pieces: list[str] = []
    while size > 0:
        start, length = rng.integers(len(source)), rng.integers(1, 2000)
        pieces.append(source[start : start + length])
        size -= len(pieces[-1])
    return "".join(pieces)


def hugging_face() -> Any:
    """The package `tokenizers`, on one thread."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["RAYON_NUM_THREADS"] = "1"
    return importlib.import_module("tokenizers")


def measure_train(vocab_size: int) -> Samples:
    """CPU seconds, of all threads."""
    tokenizers, corpus = hugging_face(), text()

    def theirs() -> Any:
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        byte_level = tokenizers.pre_tokenizers.ByteLevel
        tokenizer.pre_tokenizer = byte_level(add_prefix_space=False)
        trainer = tokenizers.trainers.BpeTrainer(
            vocab_size=vocab_size, initial_alphabet=byte_level.alphabet(), show_progress=False
        )
        tokenizer.train_from_iterator([corpus], trainer)

    def ours() -> Any:
        qt.BPETokenizer.train(corpus, vocab_size, special_tokens=())

    return race(ours, theirs, repeats=7, clock=time.process_time)


def peers(ours: qt.BPETokenizer, directory: str) -> dict[str, Any]:
    """Functions text -> ids with the same merges, for each package that is there."""
    made: dict[str, Any] = {}
    path = Path(directory, "tokenizer.json")
    ours.save(path)
    try:
        theirs = hugging_face().Tokenizer.from_file(str(path))
        made["tokenizers"] = lambda text: theirs.encode(text).ids
    except ImportError:
        pass
    try:
        ranks = {token: i for i, token in enumerate(ours.vocab)}
        pattern = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
        encoding = importlib.import_module("tiktoken").Encoding(
            "ours", pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
        )
        made["tiktoken"] = encoding.encode_ordinary
    except ImportError:
        pass
    return made


def measure_encode(peer: str, megabytes: float = 10.0) -> Samples:
    """MB a second. Our memory of words is emptied before each turn."""
    importlib.import_module(peer)
    corpus = spliced(megabytes)
    trained = qt.BPETokenizer.train(text(), VOCAB, special_tokens=())
    with tempfile.TemporaryDirectory() as directory:
        theirs = peers(trained, directory)[peer]
    if trained.encode(corpus[:100_000]) != theirs(corpus[:100_000]):
        raise ValueError(f"our ids are not those of {peer}")
    fresh = [qt.BPETokenizer(trained.merges) for _ in range(1 + 7)]
    return race(lambda: fresh.pop().encode(corpus), lambda: theirs(corpus), repeats=7).per_second(
        len(corpus.encode("utf-8")) / 1e6
    )


# 3 MB a second is the aim; as ratios, of the 0.95 and 8.6 MB/s that the peers were measured at.
CLAIMS = [
    Claim("bpe_train_1000", "tokenizers", "s", 1.0, partial(measure_train, 1000)),
    Claim("bpe_train_4096", "tokenizers", "s", 0.5, partial(measure_train, 4096)),
    Claim(
        "bpe_encode/tokenizers", "tokenizers", "MB/s", 3.16, partial(measure_encode, "tokenizers")
    ),
    Claim("bpe_encode/tiktoken", "tiktoken", "MB/s", 0.35, partial(measure_encode, "tiktoken")),
]
