"""The files of a plan: every path is opened below the project root, and nowhere else.

A path is walked component by component on directory descriptors that never follow a link; links are
read and resolved here. What was checked is therefore what is used, however files are renamed in the
meantime (language reference, section 10.1).
"""

import contextlib
import errno
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.sandbox.git.names import FRAME, may_be_repository

MAX_READ = 16 * 1024 * 1024
MAX_LINKS = 40
PROTECTED = frozenset({".git", ".tiss"})

# Flags that a platform lacks count as nothing. O_PATH needs the right to search, not to list.
_HOLD_DIRECTORY = (
    getattr(os, "O_PATH", os.O_RDONLY)
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
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
        self._descriptor = os.open(self.root, _HOLD_DIRECTORY)

    def close(self) -> None:
        """Give the root's descriptor back."""
        os.close(self._descriptor)

    def check(self, path: str, writing: bool = False) -> None:
        """Refuse a path that this plan may not use, without opening the file."""
        with self._walk(path, writing):
            pass

    def exists(self, path: str) -> bool:
        """True for a file or directory after following links; a dangling link does not exist."""
        with self._walk(path) as walk:
            if isinstance(walk.obstacle, PermissionError):
                raise _io_error(path, walk.obstacle)
            return not walk.rest or (len(walk.rest) == 1 and walk.ends_at_file())

    def read(self, path: str) -> bytes:
        """The bytes of a regular file of at most 16 MiB."""
        with self._walk(path) as walk, _io_errors(path):
            if not walk.rest:
                raise IsADirectoryError(errno.EISDIR, "is a directory")
            if walk.obstacle and not (len(walk.rest) == 1 and walk.ends_at_file()):
                raise walk.obstacle
            descriptor = os.open(walk.rest[0], _READ_FILE, dir_fd=walk.directories[-1])
            return _read_regular(descriptor)

    def write(self, path: str, data: bytes) -> None:
        """Replace the file in one step, its missing parents made, the mode of an old one kept."""
        with self._walk(path, writing=True) as walk, _io_errors(path):
            if not walk.rest or path.endswith("/"):
                raise IsADirectoryError(errno.EISDIR, "is a directory")
            file_in_the_way = walk.ends_at_file() and len(walk.rest) > 1
            if file_in_the_way or not (walk.is_missing() or walk.ends_at_file()):
                assert walk.obstacle is not None
                raise walk.obstacle
            walk.make_directories()
            _replace(walk.directories[-1], walk.rest[-1], data)

    @contextlib.contextmanager
    def _walk(self, path: str, writing: bool = False) -> "Iterator[_Walk]":
        _refuse_bad_form(path)
        walk = _Walk(self._descriptor, self.root)
        try:
            walk.follow(path)
            if walk.outside is not None:
                raise _outside(path)
            if writing:
                _refuse_protected(path, [*walk.names, *walk.rest])
                _refuse_repository(path, [*walk.names, *walk.rest], walk.has)
            yield walk
        finally:
            walk.close()


class _Walk:
    """Where a path has led so far: `directories` that are open, from the root downwards, their real
    `names`, and the `rest` behind them: names that are missing, or begin with a file.
    """

    def __init__(self, root_descriptor: int, root: str) -> None:
        self.root = root
        self.directories = [os.dup(root_descriptor)]
        self.names: list[str] = []
        self.rest: list[str] = []
        self.obstacle: OSError | None = None  # why rest[0] is no directory
        self.outside: list[str] | None = None  # the real place, while it is not below the root

    def close(self) -> None:
        for descriptor in self.directories:
            os.close(descriptor)

    def is_missing(self) -> bool:
        return isinstance(self.obstacle, FileNotFoundError)

    def ends_at_file(self) -> bool:
        return isinstance(self.obstacle, NotADirectoryError)

    def follow(self, path: str) -> None:
        """Take the components from left to right, replacing each link by its target."""
        todo = deque(path.split("/"))
        links = 0
        while todo:
            name = todo.popleft()
            if name in ("", "."):
                continue
            if name == "..":
                self._step_back()
            elif self.rest:
                self.rest.append(name)
            else:
                target = self._enter(name) if self.outside is None else self._enter_outside(name)
                if target is None:
                    continue
                links += 1
                if links > MAX_LINKS:
                    self.rest = [name]
                    self.obstacle = OSError(errno.ELOOP, "too many symbolic links")
                    continue
                if target.startswith("/"):
                    self._go_outside([])
                todo.extendleft(reversed(target.split("/")))

    def has(self, depth: int, name: str) -> bool:
        """Whether the directory at a depth has an entry of this name."""
        try:
            os.stat(name, dir_fd=self.directories[depth], follow_symlinks=False)
        except (OSError, IndexError):
            return False
        return True

    def make_directories(self) -> None:
        """Make the missing parents and enter them, so that only the last name remains in `rest`."""
        while len(self.rest) > 1:
            name = self.rest.pop(0)
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=self.directories[-1])
            self.directories.append(os.open(name, _HOLD_DIRECTORY, dir_fd=self.directories[-1]))
            self.names.append(name)

    def _enter(self, name: str) -> str | None:
        """Open a directory; or return the target of a link; or note what stands in the way."""
        here = self.directories[-1]
        try:
            self.directories.append(os.open(name, _HOLD_DIRECTORY, dir_fd=here))
            self.names.append(name)
        except OSError as error:
            try:
                return os.readlink(name, dir_fd=here)
            except OSError:
                self.rest, self.obstacle = [name], error
        return None

    def _enter_outside(self, name: str) -> str | None:
        # Nothing outside is opened: these steps only find out whether the path comes back.
        assert self.outside is not None
        place = [*self.outside, name]
        try:
            return os.readlink("/" + "/".join(place))
        except FileNotFoundError as error:
            self.rest, self.obstacle = [name], error
        except OSError:  # not a link
            self._go_outside(place)
        return None

    def _step_back(self) -> None:
        if self.rest:
            self.rest.pop()
            if not self.rest:
                self.obstacle = None
        elif self.outside is not None:
            self._go_outside(self.outside[:-1])
        elif self.names:
            self.names.pop()
            os.close(self.directories.pop())
        else:
            self._go_outside(self.root.strip("/").split("/")[:-1])

    def _go_outside(self, place: list[str]) -> None:
        """Stand at an absolute place; when it is the root itself, be inside again."""
        while self.names:
            self.names.pop()
            os.close(self.directories.pop())
        self.outside = place
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat("/" + "/".join(place)), os.fstat(self.directories[0])):
                self.outside = None


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

    def check(self, path: str, writing: bool = False) -> None:
        """See `ProjectFiles.check`."""
        self._real_path(path, writing)

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
            _replace(None, real, data)

    def _real_path(self, path: str, writing: bool = False) -> str:
        _refuse_bad_form(path)
        real = os.path.realpath(os.path.join(self.root, path))
        try:
            relative = os.path.relpath(real, self.root)
        except ValueError:  # another drive
            raise _outside(path) from None
        names = [] if relative == "." else relative.split(os.sep)
        if os.pardir in names:
            raise _outside(path)
        if writing:
            _refuse_protected(path, names)
            above = [os.path.join(self.root, *names[:depth]) for depth in range(len(names))]
            _refuse_repository(
                path, names, lambda depth, name: os.path.lexists(os.path.join(above[depth], name))
            )
        return real


