"""What git takes for a repository: that a known one stays one, and what may stay in a new one.

`git` looks for a repository in `.git`, and where this is none, in the directory itself: any
directory with a HEAD, `objects` and `refs` is one, and what its `config` names is run.
"""

from __future__ import annotations

import os
import stat

from tisslang.sandbox.git.directories import look, remove
from tisslang.sandbox.git.git_config import MAX_CONFIG, cleaned
from tisslang.sandbox.git.names import GUARDED, may_be_repository
from tisslang.sandbox.git.snapshots import Node, read_file, restore, write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tisslang.sandbox.git.directories import Identity, Place
    from tisslang.sandbox.git.snapshots import Log, Snapshots

_SAMPLES = 1 << 20  # bytes of all sample hooks of a new repository together; git's own need 25,000
_READ_OF_HEAD = 255  # bytes that git looks at
_HASH = 40  # digits of the shorter kind of hash
_HEX_DIGITS = b"0123456789abcdefABCDEF"


def has_head(place: Place) -> bool:
    """Whether git takes the HEAD in this directory for one."""
    status = look("HEAD", place.descriptor)
    if status is None:
        return False
    if stat.S_ISLNK(status.st_mode):
        return _is_head(None, os.readlink("HEAD", dir_fd=place.descriptor))
    if not stat.S_ISREG(status.st_mode):
        return False
    return _is_head(read_file(place, "HEAD", _READ_OF_HEAD), "")


def _is_head(content: bytes | None, link: str) -> bool:
    if content is None:
        return link.startswith("refs/")
    content = content[:_READ_OF_HEAD]
    if content.startswith(b"ref:"):
        return content[4:].lstrip(b" \t\r\n").startswith(b"refs/")
    return len(content) >= _HASH and not content[:_HASH].strip(_HEX_DIGITS)


class Frame:
    """What makes git take a `.git` directory for a repository, as it was before a command."""

    __slots__ = ("directories", "head", "mode")

    def __init__(self, mode: int, head: Node) -> None:
        self.mode = mode  # of the `.git` itself
        self.head = head
        self.directories: dict[str, Node] = {}  # `objects` and `refs`, without what is in them


def take_frame(
    place: Place, names: list[str], snapshots: Snapshots, old: Frame | None
) -> Frame | None:
    """Remember the frame of a `.git` with these entries; None if git sees no repository there."""
    if not may_be_repository({name.casefold() for name in names}):
        return None
    head = snapshots.take(place, "HEAD", old.head if old else None)
    snapshots.links.clear()  # an old form of HEAD: it leads to nothing that is run
    if head is None or not _is_head(head.content, head.text):
        return None
    frame = Frame(place.mode(), head)
    if "commondir" in names:  # which stays, and with it the others, which are elsewhere
        return frame
    for name in ("objects", "refs"):
        status = look(name, place.descriptor)
        if status is None:
            return None
        node = frame.directories[name] = Node(status)
        if node.kind == stat.S_IFLNK:
            node.text = os.readlink(name, dir_fd=place.descriptor)
    return frame


def keep_frame(place: Place, frame: Frame, log: Log, holder: Identity) -> bool:
    """Put right what git would no longer take for a repository; False if it was the mode alone.

    A new HEAD stays if it is one: commits and checkouts make it.
    """
    lost = _lost(frame.mode, place.mode())
    if lost:
        place.leave_with_mode(place.mode() | lost)
    status = look("HEAD", place.descriptor)
    as_read = status is not None and frame.head.is_as_read(status)
    if not as_read and not has_head(place):
        restore(place, "HEAD", frame.head, log, holder)
    for name, node in frame.directories.items():
        try:
            _keep_directory(place, name, node, log, holder)
        except OSError as error:
            log.fail(name, error)
    return not lost


def _keep_directory(place: Place, name: str, node: Node, log: Log, holder: Identity) -> None:
    status = look(name, place.descriptor)
    is_there = status is not None and stat.S_ISDIR(status.st_mode)
    if status is None or not is_there or node.kind != stat.S_IFDIR:
        restore(place, name, node, log, holder)
    if node.kind != stat.S_IFDIR:
        return
    mode = stat.S_IMODE(status.st_mode) if status is not None and is_there else 0
    lost = _lost(node.mode, mode)
    if not lost:
        return
    place.enter(name)
    place.leave_with_mode(mode | lost if is_there else node.mode)
    place.leave()
    log.undo(place.path(name), holder)


def _lost(before: int, now: int) -> int:
    """The rights of the owner that are gone: without them there is no repository for git."""
    return before & ~now & stat.S_IRWXU


def clean(place: Place, log: Log) -> None:
    """Leave of a new repository, which `place` is, what runs nothing."""
    depth = place.depth()
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
            place.climb(depth)
        except OSError as error:
            place.climb(depth)
            log.fail(place.path(entry), error)


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
