"""Run a program on several ranks, and see to it that none of them is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from missing import missing
from processes import wait_until

from qt.distributed.launch import find_mpirun

MARK = "QT_TEST_OF_RANKS"  # a variable of the environment, by which they are known
TIMEOUT = 120.0  # seconds; each takes one or two on an idle machine


def mpirun() -> str:
    """The path of mpirun. Without it the test is skipped, but on CI it fails."""
    if os.name == "nt":
        pytest.skip("mpich has no wheel for Windows")
    try:
        return find_mpirun()
    except RuntimeError as error:
        missing(str(error))


def run_ranks(
    ranks: int, *arguments: object, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """`mpirun -n RANKS python ARGUMENTS…`, to its end and that of all its processes."""
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    process = subprocess.Popen(
        [mpirun(), "-n", str(ranks), sys.executable, *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {MARK: mark}, start_new_session=True, cwd=cwd,
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
        wait_until(lambda: not marked(mark), f"ranks that live on after {arguments}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def marked(mark: str) -> list[int]:
    """The processes that were started with this mark (on systems with /proc)."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for pid in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else []):
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(int(pid))
        except OSError:  # it has ended, or is another user's
            continue
    return found
