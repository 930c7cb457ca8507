"""The tree of each statement, blocks, the header, and the limits."""

import json
from typing import Any

import pytest

from tisslang.errors import TissParseError
from tisslang.syntax import parse


def body(text: str) -> list[dict[str, Any]]:
    return parse(text)["body"]


def only(text: str) -> dict[str, Any]:
    (node,) = body(text)
    return node


def fails(text: str | bytes) -> tuple[str, int, int]:
    with pytest.raises(TissParseError) as caught:
        parse(text)
    return caught.value.code, caught.value.line, caught.value.column


AT = {"line": 1, "column": 1, "end_line": 1}


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ('READ "a" AS v', {"type": "READ", "path": "a", "variable": "v"}),
        ("RUN 'a'", {"type": "RUN", "command": "a"}),
        ("LOG 3", {"type": "LOG", "value": 3}),
        ("LOG true", {"type": "LOG", "value": True}),
        ("LOG -0.50", {"type": "LOG", "value": -0.5}),
        ("LOG 007", {"type": "LOG", "value": 7}),
        ("LOG 500ms", {"type": "LOG", "value": {"duration": "500ms", "seconds": 0.5}}),
        ("LOG 5m", {"type": "LOG", "value": {"duration": "5m", "seconds": 300.0}}),
        ("LOG x|trim", {"type": "LOG", "value": {"var": "x", "filter": "trim"}}),
        ("LOG ERROR.KIND", {"type": "LOG", "value": {"error": "KIND"}}),
        ("LOG COST", {"type": "LOG", "value": {"cost": "TOTAL"}}),
        ("LOG COST . RUNS | json", {"type": "LOG", "value": {"cost": "RUNS", "filter": "json"}}),
        ('LOG "{{COST}}"', {"type": "LOG", "value": {"template": [{"cost": "TOTAL"}]}}),
        ("MKDIR 'a'", {"type": "MKDIR", "path": "a"}),
        ('DELETE "{{x}}"', {"type": "DELETE", "path": {"template": [{"var": "x"}]}}),
        ("PAUSE 'a'", {"type": "PAUSE", "message": "a"}),
        ("REQUEST_REVIEW 'a'", {"type": "REQUEST_REVIEW", "message": "a"}),
        ("CALL '{{a}}'", {"type": "CALL", "name": "{{a}}", "args": {}}),
        (
            'CALL "a" WITH x=1,y = z|trim',
            {"type": "CALL", "name": "a", "args": {"x": 1, "y": {"var": "z", "filter": "trim"}}},
        ),
        ("PROMPT_AGENT 'a'", {"type": "PROMPT_AGENT", "prompt": "a", "into": None}),
        ("PROMPT_AGENT 'a' INTO x", {"type": "PROMPT_AGENT", "prompt": "a", "into": "x"}),
        ("SET_BUDGET COST = 1.5", {"type": "SET_BUDGET", "resource": "COST", "value": 1.5}),
        (
            "SET_BUDGET EXECUTION_TIME = 5m",
            {
                "type": "SET_BUDGET",
                "resource": "EXECUTION_TIME",
                "value": {"duration": "5m", "seconds": 300.0},
            },
        ),
        ("SET_BUDGET whatever = -1", {"type": "SET_BUDGET", "resource": "whatever", "value": -1}),
        ("VAR x = 1", {"type": "VAR", "name": "x", "default": False, "value": 1}),
        ("VAR x?='a'", {"type": "VAR", "name": "x", "default": True, "value": "a"}),
        (
            '@persona "p" 1 2s true word',
            {
                "type": "DIRECTIVE",
                "name": "persona",
                "values": ["p", 1, {"duration": "2s", "seconds": 2.0}, True, "word"],
            },
        ),
    ],
)
def test_commands(text: str, node: dict[str, Any]) -> None:
    found = only(text)
    assert found == node | AT
    assert list(found) == [*node, *AT]  # the order of the keys is stable


