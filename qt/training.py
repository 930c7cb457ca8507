"""Training: draw a batch, compute the loss, go back through the tape, clip, step, repeat.

`Trainer.run` is the loop; everything around it serves two promises. Same seed, same machine, same
bits; and a run that stops at any step, by Ctrl-C or otherwise, can go on as if it had not.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qt import functional as F
from qt.checkpoint import Checkpoint, load_checkpoint, prune, resolve, save_checkpoint
from qt.data import random_batch, windows
from qt.files import write_atomic
from qt.model import GPT
from qt.nn import Dropout, inference
from qt.optim import (
    SGD,
    Adam,
    AdamW,
    Optimizer,
    clip_grad_norm_,
    cosine_with_warmup,
    decay_groups,
    first_bad_gradient,
)
from qt.parallel import get_num_threads, side_by_side
from qt.tensor import Array, Tensor
from qt.tokenizers import Tokenizer

Metrics = dict[str, Any]


@dataclass(frozen=True)
class TrainingConfig:
    """How to train. Defaults are those of a small model on one CPU thread.

    A step is one update of the weights: `grad_accum` batches of `batch_size` windows. `warmup` and
    `steps` count updates. Every `eval_every` steps the loss on `eval_batches` batches of validation
    windows is measured (None: all of them), every `save_every` a checkpoint is saved (None: when
    it is measured). Both happen at the end too, where all windows are measured.
    """

    steps: int = 1000
    batch_size: int = 12
    grad_accum: int = 1
    lr: float = 1e-3
    min_lr: float | None = None  # None: a tenth of lr
    warmup: int = 100
    schedule: str = "cosine"
    optimizer: str = "adamw"
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.99
    clip: float = 1.0
    eval_every: int = 250
    eval_batches: int | None = 20
    save_every: int | None = None
    log_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (
            "steps", "batch_size", "grad_accum", "eval_every", "eval_batches", "save_every",
            "log_every",
        ):  # fmt: skip
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("lr", "warmup", "weight_decay", "clip"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")
        if self.schedule not in ("cosine", "constant"):
            raise ValueError(f"schedule must be cosine or constant, not {self.schedule!r}")
        if self.optimizer not in ("adamw", "adam", "sgd"):
            raise ValueError(f"optimizer must be adamw, adam or sgd, not {self.optimizer!r}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingConfig:
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def learning_rate(self, step: int) -> float:
        """The rate of update number `step`, counted from 0."""
        if self.schedule == "constant":
            return self.lr
        min_lr = self.lr / 10 if self.min_lr is None else self.min_lr
        return cosine_with_warmup(step, self.lr, min_lr, self.warmup, self.steps)

    def make_optimizer(self, model: GPT) -> Optimizer:
        groups = decay_groups(model, self.weight_decay)
        if self.optimizer == "sgd":
            return SGD(groups, lr=self.lr, momentum=self.beta1)
        kind = AdamW if self.optimizer == "adamw" else Adam
        return kind(groups, lr=self.lr, betas=(self.beta1, self.beta2))


class TrainingError(RuntimeError):
    """Training cannot go on: the loss or a gradient is no longer a number."""


def evaluate(
    model: GPT, batches: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]]
) -> tuple[float, int]:
    """Mean loss over batches of (B, T) inputs and targets, in nats a token; and the tokens."""
    total, tokens = 0.0, 0
    with inference(model):
        for x, y in batches:
            total += F.cross_entropy(model(x), y, reduction="sum").item()
            tokens += y.size
    if not tokens:
        raise ValueError("there is nothing to evaluate: no batches")
    return total / tokens, tokens


class Trainer:
    """Trains `model` on (N,) token ids.

    With `directory` it keeps a run there: metrics.jsonl, and checkpoints of the last and the best
    step. `on_log` is called with each line of metrics as it is made: for a progress bar or a plot.
    `metrics` holds all lines: `step`, `train_loss`, `lr`, `grad_norm`, `tokens_per_second`,
    `seconds`, and `val_loss` where it was measured; losses in nats a token.
    """

    def __init__(
        self,
        model: GPT,
        train_ids: npt.ArrayLike,
        val_ids: npt.ArrayLike,
        config: TrainingConfig | None = None,
        *,
        tokenizer: Tokenizer | None = None,
        directory: str | Path | None = None,
        on_log: Callable[[Metrics], None] | None = None,
    ) -> None:
        self.model = model
        self.config = config or TrainingConfig()
        self.train_ids = np.asarray(train_ids)
        block = model.config.block_size
        if model.config.dropout and get_num_threads() > 1:
            raise ValueError(
                "dropout draws from one random stream, which threads would share in no fixed "
                "order: use --threads 1, or no dropout"
            )
        random_batch(self.train_ids, 1, block, np.random.default_rng(0))  # fail now if too short
        self.val_windows = windows(np.asarray(val_ids), self.config.batch_size, block)
        self.tokenizer = tokenizer
        self.directory = Path(directory) if directory is not None else None
        self.on_log = on_log
        self.optimizer = self.config.make_optimizer(model)
        self.rng = np.random.default_rng(self.config.seed)
        self.step = 0  # updates done
        self.seconds = 0.0
        self.best_val_loss = math.inf
        self.metrics: list[Metrics] = []
        self._saved_step = -1

    def run(self) -> list[Metrics]:
        """Train up to `config.steps` and return the metrics.

        Ctrl-C stops after the step that is under way, saves it if there is a directory, and then
        raises `KeyboardInterrupt`; a second Ctrl-C stops at once. Raises `TrainingError` when the
        loss is no longer a number.
        """
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
        self.model.train()
        with _stop_after_step() as stop:
            if self.step == 0 and not self.metrics:
                if self.directory is not None:  # a run that died before its first checkpoint
                    (self.directory / "metrics.jsonl").unlink(missing_ok=True)
                self._log({"step": 0, "val_loss": self._evaluate()})
            mark, mark_step = time.perf_counter(), self.step
            while self.step < self.config.steps:
                line = self._update()
                now = time.perf_counter()
                done = self.step == self.config.steps
                measure = done or self.step % self.config.eval_every == 0
                if measure or self.step % self.config.log_every == 0:
                    tokens = (self.step - mark_step) * self._tokens_per_step
                    self.seconds += now - mark
                    line["tokens_per_second"] = round(tokens / (now - mark), 1)
                    line["seconds"] = round(self.seconds, 3)
                    if measure:
                        line["val_loss"] = self._evaluate(everything=done)
                    self._log(line)
                    mark, mark_step = time.perf_counter(), self.step
                save_every = self.config.save_every
                if measure or (save_every and self.step % save_every == 0):
                    self._save(line.get("val_loss"))
                if stop.is_set():
                    self._save()
                    raise KeyboardInterrupt(f"stopped after step {self.step}")
        return self.metrics

    @property
    def _tokens_per_step(self) -> int:
        c = self.config
        return c.grad_accum * c.batch_size * self.model.config.block_size

    def _update(self) -> Metrics:
        """One step: the gradients of `grad_accum` batches, averaged, clipped, applied."""
        c = self.config
        block = self.model.config.block_size
        loss_sum = 0.0
        for _ in range(c.grad_accum):
            x, y = random_batch(self.train_ids, c.batch_size, block, self.rng)
            loss_sum += self._add_gradients(x, y, share=1 / c.grad_accum)
        norm = clip_grad_norm_(self.model.parameters(), c.clip or math.inf)
        lr = c.learning_rate(self.step)
        if not (math.isfinite(loss_sum) and math.isfinite(norm)):
            bad = first_bad_gradient(self.model.parameters())
            raise TrainingError(
                f"step {self.step + 1} has loss {loss_sum:.4g} and gradient norm {norm:.4g} "
                f"(learning rate {lr:.3g}); first bad gradient: {bad or 'none'}. "
                "Try a lower --lr, a longer --warmup or --clip 1.0"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return {"step": self.step, "train_loss": loss_sum, "lr": lr, "grad_norm": norm}

    def _add_gradients(self, x: Array, y: Array, share: float) -> float:
        """Add the gradients of `share` times the mean loss of a (B, T) batch; return that loss.

        The batch is cut into one piece for each thread. Their gradients are added in order, so
        that the result is the same every time.
        """

        def piece(rows: slice) -> tuple[float, dict[Tensor, Array]]:
            weight = share * len(x[rows]) / len(x)
            loss = F.cross_entropy(self.model(x[rows]), y[rows])  # a mean over the piece's tokens
            return loss.item() * weight, loss.leaf_gradients(np.asarray(weight))

        n = min(get_num_threads(), len(x))
        edges = [i * len(x) // n for i in range(n + 1)]
        total = 0.0
        for loss, gradients in side_by_side(piece, [slice(a, b) for a, b in pairwise(edges)]):
            total += loss
            for parameter, g in gradients.items():
                parameter.grad = g if parameter.grad is None else np.asarray(parameter.grad + g)
        return total

    def _evaluate(self, everything: bool = False) -> float:
        batches, limit = self.val_windows, self.config.eval_batches
        if not everything and limit is not None and limit < len(batches):
            batches = [batches[i * len(batches) // limit] for i in range(limit)]  # evenly spread
        return evaluate(self.model, batches)[0]

    def _log(self, line: Metrics) -> None:
        self.metrics.append(line)
        if self.directory is not None:
            with (self.directory / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if self.on_log is not None:
            self.on_log(line)

    # Stopping and going on

    def _save(self, val_loss: float | None = None) -> None:
        best = val_loss is not None and val_loss < self.best_val_loss
        if val_loss is not None:
            self.best_val_loss = min(val_loss, self.best_val_loss)
        if self.directory is None or self._saved_step == self.step:
            return
        place = save_checkpoint(
            self.directory,
            model=self.model,
            tokenizer=self.tokenizer,
            optimizer=self.optimizer,
            step=self.step,
            extra={
                "training": asdict(self.config),
                "random_state": self.rng.bit_generator.state,
                "dropout_states": [d.generator.bit_generator.state for d in self._dropouts()],
                "seconds": self.seconds,
                "best_val_loss": self.best_val_loss,
            },
        )
        self._saved_step = self.step
        if best:
            write_atomic(self.directory / "best", place.name + "\n")
        best_name = self.directory / "best"
        keep = {place.name}
        if best_name.exists():
            keep.add(best_name.read_text(encoding="utf-8").strip())
        prune(self.directory, keep)

    def _dropouts(self) -> list[Dropout]:
        return [module for module in self.model.modules() if isinstance(module, Dropout)]

    def resume(self, source: Checkpoint | str | Path) -> None:
        """Take over weights, optimizer, random state and metrics of a checkpoint (a run's latest).

        The model must have the checkpoint's shape. Metrics after that step are forgotten.
        """
        checkpoint = source if isinstance(source, Checkpoint) else load_checkpoint(source)
        extra = checkpoint.extra
        self.model.load_state_dict(checkpoint.model.state_dict())
        if checkpoint.optimizer_state is None or "random_state" not in extra:
            raise ValueError(
                f"{checkpoint.path} was not saved by a training run: it cannot be resumed"
            )
        self.optimizer.load_state_dict(checkpoint.optimizer_state)
        self.rng.bit_generator.state = extra["random_state"]
        for module, state in zip(self._dropouts(), extra["dropout_states"], strict=True):
            module.generator.bit_generator.state = state
        self.step = self._saved_step = checkpoint.step
        self.seconds = extra["seconds"]
        self.best_val_loss = extra["best_val_loss"]
        log = resolve(checkpoint.path)[0] / "metrics.jsonl"
        self.metrics = []
        for text in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
            with contextlib.suppress(ValueError):  # a crash may have cut the last line off
                line = json.loads(text)
                if line["step"] <= self.step:
                    self.metrics.append(line)
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            text = "".join(json.dumps(line) + "\n" for line in self.metrics)
            write_atomic(self.directory / "metrics.jsonl", text)


@contextmanager
def _stop_after_step() -> Iterator[threading.Event]:
    """Turn Ctrl-C into a flag, so that it never falls between two halves of an update."""
    stop = threading.Event()

    def handler(signum: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals reach the main thread alone
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
