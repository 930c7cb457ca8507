"""The process that stands between a run and its commands, one for each run.

The run starts it outside of itself, so that it outlives the run: when the run ends, by whatever
signal, its end of the pipe closes, and what still runs is ended and cleaned up here.

    run ── pipe ──► supervisor ── fork ──► monitor ── fork or clone ──► sh -c command
                    backend, version       output, limits,             confined
                    control, scratch       end of the tree

Each command has a monitor, and several may run side by side (service.py). The supervisor is one
thread without anything of the project in its search path, and without the operator's environment:
of that it gets what is meant for the commands.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from typing import Any

from tisslang.sandbox import messages, seatbelt
from tisslang.sandbox.command import LINUX
from tisslang.sandbox.git.repositories import RepositoryGuard
from tisslang.sandbox.root import known_as
from tisslang.sandbox.scratch import Scratch
from tisslang.sandbox.service import CLIENT_IN, CLIENT_OUT, Service

if LINUX:
    from tisslang.sandbox import bubblewrap, linux, restrict, tree

_TRIAL_SECONDS = 10.0

Settings = dict[str, Any]


def main() -> None:
    """Serve one run: choose the backend, tell what was obtained, run its commands until it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the pipe alone says when it is over
    received = messages.receive(CLIENT_IN)
    if received is None:
        return
    settings = received[0]
    number = settings.pop("number")
    try:
        supervisor = _Supervisor(settings)
    except Exception as error:
        messages.send(CLIENT_OUT, {"error": str(error), "number": number})
        return
    try:
        messages.send(CLIENT_OUT, {**supervisor.choose_backend(), "number": number})
        supervisor.service.serve()
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
        protected = {path: os.path.join(settings["root"], path) for path in settings["protected"]}
        settings["root_identity"] = known_as(settings["root"])
        settings["protected_identities"] = {name: known_as(p) for name, p in protected.items()}
        self._scratch = Scratch(settings["temporary"])
        self._listener, port = _listen()
        settings.update(self._scratch.places())
        settings.update(port=port, processes_before=_processes_of_this_user())
        settings.update(user=os.getuid(), group=os.getgid())
        self.service = Service(settings, self._guard)

    def close(self) -> None:
        """Leave nothing."""
        self.service.end()
        self._guard.close()
        self._scratch.remove()

    def choose_backend(self) -> dict[str, Any]:
        """The first backend that proves to hold in a trial, and what became of those before it;
        and what the run has for itself.
        """
        refused: dict[str, str] = {}
        for backend in self._settings["backends"]:
            failure = self._try(backend)
            if failure is None:
                break
            refused[backend] = failure
        else:
            self._settings["backend"] = None
        found = {"backend": self._settings["backend"], "refused": refused}
        return {**found, **self._scratch.environment()}

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
        result, blobs = self.service.run_alone(request)
        if failure := result.get("failure"):
            said = blobs[1].decode("utf-8", "replace").strip() if blobs else ""
            return f"{failure[1]} ({said})" if said else str(failure[1])
        if result["exit_code"]:
            return f"the trial ended with exit code {result['exit_code']}"
        return None


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
