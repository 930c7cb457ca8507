"""`qt train`: a text in, a folder with a trained model out."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import qt
from qt import distributed
from qt.checkpoint import CheckpointError
from qt.cli import ranks, settings, tokenizers
from qt.cli.arguments import UsageError, add_command, not_empty, one_of, whole
from qt.cli.progress import Bar
from qt.files import write_atomic
from qt.model import GPTConfig
from qt.training import TrainingConfig

ABOUT = """\
Train a GPT on a text. The text is cut into tokens, a tenth of it is kept apart for validation, and
the model learns to predict each token from those before it. Watch the validation loss: it starts
near ln(tokens), and falls fast, then slowly; if it rises again, the model learns by heart.

The run is a folder: config.json, tokenizer.json, metrics.jsonl (a JSON object a line) and two
checkpoints, the latest and the best. Ctrl-C ends the step that is under way and saves it; after a
crash or a kill the last checkpoint is whole. Then --resume goes on as if nothing had happened.

Under mpirun, --distributed mpi shares each batch among the processes, on one machine or several.
N of them with a batch of B do what one does with it, up to rounding, and save the same checkpoints,
with which any number can go on. When one dies, all end."""

EXAMPLES = """\
examples:
  qt train --data stories --out run
      1 minute; ends with 0.22 nats a character, where no model gets below 0.135
  qt train --data tinyshakespeare --out plays
      1–2 minutes; validation loss 1.67; fetches a megabyte the first time
  qt train --data my.txt --out mine --steps 300 --n-layer 2 --block-size 64
      about 20 seconds: a first look at a text of your own
  qt train --data stories --out classic --position sinusoidal --norm layernorm --ffn relu --bias
      the same with the parts of 2017
  qt train --resume run --steps 2000
      goes on to step 2000
  mpirun -n 2 qt train --distributed mpi --data stories --out shared
      two processes, which take half of each batch; pip install "quantatissu[mpi]" brings mpirun
      (that of Open MPI wants --oversubscribe for more processes than cores, and its Ctrl-C stops
      at once, so that the last checkpoint is what is left)"""


def add_to(commands: Any) -> None:
    """Add `qt train`."""
    parser = add_command(
        commands, "train", run, "train a model on a text and keep the run in a folder",
        usage="qt train --data TEXT --out DIR [flags]\n       qt train --resume DIR [flags]",
        description=ABOUT, epilog=EXAMPLES,
    )  # fmt: skip
    parser.add_argument(
        "--data", type=not_empty, metavar="TEXT",
        help="stories (made on the spot), tinyshakespeare, or a UTF-8 file; a file gets the "
        "defaults of stories",
    )  # fmt: skip
    parser.add_argument("--out", type=not_empty, metavar="DIR", help="a new folder for the run")
    parser.add_argument("--resume", type=not_empty, metavar="DIR", help="go on with the run in DIR")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the result")
    parser.add_argument("--json", action="store_true", help="the result as one line of JSON")
    parser.add_argument(
        "--threads",
        type=whole(1),
        metavar="N",
        help="pieces of a batch side by side (default: 1, which leaves a core to others; same N, "
        "same result)",
    )
    parser.add_argument(
        "--distributed", **one_of(["mpi"]),
        help="share each batch among the processes that mpirun started",
    )  # fmt: skip
    group = parser.add_argument_group("tokenizer")
    tokenizers.add_flags(group, *(settings.default_of(n) for n in ("tokenizer", "vocab_size")))
    settings.add_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Train, and print the result."""
    with ranks.joined(args.distributed) as rank:
        args.quiet |= rank > 0
        result = _train(args, rank)
    if not rank:
        print(json.dumps(result) if args.json else _sentence(result))
    return 0


