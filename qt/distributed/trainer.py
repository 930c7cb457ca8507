"""Data parallelism: every rank holds the whole model, and computes a share of each batch.

Three things differ from `Trainer`. A rank takes its rows of the batch that all have drawn alike.
The gradients of all ranks are added, in one all-reduce a step, before anything is done with them;
so each rank then clips the same gradients, and takes the same step. And rank 0 alone speaks and
saves. A checkpoint is that of one process, which may go on with it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qt.distributed.flat import flatten, unflatten
from qt.distributed.process_group import all_reduce, get_rank, get_world_size
from qt.model import GPT
from qt.tensor import Array
from qt.tokenizers import Tokenizer
from qt.training import Metrics, Trainer, TrainingConfig, evaluate


class DataParallelTrainer(Trainer):
    """`qt.Trainer` for every rank of the process group: the same arguments on each.

    `config.batch_size` is that of all ranks together, which need not divide it. What differs from a
    run in one process is rounding, as the gradients of N shares are added in another order: after
    600 steps of a small model, weights by 7e-13 in float64, and losses by 7e-6 in float32. `run`
    raises `RuntimeError` when the ranks do not hold the same text, settings or weights.
    """

    def __init__(
        self, model: GPT, train_ids: npt.ArrayLike, val_ids: npt.ArrayLike,
        config: TrainingConfig | None = None, *, tokenizer: Tokenizer | None = None,
        directory: str | Path | None = None, on_log: Callable[[Metrics], None] | None = None,
    ) -> None:  # fmt: skip
        self.rank, self.ranks = get_rank(), get_world_size()
        if self.rank:
            directory = on_log = None
        super().__init__(
            model, train_ids, val_ids, config, tokenizer=tokenizer, directory=directory,
            on_log=on_log,
        )  # fmt: skip
        if self.ranks > self.config.batch_size:
            raise ValueError(
                f"a batch of {self.config.batch_size} cannot be shared by {self.ranks} ranks: "
                "use a larger --batch-size, or fewer ranks"
            )
        if model.config.dropout and self.ranks > 1:
            raise ValueError("dropout draws in one fixed order: use one rank, or no dropout")
        self.val_ids = np.asarray(val_ids)
        self.all_reduce_seconds = 0.0  # of all gradients so far, with waiting for slower ranks
        self._stop = False  # whether a rank was interrupted, as all know since the last step

    def run(self) -> list[Metrics]:
        """As `Trainer.run`. Ctrl-C on any rank stops all of them after the same step."""
        self._require_same("the training text", [self.train_ids])
        self._require_same("the validation text", [self.val_ids])
        self._require_same("the settings", [np.frombuffer(repr(self.config).encode(), np.uint8)])
        self._require_same_weights()
        return super().run()

    def _batch(self) -> tuple[Array, Array]:
        x, y = super()._batch()
        mine = np.array_split(np.arange(len(x)), self.ranks)[self.rank]
        return x[mine], y[mine]

    def _gradients(self) -> float:
        """Those of all ranks. The loss, and whether to stop, travel with them."""
        loss = super()._gradients()  # this rank's part of the mean over the whole batch
        start = time.perf_counter()
        own = {p: p.grad for p in self.model.parameters() if p.grad is not None}
        flat = flatten(list(own.values()), [loss, len(self._interrupts)])
        all_reduce(flat)
        gradients, (loss, interrupts) = unflatten(flat, [p.shape for p in own])
        for p, gradient in zip(own, gradients):
            p.grad = gradient
        self._stop = interrupts > 0
        self.all_reduce_seconds += time.perf_counter() - start
        return loss

    def _mean_loss(self, batches: Iterable[tuple[Array, Array]]) -> float:
        mine = list(batches)[self.rank :: self.ranks]
        loss, tokens = evaluate(self.model, mine) if mine else (0.0, 0)
        sums = np.array([loss * tokens, tokens])
        all_reduce(sums)
        return float(sums[0] / sums[1])

    def _is_interrupted(self) -> bool:
        return self._stop

    def _save(self, best: bool) -> None:
        self._require_same_weights()
        super()._save(best)

    def _require_same_weights(self) -> None:
        weights = [p.data for p in self.model.parameters()]
        self._require_same(f"the weights after step {self.step}", weights)

    def _require_same(self, what: str, arrays: Sequence[Array]) -> None:
        """Compare a checksum of the arrays on all ranks."""
        checksum = 0
        for array in arrays:
            checksum = zlib.crc32(np.ascontiguousarray(array).data.cast("B"), checksum)
        extremes = np.array([checksum, -checksum])
        all_reduce(extremes, "max")
        if extremes[0] != -extremes[1]:
            raise RuntimeError(
                f"the ranks do not agree on {what}: start all with the same text, settings and "
                "seed, and with one version of everything, on processors of one kind"
            )
