"""Scaling: what a product, a step, a larger model and a failure cost."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


@exercise(
    "scaling.product",
    title="The least time of a product",
    minutes=5,
    difficulty=1,
    todo="count FLOPs and bytes, and take the longer of both times",
    hint="An entry of the result takes k products and k sums. float32 is four bytes a number.",
    cases=lambda rng: [
        (2, 3, 2, 24.0, 64.0),
        (512, 512, 512, 1e9, 1e9),  # the arithmetic takes longer
        (1, 64, 48, 1e3, 1e2),  # the bytes take longer
        (1, 4096, 11008, 1e9, 1e8),
    ],
    mistakes=(
        ("2 * n * k * m", "n * k * m", "a multiply-add is two operations: a product and a sum"),
        (
            "max(flops / peak, n_bytes / bandwidth)",
            "flops / peak",
            "no product is faster than its numbers come from memory: count bytes as well",
        ),
        (
            "max(flops / peak, n_bytes / bandwidth)",
            "flops / peak + n_bytes / bandwidth",
            "both go on at the same time: the longer one counts, not the sum",
        ),
        ("max(", "min(", "the slower of both decides: take the longer time"),
        ("n * k + k * m + n * m", "n * k + k * m", "the result has to be written, too"),
        ("4 * (n * k", "(n * k", "those are numbers: float32 takes four bytes each"),
    ),
)
def product_seconds(n: int, k: int, m: int, peak: float, bandwidth: float) -> float:
    """The least seconds of (n, k) @ (k, m) in float32, each array read or written once.

    `peak` is in FLOPs a second, `bandwidth` in bytes a second (Williams et al. 2009).

    >>> product_seconds(2, 3, 2, peak=24.0, bandwidth=64.0)      # 24 FLOPs, 64 bytes
    1.0
    """
    flops = 2 * n * k * m
    n_bytes = 4 * (n * k + k * m + n * m)
    return max(flops / peak, n_bytes / bandwidth)


def ring_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    for step in range(2):
        yield np.array([[1, 2], [3, 4]]), step
    for step in range(4):
        yield rng.integers(1, 50, size=(3, 3)), step
    yield rng.integers(1, 50, size=(5, 5)), 6


@exercise(
    "scaling.ring",
    title="A step of a ring all-reduce",
    minutes=20,
    difficulty=3,
    todo="let each rank send one chunk to its right neighbour, which adds it or keeps it",
    hint="Read from the old chunks, write into a copy: all ranks send at the same time.",
    cases=ring_cases,
    mistakes=(
        (
            "(r - step) % N",
            "(r + step) % N",
            "the chunk that came in last goes on: its number is one lower each step",
        ),
        ("(r - step) % N", "r", "a rank sends another chunk in each step: (r - step) mod N"),
        ("(r + 1) % N", "(r - 1) % N", "you sent to the left: rank r + 1 receives"),
        (
            "after[right, i] + sent if step < N - 1 else sent",
            "after[right, i] + sent",
            "from step N - 1 on a chunk is complete: it takes the place of the receiver's",
        ),
        (
            "after[right, i] + sent if step < N - 1 else sent",
            "sent",
            "in the first N - 1 steps the receiver adds what arrives to its own",
        ),
        (
            "after[right, i] + sent if step < N - 1 else sent",
            "(after[right, i] + sent) / 2 if step < N - 1 else sent",
            "sum now, and divide by N at the end: means of means weigh the first ranks less",
        ),
    ),
)
def ring_step(chunks: np.ndarray, step: int) -> np.ndarray:
    """(N, N) -> (N, N): one of the 2 (N - 1) steps of a ring all-reduce; the first is step 0.

    `chunks[r, i]` is chunk i of rank r. All at the same time, rank r sends chunk (r - step) mod N
    to rank r + 1, and the last rank to rank 0. In the first N - 1 steps what arrives is added to
    the receiver's own; after that it takes its place.

    >>> ring_step(np.array([[1, 2], [3, 4]]), 0)
    array([[1, 6],
           [4, 4]])
    """
    N = len(chunks)
    after = chunks.copy()
    for r in range(N):
        i = (r - step) % N
        sent = chunks[r, i]
        right = (r + 1) % N
        after[right, i] = after[right, i] + sent if step < N - 1 else sent
    return after


def machine_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield 8.0, 64, 4, 0.5, 16.0
    yield 8.0, 64, 1, 0.5, 16.0
    yield 0.05, 3_200_000, 2, 2e-5, 1.25e9
    yield 2.0, 14_000_000_000, 64, 2e-5, 12.5e9


@exercise(
    "scaling.machines",
    title="A step on many machines",
    minutes=10,
    difficulty=2,
    todo="share the computing, and add the messages of the ring",
    hint="There are 2 (ranks - 1) messages, one after another, each of n_bytes / ranks.",
    cases=machine_cases,
    mistakes=(
        ("compute / ranks", "compute", "the batch is shared: each machine computes its part"),
        (
            "2 * (ranks - 1)",
            "(ranks - 1)",
            "that is half: once round to add up, and once more to hand the sums out",
        ),
        ("2 * (ranks - 1)", "2 * ranks", "one machine alone sends nothing: ranks - 1"),
        ("2 * (ranks - 1) *", "2 *", "the messages go one after another: ranks - 1 each way"),
        ("n_bytes / ranks / bandwidth", "n_bytes / bandwidth", "a message is one chunk of ranks"),
        ("latency + n_bytes", "n_bytes", "each message also costs the latency"),
    ),
)
def step_seconds(
    compute: float, n_bytes: float, ranks: int, latency: float, bandwidth: float
) -> float:
    """Seconds of a step when so many machines share a batch that takes one of them `compute`.

    Then a ring all-reduce adds up gradients of `n_bytes`: each of its messages takes `latency`
    seconds, and its bytes over `bandwidth`, in bytes a second.

    >>> step_seconds(8.0, 64, 4, latency=0.5, bandwidth=16.0)      # 2 + 6 · (0.5 + 1)
    11.0
    """
    message = latency + n_bytes / ranks / bandwidth
    return compute / ranks + 2 * (ranks - 1) * message


def power_law_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([1.0, 4.0]), np.array([5.0, 3.0]), 1.0
    sizes = np.array([1e3, 1e4, 1e5, 1e6])
    yield sizes, 1.7 + 400 / sizes**0.34, 1.7
    yield sizes, 0.3 + 20 / sizes**0.2 + 0.01 * rng.random(4), 0.3  # and a little noise


@exercise(
    "scaling.power_law",
    title="Fit a power law",
    minutes=10,
    difficulty=2,
    todo="fit a straight line to the logarithms, and turn it back into A and alpha",
    hint="log(loss - floor) = log A - alpha · log(size). np.polyfit(x, y, 1): slope, then start.",
    cases=power_law_cases,
    mistakes=(
        (
            "np.log(losses - floor)",
            "np.log(losses)",
            "take the floor off first: only what lies above it falls as a power",
        ),
        ("float(-slope)", "float(slope)", "alpha is how steeply it falls: minus the slope"),
        ("float(np.exp(start))", "float(start)", "the line starts at log A: take exp of it"),
        ("np.log(sizes)", "sizes", "the sizes need a logarithm, too"),
        (
            "np.log(losses - floor)",
            "np.log(losses) - floor",
            "take the floor off the losses, not off their logarithms",
        ),
    ),
)
def fit_power_law(sizes: np.ndarray, losses: np.ndarray, floor: float) -> tuple[float, float]:
    """(N,), (N,) -> A and alpha: loss ≈ floor + A / size^alpha, by least squares of logarithms.

    >>> A, alpha = fit_power_law(np.array([1.0, 4.0]), np.array([5.0, 3.0]), floor=1.0)
    >>> round(A, 3), round(alpha, 3)
    (4.0, 0.5)
    """
    slope, start = np.polyfit(np.log(sizes), np.log(losses - floor), 1)
    return float(np.exp(start)), float(-slope)


@exercise(
    "scaling.checkpoints",
    title="How often to save",
    minutes=5,
    difficulty=1,
    todo="find the time between failures of all machines, and put it into Young's formula",
    hint="A hundred machines fail a hundred times as often as one. An hour has 3,600 seconds.",
    cases=lambda rng: [(2.0, 100, 100.0), (30.0, 1, 50_000.0), (60.0, 1024, 50_000.0)],
    mistakes=(
        (
            "hours_to_failure * 3600 / machines",
            "hours_to_failure * 3600",
            "that is one machine's: the more there are, the sooner one of them fails",
        ),
        ("* 3600 ", "", "the result is in seconds: turn the hours into seconds"),
        ("3600 / machines", "3600 * machines", "more machines fail more often: divide"),
        ("2 * save_seconds", "save_seconds", "the 2 of Young's formula is missing"),
        ("math.sqrt(", "(", "take the square root"),
    ),
)
def checkpoint_interval(save_seconds: float, machines: int, hours_to_failure: float) -> float:
    """Seconds from one checkpoint to the next, so that the least time is lost (Young 1974).

    √(2 · save_seconds · M), where M is the mean time between two failures anywhere. One machine
    fails every `hours_to_failure` hours.

    >>> checkpoint_interval(2.0, machines=100, hours_to_failure=100.0)
    120.0
    """
    between_failures = hours_to_failure * 3600 / machines
    return math.sqrt(2 * save_seconds * between_failures)
