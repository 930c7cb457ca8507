"""Going down a tree of directories that may be hostile: to look at it all, or to remove it.

Everything is done on directory descriptors that never follow a link, so that a tree which changes
meanwhile can confuse a descent but never lead it elsewhere. Nothing here recurses, and few
descriptors are open at a time: a command can nest a hundred thousand directories.
"""

from __future__ import annotations

import os
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Identity = tuple[int, int]  # device and inode

_PATH = getattr(os, "O_PATH", 0)  # Linux alone has it: a directory that is held, not opened
_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_HOLD = _LIST | _PATH

# A change within one tick of the file system's clock leaves the time of change as it was. So what
# changed less than this before it was read is read again when it is looked at again.
RACY = 3_000_000_000  # nanoseconds: a tick of at most two seconds, and one for the reading

_KEPT = 16  # so many directories at the top of a way stay open; below them the way up is `..`

_CAN_WALK = stat.S_IRUSR | stat.S_IXUSR
_CAN_CHANGE = stat.S_IRWXU


class Moved(Exception):
    """A directory was moved while a descent was below it; the descent must begin again."""


def identity(status: os.stat_result) -> Identity:
    """What makes a file known under any name."""
    return status.st_dev, status.st_ino


def hold(name: str, directory: int) -> int:
    """A descriptor that keeps a directory known wherever it is moved, and needs no right to it."""
    return os.open(name, _HOLD, dir_fd=directory)


def look(name: str, directory: int) -> os.stat_result | None:
    """What a name stands for, links not followed; None when nothing has this name."""
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


class Place:
    """One open directory, and the way down to it from where the descent began.

    `names` is that way, behind the names given for the start. A directory that its owner has locked
    is opened up while the descent is in it or below it, and has its mode back afterwards.
    """

    __slots__ = ("_kept", "_way", "descriptor", "names")

    def __init__(self, start: int, names: list[str] | None = None) -> None:
        self.names = names or []
        # The start and each directory entered: what it is, and its mode if it must be given back.
        self._way: list[tuple[Identity, int | None]] = []
        self._kept: list[int] = []  # descriptors of the first of them
        self.descriptor = -1
        self._open(".", start)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if any(mode is not None for _, mode in self._way):
                self.climb(0)
        except Moved:
            pass
        self._give_mode_back()
        for descriptor in (*self._kept, self.descriptor):
            os.close(descriptor)

    def path(self, name: str) -> str:
        """The path of an entry of this directory."""
        return "/".join([*self.names, name])

    def enter(self, name: str) -> os.stat_result:
        """Go down into a directory; `OSError` leaves the descent where it was."""
        status = self._open(name, self.descriptor)
        self.names.append(name)
        return status

    def leave(self) -> None:
        """Go up again, with the way checked: raises `Moved` when it leads elsewhere."""
        kept = self.depth() == len(self._kept)
        try:
            above = self._kept.pop() if kept else os.open("..", _LIST, dir_fd=self.descriptor)
        except OSError as error:
            raise Moved from error
        self._give_mode_back()
        os.close(self.descriptor)
        self.descriptor = above
        self._way.pop()
        self.names.pop()
        if not kept and identity(os.fstat(above)) != self._way[-1][0]:
            self._way = [(self._way[-1][0], None)]  # no mode is given to a strange directory
            raise Moved

    def identity(self) -> Identity:
        """What this directory is."""
        return self._way[-1][0]

    def depth(self) -> int:
        """How many directories were entered and not left."""
        return len(self._way) - 1

    def climb(self, depth: int) -> None:
        """Leave until `depth` is reached again."""
        while self.depth() > depth:
            self.leave()

    def mode(self) -> int:
        """The mode of this directory, apart from what the descent has opened up."""
        mode = self._way[-1][1]
        return stat.S_IMODE(os.fstat(self.descriptor).st_mode) if mode is None else mode

    def make_writable(self) -> None:
        """Let its owner change this directory until the descent leaves it."""
        self._unlock(stat.S_IMODE(os.fstat(self.descriptor).st_mode), _CAN_CHANGE)

    def leave_with_mode(self, mode: int) -> None:
        """Give this directory another mode when the descent leaves it."""
        self._way[-1] = self._way[-1][0], mode

    def _open(self, name: str, directory: int) -> os.stat_result:
        """Open a directory and close the one before; return what it was when it was found."""
        locked: int | None = None
        try:
            below = os.open(name, _LIST, dir_fd=directory)
            status = os.fstat(below)
        except PermissionError:
            below, status = _open_locked(name, directory)
            locked = stat.S_IMODE(status.st_mode)
        if len(self._kept) < len(self._way) <= _KEPT:
            self._kept.append(self.descriptor)
        elif self._way:
            os.close(self.descriptor)
        self.descriptor = below
        self._way.append((identity(status), locked))
        if locked is None:
            self._unlock(stat.S_IMODE(status.st_mode), _CAN_WALK)
        return status

    def _unlock(self, mode: int, needed: int) -> None:
        if mode & needed == needed:  # not even the superuser is free of it in every container
            return
        known, old_mode = self._way[-1]
        try:
            os.fchmod(self.descriptor, mode | needed)
        except OSError:  # not ours: what it allows must do
            return
        self._way[-1] = known, mode if old_mode is None else old_mode

    def _give_mode_back(self) -> None:
        mode = self._way[-1][1]
        if mode is not None:
            os.fchmod(self.descriptor, mode)  # it is ours: its mode was changed before


