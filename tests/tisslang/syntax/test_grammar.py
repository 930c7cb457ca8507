"""The printed grammar judges the parser: same tokens, same verdict, same place, same tree."""

import logging
import re
from random import Random

import pytest
from grammar_oracle import GRAMMAR, Node, body, judge, make_oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark.utils import logger
from scripts import mutated_scripts, random_script, scripts

from tisslang.errors import TissParseError
from tisslang.syntax import parse
from tisslang.syntax.lexer import RESERVED, STATEMENTS, Fault, Heredoc, tokenize
from tisslang.syntax.source import decode
from tisslang.syntax.tree import BLOCK_FIELDS, walk

MARKS = (*"{}=.|,@<", "?=", "==", "\n", ";", "'")
PIECES = (*RESERVED, *MARKS, '"s"', "x", "1", "5m", "<<W\nbody\nW\n", "<<W\n W\n", "<<", "# c", "“")


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    # Reduce/reduce conflicts raise; the others are only told to the log.
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(caplog.handler)
    try:
        make_oracle()
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)
    assert not [record for record in caplog.records if "onflict" in record.getMessage()]


def test_the_grammar_has_every_statement() -> None:
    for keyword in STATEMENTS:
        assert re.search(rf': "{keyword}"', GRAMMAR), keyword


# Scripts as lists of pieces, which are the tokens of good ones, and then perhaps broken.


def pieces(random: Random) -> list[str]:
    text = decode(random_script(random))
    tokens, _ = tokenize(text)
    return [
        f"{token.text}\n{token.body}{token.word}\n" if isinstance(token, Heredoc) else token.text
        for token in tokens
    ]


@st.composite
def broken_scripts(draw: st.DrawFn) -> str:
    random = draw(st.randoms(use_true_random=False))
    found = pieces(random)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(found)))
        change = draw(st.sampled_from(["drop", "put", "swap", "repeat"]))
        if change == "drop":
            del found[place : place + 1]
        elif change == "put":
            found.insert(place, draw(st.sampled_from(PIECES)))
        elif change == "swap":
            found[place : place + 2] = found[place : place + 2][::-1]
        else:
            found[place:place] = found[place : place + 1]
    return " ".join(found)


def without_sources(nodes: list[Node]) -> list[Node]:
    """The parser's tree without what the oracle does not know; a TASK's rest is behind it again."""
    made = []
    for node in nodes:
        node = {key: value for key, value in node.items() if key != "source"}
        for field in BLOCK_FIELDS.get(node["type"], ()):
            if node[field] is not None:
                node[field] = without_sources(node[field])
        rest: list[Node] = []
        if node["type"] == "TASK" and not node["block"]:
            rest, node["body"], node["end_line"] = node["body"], [], node["line"]
        made += [node, *rest]
    return made


def parsed(source: str) -> tuple[Node | None, TissParseError | None]:
    try:
        return parse(source), None
    except TissParseError as error:
        return None, error


# What the grammar cannot know, though the tokens fit: escapes, sizes, the header.
BEYOND = ("T004", "T008", "T010")


def compare(source: str) -> None:
    script, found = parsed(source)
    if found is not None and found.code == "T009":
        return
    source = decode(source)
    if found is not None and found.code in BEYOND:
        return
    tree, wrong = judge(source)
    if found is None:
        assert wrong is None, f"the parser accepts what the grammar refuses: {wrong}"
        assert tree is not None
        assert script is not None
        assert without_sources(script["body"]) == body(tree)
        return
    assert wrong is not None, f"the grammar accepts what the parser refuses: {found}"
    if found.code == "T006":
        assert wrong.kind == "EOF"
        return
    expected = {wrong.error.code} if isinstance(wrong, Fault) else {"T001", "T002", "T007"}
    assert found.code in expected
    assert (found.line, found.column) == (wrong.line, wrong.column)


@settings(max_examples=200)
@given(scripts())
def test_valid_scripts(source: str) -> None:
    compare(source)
    assert judge(decode(source))[1] is None


def test_the_valid_scripts_have_every_statement() -> None:
    seen: set[str] = set()
    for seed in range(200):
        seen |= {node["type"] for node, _ in walk(parse(random_script(Random(seed))))}
    assert seen == {*STATEMENTS, "DIRECTIVE"}


@settings(max_examples=300)
@given(broken_scripts())
@example("")
@example("}")
@example("\ufeff\ufeffLOG 1")
@example("STEP 'a' {")
@example("STEP 'a' { LOG 1 } LOG 2")
@example("@ x 1\nTASK 'a'\nTASK 'b'\nLOG 1")
@example("IF x { } ELSE IF y THEN { } ELSE { }\nELSE { }")
@example("TRY { }")
@example("TRY { }\n\n# c\nCATCH { } CATCH { }")
@example("OPTION 'a' { CHOOSE { LOG 1 } }")
@example("CALL 'a' WITH x = 1, x = 2, y = COST")
@example("PROMPT_AGENT INTO x 'a'")
@example("SET_BUDGET COST = 1\nSET_BUDGET ERROR = 1")
@example("SETUP { }\nSETUP 'a' { }\nSETUP STEP { }")
@example("DEFINE_TASK 'a' WITH x, y { }\nDEFINE_TASK 'a' WITH { }")
@example("ESTIMATE_COST INTO { }")
def test_broken_scripts(source: str) -> None:
    compare(source)


@settings(max_examples=200)
@given(mutated_scripts())
def test_mutated_scripts(source: str) -> None:
    compare(source)


@pytest.mark.long
@settings(max_examples=10_000)
@given(broken_scripts() | mutated_scripts())
def test_many_broken_scripts(source: str) -> None:
    compare(source)
