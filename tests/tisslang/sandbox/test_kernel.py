"""A RUN in a real notebook kernel: with threads, interrupted, and when the kernel is killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from processes import sleepers, wait_until

SLEEP = f"61.{os.getpid()}"  # seconds, and a mark by which these sleepers are known


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager = KernelManager()
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    (tmp_path / "project").mkdir()
    manager.start_kernel(cwd=str(tmp_path / "project"), env=environment)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def printed(client: BlockingKernelClient, message: str) -> str:
    """What a cell printed, once it has ended."""
    text = ""
    while True:
        answer = client.get_iopub_msg(timeout=60)
        if answer["parent_header"].get("msg_id") != message:
            continue
        if answer["msg_type"] == "stream":
            text += answer["content"]["text"]
        if answer["msg_type"] == "error":
            text += "\n".join(answer["content"]["traceback"])
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return text


THREADS = """\
%load_ext tisslang
import threading
stop = threading.Event()
def work():
    while not stop.is_set():
        sum(range(1000))
threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
for thread in threads:
    thread.start()
"""
SLEEPS = f"""\
%%tiss
RUN "echo $$ > started; setsid sleep {SLEEP} & sleep {SLEEP}"
"""


def test_beside_threads_interrupted_and_killed(
    kernel: tuple[KernelManager, BlockingKernelClient], tmp_path: Path
) -> None:
    manager, client = kernel
    project = tmp_path / "project"
    assert printed(client, client.execute(THREADS)) == ""
    said = printed(
        client, client.execute('%%tiss -o report\nRUN "echo hello"\nLOG LAST_RUN.STDOUT')
    )
    assert said == "hello\n\n"
    assert "isolated" in printed(client, client.execute("print(report['sandbox']['files'])"))

    message = client.execute(SLEEPS)
    wait_until((project / "started").exists, "the command did not start")
    wait_until(lambda: sleepers(SLEEP), "the sleepers did not start")
    manager.interrupt_kernel()
    assert "interrupted" in printed(client, message)
    assert sleepers(SLEEP) == []

    (project / "started").unlink()
    client.execute(SLEEPS)
    wait_until((project / "started").exists, "the command did not start")
    wait_until(lambda: sleepers(SLEEP), "the sleepers did not start")
    assert manager.provisioner is not None
    os.kill(manager.provisioner.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    wait_until(lambda: not sleepers(SLEEP), "a command outlived its kernel")
