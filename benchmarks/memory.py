"""The peak of memory in training, above the size after import: ours against PyTorch's."""

from __future__ import annotations

from functools import partial

from benchmarks.claim import Claim, Samples
from benchmarks.peak import compare_peaks


def measure(name: str) -> Samples:
    import benchmarks.torch_gpt  # noqa: F401  # absent: the row is left out

    return compare_peaks(f"{name}/qt", f"{name}/torch")


CLAIMS = [
    Claim(f"memory/{name}", "PyTorch eager", "MB", 1.25, partial(measure, name))
    for name in ("train_small", "train_medium")
]
