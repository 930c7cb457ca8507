"""A tree with what several checks ask about it, so that each question is answered once."""

from __future__ import annotations

import functools

from tisslang.syntax.flow import analyse
from tisslang.syntax.subtasks import Subtasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tisslang.syntax.flow import Use

    Node = dict[str, Any]


class Analysis:
    """A SCRIPT node; `assigned` are the names that the operator gives values to."""

    def __init__(self, script: Node, assigned: Iterable[str] = ()) -> None:
        self.script = script
        self.assigned = tuple(assigned)

    @functools.cached_property
    def subtasks(self) -> Subtasks:
        """The sub-tasks of the script."""
        return Subtasks(self.script)

    @functools.cached_property
    def uses(self) -> list[Use]:
        """The uses of names that must fail, or may fail."""
        return analyse(self.script, self.subtasks, self.assigned)
