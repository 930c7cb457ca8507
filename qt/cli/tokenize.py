"""`qt tokenize train|encode|decode`: text to ids and back."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import qt
from qt.cli import tokenizers
from qt.cli.arguments import Parser, UsageError, add_command, not_empty, read_input
from qt.cli.progress import in_pieces
from qt.tokenizers import BPETokenizer, Tokenizer

ABOUT = """\
A tokenizer cuts text into pieces and numbers them. bpe (byte-pair encoding) begins with the 256
bytes and joins the pair that is most frequent, again and again; char has one token a character,
word one a word. FILE is what `qt tokenize train` wrote, a run's tokenizer.json, or a tokenizer.json
of Hugging Face (byte-level BPE)."""

EXAMPLES = """\
examples:
  qt tokenize train --data stories --out tok.json --vocab-size 512
      "512 tokens, saved in tok.json"; 2 seconds
  qt tokenize encode --tokenizer tok.json "The fox"
      84 258 270 111 120
  qt tokenize encode --tokenizer tok.json --file my.txt | qt tokenize decode --tokenizer tok.json
      the text of my.txt
  echo "The fox" | qt tokenize encode --tokenizer tok.json --json
      {"ids": [84, 258, 270, 111, 120, 10], "tokens": ["T", "he", " f", "o", "x", "\\n"]}"""


def add_to(commands: Any) -> None:
    """Add `qt tokenize` and its actions."""
    text = "train a tokenizer, encode and decode text"
    parser: Parser = commands.add_parser(
        "tokenize", help=text, usage="qt tokenize train|encode|decode …", description=ABOUT,
        epilog=EXAMPLES,
    )  # fmt: skip
    actions = parser.add_subparsers(
        required=True, metavar="action", title="actions", prog="qt tokenize"
    )
    train = add_command(
        actions, "train", run_train, "learn a tokenizer from a text",
        usage="qt tokenize train --data TEXT --out FILE [flags]", description=ABOUT,
        epilog=EXAMPLES,
    )  # fmt: skip
    train.add_argument(
        "--data", required=True, metavar="TEXT", help="stories, tinyshakespeare, or a UTF-8 file"
    )
    train.add_argument("--out", required=True, type=not_empty, metavar="FILE", help="where to save")
    tokenizers.add_flags(train, "bpe", f"bpe {tokenizers.VOCAB_SIZE}, word all words")
    _add_json(train)
    for name, run, text in (
        ("encode", run_encode, "print the ids of a text"),
        ("decode", run_decode, "print the text of ids"),
    ):
        what = "text" if name == "encode" else "ids"
        action = add_command(
            actions, name, run, text, description=ABOUT, epilog=EXAMPLES,
            usage=f"qt tokenize {name} --tokenizer FILE [{what.upper()} | --file FILE] [flags]",
        )  # fmt: skip
        action.add_argument(
            "--tokenizer", required=True, metavar="FILE", help="a tokenizer's JSON file"
        )
        action.add_argument(
            "input", nargs="?", metavar=what.upper(), help=f"the {what} (default: standard input)"
        )
        action.add_argument("--file", metavar="FILE", help=f"read the {what} from a UTF-8 file")
        if name == "encode":
            action.add_argument(
                "--special", action="store_true",
                help="<|endoftext|> in the text is one token (default: it is plain text)",
            )  # fmt: skip
        _add_json(action)


def _add_json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="the result as one line of JSON")


def run_train(args: argparse.Namespace) -> int:
    """Learn a tokenizer and save it."""
    tokenizers.check_flags(args)
    if not Path(args.out).parent.is_dir():  # said before the work, not after it
        raise FileNotFoundError(f"there is no folder {Path(args.out).parent}: make it first")
    tokenizer = tokenizers.train(args.tokenizer or "bpe", qt.data.load(args.data), args.vocab_size)
    tokenizer.save(args.out)
    result = {"out": args.out, "type": tokenizer.type, "vocab_size": tokenizer.vocab_size}
    sentence = f"{tokenizer.vocab_size} tokens, saved in {args.out}"
    print(json.dumps(result) if args.json else sentence)
    return 0


def run_encode(args: argparse.Namespace) -> int:
    """Print ids, parted by spaces."""
    tokenizer, text = _read(args)
    pieces = in_pieces(text, "encoding")
    ids = list(tokenizer.encode_iterable(pieces, "all" if args.special else "none"))
    if args.json:
        shown = {i: _token(tokenizer, i) for i in set(ids)}
        result = {"ids": ids, "tokens": [shown[i] for i in ids]}
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(*ids)
    return 0


def run_decode(args: argparse.Namespace) -> int:
    """Print the text of ids that are parted by spaces, line ends or commas."""
    tokenizer, text = _read(args)
    try:
        ids = [int(word) for word in text.replace(",", " ").split()]
    except ValueError as error:
        raise ValueError(
            f"ids must be whole numbers, parted by spaces or commas: {error}"
        ) from None
    decoded = tokenizer.decode(ids)
    print(json.dumps({"text": decoded}, ensure_ascii=False) if args.json else decoded)
    return 0


def _read(args: argparse.Namespace) -> tuple[Tokenizer, str]:
    if args.input is not None and args.file is not None:
        raise UsageError("give the input as an argument or with --file, not both")
    return tokenizers.read(args.tokenizer), read_input(args.input, args.file)


def _token(tokenizer: Tokenizer, i: int) -> str:
    """A token as text; bytes that are no whole character as a backslash, x and two digits."""
    if isinstance(tokenizer, BPETokenizer):
        return tokenizer.vocab[i].decode("utf-8", errors="backslashreplace")
    return tokenizer.decode([i])
