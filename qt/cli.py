"""The command `qt`: train a model, let it write, measure it, look at it.

Exit codes: 0 done, 1 the run failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

DIALS = ("temperature", "top_k", "top_p", "min_p", "seed")

# What `qt train` does unless a flag says otherwise. Shakespeare has nanoGPT's recipe for a CPU.
PRESETS: dict[str, dict[str, Any]] = {
    "stories": {
        "tokenizer": "bpe", "vocab_size": 2048, "block_size": 128, "n_layer": 3, "steps": 1250,
        "batch_size": 6, "lr": 4e-3, "warmup": 50, "weight_decay": 0.05, "beta2": 0.98,
        "eval_every": 200,
    },
    "tinyshakespeare": {
        "tokenizer": "char", "block_size": 64, "steps": 2000, "batch_size": 12, "lr": 1e-3,
        "warmup": 100, "eval_every": 250,
    },
}  # fmt: skip
MODEL_FLAGS = (
    "n_layer", "n_head", "n_kv_head", "d_model", "d_ff", "block_size", "position", "norm", "ffn",
    "bias", "dropout",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt as error:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `qt generate | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, TypeError, OSError, RuntimeError, MemoryError) as error:
        if args.debug:
            raise
        print(f"error: {' '.join(str(error).split()) or type(error).__name__}", file=sys.stderr)
        return 1


def build_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands and flags."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser = argparse.ArgumentParser(
        prog="qt",
        description="Train a small GPT made of NumPy parts, and let it write.",
        epilog="Start with: qt train --data stories --out run, then: "
        'qt generate --checkpoint run --prompt "One day"',
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], text: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, parents=[common], help=text, description=text, allow_abbrev=False
        )
        sub.set_defaults(run=run)
        return sub

    train = command("train", run_train, "train a model on a text and keep the run in a folder")
    train.add_argument("--data", help='"stories", "tinyshakespeare", or a UTF-8 text file')
    train.add_argument("--out", help="folder for the run: config, metrics, checkpoints")
    train.add_argument("--resume", metavar="DIR", help="go on with the run in DIR")
    group = train.add_argument_group("tokenizer")
    group.add_argument("--tokenizer", choices=("bpe", "char", "word"))
    group.add_argument("--vocab-size", type=int, metavar="N", help="of a bpe or word tokenizer")
    group = train.add_argument_group("model (see qt.GPTConfig)")
    for name in ("n-layer", "n-head", "n-kv-head", "d-model", "d-ff", "block-size"):
        group.add_argument(f"--{name}", type=int, metavar="N")
    group.add_argument("--position", choices=("rope", "sinusoidal", "learned"))
    group.add_argument("--norm", choices=("rmsnorm", "layernorm"))
    group.add_argument("--ffn", choices=("swiglu", "relu", "gelu"))
    group.add_argument("--bias", action="store_true", default=None)
    group.add_argument("--dropout", type=float, metavar="P")
    group = train.add_argument_group("training (see qt.TrainingConfig)")
    for name in ("steps", "batch-size", "grad-accum", "warmup", "eval-every", "eval-batches",
                 "save-every", "seed"):  # fmt: skip
        group.add_argument(f"--{name}", type=int, metavar="N")
    for name in ("lr", "min-lr", "weight-decay", "beta1", "beta2", "clip"):
        group.add_argument(f"--{name}", type=float, metavar="X")
    group.add_argument("--schedule", choices=("cosine", "constant"))
    group.add_argument("--optimizer", choices=("adamw", "adam", "sgd"))
    group.add_argument("--threads", type=int, metavar="N", help="pieces of a batch side by side")
    train.add_argument("--quiet", action="store_true", help="no progress, only the result")

    gen = command("generate", run_generate, "let a trained model continue a text")
    gen.add_argument("--checkpoint", required=True, metavar="DIR", help="a run or one checkpoint")
    gen.add_argument("--prompt", default="", help="text to continue (default: begin anew)")
    gen.add_argument("--max-new-tokens", type=int, default=200, metavar="N")
    gen.add_argument("--temperature", type=float, default=0.8, metavar="X", help="0 is greedy")
    gen.add_argument("--top-k", type=int, metavar="N")
    gen.add_argument("--top-p", type=float, metavar="X")
    gen.add_argument("--min-p", type=float, metavar="X")
    gen.add_argument("--seed", type=int, default=0, metavar="N")
    gen.add_argument("--no-cache", action="store_true", help="recompute every token (slow)")

    evaluate = command("eval", run_eval, "measure the loss on a text, as one line of JSON")
    evaluate.add_argument("--checkpoint", required=True, metavar="DIR")
    evaluate.add_argument("--data", required=True, help='"stories", "tinyshakespeare", or a file')

    tokenize = commands.add_parser("tokenize", help="train a tokenizer, encode and decode text")
    actions = tokenize.add_subparsers(required=True, metavar="action")
    for name, text in (
        ("train", "learn a tokenizer from a text"),
        ("encode", "print the ids of a text"),
        ("decode", "print the text of ids"),
    ):
        action = actions.add_parser(name, parents=[common], help=text, description=text)
        action.set_defaults(run=run_tokenize, action=name)
        if name == "train":
            action.add_argument("--data", required=True)
            action.add_argument("--out", required=True, metavar="FILE")
            action.add_argument("--tokenizer", choices=("bpe", "char", "word"), default="bpe")
            action.add_argument("--vocab-size", type=int, metavar="N")
        else:
            action.add_argument("--tokenizer", required=True, metavar="FILE")
            action.add_argument("input", nargs="?", help="text or ids (default: standard input)")

    info = command("info", run_info, "say what a checkpoint holds")
    info.add_argument("--checkpoint", required=True, metavar="DIR")
    return parser


def run_train(args: argparse.Namespace) -> int:
    """`qt train`."""
    import numpy as np

    import qt
    from qt.files import write_atomic

    if args.resume:
        saved = _read_run(args.resume)
        args.data = args.data or saved["data"]
        args.out = args.out or args.resume
        changed = [name for name in (*MODEL_FLAGS, "tokenizer", "vocab_size") if _given(args, name)]
        if changed:
            flag = "--" + changed[0].replace("_", "-")
            raise ValueError(f"{flag} cannot change when a run is resumed")
        preset = {**saved["training"], "threads": saved["threads"]}
    elif not (args.data and args.out):
        print("error: qt train needs --data and --out (or --resume)", file=sys.stderr)
        return 2
    elif (Path(args.out) / "latest").exists():
        raise ValueError(
            f"{args.out} holds a run already: go on with --resume {args.out}, or use another --out"
        )
    else:
        preset = PRESETS.get(args.data, PRESETS["stories"])
    threads = args.threads or preset.get("threads", 1)
    qt.set_num_threads(threads)
    train_text, val_text = qt.data.load_splits(args.data)

    if args.resume:
        checkpoint = qt.load_checkpoint(args.resume)
        model, tokenizer = checkpoint.model, checkpoint.tokenizer
        if tokenizer is None:
            raise ValueError(f"{args.resume} has no tokenizer")
    else:
        kind = args.tokenizer or preset["tokenizer"]
        vocab_size = args.vocab_size or preset.get("vocab_size")
        tokenizer = _train_tokenizer(kind, train_text, val_text, vocab_size)
        chosen = {name: getattr(args, name) for name in MODEL_FLAGS if _given(args, name)}
        settings = {name: preset[name] for name in MODEL_FLAGS if name in preset} | chosen
        config = qt.GPTConfig(vocab_size=tokenizer.vocab_size, **settings)
        model = qt.GPT(config, seed=args.seed or 0)
    names = [field.name for field in fields(qt.TrainingConfig)]
    training = qt.TrainingConfig.from_dict(preset)
    training = replace(training, **{n: getattr(args, n) for n in names if _given(args, n)})
    train_ids, val_ids = (np.array(tokenizer.encode(t)) for t in (train_text, val_text))

    progress = None if args.quiet else _Progress(training.steps)
    trainer = qt.Trainer(
        model,
        train_ids,
        val_ids,
        training,
        tokenizer=tokenizer,
        directory=args.out,
        on_log=progress,
    )
    if args.resume:
        trainer.resume(checkpoint)
        if trainer.step >= training.steps:
            raise ValueError(
                f"{args.resume} has {trainer.step} steps already: give --steps above that"
            )
    if not args.quiet:
        print(
            f"{model.num_parameters():,} parameters, {tokenizer.vocab_size} tokens, "
            f"{len(train_ids):,} to learn from; first loss about ln {tokenizer.vocab_size} = "
            f"{math.log(tokenizer.vocab_size):.2f}"
        )
    Path(args.out).mkdir(parents=True, exist_ok=True)
    record = {"data": args.data, "threads": threads, "training": asdict(training)}
    write_atomic(Path(args.out) / "training.json", json.dumps(record, indent=1) + "\n")
    started = time.perf_counter()
    try:
        metrics = trainer.run()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"step {trainer.step} is saved; go on with qt train --resume {args.out}"
        ) from None
    finally:
        if progress:
            progress.close()
    last = metrics[-1]["val_loss"]
    per_char = last * len(val_ids) / len(val_text)
    line = (
        f"validation loss {last:.4f} nats a token, {per_char:.4f} a character, "
        f"after {trainer.step} steps"
    )
    if args.data == "stories":
        line += f" (the text's entropy is {qt.data.stories_entropy():.4f} a character)"
    print(f"{line}, {time.perf_counter() - started:.0f} s; saved in {args.out}")
    return 0


def _given(args: argparse.Namespace, name: str) -> bool:
    return getattr(args, name, None) is not None


def _read_run(directory: str) -> dict[str, Any]:
    path = Path(directory) / "training.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ValueError(f"{directory} holds no run that can be resumed: no {path}") from None


def _train_tokenizer(kind: str, text: str, more: str, vocab_size: int | None) -> Any:
    import qt

    if kind == "char":  # every character of the file, so that validation text has none unseen
        return qt.CharTokenizer.train(text + more)
    if kind == "word":
        return qt.WordTokenizer.train(text, **({"vocab_size": vocab_size} if vocab_size else {}))
    return qt.BPETokenizer.train(text, vocab_size or 1024)


class _Progress:
    """A bar on standard error by tqdm, or without it a line at each evaluation."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.val_loss = math.nan
        self.bar: Any = None
        try:
            from tqdm import tqdm
        except ImportError:
            return
        if sys.stderr.isatty():
            self.bar = tqdm(total=steps, unit="step", dynamic_ncols=True)

    def __call__(self, line: dict[str, Any]) -> None:
        self.val_loss = line.get("val_loss", self.val_loss)
        if self.bar is not None:
            self.bar.update(line["step"] - self.bar.n)
            self.bar.set_postfix(
                loss=f"{line.get('train_loss', self.val_loss):.3f}", val=f"{self.val_loss:.3f}"
            )
        elif "val_loss" in line:
            print(
                f"step {line['step']:>5} of {self.steps}  validation loss {self.val_loss:.4f}",
                file=sys.stderr,
            )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def _with_bar(batches: list[Any]) -> Iterable[Any]:
    """The batches, with a progress bar on a terminal where tqdm is installed."""
    try:
        from tqdm import tqdm
    except ImportError:
        return batches
    return tqdm(batches, unit="batch", disable=not sys.stderr.isatty())