def _train(args: argparse.Namespace, rank: int) -> dict[str, Any]:
    _check_usage(args)
    if args.resume:
        record = _read_record(Path(args.resume) / "training.json")
        args.data = args.data or record["data"]
        args.out = args.out or args.resume
        preset = {**record["training"], "threads": record["threads"], "ranks": record["ranks"]}
    else:
        preset = settings.PRESETS.get(args.data, settings.PRESETS["stories"])
    training = TrainingConfig.from_dict(preset | settings.given(args, settings.TRAINING))
    threads = args.threads or preset.get("threads", 1)
    n_ranks = distributed.get_world_size() if args.distributed else 1
    qt.set_num_threads(threads)
    if args.resume:
        train_text, val_text = ranks.first_then_others(qt.data.load_splits, args.data)
        checkpoint = qt.load_checkpoint(args.resume)
        model, tokenizer = checkpoint.model, checkpoint.tokenizer
        if tokenizer is None:
            raise ValueError(f"{args.resume} has no tokenizer.json: its model cannot read a text")
    else:
        shape = {name: preset[name] for name in settings.MODEL if name in preset}
        shape |= settings.given(args, settings.MODEL)
        config = GPTConfig(vocab_size=1, **shape)  # what does not fit is said before the work
        train_text, val_text = ranks.first_then_others(qt.data.load_splits, args.data)
        kind = args.tokenizer or preset["tokenizer"]
        # A char tokenizer learns from the whole file, so that validation has no unseen character.
        sample = train_text + val_text if kind == "char" else train_text
        size = args.vocab_size or preset["vocab_size"]
        tokenizer = tokenizers.train(kind, sample, size, args.quiet)
        model = qt.GPT(config.replace(vocab_size=tokenizer.vocab_size), training.seed)
    train_ids = tokenizers.encode(tokenizer, train_text, args.quiet)
    val_ids = tokenizers.encode(tokenizer, val_text, args.quiet)

    with Bar("training", training.steps, args.quiet) as bar:
        trainer = (distributed.DataParallelTrainer if args.distributed else qt.Trainer)(
            model, train_ids, val_ids, training, tokenizer=tokenizer, directory=args.out,
            on_log=None if args.quiet else _Progress(bar),
        )  # fmt: skip
        if args.resume:
            _go_on(trainer, checkpoint, args.resume)
        if not (args.quiet or args.json):
            print(*_opening(trainer, args, n_ranks, preset), sep="\n", flush=True)
        if not rank:
            Path(args.out).mkdir(parents=True, exist_ok=True)
            record = {
                "data": args.data, "threads": threads, "ranks": n_ranks,
                "training": asdict(training),
            }  # fmt: skip
            write_atomic(Path(args.out) / "training.json", json.dumps(record, indent=1) + "\n")
        started = time.perf_counter()
        try:
            metrics = trainer.run()
        except KeyboardInterrupt as stop:
            if not stop.args:  # a second Ctrl-C: what the first one asked for was not saved
                raise
            raise KeyboardInterrupt(
                f"step {trainer.step} is saved; go on with qt train --resume {args.out}"
            ) from None
    return {
        "out": args.out, "data": args.data, "step": trainer.step,
        "stopped_early": trainer.stopped_early, "parameters": model.num_parameters(),
        "val_loss": metrics[-1]["val_loss"], "best_val_loss": trainer.best_val_loss,
        "val_nats_per_character": metrics[-1]["val_loss"] * len(val_ids) / len(val_text),
        "val_bits_per_byte": metrics[-1].get("val_bits_per_byte"),
        "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def _check_usage(args: argparse.Namespace) -> None:
    tokenizers.check_flags(args)
    if args.resume:
        fixed = ("tokenizer", "vocab_size", *settings.MODEL)
        if changed := [name for name in fixed if getattr(args, name) is not None]:
            flag = settings.flag(changed[0])
            raise UsageError(f"{flag} cannot change when a run is resumed: start a new one")
    elif not (args.data and args.out):
        raise UsageError("qt train needs --data and --out, or --resume")
    elif Path(args.out).exists() and not Path(args.out).is_dir():
        raise ValueError(f"{args.out} is a file: --out names a new folder")
    elif (Path(args.out) / "latest").exists():
        raise ValueError(
            f"{args.out} holds a run already: go on with --resume {args.out}, or use another --out"
        )


def _read_record(path: Path) -> dict[str, Any]:
    """What `training.json` says of a run. Raises `CheckpointError` when that is no such record."""
    try:
        record = json.loads(path.read_bytes())
    except OSError:
        raise CheckpointError(
            f"{path.parent} holds no run that can be resumed: there is no {path}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}; put back what was there") from None
    if isinstance(record, dict):
        record.setdefault("ranks", 1)  # of a run that is older than they are
    kinds = {"data": str, "threads": int, "ranks": int, "training": dict}
    for name, kind in kinds.items():
        value = record.get(name) if isinstance(record, dict) else None
        if type(value) is not kind or value == 0:
            wanted = {str: "a text", int: "a whole number above 0", dict: "an object"}[kind]
            raise CheckpointError(f"{path} is damaged: {name} must be {wanted}, not {value!r:.80}")
    try:
        TrainingConfig.from_dict(record["training"])
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from None
    return record


def _go_on(trainer: qt.Trainer, checkpoint: qt.Checkpoint, run: str) -> None:
    trainer.resume(checkpoint)
    if trainer.step >= trainer.config.steps:
        raise ValueError(f"{run} has {trainer.step} steps already: give --steps above that")
    if trainer.stopped_early:
        raise ValueError(f"{run} has stopped early: go on with a larger --patience")


def _opening(
    trainer: qt.Trainer, args: argparse.Namespace, n_ranks: int, preset: dict[str, Any]
) -> Iterator[str]:
    """What there is to say before the first step."""
    V = trainer.model.config.vocab_size
    yield (
        f"{trainer.model.num_parameters():,} parameters, {V} tokens, {len(trainer.train_ids):,} to "
        f"learn from; first loss about ln {V} = {math.log(V):.2f}"
    )
    if n_ranks > 1:
        yield f"{n_ranks} processes share each batch"
    elif args.distributed:
        yield f"one process; mpirun -n 2 qt train --distributed {args.distributed} … starts two"
    if (before := preset.get("ranks", n_ranks)) != n_ranks:
        yield f"processes before: {before}, so this run is the same up to rounding, not bit for bit"


class _Progress:
    """A line at each measurement, and the bar below it."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar

    def __call__(self, line: dict[str, Any]) -> None:
        if "val_loss" in line:
            self.bar.clear()
            print(
                f"step {line['step']:>5} of {self.bar.total}  "
                f"validation loss {line['val_loss']:.4f}",
                file=sys.stderr,
            )
        if "train_loss" in line:
            self.bar.update(line["step"], f"loss {line['train_loss']:.3f}")


def _sentence(result: dict[str, Any]) -> str:
    line = (
        f"validation loss {result['val_loss']:.4f} nats a token, "
        f"{result['val_nats_per_character']:.4f} a character, after {result['step']} steps"
    )
    if result["stopped_early"]:
        line += f", stopped early: no better than {result['best_val_loss']:.4f} for long enough"
    if result["data"] == "stories":
        line += f" (the text's entropy is {qt.data.stories_entropy():.4f} a character)"
    return f"{line}, {result['seconds']:.0f} s; saved in {result['out']}"
