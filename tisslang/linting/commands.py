"""Commands of RUN: T302 and T303 (the policy), T304, T305 and T310 (references), T307, T308."""

from __future__ import annotations

import re

from tisslang.command_policy import judge
from tisslang.linting.code_words import SHELLS, code_words, used_in_arithmetic
from tisslang.linting.findings import Report
from tisslang.linting.paths import sensitive
from tisslang.linting.shell_words import MARK, Simple, marked, marks, simple_commands
from tisslang.linting.source import ANY_PATH, ANY_TEXT, Source, Span, Statement, span
from tisslang.shell_commands import after_options
from tisslang.syntax.tree import literal

_INTERPRETERS = ("perl", "ruby", "node", "php")
_AS_USER = ("sudo", "doas")
_VALUED_BY_SUDO = "-[ugpCDhRrTt]"
# Words that merely name a file, where they are printed.
_PRINTS = ("echo", "printf")
_MAYBE_SENSITIVE = re.compile(r"env|ssh|pem|id_", re.IGNORECASE)
_NOT_COMMANDS = ("for", "case", "select")  # their words are no arguments


def check(source: Source, report: Report) -> None:
    """All rules of this file."""
    for statement in source.statements:
        if statement.kind == "RUN":
            check_policy(report, statement)
            check_words(source, report, statement)


def check_policy(report: Report, statement: Statement) -> None:
    """T302 and T303, at the command."""
    command = statement.node["command"]
    verdict = judge(literal(command, ANY_TEXT), cwd=statement.cwd)
    if verdict.command == "rm":  # of `{{path}}/..` nobody knows where it leads
        verdict = judge(literal(command, ANY_PATH), cwd=statement.cwd)
    place = span(statement.tokens[1])
    if verdict.action == "deny":
        hint = "a run refuses it: only the operator could allow it"
        report.add("T302", place, f"denied command: {verdict.reason}", hint)
    elif verdict.action == "ask":
        hint = f"the operator can allow it: --allow-command {verdict.command}"
        report.add("T303", place, f"this needs approval: {verdict.reason}", hint)


def check_words(source: Source, report: Report, statement: Statement) -> None:
    """The rules that look at the words of the commands."""
    text = marked(statement.node["command"])
    if not (statement.references or "|" in text or _MAYBE_SENSITIVE.search(text)):
        return
    commands = simple_commands(text)
    check_files_and_downloads(report, span(statement.tokens[1]), commands)
    if statement.references:
        places = [source.reference_span(reference) for reference in statement.references]
        for place, reference in zip(places, statement.references):
            if reference.get("filter") == "raw":
                message = "with |raw the value is read as part of the command"
                hint = "without |raw the value is quoted, and stays one word"
                report.add("T304", place, message, hint)
        check_values(report, places, text, commands)


def check_files_and_downloads(report: Report, place: Span, commands: list[Simple]) -> None:
    """T307 and T308, at the command."""
    for simple in commands:
        if simple.gets_download and _runs_input(simple):
            hint = "download to a file, look at it, and run it in a step of its own"
            report.add("T308", place, f"{simple.name} runs what is downloaded, unseen", hint)
        for word in simple.words if simple.name not in _PRINTS else ():
            if name := sensitive(word.rpartition("=")[2]):
                hint = "keep secrets out of plans; a value can be given with --secret NAME"
                report.add("T307", place, f"{name} is a sensitive file", hint)


def check_values(report: Report, places: list[Span], text: str, commands: list[Simple]) -> None:
    """T305 and T310, at the references; `places` are theirs."""
    code = "".join(word for simple in commands for word in code_words(simple))
    for number in [*marks(code), *used_in_arithmetic(text, commands)]:
        hint = """hand it over as an argument: sh -c 'echo "$1"' sh {{name}}"""
        report.add("T305", places[number], "this value becomes part of a program's code", hint)
    for simple in commands:
        for number, is_command in _beginning(simple):
            message = "this value begins an argument, and can be an option"
            hint = "where the command knows --, put it before; before a path put ./"
            if is_command:
                message, hint = "this value is the command itself", "write the command out"
            report.add("T310", places[number], message, hint)


def _beginning(simple: Simple) -> list[tuple[int, bool]]:
    """The references that begin a word, and whether it is the command's name."""
    found = []
    for place, word in enumerate(simple.words):
        if (word == "--" and place > simple.start) or simple.name in _NOT_COMMANDS:
            break
        if mark := MARK.match(word):
            found.append((int(mark[1]), place == simple.start))
    return found


def _runs_input(simple: Simple) -> bool:
    """Whether a command is an interpreter whose program comes from standard input."""
    if simple.name in _AS_USER:
        start = after_options(simple.arguments, 0, _VALUED_BY_SUDO)
        return _runs_input(Simple(simple.arguments[start:]))
    if simple.name in SHELLS:
        takes_input, has_program = r"-[A-Za-z]*s|-|/dev/stdin", r"-[A-Za-z]*c|[^+-]"
    elif simple.name in _INTERPRETERS or simple.name.startswith("python"):
        takes_input, has_program = r"-|/dev/stdin", r"-[A-Za-z]*[cmer]|[^-]"
    else:
        return False
    for word in simple.arguments:
        if re.fullmatch(takes_input, word):
            return True
        if re.match(has_program, word):
            return False
    return True
