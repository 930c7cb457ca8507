"""What is seen of a tree of processes: nothing in it can hide."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes import is_running
from sandboxes import BACKENDS, client_of, run_in

from tisslang.sandbox import tree

MIB = 1 << 20
PYTHON = sys.executable

# The kernel shows of a process whose first thread has ended neither memory nor descriptors.
FIRST_THREAD_ENDS = """
import ctypes, os, threading, time
def grow():
    while open(f"/proc/{os.getpid()}/stat").read().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    x = bytearray(300_000_000)
    x[::4096] = b"x" * len(x[::4096])
    time.sleep(20)
    os._exit(0)
threading.Thread(target=grow).start()
libc = ctypes.CDLL(None)
libc.pthread_exit(None)
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_process_whose_first_thread_has_ended_counts(tmp_path: Path, backend: str) -> None:
    (tmp_path / "ends.py").write_text(FIRST_THREAD_ENDS)
    with client_of(backend, tmp_path, memory=100 * MIB) as client:
        done = run_in(client, f"{PYTHON} ends.py", tmp_path)
        assert (done.ended_by, done.stderr) == ("memory", "")


SPARES = """
import ctypes, os, subprocess, sys
sys.path[:0] = {path!r}
from tisslang.sandbox import tree
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
start = lambda: subprocess.Popen(["sh", "-c", "sleep 60 & setsid sleep 60 & wait"])
spared, other = start(), start()
while sum(len(tree.descendants(one.pid)) for one in (spared, other)) < 4:
    pass
below = [process.pid for process in tree.descendants(other.pid)]
assert tree.end_descendants(spared={{spared.pid}})
assert not any(os.path.exists(f"/proc/{{pid}}") for pid in [other.pid, *below])
assert len(tree.descendants(spared.pid)) == 2 and os.path.exists(f"/proc/{{spared.pid}}")
assert tree.end_descendants()
assert not os.path.exists(f"/proc/{{spared.pid}}")
os._exit(0)
"""


def test_those_that_are_spared_stay_with_all_below_them() -> None:
    """In a process of its own, since it ends all that is below it."""
    done = subprocess.run(
        [PYTHON, "-c", SPARES.format(path=sys.path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_has_ended_when_it_waits_to_be_taken_in() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert not tree.has_ended(process.pid)
        process.kill()
        while is_running(process.pid):
            pass
        assert os.path.exists(f"/proc/{process.pid}")
        assert tree.has_ended(process.pid)
