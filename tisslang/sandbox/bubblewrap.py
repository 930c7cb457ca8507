"""The same namespaces through `bwrap`, where only that program may make them.

Ubuntu since 23.10 gives the right to user 0 and to a list of programs, and bubblewrap is on it. It
lays out the same world; a Python inside it then gives up the rest, as without bubblewrap.
https://github.com/containers/bubblewrap
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from tisslang.sandbox import linux
from tisslang.sandbox.policy import PACKAGE
from tisslang.sandbox.world import Item, guards, world

if TYPE_CHECKING:
    from tisslang.sandbox.command import Ends

PROGRAM = "/usr/bin/bwrap"

_CONFIGURATION = 5  # the descriptor that tells the process inside what to do
_INSIDE = (
    "import sys; sys.path.append({path!r}); "
    "from tisslang.sandbox.bubblewrap import inside; inside()"
)

Settings = dict[str, Any]


def is_of_use() -> bool:
    """For ordinary users: user 0 has the right itself, and owns the devices that are shown."""
    return os.getuid() != 0 and os.path.exists(PROGRAM)


def enter(settings: Settings, request: dict[str, Any], repositories: list[Any], ends: Ends) -> None:
    """Become bubblewrap, and inside it the command. Returns only by an exception."""
    linux.prefer_for_oom_killer()
    message = json.dumps({"settings": settings, "request": request}).encode()
    os.dup2(_filled(message), _CONFIGURATION)
    for descriptor in (ends.status, ends.control, _CONFIGURATION):
        os.set_inheritable(descriptor, True)
    python = [sys.executable, "-I", "-S", "-B", "-c"]
    inner = [*python, _INSIDE.format(path=os.path.dirname(PACKAGE))]
    arguments = [PROGRAM, *_namespaces(settings), *_world(settings)]
    arguments += _guards(settings, repositories)
    for place in ("/proc", "/dev", "/"):
        arguments += ["--remount-ro", place]
    arguments += ["--", *inner]
    os.execve(PROGRAM, arguments, {})


def inside() -> None:
    """In the new world: go on where `become_command` left off."""
    from tisslang.sandbox import command

    ends = command.Ends()
    try:
        for descriptor in (ends.status, ends.control):
            os.set_inheritable(descriptor, False)
        with open(_CONFIGURATION, "rb") as file:
            message = json.load(file)
        command.run_confined(message["settings"], message["request"], ends)
    except BaseException as error:
        command.tell(ends, error)
    os._exit(command.COULD_NOT_START)


def _namespaces(settings: Settings) -> list[str]:
    arguments = ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL"]
    arguments += ["--uid", str(settings["user"]), "--gid", str(settings["group"])]
    return arguments if settings["network"] else [*arguments, "--unshare-net"]


def _world(settings: Settings) -> list[str]:
    """Bubblewrap makes /dev, its links and its terminals by itself."""
    arguments = ["--dev", "/dev"]
    for item in [*world(settings), Item("readable", PACKAGE)]:
        made_by_bubblewrap = item.path.startswith("/dev/") and item.kind != "memory"
        if not made_by_bubblewrap and item.kind != "masked":  # only user 0 could read those
            arguments += _argument(item)
    return arguments


def _argument(item: Item) -> list[str]:
    if item.kind == "link":
        return ["--symlink", item.detail, item.path]
    if item.kind == "file":
        descriptor = _filled(item.detail.encode())
        os.set_inheritable(descriptor, True)
        return ["--ro-bind-data", str(descriptor), item.path]
    if item.kind == "memory":
        return ["--perms", "1777", "--size", item.detail, "--tmpfs", item.path]
    if item.kind == "processes":
        return ["--proc", item.path]
    is_writable = item.kind in ("root", "writable")
    return ["--bind" if is_writable else "--ro-bind", item.path, item.path]


def _guards(settings: Settings, repositories: list[Any]) -> list[str]:
    """By path: somebody else who exchanges directories in the project at this very moment could
    lead a guard astray, as namespaces.py does not let him. What changed is restored all the same.
    """
    arguments = []
    for item in guards(settings, repositories):
        place = f"{settings['root']}/{item.path}"
        arguments += ["--ro-bind" if item.kind == "fixed" else "--bind", place, place]
    return arguments


def _filled(data: bytes) -> int:
    """A descriptor from which these bytes can be read."""
    descriptor = os.memfd_create("configuration")
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
