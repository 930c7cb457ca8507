"""What a run knows and changes: variables, the latest result, the events so far."""

import copy
import os
import threading
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tisslang.costs import Costs
from tisslang.errors import TissCommandError
from tisslang.events import Event, EventLog, Listener
from tisslang.launcher import Launcher
from tisslang.options import Options
from tisslang.paths import ProjectFiles, open_project
from tisslang.questions import Questions
from tisslang.secrets import Secrets
from tisslang.values import Value

if TYPE_CHECKING:
    from tisslang.adapters import LanguageModelAdapter


class State:
    """The state of one run, passed to every tool.

    `variables` maps names to text, number or boolean. `last_run_result` is None before the first
    RUN, then a dict with `command`, `stdout`, `stderr`, `exit_code`, `execution_time` (seconds),
    and `stdout_bytes`, `stderr_bytes`: how much the command wrote in all. `is_halted` says that the
    run has ended early; a tool may set it to end the run. `log` holds what LOG said, `steps` the
    names of the open steps and calls, `directives` those in force, `error` the fields of the error
    that a CATCH handles. `interrupted` is set when the run is to end, whichever thread it is in.
    `await_turn` waits in a branch of PARALLEL for those before it, where a
    question may use up an `--answer`: they are given in the order of the source.

    What a run has once is shared by the branches of a PARALLEL: `files`, `launcher`, `questions`,
    `costs`, `agent`, `secrets`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] = ".",
        options: Options | None = None,
        listeners: list[Listener] | None = None,
    ) -> None:
        self.root = os.path.realpath(root)
        self.options = options or Options()
        self.secrets = Secrets(self.options.secrets)
        self.variables: dict[str, Value] = {**self.options.var, **self.options.secrets}
        self.last_run_result: dict[str, Any] | None = None
        self.is_halted = False
        self.log: list[str] = []
        self.steps: list[str] = []
        self.directives: dict[str, list[Value]] = {}
        self.error: dict[str, Value] | None = None
        self.interrupted = threading.Event()
        self.await_turn: Callable[[], None] = lambda: None
        mask = self.secrets.mask_all if self.options.secrets else None
        self.events = EventLog(listeners, mask, quiet=self.options.dry_run)
        self.launcher = Launcher(self.root, self.options)
        self.costs = Costs(self.options.budget, self.options.rates)
        self.questions = Questions(self.options, self.secrets.mask, self.costs.require_time)

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

    @cached_property
    def agent(self) -> "LanguageModelAdapter":
        """The language model that PROMPT_AGENT asks; `ValueError` when it cannot be had."""
        from tisslang.adapters import open_adapter

        return open_adapter(self.options.agent)

    def branch(self, number: int) -> "State":
        """A copy for one branch of PARALLEL: variables of its own, what the run has once shared."""
        assert self.files is not None  # opened before the copy, so that it is shared
        branch = copy.copy(self)
        branch.variables = dict(self.variables)
        branch.last_run_result = self.last_run_result and dict(self.last_run_result)
        branch.log = []
        branch.steps = list(self.steps)
        branch.events = self.events.in_branch(number)
        return branch

    def stop(self) -> None:
        """End what other threads of this run wait for: commands, the agent, a person."""
        self.launcher.stop()
        self.questions.stop()
        agent: LanguageModelAdapter | None = self.__dict__.get("agent")
        if agent is not None:
            agent.close()

    def close(self) -> None:
        """Give back the root's descriptor and remove the commands' HOME and TMPDIR."""
        if "files" in self.__dict__:
            self.files.close()
            del self.files
        if "agent" in self.__dict__:
            self.agent.close()
            del self.agent
        self.launcher.close()
