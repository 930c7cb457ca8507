"""The process that stands between a run and its commands, one for each run.

The run starts it outside of itself, so that it outlives the run: when the run ends, by whatever
signal, its end of the pipe closes, and what still runs is ended and cleaned up here.

    run ── pipe ──► supervisor ── fork ──► monitor ── fork or clone ──► sh -c command
                    backend, version       output, limits,             confined
                    control, scratch       end of the tree

It is one thread without anything of the project in its search path, and without the operator's
environment: of that it gets what is meant for the commands.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
from typing import Any

from tisslang.sandbox import messages, monitor, seatbelt
from tisslang.sandbox.command import LINUX, reason_of
from tisslang.sandbox.git.directories import Place, remove
from tisslang.sandbox.git.repositories import GuardError, RepositoryGuard
from tisslang.sandbox.root import Replaced, known_as, require_protected

if LINUX:
    from tisslang.sandbox import bubblewrap, linux, restrict, tree

_CLIENT_IN, _CLIENT_OUT = 0, 1
_TRIAL_SECONDS = 10.0

Settings = dict[str, Any]


def main() -> None:
    """Serve one run: choose the backend, tell what was obtained, run its commands until it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the pipe alone says when it is over
    received = messages.receive(_CLIENT_IN)
    if received is None:
        return
    try:
        supervisor = _Supervisor(received[0])
    except Exception as error:
        messages.send(_CLIENT_OUT, {"error": str(error)})
        return
    try:
        supervisor.choose_backend()
        supervisor.serve()
    except BrokenPipeError:
        pass
    finally:
        supervisor.close()


class _Supervisor:
    def __init__(self, settings: Settings) -> None:
        if LINUX:
            linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # should a monitor be killed
        self._settings = settings
        # The guard holds two descriptors for each repository; a command gets what was usual here.
        settings["descriptors"], most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._guard = RepositoryGuard(settings["root"])
        places = {path: os.path.join(settings["root"], path) for path in settings["protected"]}
        settings["root_identity"] = known_as(settings["root"])
        settings["protected_identities"] = {name: known_as(p) for name, p in places.items()}
        self._scratch = _Scratch(settings["temporary"])
        self._listener, port = _listen()
        settings.update(self._scratch.places())
        settings.update(port=port, processes_before=_processes_of_this_user())
        settings.update(user=os.getuid(), group=os.getgid())

    def close(self) -> None:
        """Leave nothing."""
        self._guard.close()
        self._scratch.remove()

    def choose_backend(self) -> None:
        """The first backend that proves to hold in a trial; the reply says what became of each."""
        refused: dict[str, str] = {}
        for backend in self._settings["backends"]:
            failure = self._try(backend)
            if failure is None:
                break
            refused[backend] = failure
        else:
            self._settings["backend"] = None
        hello = {"backend": self._settings["backend"], "refused": refused}
        messages.send(_CLIENT_OUT, {**hello, **self._scratch.environment()})

    def serve(self) -> None:
        """Run one command after the other."""
        while (received := messages.receive(_CLIENT_IN)) is not None:
            request, _ = received
            try:
                if self._settings["confined"]:
                    require_protected(self._settings)
                repositories = self._guard.before()
            except (GuardError, Replaced, OSError) as error:
                messages.send(_CLIENT_OUT, {"error": str(error)})
                continue
            try:
                result, blobs = self._run(request, repositories)
                result["files_reset"] = self._guard.after()
            except (GuardError, OSError) as error:
                result, blobs = {"error": str(error)}, []
            messages.send(_CLIENT_OUT, result, *blobs)

    def _try(self, backend: str) -> str | None:
        """Choose a backend; why it does not hold, or None."""
        self._settings.update(backend=backend, wrapper=[], bubblewrap=False)
        if not self._settings["confined"]:
            return None
        if LINUX and not tree.can_be_seen():
            return "/proc hides processes (hidepid), so that no limit could be watched"
        if exchangeable := self._settings["exchangeable"]:
            return f"{exchangeable[0]} in the project leads to this Python, and could be exchanged"
        if backend != "namespaces" and (protected := self._settings["protected"]):
            return f"{protected[0]} lies in the project, and nothing can keep it read-only"
        if backend == "sandbox-exec":
            self._settings["wrapper"] = seatbelt.wrapper(self._settings)
        elif LINUX:
            restrict.filter_program(self._settings)  # made once, for all commands that are forked
        failure = self._trial()
        if failure and backend == "namespaces" and bubblewrap.is_of_use():
            self._settings["bubblewrap"] = True
            if through := self._trial():
                return f"{failure}; through bubblewrap: {through}"
            return None
        return failure

    def _trial(self) -> str | None:
        """Do everything but start a command; why it did not work."""
        request = {
            "command": None if LINUX else seatbelt.trial(self._settings),
            "cwd": self._settings["root"],
            "environment": {},
            "timeout": _TRIAL_SECONDS,
            "max_output": 1000,
        }
        result, blobs = self._run(request, [])
        if failure := result.get("failure"):
            said = blobs[1].decode("utf-8", "replace").strip() if blobs else ""
            return f"{failure[1]} ({said})" if said else str(failure[1])
        if result["exit_code"]:
            return f"the trial ended with exit code {result['exit_code']}"
        return None

    def _run(self, request: dict[str, Any], repositories: list[Any]) -> tuple[dict[str, Any], Any]:
        (reader, writer), (lifeline, wanted) = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            os.close(wanted)
            self._monitor(request, repositories, writer, lifeline)
        os.close(writer)
        os.close(lifeline)
        try:
            _close_when_client_is_gone(reader, wanted)
            received = messages.receive(reader)
        finally:
            os.close(reader)
            os.waitpid(pid, 0)
            all_ended = tree.end_descendants(os.getpid()) if LINUX else True
        if received is None:
            return {"failure": ["confinement", "the monitor of the command was killed"]}, []
        if not all_ended:
            received[0]["failure"] = ["confinement", "some of its processes could not be ended"]
        return received

    def _monitor(
        self, request: dict[str, Any], repositories: list[Any], writer: int, lifeline: int
    ) -> None:
        try:
            # The client's pipes are the supervisor's alone: their end must be seen at its end.
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, _CLIENT_IN)
            os.dup2(nothing, _CLIENT_OUT)
            result, out, err = monitor.watch(self._settings, request, repositories, lifeline)
            messages.send(writer, result, out.kept, err.kept)
        except Exception as error:
            failure = ["confinement", reason_of(error)]
            messages.send(writer, {"failure": failure, "exit_code": 1}, b"", b"")
        finally:
            os._exit(0)