def _open_locked(name: str, directory: int) -> tuple[int, os.stat_result]:
    """Open a directory whose mode forbids it, if it is ours; return what it was before."""
    if not _PATH:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        mode = stat.S_IMODE(status.st_mode) | _CAN_WALK
        os.chmod(name, mode, dir_fd=directory, follow_symlinks=False)
        return os.open(name, _LIST, dir_fd=directory), status
    # "." of a locked directory cannot be looked up, but a held one needs no look-up.
    held = directory if name == "." else hold(name, directory)
    try:
        status = os.fstat(held)
        mode = stat.S_IMODE(status.st_mode)
        os.chmod(f"/proc/self/fd/{held}", mode | _CAN_WALK)
        try:
            return os.open(".", _LIST, dir_fd=held), status
        except OSError:  # the owner's rights are not ours, though we may give them
            os.chmod(f"/proc/self/fd/{held}", mode)
            raise
    finally:
        if held != directory:
            os.close(held)


def is_below(held: int, root: Identity, known: set[Identity]) -> bool:
    """Whether a held directory still lies in the directory `root`, or is it.

    `known` are directories that were found there before; those that are found now are added.
    """
    way: list[Identity] = []
    here = os.dup(held)
    try:
        while True:
            way.append(identity(os.fstat(here)))
            if way[-1] == root or way[-1] in known:
                known.update(way)
                return True
            if way[-1:] == way[-2:-1]:  # only "/" is its own parent
                return False
            with Place(here) as place:
                if len(way) == 1 and _is_deleted(place):
                    return False
                above = hold("..", place.descriptor)
            os.close(here)
            here = above
    except OSError:
        return False
    finally:
        os.close(here)


def _is_deleted(place: Place) -> bool:
    if not os.fstat(place.descriptor).st_nlink:
        return True
    # Some file systems count no links of directories. But what is deleted lists as empty.
    with os.scandir(place.descriptor) as entries:
        if next(entries, None) is not None:
            return False
    above = hold("..", place.descriptor)
    try:
        with Place(above) as parent:
            return name_of(place.identity(), parent) is None
    finally:
        os.close(above)


def name_of(known: Identity, place: Place) -> str | None:
    """The name of a directory in the one it is in; None if it is not there."""
    for name in os.listdir(place.descriptor):
        status = look(name, place.descriptor)
        if status is not None and identity(status) == known:
            return name
    return None


def remove(place: Place, name: str) -> bool:
    """Remove what has this name, a directory with all that is in it; False if nothing has it."""
    depth = place.depth()
    try:
        place.make_writable()
        status = look(name, place.descriptor)
        if status is None:
            return False
        if not stat.S_ISDIR(status.st_mode):
            os.unlink(name, dir_fd=place.descriptor)
            return True
        place.enter(name)
        pending = [_remove_files(place)]  # at each level, the directories that are left
        while pending:
            if pending[-1]:
                place.enter(pending[-1].pop())
                pending.append(_remove_files(place))
            else:
                pending.pop()
                empty = place.names[-1]
                place.leave()
                os.rmdir(empty, dir_fd=place.descriptor)
        return True
    except OSError:
        place.climb(depth)
        raise


