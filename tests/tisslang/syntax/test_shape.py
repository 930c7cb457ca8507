"""The shape of the tree: every tree that the parser makes has it, and what has not is refused."""

import copy
import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import random_script, scripts

import tisslang
from tisslang.syntax import check, parse
from tisslang.syntax.lexer import STATEMENTS
from tisslang.syntax.shape import POSITION, SHAPES, require_shape
from tisslang.syntax.text import Reference
from tisslang.syntax.tree import BLOCK_FIELDS, EXPRESSION_FIELDS, references, walk

Node = dict[str, Any]


def test_the_table_has_every_statement() -> None:
    assert {*SHAPES} == {*STATEMENTS, "SCRIPT", "DIRECTIVE"}
    for kind, fields in SHAPES.items():
        blocks = [field for field, shape in fields.items() if shape.startswith("block")]
        assert tuple(blocks) == BLOCK_FIELDS.get(kind, ())
        expressions = ("Text", "Expr", "Cond", "list of Expr", "object of Expr")
        found = [field for field, shape in fields.items() if shape in expressions]
        assert tuple(found) == EXPRESSION_FIELDS.get(kind, ())


@settings(max_examples=100)
@given(scripts())
def test_the_parser_makes_exactly_this_shape(source: str) -> None:
    script = parse(source)
    require_shape(script)
    for node in [script, *(statement for statement, _ in walk(script))]:
        assert list(node) == ["type", *SHAPES[node["type"]], *POSITION]
        assert all(isinstance(reference, Reference) for reference in references(node))
    assert json.loads(json.dumps(script)) == script


@settings(max_examples=100)
@given(scripts())
def test_a_tree_as_json_is_checked_alike(source: str) -> None:
    script = json.loads(json.dumps(parse(source)))
    assert check(script) == []


@pytest.mark.parametrize(
    "source",
    [
        "LOG x\nLOG LAST_RUN.STDOUT",
        "LOG COST.x\nLOG x|y",
        "TASK 'a' { }\nTASK 'b' { }\nLOG ERROR.KIND",
        "CALL 'a'\nDEFINE_TASK 'b' WITH x, x { CALL 'b' WITH y = 1 }\nDEFINE_TASK 'b' { }",
        "PARALLEL {\nSTEP 'a' { VAR x = 1 }\nSTEP 'b' { VAR x = 1 }\n}",
        "VAR x = 1\nRUN '`a`'\nRUN \"`{{x}}`\"\n@retry x\nSET_BUDGET COST = -1\nSET_BUDGET a = 1s",
        "SETUP { STEP 'a' { } }\nCHOOSE { }\nOPTION 'a' { }",
    ],
)
def test_faults_in_a_tree_as_json(source: str) -> None:
    script = json.loads(json.dumps(parse(source)))
    assert {d.code for d in check(script)} == {d.code for d in check(source)}
    for node in [script, *(statement for statement, _ in walk(script))]:
        for field in POSITION:
            del node[field]
    assert {d.code for d in check(script)} == {d.code for d in check(source)}
    assert {(d.line, d.column) for d in check(script)} == {(1, 1)}


def test_what_has_a_default_may_be_missing() -> None:
    source = "\n".join(
        [
            "SETUP { }\nVAR x = 1\nIF x IS_EMPTY { }\nPROMPT_AGENT 'a'\nESTIMATE_COST { }",
            "ASSERT x == 1\nTRY { } CATCH { }",
            "WRITE 'a' <<W\nW",
        ]
    )
    script = json.loads(json.dumps(parse(source)))
    for node in [script, *(statement for statement, _ in walk(script))]:
        for field, kind in {**SHAPES[node["type"]], **POSITION}.items():
            if kind.endswith("?"):
                del node[field]
        if "condition" in node:
            del node["condition"]["negated"]
    assert script["body"][1] == {"type": "VAR", "name": "x", "value": 1}
    assert check(script) == []


def test_statements_that_the_language_does_not_have_are_left_alone() -> None:
    fly = {"type": "FLY", "body": 3, "name": []}
    assert (
        check({"type": "SCRIPT", "body": [fly, {"type": "TRY", "body": [fly], "catch": []}]}) == []
    )


def log(value: Any) -> Node:
    return {"type": "SCRIPT", "body": [{"type": "LOG", "value": value}]}


def assertion(condition: Any) -> Node:
    return {"type": "SCRIPT", "body": [{"type": "ASSERT", "condition": condition}]}


@pytest.mark.parametrize(
    ("tree", "error", "words"),
    [
        ({}, TypeError, "script.type: expected the name of a statement, not null"),
        ({"type": 3}, TypeError, "script.type: expected the name of a statement, not 3"),
        ({"type": "LOG", "value": 1}, ValueError, "script.type: expected SCRIPT, not 'LOG'"),
        ({"type": "SCRIPT"}, ValueError, "script: expected a field 'body'"),
        ({"type": "SCRIPT", "body": {}}, TypeError, "script.body: expected a list, not dict"),
        ({"type": "SCRIPT", "body": ["x"]}, TypeError, "script.body[0]: expected a dict with a"),
        ({"type": "SCRIPT", "body": [log(1)]}, ValueError, "script.body[0].type: expected a stat"),
        ({"type": "SCRIPT", "ast_version": 2, "body": []}, ValueError, "script.ast_version: expe"),
        ({"type": "SCRIPT", "header": [], "body": []}, TypeError, "script.header: expected an ob"),
        ({"type": "SCRIPT", "requires": [1], "body": []}, TypeError, "script.requires[0]: expect"),
        ({"type": "SCRIPT", "line": 0, "body": []}, ValueError, "script.line: expected a number f"),
        ({"type": "SCRIPT", "line": True, "body": []}, TypeError, "script.line: expected a whole"),
        (log(None), TypeError, "script.body[0].value: expected a value, not null"),
        (log([]), TypeError, "script.body[0].value: expected a value, not list"),
        (log({}), ValueError, "script.body[0].value: expected one of var, last_run, error, cost"),
        (log({"vra": "x"}), ValueError, "not 'vra'"),
        (log({"var": 1}), TypeError, "script.body[0].value.var: expected a string, not 1"),
        (log({"var": "x", "filter": None}), TypeError, "script.body[0].value.filter: expected"),
        (log({"var": "x", "cost": "TOTAL"}), ValueError, "expected one of var"),
        (log({"template": "x"}), TypeError, "script.body[0].value.template: expected a list"),
        (log({"template": ["a", 1]}), TypeError, "script.body[0].value.template[1]: expected an"),
        (log({"template": [{"duration": "5m"}]}), ValueError, "template[0]: expected no other"),
        (log({"duration": "5m"}), TypeError, "script.body[0].value.seconds: expected a number"),
        (assertion("x"), TypeError, "script.body[0].condition: expected an object"),
        (assertion({"op": "=~"}), ValueError, "script.body[0].condition.op: expected one of"),
        (assertion({"op": "==", "left": 1}), ValueError, "condition: expected a field 'right'"),
        (assertion({"op": "TRUTH", "left": 1, "right": 1}), ValueError, "not 'right'"),
        (assertion({"op": "EXISTS", "path": 1}), TypeError, "condition.path: expected a text"),
        (assertion({"op": "TRUTH", "left": 1, "negated": 0}), TypeError, "condition.negated: exp"),
    ],
)
def test_what_is_no_tree(tree: Node, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        check(tree)
    assert words in str(caught.value)


@pytest.mark.parametrize("source", [None, 3, [], bytearray(b"LOG 1")])
def test_what_is_neither_text_nor_tree(source: Any) -> None:
    with pytest.raises(TypeError, match="a script is text or bytes, not"):
        check(source)
    with pytest.raises(TypeError, match="a script is text or bytes, not"):
        parse(source)


def test_a_list_that_holds_itself() -> None:
    body: list[Node] = []
    body.append({"type": "STEP", "description": "s", "body": body})
    with pytest.raises(ValueError, match="perhaps a list holds itself") as caught:
        check({"type": "SCRIPT", "body": body})
    assert len(str(caught.value)) < 300


WRONG = [None, True, 0, -1, 1.5, "", "x", [], [1], {}, {"type": "LOG"}, {"template": [{}]}]


def spoil(script: Node, random: Random) -> Node:
    """The tree with something lost, wrong or strange in it."""
    script = copy.deepcopy(script)
    nodes: list[Any] = [script]
    for node in nodes:  # grows meanwhile
        inner = node.values() if isinstance(node, dict) else node
        nodes += [value for value in inner if isinstance(value, dict | list)]
    for _ in range(random.randint(1, 3)):
        node = random.choice(nodes)
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            continue
        key = random.choice(keys)
        if isinstance(node, dict) and random.random() < 0.3:
            del node[key]
        elif isinstance(node, dict) and random.random() < 0.2:
            node[random.choice(["x", "template", "op", 3])] = node.pop(key)
        else:
            node[key] = copy.deepcopy(random.choice(WRONG))
    return script


def refusal(tree: Node) -> str:
    try:
        check(tree)
    except (TypeError, ValueError) as error:
        return str(error)
    return "script"


def judge(seed: int) -> None:
    random = Random(seed)
    tree = spoil(parse(random_script(random)), random)
    assert refusal(tree).startswith(("script", "…"))  # it says where


@settings(max_examples=300)
@given(st.integers(0, 10**9))
def test_whatever_is_handed_in(seed: int) -> None:
    judge(seed)


@pytest.mark.long
def test_much_that_is_handed_in() -> None:
    for seed in range(20_000):
        judge(seed)


def test_the_engine_takes_a_tree_that_came_as_json(tmp_path: Any) -> None:
    source = "VAR x ?= 1\nIF x == 1 { LOG 'one' } ELSE { LOG 'other' }"
    report = tisslang.run(json.loads(json.dumps(parse(source))), root=tmp_path)
    assert (report["exit_code"], report["log"]) == (0, ["one"])
