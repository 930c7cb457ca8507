"""What a process on Linux gives up before it becomes the command, in order, and the proof of it.

Everything is proved by trying it, each time, just before the command starts: a step that the kernel
took without effect is found out here.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from typing import Any

from tisslang.sandbox import landlock, linux, seccomp
from tisslang.sandbox.memory import MOST_DESCRIPTORS
from tisslang.sandbox.root import open_root

Settings = dict[str, Any]
_MARGIN = 64 << 20  # bytes above the limit: so that the monitor sees it, and says which it was
_SUDDEN = 4 << 30  # bytes above the limit that one process may ask for before the monitor looks
_DEVICES = ("null", "zero", "full", "random", "urandom")


class NotConfined(Exception):
    """A restriction does not hold on this machine."""


def restrict(settings: Settings, hand_over: Callable[[int], None]) -> None:
    """Confine this process for good. `hand_over` is given the descriptor of what is to be decided.

    Raises `OSError` where the kernel refuses a step and `NotConfined` where a step has no effect.
    """
    by_mounts = settings["backend"] == "namespaces"
    _limit_each_process(settings)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # it does not outlive its monitor
    if not by_mounts:  # there /proc is read-only by now, and it was done before
        linux.prefer_for_oom_killer()
    linux.drop_privileges()
    root = open_root(settings)
    if not by_mounts:
        landlock.restrict_files(_rules_without_mounts(settings, root))
    elif landlock.version():  # gVisor has namespaces and no Landlock
        landlock.restrict_files(_rules_behind_mounts(settings, root))
    os.close(root)
    listener = seccomp.install(filter_program(settings), listen=not by_mounts)
    if not by_mounts:
        hand_over(listener)
    _prove(settings)


def filter_program(settings: Settings) -> bytes:
    """The filter of system calls for a backend."""
    by_mounts = settings["backend"] == "namespaces"
    return seccomp.program(
        network=settings["network"] or by_mounts,
        own_processes=by_mounts,
        decide_modes=not by_mounts,
    )


def _limit_each_process(settings: Settings) -> None:
    """Hard limits of each process, behind those that the monitor watches for the whole tree."""
    limits = settings["limits"]
    hard = {
        # No image of a memory, in a file or for the machine's crash handler: with 0 that one, which
        # runs outside, would be started; 1 is the number that stops it (see core(5)).
        resource.RLIMIT_CORE: 1,
        resource.RLIMIT_FSIZE: limits["disk"] + _MARGIN,
        resource.RLIMIT_DATA: limits["memory"] + _SUDDEN,
        resource.RLIMIT_NOFILE: MOST_DESCRIPTORS,
        resource.RLIMIT_MSGQUEUE: 0,  # queues of messages would outlive the command
        resource.RLIMIT_RTPRIO: 0,  # a real-time loop would hold a processor
        resource.RLIMIT_NICE: 0,  # and so would one that takes precedence
    }
    if os.getuid() != 0:  # user 0 is never bound by it
        hard[resource.RLIMIT_NPROC] = settings["processes_before"] + 4 * limits["processes"] + 256
    for limit, value in hard.items():
        soft, now = resource.getrlimit(limit)
        if now != resource.RLIM_INFINITY:
            value = min(value, now)
        if soft == resource.RLIM_INFINITY or limit != resource.RLIMIT_NOFILE:
            soft = value
        resource.setrlimit(limit, (min(soft, value), value))


def _rules_without_mounts(settings: Settings, root: int) -> list[tuple[str | int, int]]:
    """Files: the project, its private places, the system's programs, a few devices.

    And /proc, which shows of other processes what `ps` shows, command lines too; Landlock keeps
    their memory, environment and files closed. To user 0 it shows some counts of the kernel.
    """
    return [
        *((path, landlock.READ_WRITE) for path in [root, *settings["writable"]]),
        *((path, landlock.READ) for path in settings["readable"]),
        *((path, landlock.LIST) for path in settings["listable"]),
        ("/proc", landlock.READ_FILE | landlock.READ_DIR),
        *((f"/dev/{name}", landlock.DEVICE) for name in _DEVICES),
    ]


def _rules_behind_mounts(settings: Settings, root: int) -> list[tuple[str | int, int]]:
    """What can be seen was chosen by mounts; this is a second wall behind them."""
    return [
        ("/", landlock.READ),
        *((path, landlock.READ_WRITE) for path in [root, *settings["writable"]]),
        *((path, landlock.READ_WRITE) for path in ("/tmp", "/dev/shm")),
        *((path, landlock.TERMINAL) for path in ("/dev/pts", "/dev/ptmx", "/dev/tty")),
        *((f"/dev/{name}", landlock.DEVICE) for name in _DEVICES),
    ]


def _prove(settings: Settings) -> None:
    canary, monitor = settings["canary"], settings["monitor"]
    forbidden: list[tuple[str, Callable[[], object]]] = [
        ("a file outside can be read", lambda: os.close(os.open(canary, os.O_RDONLY))),
        ("a file outside can be written", lambda: os.close(os.open(canary, os.O_WRONLY))),
        ("the mode of a file outside can be changed", lambda: os.chmod(canary, 0o600)),
        ("the times of a file outside can be changed", lambda: os.utime(canary)),
        ("a file outside can be removed", lambda: os.unlink(canary)),
        ("a namespace can be made", lambda: linux.unshare(linux.CLONE_NEWUSER)),
        ("a local daemon can be reached", _make_local_socket),
    ]
    if os.getpid() != monitor:  # in a PID namespace that number may be our own
        forbidden.append(("a process outside can be signalled", lambda: os.kill(monitor, 0)))
    if not settings["network"] and settings["port"]:
        forbidden.append(("the network can be reached", lambda: _connect(settings["port"])))
    for what, attempt in forbidden:
        try:
            attempt()
        except OSError:
            continue
        raise NotConfined(what)
    if linux.capabilities():
        raise NotConfined("a capability is left")
    if linux.prctl(linux.PR_GET_NO_NEW_PRIVS) != 1 or linux.prctl(linux.PR_GET_SECCOMP) != 2:
        raise NotConfined("new privileges can be had")
    try:
        os.chmod(settings["writable"][0], 0o700)
    except OSError as error:
        raise NotConfined(f"the mode of a file inside cannot be changed: {error}") from None


def _make_local_socket() -> None:
    from _socket import AF_UNIX, SOCK_STREAM, socket

    socket(AF_UNIX, SOCK_STREAM).close()


def _connect(port: int) -> None:
    from _socket import AF_INET, SOCK_STREAM, socket

    descriptor = socket(AF_INET, SOCK_STREAM)
    try:
        descriptor.connect(("127.0.0.1", port))
    finally:
        descriptor.close()
