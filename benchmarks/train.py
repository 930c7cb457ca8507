"""Training speed, as a user gets it from `qt.Trainer`, against PyTorch eager; tokens a second."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np

import qt
from benchmarks.claim import REPEATS, Claim, Samples, control
from benchmarks.shapes import TRAINING, batch, random_ids

LEAST = 6.0  # seconds that the race of a small model goes on, for a median that is worth something
REST = 0.02  # seconds behind the peer's turn: its second thread goes on spinning for a few of them


def race_training(
    config: qt.GPTConfig, B: int, threads: int, least: float = LEAST, peer: Any = None
) -> Samples:
    """Tokens a second. The trainer leads, and the peer takes its turn after each of our steps.

    `peer`: a function of the model that returns the peer's `step(x, y)`; default: PyTorch's.
    """
    model = qt.GPT(config)
    x, y = batch(config, B)
    step = (peer or partial(torch_step, threads=threads))(model, x, y)
    ours: list[float] = []
    theirs: list[float] = []
    controls: list[float] = []
    before = 0.0

    def take_turns(line: dict[str, Any]) -> None:
        nonlocal before
        if not line["step"]:
            return  # the measurement before the first step
        ours.append(trainer.seconds - before)
        before = trainer.seconds
        start = time.perf_counter()
        step(x, y)
        theirs.append(time.perf_counter() - start)
        controls.append(control())
        time.sleep(REST)
        if len(ours) > REPEATS and sum(ours) > least:
            raise StopRace

    ids = random_ids(100 * config.block_size, vocab_size=config.vocab_size)
    settings = qt.TrainingConfig(
        steps=10**6, batch_size=B, log_every=1, eval_every=10**6, eval_batches=1
    )
    trainer = qt.Trainer(model, ids, ids[: config.block_size + 1], settings, on_log=take_turns)
    used = qt.get_num_threads()
    qt.set_num_threads(threads)
    try:
        trainer.run()
    except StopRace:
        pass
    finally:
        qt.set_num_threads(used)
    return Samples(ours[1:], theirs[1:], controls[1:]).per_second(B * config.block_size)


class StopRace(Exception):
    """Enough turns were taken."""


def torch_step(model: qt.GPT, x: np.ndarray, y: np.ndarray, threads: int) -> Any:
    """PyTorch's step, with as many threads."""
    from benchmarks.torch_gpt import TorchTraining, fair_peer, torch

    torch.set_num_threads(threads)
    return TorchTraining(fair_peer(model, x, y)).step


CLAIMS = [
    Claim(
        f"{name}/{threads}", "PyTorch eager", "tokens/s",
        1.25 if name == "train_small" else 1.0, partial(race_training, *TRAINING[name], threads),
    )
    for name in TRAINING
    for threads in (1, 2)
]  # fmt: skip
