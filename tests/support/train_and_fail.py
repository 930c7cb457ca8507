"""`qt train` on a rank, with a fault at one step of one rank: a program for `mpirun`.

`python train_and_fail.py FAULT RANK STEP FLAGS…` does what `qt train FLAGS…` does, until then.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

from processes import wait_until

import qt
import qt.distributed
from qt.cli import main


def killed(trainer: qt.Trainer) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full_memory(trainer: qt.Trainer) -> None:
    raise MemoryError


def a_bug(trainer: qt.Trainer) -> None:
    raise KeyError("of the program itself")


def ctrl_c(trainer: qt.Trainer) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def ctrl_c_at_mpirun(trainer: qt.Trainer) -> None:
    """It tells all ranks, of which the others are waiting for this one, deep in MPI."""
    ps = ["ps", "-o", "ppid=", "-p", str(os.getppid())]  # the parent's parent
    mpirun = int(subprocess.run(ps, capture_output=True, check=True).stdout)
    os.kill(mpirun, signal.SIGINT)
    wait_until(lambda: trainer._interrupts, "mpirun should pass the signal on")


def second_ctrl_c(trainer: qt.Trainer) -> None:
    ctrl_c(trainer)
    ctrl_c(trainer)


FAULTS: dict[str, Callable[[qt.Trainer], None]] = {
    "none": lambda trainer: None, "killed": killed, "memory": full_memory, "bug": a_bug,
    "ctrl-c": ctrl_c, "ctrl-c at mpirun": ctrl_c_at_mpirun, "second ctrl-c": second_ctrl_c,
}  # fmt: skip


if __name__ == "__main__":
    fault, rank, step = FAULTS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    real = qt.Trainer._update

    def update(trainer: qt.Trainer) -> dict[str, float]:
        if trainer.step == step - 1 and qt.distributed.get_rank() == rank:
            fault(trainer)
        return real(trainer)

    qt.Trainer._update = update
    sys.exit(main(["train", *sys.argv[4:]]))
