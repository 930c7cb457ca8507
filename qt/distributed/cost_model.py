"""What a step costs, on paper: arithmetic, memory traffic, and what machines say to each other.

Seconds, bytes and floating-point operations (FLOPs), all as plain numbers. Two constants describe
a network (Hockney 1994): a message of n bytes takes α + n/β, α being its latency in seconds and β
the bandwidth in bytes a second. Measure them here, and the formulas tell of a thousand machines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from qt.model import GPT
from qt.summary import sizes

ADAM_PASSES = 7  # reads weight, gradient and two moments; writes weight and moments
BACKWARD_SHARE = 2 / 3  # of a step's arithmetic


def step_flops(model: GPT, tokens: int) -> int:
    """Matrix products and attention of a training step: the backward pass costs twice a forward."""
    return 3 * sizes(model)["forward_flops_per_token"] * tokens


def approximate_flops(parameters: float, tokens: float) -> float:
    """6 · parameters · tokens (Kaplan et al. 2020): good where texts are short against the width.

    A weight multiplies and adds once in the forward pass, and twice in the backward.
    """
    return 6 * parameters * tokens


def step_bytes(model: GPT, tokens: int) -> int:
    """The least that a step with Adam moves between memory and processor.

    Weights are read forward and backward, gradients written, and both kinds and the moments gone
    over by the optimizer. Each matrix product reads its input and writes its output, and in the
    backward pass, once for either factor, touches as much again. What is done element by element
    (norms, activations, residual sums) comes on top.
    """
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    shapes = [p.shape for p in matrices]
    if model.config.tie_embeddings:
        shapes.append(model.embed_tokens.weight.shape)
    itemsize = model.embed_tokens.weight.dtype.itemsize
    activations = 3 * tokens * sum(sum(shape) for shape in shapes)
    return gradient_bytes(model) * (3 + ADAM_PASSES) + activations * itemsize


def gradient_bytes(model: GPT) -> int:
    """What an all-reduce adds up: a number for each parameter."""
    return sizes(model)["weight_bytes"]


def roofline_seconds(
    flops: float, n_bytes: float, flops_per_second: float, bytes_per_second: float
) -> float:
    """The least time: both go on side by side, and the longer decides (Williams et al. 2009)."""
    return max(flops / flops_per_second, n_bytes / bytes_per_second)


def all_reduce_seconds(
    n_bytes: float, ranks: int, latency: float, bandwidth: float, algorithm: str = "ring"
) -> float:
    """Seconds until every rank has the sum of all.

    Ring (Patarasuk & Yuan 2009): the array is cut into N parts; in N - 1 rounds each part is added
    up along the ring, in N - 1 more it is passed around. A rank sends 2 (N-1)/N of the array
    whatever N is, which no algorithm can do with less:

        2 (N-1) α  +  2 (N-1)/N · n/β

    Tree (Thakur et al. 2005): sums go up a binomial tree and the result comes down, whole, so that
    a short message takes less: 2 ⌈log₂ N⌉ (α + n/β).
    """
    _check(ranks)
    if algorithm == "ring":
        return 2 * (ranks - 1) * latency + 2 * (ranks - 1) / ranks * n_bytes / bandwidth
    if algorithm == "tree":
        return 2 * math.ceil(math.log2(ranks)) * (latency + n_bytes / bandwidth)
    raise ValueError(f"algorithm must be ring or tree, not {algorithm!r}")


def fit_all_reduce(
    n_bytes: Sequence[float], seconds: Sequence[float], ranks: int
) -> tuple[float, float]:
    """The latency α and bandwidth β with which the ring's formula comes closest to measurements.

    Least squares of relative errors, so that short messages count as much as long ones.
    """
    if ranks < 2 or len(n_bytes) < 2:
        raise ValueError("a fit takes at least 2 ranks, and messages of at least 2 sizes")
    t = np.asarray(seconds, dtype=float)
    rounds, sent = 2 * (ranks - 1), 2 * (ranks - 1) / ranks * np.asarray(n_bytes, dtype=float)
    terms = np.stack([np.full_like(t, rounds), sent], axis=1) / t[:, None]  # of α and of 1/β
    latency, per_byte = np.linalg.lstsq(terms, np.ones_like(t), rcond=None)[0]
    if not (latency > 0 and per_byte > 0):
        raise ValueError("the times do not grow with the size: measure again, and longer messages")
    return float(latency), float(1 / per_byte)


def step_seconds(
    compute: float, n_bytes: float, ranks: int, latency: float, bandwidth: float,
    overlap: float = 0.0, scaling: str = "strong",
) -> float:  # fmt: skip
    """Seconds of a data-parallel step: a share of the arithmetic, and an all-reduce by ring.

    `compute` is what one machine takes: for the whole batch, of which each of N then does 1/N
    (`scaling="strong"`), or for a batch that each of them gets anew ("weak"). The share `overlap`
    of the all-reduce runs while the backward pass, 2/3 of the arithmetic, still computes, if that
    lasts long enough.
    """
    if scaling not in ("strong", "weak"):
        raise ValueError(f"scaling must be strong or weak, not {scaling!r}")
    if not 0 <= overlap <= 1:
        raise ValueError(f"overlap must be from 0 to 1, not {overlap!r}")
    _check(ranks)
    own = compute / ranks if scaling == "strong" else compute
    talk = all_reduce_seconds(n_bytes, ranks, latency, bandwidth)
    return own + talk - min(overlap * talk, BACKWARD_SHARE * own)


def speedup(
    compute: float, n_bytes: float, ranks: int, latency: float, bandwidth: float,
    overlap: float = 0.0, scaling: str = "strong",
) -> float:  # fmt: skip
    """How many times more tokens a second N machines do than one."""
    work = compute if scaling == "strong" else compute * ranks
    return work / step_seconds(compute, n_bytes, ranks, latency, bandwidth, overlap, scaling)


def efficiency(
    compute: float, n_bytes: float, ranks: int, latency: float, bandwidth: float,
    overlap: float = 0.0, scaling: str = "strong",
) -> float:  # fmt: skip
    """The speed-up for each machine that is paid for: 1 at best."""
    return speedup(compute, n_bytes, ranks, latency, bandwidth, overlap, scaling) / ranks


def fastest_ranks(compute: float, n_bytes: float, latency: float, bandwidth: float) -> float:
    """The number of machines at which sharing one batch is fastest; one more makes it slower.

    C/N + 2 (N-1) α + 2 (N-1)/N · n/β is least where N² = (C - 2n/β) / 2α: 1 where the data alone
    take longer than the arithmetic, and without end (`inf`) where a message costs nothing.
    """
    gain = compute - 2 * n_bytes / bandwidth
    if gain <= 0:
        return 1
    if latency == 0:
        return math.inf
    best = math.sqrt(gain / (2 * latency))
    around = {max(math.floor(best), 1), math.ceil(best)}
    return min(around, key=lambda n: step_seconds(compute, n_bytes, n, latency, bandwidth))


def _check(ranks: int) -> None:
    if ranks < 1:
        raise ValueError(f"there must be at least 1 rank, not {ranks}")
