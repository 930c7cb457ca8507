"""What a file or a tree of files was, kept in memory, and making it so again."""

from __future__ import annotations

import os
import stat
import time

from tisslang.sandbox.git.directories import RACY, Place, identity, look, remove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.sandbox.git.directories import Identity

MAX_KEPT = 64 * 1024 * 1024  # bytes of all snapshots together
_ENTRY_SIZE = 256  # about what an entry without its content costs

# Here repositories lie within a repository. Some of their directories hold data alone.
_REPOSITORIES = frozenset({"modules", "worktrees"})
_DATA = frozenset({"objects", "lfs", "logs", "refs"})

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class GuardError(Exception):
    """Version control could not be guarded, or not be put right. The message names the path."""


class Node:
    """One entry of a snapshot."""

    __slots__ = ("_settled", "_stamp", "children", "content", "kind", "mode", "owner", "text")

    def __init__(self, status: os.stat_result) -> None:
        self.kind = stat.S_IFMT(status.st_mode)
        self.mode = stat.S_IMODE(status.st_mode)
        self.owner = status.st_uid, status.st_gid
        self.content: bytes | None = None  # of a regular file that could be read
        self.text = ""  # of a link
        self.children: dict[str, Node] | None = None  # of a directory that is looked into
        self.read_as(status)

    def read_as(self, status: os.stat_result) -> None:
        """Remember the state in which the content was read."""
        self._stamp = _stamp(status)
        self._settled = status.st_ctime_ns < time.time_ns() - RACY

    def is_as_read(self, status: os.stat_result) -> bool:
        """Whether the file is certain to hold what was read; of an unreadable one, seems to."""
        return (self._settled or self.content is None) and self._stamp == _stamp(status)

    def looks_like(self, status: os.stat_result) -> bool:
        """Whether the kind is still this one, and the mode and owner of what has them."""
        if self.kind not in (stat.S_IFREG, stat.S_IFDIR):
            return stat.S_IFMT(status.st_mode) == self.kind
        rights = stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid)
        return stat.S_IFMT(status.st_mode) == self.kind and rights == (self.mode, self.owner)


class Log:
    """The paths that were undone, and the first one that could not be: bounded in memory."""

    _MOST = 10_000
    _LONGEST = 4096

    def __init__(self) -> None:
        # Each path is relative to the root, or to a directory that may have moved meanwhile.
        self.undone: dict[tuple[Identity | None, str], None] = {}
        self.left_out = 0
        self.failure = ""
        self.base = ""  # what to put before a path in a message about a failure

    def undo(self, path: str, holder: Identity | None = None) -> None:
        """Note what was undone. `holder` is the directory that the path begins in."""
        if len(path) > self._LONGEST:
            path = f"{path[: self._LONGEST // 2]}…{path[-self._LONGEST // 2 :]}"
        if len(self.undone) < self._MOST:
            self.undone[holder, path] = None
        else:
            self.left_out += 1

    def fail(self, path: str, error: OSError) -> None:
        """Note what could not be put right."""
        path = f"{self.base}{path}"[-self._LONGEST :]
        self.failure = self.failure or f"{path}: {error.strerror or error}"


class Snapshots:
    """Takes snapshots, as long as all together fit into memory, and notes the links in them."""

    def __init__(self) -> None:
        self._left = MAX_KEPT
        self.links: list[tuple[list[str], str]] = []  # the names of the way to it, and its text

    def take(self, place: Place, name: str, old: Node | None) -> Node | None:
        """What is there; a file that is as it was when `old` was taken is not read again."""
        nested = name.casefold() in _REPOSITORIES
        top: dict[str, Node] = {}
        pending: list[list[tuple[str, dict[str, Node], Node | None, bool]]] = []
        pending.append([(name, top, old, True)])
        while True:
            if not pending[-1]:
                pending.pop()
                if not pending:
                    return top.get(name)
                place.leave()
                continue
            name_here, siblings, old, look_into = pending[-1].pop()
            node = self._note(place, name_here, old)
            if node is None:
                continue
            siblings[name_here] = node
            if node.kind == stat.S_IFDIR and look_into and _enter(place, name_here):
                node.children = {}
                known = (old.children if old else None) or {}
                names = os.listdir(place.descriptor)
                pending.append([])
                for child in names:
                    look_into = not (nested and _is_data(child, names))
                    pending[-1].append((child, node.children, known.get(child), look_into))

    def _note(self, place: Place, name: str, old: Node | None) -> Node | None:
        status = look(name, place.descriptor)
        if status is None:
            return None
        node = Node(status)
        if node.kind == stat.S_IFREG:
            if old is not None and old.content is not None and old.is_as_read(status):
                node = old
            else:
                self._check(status.st_size, place, name)
                node.content, status = _read(place.descriptor, name, self._left)
                node.read_as(status)
        elif node.kind == stat.S_IFLNK:
            node.text = os.readlink(name, dir_fd=place.descriptor)
            self.links.append(([*place.names, name], node.text))
        self._left -= _ENTRY_SIZE + len(node.content or b"")
        self._check(0, place, name)
        return node

    def _check(self, size: int, place: Place, name: str) -> None:
        if size > self._left:
            raise GuardError(
                f"{place.path(name)}: what git may run is more than {MAX_KEPT >> 20} MiB "
                "and cannot be guarded"
            )


