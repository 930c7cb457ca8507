"""The backend of namespaces: a command sees a small world of its own, and nothing else is there.

| namespace | what it takes away |
|---|---|
| user | any right over what is outside; the command keeps its own user number |
| mount | every file but the project, the system's programs and private places |
| PID | sight of other processes; when its first process ends, the kernel ends all |
| network | everything but a loopback of its own |
| IPC, UTS, cgroup | shared memory, queues, the machine's name, its place among the groups |
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
from _socket import AF_INET, SOCK_DGRAM, socket
from typing import Any

from tisslang.sandbox import linux
from tisslang.sandbox.linux import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    mount,
    restrict_mount,
)
from tisslang.sandbox.root import open_below, open_root
from tisslang.sandbox.tree import exit_code
from tisslang.sandbox.world import Item, guards, world

_ALWAYS = (
    linux.CLONE_NEWUSER
    | linux.CLONE_NEWNS
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWCGROUP
)
_PLAIN = MS_NOSUID | MS_NODEV
_NOTHING = "/dev/null"
_RESTRICTIONS = {
    "readable": MS_RDONLY | _PLAIN,
    "masked": MS_RDONLY | _PLAIN,
    "writable": _PLAIN,  # what is read-only outside stays so
    # Read-only holds for the node, whose mode user 0 could change; it is written to all the same.
    "device": MS_RDONLY | MS_NOSUID | MS_NOEXEC,
}
_FILE_SYSTEMS = {
    "memory": ("tmpfs", _PLAIN, "size={size},nr_inodes=100k,mode=1777"),
    "terminals": ("devpts", MS_NOSUID | MS_NOEXEC, "ptmxmode=666"),
    # Read-only as a whole: user 0 would otherwise own /proc/sys, capabilities or not.
    "processes": ("proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, ""),
}

Settings = dict[str, Any]


def fork(network: bool) -> int:
    """`os.fork()` into new namespaces, with the host's network when `network`."""
    return linux.clone(_ALWAYS | (0 if network else linux.CLONE_NEWNET))


def build(settings: Settings, repositories: list[Any]) -> None:
    """In the new process: make its world and move into it. Raises `OSError`."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    _keep_own_user(settings["user"], settings["group"])
    if not settings["network"]:
        _raise_loopback()
    linux.prefer_for_oom_killer()
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    _enter_world(settings)
    for item in guards(settings, repositories):
        _lay_guard(settings["root"], item)
    linux.prctl(linux.PR_SET_DUMPABLE, 0)  # the command may not look into this process


def wait_for(command: int) -> int:
    """As the first process of the namespace: take in whatever ends; return the command's code.

    The shell is not the first process itself, for that one ignores its own `kill -9 $$`.
    """
    linux.drop_privileges()
    while True:
        pid, status = os.wait()
        if pid == command:
            return exit_code(status)


def _enter_world(settings: Settings) -> None:
    """Lay out the world in a file system in memory, freeze that, and make it all there is."""
    place = settings["view"]
    mount("tmpfs", place, "tmpfs", _PLAIN, "size=8m,mode=755")
    for item in world(settings):
        if item.kind == "root":
            _lay_root(place, settings)
        else:
            _lay(place, item)
    mount("none", place, None, MS_REMOUNT | MS_BIND | MS_RDONLY | _PLAIN)
    linux.pivot_root(place)


def _lay(place: str, item: Item) -> None:
    path, target = item.path, place + item.path
    os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
    if item.kind == "link":
        if not os.path.lexists(target):
            os.symlink(item.detail, target)
    elif item.kind == "file":
        with open(target, "w", encoding="ascii") as file:
            file.write(item.detail)
    elif item.kind in _RESTRICTIONS:
        _make_mount_point(target, os.path.isdir(path))
        mount(_NOTHING if item.kind == "masked" else path, target, None, MS_BIND | MS_REC)
        restrict_mount(target, _RESTRICTIONS[item.kind])
    else:
        _make_mount_point(target, is_directory=True)
        kind, flags, options = _FILE_SYSTEMS[item.kind]
        mount(kind, target, kind, flags, options.format(size=item.detail))


def _lay_root(place: str, settings: Settings) -> None:
    """The project: the directory that it was when the run began, whatever has its name now."""
    target = place + settings["root"]
    _make_mount_point(target, is_directory=True)
    root = open_root(settings)
    try:
        mount(f"/proc/self/fd/{root}", target, None, MS_BIND | MS_REC)
    finally:
        os.close(root)
    restrict_mount(target, _RESTRICTIONS["writable"])


def _make_mount_point(target: str, is_directory: bool) -> None:
    if is_directory:
        os.makedirs(target, 0o755, exist_ok=True)
    elif not os.path.exists(target):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT, 0o644))


def _keep_own_user(user: int, group: int) -> None:
    """In the new namespace nobody has a number yet; with the same one files keep their owner."""
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    _write("/proc/self/uid_map", f"{user} {user} 1")


def _raise_loopback() -> None:
    """A command may start a server and talk to it."""
    siocsifflags, iff_up = 0x8914, 1
    request = struct.pack("16sh22x", b"lo", iff_up)
    descriptor = socket(AF_INET, SOCK_DGRAM)
    try:
        fcntl.ioctl(descriptor.fileno(), siocsifflags, request)
    finally:
        descriptor.close()


def _lay_guard(root: str, item: Item) -> None:
    """On descriptors: a command that runs beside this one may exchange directories for links."""
    place = open_below(root, item.path)
    try:
        mount(f"/proc/self/fd/{place}", f"/proc/self/fd/{place}", None, MS_BIND | MS_REC)
    finally:
        os.close(place)
    if item.kind == "fixed":
        place = open_below(root, item.path)  # the mount, which now lies on top
        try:
            restrict_mount(f"/proc/self/fd/{place}", MS_RDONLY | _PLAIN)
        finally:
            os.close(place)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
