"""The grammar for VS Code against our own lexer: both paint random scripts, character by character.

A painting has a letter for each character: k word of the language, v value, b boolean, x reserved
word, n name, d number, u duration, m mark, s string, e escape, i interpolation, c comment,
h header, o opener and terminator of a heredoc, t its text, r its text when verbatim, and a blank.
"""

import json
import re
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from scripts import mutate, random_script
from vscode_extension import FOLDER, need_packages, node

from tisslang.errors import TissParseError
from tisslang.syntax import text as quoted
from tisslang.syntax.lexer import FUTURE, PSEUDO_VARIABLES, Fault, Heredoc, Token, tokenize
from tisslang.syntax.source import decode

KINDS = {"NAME": "n", "BOOL": "b", "STRING": "s", "NUMBER": "d", "DURATION": "u", "EOF": " "}
KINDS |= dict.fromkeys(PSEUDO_VARIABLES, "v") | dict.fromkeys(FUTURE, "x")
KINDS |= dict.fromkeys(["{", "}", "=", "?=", "==", "!=", "<", "<=", ">", ">=", ".", ",", "|"], "m")
KINDS |= {"@": "m", "NL": " "}
DESCRIBED = ("TASK", "SETUP", "STEP", "OPTION", "DEFINE_TASK", "CALL")

# The first that a token's scopes hold decides.
SCOPES = (
    ("meta.heredoc.raw.", "r"),
    ("meta.interpolation.tiss", "i"),
    ("constant.character.escape.tiss", "e"),
    ("meta.heredoc.interpolated.", "t"),
    ("comment.", "c"),
    ("meta.header.", "h"),
    ("invalid.illegal.reserved.", "x"),
    ("string.quoted.", "s"),
    ("keyword.operator.heredoc.", "o"),
    ("keyword.control.heredoc-token.", "o"),
    ("punctuation.definition.string.", "o"),
    ("constant.language.", "b"),
    ("constant.numeric.duration.", "u"),
    ("constant.numeric.", "d"),
    ("variable.language.", "v"),
    ("variable.", "n"),
    ("entity.", "n"),
    ("support.", "n"),
    ("keyword.operator.wordlike.", "k"),
    ("keyword.operator.", "m"),
    ("punctuation.", "m"),
    ("keyword.", "k"),
    ("storage.", "k"),
)


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    need_packages()


def test_random_scripts_have_the_colours_that_the_lexer_gives_them() -> None:
    compare([decode(random_script(Random(seed))) for seed in range(300)])


def test_damaged_scripts_have_them_up_to_the_first_fault() -> None:
    compare(list(damaged(500)))


def test_plans_of_the_tests_have_them() -> None:
    plans = [path.read_text(encoding="utf-8") for path in FOLDER.glob("tests/plans/*.tiss")]
    assert len(plans) >= 4
    compare(plans)


def test_a_heredoc_ends_at_its_terminator_and_nowhere_else() -> None:
    words = ("W", "PYTHON", "py", "c", "IF", "Json")
    blanks = ("", " ", "\t", "  ")
    scripts = []
    for word in words:
        for opener in (f"<<{word}", f"<<'{word}'", f"<<-{word}", f"<<-'{word}'"):
            lines = [f"{before}{word}{behind}" for before in blanks for behind in blanks]
            lines += [f"{word};", f"x{word}", word.swapcase(), f"<<{word}", f"-{word}", "'''", "/*"]
            # Whatever comes first that closes it, the rest is a part of the plan again.
            scripts += [f'WRITE "a" {opener}\n{line}\n{word}\nRUN "x"\n' for line in lines]
            scripts += [f"RUN {opener} # note\n{line}\n{word}\nLOG 1\n" for line in lines]
    compare(scripts)


# ------------------------------------------------------------------------------------- painting


def damaged(count: int) -> Iterable[str]:
    """So many damaged scripts that are texts at all."""
    seed = found = 0
    while found < count:
        seed += 1
        random = Random(f"damage {seed}")
        try:
            yield decode(mutate(random_script(random), random))
        except TissParseError:
            continue
        found += 1


