"""Files that are whole or not there: written beside the place, synced, renamed."""

import os
from pathlib import Path


def write_atomic(path: str | os.PathLike[str], *data: bytes | str | memoryview) -> None:
    """Replace `path` by the pieces of `data` (text as UTF-8, line ends unchanged) in one step.

    Raises `OSError` when it cannot; then, as after a crash or Ctrl-C, the old file is as it was.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with beside.open("wb") as file:
            file.writelines(p.encode("utf-8") if isinstance(p, str) else p for p in data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: str | os.PathLike[str]) -> None:
    """Make renames inside `directory` survive a power cut. Does nothing where the system cannot."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
