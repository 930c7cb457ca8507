"""Attention over 4,096 tokens, forward and backward: time and memory."""

from __future__ import annotations

from benchmarks import attention
from benchmarks.claim import Claim, Samples, race, require_close
from benchmarks.peak import compare_peaks

T = 4096


def measure_time() -> Samples:
    """Milliseconds."""
    from benchmarks.torch_gpt import torch

    torch.set_num_threads(1)
    ours, theirs = attention.fused(T), attention.torch_fused(T)
    require_close("the gradient of the query", ours(), theirs(), 1e-4)
    return race(ours, theirs).times(1e3)


def measure_memory() -> Samples:
    import benchmarks.torch_gpt  # noqa: F401  # absent: the row is left out

    return compare_peaks("attention/fused", "attention/torch_fused")


CLAIMS = [
    Claim("long_context/time", "PyTorch SDPA", "ms", 0.67, measure_time),
    Claim("long_context/memory", "PyTorch SDPA", "MB", None, measure_memory),
    Claim(
        "long_context/memory_plain", "our plain attention", "MB", None,
        lambda: compare_peaks("attention/fused", "attention/plain"),
    ),
]  # fmt: skip
