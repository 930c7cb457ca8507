"""The linter: what is wrong with a script, and what is probably not meant.

Each family of rules is a file with a function `check(source, report)`: `source` is the script with
its tokens and statements, `report` takes the findings. The list of all codes, with what they mean
and an example of each, is `tisslang.rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tisslang.errors import TissParseError
from tisslang.linting import (
    commands,
    conditions,
    interpolation,
    last_run,
    layout,
    names,
    paths,
    secrets,
)
from tisslang.linting.findings import Edit, Finding, Report
from tisslang.linting.source import Source
from tisslang.linting.suppression import Suppressions
from tisslang.rules import RULES
from tisslang.syntax import parse
from tisslang.syntax.analysis import Analysis
from tisslang.syntax.checks import static_errors
from tisslang.syntax.diagnostics import Diagnostic, from_error
from tisslang.syntax.lexer import tokenize
from tisslang.syntax.parser import parse_tokens
from tisslang.syntax.source import decode

__all__ = ["Edit", "Finding", "examine", "fix", "lint"]

_FAMILIES = (layout, names, conditions, last_run, interpolation, paths, commands, secrets)


def lint(
    text: str | bytes,
    filename: str = "<script>",
    assigned: Iterable[str] = (),
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
) -> list[Diagnostic]:
    """All findings by line, column and code; a syntax error stands alone.

    `assigned` are the names that the operator gives values to. `select` and `ignore` are codes or
    their beginnings (`T2`): with `select` only those rules count, and those of `ignore` do not.
    Syntax and static errors always do. Raises `ValueError` for what begins no rule's code.
    """
    selected = _selected(tuple(select), tuple(ignore))
    try:
        decoded = decode(text)
        tokens, comments = tokenize(decoded)
        script = parse_tokens(decoded, tokens, comments)
    except TissParseError as error:
        error.filename = filename
        return [from_error(error)]
    source = Source(text, decoded, Analysis(script, assigned), tokens, comments)
    *_, found = examine(source, filename)
    return [x for x in found if not isinstance(x, Finding) or x.code in selected]


def examine(source: Source, filename: str = "<script>") -> Iterator[list[Diagnostic]]:
    """The static errors and all findings of a script, in order: the last list has all of them.

    It comes piece by piece, so that an editor can do something else meanwhile, or give up.
    """
    found = static_errors(source.analysis, filename)
    yield found
    report = Report(source, filename)
    for family in _FAMILIES:
        family.check(source, report)
        yield []
    suppressions = Suppressions(source)
    found += [finding for finding in report.findings() if not suppressions.silence(finding)]
    yield sorted(found, key=lambda finding: (finding.line, finding.column, finding.code))


def fix(text: str | bytes, findings: Sequence[Diagnostic] | None = None) -> str:
    """The script with the edits of the findings made (by default of all); its tree stays equal
    apart from positions and from what an edit is for. Raises `TissParseError` for a script that
    does not parse.

    Only what is safe and plainly meant is edited: THEN goes (T214), and `|trim` comes where an
    output goes into a command or path (T219).
    """
    parse(text)
    if findings is None:
        findings = lint(text)
    original = text.decode() if isinstance(text, bytes) else text
    edits = {edit for finding in findings if isinstance(finding, Finding) for edit in finding.edits}
    parts, place = [], 0
    for edit in sorted(edits):
        parts += [original[place : edit.start], edit.replacement]
        place = edit.end
    fixed = "".join([*parts, original[place:]])
    parse(fixed)
    return fixed


def _selected(select: Sequence[str], ignore: Sequence[str]) -> set[str]:
    """The codes of the rules that count."""
    known = [rule.code for rule in RULES]
    for given in (*select, *ignore):
        if not given or not any(code.startswith(given) for code in known):
            raise ValueError(f"no rule begins with {given!r}: write a code (T203) or its beginning")
    return {
        code
        for code in known
        if (not select or code.startswith(tuple(select))) and not code.startswith(tuple(ignore))
    }