def compare(texts: list[str]) -> None:
    """Both paintings of each text are the same, up to the line of the lexer's first fault."""
    for text, tokens in zip(texts, json.loads(node("tests/scopes.mjs", json.dumps(texts)))):
        ours = painting(text)
        lines = text.split("\n")
        theirs = [painted_line(line, found) for line, found in zip(lines, tokens)]
        for number, expected in enumerate(ours):
            message = f"line {number + 1} of\n{text}\n{lines[number]}\n{theirs[number]}\n{expected}"
            assert theirs[number] == expected, message


def painted_line(line: str, tokens: list[tuple[int, int, str]]) -> str:
    """A line as the grammar paints it. Its places are counted in UTF-16, ours in characters."""
    painted = ""
    units = line.encode("utf-16-le")
    for start, end, scopes in tokens:
        letter = next((letter for name, letter in SCOPES if f" {name}" in scopes), " ")
        piece = units[2 * start : 2 * end].decode("utf-16-le")
        if "support.constant.budget" in scopes and piece == "COST":
            letter = "v"
        painted += letter * len(piece)
    return painted


def painting(text: str) -> list[str]:
    """The lines as the lexer paints them, those before its first fault."""
    tokens, comments = tokenize(text)
    canvas = [[" "] * len(line) for line in text.split("\n")]
    for comment in comments:
        is_header = re.match(r"#TISS(!|_VERSION(?!\w))", comment.text)
        in_zone = comment.start < tokens[0].start or tokens[0].kind == "EOF"
        fill(canvas, comment, "h" if is_header and in_zone else "c")
    previous: Token | None = None
    try:
        for token in tokens:
            if isinstance(token, Fault):
                break
            paint_token(canvas, token, previous, text)
            previous = token
    except TissParseError as error:  # an unknown escape
        return ["".join(line) for line in canvas[: error.line - 1]]
    last = tokens[-1].line - 1 if isinstance(tokens[-1], Fault) else len(canvas)
    return ["".join(line) for line in canvas[:last]]


def paint_token(canvas: list[list[str]], token: Token, previous: Token | None, text: str) -> None:
    if isinstance(token, Heredoc):
        fill(canvas, token, "o")
        paint_body(canvas, token, text)
        return
    if token.kind != "NL":
        fill(canvas, token, KINDS.get(token.kind, "k"))
    if token.kind != "STRING" or token.text[0] == "'":
        return
    for match in re.finditer(r"\\.", token.text[1:-1]):
        start = token.column + match.start()
        canvas[token.line - 1][start : start + 2] = "ee"
    if previous is not None and previous.kind in DESCRIBED:
        quoted.description(token)
    else:
        paint_references(canvas, quoted.string(token))


def paint_body(canvas: list[list[str]], token: Heredoc, text: str) -> None:
    for index in range(token.line, token.end_line - 1):
        canvas[index] = ["r" if token.raw else "t"] * len(canvas[index])
        if not token.raw:
            for match in re.finditer(r"\\\{(?=\{)", text.split("\n")[index]):
                canvas[index][match.start() : match.end()] = "ee"
    closing = text.split("\n")[token.end_line - 1]
    canvas[token.end_line - 1] = ["o" if letter not in " \t" else " " for letter in closing]
    paint_references(canvas, quoted.heredoc(token))


def paint_references(canvas: list[list[str]], template: str | dict[str, Any]) -> None:
    for part in template["template"] if isinstance(template, dict) else ():
        if isinstance(part, quoted.Reference):
            length = part.end_column - part.column
            canvas[part.line - 1][part.column - 1 : part.end_column - 1] = "i" * length


def fill(canvas: list[list[str]], token: Token, letter: str) -> None:
    line, start = canvas[token.line - 1], token.column - 1
    line[start : start + len(token.text)] = letter * len(token.text)
