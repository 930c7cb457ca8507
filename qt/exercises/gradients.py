"""The gradients that come back to an attempt's arguments: they show whether the tape is whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from qt.tensor import Array, Tensor

TAPE_ENDS = "the tape ends: use Tensor operations, not .data"


def gradients_of(result: Any, arguments: dict[str, Any]) -> dict[str, Array | None]:
    """By name, the gradient of each argument that requires one; None where none arrives.

    Tensors in a dictionary are named by their keys. The upstream gradient differs from place to
    place, so that no mistake cancels out.
    """
    named: dict[str, Any] = {}
    for name, value in arguments.items():
        named |= value if isinstance(value, dict) else {name: value}
    leaves = {k: x for k, x in named.items() if isinstance(x, Tensor) and x.requires_grad}
    found: dict[Tensor, Array] = {}
    if leaves and isinstance(result, Tensor) and result.requires_grad:
        found = result.leaf_gradients(np.cos(np.arange(result.size)).reshape(result.shape))
    return {name: found.get(leaf) for name, leaf in leaves.items()}
