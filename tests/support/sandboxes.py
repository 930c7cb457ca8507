"""A sandbox for tests: that of a backend by its name, or a clear word why this machine has none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from missing import missing

from tisslang import sandbox
from tisslang.sandbox.client import Client, Completed
from tisslang.sandbox.policy import PROFILES

BACKENDS = ("namespaces", "landlock")


@contextmanager
def client_of(backend: str, root: Path, **limits: int) -> Iterator[Client]:
    """A running supervisor with this backend, `none` included. In CI none may be missing."""
    profile = PROFILES["none" if backend == "none" else "standard"]
    client, refused = sandbox.attempt(
        profile, os.path.realpath(root), False, {**profile.limits, **limits}, names=[backend]
    )
    if client is None:
        missing(f"no {backend} here: {refused}")
    try:
        yield client
    finally:
        client.close()


def run_in(client: Client, command: str, cwd: Path, **settings: Any) -> Completed:
    """One command, with little around it."""
    settings.setdefault("timeout", 20)
    settings.setdefault("max_output", 1 << 20)
    environment = {"PATH": os.environ["PATH"], "HOME": client.home, "TMPDIR": client.tmp}
    return client.run(command, cwd=str(cwd), environment=environment, **settings)
