"""`mpirun -n 2 python -m qt.distributed.measure`: what the cost model has to be told.

One line of JSON: `all_reduce`, the seconds that the sum of an array takes against its size in
bytes, and `step`, those of a training step of a model of 0.8 M parameters, of which
`compute_seconds` and `all_reduce_seconds` are parts. Of an all-reduce it is the least of all
repeats (what comes on top is other programs' work) on the rank that is last; of a step the median.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import qt
from qt import distributed as dist
from qt.cli.arguments import Parser, whole
from qt.cli.ranks import joined

SIZES = (8, 1024, 16_384, 131_072, 1_048_576, 4_194_304, 16_777_216)
MODEL = qt.GPTConfig(vocab_size=65, block_size=64, n_layer=4, n_head=4, d_model=128)


def all_reduce_times(sizes: Sequence[int], repeats: int) -> list[float]:
    """Seconds of an all-reduce of each size, in bytes of float32."""
    times = np.empty((repeats, len(sizes)))
    arrays = [np.ones(max(size // 4, 1), np.float32) for size in sizes]
    for turn in times:  # all sizes in turns, so that a busy moment does not fall on one of them
        for i, array in enumerate(arrays):
            dist.barrier()
            start = time.perf_counter()
            dist.all_reduce(array)
            turn[i] = time.perf_counter() - start
    dist.all_reduce(times, "max")
    return times.min(axis=0).tolist()


def step_times(batch_size: int, repeats: int) -> dict[str, Any]:
    """Median seconds of a training step on rank 0, and of its parts."""
    seconds: list[float] = []
    waiting: list[float] = []

    def note(line: dict[str, Any]) -> None:
        seconds.append(trainer.seconds)
        waiting.append(trainer.all_reduce_seconds)

    ids = np.random.default_rng(0).integers(0, MODEL.vocab_size, 10_000)
    config = qt.TrainingConfig(
        steps=repeats + 1, batch_size=batch_size, log_every=1, eval_every=repeats + 1
    )
    trainer = dist.DataParallelTrainer(
        qt.GPT(MODEL), ids, ids[: MODEL.block_size + 1], config, on_log=note
    )
    trainer.run()
    if dist.get_rank():
        return {}
    steps, reduces = (np.diff(times)[1:] for times in (seconds, waiting))  # the first warms up
    return {
        "parameters": trainer.model.num_parameters(), "batch_size": batch_size,
        "tokens": batch_size * MODEL.block_size, "seconds": float(np.median(steps)),
        "compute_seconds": float(np.median(steps - reduces)),
        "all_reduce_seconds": float(np.median(reduces)),
    }  # fmt: skip


def whole_numbers(text: str) -> list[int]:
    """Numbers of at least 1 with commas between them, such as 8,1024."""
    return [whole(1)(word) for word in text.split(",")]


def main(arguments: list[str] | None = None) -> int:
    """Measure, on every rank; rank 0 prints. The exit code: 0, or 1 after a line with the error."""
    parser = Parser(prog="python -m qt.distributed.measure", description=__doc__)
    parser.add_argument("--sizes", type=whole_numbers, default=SIZES, help="bytes, with commas")
    parser.add_argument("--repeats", type=whole(1), default=15)
    parser.add_argument("--batch-size", type=whole(0), default=12, help="of all ranks; 0: no step")
    args = parser.parse_args(arguments)
    try:
        with joined("mpi"):
            _measure(args)
    except (RuntimeError, ValueError, MemoryError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(args: argparse.Namespace) -> None:
    result: dict[str, Any] = {"ranks": dist.get_world_size()}
    times = all_reduce_times(args.sizes, args.repeats)
    result["all_reduce"] = {"bytes": list(args.sizes), "seconds": times}
    if args.batch_size:
        result["step"] = step_times(args.batch_size, args.repeats)
    if dist.get_rank() == 0:
        print(json.dumps(result))


if __name__ == "__main__":
    sys.exit(main())
