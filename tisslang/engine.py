"""The engine: it walks the syntax tree, hands each command to its tool, and reports what happened.

A statement that holds other statements (STEP, …) is a method of `_Run`, found in `_BLOCKS`; every
other statement is a command, done by the tool that is registered for its type.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tisslang.errors import CATCHABLE, TissError, TissParseError, TissSecurityError
from tisslang.evaluation import arguments, evaluate
from tisslang.events import Listener, events_file
from tisslang.options import Options
from tisslang.plan import Node, all_statements, as_script, is_step
from tisslang.report import (
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_SCRIPT,
    Record,
    error_object,
    exit_code_of,
    other_error,
)
from tisslang.state import State
from tisslang.summary import summary
from tisslang.tools import ToolRegistry
from tisslang.tools.run_command import run_command

__all__ = ["ExecutionEngine", "State", "ToolRegistry", "run"]

MAX_NESTING = 256
_RECURSION_LIMIT = 5000  # the deepest plan needs three frames for each of its 256 levels


class ExecutionEngine:
    """Runs plans below `root`. `options` are those of `tisslang.options.Options`.

    Raises `NotADirectoryError` when `root` is not a directory, `ValueError` or `TypeError` for an
    option that is wrong or unknown.
    """

    def __init__(
        self, tools: ToolRegistry | None = None, root: str | os.PathLike[str] = ".", **options: Any
    ) -> None:
        self.tools = tools or ToolRegistry.default()
        self.root = os.path.realpath(root)
        self.options = Options(**options)
        self.state = State(self.root, self.options)  # of the latest run
        if not os.path.isdir(self.root):
            raise NotADirectoryError(f"the project root {os.fspath(root)!r} is not a directory")

    def run(self, plan: str | bytes | Node | list[Node]) -> dict[str, Any]:
        """Parse, check and execute; a plan with syntax or static errors is refused as a whole."""
        from tisslang.syntax import check, parse

        filename, assigned = self.options.filename, list(self.options.var)
        tree: Any = plan
        if isinstance(plan, str | bytes):
            try:
                tree = parse(plan, filename)
            except TissParseError:
                return self._run(as_script([]), check(plan, filename, assigned))
        tree = as_script(tree)
        return self._run(tree, check(tree, filename, assigned))

    def execute(self, plan: Node | list[Node]) -> dict[str, Any]:
        """Run a SCRIPT dict, or a list of command dicts, without checking it; returns the report.

        Never raises a `TissError`: what goes wrong stands in the report's `error` and `exit_code`.
        """
        return self._run(as_script(plan), [])

    def _run(self, script: Node, diagnostics: list[Any]) -> dict[str, Any]:
        with contextlib.ExitStack() as stack:
            listeners: list[Listener] = []
            if self.options.on_event:
                listeners.append(self.options.on_event)
            if self.options.events:
                listeners.append(stack.enter_context(events_file(self.options.events)))
            stack.enter_context(_deep_recursion())
            self.state = State(self.root, self.options, listeners)
            stack.callback(self.state.close)
            return _Run(script, self.tools, self.state).execute(diagnostics)


def run(
    text_or_ast: str | bytes | Node | list[Node],
    root: str | os.PathLike[str] = ".",
    *,
    tools: ToolRegistry | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Parse, check and execute a plan below `root` in one call; returns the report."""
    return ExecutionEngine(tools, root, **options).run(text_or_ast)


