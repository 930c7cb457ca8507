"""An exercise whose answer is a plan: what to write, and the check that runs what was written.

The plan is a text in a cell. `check` runs it in a fresh folder, as often as the exercise wants, and
says what differs. Exercises on functions are `qt.exercises`' own: they share titles, stubs, hints,
and the file in which progress is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tisslang.exercises.plans import Plan


@dataclass(frozen=True)
class PlanExercise:
    """What the learner reads, and how the answer is judged.

    `name` is the variable in the cell, `task` what stands in it as comments, `solution` a plan that
    is right. `judge(plan)` runs the learner's plan, and raises `Differs` at the first thing that
    is not as it should be.
    """

    id: str
    lesson: int
    name: str
    title: str
    minutes: int
    difficulty: int  # 1 warm-up, 2 think, 3 hard
    todo: str
    hint: str
    task: str
    solution: str
    judge: Callable[[Plan], None]

    @property
    def stub_source(self) -> str:
        """The Python cell to start from: a plan that has only comments."""
        comments = "".join(f"# {line}".rstrip() + "\n" for line in self.task.strip().splitlines())
        return f'{self.name} = r"""\n{comments}"""'

    @property
    def solution_source(self) -> str:
        """The same cell with the solution."""
        return f'{self.name} = r"""\n{self.solution.strip()}\n"""'


class Differs(Exception):
    """What is not as it should be, as labelled lines: `Differs(expected=…, found=…, likely=…)`.

    A label has at most nine letters. Empty texts are left out; lines after the first of a text are
    indented below it.
    """

    def __init__(self, **lines: str) -> None:
        super().__init__(lines)
        self.lines = {label: text for label, text in lines.items() if text}


def message_of(lines: dict[str, str]) -> str:
    """The labelled lines as a check shows them."""
    below = "\n" + " " * 12
    shown = (text.rstrip().replace("\n", below) for text in lines.values())
    return "\n".join(f"  {label:<9} {text}" for label, text in zip(lines, shown))


def is_stub(text: str) -> bool:
    """Whether a plan has nothing but comments: the learner has not written it yet."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())
