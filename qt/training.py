"""Training: draw a batch, compute the loss, go back through the tape, clip, step, repeat.

`Trainer.run` is the loop; everything around it serves two promises. Same seed, same machine, same
bits; and a run that stops at any moment, even killed, can go on as if it had not.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qt import functional as F
from qt.checkpoint import Checkpoint, CheckpointError, load_checkpoint, prune, save_checkpoint
from qt.data import random_batch, windows
from qt.files import write_atomic
from qt.model import GPT
from qt.nn import Dropout, inference
from qt.optim import SCHEDULES, SGD, Adam, AdamW, Optimizer, clip_grad_norm_, decay_groups
from qt.parallel import get_num_threads, side_by_side
from qt.settings import check_settings, check_shares
from qt.tensor import Array, Tensor
from qt.tokenizers import Tokenizer

Metrics = dict[str, Any]
CHOICES = {"schedule": tuple(SCHEDULES), "optimizer": ("adamw", "adam", "sgd")}


@dataclass(frozen=True)
class TrainingConfig:
    """How to train. Defaults are those of a small model on one CPU thread.

    A step is one update of the weights: `grad_accum` batches of `batch_size` windows; `steps` and
    `warmup` count these. Every `eval_every` steps, and on all windows at the last, the loss on
    `eval_batches` batches of validation windows (None: all) is measured and a checkpoint saved;
    more are saved every `save_every`. After `patience` measurements in a row without a better loss
    the run ends (None: never). `min_lr` None is a tenth of `lr`; `clip` 0 does not clip.
    """

    steps: int = 1000
    batch_size: int = 12
    grad_accum: int = 1
    lr: float = 1e-3
    min_lr: float | None = None
    warmup: int = 100
    schedule: str = "cosine"
    optimizer: str = "adamw"
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.99
    clip: float = 1.0
    eval_every: int = 250
    eval_batches: int | None = 20
    patience: int | None = None
    save_every: int | None = None
    log_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_settings(self, CHOICES, from_zero=("warmup", "seed"))
        check_shares(self, "beta1", "beta2")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingConfig:
        """Make one of a dict's entries, passing over those that are no settings of training."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def learning_rate(self, step: int) -> float:
        """The rate of update number `step`, counted from 0."""
        min_lr = self.lr / 10 if self.min_lr is None else self.min_lr
        return SCHEDULES[self.schedule](step, self.lr, min_lr, self.warmup, self.steps)

    def make_optimizer(self, model: GPT) -> Optimizer:
        groups = decay_groups(model, self.weight_decay)
        if self.optimizer == "sgd":
            return SGD(groups, self.lr, momentum=self.beta1)
        kind = AdamW if self.optimizer == "adamw" else Adam
        return kind(groups, self.lr, (self.beta1, self.beta2))


class TrainingError(RuntimeError):
    """Training cannot go on: the loss or a gradient is no longer a number."""


