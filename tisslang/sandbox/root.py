"""The project's root: the same directory for every command of a run, and the way below it.

A path is only a name. Whoever may rename directories above the root, or in it, could put another
one in its place between two commands; so directories are known by device and inode.
"""

from __future__ import annotations

import os
from typing import Any

from tisslang.sandbox.git.directories import identity

Settings = dict[str, Any]
_HOLD = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_NOFOLLOW", 0) | os.O_CLOEXEC


class Replaced(Exception):
    """A directory is not the one that it was when the run began."""


def known_as(place: str | int) -> list[int]:
    """The identity of a path or descriptor, as settings can hold it."""
    return list(identity(os.fstat(place) if isinstance(place, int) else os.lstat(place)))


def open_root(settings: Settings) -> int:
    """A descriptor of the root. Raises `Replaced` when another directory has its name."""
    root = os.open(settings["root"], _HOLD | os.O_DIRECTORY)
    if known_as(root) != settings["root_identity"]:
        os.close(root)
        raise Replaced("another directory has taken the place of the project root")
    return root


def open_below(root: str, path: str) -> int:
    """A descriptor of a file or directory below the root, no link followed on the way."""
    place = os.open(root, _HOLD | os.O_DIRECTORY)
    for name in path.split("/"):
        try:
            below = os.open(name, _HOLD, dir_fd=place)
        finally:
            os.close(place)
        place = below
    return place


def require_protected(settings: Settings) -> None:
    """Raises `Replaced` when what must stay read-only is not where it was when the run began."""
    for path, known in settings["protected_identities"].items():
        try:
            place = open_below(settings["root"], path)
        except OSError:
            raise Replaced(f"{path}, from which Python runs, is gone from the project") from None
        found = known_as(place)
        os.close(place)
        if found != known:
            raise Replaced(f"{path}, from which Python runs, was replaced in the project")
