"""The directories that a run has for itself: HOME and TMPDIR of its commands, and two of ours.

Beside them lies the canary: a file that a confined command must not get at.
"""

from __future__ import annotations

import os
from typing import Any

from tisslang.sandbox.git.directories import Place, remove


class Scratch:
    """These directories, below `temporary`; all commands of the run share them."""

    def __init__(self, temporary: str) -> None:
        self._base = os.path.join(temporary, f"tiss-{os.urandom(8).hex()}")
        os.mkdir(self._base, 0o700)
        for name in ("home", "tmp", "view"):
            os.mkdir(os.path.join(self._base, name), 0o700)
        with open(self._path("canary"), "w", encoding="ascii") as file:
            file.write("A confined command does not see this.\n")

    def places(self) -> dict[str, Any]:
        """Their paths, as settings."""
        return {
            "writable": [self._path("home"), self._path("tmp")],
            "view": self._path("view"),
            "canary": self._path("canary"),
        }

    def environment(self) -> dict[str, str]:
        """HOME and TMPDIR."""
        return {"HOME": self._path("home"), "TMPDIR": self._path("tmp")}

    def remove(self) -> None:
        """Remove all of it, whatever the commands left there."""
        parent, name = os.path.split(self._base)
        descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with Place(descriptor) as place:
                remove(place, name)
        finally:
            os.close(descriptor)

    def _path(self, name: str) -> str:
        return os.path.join(self._base, name)
