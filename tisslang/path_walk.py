"""How a path of a plan is walked, and where it may not lead (language reference, section 10.1)."""

import contextlib
import errno
import os
from collections import deque
from collections.abc import Callable, Sequence

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.sandbox.git.names import FRAME, may_be_repository

MAX_LINKS = 40
PROTECTED = frozenset({".git", ".tiss"})

# Flags that a platform lacks count as nothing. O_PATH needs the right to search, not to list.
HOLD_DIRECTORY = (
    getattr(os, "O_PATH", os.O_RDONLY)
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


class Walk:
    """Where a path has led so far: `directories` that are open, from the root downwards, their real
    `names`, and the `rest` behind them: names that are missing, or begin with a file. After
    `follow_to_entry` the rest ends with the name of the entry, whatever it is.
    """

    def __init__(self, root_descriptor: int, root: str) -> None:
        self.root = root
        self.directories = [os.dup(root_descriptor)]
        self.names: list[str] = []
        self.rest: list[str] = []
        self.obstacle: OSError | None = None  # why rest[0] is no directory
        self.outside: list[str] | None = None  # the real place, while it is not below the root

    def close(self) -> None:
        """Give the descriptors back."""
        for descriptor in self.directories:
            os.close(descriptor)

    def is_missing(self) -> bool:
        """Whether nothing is there under the first name of the rest."""
        return isinstance(self.obstacle, FileNotFoundError)

    def ends_at_file(self) -> bool:
        """Whether the path leads to a file (of any kind)."""
        return isinstance(self.obstacle, NotADirectoryError) and len(self.rest) == 1

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

    def follow_to_entry(self, path: str) -> None:
        """Like `follow`, but stop at the directory that holds the last component: the entry itself
        may be a link. A last `..` is followed; then the entry is the directory where it leads.
        """
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if parts and parts[-1] != "..":
            self.follow("/".join(parts[:-1]))
            self.rest.append(parts[-1])
            return
        self.follow(path)
        if self.names and not self.rest:
            os.close(self.directories.pop())
            self.rest = [self.names.pop()]

    def has(self, depth: int, name: str) -> bool:
        """Whether the directory at a depth has an entry of this name."""
        try:
            os.stat(name, dir_fd=self.directories[depth], follow_symlinks=False)
        except (OSError, IndexError):
            return False
        return True

    def make_directories(self, leave: int) -> None:
        """Make missing directories and enter them, until `leave` names remain in `rest`."""
        while len(self.rest) > leave:
            name = self.rest.pop(0)
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=self.directories[-1])
            self.directories.append(os.open(name, HOLD_DIRECTORY, dir_fd=self.directories[-1]))
            self.names.append(name)

    def _enter(self, name: str) -> str | None:
        """Open a directory; or return the target of a link; or note what stands in the way."""
        here = self.directories[-1]
        try:
            self.directories.append(os.open(name, HOLD_DIRECTORY, dir_fd=here))
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


def refuse_bad_form(path: str) -> None:
    """Refuse a text that is no path relative to the root."""
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


def refuse_protected(path: str, names: Sequence[str]) -> None:
    """Refuse to change what belongs to git or to tiss."""
    for name in names:
        if name.casefold() in PROTECTED:
            raise TissSecurityError(
                f"path {path!r} lies in {name}, which a plan may not change",
                hint="what git or tiss would run later stays in the operator's hands",
            )


def refuse_repository(path: str, names: Sequence[str], has: Callable[[int, str], bool]) -> None:
    """Refuse what would change a repository under another name than `.git`, or complete one."""
    for depth, entry in enumerate(names):
        there = {name.casefold() for name in FRAME if has(depth, name)}
        if may_be_repository(there | {entry.casefold()}):
            raise TissSecurityError(
                f"path {path!r} lies in what git takes for a repository",
                hint="what git would run later stays in the operator's hands; "
                "make repositories with git itself, in a RUN",
            )


def refuse_root(path: str, names: Sequence[str]) -> None:
    """Refuse to delete the root."""
    if not names:
        raise TissSecurityError(
            f"path {path!r} is the project root itself",
            hint="a plan may delete what lies in its root, not the root",
        )


def outside(path: str) -> TissSecurityError:
    """The error for a path that leaves the root."""
    return TissSecurityError(
        f"path {path!r} leads outside the project root",
        hint="keep to files below the root, or let the operator choose a wider --root",
    )
