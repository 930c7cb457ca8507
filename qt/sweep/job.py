"""One run, on a worker: papermill executes the notebook with a kernel of its own.

What is sent to the worker and what comes back are texts, so the two need no files in common. The
worker needs `quantatissu[sweep]`, and finds the data by itself.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import re
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from qt.sweep.report import MIME

TRACEBACK_LINES = 30
START = 300  # seconds that a kernel may take to begin, on a busy machine
LOOK = 0.5  # seconds between two looks at whether the run is still wanted


def run_notebook(text: str, settings: dict[str, Any], title: str) -> dict[str, Any]:
    """Execute the notebook `text` with `settings`, and return what became of it.

    That is a dict: `notebook` as far as it came, `metrics` (what `publish` gave, or None), `error`
    (None, or the end of the traceback), `seconds`, and `host`, the name of the machine.
    """
    import nbformat
    import papermill  # type: ignore[import-untyped]

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what fails is in the result
    os.environ["QT_PROGRESS"] = ""  # what a run solves is not what a person has solved
    node = nbformat.reads(text, as_version=4)
    heading = nbformat.v4.new_markdown_cell(f"# {title}", id="title")
    node.cells.insert(0, heading)
    start, error, executed = time.perf_counter(), None, text
    with tempfile.TemporaryDirectory() as folder, _kernel() as manager_class:
        path = Path(folder) / "report.ipynb"
        try:
            papermill.execute_notebook(
                node, str(path), settings, progress_bar=False, kernel_manager_class=manager_class,
                start_timeout=START,
                kernel_name="python3", language="python",  # that of the worker
                # or each kernel warns that it talks over loopback without encryption, and may say
                # at its end that it was interrupted
                extra_arguments=["--Application.log_level=CRITICAL"],
            )  # fmt: skip
        except Exception as caught:  # whatever it is, the others go on
            error = _told(caught)
        if path.exists():
            executed = path.read_text(encoding="utf-8")
    executed, metrics = _without_paths(executed)
    if error is None and metrics is None:
        error = f"the notebook gave no metrics: no cell has an output of type {MIME}"
    return {
        "notebook": executed, "metrics": metrics, "error": error,
        "seconds": round(time.perf_counter() - start, 2), "host": platform.node(),
    }  # fmt: skip


def _told(error: Exception) -> str:
    """The end of a traceback, without the colours that IPython gives it."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error).strip() or type(error).__name__)
    return "\n".join(text.splitlines()[-TRACEBACK_LINES:])


def _without_paths(text: str) -> tuple[str, dict[str, Any] | None]:
    """The notebook without the paths of the worker; and the last JSON that a cell has shown."""
    notebook = json.loads(text)
    for name in ("input_path", "output_path"):
        notebook["metadata"].get("papermill", {}).pop(name, None)
    outputs = [out for cell in notebook["cells"] for out in cell.get("outputs", [])]
    shown = [out["data"][MIME] for out in outputs if MIME in out.get("data", {})]
    metrics = shown[-1] if shown and isinstance(shown[-1], dict) else None
    if metrics is not None and not isinstance(metrics.get("metrics"), dict):
        metrics = {"metrics": metrics}  # of a notebook that shows nothing but its numbers
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", metrics


@contextmanager
def _kernel() -> Iterator[type]:
    """A class of kernel managers, whose kernels end with the block, or when Dask cancels the run.

    A kernel whose worker was killed ends by itself: it sees each second whether its parent lives.
    """
    from jupyter_client import AsyncKernelManager

    started: list[Any] = []

    class Manager(AsyncKernelManager):
        def __init__(self, *args: Any, **options: Any):
            super().__init__(*args, **options)
            started.append(self)

    over = Event()
    Thread(target=_watch, args=(_task(), started, over), daemon=True).start()
    try:
        yield Manager
    finally:
        over.set()
        _kill(started)


def _task() -> Any:
    """A function that says whether the task of this thread is still wanted."""
    from distributed import get_worker

    try:
        worker = get_worker()
        key = worker.get_current_task()
    except ValueError:  # not on a worker
        return lambda: True
    tasks = worker.state.tasks
    return lambda: key in tasks and tasks[key].state != "cancelled"


def _watch(wanted: Any, started: list[Any], over: Event) -> None:
    while not over.wait(LOOK):
        if not wanted():
            _kill(started)


def _kill(started: list[Any]) -> None:
    for manager in started:
        process = getattr(manager.provisioner, "process", None)
        if process is not None and process.poll() is None:
            with suppress(OSError):
                if hasattr(os, "killpg"):  # the kernel leads a group: what it started ends too
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
