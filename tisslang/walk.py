"""The walk through a plan: each statement is handed to what serves it.

A statement that holds others (STEP, IF, …) is a function of `tisslang.control`, found in `BLOCKS`;
every other statement is a command, done by the tool that is registered for its type.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from tisslang.control.branches import if_, try_
from tisslang.control.calls import call, define
from tisslang.control.choices import choose, estimate_cost, misplaced_option
from tisslang.control.directives import directive
from tisslang.control.parallel import parallel
from tisslang.control.steps import step, task
from tisslang.errors import TissError
from tisslang.estimates import cost_of_prompt
from tisslang.evaluation import arguments
from tisslang.events import seconds_since
from tisslang.plan import Node
from tisslang.report import Record
from tisslang.state import State
from tisslang.summary import summary
from tisslang.tools import ToolRegistry

# The statements that are no commands.
BLOCKS: dict[str, Callable[[Any, Node], None]] = {
    "TASK": task,
    "SETUP": step,
    "STEP": step,
    "DIRECTIVE": directive,
    "DEFINE_TASK": define,
    "IF": if_,
    "TRY": try_,
    "PARALLEL": parallel,
    "CHOOSE": choose,
    "OPTION": misplaced_option,
    "ESTIMATE_COST": estimate_cost,
}


class BranchStopped(Exception):
    """Another branch of PARALLEL ended the run, and this one ends with it."""


class Walk:
    """One way through a plan; a branch of PARALLEL is walked by a copy.

    `definitions` are the sub-tasks by name, `calls` the names of those under way. `is_stopped` says
    that another branch ended the run: nothing more begins in this one, and it catches nothing.
    """

    blocks = BLOCKS

    def __init__(
        self, tools: ToolRegistry, definitions: dict[str, Node], state: State, record: Record
    ) -> None:
        self.tools = tools
        self.definitions = definitions
        self.state = state
        self.record = record
        self.calls: list[str] = []
        self.is_stopped = False

    def branch(self, number: int) -> "Walk":
        """A walk through one branch of PARALLEL, with a state and a record of its own."""
        branch = type(self)(
            self.tools, self.definitions, self.state.branch(number), self.record.branch()
        )
        branch.calls = list(self.calls)
        return branch

    def body(self, body: list[Node]) -> None:
        """Run the statements of a block; directives hold to its end."""
        outer = self.state.directives
        try:
            for node in body:
                if self.state.is_halted:
                    return
                self.statement(node)
        finally:
            self.state.directives = outer

    def statement(self, node: Node) -> None:
        """Run one statement. An error that has no place yet gets the statement's."""
        if self.is_stopped:
            raise BranchStopped
        try:
            if self.state.interrupted.is_set():
                raise KeyboardInterrupt
            self.blocks.get(node["type"], type(self).command)(self, node)
        except BaseException as error:
            if self.is_stopped and isinstance(error, TissError):
                raise BranchStopped from error
            if self.state.interrupted.is_set() and isinstance(error, Exception):
                interruption = KeyboardInterrupt()  # the error only says what was cut short
                _note_place(interruption, node, self.state)
                raise interruption from error
            _note_place(error, node, self.state)
            raise

    @contextlib.contextmanager
    def named(self, name: str) -> Iterator[None]:
        """While this lasts, errors tell that they happened in a block of this name."""
        self.state.steps.append(name)
        try:
            yield
        finally:
            self.state.steps.pop()

    def command(self, node: Node) -> None:
        """Run one command, between the events of its start and its end."""
        state, kind = self.state, node["type"]
        facts = {
            "type": kind,
            "line": node.get("line"),
            "summary": summary(node, state.secrets.mask),
        }
        state.events.send("command_start", **facts)
        started = time.monotonic()
        last_run_before = state.last_run_result
        args: dict[str, Any] = {}
        status = "error"
        try:
            state.costs.require_time()
            args = arguments(node, state)
            self.do(node, args)
            status = "ok"
        finally:
            state.events.send(
                "command_end",
                **facts,
                status=status,
                duration_s=seconds_since(started),
                **_outcome(kind, status, args, state, last_run_before),
            )

    def do(self, node: Node, args: dict[str, Any]) -> None:
        """Let a command's tool do its work; its path is checked before."""
        kind = node["type"]
        if kind == "CALL":
            call(self, node, args["args"])
            return
        if isinstance(args.get("path"), str):
            writing = kind in ("WRITE", "MKDIR", "DELETE")
            self.state.files.check(args["path"], writing=writing, deleting=kind == "DELETE")
        with self._paid_for(node):
            self.tools.get_tool(kind)(self.state, args)
        if kind == "WRITE":
            self.record.file_written(args["path"])

    def _paid_for(self, node: Node) -> contextlib.AbstractContextManager[None]:
        """Count what a command costs; `TissBudgetError` where a budget does not allow it."""
        if node["type"] == "RUN":
            self.state.costs.spend(RUNS=1)
        if node["type"] == "PROMPT_AGENT":
            return self.state.costs.held(cost_of_prompt(node["prompt"]), API_CALLS=1)
        return contextlib.nullcontext()


def _note_place(error: BaseException, node: Node, state: State) -> None:
    """Say where an error happened, if it does not say so already."""
    if isinstance(error, TissError):
        if error.line is None:
            error.line, error.column = node.get("line"), node.get("column")
        if error.steps is None:
            error.steps = list(state.steps)
    else:  # Ctrl-C, or a fault of a tool
        place = node.get("line"), node.get("column"), list(state.steps)
        error.__dict__.setdefault("place", place)


def _outcome(
    kind: str, status: str, args: Node, state: State, last_run_before: dict[str, Any] | None
) -> dict[str, Any]:
    """What a `command_end` event says beyond the common fields."""
    result = state.last_run_result
    if kind == "RUN" and result is not None and result is not last_run_before:
        outcome = {"exit_code": result.get("exit_code")}
        for name in ("stdout", "stderr"):
            text = result.get(name, "")
            size = result.get(name + "_bytes", _size(text))
            cut = state.secrets.mask_cut(text) if size > _size(text) else text
            outcome |= {name: cut, name + "_bytes": size}
        return outcome
    if kind in ("READ", "WRITE") and "path" in args:
        text = args["content"] if kind == "WRITE" else state.variables.get(args["variable"])
        return {"path": args["path"], "bytes": _size(text) if status == "ok" else 0}
    return {}


def _size(text: Any) -> int:
    return len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 0
