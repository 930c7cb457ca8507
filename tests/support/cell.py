"""What a learner's cell has at hand."""

import math
from typing import Any

import numpy as np

import qt.functional as F
from qt import Tensor


def cell_names(lesson: int) -> dict[str, Any]:
    """What the first cell of a lesson imports, so far as its exercises may use it."""
    names: dict[str, Any] = {"np": np, "math": math}
    return names if lesson < 12 else names | {"F": F, "Tensor": Tensor}