def evaluate(model: GPT, batches: Iterable[tuple[Array, Array]]) -> tuple[float, int]:
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
    """Trains `model` on (N,) token ids; `metrics` holds a dict for each logged step.

    These are `step`, `train_loss` (nats a token), `lr`, `grad_norm`, `tokens_per_second` and
    `seconds` (both of all updates so far), `val_loss` where it was measured, and, with a tokenizer,
    `val_bits_per_byte`, a byte being one of the text that it decodes the ids to. `on_log` is called
    with each. With `directory` they go to metrics.jsonl, beside the last and the best checkpoint.
    """

    def __init__(
        self, model: GPT, train_ids: npt.ArrayLike, val_ids: npt.ArrayLike,
        config: TrainingConfig | None = None, *, tokenizer: Tokenizer | None = None,
        directory: str | Path | None = None, on_log: Callable[[Metrics], None] | None = None,
    ) -> None:  # fmt: skip
        if model.config.dropout and get_num_threads() > 1:
            raise ValueError("dropout draws in one fixed order: use --threads 1, or no dropout")
        self.model, self.tokenizer, self.on_log = model, tokenizer, on_log
        self.config = c = config or TrainingConfig()
        self.directory = Path(directory) if directory is not None else None
        self.train_ids, ids = np.asarray(train_ids), np.asarray(val_ids)
        self.rng = np.random.default_rng(c.seed)
        block = model.config.block_size
        random_batch(self.train_ids, 1, block, np.random.default_rng(0))  # fail now if too short
        self.val_windows = windows(ids, c.batch_size, block)
        val_bytes = len(tokenizer.decode(ids.tolist()).encode("utf-8")) if tokenizer else 0
        self._bits_per_byte = (len(ids) - 1) / math.log(2) / val_bytes if val_bytes else None
        drops = [module for module in model.modules() if isinstance(module, Dropout)]
        self._random = [self.rng, *(module.generator for module in drops)]  # all that is drawn from
        self.optimizer = c.make_optimizer(model)
        self.step, self.seconds = 0, 0.0  # updates done, and what they took
        self.best_val_loss, self.without_gain = math.inf, 0  # and the measurements since it
        self.metrics: list[Metrics] = []

    @property
    def stopped_early(self) -> bool:
        """Whether `patience` ran out before the last step."""
        c = self.config
        return c.patience is not None and self.without_gain >= c.patience and self.step < c.steps

    @np.errstate(all="ignore")  # what overflows is told once, by `_fail`
    def run(self) -> list[Metrics]:
        """Train up to `config.steps` and return the metrics.

        Ctrl-C stops after the step that is under way, saves it if there is a directory, and then
        raises `KeyboardInterrupt`; a second Ctrl-C stops at once. Raises `TrainingError` when the
        loss or a gradient is no longer a number.
        """
        c = self.config
        self.model.train()
        if self.directory is not None:  # which may hold metrics of steps that were not saved
            self.directory.mkdir(parents=True, exist_ok=True)
            lines = "".join(json.dumps(line) + "\n" for line in self.metrics)
            write_atomic(self.directory / "metrics.jsonl", lines)
        with _ctrl_c_waits() as self._interrupts:
            if not self.metrics:
                self._log({"step": self.step, **self._validate()})
            while self.step < c.steps and not self.stopped_early:
                line = self._update()
                measure = self.step == c.steps or self.step % c.eval_every == 0
                if measure:
                    line |= self._validate()
                    self.without_gain += 1
                    if line["val_loss"] < self.best_val_loss:
                        self.best_val_loss, self.without_gain = line["val_loss"], 0
                    line |= {"stopped_early": True} if self.stopped_early else {}
                if measure or self.step % c.log_every == 0:
                    self._log(line)
                stop = self._is_interrupted()
                if measure or stop or (c.save_every and self.step % c.save_every == 0):
                    self._save(best=measure and not self.without_gain)
                if stop:
                    raise KeyboardInterrupt(f"stopped after step {self.step}")
        return self.metrics

    def _update(self) -> Metrics:
        """One step: the gradients are computed, clipped, and applied."""
        c, start = self.config, time.perf_counter()
        norm, lr = math.nan, c.learning_rate(self.step)
        self.optimizer.zero_grad()
        loss = self._gradients()
        with suppress(RuntimeError):  # a gradient that is not finite, which `_fail` names
            norm = clip_grad_norm_(self.model.parameters(), c.clip or math.inf)
        if not math.isfinite(loss + norm):
            self._fail(self.step + 1, f"loss {loss:.4g} and gradient norm {norm:.4g}")
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        self.step += 1
        self.seconds += time.perf_counter() - start
        tokens = self.step * c.grad_accum * c.batch_size * self.model.config.block_size
        return {
            "step": self.step, "train_loss": loss, "lr": lr, "grad_norm": norm,
            "tokens_per_second": round(tokens / self.seconds, 1), "seconds": round(self.seconds, 3),
        }  # fmt: skip

    def _gradients(self) -> float:
        """Give each parameter the gradient of the mean loss over `grad_accum` batches; return that.

        Each batch is cut into one piece for each thread. Their gradients are added in order, so
        that the result is the same every time.
        """
        c, loss = self.config, 0.0

        @np.errstate(all="ignore")
        def piece(rows: tuple[Array, Array]) -> tuple[float, dict[Tensor, Array]]:
            share = len(rows[0]) / (c.batch_size * c.grad_accum)
            loss = F.cross_entropy(self.model(rows[0]), rows[1])  # a mean over the piece's tokens
            return loss.item() * share, loss.leaf_gradients(np.asarray(share))

        for _ in range(c.grad_accum):
            x, y = self._batch()
            n = min(get_num_threads(), len(x))
            pieces = list(zip(np.array_split(x, n), np.array_split(y, n)))
            for part, gradients in side_by_side(piece, pieces):
                loss += part
                for p, g in gradients.items():
                    p.grad = g if p.grad is None else np.add(p.grad, g, out=p.grad)
        return loss

    def _batch(self) -> tuple[Array, Array]:
        """The inputs (B, T) and targets (B, T) of the next batch, at random places of the text."""
        c, block = self.config, self.model.config.block_size
        return random_batch(self.train_ids, c.batch_size, block, self.rng)

    def _validate(self) -> Metrics:
        """The loss on all windows after the last step, before it on some, evenly spread."""
        batches, limit = self.val_windows, self.config.eval_batches
        if self.step < self.config.steps and limit is not None and limit < len(batches):
            batches = [batches[i * len(batches) // limit] for i in range(limit)]
        loss = self._mean_loss(batches)
        if not math.isfinite(loss):
            self._fail(self.step, f"validation loss {loss:.4g}")
        bits = {"val_bits_per_byte": loss * self._bits_per_byte} if self._bits_per_byte else {}
        return {"val_loss": loss, **bits}

    def _mean_loss(self, batches: Iterable[tuple[Array, Array]]) -> float:
        """Of these batches, which several processes would share."""
        return evaluate(self.model, batches)[0]

    def _is_interrupted(self) -> bool:
        """Whether to stop after this step: something on which several processes would agree."""
        return bool(self._interrupts)

    def _fail(self, step: int, numbers: str) -> None:
        """Raise a `TrainingError` that names the first weight, or else gradient, that went bad."""
        parameters = dict(self.model.named_parameters()).items()
        arrays = [(f"weight {name}", p.data) for name, p in parameters]
        arrays += [(f"gradient of {name}", p.grad) for name, p in parameters if p.grad is not None]
        bad = next((what for what, array in arrays if not np.isfinite(array).all()), "none")
        rate = f"learning rate {self.config.learning_rate(max(step - 1, 0)):.3g}"
        advice = "Try a lower --lr, a longer --warmup or --clip 1.0"
        raise TrainingError(f"step {step} has {numbers} ({rate}); first bad: {bad}. {advice}")

    def _log(self, line: Metrics) -> None:
        self.metrics.append(line)
        if self.directory is not None:
            with (self.directory / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if self.on_log is not None:
            self.on_log(line)

    def _save(self, best: bool) -> None:
        if self.directory is not None:
            state = {
                "training": asdict(self.config), "metrics": self.metrics, "seconds": self.seconds,
                "best_val_loss": None if self.best_val_loss == math.inf else self.best_val_loss,
                "without_gain": self.without_gain,
                "random_states": [g.bit_generator.state for g in self._random],
            }  # fmt: skip
            save_checkpoint(
                self.directory, model=self.model, tokenizer=self.tokenizer, best=best,
                optimizer=self.optimizer, step=self.step, extra=state,
            )  # fmt: skip
            prune(self.directory)

    def resume(self, source: Checkpoint | str | Path) -> None:
        """Take over weights, optimizer, random state and metrics of a checkpoint (a run's latest).

        Raises `CheckpointError`, a `ValueError`, for one that no training run saved, that is
        damaged, or of another shape or optimizer.
        """
        checkpoint = source if isinstance(source, Checkpoint) else load_checkpoint(source)
        extra, weights = checkpoint.extra, checkpoint.model.state_dict()
        try:
            for generator, state in zip(self._random, extra["random_states"], strict=True):
                generator.bit_generator.state = state
            self.model.astype(next(iter(weights.values())).dtype).load_state_dict(weights)
            self.optimizer.load_state_dict(checkpoint.optimizer_state or {})
            self.step, self.metrics = checkpoint.step, [dict(line) for line in extra["metrics"]]
            self.seconds, self.without_gain = float(extra["seconds"]), int(extra["without_gain"])
            best = extra["best_val_loss"]  # None: JSON has no infinity
            self.best_val_loss = math.inf if best is None else float(best)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            why = f"its state.json has no {error}" if isinstance(error, KeyError) else error
            raise CheckpointError(f"{checkpoint.path} cannot be resumed: {why}") from None
        if self.directory is not None:
            prune(self.directory)  # the run may have been killed at that


@contextmanager
def _ctrl_c_waits() -> Iterator[list[int]]:
    """The first Ctrl-C only fills the list, so that it never falls between two halves of a step."""
    interrupts: list[int] = []

    def handler(number: int, frame: Any) -> None:
        interrupts.append(number)
        signal.signal(number, signal.default_int_handler)

    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():  # signals reach it alone
            stack.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, handler))
        yield interrupts
