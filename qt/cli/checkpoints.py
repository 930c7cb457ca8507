"""Checkpoints as the commands use them: which one is meant, and its model ready to read text."""

from __future__ import annotations

from typing import Any

import qt
from qt.model import GPT
from qt.tokenizers import Tokenizer


def add_flag(parser: Any) -> None:
    """--checkpoint."""
    parser.add_argument(
        "--checkpoint", required=True, metavar="DIR", help="a run, or one checkpoint of it"
    )


def load_model(directory: str) -> tuple[GPT, Tokenizer]:
    """The model of a checkpoint, and its tokenizer, which it must have."""
    checkpoint = qt.load_checkpoint(directory)
    if checkpoint.tokenizer is None:
        raise ValueError(f"{directory} has no tokenizer.json: its model knows ids, not text")
    return checkpoint.model, checkpoint.tokenizer
