"""Which exercises are solved: known to this process, and kept in a small file for tomorrow.

The file is `.qt-progress.json` in the current folder, or the one that the environment variable
`QT_PROGRESS` names; when that is empty, nothing is kept. Delete the file to begin again.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from qt.files import write_atomic

_this_process: set[str] = set()


def solved() -> set[str]:
    """The ids of all exercises that passed. A file that cannot be read counts as empty."""
    return _this_process | (_in_file() or set())


def remember(id: str) -> None:
    """Note that `id` is solved. A file that is not ours, or cannot be written, is left alone."""
    _this_process.add(id)
    kept = _in_file()
    if kept is None or id in kept:
        return
    text = json.dumps({"solved": sorted(kept | _this_process)}, indent=1) + "\n"
    with contextlib.suppress(OSError):  # a folder that may only be read must not stop a lesson
        write_atomic(_path(), text)


def _path() -> Path:
    return Path(os.environ.get("QT_PROGRESS", ".qt-progress.json"))


def _in_file() -> set[str] | None:
    """The ids in the file, none when there is no file, None when it is not one of ours."""
    if os.environ.get("QT_PROGRESS") == "":
        return None
    try:
        return set(json.loads(_path().read_text(encoding="utf-8"))["solved"])
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError):
        return None
