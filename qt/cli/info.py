"""`qt info`: what a checkpoint holds."""

from __future__ import annotations

import argparse
import json
from typing import Any

import qt
from qt.cli import checkpoints
from qt.cli.arguments import add_command
from qt.summary import sizes

ABOUT = """\
Say what a checkpoint holds: its step, its tokenizer, and a table of the model's parts with their
shapes, parameters, arithmetic and memory. With --json the same as data, with the whole config."""

EXAMPLES = """\
examples, each half a second:
  qt info --checkpoint run
  qt info --checkpoint run --json"""


def add_to(commands: Any) -> None:
    """Add `qt info`."""
    parser = add_command(
        commands, "info", run, "say what a checkpoint holds",
        usage="qt info --checkpoint DIR [--json]", description=ABOUT, epilog=EXAMPLES,
    )  # fmt: skip
    checkpoints.add_flag(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    checkpoint = qt.load_checkpoint(args.checkpoint)
    tokenizer, model = checkpoint.tokenizer, checkpoint.model
    kind = type(tokenizer).__name__ if tokenizer else None
    if args.json:
        result = {
            "path": str(checkpoint.path),
            "step": checkpoint.step,
            "best_val_loss": checkpoint.extra.get("best_val_loss"),
            "tokenizer": kind,
            **sizes(model),
            "config": model.config.to_dict(),
        }
        print(json.dumps(result, indent=1))
        return 0
    print(f"step {checkpoint.step} in {checkpoint.path}; tokenizer: {kind or 'none'}")
    print(model.summary())
    return 0