class _Run:
    """One walk through one plan."""

    def __init__(self, script: Node, tools: ToolRegistry, state: State) -> None:
        self.tools = tools
        self.state = state
        self.options = state.options
        self.events = state.events
        self.record = Record(script, state.options, state)
        self.script = script

    def execute(self, diagnostics: list[Any]) -> dict[str, Any]:
        """Run the plan, or refuse it when there are diagnostics; returns the report."""
        ready = self._refused(diagnostics) if diagnostics else self._prepared()
        self.events.send(
            "run_start",
            script=self.options.filename,
            root=self.state.root,
            task=self.record.task,
            dry_run=False,
            sandbox=self.record.sandbox,
        )
        if ready:
            self._run_top_level()
        else:
            self._skip(self.record.top_level)
        report = self.record.report()
        self.events.send("run_end", report=report)
        return report

    # Before the first effect

    def _refused(self, diagnostics: list[Any]) -> bool:
        first = diagnostics[0]
        self.record.diagnostics = [diagnostic.to_json() for diagnostic in diagnostics]
        kind = "parse" if first.code.startswith("T0") else "static"
        error = {
            "kind": kind,
            "code": first.code,
            "message": first.message,
            "line": first.line,
            "column": first.column,
            "steps": [],
            "hint": first.hint,
        }
        self.record.failed(error, EXIT_SCRIPT)
        self.state.is_halted = True
        return False

    def _prepared(self) -> bool:
        """Find what is certain to fail: a command nobody serves, a RUN without its sandbox."""
        with self._errors_noted():
            first_run: Node | None = None
            for node, depth in all_statements(self.script["body"]):
                with _located(node):
                    self._require_known(node, depth)
                if node["type"] == "RUN" and first_run is None:
                    first_run = node
                if node["type"] == "DIRECTIVE" and node["name"] == "env":
                    with _located(node):
                        self._refuse_env()
            # A user's own tool for RUN starts no process of ours, so it needs no sandbox of ours.
            if first_run is not None and self.tools.get_tool("RUN") is run_command:
                with _located(first_run):
                    self.record.sandbox = self.state.launcher.obtain()
        return self.record.error is None

    def _require_known(self, node: Node, depth: int) -> None:
        line, column = node.get("line", 1), node.get("column", 1)
        if node["type"] not in _BLOCKS and node["type"] not in self.tools:
            raise TissParseError("T002", f"unknown command {node['type']}", line, column)
        if depth > MAX_NESTING:
            raise TissParseError("T008", f"nesting deeper than {MAX_NESTING}", line, column)

    def _refuse_env(self) -> None:
        """Under `strict` a plan says nothing about the environment of its commands."""
        if self.options.sandbox_profile == "strict":
            raise TissSecurityError(
                "@env has no place in the sandbox profile strict",
                hint="remove it, or let the operator choose --sandbox-profile standard",
            )

    # The walk

    def _run_top_level(self) -> None:
        """Run the statements of the script one by one; after an error decide how it goes on."""
        waiting = self.record.top_level
        while waiting:
            done = 0
            with self._errors_noted():
                for node in waiting:
                    if self.state.is_halted:
                        break
                    done += 1
                    self._run_statement(node)
            waiting = waiting[done:]
            if self.state.is_halted:
                self._skip(waiting)
                return
            if self.record.error and waiting:
                next_step = _index_of_step(waiting)
                self._skip(waiting[:next_step])
                waiting = waiting[next_step:]

    def _run_body(self, body: list[Node]) -> None:
        """Run the statements of a block; directives hold to its end."""
        outer = self.state.directives
        try:
            for node in body:
                if self.state.is_halted:
                    return
                self._run_statement(node)
        finally:
            self.state.directives = outer

    def _run_statement(self, node: Node) -> None:
        with _located(node):
            _BLOCKS.get(node["type"], _Run._run_command)(self, node)

    def _run_task(self, node: Node) -> None:
        self._run_body(node["body"])

    def _run_step(self, node: Node) -> None:
        step = self.record.enter_step(node)
        facts = {"kind": step["kind"], "description": step["description"], "line": step["line"]}
        self.state.steps.append(node.get("description") or node["type"])
        self.events.send("step_start", **facts, attempt=1)
        started = time.monotonic()
        try:
            self._run_body(node["body"])
            step["status"] = "passed"
            self.record.step_passed(node)
            # Not in `finally`: whoever handles an error sees the steps that it happened in.
            self.state.steps.pop()
        finally:
            step["duration_s"] = _seconds_since(started)
            self.events.send(
                "step_end", **facts, attempt=1, status=step["status"], duration_s=step["duration_s"]
            )

    def _run_directive(self, node: Node) -> None:
        values = [evaluate(value, self.state) for value in node["values"]]
        self.state.directives = {**self.state.directives, node["name"]: values}

    def _run_command(self, node: Node) -> None:
        facts = {"type": node["type"], "line": node.get("line"), "summary": summary(node)}
        self.events.send("command_start", **facts)
        started = time.monotonic()
        last_run_before = self.state.last_run_result
        args: dict[str, Any] = {}
        status = "error"
        try:
            args = arguments(node, self.state)
            if isinstance(args.get("path"), str):
                self.state.files.check(args["path"], writing=node["type"] != "READ")
            if node["type"] == "RUN":
                self.record.runs += 1
            self.tools.get_tool(node["type"])(self.state, args)
            status = "ok"
            if node["type"] == "WRITE":
                self.record.file_written(args["path"])
        finally:
            self.events.send(
                "command_end",
                **facts,
                status=status,
                duration_s=_seconds_since(started),
                **_outcome(node["type"], status, args, self.state, last_run_before),
            )

    # Errors

    @contextlib.contextmanager
    def _errors_noted(self) -> Iterator[None]:
        """Note an error that escapes everything; it halts the run, unless it may go on."""
        try:
            yield
            return
        except TissError as error:
            noted = error_object(error, list(self.state.steps)), exit_code_of(error)
            goes_on = self.options.keep_going and error.kind in CATCHABLE
        except KeyboardInterrupt:
            hint = "what was done so far stays; nothing is running any more"
            noted = (
                other_error("interrupted", "interrupted", list(self.state.steps), hint),
                EXIT_INTERRUPTED,
            )
            goes_on = False
        except Exception as error:
            if self.options.debug:
                raise
            hint = "a fault of the engine or of a tool: run again with --debug for a traceback"
            message = f"{type(error).__name__}: {error}"
            noted = (other_error("internal", message, list(self.state.steps), hint), EXIT_INTERNAL)
            goes_on = False
        self.record.failed(*noted)
        self.state.steps.clear()
        self.state.is_halted = not goes_on

    def _skip(self, nodes: list[Node]) -> None:
        for node in nodes:
            if is_step(node):
                self.record.skip_step(node)


