"""The sweep itself: hand out the runs that are not done, and keep each result as it comes."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

from distributed import Client, wait
from distributed.client import FIRST_COMPLETED, Future

import qt
from qt.sweep.cluster import replace_lost
from qt.sweep.grid import Run
from qt.sweep.job import run_notebook
from qt.sweep.notebook import Experiment
from qt.sweep.store import DONE, FAILED, Folder, Record

GONE = "the scheduler is gone: what is done is kept, and the same command goes on"
ALONE = "no worker is left here: what is done is kept, and the same command goes on"
PATIENCE = 300  # seconds without a worker of ours; those of a cluster may come at any time
LOOK = 1.0  # seconds between two looks, when nothing ends


@dataclass(frozen=True)
class State:
    """How far a sweep is: runs of this call, and what has just ended (None: nothing)."""

    total: int
    done: int
    failed: int
    running: int
    workers: int
    last: Record | None


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep by what is to be done about them."""

    todo: list[Run]
    done: list[Run]  # kept
    failed: list[Run]  # kept too, as they are not tried again
    changed: list[Run]  # of those done: made by other cells, or another version of the library


def plan(runs: Sequence[Run], folder: Folder, fingerprint: str, retry: bool) -> Plan:
    """Compare the runs with the folder. Failed ones are only tried again with `retry`."""
    todo, done, failed, changed = [], [], [], []
    for run in runs:
        record = folder.record(run)
        if record is None or (record["status"] == FAILED and retry):
            todo.append(run)
        elif record["status"] == FAILED:
            failed.append(run)
        else:
            done.append(run)
            if (record["notebook"], record["qt"]) != (fingerprint, qt.__version__):
                changed.append(run)
    return Plan(todo, done, failed, changed)


def execute(
    client: Client, experiment: Experiment, runs: Sequence[Run], folder: Folder,
    tell: Callable[[State], None],
) -> None:  # fmt: skip
    """Run them all on the workers of `client`; `tell` is called when one ends, and each second.

    A worker that dies gives its run to another; a run whose workers die four times has failed. No
    worker is given a run before it can begin, so that one that kills its worker takes no other
    along. When this is left early (Ctrl-C), what runs is cancelled.
    """
    call = uuid.uuid4().hex[:8]
    quiet = {"metrics_path": ""} if "metrics_path" in experiment.defaults else {}
    waiting, running = deque(runs), dict[Future, Run]()
    counts, seen = {DONE: 0, FAILED: 0}, time.monotonic()

    def state(last: Record | None = None) -> State:
        busy = len(running) if workers else 0
        return State(len(runs), counts[DONE], counts[FAILED], busy, len(workers), last)

    try:
        while waiting or running:
            workers = client.nthreads()
            if workers:
                seen = time.monotonic()
            elif client.cluster is not None and time.monotonic() - seen > PATIENCE:
                raise RuntimeError(ALONE)
            while waiting and len(running) < max(sum(workers.values()), 1):
                run = waiting.popleft()
                settings, key = {**run.settings, **quiet}, f"{run.name}-{call}"
                job = client.submit(run_notebook, experiment.text, settings, run.words, key=key)
                running[job] = run
            try:
                ended = wait(list(running), timeout=LOOK, return_when=FIRST_COMPLETED).done
            except TimeoutError:
                replace_lost(client, len(workers))
                tell(state())
                continue
            except CancelledError:
                raise RuntimeError(GONE) from None
            for job in ended:
                record = folder.keep(running.pop(job), experiment.fingerprint, _result(job))
                counts[record["status"]] += 1
                tell(state(record))
    finally:
        client.cancel(list(running))


def _result(future: Future) -> dict[str, Any]:
    """What the job returned; or how the workers came to nothing."""
    if future.status == "finished":
        return future.result()
    if future.status in ("cancelled", "lost"):
        raise RuntimeError(GONE)
    error = future.exception()
    if type(error).__name__ == "KilledWorker":
        error = RuntimeError("its worker died each time that it was tried (out of memory?)")
    told = f"{type(error).__name__}: {error}" if type(error) is not RuntimeError else str(error)
    return {"notebook": "", "metrics": None, "error": told, "seconds": 0.0, "host": ""}
