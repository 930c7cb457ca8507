"""Commands of RUN: T302 and T303 (the policy), T304, T305 and T310 (references), T307, T308."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tisslang.command_policy import judge
from tisslang.linting.code_words import SHELLS, code_words, used_in_arithmetic
from tisslang.linting.findings import Report
from tisslang.linting.paths import sensitive
from tisslang.linting.shell_words import MARK, Simple, marked, marks, simple_commands
from tisslang.linting.source import ANY_PATH, ANY_TEXT, Source, span
from tisslang.shell_commands import after_options
from tisslang.syntax.command_answers import command_of, kept, key_of
from tisslang.syntax.tree import literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.syntax.command_answers import Key
    from tisslang.syntax.text import Text

_INTERPRETERS = ("perl", "ruby", "node", "php")
_AS_USER = ("sudo", "doas")
_VALUED_BY_SUDO = "-[ugpCDhRrTt]"
# Words that merely name a file, where they are printed.
_PRINTS = ("echo", "printf")
_MAYBE_SENSITIVE = re.compile(r"env|ssh|pem|id_", re.IGNORECASE)
_NOT_COMMANDS = ("for", "case", "select")  # their words are no arguments


class Remark(NamedTuple):
    """What there is to say about a command: about one of its references, or as a whole."""

    code: str
    reference: int | None
    message: str
    hint: str


def check(source: Source, report: Report) -> None:
    """All rules of this file."""
    for statement in source.statements:
        if statement.kind != "RUN":
            continue
        key = key_of(statement.node["command"])
        for code, number, message, hint in remarks(key, statement.cwd):
            place = span(statement.tokens[1])
            if number is not None:
                place = source.reference_span(statement.references[number])
            report.add(code, place, message, hint)


@kept
def remarks(key: Key, cwd: str) -> tuple[Remark, ...]:
    """Everything that the rules of this file have to say about a command in a directory."""
    filters = [part[0] for part in key if isinstance(part, tuple)]
    command = command_of(key)
    found = [*check_policy(command, cwd)]
    text = marked(command)
    if filters or "|" in text or _MAYBE_SENSITIVE.search(text):
        commands = simple_commands(text)
        found += check_files_and_downloads(commands)
        for number, name in enumerate(filters):
            if name == "raw":
                message = "with |raw the value is read as part of the command"
                hint = "without |raw the value is quoted, and stays one word"
                found.append(Remark("T304", number, message, hint))
        if filters:
            found += check_values(text, commands)
    return tuple(found)


def check_policy(command: Text, cwd: str) -> Iterator[Remark]:
    """T302 and T303."""
    verdict = judge(literal(command, ANY_TEXT), cwd=cwd)
    if verdict.command == "rm":  # of `{{path}}/..` nobody knows where it leads
        verdict = judge(literal(command, ANY_PATH), cwd=cwd)
    if verdict.action == "deny":
        hint = "a run refuses it: only the operator could allow it"
        yield Remark("T302", None, f"denied command: {verdict.reason}", hint)
    elif verdict.action == "ask":
        hint = f"the operator can allow it: --allow-command {verdict.command}"
        yield Remark("T303", None, f"this needs approval: {verdict.reason}", hint)


def check_files_and_downloads(commands: list[Simple]) -> Iterator[Remark]:
    """T307 and T308."""
    for simple in commands:
        if simple.gets_download and _runs_input(simple):
            hint = "download to a file, look at it, and run it in a step of its own"
            yield Remark("T308", None, f"{simple.name} runs what is downloaded, unseen", hint)
        for word in simple.words if simple.name not in _PRINTS else ():
            if name := sensitive(word.rpartition("=")[2]):
                hint = "keep secrets out of plans; a value can be given with --secret NAME"
                yield Remark("T307", None, f"{name} is a sensitive file", hint)


def check_values(text: str, commands: list[Simple]) -> Iterator[Remark]:
    """T305 and T310."""
    code = "".join(word for simple in commands for word in code_words(simple))
    for number in [*marks(code), *used_in_arithmetic(text, commands)]:
        hint = """hand it over as an argument: sh -c 'echo "$1"' sh {{name}}"""
        yield Remark("T305", number, "this value becomes part of a program's code", hint)
    for simple in commands:
        for number, is_command in _beginning(simple):
            message = "this value begins an argument, and can be an option"
            hint = "where the command knows --, put it before; before a path put ./"
            if is_command:
                message, hint = "this value is the command itself", "write the command out"
            yield Remark("T310", number, message, hint)


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
