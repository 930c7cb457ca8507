"""The process group: the same program runs N times, and each process, a rank, knows its number.

`mpirun -n N program` starts them, on one machine or on several. They share no memory. What they
compute together they exchange in collective calls, which every rank makes in the same order; one
that is missing would keep all others waiting for ever. So a program that ends in any other way than
through `destroy_process_group` ends all of them.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

# What the mpirun of MPICH (and those made of it) and that of Open MPI tell each process.
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
RANKS = ("PMI_RANK", "OMPI_COMM_WORLD_RANK")
OPERATIONS = {"sum": "SUM", "max": "MAX", "min": "MIN"}
INSTALL = 'pip install "quantatissu[mpi]"'

_world: Any = None  # MPI's communicator of all ranks, while the group stands
_exit_code = 1  # with which all ranks end when one ends too early


def init_process_group(backend: str = "mpi") -> None:
    """Join the processes that `mpirun` started with this one; without it the group has one rank.

    Raises `RuntimeError` when there is no mpi4py, no MPI library, or another one than `mpirun`'s.
    """
    global _world
    if backend != "mpi":
        raise ValueError(f"the backend must be 'mpi', not {backend!r}")
    if _world is not None:
        raise RuntimeError("there is a process group already: destroy_process_group() ends it")
    MPI = _load_mpi()
    started, library = processes_started(), " ".join(MPI.Get_library_version()[:24].split())
    foreign = started > 1 and library.startswith("Open MPI") != (SIZES[1] in os.environ)
    if not (foreign or MPI.Is_initialized()):  # MPICH under the other mpirun ends the process
        MPI.Init_thread()
    if foreign or MPI.COMM_WORLD.size < started:
        raise RuntimeError(
            f"mpirun started {started} processes, but belongs to another MPI than the library that "
            f"mpi4py has loaded ({library}): {INSTALL} puts an mpirun that fits beside python"
        )
    _world = MPI.COMM_WORLD
    atexit.register(_end_all)


def _load_mpi() -> Any:
    try:
        import mpi4py

        mpi4py.rc.initialize, mpi4py.rc.finalize = False, True
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise RuntimeError(
            f"MPI cannot be loaded ({error}): {INSTALL} installs it, and mpirun with it"
        ) from None
    return MPI


def processes_started() -> int:
    """How many processes `mpirun` started with this one, as its variables say; 1 without it."""
    return max(_number(SIZES), 1)


def started_rank() -> int:
    """The number of this process among them."""
    return _number(RANKS)


def _number(names: tuple[str, ...]) -> int:
    return next((int(os.environ[n]) for n in names if os.environ.get(n, "").isdigit()), 0)


def is_initialized() -> bool:
    """Whether there is a process group."""
    return _world is not None


def get_world_size() -> int:
    """The number of ranks."""
    return _group().size


def get_rank() -> int:
    """The number of this process, from 0 to `get_world_size()` - 1."""
    return _group().rank


def all_reduce(array: npt.NDArray[Any], op: str = "sum") -> None:
    """Replace the array on every rank by the sum (or "max", "min") of all ranks' arrays.

    All must have the same shape and dtype. Every rank ends with the same bits. The same ranks on
    the same machines get the same bits each time, as MPI asks of its libraries.
    """
    if op not in OPERATIONS:
        raise ValueError(f"op must be {' or '.join(OPERATIONS)}, not {op!r}")
    if not (isinstance(array, np.ndarray) and array.flags.c_contiguous and array.flags.writeable):
        raise ValueError("all_reduce works in place: it takes a contiguous, writeable array")
    MPI = _load_mpi()
    _group().Allreduce(MPI.IN_PLACE, array, getattr(MPI, OPERATIONS[op]))


def barrier() -> None:
    """Wait until every rank is here."""
    _group().Barrier()


def destroy_process_group() -> None:
    """End the group, after every rank's last collective call."""
    global _world
    _group().Barrier()
    _world = None
    atexit.unregister(_end_all)


def set_exit_code(code: int) -> None:
    """With which all ranks end when this one ends before the group does."""
    global _exit_code
    _exit_code = code


def _group() -> Any:
    if _world is None:
        raise RuntimeError("there is no process group: call init_process_group() first")
    return _world


def _end_all() -> None:
    """End every rank: this one ends while the others may be waiting for it."""
    sys.stdout.flush()
    sys.stderr.flush()
    _world.Abort(_exit_code)
