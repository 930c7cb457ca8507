"""How time and memory grow: fitted exponents beside those of the arithmetic. No surprise wanted.

An exponent of 1 means that twice the size takes twice as long.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import qt
from benchmarks import attention
from benchmarks.bpe import spliced
from benchmarks.claim import Claim, Samples, control, seconds
from benchmarks.shapes import SMALL, batch
from benchmarks.tape import make_step
from benchmarks.train_floor import flops

SIZES: dict[str, tuple[int, ...]] = {
    "batch": (6, 12, 24, 48), "block_size": (64, 128, 256, 512), "d_model": (64, 128, 256, 512),
    "n_layer": (2, 4, 8, 16),
}  # fmt: skip


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """b of the power law a·sizeᵇ that fits best: the slope of the line between logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def shape(what: str, size: int) -> tuple[qt.GPTConfig, int]:
    """train_small with another size; width brings its own d_ff."""
    if what == "batch":
        return SMALL, size
    changes: dict[str, Any] = {what: size} | ({"d_ff": None} if what == "d_model" else {})
    return SMALL.replace(**changes), 12 if what != "block_size" else 4


def measure_step(what: str, sizes: Sequence[int], repeats: int = 7) -> Samples:
    """The exponent of each turn's times, against that of the matrix products' arithmetic."""
    shapes = [shape(what, size) for size in sizes]
    steps = [make_step(qt.GPT(c), *batch(c, B)) for c, B in shapes]
    for step in steps:
        step()
    turns = [[seconds(step) for step in steps] for _ in range(repeats)]
    ours = [exponent(sizes, turn) for turn in turns]
    theory = exponent(sizes, [flops(c, B) for c, B in shapes])
    return Samples(ours, [theory], [control() for _ in range(repeats)])


def measure_attention_memory(sizes: Sequence[int] = (1024, 2048, 4096)) -> Samples:
    """Linear means that no T × T array is kept."""
    peaks = []
    for T in sizes:
        work = attention.fused(T)
        tracemalloc.start()
        work()
        peaks.append(float(tracemalloc.get_traced_memory()[1]))
        tracemalloc.stop()
    return Samples([exponent(sizes, peaks)], [1.0], [])


def measure_bpe_corpus(sizes: Sequence[float] = (1.0, 4.0, 16.0)) -> Samples:
    """CPU seconds of training 1,000 tokens against the size of the corpus."""
    texts = [spliced(size) for size in sizes]
    train = [partial(qt.BPETokenizer.train, text, 1000, special_tokens=()) for text in texts]
    return Samples(
        [exponent(sizes, [seconds(work, time.process_time) for work in train])], [1.0], []
    )


CLAIMS = [
    Claim(f"scaling/{what}", "theory", "exponent", None, partial(measure_step, what, sizes))
    for what, sizes in SIZES.items()
]
CLAIMS += [
    Claim("scaling/attention_memory", "theory", "exponent", None, measure_attention_memory),
    Claim("scaling/bpe_corpus", "theory", "exponent", None, measure_bpe_corpus),
]