class _Scratch:
    """The directories that a run has for itself: HOME and TMPDIR of its commands, and two of ours.

    Beside them lies the canary: a file that a confined command must not get at.
    """

    def __init__(self, temporary: str) -> None:
        self._base = os.path.join(temporary, f"tiss-{os.urandom(8).hex()}")
        os.mkdir(self._base, 0o700)
        for name in ("home", "tmp", "view"):
            os.mkdir(os.path.join(self._base, name), 0o700)
        with open(self._path("canary"), "w", encoding="ascii") as file:
            file.write("A confined command does not see this.\n")

    def places(self) -> Settings:
        """Their paths, as settings."""
        return {
            "writable": [self._path("home"), self._path("tmp")],
            "view": self._path("view"),
            "canary": self._path("canary"),
        }

    def environment(self) -> dict[str, str]:
        """HOME and TMPDIR."""
        return {"HOME": self._path("home"), "TMPDIR": self._path("tmp")}

    def remove(self) -> None:
        """Remove all of it, whatever the commands left there."""
        parent, name = os.path.split(self._base)
        descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with Place(descriptor) as place:
                remove(place, name)
        finally:
            os.close(descriptor)

    def _path(self, name: str) -> str:
        return os.path.join(self._base, name)


def _close_when_client_is_gone(reader: int, wanted: int) -> None:
    """Wait for the monitor's answer; close the lifeline as soon as nobody waits for it."""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    poll.register(_CLIENT_IN, select.POLLIN)
    parent = os.getppid()
    is_open = True
    while reader not in (ready := [descriptor for descriptor, _ in poll.poll(500)]):
        # A client that waits sends nothing: what is to be read is the end. Somebody may have
        # inherited its side of the pipe, so its death counts too.
        if is_open and (_CLIENT_IN in ready or os.getppid() != parent):
            os.close(wanted)
            poll.unregister(_CLIENT_IN)
            is_open = False
    if is_open:
        os.close(wanted)


def _listen() -> tuple[Any, int]:
    """A port that no confined command may reach; 0 where there is no network."""
    from _socket import AF_INET, SOCK_STREAM, socket

    with contextlib.suppress(OSError):
        listener = socket(AF_INET, SOCK_STREAM)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        return listener, listener.getsockname()[1]
    return None, 0


def _processes_of_this_user() -> int:
    """How many threads this user has: what the kernel's own limit counts. 0 for user 0."""
    count = 0
    if LINUX and os.getuid() != 0:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                    count += len(os.listdir(f"/proc/{pid}/task"))
    return count
