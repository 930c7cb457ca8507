"""The exercises of a package by their ids: what there is to do, and what is done."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from qt.exercises import progress
from qt.exercises.exercise import Text, folded


class Shown(Protocol):
    """What a learner is shown of an exercise."""

    @property
    def id(self) -> str: ...
    @property
    def lesson(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def minutes(self) -> int: ...
    @property
    def difficulty(self) -> int: ...
    @property
    def hint(self) -> str: ...
    @property
    def stub_source(self) -> str: ...
    @property
    def solution_source(self) -> str: ...


AnExercise = TypeVar("AnExercise", bound=Shown)


class Collection(Generic[AnExercise]):
    """All exercises of `package`, in the order in which a learner meets them.

    `lessons` has the number and the name of each lesson, `finished` what to say at the end of all.
    """

    def __init__(
        self,
        package: str,
        lessons: Mapping[int, str],
        exercises: Mapping[str, AnExercise],
        finished: str = "All solved.",
    ) -> None:
        self.package = package
        self.lessons = lessons
        self.exercises = exercises
        self.finished = finished

    def get(self, id: str) -> AnExercise:
        """The exercise called `id`. Raises `ValueError` that names the nearest ids."""
        if id in self.exercises:
            return self.exercises[id]
        near = difflib.get_close_matches(str(id), self.exercises, n=3, cutoff=0.3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"there is no exercise {id!r}: {hint}{self.package}.list() shows all")

    def hint(self, id: str) -> Text:
        """A first push, folded in a notebook."""
        return folded("Hint", self.get(id).hint)

    def stub(self, id: str) -> Text:
        """The source to start from: what must be done, and nothing of how."""
        return Text(self.get(id).stub_source)

    def solution(self, id: str) -> Text:
        """The source of the reference solution, folded in a notebook."""
        return folded("Solution", self.get(id).solution_source)

    def listing(self, lesson: int | None = None) -> Text:
        """The exercises of one lesson, or of all: solved or not, difficulty, minutes, title."""
        done = progress.solved()
        return Text(
            "\n".join(
                f"{'✓' if e.id in done else '·'} {e.id:<28}{'*' * e.difficulty:<4}{e.minutes:>3} "
                f"min  {e.title}"
                for e in self.exercises.values()
                if lesson in (None, e.lesson)
            )
        )

    def report(self) -> Text:
        """What is solved, by lesson, the minutes that are left, and what comes next."""
        done = progress.solved()
        rows = [(f"{n:02} {name}", n) for n, name in self.lessons.items()]
        lines = [f"{'lesson':<18}{'solved':>8}{'minutes left':>14}"]
        for title, number in [*rows, ("all", None)]:
            members = [e for e in self.exercises.values() if number in (None, e.lesson)]
            left = [e for e in members if e.id not in done]
            score = f"{len(members) - len(left)}/{len(members)}"
            lines.append(f"{title:<18}{score:>8}{sum(e.minutes for e in left):>14}")
        if left:
            lines.append(f"next: {left[0].id}, {left[0].title} ({left[0].minutes} minutes)")
        else:
            lines.append(self.finished)
        return Text("\n".join(lines))
