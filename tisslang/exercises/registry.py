"""All exercises of the TissLang lessons, in the order in which a learner meets them."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Any

import numpy as np

from qt.exercises import Exercise as FunctionExercise
from qt.exercises import Result, progress
from qt.exercises.checker import problem_of as function_problem
from qt.exercises.exercise import Text, folded
from tisslang.exercises.base import Differs, PlanExercise, is_stub, message_of
from tisslang.exercises.plans import Plan

LESSONS = {13: "language", 14: "engine"}

EXERCISES: dict[str, PlanExercise | FunctionExercise] = {
    value.id: value
    for lesson in LESSONS
    for value in vars(import_module(f"tisslang.exercises.lesson_{lesson}")).values()
    if isinstance(value, PlanExercise | FunctionExercise)
}


def check(id: str, attempt: Any, seconds: float = 10.0, **options: Any) -> Result:
    """Try the learner's answer to exercise `id`, and say what differs.

    For a plan, a text, `options` are those of `tisslang.run`: `sandbox_profile="none"` on a machine
    without a sandbox. A function is called on the exercise's cases, for at most `seconds` each. An
    exercise that passes is remembered for `report()`. `ValueError` for an unknown id, `TypeError`
    for an answer of the wrong kind.
    """
    exercise = get(id)
    if isinstance(exercise, PlanExercise):
        problem, passed = _try_plan(exercise, attempt, options)
    else:
        problem, passed = _try_function(exercise, attempt, seconds)
    if problem:
        return Result(id, False, f"✗ {id}: {problem}")
    progress.remember(id)
    return Result(id, True, f"✓ {id}: {passed}")


def _try_plan(exercise: PlanExercise, text: Any, options: dict[str, Any]) -> tuple[str, str]:
    """What is wrong with a plan, or "", and what to say when it is right."""
    if not isinstance(text, str):
        kind = type(text).__name__
        raise TypeError(f'give check the plan, a text, not {kind}: check("{exercise.id}", plan)')
    if is_stub(text):
        lines = {"to do": exercise.todo, "hint": exercise.hint}
        return "not written yet\n" + message_of(lines), ""
    plan = Plan(text, **options)
    try:
        exercise.judge(plan)
    except Differs as difference:
        head = f"run {plan.runs} differs" if "given" in difference.lines else "not yet"
        return f"{head}\n{message_of(difference.lines)}", ""
    return "", f"all {plan.runs} runs are right"


def _try_function(exercise: FunctionExercise, attempt: Any, seconds: float) -> tuple[str, str]:
    if not callable(attempt):
        raise TypeError(f'give check the function itself: check("{exercise.id}", {exercise.name})')
    cases = list(exercise.cases(np.random.default_rng(0)))
    for number, case in enumerate(cases, start=1):
        if lines := function_problem(exercise, attempt, case, seconds):
            head = f"case {number} of {len(cases)} fails"
            return f"{'not written yet' if 'to do' in lines else head}\n{message_of(lines)}", ""
    return "", f"all {len(cases)} cases pass"


def get(id: str) -> PlanExercise | FunctionExercise:
    """The exercise called `id`. Raises `ValueError` that names the nearest ids."""
    if id in EXERCISES:
        return EXERCISES[id]
    near = difflib.get_close_matches(str(id), EXERCISES, n=3, cutoff=0.3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ValueError(f"there is no exercise {id!r}: {hint}tisslang.exercises.list() shows all")


def hint(id: str) -> Text:
    """A first push, folded in a notebook."""
    return folded("Hint", get(id).hint)


def stub(id: str) -> Text:
    """The cell to start from."""
    return Text(get(id).stub_source)


def solution(id: str) -> Text:
    """A right answer, folded in a notebook."""
    return folded("Solution", get(id).solution_source)


def listing(lesson: int | None = None) -> Text:
    """The exercises of one lesson, or of both: solved or not, difficulty, minutes, title."""
    done = progress.solved()
    return Text(
        "\n".join(
            f"{'✓' if e.id in done else '·'} {e.id:<28}{'*' * e.difficulty:<4}{e.minutes:>3} min  "
            f"{e.title}"
            for e in EXERCISES.values()
            if lesson in (None, e.lesson)
        )
    )


def report() -> Text:
    """What is solved, by lesson, the minutes that are left, and what comes next."""
    done = progress.solved()
    lines = [f"{'lesson':<18}{'solved':>8}{'minutes left':>14}"]
    for number, name in LESSONS.items():
        members = [e for e in EXERCISES.values() if e.lesson == number]
        left = [e for e in members if e.id not in done]
        score = f"{len(members) - len(left)}/{len(members)}"
        lines.append(f"{f'{number} {name}':<18}{score:>8}{sum(e.minutes for e in left):>14}")
    todo = [e for e in EXERCISES.values() if e.id not in done]
    if todo:
        lines.append(f"next: {todo[0].id}, {todo[0].title} ({todo[0].minutes} minutes)")
    else:
        lines.append("All solved.")
    return Text("\n".join(lines))
