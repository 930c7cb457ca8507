"""PARALLEL: steps side by side, each on its own copy of the variables (language reference, 7.5)."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING

from tisslang.errors import TissCommandError, TissError, TissHumanError
from tisslang.interrupts import noted_interrupts
from tisslang.plan import Node
from tisslang.report import error_object
from tisslang.values import Value

if TYPE_CHECKING:
    from tisslang.walk import Walk

_PATIENCE = 0.05  # seconds between two attempts to end what still runs


class Branch:
    """One step of a PARALLEL, the walk through it, and the error that ended it."""

    def __init__(self, walk: "Walk", step: Node) -> None:
        self.walk = walk
        self.step = step
        self.error: BaseException | None = None
        self.ended = threading.Event()

    def wait_for(self, branches: "list[Branch]") -> None:
        """Wait until other branches have ended, or this one is stopped."""
        for branch in branches:
            while not branch.ended.wait(_PATIENCE):
                self.walk.state.costs.require_time()
                if self.walk.is_stopped:
                    raise TissHumanError("the run has ended")

    def run(self, all_branches: "list[Branch]") -> None:
        """Run the step to its end. An error that none may catch stops the other branches."""
        try:
            self.walk.statement(self.step)
        except BaseException as error:
            if not self.walk.is_stopped:  # else it only says that the branch was stopped
                self.error = error
                if _is_final(error):
                    _stop(branch for branch in all_branches if branch is not self)
        finally:
            self.ended.set()


def run_side_by_side(branches: list[Branch], jobs: int, stop: Callable[[], None]) -> None:
    """Run each branch in a thread. An error that none may catch ends the others at once.

    Ctrl-C ends all. `stop` ends what they wait for: commands, the model, a person.
    """
    with (
        noted_interrupts() as interrupts,
        ThreadPoolExecutor(min(jobs, len(branches)) or 1) as pool,
    ):
        for future in [pool.submit(branch.run, branches) for branch in branches]:
            while wait([future], _PATIENCE).not_done:
                if interrupts:
                    _stop(branches)
                if interrupts or any(_is_final(branch.error) for branch in branches):
                    stop()  # again and again: a command may have been about to start


def parallel(
    walk: "Walk",
    node: Node,
    run: Callable[[list[Branch], int, Callable[[], None]], None] = run_side_by_side,
) -> None:
    """Run the steps, at most `--jobs` at once, and put together what they leave behind."""
    before = dict(walk.state.variables)
    branches = _branches(walk, node)
    if walk.state.options.answer:
        for number, branch in enumerate(branches):
            branch.walk.state.await_turn = partial(branch.wait_for, branches[:number])
    interruption: BaseException | None = None
    try:
        run(branches, walk.state.options.jobs, walk.state.stop)
    except KeyboardInterrupt as error:
        interruption = error
    walk.state.last_run_result = None
    _put_together(walk, branches)
    _raise_error(walk, branches, interruption)
    for branch in branches:
        _merge_variables(walk.state.variables, before, branch.walk.state.variables)


def _branches(walk: "Walk", node: Node) -> list[Branch]:
    """The branches, each with the directives in force at its place."""
    outer = walk.state.directives
    branches: list[Branch] = []
    try:
        for statement in node["body"]:
            if statement["type"] == "DIRECTIVE":
                walk.statement(statement)
            else:
                branches.append(Branch(walk.branch(len(branches) + 1), statement))
    finally:
        walk.state.directives = outer
    return branches


def _is_final(error: BaseException | None) -> bool:
    return error is not None and not isinstance(error, TissCommandError)


def _stop(branches: Iterable[Branch]) -> None:
    for branch in branches:
        branch.walk.is_stopped = True


def _put_together(walk: "Walk", branches: list[Branch]) -> None:
    """Log, steps, files and caught errors, in the order of the source."""
    for branch in branches:
        walk.state.log += branch.walk.state.log
        walk.record.merge(branch.walk.record)
        walk.state.is_halted |= branch.walk.state.is_halted  # a tool may end the whole run


def _raise_error(walk: "Walk", branches: list[Branch], interruption: BaseException | None) -> None:
    """Raise the first error that none may catch, else the first; the others are suppressed."""
    errors = [branch.error for branch in branches if branch.error is not None]
    raised = interruption or next(filter(_is_final, errors), errors[0] if errors else None)
    if raised is None:
        return
    for error in errors:
        if error is not raised and isinstance(error, TissError):
            walk.record.suppressed.append(error_object(error))
    raise raised


def _merge_variables(
    variables: dict[str, Value], before: dict[str, Value], after: dict[str, Value]
) -> None:
    """Take over the names that a branch assigned."""
    for name, value in after.items():
        if name not in before or before[name] is not value:
            variables[name] = value