@pytest.mark.parametrize(
    ("opener", "raw", "indented", "content"),
    [
        ("<<PY", False, False, {"template": ["  a ", {"var": "x"}, "\n"]}),
        ("<<'PY'", True, False, "  a {{x}}\n"),
        ("<<-PY", False, True, {"template": ["a ", {"var": "x"}, "\n"]}),
        ("<<-'PY'", True, True, "a {{x}}\n"),
    ],
)
def test_write(opener: str, raw: bool, indented: bool, content: Any) -> None:
    assert only(f'WRITE "f" {opener}\n  a {{{{x}}}}\nPY') == {
        "type": "WRITE",
        "path": "f",
        "language": "PY",
        "content": content,
        "raw": raw,
        "indented": indented,
        "line": 1,
        "column": 1,
        "end_line": 3,
    }


X = {"op": "TRUTH", "negated": False, "left": {"var": "x"}}


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("TASK 'a' { }", {"type": "TASK", "description": "a", "block": True, "body": []}),
        ("TASK 'a'", {"type": "TASK", "description": "a", "block": False, "body": []}),
        ("SETUP { }", {"type": "SETUP", "description": None, "body": []}),
        ('SETUP "a{{b}}" { }', {"type": "SETUP", "description": "a{{b}}", "body": []}),
        ('STEP "a\\n" { }', {"type": "STEP", "description": "a\n", "body": []}),
        ("DEFINE_TASK 'a' { }", {"type": "DEFINE_TASK", "name": "a", "params": [], "body": []}),
        (
            "DEFINE_TASK '{{a}}' WITH x , y { }",
            {"type": "DEFINE_TASK", "name": "{{a}}", "params": ["x", "y"], "body": []},
        ),
        ("IF x { }", {"type": "IF", "condition": X, "then": [], "else": None}),
        ("IF x THEN { }", {"type": "IF", "condition": X, "then": [], "else": None}),
        ("IF x { } ELSE { }", {"type": "IF", "condition": X, "then": [], "else": []}),
        ("TRY { } CATCH { }", {"type": "TRY", "body": [], "catch": []}),
        ("PARALLEL { }", {"type": "PARALLEL", "body": []}),
        ("CHOOSE { }", {"type": "CHOOSE", "options": []}),
        ("OPTION 'a' { }", {"type": "OPTION", "description": "a", "body": []}),
        ("ESTIMATE_COST { }", {"type": "ESTIMATE_COST", "into": None, "body": []}),
        ("ESTIMATE_COST INTO x { }", {"type": "ESTIMATE_COST", "into": "x", "body": []}),
    ],
)
def test_blocks(text: str, node: dict[str, Any]) -> None:
    found = only(text)
    assert found == node | AT
    assert list(found) == [*node, *AT]


def test_blocks_hold_their_statements() -> None:
    source = (
        "IF x {\nLOG 1\n}\n\n# c\nELSE IF y { LOG 2\n} ELSE { LOG 3 }\n"
        "TRY { LOG 4 }\n CATCH { LOG 5\nLOG 6 }\nCHOOSE {\nOPTION 'a' { LOG 7 } }"
    )
    branch, attempt, choose = body(source)
    (inner,) = branch["else"]
    assert (branch["line"], branch["end_line"]) == (1, 7)
    assert (inner["type"], inner["line"], inner["column"], inner["end_line"]) == ("IF", 6, 6, 7)
    assert [branch["then"][0]["value"], inner["then"][0]["value"]] == [1, 2]
    assert inner["else"][0]["value"] == 3
    assert [node["value"] for node in attempt["body"] + attempt["catch"]] == [4, 5, 6]
    assert (attempt["line"], attempt["end_line"]) == (8, 10)
    assert choose["options"][0]["body"][0]["value"] == 7


def test_prompts_as_heredocs() -> None:
    for opener in ("PROMPT_AGENT <<-A", "PROMPT_AGENT INTO x <<-A"):
        node = only(f"{opener}\n  a {{{{y}}}}\n  A")
        assert node["prompt"] == {"template": ["a ", {"var": "y"}, "\n"]}
        assert node["into"] == ("x" if "INTO" in opener else None)
        assert (node["line"], node["end_line"]) == (1, 3)


