"""What a command did to version control is undone, so that the next `git` runs nothing of it.

`git` runs what it finds in a `.git` directory: hooks, programs named in a `config`, whatever other
directories a `commondir` or a `modules` leads to. A repository that exists before a command is
therefore made what it was, wherever the command has moved it; of one that the command made there
stays what runs nothing. Any other directory can be a repository too, and hide a `.git` above it:
one that a command made is treated the same, one that was there is its owner's affair. Directories
are known by device and inode, and by a descriptor that is held on them, never by their path. `git`
itself is never asked: it would run what is looked for.
"""

from __future__ import annotations

import errno
import os
import stat
from itertools import pairwise

from tisslang.sandbox.git.directories import (
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
from tisslang.sandbox.git.git_directory import Frame, clean, has_head, keep_frame, take_frame
from tisslang.sandbox.git.names import GUARDED, TELLING, may_be_repository
from tisslang.sandbox.git.snapshots import GuardError, Log, Node, Snapshots, restore
from tisslang.sandbox.git.targets import Targets, is_mountable, restore_targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tisslang.sandbox.git.directories import Identity

_GIT, _TISS = ".git", ".tiss"
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

    __slots__ = ("entries", "frame", "links", "name", "own", "parent", "path", "whole")

    def __init__(self, path: str, parent: Identity, own: Identity | None) -> None:
        self.path = path
        self.name = path.rpartition("/")[2]
        self.parent = parent  # the directory that it is in
        self.own = own  # of a directory of which some entries are guarded, else None
        self.entries: dict[str, Node] = {}  # these entries
        self.links: list[tuple[list[str], str]] = []  # in them, with their texts
        self.frame: Frame | None = None  # if it is a repository for git
        self.whole: Node | None = None  # what is guarded as a whole

    def is_same(self, other: _Known) -> bool:
        return (self.own, self.parent, self.name) == (other.own, other.parent, other.name)

    def configs(self) -> list[tuple[list[str], list[bytes]]]:
        """The directories with configs of git in them, as names from the root, and these."""
        found: list[tuple[list[str], list[bytes]]] = []
        pending = [(self.path.split("/"), self.entries)]
        while pending:
            directory, nodes = pending.pop()
            contents: list[bytes] = []
            for name, node in nodes.items():
                if node.content is not None and name.casefold() in ("config", "config.worktree"):
                    contents.append(node.content)
                elif node.children:
                    pending.append(([*directory, name], node.children))
            if contents:
                found.append((directory, contents))
        return found

    def work_tree(self) -> list[str] | None:
        """For the `.git` file of a further work tree, the top of that."""
        is_file = self.whole is not None and b"/worktrees/" in (self.whole.content or b"")
        return self.path.split("/")[:-1] if is_file and self.name.casefold() == _GIT else None


class RepositoryGuard:
    """Guards the repositories below `root`, and its `.tiss`, from the commands that run there.

    `before` and `after` raise `GuardError` when they cannot do what they promise.
    """

    def __init__(self, root: str) -> None:
        self._names = root.strip("/").split("/")
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._top = identity(os.fstat(self._root))
        self._walk = Walk(self._root, frozenset({_GIT}), frozenset({_GIT, _TISS}), TELLING)
        self._held: dict[Identity, int] = {}  # a descriptor of each that is known, or a parent
        self._is_ready = False
        self._known: list[_Known] = []
        self._targets: dict[str, Node | None] = {}  # what guarded entries lead to, by path
        # Repositories under other names: those that were there, and those that a command made.
        self._strange: set[Identity] = set()
        self._made: set[Identity] = set()

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
        strange: set[Identity] = set()

        def notice(place: Place, names: list[str], _: list[str]) -> None:
            if _is_strange(place, names):
                strange.add(self._hold(".", place.descriptor))

        self._walk.run(lambda place, name: found.append(self._meet(place, name)), notice)
        found.sort(key=lambda known: known.path)
        snapshots = Snapshots()
        old = {(known.parent, known.name): known for known in self._known}
        for known in found:
            before = old.get((known.parent, known.name))
            self._take(known, snapshots, before if before and before.is_same(known) else None)
        targets = Targets(self._root, self._names, snapshots, self._targets)
        work_trees = [top for known in found if (top := known.work_tree()) is not None]
        repositories = [_describe(known, targets, work_trees) for known in found]
        self._known, self._targets, self._is_ready = found, targets.nodes, True
        self._made &= strange
        self._strange = strange - self._made
        self._let_go({one for known in found for one in (known.parent, known.own)} | strange)
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
            present = os.listdir(place.descriptor)
            for name in present:
                if name.casefold() in GUARDED:
                    node = snapshots.take(place, name, old.entries.get(name) if old else None)
                    if node is not None:
                        known.entries[name] = node
            known.links, snapshots.links = snapshots.links, []
            known.frame = take_frame(place, present, snapshots, old.frame if old else None)

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
                    if not _restore(place, known, log, holder):
                        log.undo(known.name, known.parent)
            except OSError as error:
                log.fail("", error)
        log.base = ""
        restore_targets(self._root, self._targets, log)
        own = {known.own for known in self._known}
        whole = {(known.parent, known.name) for known in self._known if known.own is None}
        holders = frozenset(holder for holder, _ in log.undone if holder is not None)
        places = self._walk.run(
            lambda place, name: _judge(place, name, own, whole, log),
            lambda place, names, before: self._notice(place, names, before, own, log),
            holders,
        )
        return self._report(log, places)

    def _notice(
        self, place: Place, names: list[str], before: list[str], own: set[Identity | None], log: Log
    ) -> None:
        """A directory that git takes for a repository, though it is not called `.git`."""
        here = place.identity()
        if here in self._strange:
            return
        try:
            if not _is_strange(place, names) or self._is_in_target(place):
                return
            if here in own:  # it cannot be brought home; from now on it is one of the command's
                self._made.add(here)
            elif here not in self._made and not GUARDED.isdisjoint(before):
                # What is called `hooks` or `modules` there was there before: it must not be lost.
                remove(place, "HEAD")
                log.undo(place.path("HEAD"))
            else:
                clean(place, log)
                self._made.add(here)
        except FileNotFoundError:
            return  # another command removed it meanwhile
        except OSError as error:
            log.fail(place.path("HEAD"), error)

    def _is_in_target(self, place: Place) -> bool:
        """Whether this directory lies in what a guarded entry leads to, which was restored."""
        path = place.path("")
        return any(path.startswith(f"{target}/") for target in self._targets)

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


def _describe(known: _Known, targets: Targets, work_trees: list[list[str]]) -> Repository:
    """What the caller is told. What guarded entries lead to is remembered on the way."""
    if known.own is None:
        return Repository(known.path, False, [known.path] if is_mountable(known.whole) else [])
    entries = {f"{known.path}/{name}": node for name, node in known.entries.items()}
    guarded = [path for path, node in entries.items() if is_mountable(node)]
    targets.add_links(known.path, known.links, guarded)
    home = known.path.split("/")
    for directory, configs in known.configs():
        tops = [home[:-1]] if directory == home else []
        if directory[len(home) : len(home) + 1] in ([], ["worktrees"]):
            tops += work_trees
        targets.add_settings(known.path, directory, configs, tops, guarded)
    return Repository(known.path, True, guarded)


def _is_strange(place: Place, names: list[str]) -> bool:
    """Whether git takes this directory for a repository, though it is not called `.git`.

    What lies in a guarded entry, as the repositories of submodules do, was restored with that.
    """
    if not may_be_repository(names):
        return False
    way = [name.casefold() for name in place.names]
    if way[-1:] == [_GIT] or way[:1] == [_TISS]:
        return False
    in_guarded = any(one == _GIT and other in GUARDED for one, other in pairwise(way))
    return not in_guarded and has_head(place)


def _restore(place: Place, known: _Known, log: Log, holder: Identity) -> bool:
    """Put right what is guarded; False if the directory itself was changed."""
    if known.own is None:
        restore(place, known.name, known.whole, log, holder)
        return True
    for name in os.listdir(place.descriptor):
        if name.casefold() in GUARDED and name not in known.entries:
            restore(place, name, None, log, holder)
    for name, node in known.entries.items():
        restore(place, name, node, log, holder)
    return known.frame is None or keep_frame(place, known.frame, log, holder)


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
    depth = place.depth()
    try:
        status = look(name, place.descriptor)
        if status is None or (place.identity(), name) in whole:
            return
        if not stat.S_ISDIR(status.st_mode) or name.casefold() != _GIT:
            remove(place, name)
            log.undo(place.path(name))
        elif identity(status) not in own:
            place.enter(name)
            clean(place, log)
    except FileNotFoundError:
        pass  # another command removed it meanwhile
    except OSError as error:
        place.climb(depth)
        log.fail(place.path(name), error)
    place.climb(depth)
