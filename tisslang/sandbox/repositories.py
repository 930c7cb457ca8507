"""What a command did to version control is undone, so that the next `git` runs nothing of it.

`git` runs what it finds in a `.git` directory: hooks, programs named in a `config`, whatever other
directories a `commondir` or a `modules` leads to. A repository that exists before a command is
therefore made what it was, wherever the command has moved it; of one that the command made there
stays what runs nothing. Directories are known by device and inode, and by a descriptor that is held
on them, never by their path. `git` itself is never asked: it would run what is looked for.
"""

from __future__ import annotations

import errno
import os
import stat

from tisslang.sandbox.directories import (
    Moved,
    Place,
    Walk,
    hold,
    identity,
    is_below,
    look,
    name_of,
    remove,
)
from tisslang.sandbox.git_config import MAX_CONFIG, cleaned
from tisslang.sandbox.snapshots import (
    GuardError,
    Log,
    Node,
    Snapshots,
    read_file,
    restore,
    write_file,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tisslang.sandbox.directories import Identity

# Each entry of a `.git` directory that makes git run something, with the way in which it does.
GUARDED = frozenset(
    {
        "hooks",  # programs
        "config",  # names of programs, and of other files of configuration
        "config.worktree",  # the same
        "commondir",  # another directory to take hooks and config from
        "info",  # attributes, which choose the filters of the configuration
        "modules",  # the repositories of submodules
        "worktrees",  # those of other work trees
        "rebase-merge",  # lists of commands that `git rebase --continue` goes on with
        "rebase-apply",
        "sequencer",
        "remotes",  # the old form of remotes: `git push` runs the hooks of a repository nearby
        "branches",
    }
)
_SAMPLES = 1 << 20  # bytes of all sample hooks of a new repository together; git's own need 25,000

_GIT, _TISS = ".git", ".tiss"
_MOST_LINKS = 40  # on one way; as for the kernel
_ATTEMPTS = 3


class Repository:
    """A `.git` or `.tiss` that exists when a command starts. Paths are relative to the root."""

    __slots__ = ("guarded", "is_directory", "path")

    def __init__(self, path: str, is_directory: bool, guarded: list[str]) -> None:
        self.path = path
        self.is_directory = is_directory  # False: guarded as a whole
        self.guarded = guarded  # the files and directories that the command must not change

    def __repr__(self) -> str:
        return f"Repository({self.path!r}, {self.is_directory}, {self.guarded!r})"


class _Known:
    """A `.git` or `.tiss` as it was before the command."""

    __slots__ = ("entries", "links", "name", "own", "parent", "path", "whole")

    def __init__(self, path: str, parent: Identity, own: Identity | None) -> None:
        self.path = path
        self.name = path.rpartition("/")[2]
        self.parent = parent  # the directory that it is in
        self.own = own  # of a directory of which some entries are guarded, else None
        self.entries: dict[str, Node] = {}  # these entries
        self.links: list[tuple[list[str], str]] = []  # in them, with their texts
        self.whole: Node | None = None  # what is guarded as a whole

    def is_same(self, other: _Known) -> bool:
        return (self.own, self.parent, self.name) == (other.own, other.parent, other.name)


class RepositoryGuard:
    """Guards the repositories below `root`, and its `.tiss`, from the commands that run there.

    `before` and `after` raise `GuardError` when they cannot do what they promise.
    """

    def __init__(self, root: str) -> None:
        self._names = root.strip("/").split("/")
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._top = identity(os.fstat(self._root))
        self._walk = Walk(self._root, frozenset({_GIT}), frozenset({_GIT, _TISS}))
        self._held: dict[Identity, int] = {}  # a descriptor of each known `.git` and its parent
        self._is_ready = False
        self._known: list[_Known] = []
        self._targets: dict[str, Node | None] = {}  # what links in guarded trees lead to, by path

    def close(self) -> None:
        """Give all descriptors back."""
        self._let_go(set())
        os.close(self._root)

    def before(self) -> list[Repository]:
        """Remember what is there when a command starts: the repositories, sorted by path."""
        try:
            return self._repeat(self._remember)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                hint = "raise the limit of open files (ulimit -n)"
                raise GuardError(f"too many repositories below the root: {hint}") from error
            raise GuardError(f"version control cannot be guarded: {error}") from error

    def after(self) -> list[str]:
        """Undo what was done since `before`, when every process of the command is dead.

        Returns the paths that were undone, sorted.
        """
        if not self._is_ready:  # all repositories would be taken for new ones
            raise GuardError("version control cannot be put right: it was not looked at before")
        log = Log()
        try:
            paths = self._repeat(lambda: self._undo(log))
        except OSError as error:
            raise GuardError(f"version control could not be put right: {error}") from error
        if log.failure:
            raise GuardError(f"version control could not be put right: {log.failure}")
        return paths

    def _repeat(self, act: Callable[[], list[Any]]) -> list[Any]:
        for _ in range(_ATTEMPTS):
            try:
                return act()
            except (Moved, FileNotFoundError, NotADirectoryError):
                continue  # what was there a moment ago is gone: something else is at work here
        raise GuardError("version control cannot be guarded: directories keep moving")

    # Before a command

    def _remember(self) -> list[Repository]:
        found: list[_Known] = []
        self._walk.run(lambda place, name: found.append(self._meet(place, name)))
        found.sort(key=lambda known: known.path)
        snapshots = Snapshots()
        old = {(known.parent, known.name): known for known in self._known}
        for known in found:
            before = old.get((known.parent, known.name))
            self._take(known, snapshots, before if before and before.is_same(known) else None)
        targets: dict[str, Node | None] = {}
        repositories = [self._describe(known, snapshots, targets) for known in found]
        self._known, self._targets, self._is_ready = found, targets, True
        self._let_go({one for known in found for one in (known.parent, known.own)})
        return repositories

    def _meet(self, place: Place, name: str) -> _Known:
        parent = self._hold(".", place.descriptor)
        status = os.stat(name, dir_fd=place.descriptor, follow_symlinks=False)
        is_directory = stat.S_ISDIR(status.st_mode) and name.casefold() == _GIT
        own = self._hold(name, place.descriptor) if is_directory else None
        return _Known(place.path(name), parent, own)

    def _hold(self, name: str, directory: int) -> Identity:
        descriptor = hold(name, directory)
        known = identity(os.fstat(descriptor))
        if known in self._held:
            os.close(descriptor)
        else:
            self._held[known] = descriptor
        return known

    def _let_go(self, all_but: set[Identity | None]) -> None:
        for known in [known for known in self._held if known not in all_but]:
            os.close(self._held.pop(known))

    def _take(self, known: _Known, snapshots: Snapshots, old: _Known | None) -> None:
        names = known.path.split("/")
        if known.own is None:
            with Place(self._held[known.parent], names[:-1]) as place:
                known.whole = snapshots.take(place, known.name, old.whole if old else None)
            snapshots.links.clear()  # where they lead is no part of `.git`
            return
        with Place(self._held[known.own], names) as place:
            for name in os.listdir(place.descriptor):
                if name.casefold() in GUARDED:
                    node = snapshots.take(place, name, old.entries.get(name) if old else None)
                    if node is not None:
                        known.entries[name] = node
        known.links, snapshots.links = snapshots.links, []

    def _describe(
        self, known: _Known, snapshots: Snapshots, targets: dict[str, Node | None]
    ) -> Repository:
        """What the caller is told. What links in guarded trees lead to is remembered on the way."""
        if known.own is None:
            guarded = [known.path] if _is_mountable(known.whole) else []
            return Repository(known.path, False, guarded)
        entries = {f"{known.path}/{name}": node for name, node in known.entries.items()}
        guarded = [path for path, node in entries.items() if _is_mountable(node)]
        links = known.links
        while links:
            names, text = links.pop()
            for way in self._resolve(names[:-1], text):
                path = "/".join(way)
                if f"{known.path}/".startswith(f"{path}/" if way else ""):
                    link = "/".join(names)
                    raise GuardError(f"{link}: leads to a directory that holds the repository")
                if path in targets or any(f"{path}/".startswith(f"{one}/") for one in guarded):
                    continue
                node = targets[path] = self._take_at(way, snapshots, self._targets.get(path))
                links += snapshots.links
                snapshots.links = []
                if _is_mountable(node):
                    guarded.append(path)
        return Repository(known.path, True, guarded)

    def _resolve(self, directory: list[str], text: str) -> list[list[str]]:
        """Where a link leads, as names from the root: further links on its way, and then its end.

        What lies outside the root is left out.
        """
        passed: list[list[str]] = []
        here = directory
        todo: list[str] | None = [text]
        while todo:
            first, *todo = todo
            if first.startswith("/"):
                here, todo = [], self._inside([*first.split("/"), *todo])
            elif "/" in first:
                todo = [*first.split("/"), *todo]
            elif first == ".." and not here:
                todo = self._inside([*self._names[:-1], *todo])
            elif first == "..":
                here = here[:-1]
            elif first not in ("", "."):
                target = self._link_text(here, first)
                if target is None:
                    here = [*here, first]
                    continue
                passed.append([*here, first])
                if len(passed) > _MOST_LINKS:
                    return passed
                todo = [target, *todo]
        return passed if todo is None else [*passed, here]

    def _inside(self, names: list[str]) -> list[str] | None:
        """What remains of an absolute path behind the root; None when it does not pass there."""
        for end in range(len(names) + 1):
            try:
                if identity(os.stat("/" + "/".join(names[:end]))) == self._top:
                    return names[end:]
            except OSError:
                return None
        return None

    def _link_text(self, directory: list[str], name: str) -> str | None:
        with Place(self._root) as place:
            try:
                for above in directory:
                    place.enter(above)
                return os.readlink(name, dir_fd=place.descriptor)
            except OSError:  # no link, or nothing at all
                return None

    def _take_at(self, way: list[str], snapshots: Snapshots, old: Node | None) -> Node | None:
        with Place(self._root) as place:
            try:
                for above in way[:-1]:
                    place.enter(above)
            except OSError:
                return None
            return snapshots.take(place, way[-1], old)

    # After it

    def _undo(self, log: Log) -> list[str]:
        log.failure = log.base = ""
        below: set[Identity] = set()
        self._bring_home(log, below)
        for known in self._known:
            holder = known.own or known.parent
            if not is_below(self._held[holder], self._top, below):
                log.undo(known.path)  # deleted: nothing can be put right there
                continue
            log.base = f"{known.path}/" if known.own else known.path.removesuffix(known.name)
            try:
                with Place(self._held[holder]) as place:
                    _restore(place, known, log, holder)
            except OSError as error:
                log.fail("", error)
        log.base = ""
        for path, node in self._targets.items():
            with Place(self._root) as place:
                _restore_target(place, path.split("/"), node, log)
        own = {known.own for known in self._known}
        whole = {(known.parent, known.name) for known in self._known if known.own is None}
        holders = frozenset(holder for holder, _ in log.undone if holder is not None)
        places = self._walk.run(lambda place, name: _judge(place, name, own, whole, log), holders)
        return self._report(log, places)

    def _bring_home(self, log: Log, below: set[Identity]) -> None:
        """Move every `.git` directory back to where it was, if both places still exist."""
        moved: list[tuple[_Known, str]] = []
        for known in self._known:
            if known.own is None:
                continue
            home, own = self._held[known.parent], self._held[known.own]
            try:
                with Place(home) as place:
                    status = look(known.name, place.descriptor)
                    if status is not None and identity(status) == known.own:
                        continue
                if is_below(own, self._top, below) and is_below(home, self._top, below):
                    # First all are taken out of what has to be removed, under other names.
                    temporary = f".{os.urandom(8).hex()}.tmp"
                    _move(known.own, own, home, temporary)
                    moved.append((known, temporary))
            except OSError as error:
                log.fail(known.path, error)
        for known, temporary in moved:
            try:
                with Place(self._held[known.parent]) as place:
                    remove(place, known.name)
                    place.make_writable()
                    os.rename(
                        temporary,
                        known.name,
                        src_dir_fd=place.descriptor,
                        dst_dir_fd=place.descriptor,
                    )
                    log.undo(known.name, known.parent)
            except OSError as error:
                log.fail(f"{known.path} (kept as {temporary} there)", error)

    def _report(self, log: Log, places: dict[Identity, str]) -> list[str]:
        remembered: dict[Identity | None, str] = {None: ""}
        for known in self._known:
            remembered[known.parent] = known.path.rpartition("/")[0]
            if known.own is not None:
                remembered[known.own] = known.path
        paths: set[str] = set()
        for holder, path in log.undone:
            base = ""
            if holder is not None and holder != self._top:
                base = places.get(holder, remembered[holder])
            paths.add(f"{base}/{path}" if base else path)
        more = [f"… and {log.left_out} more"] if log.left_out else []
        return sorted(paths) + more


def _is_mountable(node: Node | None) -> bool:
    return node is not None and node.kind in (stat.S_IFREG, stat.S_IFDIR)


def _restore(place: Place, known: _Known, log: Log, holder: Identity) -> None:
    if known.own is None:
        restore(place, known.name, known.whole, log, holder)
        return
    for name in os.listdir(place.descriptor):
        if name.casefold() in GUARDED and name not in known.entries:
            restore(place, name, None, log, holder)
    for name, node in known.entries.items():
        restore(place, name, node, log, holder)


def _restore_target(place: Place, way: list[str], node: Node | None, log: Log) -> None:
    """Restore what a link leads to; the directories above it were no links either."""
    name = ""
    try:
        for name in way[:-1]:
            status = look(name, place.descriptor)
            if status is None or not stat.S_ISDIR(status.st_mode):
                if remove(place, name):
                    log.undo(place.path(name))
                if node is None:
                    return
                place.make_writable()
                os.mkdir(name, 0o755, dir_fd=place.descriptor)
            place.enter(name)
    except OSError as error:
        log.fail(place.path(name), error)
        return
    restore(place, way[-1], node, log)


def _move(known: Identity, own: int, home: int, new_name: str) -> None:
    """Move a held directory, wherever it is now, into the directory `home`."""
    with Place(home) as target, Place(own) as original:
        target.make_writable()
        original.make_writable()  # its `..` changes
        above = hold("..", original.descriptor)
        try:
            with Place(above) as source:
                source.make_writable()
                name = name_of(known, source)
                if name is None:
                    raise FileNotFoundError(errno.ENOENT, "was moved meanwhile")
                os.rename(
                    name, new_name, src_dir_fd=source.descriptor, dst_dir_fd=target.descriptor
                )
        finally:
            os.close(above)


def _judge(
    place: Place, name: str, own: set[Identity | None], whole: set[tuple[Identity, str]], log: Log
) -> None:
    """An entry that looks like a repository: if the command made it, leave of it what is safe."""
    try:
        status = look(name, place.descriptor)
        if status is None or (place.identity(), name) in whole:
            return
        if not stat.S_ISDIR(status.st_mode) or name.casefold() != _GIT:
            remove(place, name)
            log.undo(place.path(name))
        elif identity(status) not in own:
            _clean(place, name, log)
    except FileNotFoundError:
        return  # another command removed it meanwhile
    except OSError as error:
        log.fail(place.path(name), error)


def _clean(place: Place, name: str, log: Log) -> None:
    """Leave of a new `.git` directory what runs nothing."""
    depth = place.depth()
    place.enter(name)
    for entry in os.listdir(place.descriptor):
        if entry.casefold() not in GUARDED:
            continue
        try:
            status = os.stat(entry, dir_fd=place.descriptor, follow_symlinks=False)
            kind = stat.S_IFMT(status.st_mode)
            if entry == "hooks" and kind == stat.S_IFDIR:
                _keep_only(place, entry, lambda name: name.endswith(".sample"), log)
            elif entry == "info" and kind == stat.S_IFDIR:
                _keep_only(place, entry, lambda name: name == "exclude", log)
            elif entry == "branches" and kind == stat.S_IFDIR:
                _keep_only(place, entry, lambda name: False, log)
            elif entry == "config" and kind == stat.S_IFREG:
                _cut_config(place, entry, status, log)
            else:
                remove(place, entry)
                log.undo(place.path(entry))
        except FileNotFoundError:  # another command removed it meanwhile
            place.climb(depth + 1)
        except OSError as error:
            place.climb(depth + 1)
            log.fail(place.path(entry), error)
    place.leave()


def _keep_only(place: Place, name: str, is_kept: Callable[[str], bool], log: Log) -> None:
    """Remove from a directory all but the regular files, not too many, with such a name."""
    place.enter(name)
    left = _SAMPLES
    for entry in os.listdir(place.descriptor):
        status = os.stat(entry, dir_fd=place.descriptor, follow_symlinks=False)
        size = status.st_size + len(entry)
        if stat.S_ISREG(status.st_mode) and is_kept(entry) and size <= left:
            left -= size
            continue
        remove(place, entry)
        log.undo(place.path(entry))
    place.leave()


def _cut_config(place: Place, name: str, status: os.stat_result, log: Log) -> None:
    data = read_file(place, name, MAX_CONFIG)
    if data is None:
        remove(place, name)
        log.undo(place.path(name))
        return
    clean = cleaned(data)
    if clean == data and status.st_nlink == 1:
        return
    try:
        write_file(place, name, clean, 0o644)  # a new file: another name of it may lie outside
    except OSError:
        remove(place, name)
        raise
    if clean != data:
        log.undo(place.path(name))