def test_a_long_chain_of_conditions_nests_in_the_tree() -> None:
    # In the tree every ELSE IF lies one level deeper, so it counts as one.
    chain = "IF x { LOG 1 }" + " ELSE IF x { LOG 1 }" * 255
    node = only(chain)
    for _ in range(255):
        (node,) = node["else"]
    assert node["else"] is None
    assert fails(chain + " ELSE IF x { }") == ("T008", 1, len(chain) + 12)
    assert only(chain + " ELSE { }")["type"] == "IF"
    assert len(body((chain + "\n") * 3)) == 3


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        ("x", {"op": "TRUTH", "negated": False, "left": {"var": "x"}}),
        ("x IS_EMPTY", {"op": "IS_EMPTY", "negated": False, "left": {"var": "x"}}),
        ("x NOT  IS_EMPTY", {"op": "IS_EMPTY", "negated": True, "left": {"var": "x"}}),
        ('FILE "p" EXISTS', {"op": "EXISTS", "negated": False, "path": "p"}),
        ("FILE 'p' NOT EXISTS", {"op": "EXISTS", "negated": True, "path": "p"}),
        (
            'x NOT CONTAINS "a"',
            {"op": "CONTAINS", "negated": True, "left": {"var": "x"}, "right": "a"},
        ),
        *[
            (f"1 {op} 2", {"op": op, "negated": False, "left": 1, "right": 2})
            for op in ("==", "!=", "<", "<=", ">", ">=")
        ],
        ("1==2", {"op": "==", "negated": False, "left": 1, "right": 2}),
        (
            "LAST_RUN.STDOUT|trim == x|json",
            {
                "op": "==",
                "negated": False,
                "left": {"last_run": "STDOUT", "filter": "trim"},
                "right": {"var": "x", "filter": "json"},
            },
        ),
    ],
)
def test_conditions(source: str, condition: dict[str, Any]) -> None:
    node = only(f"ASSERT  {source}   # comment")
    assert node == {"type": "ASSERT", "condition": condition, "source": source} | AT
    assert list(node["condition"]) == list(condition)


def test_places_reach_from_the_first_token_to_the_last() -> None:
    script = parse('\n# c\n  STEP "a" {\n\n LOG 1 }\nRUN <<X\n\nX  \n\n# c\n')
    step, run = script["body"]
    assert (step["line"], step["column"], step["end_line"]) == (3, 3, 5)
    assert (step["body"][0]["line"], step["body"][0]["column"]) == (5, 2)
    assert (run["line"], run["column"], run["end_line"]) == (6, 1, 8)
    assert (script["line"], script["column"], script["end_line"]) == (3, 3, 8)


def test_the_empty_script() -> None:
    assert parse("") == {
        "type": "SCRIPT",
        "ast_version": 1,
        "header": None,
        "requires": [],
        "body": [],
        "line": 1,
        "column": 1,
        "end_line": 1,
    }


def test_a_task_without_a_block_owns_the_rest() -> None:
    directive, task = body('@persona "p"\nTASK "t"\nLOG 1\nLOG 2\n')
    assert directive["type"] == "DIRECTIVE"
    assert (task["block"], task["line"], task["end_line"]) == (False, 2, 4)
    assert [node["value"] for node in task["body"]] == [1, 2]


def test_a_task_with_a_block_owns_its_block() -> None:
    task, log = body('TASK "t" { LOG 1 }\nLOG 2')
    assert (task["block"], len(task["body"]), log["value"]) == (True, 1, 2)
    assert only('TASK "t"')["end_line"] == 1


def test_statements_may_share_the_lines_of_braces() -> None:
    (step,) = body('STEP "a" { STEP "b" { LOG 1 } }')
    assert step["body"][0]["body"][0]["value"] == 1
    assert len(body('STEP "a" { LOG 1\nLOG 2 }')[0]["body"]) == 2
    assert fails('STEP "a" { } LOG 1') == ("T001", 1, 14)
    assert fails("LOG 1 LOG 2") == ("T001", 1, 7)


