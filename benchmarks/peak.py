"""How much a piece of work adds to a process: `python -m benchmarks.peak WORK` prints it in MB.

A process of its own, so that nothing that ran before counts. What is imported is there already.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.claim import LeftOut, Samples

STATUS = Path("/proc/self/status")


def resident(name: str) -> float:
    """MB of this process that are in memory now ("VmRSS") or were at most ("VmHWM")."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return float(next(line for line in lines if line.startswith(name)).split()[1]) / 1024


def train_qt(name: str) -> None:
    import qt
    from benchmarks.shapes import TRAINING, batch
    from benchmarks.tape import make_step

    config, B = TRAINING[name]
    step = make_step(qt.GPT(config), *batch(config, B))
    for _ in range(3):
        step()


def train_torch(name: str) -> None:
    from benchmarks.shapes import TRAINING, batch
    from benchmarks.torch_gpt import TorchGPT, TorchTraining

    config, B = TRAINING[name]
    training, (x, y) = TorchTraining(TorchGPT(config)), batch(config, B)
    for _ in range(3):
        training.step(x, y)


def attention(way: str, T: int = 4096) -> None:
    from benchmarks import attention

    getattr(attention, way)(T)()


WORKS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    **{f"{name}/qt": partial(train_qt, name) for name in ("train_small", "train_medium")},
    **{f"{name}/torch": partial(train_torch, name) for name in ("train_small", "train_medium")},
    **{f"attention/{way}": partial(attention, way) for way in ("fused", "plain", "torch_fused")},
}


def peak_of(work: str) -> float:
    """MB that the work adds, measured in a new process."""
    command = [sys.executable, "-m", "benchmarks.peak", work]
    root = str(Path(__file__).resolve().parent.parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((root, os.environ.get("PYTHONPATH", "")))}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return float(done.stdout)


def compare_peaks(ours: str, peer: str, repeats: int = 7) -> Samples:
    """MB of both, in turns. There is no control: a busy machine needs no more memory."""
    if not STATUS.exists():
        raise LeftOut("the size of a process is read from /proc, which only Linux has")
    turns = [(peak_of(ours), peak_of(peer)) for _ in range(repeats)]
    return Samples([a for a, _ in turns], [b for _, b in turns], [])


def main(work: str) -> None:
    """Import what the work needs, do it, and print by how much the peak exceeds the size before."""
    from benchmarks import attention, shapes, tape  # noqa: F401

    if "torch" in work:
        from benchmarks.torch_gpt import torch

        torch.set_num_threads(1)
    before = resident("VmRSS")
    WORKS[work]()
    print(max(resident("VmHWM") - before, 0.0))


if __name__ == "__main__":
    main(sys.argv[1])