def restore(
    place: Place, name: str, node: Node | None, log: Log, holder: Identity | None = None
) -> None:
    """Make an entry what it was; None: it was missing. Goes on where a single step fails."""
    nested = name.casefold() in _REPOSITORIES
    pending: list[list[tuple[str, Node | None]]] = [[(name, node)]]
    made = 0  # how many levels are pending above a directory that is made anew; 0: there is none
    while True:
        if not pending[-1]:
            pending.pop()
            made = 0 if made == len(pending) else made
            if not pending:
                return
            place.leave()
            continue
        name, node = pending[-1].pop()
        try:
            if node is None:
                if remove(place, name):
                    log.undo(place.path(name), holder)
                continue
            status = look(name, place.descriptor)
            if not _put_right(place, name, node, status) and not made:
                log.undo(place.path(name), holder)
            if node.children is None:
                continue
            if not made and (status is None or not stat.S_ISDIR(status.st_mode)):
                made = len(pending)  # what is in it goes without saying
            _give_rights_on_leaving(place, node, place.enter(name))
            present = os.listdir(place.descriptor)
        except OSError as error:
            log.fail(place.path(name), error)
            continue
        pending.append(list(node.children.items()))
        for other in present:
            if other not in node.children:
                data = nested and _is_data(other, node.children)
                status = look(other, place.descriptor) if data else None
                if status is None or not stat.S_ISDIR(status.st_mode):
                    pending[-1].append((other, None))  # taken first: before its namesake is made


def _put_right(place: Place, name: str, node: Node, status: os.stat_result | None) -> bool:
    """Make the entry itself what it was, without what is in a directory; True if it is already."""
    if status is not None and _is_same(place, name, node, status):
        return True
    if node.kind == stat.S_IFDIR:
        if status is None or not stat.S_ISDIR(status.st_mode):
            remove(place, name)
            os.mkdir(name, 0o700, dir_fd=place.descriptor)
        return False  # its mode and owner are given to it when it is left
    if node.content is not None:
        try:
            write_file(place, name, node.content, node.mode, node.owner)
        except OSError:  # a directory stands there, or the disk is full: in any case it must go
            remove(place, name)
            write_file(place, name, node.content, node.mode, node.owner)
        made = look(name, place.descriptor)
        if made is not None:
            node.read_as(made)
        return False
    remove(place, name)
    if node.kind == stat.S_IFLNK:
        os.symlink(node.text, name, dir_fd=place.descriptor)
    elif node.kind == stat.S_IFREG:
        raise PermissionError(0, "changed, and its old content could not be read")
    return False


def _is_same(place: Place, name: str, node: Node, status: os.stat_result) -> bool:
    if not node.looks_like(status):
        return node.kind == stat.S_IFMT(status.st_mode) == stat.S_IFDIR and node.children is None
    if node.kind == stat.S_IFLNK:
        return os.readlink(name, dir_fd=place.descriptor) == node.text
    if node.kind != stat.S_IFREG or node.is_as_read(status):
        return True
    if node.content is None or status.st_size != len(node.content):
        return False
    content, status = _read(place.descriptor, name, len(node.content))
    if content != node.content:
        return False
    node.read_as(status)
    return True


def _give_rights_on_leaving(place: Place, node: Node, status: os.stat_result) -> None:
    if not node.looks_like(status):
        _give_to(place.descriptor, node.owner)
        place.leave_with_mode(node.mode)


def write_file(
    place: Place, name: str, content: bytes, mode: int, owner: tuple[int, int] | None = None
) -> None:
    """Replace a file in one step by a new one, so that other names of the old one lead nowhere."""
    place.make_writable()
    temporary = f".{os.urandom(8).hex()}.tmp"
    descriptor = os.open(temporary, _CREATE, 0o600, dir_fd=place.descriptor)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            status = os.fstat(descriptor)
            if owner is not None and owner != (status.st_uid, status.st_gid):
                _give_to(descriptor, owner)
            os.fchmod(descriptor, mode)
        os.rename(temporary, name, src_dir_fd=place.descriptor, dst_dir_fd=place.descriptor)
    except OSError:
        os.unlink(temporary, dir_fd=place.descriptor)
        raise


def _give_to(descriptor: int, owner: tuple[int, int]) -> None:
    try:
        os.fchown(descriptor, *owner)
    except OSError:
        return  # only the superuser may, and only for the superuser does it matter


def read_file(place: Place, name: str, most: int) -> bytes | None:
    """The first `most` bytes of a regular file; None if it is none, or may not be read."""
    return _read(place.descriptor, name, most)[0]


def _read(directory: int, name: str, most: int) -> tuple[bytes | None, os.stat_result]:
    try:
        descriptor = os.open(name, _READ, dir_fd=directory)
    except PermissionError:
        return None, os.stat(name, dir_fd=directory, follow_symlinks=False)
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return None, status
        content = bytearray()
        while chunk := file.read(most + 1 - len(content)):
            content += chunk
    return bytes(content), status


def _enter(place: Place, name: str) -> bool:
    try:
        place.enter(name)
        return True
    except PermissionError:  # belongs to someone else, and so do its changes
        return False


def _is_data(name: str, siblings: dict[str, Node] | list[str]) -> bool:
    # `logs` can also be a submodule's name; only beside a HEAD it is a part of a repository.
    return name in _DATA and "HEAD" in siblings


def _stamp(status: os.stat_result) -> tuple[Identity, int, int, int]:
    return identity(status), status.st_ctime_ns, status.st_size, status.st_mode
