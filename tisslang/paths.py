"""The files of a plan: every path is opened below the project root, and nowhere else.

A path is walked component by component on directory descriptors that never follow a link; links are
read and resolved here. What was checked is therefore what is used, however files are renamed in the
meantime (language reference, section 10.1).
"""

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator

from tisslang.errors import TissCommandError
from tisslang.path_walk import (
    HOLD_DIRECTORY,
    MAX_LINKS,
    Walk,
    outside,
    refuse_bad_form,
    refuse_protected,
    refuse_repository,
    refuse_root,
)

MAX_READ = 16 * 1024 * 1024
FROM_ROOT = "paths begin at the project root, which --root names"
ASK_FIRST = "where it may be missing, ask first: IF FILE … EXISTS { DELETE … }"

# Flags that a platform lacks count as nothing.
_READ_FILE = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # opening a FIFO must not wait for its writer
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_CREATE_FILE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class ProjectFiles:
    """The files below `root`, which must be a directory (else `OSError`).

    `path` is always the text of a plan: relative to the root, with `/`. A path that leaves the root
    raises `TissSecurityError`; what goes wrong inside raises `TissCommandError` of kind `io`.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.realpath(root)
        self._descriptor = os.open(self.root, HOLD_DIRECTORY)

    def close(self) -> None:
        """Give the root's descriptor back."""
        os.close(self._descriptor)

    def check(self, path: str, writing: bool = False, deleting: bool = False) -> str:
        """Refuse a path that this plan may not use, without opening the file.

        Returns where it leads, as a path below the root.
        """
        with self._walk(path, writing, deleting) as walk:
            return "/".join([*walk.names, *walk.rest])

    def exists(self, path: str) -> bool:
        """True for a file or directory after following links; a dangling link does not exist."""
        with self._walk(path) as walk:
            if isinstance(walk.obstacle, PermissionError):
                raise io_error(path, walk.obstacle)
            return not walk.rest or walk.ends_at_file()

    def read(self, path: str) -> bytes:
        """The bytes of a regular file of at most 16 MiB."""
        with self._walk(path) as walk, _io_errors(path):
            if not walk.rest:
                raise IsADirectoryError(errno.EISDIR, "is a directory")
            if walk.obstacle and not walk.ends_at_file():
                raise walk.obstacle
            descriptor = os.open(walk.rest[0], _READ_FILE, dir_fd=walk.directories[-1])
            return _read_regular(descriptor)

    def write(self, path: str, data: bytes) -> None:
        """Replace the file in one step, its missing parents made, the mode of an old one kept."""
        with self._walk(path, writing=True) as walk, _io_errors(path):
            if not walk.rest or path.endswith("/"):
                raise IsADirectoryError(errno.EISDIR, "is a directory")
            if walk.obstacle and not (walk.is_missing() or walk.ends_at_file()):
                raise walk.obstacle
            walk.make_directories(leave=1)
            replace_file(walk.directories[-1], walk.rest[-1], data)

    def make_directory(self, path: str) -> None:
        """Make the directory and its missing parents; one that exists is fine."""
        with self._walk(path, writing=True) as walk, _io_errors(path):
            if walk.ends_at_file():
                raise FileExistsError(errno.EEXIST, "is a file")
            if walk.obstacle and not walk.is_missing():
                raise walk.obstacle
            walk.make_directories(leave=0)

    def delete(self, path: str) -> None:
        """Remove a file, a link (not what it leads to), or an empty directory."""
        with self._walk(path, deleting=True) as walk, _io_errors(path, ASK_FIRST):
            if walk.obstacle and not walk.ends_at_file():
                raise walk.obstacle
            _remove(walk.directories[-1], walk.rest[0])

    def directory(self, path: str) -> str:
        """The absolute real path of an existing directory."""
        with self._walk(path) as walk, _io_errors(path):
            if walk.obstacle:
                raise walk.obstacle
            real = os.path.join(self.root, *walk.names)
            if not os.path.samestat(os.stat(real), os.fstat(walk.directories[-1])):
                raise OSError(errno.ESTALE, "was moved while the plan ran")
            return real

    @contextlib.contextmanager
    def _walk(self, path: str, writing: bool = False, deleting: bool = False) -> Iterator[Walk]:
        refuse_bad_form(path)
        walk = Walk(self._descriptor, self.root)
        try:
            if deleting:
                walk.follow_to_entry(path)
            else:
                walk.follow(path)
            if walk.outside is not None:
                raise outside(path)
            names = [*walk.names, *walk.rest]
            if deleting:
                refuse_root(path, names)
            if writing or deleting:
                refuse_protected(path, names)
                refuse_repository(path, names, walk.has)
            yield walk
        finally:
            walk.close()


