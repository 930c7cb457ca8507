"""Start ranks from a program or a notebook, as `mpirun` does from a shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from qt.distributed.process_group import INSTALL


def find_mpirun() -> str:
    """The path of `mpirun`: the one that was installed with this Python, or else the shell's."""
    beside = Path(sys.executable).with_name("mpirun")
    found = shutil.which(beside) or shutil.which("mpirun")
    if found is None:
        raise RuntimeError(f"there is no mpirun: {INSTALL} installs one")
    return found


def launch(ranks: int, *arguments: str, timeout: float = 300) -> str:
    """Run `mpirun -n RANKS python ARGUMENTS…` and return what it prints.

    Raises `RuntimeError`, with what stood on standard error, when it fails or takes more than
    `timeout` seconds; either way all its processes are ended.
    """
    command = [find_mpirun(), "-n", str(ranks), sys.executable, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{ranks} ranks took more than {timeout:g} seconds") from None
        finally:
            process.terminate()  # mpirun ends its ranks; nothing happens when it is done
    if process.returncode:
        raise RuntimeError(f"mpirun ended with code {process.returncode}: {errors.strip()}")
    return output
