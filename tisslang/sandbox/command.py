"""The process that becomes the command: from the fork to the shell."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

LINUX = sys.platform == "linux"
if LINUX:
    import _socket
    import array

    from tisslang.sandbox import bubblewrap, namespaces, restrict

SHELL = "/bin/sh"
STARTED = b"started\n"  # on the status pipe, just before the shell; an error may still follow
COULD_NOT_START = 126
_FIRST_FREE = 10
_MANY = 1 << 20  # descriptors: more than a process may have

Settings = dict[str, Any]


class Ends(NamedTuple):
    """The command's ends of what connects it with the monitor."""

    out: int = 1
    err: int = 2
    status: int = 3  # tells why the command could not be started; closes when it starts
    control: int = 4  # takes over the descriptor of the filter


def become_command(
    settings: Settings, request: dict[str, Any], repositories: list[Any], ends: Ends
) -> NoReturn:
    """In the new process: confine it, and run the command; never returns."""
    try:
        ends = _only(ends)
        if settings["backend"] == "namespaces":
            if settings["bubblewrap"]:
                bubblewrap.enter(settings, request, repositories, ends)  # there: run_confined
            namespaces.build(settings, repositories)
            command = os.fork()
            if command:
                os.closerange(0, _MANY)
                os._exit(namespaces.wait_for(command))
        run_confined(settings, request, ends)
    except BaseException as error:
        tell(ends, error)
    os._exit(COULD_NOT_START)


def run_confined(settings: Settings, request: dict[str, Any], ends: Ends) -> None:
    """Give up what the command must not have, and run it. Returns only by an exception."""
    os.setsid()  # no controlling terminal: nobody's keyboard, window or signals
    _default_signals()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (settings["descriptors"], most))
    with _failing_to_start():
        os.chdir(request["cwd"])
    if settings["confined"] and LINUX:
        restrict.restrict(settings, lambda listener: _send_descriptor(ends.control, listener))
    os.write(ends.status, STARTED)
    if request["command"] is None:  # a trial
        os._exit(0)
    arguments = [*settings["wrapper"], SHELL, "-c", request["command"]]
    with _failing_to_start():
        os.execve(arguments[0], arguments, request["environment"])


class CannotStart(Exception):
    """The command itself cannot be started; its confinement would have held."""


@contextlib.contextmanager
def _failing_to_start() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotStart(error.strerror) from error


def tell(ends: Ends, error: BaseException) -> None:
    """Tell the monitor why there is no command."""
    kind = "start" if isinstance(error, CannotStart) else "confinement"
    os.write(ends.status, json.dumps([kind, reason_of(error)]).encode())


def reason_of(error: BaseException) -> str:
    """What an error says, in one line for people."""
    what = error.strerror if isinstance(error, OSError) else None
    return what or str(error) or type(error).__name__


def _only(ends: Ends) -> Ends:
    """Standard input at its end, both streams at their places, and no other descriptor but two."""
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for end in ends]
    nothing = os.open(os.devnull, os.O_RDONLY)
    places = Ends()
    for source, place in ((nothing, 0), (moved[0], places.out), (moved[1], places.err)):
        os.dup2(source, place)
    os.dup2(moved[2], places.status, inheritable=False)
    os.dup2(moved[3], places.control, inheritable=False)
    os.closerange(places.control + 1, _MANY)
    return places


def _default_signals() -> None:
    """Python ignores two signals, and the supervisor some more; a command does not."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _send_descriptor(control: int, descriptor: int) -> None:
    sock = _socket.socket(fileno=control)
    ancillary = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [descriptor]))]
    sock.sendmsg([b"x"], ancillary)
    sock.detach()
