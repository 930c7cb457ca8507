"""Which files below the root a run has changed, and how: what was there before, and after."""

import contextlib
import difflib
import hashlib
import io
import itertools
import os
import stat
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tisslang.terminal import one_line, printable

MAX_FILES = 20_000  # and directories, and whatever else is there
MAX_LISTED = 10 * MAX_FILES  # of one directory
MAX_DEPTH = 40
MAX_SIZE = 100_000  # bytes of a file that is compared line by line
MAX_BYTES = 32_000_000  # that are kept of all files together
MAX_READ = 256_000_000  # that are read
MAX_LINES = 4000  # of two texts that are compared: the time grows with their square
MAX_CHANGES = 200
MAX_DIFF = 4000  # characters of one difference
MAX_DIFFS = 60_000  # of all together

# What tools keep for themselves, or a repository's own records; `node_modules` can be huge.
SKIPPED = {".git", ".hg", ".svn", ".tiss", ".venv", "node_modules", "__pycache__"}
SKIPPED |= {".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
_MARKS_OF_ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")  # a virtual environment has one of them

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_SETTLED = 50_000_000  # nanoseconds after which another change has another time

Mask = Callable[[str], str]
Change = dict[str, Any]


class Entry(NamedTuple):
    """A file as it was: `stamp` tells one state from another, None where the time is too short.

    `text` is None for what is binary (`digest` stands for it) or was not read at all.
    """

    stamp: tuple[int, ...] | None
    text: str | None
    digest: bytes | None


class Snapshot:
    """What lies below `root` now. Links are noted as links and never followed.

    What is unchanged since an `earlier` snapshot is not read again.
    """

    def __init__(self, root: str, earlier: "Snapshot | None" = None) -> None:
        self.files: dict[str, Entry] = {}
        self.skipped: set[str] = set()  # directories that were not looked at
        self.is_whole = True
        self._earlier = earlier.files if earlier else {}
        self._bytes = 0
        self._bytes_read = 0
        self._count = 0
        self._now = time.time_ns()
        with contextlib.suppress(OSError):  # the root is gone: it holds nothing
            directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self._look_into(directory, "", 0)
            finally:
                os.close(directory)

    def _look_into(self, directory: int, prefix: str, depth: int) -> None:
        with os.scandir(directory) as found:
            some = itertools.islice(found, MAX_LISTED)
            entries = sorted(some, key=lambda entry: entry.name)
        if prefix and any(entry.name in _MARKS_OF_ENVIRONMENTS for entry in entries):
            self.skipped.add(prefix)
            return
        for entry in entries:
            if self._count >= MAX_FILES:
                self.is_whole = False
                return
            self._count += 1
            path = prefix + entry.name
            with contextlib.suppress(OSError):  # it has just gone, or may not be read
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(facts.st_mode):
                    self._look_into_next(directory, entry.name, path + "/", depth + 1)
                elif stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode):
                    self.files[path] = self._entry(directory, entry.name, path, facts)

    def _look_into_next(self, directory: int, name: str, prefix: str, depth: int) -> None:
        if name in SKIPPED or depth > MAX_DEPTH:
            self.skipped.add(prefix)
            return
        inner = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=directory)
        try:
            self._look_into(inner, prefix, depth)
        finally:
            os.close(inner)

    def _entry(self, directory: int, name: str, path: str, facts: os.stat_result) -> Entry:
        times = facts.st_mtime_ns, facts.st_ctime_ns
        stamp = (facts.st_mode, facts.st_ino, facts.st_size, *times)
        earlier = self._earlier.get(path)
        if earlier is not None and earlier.stamp == stamp:
            self._bytes += facts.st_size if earlier.text is not None else 0
            return earlier
        kept = None if max(times) > self._now - _SETTLED else stamp
        if stat.S_ISLNK(facts.st_mode):
            return Entry(kept, f"a link to {os.readlink(name, dir_fd=directory)}\n", None)
        if facts.st_size > MAX_SIZE or self._bytes > MAX_BYTES or self._bytes_read > MAX_READ:
            return Entry(stamp, None, None)
        data = _read(directory, name)
        self._bytes_read += len(data)
        if len(data) > MAX_SIZE:  # it has grown meanwhile
            return Entry(stamp, None, None)
        with contextlib.suppress(UnicodeDecodeError):
            if b"\0" not in data:
                text = data.decode()
                self._bytes += len(data)
                return Entry(kept, text, None)
        return Entry(kept, None, hashlib.sha256(data).digest())


def changes_between(
    before: Snapshot, after: Snapshot, mask: Mask = str
) -> tuple[list[Change], str]:
    """The files that are new, changed or deleted, each with a unified diff; and what is missing.

    `mask` hides secrets before anything is compared or cut.
    """
    skipped = tuple(before.skipped | after.skipped)
    changes: list[Change] = []
    room = MAX_DIFFS
    notes = [] if before.is_whole and after.is_whole else [f"more than {MAX_FILES:,} files"]
    for path in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(path), after.files.get(path)
        if path.startswith(skipped) or not _differ(old, new):
            continue
        if (old is None and not before.is_whole) or (new is None and not after.is_whole):
            continue  # it may only have been beyond the limit
        if len(changes) == MAX_CHANGES:
            notes.append(f"more than {MAX_CHANGES} changes")
            break
        changes.append(_change(one_line(mask(path)), old, new, mask, min(MAX_DIFF, room)))
        room -= len(changes[-1]["diff"])
    shown = sorted({one_line(mask(path.rstrip("/"))) for path in skipped})
    notes += shown[:10] + (["…"] if len(shown) > 10 else [])
    return changes, f"not looked at: {', '.join(notes)}" if notes else ""


def _differ(old: Entry | None, new: Entry | None) -> bool:
    if old is None or new is None:
        return old is not new
    if old.stamp is not None and old.stamp == new.stamp:
        return False
    if old.text is None and old.digest is None:  # it was not read
        return old.stamp != new.stamp
    return old[1:] != new[1:]


def _change(path: str, old: Entry | None, new: Entry | None, mask: Mask, room: int) -> Change:
    kind = "new" if old is None else "deleted" if new is None else "changed"
    change = {"path": path, "kind": kind, "diff": "", "binary": False, "clipped": False}
    there = [entry for entry in (old, new) if entry is not None]
    if any(entry.digest is not None for entry in there):
        return change | {"binary": True}
    if any(entry.text is None for entry in there) or room <= 0:
        return change | {"clipped": True}
    before, after = (_lines(mask(entry.text or "") if entry else "") for entry in (old, new))
    if before and after and len(before) + len(after) > MAX_LINES:
        return change | {"clipped": True}
    old_name, new_name = (path if entry else "/dev/null" for entry in (old, new))
    diff = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, after, old_name, new_name)
    )
    return change | {"diff": printable(diff[:room]), "clipped": len(diff) > room}


def _lines(text: str) -> list[str]:
    """The lines with their ends; other than `splitlines` only LF ends one."""
    return list(io.StringIO(text))


def _read(directory: int, name: str) -> bytes:
    """What a file holds; of a long one a little more than MAX_SIZE."""
    descriptor = os.open(name, _OPEN, dir_fd=directory)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # another thing has taken its place
            raise OSError
        return file.read(MAX_SIZE + 1)
