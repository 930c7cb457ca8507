"""The files and directories below the root that a path may name: never what lies outside of it."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from tisslang.linting.paths import sensitive

MOST_ENTRIES = 500
_MOST_LOOKED_AT = 20_000  # a directory may hold very many files beside the directories


def entries(
    root: str | os.PathLike[str], written: str, directories: bool
) -> list[tuple[str, bool]]:
    """The names that may follow the last `/` of what is written, and whether each is a directory.

    Hidden and sensitive files come last. What a run would refuse has no entries: a path that leads
    out of the root, by `..` or by a link.
    """
    head = written.rpartition("/")[0]
    if written.startswith(("/", "~")) or "\\" in written or "\0" in written:
        return []
    try:
        base = Path(root).resolve(strict=True)
        place = (base / head).resolve(strict=True)
        if not place.is_relative_to(base):
            return []
        found: list[tuple[str, bool]] = []
        with os.scandir(place) as listing:
            for entry in islice(listing, _MOST_LOOKED_AT):
                if len(found) == MOST_ENTRIES:
                    break
                if (kind := _kind(entry, base)) is not None and (kind or not directories):
                    found.append((entry.name, kind))
    except (OSError, ValueError, RuntimeError):  # it is gone, or may not be read
        return []
    return sorted(found, key=lambda each: (is_private(each[0]), each[0].casefold(), each[0]))


def is_private(name: str) -> bool:
    """Whether a plan should rather not name this file."""
    return name.startswith(".") or sensitive(name) is not None


def _kind(entry: os.DirEntry[str], base: Path) -> bool | None:
    """Whether an entry is a directory; None for what no path of a script can name."""
    if not entry.name.isprintable() or "\\" in entry.name:
        return None
    try:
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(base):
            return None
        return entry.is_dir()
    except (OSError, RuntimeError):  # a link that leads to itself
        return None
