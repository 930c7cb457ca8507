"""What a command sees where mounts can be made: a list, for whoever makes them.

Everything that is not in it does not exist for the command.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS_OF_DEV = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
# What user 0 may read of the whole machine, capabilities or not.
_MASKED = (
    *("/proc/kpagecount", "/proc/kpageflags", "/proc/kpagecgroup", "/proc/slabinfo"),
    *("/proc/vmallocinfo", "/proc/timer_list", "/proc/pagetypeinfo"),
)
_PART_OF_MEMORY = 8  # of the limit: what each private place may hold, for it counts for no process


class Item(NamedTuple):
    """One thing at a path. `kind` says what: `detail` is a link's target, a file's text, a size."""

    kind: str
    path: str
    detail: str = ""


def world(settings: dict[str, Any]) -> list[Item]:
    """The items in the order in which they are laid; a later one lies on top of an earlier."""
    size = str(settings["limits"]["memory"] // _PART_OF_MEMORY)
    items = [Item("memory", "/tmp", size), Item("link", "/var/tmp", "../tmp")]
    # A /dev without devices of the machine, with terminals and shared memory of its own.
    items += [Item("device", f"/dev/{name}") for name in _DEVICES]
    items += [Item("link", f"/dev/{name}", target) for name, target in _LINKS_OF_DEV.items()]
    items += [Item("terminals", "/dev/pts"), Item("memory", "/dev/shm", size)]
    items += [Item("processes", "/proc")]
    items += [Item("masked", path) for path in _MASKED if os.path.exists(path)]
    items += [_readable(path) for path in settings["readable"]]
    items += [Item("link", path, target) for path, target in settings["links"]]
    items += [Item("file", f"/etc/{name}", text) for name, text in _files_of_etc(settings).items()]
    items += [Item("root", settings["root"])]
    return items + [Item("writable", path) for path in settings["writable"]]


def guards(settings: dict[str, Any], repositories: list[Any]) -> list[Item]:
    """What of the project is `pinned` to its place by being a mount, or `fixed`: read-only too.

    Paths are relative to the root. It comes last, on top of the world.
    """
    items = []
    for path in settings["protected"]:
        names = path.split("/")
        items += [Item("pinned", "/".join(names[:count])) for count in range(1, len(names))]
        items.append(Item("fixed", path))
    for repository in repositories:
        if repository.is_directory:
            items.append(Item("pinned", repository.path))
        items += [Item("fixed", path) for path in repository.guarded]
    return items


def _readable(path: str) -> Item:
    if os.path.islink(path) and path.count("/") == 1:  # /bin → usr/bin
        return Item("link", path, os.readlink(path))
    return Item("readable", path)


def _files_of_etc(settings: dict[str, Any]) -> dict[str, str]:
    """Without these programs stumble: who one is, and who localhost is."""
    user, group = settings["user"], settings["group"]
    files = {"passwd": f"user:x:{user}:{group}::/:/bin/sh\n", "group": f"user:x:{group}:\n"}
    if not settings["network"]:
        files["hosts"] = "127.0.0.1 localhost\n::1 localhost\n"
    return files
