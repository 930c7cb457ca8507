"""How an error can be mended at once, where the hint says it in so many words."""

from __future__ import annotations

import re
from typing import NamedTuple

from tisslang.linting.findings import Edit
from tisslang.rules import RULES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.problems import Problem
    from tisslang.editing.script import Script
    from tisslang.syntax.diagnostics import Diagnostic

_RULES = {rule.code: rule for rule in RULES}
_IGNORE = re.compile(r"#[ \t]*tiss:[ \t]*ignore[ \t]+T\d{3}(?:[ \t]*,[ \t]*T\d{3})*")
_TITLES = {"T214": "Remove THEN", "T219": "Add |trim"}
_MEANT = re.compile(r"did you mean (?P<word>.+?)\?(?:\Z| Or, )")
_UPPER = re.compile(r"(?:commands|keywords|fields) are upper case: (?P<word>[A-Z_]+)\Z")
_QUOTE = re.compile("use the straight quote (?P<word>[\"'])\\Z")


class Fix(NamedTuple):
    """A way to mend a problem: what it does, in a few words, and its edits."""

    title: str
    edits: tuple[Edit, ...]


def title_of(finding: Diagnostic) -> str:
    """What the edits of a rule's finding do."""
    return _TITLES.get(finding.code, "Mend it")


def silencing(script: Script, problem: Problem) -> Fix | None:
    """A comment that silences the finding of a rule: in the one above, or on a line of its own."""
    rule = _RULES[problem.code]
    if not rule.code.startswith(("T2", "T3")):
        return None
    heredoc = script.heredoc_at(script.offset(problem.line, 1))
    line = heredoc[0].line if heredoc else problem.line
    start = script.offset(line, 1)
    if script.text.startswith("#!", start):  # it must stay the first line
        return None
    for comment in script.comments:
        if comment.line in (line - 1, line) and (match := _IGNORE.match(comment.text)):
            place = script.original_offset(comment.start + match.end())
            return Fix(f"Silence {rule.code} here", (Edit(place, place, f", {rule.code}"),))
    text = script.text[start : script.line_end(line)]
    indent = text[: len(text) - len(text.lstrip(" \t"))]
    place = script.original_offset(start)
    comment_line = f"{indent}# tiss: ignore {rule.code}\n"
    return Fix(f"Silence {rule.code} here", (Edit(place, place, comment_line),))


def mends(script: Script, found: Diagnostic, start: int, end: int) -> tuple[Fix, ...]:
    """The ways to mend a syntax error or static error, which stands at a span."""
    edit = _edit(script, found, start, end)
    if edit is None:
        return ()
    title, (start, end, word) = edit
    original = script.original_offset
    return (Fix(title, (Edit(original(start), original(end), word),)),)


def _edit(
    script: Script, found: Diagnostic, start: int, end: int
) -> tuple[str, tuple[int, int, str]] | None:
    hint = found.hint or ""
    text = script.text
    for pattern in (_MEANT, _UPPER, _QUOTE):
        if match := pattern.search(hint):
            word = match["word"]
            place = _word_to_replace(script, found, start, end)
            return (f"Change to {word}", (*place, word)) if place else None
    if found.code == "T003" and hint.startswith("close the string"):
        end_of_line = script.line_end(found.line)
        behind = len(text[start:end_of_line].rstrip(" \t"))
        return "Close the string", (start + behind, start + behind, text[start])
    if hint == "to compare: ==" and text[start:end] == "=":
        return "Change to ==", (start, end, "==")
    if hint == "a variable is set with =" and text[start:end] == "==":
        return "Change to =", (start, end, "=")
    if found.code == "T004":
        return "Write two backslashes", (start, start, "\\")
    if hint.startswith("there is no ; in TissLang") and text[start:end] == ";":
        if not text[end : script.line_end(found.line)].strip(" \t"):
            return "Remove the ;", (start, end, "")
        return None
    if found.code == "T007":
        return "Remove the }", (start, end, "")
    if found.code == "T006":
        newline = "" if text.endswith("\n") or not text else "\n"
        return "Close the block at the end", (len(text), len(text), newline + "}\n")
    return None


def _word_to_replace(
    script: Script, found: Diagnostic, start: int, end: int
) -> tuple[int, int] | None:
    """Where the word stands that the hint would put in another's place."""
    text = script.text
    if found.code == "T107":  # of a reference, or a budget: the field, the filter or the name
        match = re.match(r"(?:.* field|unknown \w+) (?P<word>\w+)\Z", found.message)
        if match is None:
            return None
        limit = script.line_end(found.line) if text[start:end] == "SET_BUDGET" else end
        place = re.search(rf"\b{re.escape(match['word'])}\b", text[start:limit])
        return (start + place.start(), start + place.end()) if place else None
    hint = found.hint or ""
    if found.code == "T103":  # CALL, and behind it the name in its quotes
        place = re.compile(r"CALL[ \t]+[\"'](?P<name>[^\"'\\\n]*)[\"']").match(text, start)
        is_plain = not {*"\"'\\"} & {*hint}
        return place.span("name") if place and is_plain else None
    if found.code == "T110":  # perhaps in {{ }}, perhaps with a filter
        place = re.search(r"[A-Za-z_]\w*", text[start:end])
        return (start + place.start(), start + place.end()) if place else None
    if found.code in ("T001", "T002"):
        return start, end
    return None
