"""The engine: it prepares a plan, walks through it, and reports what happened."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tisslang.errors import CATCHABLE, TissError, TissParseError
from tisslang.events import Listener, events_file
from tisslang.exit_codes import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_SCRIPT
from tisslang.options import Options
from tisslang.plan import Node, Selection, as_script, definitions, is_step
from tisslang.preparation import open_agent, prepare
from tisslang.recursion import deep_recursion
from tisslang.report import Record, error_object, exit_code_of, other_error, refusal
from tisslang.state import State
from tisslang.tools import ToolRegistry
from tisslang.walk import Walk

__all__ = ["ExecutionEngine", "State", "ToolRegistry", "run"]

_PATIENCE = 0.05  # seconds between two attempts to end what runs


class ExecutionEngine:
    """Runs plans below `root`. `options` are those of `tisslang.options.Options`.

    Raises `NotADirectoryError` when `root` is not a directory, `ValueError` or `TypeError` for an
    option that is wrong or unknown; `run` and `execute` raise `ValueError` for an agent that cannot
    be had, and for a `step` that the plan does not have.
    """

    def __init__(
        self, tools: ToolRegistry | None = None, root: str | os.PathLike[str] = ".", **options: Any
    ) -> None:
        self.tools = tools or ToolRegistry.default()
        self.root = os.path.realpath(root)
        self.options = Options(**options)
        self._interrupted = threading.Event()  # of the latest run
        self._over = threading.Event()
        self._over.set()
        self._thread: int | None = None  # in which it is
        self.state = State(self.root, self.options)  # of the latest run
        if not os.path.isdir(self.root):
            raise NotADirectoryError(f"the project root {os.fspath(root)!r} is not a directory")

    def run(self, plan: str | bytes | Node | list[Node]) -> dict[str, Any]:
        """Parse, check and execute; a plan with syntax or static errors is refused as a whole."""
        with self._under_way():
            try:
                script, diagnostics = self._read(plan)
            except KeyboardInterrupt as interruption:
                return self._run(as_script([]), [], interruption)
            return self._run(script, diagnostics)

    def execute(self, plan: Node | list[Node]) -> dict[str, Any]:
        """Run a SCRIPT dict, or a list of command dicts, without checking it; returns the report.

        Never raises a `TissError`: what goes wrong stands in the report's `error` and `exit_code`.
        """
        with self._under_way():
            return self._run(as_script(plan), [])

    def stop(self) -> None:
        """End the run that is on in another thread, as Ctrl-C does: it reports `interrupted`.

        Returns when nothing of the run is running any more; at once when none is on. In the thread
        of the run itself, from `on_event`, it only sees to it that no further statement begins.
        """
        self._interrupted.set()
        if self._thread != threading.get_ident():
            while not self._over.wait(_PATIENCE):
                self.state.stop()  # again and again: a command may have been about to start

    @contextlib.contextmanager
    def _under_way(self) -> Iterator[None]:
        self._interrupted = threading.Event()
        self._thread = threading.get_ident()
        self._over.clear()
        try:
            yield
        finally:
            self._thread = None
            self._over.set()

    def _read(self, plan: str | bytes | Node | list[Node]) -> tuple[Node, list[Any]]:
        """The tree of a plan, and its syntax and static errors."""
        from tisslang.syntax import check, parse

        filename, assigned = self.options.filename, [*self.options.var, *self.options.secrets]
        tree: Any = plan
        if isinstance(plan, str | bytes):
            try:
                tree = parse(plan, filename)
            except TissParseError:
                return as_script([]), check(plan, filename, assigned)
        tree = as_script(tree)
        return tree, check(tree, filename, assigned)

    def _run(
        self, script: Node, diagnostics: list[Any], interruption: BaseException | None = None
    ) -> dict[str, Any]:
        with contextlib.ExitStack() as stack:
            listeners: list[Listener] = []
            if self.options.on_event:
                listeners.append(self.options.on_event)
            if self.options.events:
                listeners.append(stack.enter_context(events_file(self.options.events)))
            stack.enter_context(deep_recursion)
            self.state = State(self.root, self.options, listeners)
            self.state.interrupted = self._interrupted
            stack.callback(self.state.close)
            write_junit: Callable[[dict[str, Any]], object] | None = None
            if self.options.junit:
                from tisslang.junit import junit_file

                write_junit = stack.enter_context(junit_file(self.options.junit))
            report = _Run(script, self.tools, self.state).execute(diagnostics, interruption)
            if write_junit:
                write_junit(report)
            return report


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
    """One run of one plan: which statements come, and how it goes on behind an error."""

    def __init__(self, script: Node, tools: ToolRegistry, state: State) -> None:
        self.script = script
        self.tools = tools
        self.state = state
        self.options = state.options
        self.record = Record(script, state.options, state)
        kind: type[Walk] = Walk
        if state.options.dry_run:
            from tisslang.dry_run import DryWalk  # only a dry run pays for it

            kind = DryWalk
        if language := (script.get("header") or {}).get("Language"):
            state.directives = {"language": [language]}  # until @language says otherwise
        self.walk = kind(tools, definitions(script), state, self.record)

    def execute(
        self, diagnostics: list[Any], interruption: BaseException | None = None
    ) -> dict[str, Any]:
        """Run the plan, or refuse it when there are diagnostics; returns the report.

        `interruption` is what ended the reading of the plan.
        """
        selection = Selection(self.record.top_level, self.options.step, self.options.from_step)
        if interruption:
            with self._errors_noted():
                raise interruption
        elif diagnostics:
            self._refuse(diagnostics)
        else:
            selection.require()
            open_agent(self.script, self.state)
            with self._errors_noted():
                self.record.sandbox = prepare(self.script, self.tools, self.state)
        ready = self.record.error is None
        self.state.events.send(
            "run_start",
            script=self.options.filename,
            root=self.state.root,
            task=self.record.task,
            dry_run=self.options.dry_run,
            sandbox=self.record.sandbox,
        )
        if ready:
            self._run_top_level(selection)
        else:
            self._skip(self.record.top_level)
        report = self.record.report()
        self.state.events.send("run_end", report=report)
        return report

    def _refuse(self, diagnostics: list[Any]) -> None:
        self.record.diagnostics += [diagnostic.to_json() for diagnostic in diagnostics]
        self.record.failed(refusal(diagnostics[0]), EXIT_SCRIPT)
        self.state.is_halted = True

    def _run_top_level(self, selection: Selection) -> None:
        """Run the statements of the script one by one; after an error decide how it goes on."""
        waiting = self.record.top_level
        while waiting:
            done = 0
            with self._errors_noted():
                for node in waiting:
                    if self.state.is_halted:
                        break
                    done += 1
                    if selection.has(node):
                        self.walk.statement(node)
                    else:
                        self.record.skip_step(node)
            if self.state.is_halted:
                self._skip(waiting)
                return
            waiting = waiting[done:]
            if self.record.error and waiting:
                next_step = _index_of_step(waiting)
                self._skip(waiting[:next_step])
                waiting = waiting[next_step:]

    @contextlib.contextmanager
    def _errors_noted(self) -> Iterator[None]:
        """Note an error that escapes everything; it halts the run, unless it may go on."""
        try:
            yield
            return
        except TissParseError as error:  # in a tree that was not checked
            from tisslang.syntax.diagnostics import from_error

            error.filename = self.options.filename
            self._refuse([from_error(error)])
            return
        except TissError as error:
            noted = error_object(error), exit_code_of(error)
            goes_on = self.options.keep_going and error.kind in CATCHABLE
        except KeyboardInterrupt as error:
            hint = "what was done so far stays; nothing is running any more"
            noted = other_error("interrupted", error, "interrupted", hint), EXIT_INTERRUPTED
            goes_on = False
        except Exception as error:
            if self.options.debug:
                raise
            hint = "a fault of the engine or of a tool: run again with --debug for a traceback"
            message = f"{type(error).__name__}: {error}"
            noted = other_error("internal", error, message, hint), EXIT_INTERNAL
            goes_on = False
        self.record.failed(*noted)
        self.state.is_halted = not goes_on

    def _skip(self, nodes: list[Node]) -> None:
        for node in nodes:
            if is_step(node) and not self.record.has_step(node):
                self.record.skip_step(node)


def _index_of_step(nodes: list[Node]) -> int:
    return next((i for i, node in enumerate(nodes) if node["type"] == "STEP"), len(nodes))
