"""All exercises of the TissLang lessons, in the order in which a learner meets them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from qt.exercises import Exercise as FunctionExercise
from qt.exercises import Result, progress
from qt.exercises.checker import problem_of as function_problem
from qt.exercises.collection import Collection
from tisslang.exercises.base import Differs, PlanExercise, is_stub, message_of
from tisslang.exercises.plans import Plan

LESSONS = {13: "language", 14: "engine"}

EXERCISES: dict[str, PlanExercise | FunctionExercise] = {
    value.id: value
    for lesson in LESSONS
    for value in vars(import_module(f"tisslang.exercises.lesson_{lesson}")).values()
    if isinstance(value, PlanExercise | FunctionExercise)
}

_all = Collection("tisslang.exercises", LESSONS, EXERCISES)
get, hint, stub, solution = _all.get, _all.hint, _all.stub, _all.solution
listing, report = _all.listing, _all.report


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
