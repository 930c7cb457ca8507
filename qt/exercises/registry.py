"""All exercises, in the order in which a learner meets them."""

from __future__ import annotations

import difflib
from importlib import import_module

from qt.exercises import progress
from qt.exercises.exercise import Exercise, Text, folded

LESSONS = {
    1: "tokenization", 2: "autograd", 3: "positions", 4: "attention", 5: "heads", 6: "blocks",
    7: "gpt", 8: "optimizers", 9: "training", 10: "generation", 11: "inside", 12: "build",
}  # fmt: skip

EXERCISES: dict[str, Exercise] = {
    value.id: value
    for lesson in LESSONS
    for value in vars(import_module(f"qt.exercises.lesson_{lesson:02}")).values()
    if isinstance(value, Exercise)
}


def get(id: str) -> Exercise:
    """The exercise called `id`. Raises `ValueError` that names the nearest ids."""
    if id in EXERCISES:
        return EXERCISES[id]
    near = difflib.get_close_matches(str(id), EXERCISES, n=3, cutoff=0.3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ValueError(f"there is no exercise {id!r}: {hint}qt.exercises.list() shows all")


def hint(id: str) -> Text:
    """A first push, folded in a notebook."""
    return folded("Hint", get(id).hint)


def stub(id: str) -> Text:
    """The source to start from: the signature, what it must do, and a body that is missing."""
    return Text(get(id).stub_source)


def solution(id: str) -> Text:
    """The source of the reference solution, folded in a notebook."""
    return folded("Solution", get(id).solution_source)


def listing(lesson: int | None = None) -> Text:
    """The exercises of one lesson, or of all: solved or not, difficulty, minutes, title."""
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
    rows = [(f"{n:02} {name}", n) for n, name in LESSONS.items()]
    lines = [f"{'lesson':<18}{'solved':>8}{'minutes left':>14}"]
    for title, number in [*rows, ("all", None)]:
        members = [e for e in EXERCISES.values() if number in (None, e.lesson)]
        left = [e for e in members if e.id not in done]
        score = f"{len(members) - len(left)}/{len(members)}"
        lines.append(f"{title:<18}{score:>8}{sum(e.minutes for e in left):>14}")
    if left:
        lines.append(f"next: {left[0].id}, {left[0].title} ({left[0].minutes} minutes)")
    else:
        lines.append("All solved: you have built it all.")
    return Text("\n".join(lines))
