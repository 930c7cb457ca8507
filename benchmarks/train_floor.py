"""A training step against its bare matrix products: nothing in NumPy can be faster than these."""

from __future__ import annotations

import numpy as np

import qt
from benchmarks.claim import Claim, Samples, race
from benchmarks.shapes import TRAINING, batch
from benchmarks.tape import make_step

Product = tuple[tuple[int, ...], tuple[int, ...]]


def matrix_products(c: qt.GPTConfig, B: int) -> list[Product]:
    """The shapes of both factors of each product of one training step, forward and backward.

    (M, K) @ (K, N) has two products behind it, g @ bᵀ and aᵀ @ g, for the gradients of a and b.
    """
    N, T, C, D = B * c.block_size, c.block_size, c.d_model, c.head_dim
    heads = (B, c.n_head)
    layer: list[Product] = [((N, C), (C, C))] * 4  # queries, keys, values, output
    layer += [((*heads, T, D), (*heads, D, T)), ((*heads, T, T), (*heads, T, D))]  # scores, mix
    layer += [((N, C), (C, c.d_ff))] * 2 + [((N, c.d_ff), (c.d_ff, C))]  # gate, up, down
    step: list[Product] = []
    for a, b in [*layer * c.n_layer, ((N, C), (C, c.vocab_size))]:
        M, K, P, lead = a[-2], a[-1], b[-1], a[:-2]
        step += [(a, b), ((*lead, M, P), (*lead, P, K)), ((*lead, K, M), (*lead, M, P))]
    return step


def flops(c: qt.GPTConfig, B: int) -> float:
    """Multiplications and additions of one training step's matrix products."""
    return sum(2.0 * float(np.prod(a)) * b[-1] for a, b in matrix_products(c, B))


def measure(c: qt.GPTConfig, B: int) -> Samples:
    """Milliseconds a step, ours and the floor. Products of equal shapes share their arrays."""
    shapes = matrix_products(c, B)
    factors = {s: np.ones(s, dtype=np.float32) for pair in shapes for s in pair}
    results = {(a, b): np.empty((*a[:-1], b[-1]), dtype=np.float32) for a, b in shapes}

    def floor() -> None:
        for a, b in shapes:
            np.matmul(factors[a], factors[b], out=results[a, b])

    return race(make_step(qt.GPT(c), *batch(c, B)), floor, repeats=31).times(1e3)


CLAIMS = [
    Claim(
        "train_floor", "its matrix products", "ms", 0.67, lambda: measure(*TRAINING["train_small"])
    )
]
