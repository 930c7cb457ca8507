"""What a run knows and changes: variables, the latest result, the events so far."""

import os
from functools import cached_property
from typing import Any

from tisslang.errors import TissCommandError
from tisslang.events import Event, EventLog, Listener
from tisslang.launcher import Launcher
from tisslang.options import Options
from tisslang.paths import ProjectFiles, open_project
from tisslang.questions import Questions
from tisslang.values import Value


class State:
    """The state of one run, passed to every tool.

    `variables` maps names to text, number or boolean. `last_run_result` is None before the first
    RUN, then a dict with `command`, `stdout`, `stderr`, `exit_code`, `execution_time` (seconds),
    and `stdout_bytes`, `stderr_bytes`: how much the command wrote in all. `is_halted` says that the
    run has ended early; a tool may set it to end the run. `log` holds what LOG said, `steps` the
    names of the open steps, `directives` those in force.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] = ".",
        options: Options | None = None,
        listeners: list[Listener] | None = None,
    ) -> None:
        self.root = os.path.realpath(root)
        self.options = options or Options()
        self.variables: dict[str, Value] = dict(self.options.var)
        self.last_run_result: dict[str, Any] | None = None
        self.is_halted = False
        self.log: list[str] = []
        self.steps: list[str] = []
        self.directives: dict[str, list[Value]] = {}
        self.events = EventLog(listeners)
        self.launcher = Launcher(self.root, self.options)
        self.questions = Questions(self.options, self.events.send)

    @property
    def execution_log(self) -> list[Event]:
        """The events so far."""
        return self.events.entries

    @cached_property
    def files(self) -> ProjectFiles:
        """The project's files, opened below the root; `io` when the root is gone."""
        try:
            return open_project(self.root)
        except OSError as error:
            raise TissCommandError(
                "io", f"the project root cannot be opened: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Give back the root's descriptor and remove the commands' HOME and TMPDIR."""
        if "files" in self.__dict__:
            self.files.close()
            del self.files
        self.launcher.close()
