"""Interpolations: T215 and T216, what looks like one and where one surprises; T219."""

from __future__ import annotations

import re

from tisslang.linting.findings import Edit, Report
from tisslang.linting.source import ANY_TEXT, Source, Span, Statement
from tisslang.syntax.lexer import NAME, Heredoc
from tisslang.syntax.tree import literal

# An escape pair, which may hide a `{`, or a `{{`.
_IN_STRING = re.compile(r"\\.|\{\{")
_IN_HEREDOC = re.compile(r"\\\{(?=\{)|\{\{")
_PAIR = re.compile(r"\{\{[^{}\n]{0,80}\}\}")
_INTERPOLATION = re.compile(rf"\{{\{{[ \t]*+{NAME}[^{{}}\n]{{0,80}}\}}\}}")
# Files whose own syntax has `{{`.
_BRACES = re.compile(r"\.(?:html|jinja[^/]*|j2|vue|ya?ml)\Z", re.IGNORECASE)


def check(source: Source, report: Report) -> None:
    """All rules of this file."""
    for statement in source.statements:
        spans = [source.reference_span(each) for each in statement.references]
        check_braces(source, report, statement, dict(spans))
        if spans:
            check_file(report, statement, spans, source)
            check_trim(source, report, statement)


def check_braces(
    source: Source, report: Report, statement: Statement, interpolations: dict[int, int]
) -> None:
    """T215: a `{{` that stands for itself where an interpolation could stand, or seems to."""
    description = statement.description()
    for token in statement.tokens:
        if isinstance(token, Heredoc):
            if not token.raw and "{{" in token.body:
                hint = f"where text is meant: \\{{{{ or {token.verbatim}; a value is {{{{name}}}}"
                place = source.body_span(token)
                for found in _literal_braces(source.text, place, _IN_HEREDOC, interpolations):
                    report.add("T215", found, _MESSAGE, hint)
        elif token.kind == "STRING" and token.text[0] == '"' and "{{" in token.text:
            place = (token.start + 1, token.start + len(token.text) - 1)
            hint = "where text is meant: \\{{ or a 'single' string; a value is {{name}}"
            for found in _literal_braces(source.text, place, _IN_STRING, interpolations):
                if token is not description:
                    report.add("T215", found, _MESSAGE, hint)
                elif _INTERPOLATION.match(source.text, found[0]):
                    report.add("T215", found, _MESSAGE, "nothing is interpolated in this string")


_MESSAGE = "this looks like an interpolation and is plain text"


def _literal_braces(
    text: str, place: Span, pattern: re.Pattern[str], interpolations: dict[int, int]
) -> list[Span]:
    """Each run of braces with a `{{` that is no interpolation; the span is of what it encloses."""
    found: list[Span] = []
    position, end = place
    last = -1
    while match := pattern.search(text, position, end):
        start = match.start()
        if match[0] != "{{":
            position = match.end()
        elif start in interpolations:
            position = interpolations[start]
        else:
            if start != last + 1:
                pair = _PAIR.match(text, start, end)
                found.append(pair.span() if pair else (start, start + 2))
            position, last = start + 1, start
    return found


def check_file(report: Report, statement: Statement, spans: list[Span], source: Source) -> None:
    """T216 at the first interpolation in the content of such a file."""
    node = statement.node
    if statement.kind != "WRITE" or not _BRACES.search(literal(node["path"], ANY_TEXT)):
        return
    heredoc = statement.tokens[2]
    assert isinstance(heredoc, Heredoc)
    for found in spans:
        if found[0] > heredoc.start:
            message = "an interpolation in a file whose own syntax has {{"
            hint = f"if the file is to hold it: \\{{{{ or {heredoc.verbatim}"
            report.add("T216", found, message, hint)
            return


def check_trim(source: Source, report: Report, statement: Statement) -> None:
    """T219: the newline at the end of an output goes into a command or path."""
    path = statement.path()
    text = statement.node["command"] if statement.kind == "RUN" else path and path[1]
    if not isinstance(text, dict):
        return
    for part in text["template"]:
        if isinstance(part, dict) and part.get("last_run") == "STDOUT":
            if part.get("filter") == "trim":
                continue
            start, end = source.reference_span(part)
            edits = []
            if "filter" not in part:
                place = source.text.index("STDOUT", start) + len("STDOUT")
                edits = [Edit(place, place, "|trim")]
            message = "LAST_RUN.STDOUT ends in the newline that the command printed"
            hint = "write {{LAST_RUN.STDOUT|trim}}"
            report.add("T219", (start, end), message, hint, edits)