@pytest.mark.parametrize(
    ("text", "header", "requires"),
    [
        ("#TISS! Language=Python\nLOG 1", {"Language": "Python"}, []),
        ("#!/usr/bin/env tiss\n\n  #TISS! A=1 B=c,d\n", {"A": "1", "B": "c,d"}, []),
        ("#TISS!\n", {}, []),
        ("#TISS! A=1\n#TISS! B=2\n", {"A": "1", "B": "2"}, []),
        ("LOG 1\n#TISS! A=1\n#TISS_VERSION < 1.0", None, []),
        ("LOG 1 #TISS_VERSION nonsense", None, []),
        ("# TISS_VERSION nonsense\n#TISS_VERSIONS x", None, []),
        ("#TISS_VERSION >= 1.2", None, [{"op": ">=", "version": "1.2"}]),
        (
            "#TISS_VERSION>=1.0.5 \n#TISS_VERSION < 2.0\n",
            None,
            [{"op": ">=", "version": "1.0.5"}, {"op": "<", "version": "2.0"}],
        ),
        ("#TISS_VERSION == 1.2.0", None, [{"op": "==", "version": "1.2.0"}]),
        ("#TISS_VERSION == 1.2", None, [{"op": "==", "version": "1.2"}]),
    ],
)
def test_header(text: str, header: dict[str, str] | None, requires: list[dict[str, str]]) -> None:
    script = parse(text)
    assert (script["header"], script["requires"]) == (header, requires)


@pytest.mark.parametrize(
    "pragma",
    [
        *["", " 1.2", " >= 1", " > 1.2", " >= x", " >= 1.2 and", " >= 1.3", " < 1.2", " == 1.2.1"],
        *[" >= " + "9" * 5000 + ".0", ": 1.2", " >= ١.٢"],
    ],
)
def test_version_pragmas_that_do_not_hold(pragma: str) -> None:
    assert fails(f"# c\n #TISS_VERSION{pragma}\nLOG") == ("T010", 2, 1)


def test_bytes_and_text_are_the_same_script() -> None:
    text = "\ufeffTASK 'é'\r\nRUN <<X\r\na\r\nX\r\n"
    assert parse(text) == parse(text.encode()) == parse(text.replace("\r", ""))
    assert parse(text)["body"][0]["body"][0]["command"] == "a\n"


def test_eight_mebibytes() -> None:
    limit = 8 * 1024 * 1024
    text = "LOG 1\n#" + "é" * ((limit - 8) // 2) + "\n"
    assert len(text.encode()) == limit
    assert len(body(text)) == 1
    assert fails(text + "x") == ("T009", 3, 1)
    assert fails((text + "é").encode()) == ("T009", 3, 1)
    assert fails("#" + "é" * (limit // 2)) == ("T009", 1, limit // 2 + 1)  # cuts a character in two


def test_256_levels() -> None:
    deep = 'STEP "a" { ' * 256 + "LOG 1" + " }" * 256
    node = parse(deep)
    for _ in range(256):
        (node,) = node["body"]
    assert node["body"] == [{"type": "LOG", "value": 1, "line": 1, "column": 2817, "end_line": 1}]
    assert fails('STEP "a" { ' * 257) == ("T008", 1, 11 * 256 + 10)
    siblings = 'STEP "a" { }\n' * 1000  # closed blocks do not count
    assert len(body(siblings)) == 1000


def test_integers_of_any_size() -> None:
    digits = "1" + "23456789" * 2000
    value = only(f"LOG -{digits}")["value"]
    quotient, text = -value, ""
    while quotient:
        quotient, rest = divmod(quotient, 10**1000)
        text = f"{rest:0{1000 if quotient else 1}d}" + text
    assert text == digits


def test_the_tree_is_json() -> None:
    script = parse('TASK "t"\nVAR x = "a"\nRUN "b {{x|trim}}"\nASSERT LAST_RUN.EXIT_CODE == 0')
    assert json.loads(json.dumps(script)) == script


def test_the_name_of_the_file_is_in_the_error() -> None:
    with pytest.raises(TissParseError, match=r"^plan\.tiss:1:4: T001: unexpected end of file"):
        parse("LOG", "plan.tiss")
