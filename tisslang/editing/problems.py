"""What is wrong with a script while it is being written, and how it can be mended.

All syntax errors, and the static errors and findings about the statements that are well written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tisslang.editing.doubts import Doubts
from tisslang.editing.mends import Fix, mends, title_of
from tisslang.editing.script import Script
from tisslang.linting import Finding, examine
from tisslang.syntax.diagnostics import Diagnostic, from_error


@dataclass(slots=True)  # frozen ones take three times as long to make, and there may be many
class Problem:
    """One of them. Lines and columns count from 1, in code points, and lie inside the text.

    The span ends before `end_column`; it is empty where something is missing. Each of the `fixes`
    mends it; some are safe enough to be made unseen, as `tiss lint --fix` does.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    severity: str
    code: str
    message: str
    hint: str | None = None
    fixes: tuple[Fix, ...] = ()
    is_safe_to_fix: bool = False


def problems(text: str, filename: str = "<script>", assigned: Iterable[str] = ()) -> list[Problem]:
    r"""All problems of a script, by line and column; the operator gives `assigned` their values.

    >>> [(p.line, p.column, p.code) for p in problems('TASK "x"\nLOG name\nLGO 1')]
    [(1, 1, 'T209'), (2, 5, 'T110'), (3, 1, 'T002')]
    """
    *_, found = problems_of(Script(text, filename, assigned))
    return found


def problems_of(script: Script) -> Iterator[list[Problem]]:
    """The same, piece by piece: the last list has all of them."""
    _ = script.tokens
    yield []
    diagnostics = [from_error(error) for error in script.errors]
    yield []
    if script.fault is None:
        doubts = Doubts(script)
        found: list[Diagnostic] = []
        for part in examine(script.source, script.filename):
            found = part
            yield []
        diagnostics += [each for each in found if not doubts.refute(each)]
    diagnostics.sort(key=lambda each: (each.line, each.column, each.code))
    yield [_problem(script, each) for each in diagnostics]


def _problem(script: Script, found: Diagnostic) -> Problem:
    line, column = script.nearest(found.line, found.column)
    end = max((line, column), script.nearest(found.end_line, found.end_column))
    fixes: tuple[Fix, ...] = ()
    if not isinstance(found, Finding):
        fixes = mends(script, found, script.offset(line, column), script.offset(*end))
    elif found.edits:
        fixes = (Fix(title_of(found), found.edits),)
    is_safe = isinstance(found, Finding) and bool(fixes)
    severity, code, message, hint = found.severity, found.code, found.message, found.hint
    return Problem(line, column, *end, severity, code, message, hint, fixes, is_safe)