class ProjectFilesByName(ProjectFiles):
    """The same for a platform without directory descriptors (Windows): the real path is checked
    just before it is used. Another process that renames files just then can get in between.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.realpath(root)
        if not os.path.isdir(self.root):
            raise NotADirectoryError(errno.ENOTDIR, "not a directory", self.root)

    def close(self) -> None:
        """Nothing is held."""

    def check(self, path: str, writing: bool = False, deleting: bool = False) -> str:
        """See `ProjectFiles.check`."""
        real = self._real_path(path, writing, deleting)
        return os.path.relpath(real, self.root).replace(os.sep, "/")

    def exists(self, path: str) -> bool:
        """See `ProjectFiles.exists`."""
        return os.path.exists(self._real_path(path))

    def read(self, path: str) -> bytes:
        """See `ProjectFiles.read`."""
        real = self._real_path(path)
        with _io_errors(path):
            return _read_regular(os.open(real, _READ_FILE))

    def write(self, path: str, data: bytes) -> None:
        """See `ProjectFiles.write`."""
        real = self._real_path(path, writing=True)
        with _io_errors(path):
            if os.path.isdir(real) or path.endswith("/"):
                raise IsADirectoryError(errno.EISDIR, "is a directory")
            os.makedirs(os.path.dirname(real), exist_ok=True)
            replace_file(None, real, data)

    def make_directory(self, path: str) -> None:
        """See `ProjectFiles.make_directory`."""
        real = self._real_path(path, writing=True)
        with _io_errors(path):
            os.makedirs(real, exist_ok=True)

    def delete(self, path: str) -> None:
        """See `ProjectFiles.delete`."""
        real = self._real_path(path, deleting=True)
        with _io_errors(path, ASK_FIRST):
            _remove(None, real)

    def directory(self, path: str) -> str:
        """See `ProjectFiles.directory`."""
        real = self._real_path(path)
        with _io_errors(path):
            if not stat.S_ISDIR(os.stat(real).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "is not a directory")
        return real

    def _real_path(self, path: str, writing: bool = False, deleting: bool = False) -> str:
        refuse_bad_form(path)
        parts = [part for part in path.split("/") if part not in ("", ".")]
        entry = parts.pop() if deleting and parts and parts[-1] != os.pardir else ""
        with _io_errors(path):
            real = _fully_resolved(os.path.join(self.root, *parts))
        if entry:
            real = os.path.join(real, entry)
        try:
            relative = os.path.relpath(real, self.root)
        except ValueError:  # another drive
            raise outside(path) from None
        names = [] if relative == os.curdir else relative.split(os.sep)
        if os.pardir in names:
            raise outside(path)
        if deleting:
            refuse_root(path, names)
        if writing or deleting:
            refuse_protected(path, names)
            above = [os.path.join(self.root, *names[:depth]) for depth in range(len(names))]
            refuse_repository(
                path, names, lambda depth, name: os.path.lexists(os.path.join(above[depth], name))
            )
        return real


# How the files of a project are opened on this platform.
open_project: Callable[[str | os.PathLike[str]], ProjectFiles] = (
    ProjectFiles
    if {os.open, os.stat, os.readlink, os.mkdir, os.rename, os.unlink, os.rmdir}
    <= os.supports_dir_fd
    else ProjectFilesByName
)


def _read_regular(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, "is a directory")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "is not a regular file")
        data = file.read(MAX_READ + 1)
    if len(data) > MAX_READ:
        raise OSError(errno.EFBIG, "is larger than 16 MiB")
    return data


def replace_file(directory: int | None, name: str, data: bytes) -> None:
    """Write a temporary file beside `name` and rename it into place, all in one open directory.

    Without a directory `name` is a whole path. A link of this name is replaced, not followed.
    """
    old_mode = _mode_of_regular_file(directory, name)
    temporary = os.path.join(os.path.dirname(name), f".{os.urandom(8).hex()}.tmp")
    new_mode = 0o666 if old_mode is None else 0o600  # a private file is private from the start
    descriptor = os.open(temporary, _CREATE_FILE, new_mode, dir_fd=directory)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if old_mode is not None:
                _change_mode(file.fileno(), old_mode)
            os.fsync(file.fileno())
        os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=directory)
        raise
    if directory is not None:
        _sync_directory(directory)


def _remove(directory: int | None, name: str) -> None:
    """Remove one entry; should it become another kind just now, the system call refuses it."""
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        os.rmdir(name, dir_fd=directory)
    else:
        os.unlink(name, dir_fd=directory)


def _mode_of_regular_file(directory: int | None, name: str) -> int | None:
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return stat.S_IMODE(status.st_mode) if stat.S_ISREG(status.st_mode) else None


def _change_mode(descriptor: int, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)


def _sync_directory(directory: int) -> None:
    # A directory that may be searched but not listed cannot be synced; the file itself was.
    with contextlib.suppress(OSError):
        descriptor = os.open(".", os.O_RDONLY, dir_fd=directory)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _fully_resolved(path: str) -> str:
    # What stands behind a loop of links is left as it is in the first pass.
    for _ in range(MAX_LINKS):
        path, before = os.path.realpath(path), path
        if path == before:
            return path
    raise OSError(errno.ELOOP, "too many symbolic links")


@contextlib.contextmanager
def _io_errors(path: str, hint_if_missing: str = FROM_ROOT) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise io_error(path, error, hint_if_missing) from error


def io_error(path: str, error: OSError, hint_if_missing: str = FROM_ROOT) -> TissCommandError:
    """The `io` error about a path for which the system gave `error`."""
    reason = {
        errno.ENOENT: "does not exist",
        errno.ENOTDIR: "has a file where a directory should be",
        errno.EISDIR: "is a directory",
        errno.EEXIST: "is a file",
        errno.ENOTEMPTY: "is not empty",
        errno.EACCES: "permission denied",
        errno.ENOSPC: "could not be written: the disk is full",
    }.get(error.errno or 0, error.strerror or str(error))
    hint = {
        errno.ENOENT: hint_if_missing,
        errno.EEXIST: "DELETE the file first, or choose another name",
        errno.ENOTEMPTY: "remove its files first, or use a RUN with rm -r",
    }.get(error.errno or 0)
    return TissCommandError("io", f"path {path!r}: {reason}", hint=hint)