# How the files of a project are opened on this platform.
open_project: Callable[[str | os.PathLike[str]], ProjectFiles] = (
    ProjectFiles
    if {os.open, os.readlink, os.mkdir, os.rename, os.unlink} <= os.supports_dir_fd
    else ProjectFilesByName
)


def _refuse_bad_form(path: str) -> None:
    problem = ""
    if not path:
        problem = "is empty"
    elif path.startswith("/"):
        problem = "is absolute"
    elif path.startswith("~"):
        problem = "starts with ~"
    elif "\0" in path:
        problem = "holds a NUL character"
    elif "\\" in path:
        problem = "holds a backslash"
    elif path[1:2] == ":" and path[0].isascii() and path[0].isalpha():
        problem = "begins with a drive letter"
    if problem:
        raise TissSecurityError(
            f"path {path!r} {problem}",
            hint="write the path relative to the project root, with / between its parts",
        )
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise TissCommandError("io", f"path {path!r} cannot be a file name here") from None


def _refuse_protected(path: str, names: Sequence[str]) -> None:
    for name in names:
        if name.casefold() in PROTECTED:
            raise TissSecurityError(
                f"path {path!r} lies in {name}, which a plan may not change",
                hint="what git or tiss would run later stays in the operator's hands",
            )


def _refuse_repository(path: str, names: Sequence[str], has: Callable[[int, str], bool]) -> None:
    """Refuse what would change a repository under another name than `.git`, or complete one."""
    for depth, entry in enumerate(names):
        there = {name.casefold() for name in FRAME if has(depth, name)}
        if may_be_repository(there | {entry.casefold()}):
            raise TissSecurityError(
                f"path {path!r} lies in what git takes for a repository",
                hint="what git would run later stays in the operator's hands; "
                "make repositories with git itself, in a RUN",
            )


def _outside(path: str) -> TissSecurityError:
    return TissSecurityError(
        f"path {path!r} leads outside the project root",
        hint="keep to files below the root, or let the operator choose a wider --root",
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


def _replace(directory: int | None, name: str, data: bytes) -> None:
    """Write a temporary file beside `name` and rename it into place, all in one open directory."""
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


@contextlib.contextmanager
def _io_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _io_error(path, error) from error


def _io_error(path: str, error: OSError) -> TissCommandError:
    reason = {
        errno.ENOENT: "does not exist",
        errno.ENOTDIR: "has a file where a directory should be",
        errno.EISDIR: "is a directory",
        errno.EACCES: "may not be opened (permission denied)",
        errno.ENOSPC: "could not be written: the disk is full",
    }.get(error.errno or 0, error.strerror or str(error))
    return TissCommandError("io", f"path {path!r}: {reason}")
