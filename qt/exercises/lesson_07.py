"""The whole GPT: its parameters, its work, its first loss."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


@exercise(
    "gpt.parameters",
    title="Count the parameters",
    minutes=10,
    difficulty=2,
    todo="add up the embedding, each layer's matrices and norms, and the last norm",
    hint="A layer has q and o (C × C), k and v (C × C·H_kv/H), three matrices C × F, two norms.",
    cases=lambda rng: [
        (65, 4, 128, 4, 4, 344),
        (1, 1, 2, 1, 1, 1),
        (50257, 12, 768, 12, 12, 2048),
        (1024, 2, 64, 8, 2, 176),
    ],
    mistakes=(
        (
            "3 * d_model * d_ff",
            "2 * d_model * d_ff",
            "SwiGLU has three matrices: gate, up and down",
        ),
        (
            "embedding + n_layer * layer",
            "2 * embedding + n_layer * layer",
            "the head is tied: it is the embedding table, and counts once",
        ),
        ("2 * d_model * kv_width", "2 * d_model**2", "k and v are narrower with shared heads"),
        (" + d_model\n", "\n", "the last norm, behind all layers, is missing"),
        ("+ 2 * d_model\n", "+ d_model\n", "a layer has two norms, one before each part"),
        ("+ 2 * d_model\n", "\n", "the two norms of each layer are missing"),
        ("2 * d_model**2", "d_model**2", "there is o_proj beside q_proj: two matrices C × C"),
    ),
)
def count_parameters(
    vocab_size: int, n_layer: int, d_model: int, n_head: int, n_kv_head: int, d_ff: int
) -> int:
    """The number of weights of a modern GPT: RoPE, RMSNorm, SwiGLU, no biases, a tied head.

    >>> count_parameters(65, 4, 128, 4, 4, 344)
    800000
    """
    embedding = vocab_size * d_model
    kv_width = d_model // n_head * n_kv_head
    layer = 2 * d_model**2 + 2 * d_model * kv_width + 3 * d_model * d_ff + 2 * d_model
    return embedding + n_layer * layer + d_model


@exercise(
    "gpt.flops",
    title="The work for one token",
    minutes=10,
    difficulty=2,
    todo="count 2 per weight of the matrices, and the attention over all T tokens",
    hint="One layer compares a query with T keys (2·T·C) and mixes T values (2·T·C).",
    cases=lambda rng: [(1000, 3, 8, 10), (1, 1, 1, 1), (800_000, 4, 128, 256)],
    mistakes=(
        (
            "2 * n_weights +",
            "n_weights +",
            "each weight takes a multiplication and an addition: 2 operations",
        ),
        (
            " + n_layer * 4 * T * d_model",
            "",
            "attention's own products, q kᵀ and weights v, are missing",
        ),
        ("n_layer * 4 *", "n_layer * 2 *", "attention has two products: q kᵀ and weights v"),
        ("n_layer * 4", "4", "attention is done in every layer"),
        ("2 * n_weights", "6 * n_weights", "6 per weight is training: forward alone takes 2"),
    ),
)
def flops_per_token(n_weights: int, n_layer: int, d_model: int, T: int) -> int:
    """Multiplications and additions to read one more token when T tokens are there, forward only.

    `n_weights` counts the weights of all matrices that a token is multiplied with. Each is used
    once. To that come, in each layer, the products of attention with T keys and T values.

    >>> flops_per_token(100, 1, 4, 10)
    360
    """
    return 2 * n_weights + n_layer * 4 * T * d_model


def loss_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 0.5], [0.0, 4.0, 1.0]]), np.array([0, 2, 1])
    yield np.zeros((4, 65)), np.array([3, 1, 4, 1])  # ln 65
    yield np.array([[1000.0, 0.0], [0.0, 0.0]]), np.array([1, 0])
    yield rng.normal(size=(6, 5)), rng.integers(0, 5, size=6)


@exercise(
    "gpt.loss",
    title="The loss of the next token",
    minutes=10,
    difficulty=3,
    todo="average -log softmax(logits[t])[ids[t + 1]] over all t that have a next token",
    hint="-log softmax(z)[k] = log Σ exp(z) - z[k]; take the maximum off z first.",
    cases=loss_cases,
    mistakes=(
        (
            "logits[:-1], ids[1:]",
            "logits, ids",
            "the shift is missing: the logits at t are about the token at t + 1",
        ),
        (
            "logits[:-1], ids[1:]",
            "logits[1:], ids[:-1]",
            "the shift goes the wrong way: the logits at t are about the token at t + 1",
        ),
        ("losses.mean()", "losses.sum()", "you summed: take the mean over the places"),
        ("losses.mean()", "losses.mean() / np.log(2)", "those are bits: use the natural logarithm"),
        (
            "z = z - z.max(axis=1, keepdims=True)",
            "pass",
            "exp overflows for large logits: take the maximum off first",
        ),
        ("losses.mean()", "-losses.mean()", "the sign is wrong: a loss is positive"),
    ),
)
def next_token_loss(logits: np.ndarray, ids: np.ndarray) -> float:
    """(T, V), (T,) -> the mean cross-entropy in nats: logits[t] should foresee ids[t + 1].

    The last place has no next token and does not count. A model that knows nothing gives ln V.

    >>> round(next_token_loss(np.zeros((3, 65)), np.array([1, 2, 3])), 4)       # ln 65
    4.1744
    """
    z, targets = logits[:-1], ids[1:]
    z = z - z.max(axis=1, keepdims=True)
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), targets]  # (T - 1,)
    return float(losses.mean())
