"""Exercises that tell a learner what differs, and where.

`check("attention.scores", my_scores)` runs an attempt on chosen inputs; `list()`, `stub(id)`,
`hint(id)` and `solution(id)` show what there is to do, and `report()` what is done.
"""

from qt.exercises.checker import Result, check
from qt.exercises.exercise import Exercise
from qt.exercises.registry import EXERCISES, get, hint, report, solution, stub
from qt.exercises.registry import listing as list

__all__ = [
    "EXERCISES",
    "Exercise",
    "Result",
    "check",
    "get",
    "hint",
    "list",
    "report",
    "solution",
    "stub",
]