def _load(directory: str) -> tuple[Any, Any]:
    import qt

    checkpoint = qt.load_checkpoint(directory)
    if checkpoint.tokenizer is None:
        raise ValueError(f"{directory} has no tokenizer.json: its model knows ids, not text")
    return checkpoint.model, checkpoint.tokenizer


def run_generate(args: argparse.Namespace) -> int:
    """`qt generate`: the prompt, then the text as it is written."""
    import qt

    model, tokenizer = _load(args.checkpoint)
    dials = {name: getattr(args, name) for name in DIALS}
    pieces = qt.stream_text(
        model, tokenizer, args.prompt, max_new_tokens=args.max_new_tokens,
        use_cache=not args.no_cache, **dials,
    )  # fmt: skip
    first = next(pieces, "")  # errors come before the prompt is echoed
    print(args.prompt, first, sep="", end="", flush=True)
    for piece in pieces:
        print(piece, end="", flush=True)
    print()
    return 0


def run_eval(args: argparse.Namespace) -> int:
    """`qt eval`: loss over the whole text, in windows of one block that do not overlap."""
    import numpy as np

    import qt

    model, tokenizer = _load(args.checkpoint)
    text = qt.data.load(args.data)
    ids = np.array(tokenizer.encode(text))
    batches = qt.data.windows(ids, 16, model.config.block_size)
    loss, tokens = qt.evaluate(model, _with_bar(batches))
    bits = loss * tokens / math.log(2)
    result = {
        "loss": loss,
        "perplexity": math.exp(min(loss, 700)),
        "bits_per_byte": bits / len(text.encode("utf-8")),
        "tokens": tokens,
    }
    print(json.dumps(result))
    return 0


