"""What the sandbox costs: a RUN beside other ways to start a command, and files beside plain ones.

A `RUN "true"` is measured as the engine starts it: fork, confinement, proof, shell, and the end of
its whole tree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.claim import Claim, LeftOut, Samples, race
from tisslang import sandbox
from tisslang.paths import open_project
from tisslang.sandbox.policy import PROFILES

BUDGET = 0.040  # seconds that a RUN may take beyond subprocess.run
REPEATS = 51
BWRAP = ("bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--")
LOUD = f"{sys.executable} -c 'import os; [os.write(1, bytes(1 << 20)) for _ in range(1000)]'"


@contextmanager
def command_runner(backend: str) -> Iterator[Callable[..., Any]]:
    """A function that runs a command under this backend; `LeftOut` where it cannot be had."""
    profile = PROFILES["standard"]
    with tempfile.TemporaryDirectory() as root:
        client, refused = sandbox.attempt(
            profile, os.path.realpath(root), network=False, limits=profile.limits, names=[backend]
        )
        if client is None:
            raise LeftOut(f"no {backend} here: {refused}")
        environment = {"PATH": os.defpath, "HOME": client.home, "TMPDIR": client.tmp}
        try:
            yield partial(
                client.run, cwd=root, environment=environment, timeout=60, max_output=1 << 20
            )
        finally:
            client.close()


def beside_bwrap(backend: str) -> Samples:
    """Milliseconds of a command that does nothing."""
    if shutil.which("bwrap") is None:
        raise LeftOut("bwrap is not installed (bubblewrap)")
    with command_runner(backend) as run:
        peer = partial(subprocess.run, [*BWRAP, "/bin/sh", "-c", "true"], capture_output=True)
        return race(lambda: run("true"), peer, REPEATS).times(1e3)


def added(backend: str) -> Samples:
    """Milliseconds that a command takes beyond `subprocess.run`, beside what it may."""
    with command_runner(backend) as run:
        peer = partial(subprocess.run, "true", shell=True, capture_output=True)
        samples = race(lambda: run("true"), peer, REPEATS)
    ours = [mine - theirs for mine, theirs in zip(samples.ours, samples.peer)]
    return Samples(ours, [BUDGET] * len(ours), samples.control).times(1e3)


def loud(backend: str, repeats: int = 3) -> Samples:
    """MB by which the run and its supervisor grow while a command prints a gigabyte."""
    ours, theirs = [], []
    with command_runner(backend) as run:
        for _ in range(repeats):
            before = _sizes()
            if run(LOUD).stdout_bytes != 1000 << 20:
                raise ValueError("the command did not print a gigabyte")
            after = _sizes()
            ours.append(sum(after[pid] - before.get(pid, 0.0) for pid in after))
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1], shell=True, "
        "capture_output=True); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    for _ in range(repeats):
        command = [sys.executable, "-c", code, LOUD]
        theirs.append(float(subprocess.run(command, capture_output=True, check=True).stdout))
    return Samples(ours, theirs, [])


def _sizes() -> dict[str, float]:
    """MB at their peak, of this process and its children."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        raise LeftOut("the size of a process is read from /proc, which only Linux has")
    sizes = {}
    for pid in [str(os.getpid()), *children.read_text(encoding="ascii").split()]:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        peak = next((line for line in lines if line.startswith("VmHWM")), "VmHWM: 0 kB")
        sizes[pid] = float(peak.split()[1]) / 1024
    return sizes


def files(act: str, size: int, repeats: int = 31) -> Samples:
    """Microseconds of READ or WRITE, beside `open` without any care."""
    data = os.urandom(size)
    with tempfile.TemporaryDirectory() as root:
        plain = Path(root, "plain")
        plain.write_bytes(data)
        project = open_project(root)
        project.write("ours", data)
        try:
            if act == "read":
                return race(lambda: project.read("ours"), plain.read_bytes, repeats).times(1e6)
            return race(
                lambda: project.write("ours", data), lambda: plain.write_bytes(data), repeats
            ).times(1e6)
        finally:
            project.close()


BACKENDS = ("namespaces", "landlock")
CLAIMS = [
    *(Claim(f"run/{b}", "bwrap", "ms", None, partial(beside_bwrap, b)) for b in BACKENDS),
    *(Claim(f"run_added/{b}", "a budget of 40 ms", "ms", 1.0, partial(added, b)) for b in BACKENDS),
    Claim("run_memory", "subprocess.run", "MB", None, partial(loud, "namespaces")),
    *(
        Claim(f"file_{act}/{name}", "open", "µs", None, partial(files, act, size))
        for act in ("read", "write")
        for name, size in (("1KB", 1000), ("10MB", 10_000_000))
    ),
]
