"""Several errors in one pass: the good statements stay, the first error is the one of `parse`."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scripts import mutated_scripts, scripts

from tisslang.errors import TissParseError
from tisslang.syntax import parse
from tisslang.syntax.diagnostics import Diagnostic, from_error
from tisslang.syntax.recovery import MAX_ERRORS, parse_all


def kinds(nodes: list[dict[str, Any]]) -> str:
    """The statements of a tree in brief: `STEP(LOG RUN) LOG`."""
    words = []
    for node in nodes:
        blocks = [node.get(field) for field in ("body", "then", "else", "catch", "options")]
        inside = "".join(f"({kinds(block)})" for block in blocks if block is not None)
        words.append(node["type"] + inside)
    return " ".join(words)


def recovered(source: str) -> tuple[str, list[str]]:
    script, errors = parse_all(source)
    return kinds(script["body"]), [f"{e.code} {e.line}:{e.column}" for e in errors]


@pytest.mark.parametrize(
    ("source", "tree", "errors"),
    [
        ("", "", []),
        ("LOG 1\nfoo\nLOG 2\nbar", "LOG LOG", ["T002 2:1", "T002 4:1"]),
        ("LOG\nLOG 1\nVAR x = \nRUN 'a'", "LOG RUN", ["T001 1:4", "T001 3:9"]),
        ("LOG 1 LOG 2\nLOG 3", "LOG LOG", ["T001 1:7"]),
        ("LOG ;\nLOG $x\nLOG 1", "LOG", ["T001 1:5", "T001 2:5"]),
        ('LOG "\\q"\nLOG "\\w"\nLOG 1', "LOG", ["T004 1:6", "T004 2:6"]),
        # blocks go on inside
        ("STEP 'a' {\nfoo\nLOG 1\n}\nLOG 2", "STEP(LOG) LOG", ["T002 2:1"]),
        ("STEP 'a' { foo }\nLOG 2", "STEP() LOG", ["T002 1:12"]),
        ("IF x {\nfoo\n} ELSE {\nbar\nLOG 1 }", "IF()(LOG)", ["T002 2:1", "T002 4:1"]),
        ("TRY { foo }\nCATCH { bar }", "TRY()()", ["T002 1:7", "T002 2:9"]),
        # what stands in the blocks of a broken statement stays
        ("STEP a {\nLOG 1\nfoo\n}\nLOG 2", "LOG LOG", ["T001 1:6", "T002 3:1"]),
        ("IF x = 1 { LOG 1 } ELSE { RUN 'a' }\nLOG 2", "LOG RUN LOG", ["T001 1:6"]),
        ("TRY { LOG 1 }\nRUN 'a'", "LOG RUN", ["T001 1:14"]),
        ("IF x { LOG 1 } ELSE y { RUN 'a' }\nMKDIR 'a'", "LOG RUN MKDIR", ["T001 1:21"]),
        ("STEP 'a'\n{\nLOG 1\n}\nLOG 2", "LOG LOG", ["T001 1:9"]),
        # braces
        ("}\nLOG 1", "LOG", ["T007 1:1"]),
        ("LOG 1\n}\n}\nLOG 2 }\nLOG 3", "LOG LOG LOG", ["T007 2:1", "T007 3:1", "T007 4:7"]),
        ("STEP 'a' {\nLOG 1", "STEP(LOG)", ["T006 1:10"]),
        ("STEP 'a' {\nSTEP 'b' {\nLOG 1\n}", "STEP(STEP(LOG))", ["T006 1:10"]),
        ("TRY {\nLOG 1", "LOG", ["T006 1:5"]),
        # a block that is never closed shows only at the end
        ("STEP 'a' {\nfoo\nLOG 1", "STEP(LOG)", ["T002 2:1", "T006 1:10"]),
        # strings and heredocs
        ("LOG \"a\nLOG 1\nLOG 'b\nLOG 2", "LOG LOG", ["T003 1:5", "T003 3:5"]),
        ('STEP "a {\nLOG 1\n}\nLOG 2', "LOG LOG", ["T003 1:6"]),
        ('STEP "a {  # c\nLOG 1\n}\nLOG 2', "LOG LOG", ["T003 1:6"]),
        ("WRITE 'f' <<W\nLOG 1\n", "", ["T005 1:11"]),
        ("STEP 'a' {\nWRITE 'f' <<W\n}\n", "STEP()", ["T005 2:11"]),
        ("WRITE 'f' <<W\na\n  W\nLOG 1\nfoo", "LOG", ["T005 1:11", "T002 5:1"]),
        ("RUN <<W x\nfoo {\nW\nLOG 1", "RUN LOG", ["T001 1:9"]),
        ("RUN << W\nLOG 1", "LOG", ["T001 1:5"]),
        # the header
        ("#TISS_VERSION >= 9.0\nfoo\nLOG 1", "LOG", ["T010 1:1", "T002 2:1"]),
        # the TASK owns what is good behind it
        ("TASK 't'\nfoo\nLOG 1", "TASK(LOG)", ["T002 2:1"]),
        ("CHOOSE {\nOPTION { LOG 1 }\nOPTION 'b' { } }", "CHOOSE(LOG OPTION())", ["T001 2:8"]),
    ],
)
def test_recovery(source: str, tree: str, errors: list[str]) -> None:
    assert recovered(source) == (tree, errors)


@pytest.mark.parametrize("source", ["LOG '\0'", b"LOG 1\n\xff", "LOG 1\r", "#" * (8 * 2**20 + 1)])
def test_what_is_no_text(source: str | bytes) -> None:
    script, errors = parse_all(source, "plan.tiss")
    assert script == parse("")
    assert [error.code for error in errors] == ["T009"]
    assert errors[0].filename == "plan.tiss"


def test_what_lies_too_deep_is_left_out() -> None:
    source = "STEP 'a' {\n" * 300 + "LOG 1\n" + "}\n" * 300 + "foo\nLOG 2"
    script, errors = parse_all(source)
    assert [f"{e.code} {e.line}:{e.column}" for e in errors] == ["T008 257:10", "T002 602:1"]
    node = script
    for _ in range(257):
        node = node["body"][0]
    assert node["body"] == []
    assert script["body"][-1]["type"] == "LOG"
    chain = "IF x { }" + " ELSE IF x { LOG 1 }" * 400 + "\nLOG 2"
    script, errors = parse_all(chain)
    assert [error.code for error in errors] == ["T008"]
    assert script["body"][-1]["value"] == 2


@pytest.mark.parametrize("line", ["foo\n", "LOG ;\n", 'LOG "\n', "}\n", "RUN <<W\n W\n"])
def test_at_most_a_hundred(line: str) -> None:
    source = line * 150 + "LOG 1"
    script, errors = parse_all(source)
    assert len(errors) == MAX_ERRORS
    # behind the last fault of the lexer nothing is read
    assert kinds(script["body"]) in ("LOG", "")


def parsed(source: str | bytes) -> tuple[dict[str, Any], list[Diagnostic]]:
    try:
        return parse(source, "f"), []
    except TissParseError as error:
        return {}, [from_error(error)]


def judge(source: str | bytes) -> None:
    script, errors = parse_all(source, "f")
    tree, first = parsed(source)
    assert [from_error(error) for error in errors[:1]] == first
    assert first or script == tree
    assert len(errors) <= MAX_ERRORS
    shown = source if isinstance(source, str) else source.decode("utf-8", "replace")
    lines = shown.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    for error in errors:
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    places = [(error.line, error.column) for error in errors]
    if errors and errors[-1].code == "T006":
        del places[-1]  # told last, because it shows at the end of the file
    assert places == sorted(set(places))
    assert sum(error.code == "T006" for error in errors) <= 1


@settings(max_examples=100)
@given(scripts())
def test_good_scripts(source: str) -> None:
    script, errors = parse_all(source)
    assert errors == []
    assert script == parse(source)


LINES = ["foo", "LOG ;", "}", "{", '"', "'", "STEP 'a' {", "IF x {", "} ELSE {", "TRY {", "LOG 1"]
LINES += ["} CATCH {", "RUN <<W", "  W", "W", "RUN <<W x", "TASK 't'", "@", "LOG \\", 'STEP "a {']


@settings(max_examples=300)
@given(
    mutated_scripts()
    | st.lists(st.sampled_from(LINES), max_size=12).map("\n".join)
    | st.text()
    | st.binary(max_size=40)
)
@example("")
@example("LOG }")
@example("STEP 'a' { LOG }")
@example("TRY {\n} CATCH {\n LOG")
@example("ELSE")
@example("IF x { } ELSE")
def test_any_text(source: str | bytes) -> None:
    judge(source)


@pytest.mark.long
@settings(max_examples=10_000)
@given(mutated_scripts() | st.lists(st.sampled_from(LINES), max_size=40).map("\n".join))
def test_much_more_text(source: str) -> None:
    judge(source)