def run_tokenize(args: argparse.Namespace) -> int:
    """`qt tokenize train|encode|decode`."""
    import qt
    from qt.tokenizers import load_tokenizer

    if args.action == "train":
        tokenizer = _train_tokenizer(args.tokenizer, qt.data.load(args.data), "", args.vocab_size)
        tokenizer.save(args.out)
        print(f"{tokenizer.vocab_size} tokens, saved in {args.out}")
        return 0
    tokenizer = load_tokenizer(args.tokenizer)
    text = sys.stdin.read() if args.input is None else args.input
    if args.action == "encode":
        print(*tokenizer.encode(text))
        return 0
    try:
        ids = [int(word) for word in text.replace(",", " ").split()]
    except ValueError as error:
        raise ValueError(f"ids must be whole numbers: {error}") from None
    print(tokenizer.decode(ids))
    return 0


def run_info(args: argparse.Namespace) -> int:
    """`qt info`: the config, the size and the last losses of a checkpoint, as JSON."""
    import qt

    checkpoint = qt.load_checkpoint(args.checkpoint)
    tokenizer = checkpoint.tokenizer
    result = {
        "step": checkpoint.step,
        "parameters": checkpoint.model.num_parameters(),
        "tokenizer": type(tokenizer).__name__ if tokenizer else None,
        "config": checkpoint.model.config.to_dict(),
    }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
