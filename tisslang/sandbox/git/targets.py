"""What lies below the root outside a repository, but is led to from its guarded entries.

A link in `hooks`, a `core.hooksPath`, an `include`: git runs what they lead to as if it were in the
`.git` directory. So it is remembered and restored like what is there.
"""

from __future__ import annotations

import os
import stat

from tisslang.sandbox.git.directories import Place, identity, look, remove
from tisslang.sandbox.git.git_config import named_paths
from tisslang.sandbox.git.snapshots import GuardError, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.sandbox.git.snapshots import Log, Node, Snapshots

_MOST_LINKS = 40  # on one way; as for the kernel
_MOST_INCLUDES = 10  # one in another; as for git
_LARGEST = 1 << 20  # bytes of a config that is searched for paths


class Targets:
    """What the guarded entries of all repositories lead to, before a command.

    `root` is a descriptor of the root, whose real path has the names `above`.
    """

    def __init__(
        self, root: int, above: list[str], snapshots: Snapshots, old: dict[str, Node | None]
    ) -> None:
        self._root = root
        self._above = above
        self._top = identity(os.fstat(root))
        self._snapshots = snapshots
        self._old = old
        self.nodes: dict[str, Node | None] = {}  # by path

    def add_links(
        self, repository: str, links: list[tuple[list[str], str]], guarded: list[str]
    ) -> None:
        """Follow links, each given as its way from the root and its text, and those behind them.

        What they lead to is added to `guarded` if it exists.
        """
        for names, text in links:
            self._follow("/".join(names), repository, names[:-1], text, guarded)

    def add_settings(
        self,
        repository: str,
        directory: list[str],
        configs: list[bytes],
        tops: list[list[str]],
        guarded: list[str],
    ) -> None:
        """Follow what the configs in `directory` name, and the files that they include.

        `tops` are the tops of the work trees; more are found in the configs.
        """
        origin = "/".join([*directory, "config"])
        hooks: list[str] = []
        tops = tops.copy()
        pending = [(directory, data, 0) for data in configs]
        seen: set[tuple[str, ...]] = set()
        while pending:
            base, data, depth = pending.pop()
            for key, text in _named(data, origin):
                if key == "hookspath":
                    hooks.append(text)
                elif key == "worktree":
                    top = self._resolve(directory, text)[1]
                    tops += [] if top is None else [top]
                elif depth < _MOST_INCLUDES:
                    self._follow(f"{origin} (include)", repository, base, text, guarded)
                    included = self._included(base, text, seen)
                    pending += [(*one, depth + 1) for one in included]
        for text in hooks:
            for top in tops:
                self._follow(f"{origin} (core.hooksPath)", repository, top, text, guarded)

    def _follow(
        self, origin: str, repository: str, base: list[str], text: str, guarded: list[str]
    ) -> None:
        """Remember what a path in the directory `base` leads to, and the links in that."""
        pending = [(origin, base, text)]
        while pending:
            origin, base, text = pending.pop()
            passed, end = self._resolve(base, text)
            for way in passed if end is None else [*passed, end]:
                path = "/".join(way)
                if f"{repository}/".startswith(f"{path}/" if way else ""):
                    raise GuardError(f"{origin}: leads to a directory that holds the repository")
                if path in self.nodes or any(f"{path}/".startswith(f"{one}/") for one in guarded):
                    continue
                node = self.nodes[path] = self._take(way)
                if is_mountable(node):
                    guarded.append(path)
                links, self._snapshots.links = self._snapshots.links, []
                pending += [("/".join(names), names[:-1], link) for names, link in links]

    def _included(
        self, base: list[str], text: str, seen: set[tuple[str, ...]]
    ) -> list[tuple[list[str], bytes]]:
        """A file that is included, if it is new: the directory its own includes start from, and it.

        This is the directory that the path names, though a link may lead from there to the file.
        """
        end = self._resolve(base, text)[1]
        above = self._resolve(base, text.rpartition("/")[0] + "/")[1] if "/" in text else base
        if not end or above is None or ("/".join(end), *above) in seen:
            return []
        seen.add(("/".join(end), *above))
        node = self.nodes.get("/".join(end)) or self._take(end)
        self._snapshots.links.clear()
        return [(above, node.content)] if node is not None and node.content else []

    def _resolve(self, directory: list[str], text: str) -> tuple[list[list[str]], list[str] | None]:
        """Where a path leads, as names from the root: the links on its way, and then its end.

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
                todo = self._inside([*self._above[:-1], *todo])
            elif first == "..":
                here = here[:-1]
            elif first not in ("", "."):
                target = self._link_text(here, first)
                if target is None:
                    here = [*here, first]
                    continue
                passed.append([*here, first])
                if len(passed) > _MOST_LINKS:
                    return passed, None
                todo = [target, *todo]
        return passed, here if todo is not None else None

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

    def _take(self, way: list[str]) -> Node | None:
        with Place(self._root) as place:
            try:
                for above in way[:-1]:
                    place.enter(above)
            except OSError:
                return None
            return self._snapshots.take(place, way[-1], self._old.get("/".join(way)))


def _named(data: bytes, origin: str) -> list[tuple[str, str]]:
    if len(data) > _LARGEST:
        raise GuardError(f"{origin}: more than {_LARGEST >> 20} MiB cannot be guarded")
    return named_paths(data)


def is_mountable(node: Node | None) -> bool:
    """Whether something exists that can be made read-only by a mount."""
    return node is not None and node.kind in (stat.S_IFREG, stat.S_IFDIR)


def restore_targets(root: int, nodes: dict[str, Node | None], log: Log) -> None:
    """Make what was led to before the command what it was."""
    for path, node in nodes.items():
        with Place(root) as place:
            _restore(place, path.split("/"), node, log)


def _restore(place: Place, way: list[str], node: Node | None, log: Log) -> None:
    """Restore one target; the directories above it were no links either."""
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
