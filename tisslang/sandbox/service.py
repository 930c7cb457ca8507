"""Serves the requests of one run: starts commands, side by side if more than one is asked for.

It is one loop over the pipe from the run and those from the monitors. The repositories of the
project are guarded for all commands together: looked at before the first starts while none runs,
and put right when the last has ended. In between nobody could say which command did what.

The run itself writes files beside its commands. A directory that it has opened may be a `.git` by
the time it writes there, so it says when it begins and ends: nothing is put right in between.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from functools import partial
from typing import Any

from tisslang.sandbox import messages, monitor, places
from tisslang.sandbox.command import LINUX
from tisslang.sandbox.git.repositories import GuardError, RepositoryGuard
from tisslang.sandbox.neighbours import Neighbours
from tisslang.sandbox.root import Replaced, require_protected
from tisslang.sandbox.running import Done, Result, Running

if LINUX:
    from tisslang.sandbox import tree

CLIENT_IN, CLIENT_OUT = 0, 1
_LOOK_AFTER_CLIENT = 500  # milliseconds between two looks whether it lives

Settings = dict[str, Any]
Request = dict[str, Any]


class Service:
    """The commands of a run, from its first to its last."""

    def __init__(self, settings: Settings, guard: RepositoryGuard) -> None:
        self._settings = settings
        self._guard = guard
        self._repositories: list[Any] = []
        self._places: places.Places = {}
        self._neighbours = Neighbours()
        self._running: dict[int, Running] = {}  # by the descriptor on which the result comes
        self._waiting: list[Request] = []
        self._writers = 0  # threads of the run that are changing files of the project
        self._is_guarded = False  # the repositories were looked at, and are to be put right
        self._refusal: str | None = None
        self._is_wanted = True
        self._client = os.getppid()
        self._poll = select.poll()
        self._poll.register(CLIENT_IN, select.POLLIN)

    def serve(self) -> None:
        """Do what is asked for, until the run ends and nothing of it is left."""
        while self._is_wanted or self._running:
            self._step()

    def run_alone(self, request: Request) -> tuple[Result, list[bytes]]:
        """Run a command that touches nothing, when nothing else runs."""
        results: list[tuple[Result, list[bytes]]] = []
        self._start(request, [], lambda result, blobs: results.append((result, blobs)))
        while not results:
            self._step()
        return results[0]

    def end(self) -> None:
        """End what still runs, whatever is asked for."""
        self._give_up_client()
        while self._running:
            self._step()
        if self._is_guarded:  # the client died while it wrote
            with contextlib.suppress(GuardError, OSError):  # there is nobody to tell
                self._put_right()

    def _step(self) -> None:
        """Wait until something happens, and do what it wants."""
        ready = [descriptor for descriptor, _ in self._poll.poll(_LOOK_AFTER_CLIENT)]
        # First what ends: the next command may then be one that starts while none runs.
        for descriptor in ready:
            if descriptor in self._running:
                self._finish(self._running.pop(descriptor))
        # Somebody may have inherited the client's side of the pipe, so its death counts too.
        if self._is_wanted and os.getppid() != self._client:
            self._give_up_client()
        elif self._is_wanted and CLIENT_IN in ready:
            self._take_request()

    def _take_request(self) -> None:
        received = messages.receive(CLIENT_IN)
        if received is None:
            self._give_up_client()
        elif received[0].get("stop"):
            self._stop_all()
        elif received[0].get("writing") is True:
            self._writers += 1
            self._reply(received[0], {})
        elif received[0].get("writing") is False:
            self._writers -= 1
            self._answer(received[0], {}, [])
        else:
            self._begin(received[0])

    def _begin(self, request: Request) -> None:
        """Start a command; or refuse it, or let it wait."""
        try:
            if self._refusal is not None:
                raise GuardError(self._refusal)
            if self._settings["confined"]:
                require_protected(self._settings)
            if not self._is_guarded:
                self._repositories = self._guard.before()
                self._is_guarded = True
                self._places = places.known(self._settings, self._repositories)
            elif self._waiting or not places.are_same(self._settings, self._places):
                self._waiting.append(request)  # until none runs: then all is looked for anew
                return
            self._start(request, self._repositories, partial(self._answer, request))
        except (GuardError, Replaced, OSError) as error:
            self._refuse_all(request, str(error))

    def _start(self, request: Request, repositories: list[Any], done: Done) -> None:
        if (deadline := request.get("deadline")) is not None:
            left = max(0.0, deadline - time.monotonic())
            request = {**request, "timeout": min(request["timeout"], left)}
        self._neighbours.begin()
        watch = partial(monitor.watch, self._settings, request, repositories, self._neighbours)
        command = Running(watch, done, self._running.values(), (CLIENT_IN, CLIENT_OUT))
        self._running[command.result] = command
        self._poll.register(command.result, select.POLLIN)

    def _finish(self, command: Running) -> None:
        """Take the result of a command that runs no more, and let nothing of it be left."""
        self._poll.unregister(command.result)
        result, blobs = command.take_result()
        if not self._end_orphans():
            result["failure"] = ["confinement", "some of its processes could not be ended"]
        self._neighbours.end()
        command.done(result, blobs)

    def _end_orphans(self) -> bool:
        """Should a monitor have been killed, what it watched over comes to us. All else below us is
        below the monitors of commands that run, and stays.
        """
        monitors = {command.pid for command in self._running.values()}
        try:
            return not LINUX or tree.end_descendants(spared=monitors)
        except OSError:  # we cannot know
            return False

    def _answer(self, request: Request, result: Result, blobs: list[bytes]) -> None:
        """Reply to a request; when nobody is at work any more, first put the repositories right."""
        if self._running or self._writers:
            self._reply(request, result, *blobs)
            return
        if self._is_guarded:
            try:
                result["files_reset"] = self._put_right()
            except (GuardError, OSError) as error:
                self._refuse_all(request, str(error))
                return
        self._reply(request, result, *blobs)
        for waiting in self._take_waiting():
            self._begin(waiting)

    def _put_right(self) -> list[str]:
        self._is_guarded = False
        return self._guard.after()

    def _reply(self, request: Request, result: Result, *blobs: bytes) -> None:
        try:
            messages.send(CLIENT_OUT, {**result, "number": request.get("number")}, *blobs)
        except BrokenPipeError:
            self._give_up_client()

    def _refuse_all(self, request: Request, why: str) -> None:
        """Where the project cannot be guarded nothing runs from now on, and nothing goes on."""
        self._refusal = why
        for refused in [request, *self._take_waiting()]:
            self._reply(refused, {"error": why})
        self._stop_all()

    def _stop_all(self) -> None:
        """End every command that was asked for; those that run tell what came of it."""
        for request in self._take_waiting():
            self._reply(request, {"ended_by": "stopped", "failure": None})
        for command in self._running.values():
            command.end()

    def _take_waiting(self) -> list[Request]:
        waiting, self._waiting = self._waiting, []
        return waiting

    def _give_up_client(self) -> None:
        """Nobody asks for anything any more."""
        if self._is_wanted:
            self._is_wanted = False
            self._poll.unregister(CLIENT_IN)
            self._stop_all()
