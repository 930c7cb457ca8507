"""What a model is made of, in numbers: parameters by shape, arithmetic and memory a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qt.model import GPT


def sizes(model: GPT) -> dict[str, int]:
    """Parameters, floating-point operations (FLOPs) a token, and bytes.

    A weight of a matrix takes part in one multiplication and one addition a token; attention adds
    as many for each feature of the S keys and of the S values that a query looks at, here a full
    block. Looking up an embedding is no arithmetic. The backward pass takes twice the forward's.
    """
    c = model.config
    parameters = dict(model.named_parameters())
    matrices = sum(p.size for name, p in parameters.items() if p.ndim == 2 and "embed" not in name)
    head = c.vocab_size * c.d_model if c.tie_embeddings else 0
    itemsize = model.embed_tokens.weight.dtype.itemsize
    return {
        "parameters": model.num_parameters(),
        "forward_flops_per_token": 2 * (matrices + head) + 4 * c.n_layer * c.block_size * c.d_model,
        "weight_bytes": model.num_parameters() * itemsize,
        "kv_cache_bytes_per_token": 2 * c.n_layer * c.n_kv_head * c.head_dim * itemsize,
    }


def summary(model: GPT) -> str:
    """A table of all parameters with shapes and counts; further layers are like the first."""
    c, size = model.config, sizes(model)
    rows = [
        (name, str(p.shape), p.size)
        for name, p in model.named_parameters()
        if not name.startswith("layers.") or name.startswith("layers.0.")
    ]
    if c.n_layer > 1:
        rest = size["parameters"] - sum(row[2] for row in rows)
        last = max(i for i, row in enumerate(rows) if row[0].startswith("layers.0."))
        rows.insert(last + 1, (f"layers.1 … layers.{c.n_layer - 1}", "as layers.0", rest))
    rows.append(("all", "", size["parameters"]))
    width = max(len(row[0]) for row in rows)
    lines = [f"{name:<{width}}  {shape:<14}{n:>14,}" for name, shape, n in rows]
    flops, cache = size["forward_flops_per_token"], size["kv_cache_bytes_per_token"]
    return "\n".join([
        f"{'name':<{width}}  {'shape':<14}{'parameters':>14}",
        *lines,
        f"a token at a full block of {c.block_size} takes {flops:,} FLOPs, training 3 times that",
        f"weights take {size['weight_bytes']:,} bytes; a KV cache {cache:,} a token",
    ])  # fmt: skip
