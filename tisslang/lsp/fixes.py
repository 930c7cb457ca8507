"""Quick fixes: the ways to mend a problem, to silence it, and to mend all that is safe at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsprotocol import types

from tisslang.editing.mends import silencing
from tisslang.editing.problems import Problem
from tisslang.linting import Edit
from tisslang.lsp.documents import Document

FIX_ALL = "source.fixAll.tiss"
KINDS = [types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]


def code_actions(
    document: Document, params: types.CodeActionParams, found: Sequence[Problem]
) -> Iterator[types.CodeAction]:
    """What can be done about the problems at a range."""
    wanted = params.context.only
    start, end = document.offset(params.range.start), document.offset(params.range.end)
    if _is_wanted(types.CodeActionKind.QuickFix, wanted):
        here = []
        for problem in found:
            first, last = document.problem_span(problem)
            if first <= end and start <= last:
                here.append(problem)
        for problem in here:
            for fix in problem.fixes:
                yield _fixing(document, params, problem, fix.title, fix.edits)
        for problem in here:
            silent = silencing(document.script, problem)
            if silent is not None:
                yield _fixing(document, params, problem, *silent, preferred=False)
    if _is_wanted(FIX_ALL, wanted):
        edits = safe_edits(found)
        if edits:
            yield types.CodeAction(
                "Mend all that is safe to mend", kind=FIX_ALL, edit=workspace_edit(document, edits)
            )


def safe_edits(found: Sequence[Problem]) -> list[Edit]:
    """The edits that `tiss lint --fix` would make."""
    edits = {edit for x in found if x.is_safe_to_fix for fix in x.fixes for edit in fix.edits}
    return sorted(edits)


def workspace_edit(document: Document, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    """Edits of one file."""
    return types.WorkspaceEdit(changes={document.uri: [document.edit(edit) for edit in edits]})


def _fixing(
    document: Document,
    params: types.CodeActionParams,
    problem: Problem,
    title: str,
    edits: Sequence[Edit],
    preferred: bool = True,
) -> types.CodeAction:
    span = document.range(*document.problem_span(problem))
    mended = [
        each
        for each in params.context.diagnostics
        if each.code == problem.code and each.range.start == span.start
    ]
    return types.CodeAction(
        title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=mended or None,
        is_preferred=preferred or None,
        edit=workspace_edit(document, edits),
    )


def _is_wanted(kind: str, wanted: Sequence[str] | None) -> bool:
    """Whether an editor that wants these kinds, or their beginnings, wants this one."""
    if not wanted:
        return True
    return any(kind == each or kind.startswith(f"{each}.") for each in map(_value, wanted))


def _value(kind: str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind
