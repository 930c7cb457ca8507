"""What a plan makes of the project's files, as far as that is known without looking into them.

A dry run remembers what the plan itself wrote, made and deleted, by the real places below the root;
a RUN may change anything, so it forgets all of it. A RUN may leave links as well: behind one, two
paths may be the same file, and what is there now says nothing about where a path leads.
"""

import errno
import os
from collections.abc import Iterator
from typing import Any

from tisslang.dry_run.changes import ABSENT, Journal
from tisslang.errors import TissCommandError, TissError
from tisslang.path_walk import refuse_repository
from tisslang.paths import ASK_FIRST, FROM_ROOT, io_error
from tisslang.state import State
from tisslang.values import Value

# What can be known of a place besides the content of a file.
DIRECTORY, MISSING = object(), object()


class PlannedFiles:
    """What is known of the files below the root; each change goes through the journal.

    `known` maps a place to a file's content (perhaps an `Unknown` one), DIRECTORY or MISSING.
    `elsewhere` are the places that other branches of a PARALLEL change meanwhile, None for any
    place: what they hold cannot be known.
    """

    def __init__(
        self, state: State, journal: Journal, elsewhere: frozenset[str] | None = frozenset()
    ) -> None:
        # Replaced when all is forgotten. `linked`: links may be where there are none now.
        self._memory: dict[str, Any] = {"known": {}, "linked": False}
        self._inside: dict[str, set[str]] = {}  # what was ever known to lie in a directory
        self.gone_links: dict[str, bool] = {}  # that the plan deleted
        self._state = state
        self._journal = journal
        self._elsewhere = elsewhere

    @property
    def known(self) -> dict[str, Any]:
        """What is known of each place."""
        known: dict[str, Any] = self._memory["known"]
        return known

    def beside(self, elsewhere: frozenset[str] | None, journal: Journal) -> "PlannedFiles":
        """The files as one branch of a PARALLEL sees them."""
        branch = PlannedFiles(self._state, journal, elsewhere)
        branch.gone_links = dict(self.gone_links)
        branch._memory["linked"] = self._memory["linked"]
        for place, what in self.known.items():
            if not branch._is_changed_elsewhere(place):
                branch._set(place, what)
        return branch

    def place(self, path: str, writing: bool = False, deleting: bool = False) -> str | None:
        """Where a path leads; it is checked as in a run. None where that is not known."""
        if self.gone_links and self._leads_through_gone_link(path):
            return None
        place = self._state.files.check(path, writing, deleting)
        if writing or deleting:
            names = place.split("/") if place else []
            refuse_repository(path, names, lambda depth, name: self._has(names[:depth], name))
        return place if place == plain_path(path) or not self._memory["linked"] else None

    def what(self, place: str | None) -> Any:
        """What is known of a place: a content, DIRECTORY, MISSING, or None for nothing."""
        if place is None:
            return None
        if place == "":  # the root
            return DIRECTORY
        if place in self.known:
            return self.known[place]
        above = next((self.known[up] for up in _above(place) if up in self.known), DIRECTORY)
        return None if above is DIRECTORY else MISSING

    def exists(self, place: str | None) -> bool | None:
        """Whether something is there; None when that is not known."""
        what = self.what(place)
        return None if what is None else what is not MISSING

    def read(self, path: Value, place: str | None) -> Value | None:
        """The content of a file, None when it is not known; raises `io` where it is certain."""
        what = self.what(place)
        if what is MISSING or what is DIRECTORY:
            raise _io(path, self._why_missing(place) if what is MISSING else errno.EISDIR)
        return what

    def write(self, path: Value, place: str | None, content: Value) -> None:
        """Remember a file; raises `io` where that is certain."""
        if isinstance(path, str) and (path.endswith("/") or self.what(place) is DIRECTORY):
            raise _io(path, errno.EISDIR)
        self._make(path, place, content)

    def make_directory(self, path: Value, place: str | None) -> None:
        """Remember a directory; raises `io` where that is certain."""
        if self.what(place) not in (None, MISSING, DIRECTORY):
            raise _io(path, errno.EEXIST)
        self._make(path, place, DIRECTORY)

    def require_directory(self, path: Value, place: str | None) -> None:
        """Raise `io` where it is certain that no directory is there."""
        what = self.what(place)
        if what is MISSING:
            raise _io(path, self._why_missing(place))
        if what not in (None, DIRECTORY):
            raise _io(path, errno.ENOTDIR)

    def delete(self, path: Value, place: str | None) -> None:
        """Remember that nothing is there; raises `io` where that is certain."""
        what = self.what(place)
        if what is MISSING:
            raise _io(path, self._why_missing(place), ASK_FIRST)
        inside = self._inside.get(place or "", ())
        if what is DIRECTORY and any(self.exists(inner) for inner in inside):
            raise _io(path, errno.ENOTEMPTY)
        if place is not None and what is None and self._is_link(place):
            self._journal.change(self.gone_links, place, True)
        self._forget_other_names(place)
        self._remember(place, MISSING)

    def forget(self, place: str | None = None) -> None:
        """Forget one place, or everything."""
        if place is not None:
            self._set(place, ABSENT)
        elif self.known or not self._memory["linked"]:
            self._journal.change(self._memory, "known", {})
            self._journal.change(self._memory, "linked", True)

    def changes_since(self, start: int) -> dict[str, Any] | None:
        """What is known of the places that were changed; None when everything was forgotten."""
        if self._journal.since(start, self._memory):
            return None
        return {place: self.known.get(place) for place in self._journal.since(start, self.known)}

    def join(self, ways: list[dict[str, Any] | None], cut_short: bool) -> None:
        """Keep what holds behind several ways; nothing that changed in one that was cut short."""
        if None in ways:
            self.forget()
            return
        for place in sorted(set().union(*filter(None, ways))):
            before = self.known.get(place)
            first, *others = [(way or {}).get(place, before) for way in ways]
            if first is None or cut_short or any(other != first for other in others):
                self.forget(place)
            else:
                self._remember(place, first)

    def take_over(self, changes: dict[str, Any], gone_links: set[str]) -> None:
        """Take over what somebody else changed."""
        if self._memory["linked"] and any(
            self.known.get(place) != what for place, what in changes.items()
        ):
            self.forget()
            changes = {}
        for place, what in changes.items():
            self._set(place, ABSENT if what is None else what)
        for link in gone_links:
            self._journal.change(self.gone_links, link, True)

    def _make(self, path: Value, place: str | None, what: Any) -> None:
        """Remember a file or a directory, and the directories in which it lies."""
        missing = []
        for up in _above(place or ""):
            known = self.known.get(up)
            if known is DIRECTORY:
                break
            if known not in (None, MISSING):
                raise _io(path, errno.ENOTDIR)
            missing.append(up)
        self._forget_other_names(place)
        for up in missing:
            self._remember(up, DIRECTORY)
        self._remember(place, what)

    def _remember(self, place: str | None, what: Any) -> None:
        if place is None:  # it could be any of those that are known
            self.forget()
        elif self._is_changed_elsewhere(place):
            self.forget(place)
        else:
            self._set(place, what)

    def _forget_other_names(self, place: str | None) -> None:
        """Before a place is changed: forget what could be the same file under another name."""
        if self._memory["linked"] and place is not None:
            for other in {*self.known} - {place, *_above(place)}:
                self.forget(other)

    def _set(self, place: str, what: Any) -> None:
        self._journal.change(self.known, place, what)
        self._inside.setdefault(os.path.dirname(place), set()).add(place)

    def _is_changed_elsewhere(self, place: str) -> bool:
        if self._elsewhere is None:
            return True
        if self._elsewhere and self._memory["linked"]:  # it may be one of them under another name
            return True
        return any(
            place == other or place in _above(other) or other in _above(place)
            for other in self._elsewhere
        )

    def _why_missing(self, place: str | None) -> int:
        above = (self.known[up] for up in _above(place or "") if up in self.known)
        return errno.ENOENT if next(above, MISSING) in (MISSING, DIRECTORY) else errno.ENOTDIR

    def _is_link(self, place: str) -> bool:
        return os.path.islink(os.path.join(self._state.files.root, place))

    def _leads_through_gone_link(self, path: str) -> bool:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        for count in range(1, len(parts) + 1):
            try:
                entry = self._state.files.check("/".join(parts[:count]), deleting=True)
            except TissError:  # a beginning of the path that may not be deleted is no such link
                continue
            if entry in self.gone_links:
                return True
        return False

    def _has(self, directory: list[str], name: str) -> bool:
        """Whether a directory has an entry of this name then."""
        entry = "/".join([*directory, name])
        exists = self.exists(entry)
        if exists is None:
            return os.path.lexists(os.path.join(self._state.files.root, entry))
        return exists


def plain_path(path: str) -> str:
    """Where a path leads if nothing in it is a link or `..`."""
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _above(place: str) -> Iterator[str]:
    """The directories that a place lies in, the innermost first, without the root."""
    while place := os.path.dirname(place):
        yield place


def _io(path: Value, code: int, hint_if_missing: str = FROM_ROOT) -> TissCommandError:
    """The error of a run that meets an error of the system with this number."""
    return io_error(str(path), OSError(code, os.strerror(code)), hint_if_missing)
