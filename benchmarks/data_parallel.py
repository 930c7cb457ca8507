"""Two processes that share each batch over MPI, against one: the ratio is the speed-up, 2 at best.

Strong: both sides do the same batch. Weak: each process has a batch as large as that of the one.
`mpirun -n 2 python -m benchmarks.data_parallel train_small strong` prints one measurement as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial
from typing import Any

import numpy as np

import qt
import qt.distributed as dist
from benchmarks.claim import REPEATS, Claim, LeftOut, Samples, control, seconds
from benchmarks.shapes import TRAINING, random_ids
from qt.distributed.launch import find_mpirun, launch

LEAST = 6.0  # seconds that the two are at work, for a median that is worth something


def measure(name: str, scaling: str) -> Samples:
    """Tokens a second of two processes, and of one, in turns."""
    try:
        find_mpirun()
    except RuntimeError as error:
        raise LeftOut(str(error)) from None
    return Samples(**json.loads(launch(2, "-m", __name__, name, scaling, timeout=600)))


def race_ranks(config: qt.GPTConfig, B: int, scaling: str, least: float = LEAST) -> Samples:
    """All ranks take a step together, then rank 0 one alone, and so on. What rank 0 measured."""
    ids = random_ids(100 * config.block_size, vocab_size=config.vocab_size)
    all_of_them = B * dist.get_world_size() if scaling == "weak" else B

    def trainer(kind: Any, batch_size: int) -> Any:
        settings = qt.TrainingConfig(steps=10**6, batch_size=batch_size)
        return kind(qt.GPT(config), ids, ids[: config.block_size + 1], settings)

    together = trainer(dist.DataParallelTrainer, all_of_them)
    alone = trainer(qt.Trainer, B)
    together._interrupts = []  # `run` makes it
    turns: list[tuple[float, float, float]] = []
    enough = np.zeros(1)
    while not enough:
        other = (seconds(alone._update), control()) if together.rank == 0 else (0.0, 0.0)
        _meet()
        turns.append((seconds(together._update), *other))
        enough[0] = len(turns) > REPEATS and sum(turn[0] for turn in turns) > least
        dist.all_reduce(enough, "max")
    T = config.block_size
    return Samples(  # without the first turn, which warmed up
        [all_of_them * T / ours for ours, _, _ in turns[1:]],
        [B * T / peer if peer else 0.0 for _, peer, _ in turns[1:]],
        [fixed for _, _, fixed in turns[1:]],
    )


def _meet() -> None:
    """Wait asleep for the others: a barrier spins, and would take a core from who is at work."""
    from mpi4py import MPI

    all_here = MPI.COMM_WORLD.Ibarrier()
    while not all_here.Test():
        time.sleep(1e-3)
    dist.barrier()


def main(name: str, scaling: str) -> None:
    dist.init_process_group("mpi")
    config, B = TRAINING[name]
    samples = race_ranks(config, B, scaling)
    if dist.get_rank() == 0:
        print(json.dumps(vars(samples)))
    dist.destroy_process_group()


CLAIMS = [
    Claim(
        f"data_parallel/{name.removeprefix('train_')}_{scaling}", "1 process", "tokens/s", None,
        partial(measure, name, scaling),
    )
    for name in TRAINING
    for scaling in ("strong", "weak")
]  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
