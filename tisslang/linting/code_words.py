"""Which words of a command are code: the closed list of T305 in the language reference."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tisslang.linting.shell_words import ASSIGNMENT, MARK, Simple, marks

SHELLS = ("sh", "bash", "dash", "zsh", "ksh")
# Every argument of these is read as code, or as a name that can hold code: `a[$(…)]`.
_ALL_ARGUMENTS = (
    *("eval", "trap", ".", "source", "ssh", "let", "read"),
    *("unset", "declare", "typeset", "export"),
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def code_words(simple: Simple) -> list[str]:
    """The words of a simple command that are run as code."""
    found = list(simple.split)
    name, arguments = simple.name, simple.arguments
    if name in _ALL_ARGUMENTS:
        return found + arguments
    if name == "find":
        return found + _in_find(arguments)
    if simple.by_xargs and name in SHELLS:
        return found + _behind_c(arguments)
    for names, reader in _READERS:
        if name in names or (name.startswith("python") and "python" in names):
            found += reader(arguments)
    return found


def _after(
    arguments: list[str], letter: str, flags: str, valued: str = "(?!)", first: bool = False
) -> Iterator[str]:
    """The value of each option `letter`: behind it in its word, or the next word.

    `flags` are the letters that may stand before it in one word, `valued` the options whose value
    is the next word. Options end at the first operand.
    """
    option = re.compile(rf"-[{flags}]*?{letter}(.*)", re.DOTALL)
    words = iter(arguments)
    for word in words:
        if match := option.fullmatch(word):
            yield match[1] or next(words, "")
            if first:
                return
        elif re.fullmatch(valued, word):
            next(words, "")
        elif not word.startswith(("-", "+")) or word in ("-", "--"):
            return


def _shell(arguments: list[str]) -> list[str]:
    return _behind_c(arguments)[:1]


def _behind_c(arguments: list[str]) -> list[str]:
    """The words of a shell behind its `-c` (which may stand among other letters) and options."""
    place, seen = 0, False
    while place < len(arguments):
        word = arguments[place]
        if not word.startswith(("-", "+")) or word in ("-", "--"):
            break
        seen = seen or bool(re.match(r"-[A-Za-z]*c", word))
        place += 2 if re.fullmatch(r"[-+][A-Za-z]*[oO]|--rcfile|--init-file", word) else 1
    if place < len(arguments) and arguments[place] in ("-", "--"):
        place += 1
    return arguments[place:] if seen else []


def _python(arguments: list[str]) -> list[str]:
    return list(_after(arguments, "c", "bBdEhiIOPqsSuvVx", "-[WX]", first=True))


def _perl(arguments: list[str]) -> list[str]:
    return list(_after(arguments, "e", "a-z0-9", "-[ICr]"))


def _php(arguments: list[str]) -> list[str]:
    return list(_after(arguments, "r", "anq", "-[cdz]"))


def _awk(arguments: list[str]) -> list[str]:
    """The first operand, unless the program comes from a file."""
    place = 0
    while place < len(arguments):
        word = arguments[place]
        if word == "--":
            return arguments[place + 1 : place + 2]
        if re.match(r"-f|--file", word):
            return []
        if not word.startswith("-") or word == "-":
            return [word]
        place += 2 if re.fullmatch(r"-[vF]|--assign|--field-separator", word) else 1
    return []


def _sed(arguments: list[str]) -> list[str]:
    """What `-e` is given; without it and `-f` the first operand."""
    found: list[str] = []
    operands: list[str] = []
    from_file = False
    words = iter(arguments)
    for word in words:
        if word == "--":
            operands += words
        elif match := re.fullmatch(r"-[nEirsuz]*e(.*)|--expression(?:=(.*))?", word, re.DOTALL):
            found.append(match[1] or match[2] or next(words, ""))
        elif re.match(r"-[nErsuz]*f|--file", word):
            from_file = True
            if re.fullmatch(r"-[nErsuz]*f|--file", word):
                next(words, "")
        elif re.fullmatch(r"-l|--line-length", word):
            next(words, "")
        elif word and not word.startswith("-"):  # the empty word is the suffix of `-i ''`
            operands.append(word)
    return found or ([] if from_file else operands[:1])


def _in_find(arguments: list[str]) -> list[str]:
    """The words behind `sh -c` in each `-exec`, up to its `;` or `+`."""
    found: list[str] = []
    executed: list[str] | None = None
    for word in [*arguments, ";"]:
        if executed is None:
            executed = [] if word == "-exec" else None
        elif word not in (";", "+"):
            executed.append(word)
        else:
            simple = Simple(executed)
            if simple.name in SHELLS:
                found += _behind_c(simple.arguments)
            executed = None
    return found


def _after_v(arguments: list[str]) -> list[str]:
    """The name behind `-v`: of `printf` its first argument, in `test` wherever it stands."""
    return [
        name for word, name in zip(arguments, [*arguments[1:], ""]) for name in _named(word, name)
    ]


def _named(word: str, following: str) -> list[str]:
    if word == "-v":
        return [following]
    return [word[2:]] if word.startswith("-v") else []


_READERS: list[tuple[tuple[str, ...], Callable[[list[str]], list[str]]]] = [
    (SHELLS, _shell),
    (("python",), _python),
    (("perl", "ruby", "node"), _perl),
    (("php",), _php),
    (("awk",), _awk),
    (("sed",), _sed),
    (("printf",), lambda arguments: _named(*[*arguments, "", ""][:2])),
    (("test", "["), _after_v),
]


def used_in_arithmetic(text: str, commands: list[Simple]) -> list[int]:
    """References that a shell variable is assigned from, and then stands in a `$(( ))`."""
    last_use: dict[str, int] = {}
    start = end = 0
    while (start := text.find("$((", end)) >= 0 and (end := text.find("))", start)) >= 0:
        last_use |= dict.fromkeys(_NAME.findall(text, start, end), start)
    if not last_use:
        return []
    places = {int(mark[1]): mark.start() for mark in MARK.finditer(text)}
    return [
        number
        for simple in commands
        for word in simple.words
        if (assignment := ASSIGNMENT.match(word))
        for number in marks(word)
        if places[number] < last_use.get(assignment[1], -1)
    ]
