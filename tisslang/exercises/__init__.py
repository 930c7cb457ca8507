"""Exercises on plans and on the engine, which tell a learner what differs.

`check("language.greeting", plan)` tries an answer; `list()`, `stub(id)`, `hint(id)` and
`solution(id)` show what there is to do, and `report()` what is done. Lessons 13 and 14 use it.
"""

from tisslang.exercises.registry import EXERCISES, check, get, hint, report, solution, stub
from tisslang.exercises.registry import listing as list

__all__ = ["EXERCISES", "check", "get", "hint", "list", "report", "solution", "stub"]
