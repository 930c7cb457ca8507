"""`qt eval`: how well a model predicts a text."""

from __future__ import annotations

import argparse
import json
import math
from typing import Any

import qt
from qt.cli import checkpoints, tokenizers
from qt.cli.arguments import add_command
from qt.cli.progress import with_bar

BATCH_SIZE = 16  # windows at once: for speed alone

ABOUT = """\
Measure a model on a text, and print one line of JSON: loss (nats a token), perplexity (e to the
loss: among how many equally likely tokens the model hesitates), bits_per_byte (comparable between
tokenizers), tokens. The whole text is read in windows of one block that do not overlap, so the
first tokens of each window are guessed with little before them."""

EXAMPLES = """\
examples:
  qt eval --checkpoint run --data my.txt
      one line such as {"loss": 6.36, "perplexity": 576.6, "bits_per_byte": 3.93, "tokens": 1679};
      a second for 4,000 characters
  qt eval --checkpoint run/checkpoints/step-000400 --data stories
      an earlier checkpoint, on the 2 million characters that it learns from: about 40 seconds"""


def add_to(commands: Any) -> None:
    """Add `qt eval`."""
    parser = add_command(
        commands, "eval", run, "measure the loss on a text, as one line of JSON",
        usage="qt eval --checkpoint DIR --data TEXT", description=ABOUT, epilog=EXAMPLES,
    )  # fmt: skip
    checkpoints.add_flag(parser)
    parser.add_argument(
        "--data", required=True, metavar="TEXT", help="stories, tinyshakespeare, or a UTF-8 file"
    )


def run(args: argparse.Namespace) -> int:
    """Print the measurement."""
    model, tokenizer = checkpoints.load_model(args.checkpoint)
    text = qt.data.load(args.data)
    ids = tokenizers.encode(tokenizer, text)
    batches = qt.data.windows(ids, BATCH_SIZE, model.config.block_size)
    loss, tokens = qt.evaluate(model, with_bar(batches, "measuring"))
    result = {
        "loss": loss,
        "perplexity": math.exp(min(loss, 700)),
        "bits_per_byte": loss * tokens / math.log(2) / len(text.encode("utf-8")),
        "tokens": tokens,
    }
    print(json.dumps(result))
    return 0