def _remove_files(place: Place) -> list[str]:
    place.make_writable()
    directories: list[str] = []
    with os.scandir(place.descriptor) as entries:
        for entry in list(entries):  # complete before the first removal
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
            else:
                os.unlink(entry.name, dir_fd=place.descriptor)
    return directories


class _Listed:
    """What a directory held when it was listed last."""

    __slots__ = ("_changed", "_settled", "directories", "found", "telling")

    def __init__(self, status: os.stat_result) -> None:
        self._changed = status.st_ctime_ns
        self._settled = self._changed < time.time_ns() - RACY
        self.directories: list[str] = []
        self.found: list[str] = []
        self.telling: list[str] = []  # case-folded

    def is_current(self, status: os.stat_result) -> bool:
        return self._settled and self._changed == status.st_ctime_ns

    def is_dull(self) -> bool:
        return not self.directories and not self.found and not self.telling


class Walk:
    """Visits a whole tree again and again, and lists only what changed since the last time.

    It looks for entries whose case-folded name is in `names`, or in `top_names` at the top. And of
    each directory it notes which of the case-folded names `telling` there are in it.
    """

    def __init__(
        self,
        root: int,
        names: frozenset[str],
        top_names: frozenset[str],
        telling: frozenset[str] = frozenset(),
    ) -> None:
        self._root = root
        self._names = names
        self._top_names = top_names
        self._telling = telling
        self._known: dict[Identity, _Listed] = {}

    def run(
        self,
        meet: Callable[[Place, str], None],
        notice: Callable[[Place, list[str], list[str]], None],
        wanted: frozenset[Identity] = frozenset(),
    ) -> dict[Identity, str]:
        """Call `meet` for each entry looked for, and return where the directories `wanted` are.

        `notice` is called for each directory in which there are telling names, with these names
        and with those that were there the last time.
        """
        known, self._known = self._known, {}
        paths: dict[Identity, str] = {}
        with Place(self._root) as place:
            pending: list[list[str]] = []

            def visit(status: os.stat_result) -> None:
                before = listed = known.get(place.identity())
                if listed is None or not listed.is_current(status):
                    names = self._names if pending else self._top_names
                    listed = _list(place.descriptor, status, names, self._telling)
                self._known[place.identity()] = listed
                for name in listed.found:
                    meet(place, name)
                if listed.telling:
                    notice(place, listed.telling, before.telling if before else [])
                pending.append(listed.directories.copy())

            visit(os.fstat(place.descriptor))
            while pending:
                if not pending[-1]:
                    pending.pop()
                    if pending:
                        place.leave()
                    continue
                status = self._enter(place, pending[-1].pop(), known, wanted, paths)
                if status is not None:
                    visit(status)
        return paths

    def _enter(
        self,
        place: Place,
        name: str,
        known: dict[Identity, _Listed],
        wanted: frozenset[Identity],
        paths: dict[Identity, str],
    ) -> os.stat_result | None:
        """Go into a directory; None when it need not or cannot be visited."""
        try:
            status = os.stat(name, dir_fd=place.descriptor, follow_symlinks=False)
            here = status.st_dev, status.st_ino
            if here in wanted:
                paths[here] = place.path(name)
            listed = known.get(here)
            if listed is not None and listed.is_current(status) and listed.is_dull():
                self._known[here] = listed
                return None
            return place.enter(name) if stat.S_ISDIR(status.st_mode) else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:  # locked by another user, who then is no command of ours
            return None


def _list(
    directory: int, status: os.stat_result, names: frozenset[str], telling: frozenset[str]
) -> _Listed:
    listed = _Listed(status)
    with os.scandir(directory) as entries:
        for entry in entries:
            name = entry.name.casefold()
            if name in names:
                listed.found.append(entry.name)
            elif name in telling:
                listed.telling.append(name)
            if entry.is_dir(follow_symlinks=False):
                listed.directories.append(entry.name)
    return listed
