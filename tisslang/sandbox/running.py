"""A command under way, as the supervisor sees it: a process that watches over it, and two pipes.

One pipe brings the result, once and at the end. The other is the lifeline: when it closes, by the
supervisor's will or its death, the monitor ends the command's whole tree.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from tisslang.sandbox import messages
from tisslang.sandbox.command import reason_of
from tisslang.sandbox.output import Head

Result = dict[str, Any]
Watch = Callable[[int], tuple[Result, Head, Head]]
Done = Callable[[Result, list[bytes]], None]


class Running:
    """One command from its start on. `result` is the descriptor to wait for, `done` is called by
    the supervisor with what came.
    """

    def __init__(
        self, watch: Watch, done: Done, others: Iterable[Running], private: Iterable[int]
    ) -> None:
        """Fork the process in which `watch(lifeline)` runs.

        It lets go of what connects the `others` with the supervisor, and of the supervisor's
        `private` descriptors: a pipe that is held twice does not close.
        """
        self.done = done
        (self.result, writer), (lifeline, self._wanted) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _watch(watch, writer, lifeline, [self, *others], private)
        os.close(writer)
        os.close(lifeline)

    def end(self) -> None:
        """Have it ended; the result still comes."""
        if self._wanted >= 0:
            os.close(self._wanted)
            self._wanted = -1

    def take_result(self) -> tuple[Result, list[bytes]]:
        """What became of it, and the beginnings of both streams; the monitor is gone then."""
        try:
            received = messages.receive(self.result)
        finally:
            self.let_go()
            os.waitpid(self.pid, 0)
        failure = ["confinement", "the monitor of the command was killed"]
        return received or ({"failure": failure}, [])

    def let_go(self) -> None:
        """Close what connects us."""
        self.end()
        os.close(self.result)


def _watch(
    watch: Watch, writer: int, lifeline: int, not_ours: list[Running], private: Iterable[int]
) -> NoReturn:
    """In the new process: watch to the end and tell the result."""
    try:
        for command in not_ours:
            command.let_go()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in private:
            os.dup2(nothing, descriptor)
        result, out, err = watch(lifeline)
        messages.send(writer, result, out.kept, err.kept)
    except Exception as error:
        failure = ["confinement", reason_of(error)]
        messages.send(writer, {"failure": failure, "exit_code": 1}, b"", b"")
    finally:
        os._exit(0)
