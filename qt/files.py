"""Files that are whole or not there: write beside the place, sync, rename.

A crash, a full disk or Ctrl-C leaves the old file as it was.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_atomic(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Replace `path` by `data` (text as UTF-8, line ends unchanged) in one step.

    Raises `OSError` when it cannot; then nothing has changed and nothing is left behind.
    """
    path = Path(path)
    content = data.encode("utf-8") if isinstance(data, str) else data
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: str | os.PathLike[str]) -> None:
    """Make renames inside `directory` survive a power cut. Does nothing where the system cannot."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
