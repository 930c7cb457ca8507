"""`qt generate`: a prompt in, the text that a model writes behind it out."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import qt
from qt.cli import checkpoints
from qt.cli.arguments import UsageError, add_command, from_zero, not_empty, number, positive, whole

ABOUT = """\
Let a trained model continue a text. It writes a token at a time: the scores of all tokens become
probabilities, the dials below shape them, one token is drawn and joins the text. The dials work in
this order: --repetition-penalty, --temperature, --top-k, --top-p, --min-p. The same seed and dials
give the same text."""

EXAMPLES = """\
examples, each a second or two:
  qt generate --checkpoint run --prompt "Once upon a time"
      the prompt and 200 tokens behind it
  qt generate --checkpoint run --prompt "The fox" --temperature 0 --stop "."
      greedy, the likeliest token each time, to the end of the sentence
  qt generate --checkpoint run --top-p 0.9 --seed 1 --json
      {"prompt": "", "text": …, "tokens": 200, "seconds": …}, for a program"""


def add_to(commands: Any) -> None:
    """Add `qt generate`."""
    parser = add_command(
        commands, "generate", run, "let a trained model continue a text",
        usage="qt generate --checkpoint DIR [--prompt TEXT] [flags]",
        description=ABOUT, epilog=EXAMPLES,
    )  # fmt: skip
    add = parser.add_argument
    checkpoints.add_flag(parser)
    add("--prompt", default="", metavar="TEXT", help="text to continue (default: begin anew)")
    add("--max-new-tokens", type=whole(0), default=200, metavar="N",
        help="tokens to write at most (default: 200)")  # fmt: skip
    add("--stop", type=not_empty, action="append", default=[], metavar="TEXT",
        help="end before this text; may be given more than once")  # fmt: skip
    add("--temperature", type=from_zero, default=0.8, metavar="X",
        help="below 1 safer, above 1 wilder, 0 takes the likeliest (default: 0.8)")  # fmt: skip
    add("--top-k", type=whole(1), metavar="N", help="draw from the N likeliest (default: all)")
    share = number("above 0 and at most 1", lambda x: 0 < x <= 1)
    add("--top-p", type=share, metavar="X",
        help="draw from the fewest that have X of the probability (default: all)")  # fmt: skip
    add("--min-p", type=number("from 0 to 1", lambda x: 0 <= x <= 1), metavar="X",
        help="draw from those at least X times as likely as the best (default: all)")  # fmt: skip
    add("--repetition-penalty", type=positive, default=1.0, metavar="X",
        help="above 1: tokens of the text so far become less likely (default: 1)")  # fmt: skip
    add("--seed", type=whole(0), default=0, metavar="N", help="of what is drawn (default: 0)")
    add("--no-cache", action="store_true", help="read all again for each token: slow, same text")
    add("--json", action="store_true", help="one JSON object at the end, nothing before")
    add("--logprobs", action="store_true",
        help="with --json: each new token's log probability, in nats")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the prompt, then the text as it is written."""
    if args.logprobs and not args.json:
        raise UsageError("--logprobs needs --json")
    model, tokenizer = checkpoints.load_model(args.checkpoint)
    started = time.perf_counter()
    logprobs: list[Any] = []  # one (1,) array for each new token
    pieces = qt.stream_text(
        model, tokenizer, args.prompt, stop=args.stop, max_new_tokens=args.max_new_tokens,
        temperature=args.temperature, top_k=args.top_k, top_p=args.top_p, min_p=args.min_p,
        repetition_penalty=args.repetition_penalty, seed=args.seed, use_cache=not args.no_cache,
        logprobs=logprobs,
    )  # fmt: skip
    if args.json:
        result = {"prompt": args.prompt, "text": "".join(pieces), "tokens": len(logprobs)}
        result["seconds"] = round(time.perf_counter() - started, 3)
        if args.logprobs:
            result["logprobs"] = [round(float(row[0]), 6) for row in logprobs]
        print(json.dumps(result, ensure_ascii=False))
        return 0
    first = next(pieces, "")  # errors come before the prompt is echoed
    print(args.prompt, first, sep="", end="", flush=True)
    try:
        for piece in pieces:
            print(piece, end="", flush=True)
    finally:
        print()
    return 0
