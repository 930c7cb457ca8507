"""Threads: how work shares the machine's cores.

NumPy's BLAS library spreads a matrix product over threads. For models as small as ours that costs
more than it gains (two threads were 5 to 11 times slower on a busy machine), so `import qt` asks
for one. What does gain is to cut a batch into pieces, one for each Python thread: NumPy lets other
threads run while it computes (`set_num_threads`). Processes, also on other machines, share a batch
in the same way: `qt/distributed/`.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

_num_threads = 1


def use_one_blas_thread() -> None:
    """Ask BLAS for one thread, unless the user has chosen; called by `import qt`."""
    if any(variable in os.environ for variable in BLAS_VARIABLES):
        return
    if "numpy" not in sys.modules:
        os.environ |= dict.fromkeys(BLAS_VARIABLES, "1")
        return
    try:
        import threadpoolctl
    except ImportError:
        hint = "import qt first, or set OPENBLAS_NUM_THREADS=1, or install threadpoolctl"
        # NumPy came before qt, and has chosen its threads already.
        warnings.warn(f"NumPy's threads slow small models down: {hint}", stacklevel=3)
    else:
        threadpoolctl.threadpool_limits(1, user_api="blas")


def keep_freed_memory() -> None:
    """Ask glibc to keep what is freed: else each step has its large arrays faulted in again.

    That is a fifth of a training step. Other systems' allocators are left as they are.
    """
    with suppress(OSError, AttributeError, TypeError):
        # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD; M_ARENA_MAX: that of other threads is not kept
        for option, value in ((-3, 2**25), (-1, 2**31 - 1), (-8, 1)):
            ctypes.CDLL(None).mallopt(option, value)


def set_num_threads(n: int) -> None:
    """Set how many pieces of work run side by side. `ValueError` below 1.

    It is 1 at first: two take 0.65 of the time for a small model, and a second core, and another
    number adds the same gradients in another order. For one number all bits are the same each time.
    """
    global _num_threads
    if n < 1:
        raise ValueError(f"the number of threads must be at least 1, not {n}")
    _num_threads = n


def get_num_threads() -> int:
    """How many pieces of work run side by side."""
    return _num_threads


def side_by_side(function: Callable[[Any], Any], pieces: Sequence[Any]) -> list[Any]:
    """[function(piece) for piece in pieces], each in a thread, the first in this one; in order."""
    others = [_pool(len(pieces) - 1).submit(function, piece) for piece in pieces[1:]]
    try:
        return [function(pieces[0]), *(other.result() for other in others)]
    finally:
        for other in others:
            other.exception()  # waits: when one has failed, the others do not run on


@functools.cache
def _pool(n: int) -> Any:
    """Threads that stay: to start them at every step takes longer than what they have to do."""
    from concurrent.futures import ThreadPoolExecutor  # here: it takes a while to import

    return ThreadPoolExecutor(n)


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
