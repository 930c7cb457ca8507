"""A notebook whose runs a test can hold and let go; `qt sweep` as a process."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
from processes import is_running, wait_until

PARAMETERS = 'x = 1.0\nname = "a"\nbroken = False\nseed = 0\nnotes = ""'
WORK = """\
import os, pathlib, time
from IPython.display import display

if notes:
    (pathlib.Path(notes) / f"{os.getpid()}.started").touch()
    while not (pathlib.Path(notes) / "go").exists():
        time.sleep(0.05)
if broken:
    raise ValueError(f"x = {x} broke")
steps = [{"step": s, "val_loss": x / s} for s in (1, 2, 4)]
numbers = {"val_loss": x / 4 + 0.01 * seed, "parameters": 12}
display({"application/json": {"metrics": numbers, "curve": steps}}, raw=True)"""


def write_notebook(path: Path) -> Path:
    """Runs note that they have begun and wait for a file "go", if `notes` names a folder."""
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell("A lesson."),
        v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters", "report"]}),
        v4.new_code_cell(WORK, metadata={"tags": ["report"]}),
        v4.new_code_cell("raise RuntimeError('this cell is no part of the report')"),
    ]
    for i, cell in enumerate(cells):
        cell["id"] = f"c{i}"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


class Sweep:
    """`qt sweep` in a session of its own, with its output in files."""

    def __init__(self, folder: Path, *args: object) -> None:
        self.log = folder / "log.txt"
        environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
        environment["TMPDIR"] = str(folder)  # what a killed one leaves is tidied away with it
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "qt.cli", "sweep", *map(str, args)],
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=environment,
            )  # fmt: skip

    def started(self) -> list[psutil.Process]:
        """Workers, kernels and whatever else it has started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def kernels(self) -> list[psutil.Process]:
        """The kernels among them; the parent of each is a worker."""
        found = []
        for process in self.started():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "ipykernel_launcher" in process.cmdline():
                    found.append(process)
        return found

    def press_ctrl_c(self) -> None:
        """As a terminal does: all processes of the group get it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self, seconds: float = 120) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(timeout=seconds)

    def text(self) -> str:
        """What it has said."""
        return self.log.read_text(encoding="utf-8")


@contextlib.contextmanager
def sweeping(folder: Path, *args: object) -> Iterator[Sweep]:
    """A sweep that runs, and that ends with the block together with all it started."""
    sweep = Sweep(folder, *args)
    try:
        yield sweep
    finally:
        left = sweep.started()
        for process in [*left, sweep.process]:
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                process.kill()
        sweep.process.wait()


def wait_for_runs(notes: Path, n: int) -> list[int]:
    """Wait until so many runs have begun; the processes of their kernels."""

    def begun() -> list[int]:
        return [int(path.stem) for path in notes.glob("*.started")]

    wait_until(lambda: len(begun()) >= n, f"{n} runs begin", 90)
    return begun()


def wait_for_end(pids: list[int]) -> None:
    """Wait until none of the processes is left."""
    wait_until(lambda: not any(map(is_running, pids)), f"{pids} end", 60)
