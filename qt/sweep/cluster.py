"""Where the runs are executed: worker processes on this machine, or a Dask cluster by address."""

from __future__ import annotations

import asyncio
import logging
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, WorkerPlugin
from distributed.core import rpc
from distributed.security import Security

CONNECT = 10  # seconds to wait for a scheduler


class IgnoreCtrlC(WorkerPlugin):
    """Ctrl-C reaches all processes of a terminal: workers leave it to the sweep."""

    def setup(self, worker: Any) -> None:
        """Called by a worker when it begins, also by one that takes the place of a dead one."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def connect(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """A client of the scheduler at an address such as tcp://host:8786, or of one on this machine.

    That has `workers` processes (default: one a core), with one thread each and no page of its own.
    They end with the block. `OSError` when no scheduler answers within 10 seconds.
    """
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is told once, by us
    if scheduler is not None:
        asyncio.run(_look_for(scheduler))
        with Client(scheduler, timeout=CONNECT) as client:
            yield client
        return
    with (
        tempfile.TemporaryDirectory(prefix="qt-sweep-") as folder,
        _start(workers or CPU_COUNT, folder) as cluster,
        Client(cluster) as client,
    ):
        client.register_plugin(IgnoreCtrlC())
        yield client


async def _look_for(scheduler: str) -> None:
    """`OSError` if it is none: a client would wait for ever where something else listens."""
    arguments = Security().get_connection_args("client")
    try:
        async with rpc(scheduler, timeout=CONNECT, connection_args=arguments) as server:
            await asyncio.wait_for(server.identity(), CONNECT)
    except Exception as error:  # whatever a port that is no scheduler's may give
        told = "" if isinstance(error, TimeoutError) else f" ({error or type(error).__name__})"
        raise OSError(f"no scheduler answers at {scheduler}{told}") from None


def _start(workers: int, folder: str) -> LocalCluster:
    """Workers that Ctrl-C does not reach while they begin: they inherit that it is blocked."""
    blocks = hasattr(signal, "pthread_sigmask")  # not on Windows
    if blocks:
        resource_tracker.ensure_running()  # as the first worker would: it ends by unblocking
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if blocks else set()
    try:
        return LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True,
            host="127.0.0.1", dashboard_address="127.0.0.1:0", worker_dashboard_address=None,
            memory_limit=0, local_directory=folder, silence_logs=logging.CRITICAL,
        )  # fmt: skip
    finally:
        if blocks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def replace_lost(client: Client, workers: int) -> None:
    """Start workers of ours anew, if there are fewer than there should be.

    Dask does it when one dies, but gives up if the next is not there within 15 seconds, which a
    busy machine may need.
    """
    cluster = client.cluster
    if cluster is not None and workers < len(cluster.worker_spec):
        cluster.scale(len(cluster.worker_spec))
