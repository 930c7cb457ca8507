"""Run a learner's attempt and say what differs, where, and why that may be."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qt.exercises import progress, registry
from qt.exercises.compare import first_difference, short
from qt.exercises.exercise import Exercise
from qt.exercises.gradients import TAPE_ENDS, gradients_of
from qt.tensor import Array, Tensor

GENERAL_CAUSES = {
    type(None): "nothing comes back: is there a `return` in each branch?",
    RecursionError: "the function calls itself too deeply: use a loop and a list of what is left",
}
# Where an error in a learner's code may pass, but does not come from.
OURS = tuple(str(Path(__file__).parents[2] / name) + os.sep for name in ("qt", "tisslang"))
CHANGEABLE = (np.ndarray, Tensor, list, dict)


class TooLongError(BaseException):
    """The attempt ran out of time. Not an `Exception`, so that no `except` of theirs stops it."""


@dataclass(frozen=True)
class Result:
    """True when the attempt passed. Shows itself as the message, so a cell can end with `check`."""

    id: str
    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Outcome:
    """What a call gave: an error, or a value and the gradients of those arguments that want one."""

    value: Any = None
    error: BaseException | None = None
    gradients: dict[str, Array | None] = field(default_factory=dict)


def check(id: str, attempt: Callable[..., Any], seconds: float = 10.0) -> Result:
    """Try the learner's function or class on the inputs of exercise `id`, and say what differs.

    Each call gets its own copies and at most `seconds` (not limited outside the main thread, nor on
    Windows). An exercise that passes is remembered for `report()`. Raises `ValueError` for an
    unknown id and `TypeError` when `attempt` cannot be called; what the attempt raises is told.
    """
    exercise = registry.get(id)
    if not callable(attempt):
        raise TypeError(
            f'give check the function itself, not {short(attempt)}: check("{id}", {exercise.name})'
        )
    cases = list(exercise.cases(np.random.default_rng(0)))
    for number, case in enumerate(cases, start=1):
        if problem := problem_of(exercise, attempt, case, seconds):
            case_number = f"case {number} of {len(cases)} fails"
            head = "not written yet" if "to do" in problem else case_number
            lines = [f"  {label:<9} {text}" for label, text in problem.items()]
            return Result(id, False, "\n".join([f"✗ {id}: {head}", *lines]))
    progress.remember(id)
    return Result(id, True, f"✓ {id}: all {len(cases)} cases pass")


def problem_of(
    exercise: Exercise, attempt: Callable[..., Any], case: tuple[Any, ...], seconds: float
) -> dict[str, str]:
    """What is wrong with the attempt on this case, as labelled lines; empty when it is right."""
    given = deepcopy(case)
    ours = _call(exercise, exercise.solution, deepcopy(case), seconds)
    theirs = _call(exercise, attempt, given, seconds)
    if isinstance(theirs.error, NotImplementedError):
        return {"to do": str(theirs.error) or exercise.todo, "hint": exercise.hint}
    arguments = ", ".join(f"{k}={short(v)}" for k, v in zip(exercise.arguments, case))
    lines = {"called": f"{exercise.name}({arguments})"}
    if isinstance(theirs.error, TooLongError):
        limit = f"nothing after {seconds:g} seconds"
        return lines | {"found": limit, "likely": "a loop that never ends, or far too much work"}
    if theirs.error is None:
        for name, before, after in zip(exercise.arguments, case, given):
            if isinstance(before, CHANGEABLE) and first_difference(before, after):
                lines["changed"] = f"after the call, {name} is {short(after)}"
                return lines | {"likely": f"you changed your input: work on a copy of {name}"}
    if ours.error is not None and type(ours.error) is type(theirs.error):
        return {}
    lines["expected"] = _outcome_text(ours)
    lines["found"] = _outcome_text(theirs)
    gradients = False  # whether they are what differs
    if ours.error is None and theirs.error is None:
        difference = first_difference(ours.value, theirs.value)
        gradients = difference is None
        if gradients:
            difference = first_difference(ours.gradients, theirs.gradients, "gradients")
            lines["expected"], lines["found"] = (
                f"gradients {short(outcome.gradients)}" for outcome in (ours, theirs)
            )
        if difference is None:
            return {}
        if difference.where:
            sides = f"expected {difference.expected}, found {difference.found}"
            at = "at " if difference.where.startswith("[") else ""
            lines["differs"] = f"{at}{difference.where}: {sides}"
    if cause := _likely_cause(exercise, case, theirs, seconds, gradients):
        lines["likely"] = cause
    return lines


def _outcome_text(outcome: Outcome) -> str:
    if outcome.error is None:
        return short(outcome.value)
    text = " ".join(str(outcome.error).split())  # one line
    return f"{type(outcome.error).__name__}: {text}{_line_of(outcome.error)}"


def _likely_cause(
    exercise: Exercise, case: tuple[Any, ...], theirs: Outcome, seconds: float, gradients: bool
) -> str | None:
    """The cause of the known mistake that gives just this outcome, if there is one."""
    for wrong, cause in exercise.wrong_attempts():
        outcome = _call(exercise, wrong, deepcopy(case), seconds)
        if theirs.error is not None or outcome.error is not None:
            same = repr(theirs.error) == repr(outcome.error)
        else:
            same = first_difference(outcome.value, theirs.value) is None and not (
                gradients and first_difference(outcome.gradients, theirs.gradients)
            )
        if same:
            return cause
    if gradients:
        return TAPE_ENDS
    return GENERAL_CAUSES.get(type(theirs.error if theirs.error is not None else theirs.value))


def _call(
    exercise: Exercise, attempt: Callable[..., Any], case: tuple[Any, ...], seconds: float
) -> Outcome:
    """Run one attempt. NumPy's warnings are off: a result that is not finite is named by itself."""
    try:
        with np.errstate(all="ignore"), _time_limit(seconds):
            if exercise.run:
                return Outcome(exercise.run(attempt, *case))
            value = attempt(*case)
            given = dict(zip(exercise.arguments, case))
            return Outcome(value, gradients=gradients_of(value, given))
    except (Exception, TooLongError) as error:
        return Outcome(error=error)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooLongError` inside the block when it takes longer."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: object) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _line_of(error: BaseException) -> str:
    """Where in the learner's own code the error came up; "" when the call itself was at fault."""
    passed = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in passed if not frame.filename.startswith(OURS)]
    if not frames:
        return ""
    last = [frame for frame in frames if frame.filename == frames[0].filename][-1]
    return f", in line {last.lineno} of your code" + (f": {last.line}" if last.line else "")