# The statements that are no commands.
_BLOCKS: dict[str, Callable[[_Run, Node], None]] = {
    "TASK": _Run._run_task,
    "SETUP": _Run._run_step,
    "STEP": _Run._run_step,
    "DIRECTIVE": _Run._run_directive,
}


def _outcome(
    kind: str, status: str, args: Node, state: State, last_run_before: dict[str, Any] | None
) -> dict[str, Any]:
    """What a `command_end` event says beyond the common fields."""
    result = state.last_run_result
    if kind == "RUN" and result is not None and result is not last_run_before:
        stdout, stderr = result.get("stdout", ""), result.get("stderr", "")
        return {
            "exit_code": result.get("exit_code"),
            "stdout": stdout,
            "stderr": stderr,
            "stdout_bytes": result.get("stdout_bytes", _size(stdout)),
            "stderr_bytes": result.get("stderr_bytes", _size(stderr)),
        }
    if kind in ("READ", "WRITE") and "path" in args:
        text = args["content"] if kind == "WRITE" else state.variables.get(args["variable"])
        return {"path": args["path"], "bytes": _size(text) if status == "ok" else 0}
    return {}


def _size(text: Any) -> int:
    return len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else 0


def _seconds_since(started: float) -> float:
    return round(time.monotonic() - started, 3)


@contextlib.contextmanager
def _located(node: Node) -> Iterator[None]:
    """Give an error that has no place yet the place of its statement."""
    try:
        yield
    except TissError as error:
        if error.line is None:
            error.line, error.column = node.get("line"), node.get("column")
        raise


def _index_of_step(nodes: list[Node]) -> int:
    return next((i for i, node in enumerate(nodes) if node["type"] == "STEP"), len(nodes))


@contextlib.contextmanager
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
