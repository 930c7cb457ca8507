"""The colours of tisslang/jupyter/static/colours.js against the lexer, on random scripts."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from missing import missing
from scripts import mutate, random_script

from tisslang.errors import TissParseError
from tisslang.syntax import lexer, text
from tisslang.syntax.source import decode
from tisslang.vocabulary import BY_NAME, WORDS

COLOURS = Path(__file__).parents[2] / "tisslang" / "jupyter" / "static" / "colours.js"
KINDS = {"keyword", "clause", "name", "string", "escape", "interpolation", "number", "constant"}
KINDS |= {"comment", "header", "directive", "operator", "heredoc", "heredocMark", "error"}

# Texts in, for each text the spans of each line out. States go through JSON, as an editor may have
# them do.
DRIVER = """
import { readFileSync } from "node:fs";
import { tokenizeLine, WORDS } from "./colours.mjs";
const results = JSON.parse(readFileSync(0, "utf8")).map((text) => {
  let state = null;
  return text.split("\\n").map((line) => {
    const result = tokenizeLine(line, state);
    state = JSON.parse(JSON.stringify(result.state));
    return result.spans;
  });
});
console.log(JSON.stringify({ results, words: WORDS }));
"""

Spans = list[tuple[int, int, str]]
Colour = Callable[[list[str]], list[list[Spans]]]
Driver = Callable[[list[str]], dict[str, Any]]


@pytest.fixture(scope="module")
def run_driver(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    node = shutil.which("node")
    if node is None:
        missing("node is missing, which runs the JavaScript")
    folder = tmp_path_factory.mktemp("colours")
    shutil.copy(COLOURS, folder / "colours.mjs")
    (folder / "driver.mjs").write_text(DRIVER, encoding="utf-8")

    def run(texts: list[str]) -> dict[str, Any]:
        done = subprocess.run(
            [node, "driver.mjs"],
            cwd=folder,
            input=json.dumps(texts),
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def colour(run_driver: Driver) -> Colour:
    return lambda texts: run_driver(texts)["results"]


def units(line: str) -> int:
    """The length of a line as JavaScript counts."""
    return len(line.encode("utf-16-le", "surrogatepass")) // 2


def kinds_of_characters(source: str, lines: list[Spans]) -> list[list[str]]:
    """For each line the kind of each of its characters, "" for none; checks the spans too."""
    found = []
    for line, spans in zip(source.split("\n"), lines, strict=True):
        kinds = [""] * units(line)
        done = 0
        for start, end, kind in spans:
            assert done <= start < end <= len(kinds), (line, spans)
            assert kind in KINDS
            kinds[start:end] = [kind] * (end - start)
            done = end
        places = [units(line[:i]) for i in range(len(line))]
        found.append([kinds[place] for place in places])
    return found


# ------------------------------------------------------------------- what the lexer says


def expected_kinds(source: str) -> list[list[str]]:
    """The same from the tokens of the lexer and the references of text.py."""
    tokens, comments = lexer.tokenize(source)
    lines = source.split("\n")
    kinds = [[""] * len(line) for line in lines]

    def paint(line: int, column: int, end_column: int, kind: str) -> None:
        kinds[line - 1][column - 1 : end_column - 1] = [kind] * (end_column - column)

    for comment in comments:
        in_header = comment.start < tokens[0].start
        special = re.match(r"#TISS(!|_VERSION\b)", comment.text, re.ASCII)
        kind = "header" if in_header and special else "comment"
        paint(comment.line, comment.column, comment.end_column, kind)
    before = ["", ""]
    for token in tokens:
        if token.kind not in ("NL", "EOF"):
            kind = expected_kind(token, before)
            paint(token.line, token.column, token.end_column, kind)
        if isinstance(token, lexer.Heredoc):
            for line in range(token.line + 1, token.end_line):
                paint(line, 1, len(lines[line - 1]) + 1, "heredoc")
                if not token.raw:
                    paint_escapes(kinds, line, lines[line - 1], 1, r"\\\{(?=\{)")
            last = lines[token.end_line - 1]
            start = last.index(token.word) + 1
            paint(token.end_line, start, start + len(token.word), "heredocMark")
            paint_references(paint, text.heredoc(token))
        if token.kind == "STRING" and token.text[0] == '"':
            paint_escapes(kinds, token.line, token.text, token.column, r"\\.")
            if before[-1] not in ("TASK", "SETUP", "STEP", "OPTION", "DEFINE_TASK", "CALL"):
                paint_references(paint, text.string(token))
        before.append(token.kind)
    return kinds


def expected_kind(token: lexer.Token, before: list[str]) -> str:
    if token.kind in lexer.STATEMENTS:
        return "keyword"
    if token.kind in lexer.CLAUSES:
        return "clause"
    if token.kind in lexer.FUTURE:
        return "error"
    if token.kind in (*lexer.PSEUDO_VARIABLES, "BOOL"):
        return "constant"
    if token.kind == "NAME":
        if before[-1] == "@":
            return "directive"
        is_field = before[-1] == "." and f"{before[-2]}.{token.text}" in BY_NAME
        return "constant" if is_field else "name"
    fixed = {"STRING": "string", "NUMBER": "number", "DURATION": "number", "@": "directive"}
    fixed["HEREDOC"] = "heredocMark"
    return fixed.get(token.kind, "operator")


def paint_escapes(kinds: list[list[str]], line: int, inner: str, column: int, pattern: str) -> None:
    for match in re.finditer(pattern, inner):
        start = column - 1 + match.start()
        kinds[line - 1][start : start + len(match[0])] = ["escape"] * len(match[0])


def paint_references(paint: Callable[[int, int, int, str], None], value: Any) -> None:
    for part in value["template"] if isinstance(value, dict) else ():
        if not isinstance(part, str):
            paint(part.line, part.column, part.end_column, "interpolation")


# ---------------------------------------------------------------------------------- tests


def test_every_span_of_valid_scripts_is_as_the_lexer_says(colour: Colour) -> None:
    sources = [random_script(Random(seed)) for seed in range(1000)]
    assert sum("<<" in source for source in sources) > 300
    seen: set[str] = set()
    for raw, lines in zip(sources, colour(sources), strict=True):
        source = decode(raw)  # without byte order mark and carriage returns
        found = kinds_of_characters(raw, lines)
        if raw.startswith("\ufeff"):
            assert found[0].pop(0) == ""
        for kinds, line in zip(found, raw.split("\n"), strict=True):
            if line.endswith("\r"):
                assert kinds.pop() == ""
        expected = expected_kinds(source)
        for number, line in enumerate(source.split("\n")):
            assert found[number] == expected[number], (line, source)
        seen |= {kind for kinds in expected for kind in kinds}
    assert seen >= KINDS - {"error"}


def test_the_words_are_those_of_the_vocabulary(run_driver: Driver) -> None:
    """Every list that the colours need has the same words."""
    wanted: dict[str, set[str]] = {}
    for word in WORDS:
        if word.name[0].isalpha():
            wanted.setdefault(word.kind, set()).add(word.name)
    found = run_driver([])["words"]
    assert {kind: set(words) for kind, words in found.items()} == {k: wanted[k] for k in found}
    assert all(len(words) == len({*words}) for words in found.values())
    assert wanted.keys() - found.keys() == {"filter", "budget"}  # they are names


def test_broken_text_is_coloured_as_far_as_it_goes(colour: Colour) -> None:
    """Nothing is thrown, spans stay in order, and only blanks have no colour."""
    sources = [mutate(random_script(Random(seed)), Random(seed)) for seed in range(1000)]
    broken = 0
    for source, lines in zip(sources, colour(sources), strict=True):
        for line, kinds in zip(source.split("\n"), kinds_of_characters(source, lines)):
            bare = [c for c, kind in zip(line, kinds) if not kind]
            assert set(bare) <= {" ", "\t", "\r", "\ufeff"}, (line, source)
        try:
            tokens, _ = lexer.tokenize(decode(source))
        except TissParseError:
            continue
        broken += isinstance(tokens[-1], lexer.Fault)
    assert broken > 100


def test_lines_up_to_the_first_fault_are_as_the_lexer_says(colour: Colour) -> None:
    sources = [mutate(random_script(Random(seed)), Random(seed)) for seed in range(5000, 6000)]
    compared = 0
    for source, lines in zip(sources, colour(sources), strict=True):
        try:
            if source != decode(source):
                continue
            tokens, _ = lexer.tokenize(source)
            if not isinstance(tokens[-1], lexer.Fault):
                continue
            # The lines before the one that has the fault.
            whole = "".join(source.splitlines(keepends=True)[: tokens[-1].line - 1])
            if whole.count("\n") != tokens[-1].line - 1:  # other line ends than \n
                continue
            expected = expected_kinds(whole)
        except TissParseError:  # an unknown escape, bad text
            continue
        found = kinds_of_characters(source, lines)
        assert found[: len(expected) - 1] == expected[:-1], source
        compared += len(expected) - 1
    assert compared > 250


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ('RUN "echo', 'keyword:RUN error:" string:echo'),
        ("RUN 'echo \"x", "keyword:RUN error:' string:echo_\"x"),
        ('LOG "a\\qb"', 'keyword:LOG string:"a error:\\q string:b"'),
        ("FOR x", "error:FOR name:x"),
        ("WRITE << x", "keyword:WRITE error:<< name:x"),
        ("RUN <<A x", "keyword:RUN heredocMark:<<A error:x"),
        ("LOG “x”", "keyword:LOG error:“ name:x error:”"),
        ("LOG 😀", "keyword:LOG error:😀"),
        ("@retry 2 # two", "directive:@ directive:retry number:2 comment:#_two"),
        ("RUN2 run Run", "name:RUN2 name:run name:Run"),
        ("TIME COST.TIME", "name:TIME constant:COST operator:. constant:TIME"),
        ("x # TISS!", "name:x comment:#_TISS!"),
    ],
)
def test_spans(colour: Colour, line: str, kinds: str) -> None:
    ((spans,),) = colour([line])
    wide = line.encode("utf-16-le")
    pieces = [(kind, wide[2 * a : 2 * b].decode("utf-16-le")) for a, b, kind in spans]
    assert " ".join(f"{kind}:{piece.replace(' ', '_')}" for kind, piece in pieces) == kinds


def test_long_lines_take_time_in_proportion(colour: Colour) -> None:
    """What would take a regular expression that goes back hours."""
    pieces = ('"', "'", "\\", "{{", "{{a ", "{{a|b", " ", "1", "1.", "a", "<<", "#", "\\{")
    starts = ("", '"', "LOG 'x' ", 'LOG "')
    lines = [start + piece * 20_000 + "!" for piece in pieces for start in starts]
    bodies = [f"RUN <<-W\n{piece * 20_000}!\nW" for piece in pieces]
    assert len(colour(lines + bodies)) == len(lines) + len(bodies)
