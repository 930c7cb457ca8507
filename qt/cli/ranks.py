"""A command that `mpirun` started N times: one voice, and one exit code."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from qt import distributed
from qt.cli.arguments import UsageError
from qt.distributed.process_group import processes_started, set_exit_code, started_rank

Result = TypeVar("Result")


@contextmanager
def joined(backend: str | None) -> Iterator[int]:
    """Join the ranks for what follows, unless `backend` is None; yields this one's number.

    An error ends all of them. Rank 0 has the first word: one that all have is told once. Another
    rank, should it still be there after a moment, has an error of its own, and tells it.
    """
    try:
        if backend is not None:
            distributed.init_process_group(backend)
        elif (n := processes_started()) > 1:
            raise UsageError(
                f"mpirun started {n} processes, which would all train the same into one folder: "
                "add --distributed mpi, and they share the work"
            )
        yield distributed.get_rank() if backend is not None else 0
        if backend is not None:
            distributed.destroy_process_group()
    except (ValueError, TypeError, OSError, RuntimeError, MemoryError, KeyboardInterrupt) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        code = 130 if interrupted else 2 if isinstance(error, UsageError) else 1
        rank = started_rank()
        if distributed.is_initialized():
            set_exit_code(code)
            rank = distributed.get_rank()
            if interrupted and error.args:  # all have saved, and stop here
                distributed.destroy_process_group()
            elif rank:
                time.sleep(min(0.5 + 0.1 * rank, 5.0))
                if not interrupted:
                    why = str(error) or type(error).__name__
                    raise RuntimeError(f"rank {rank}: {why}") from error
        if rank:
            raise SystemExit(code) from None
        raise


def first_then_others(work: Callable[[str], Result], argument: str) -> Result:
    """Call `work` on rank 0, and then on the others: the first one fills the cache for them."""
    if not distributed.is_initialized():
        return work(argument)
    if distributed.get_rank() == 0:
        result = work(argument)
        distributed.barrier()
    else:
        distributed.barrier()
        result = work(argument)
    return result
