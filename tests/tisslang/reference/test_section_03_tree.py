"""§3 of the language reference: the tree that `parse` returns."""

import json
from typing import Any

import pytest
from conformance import Node, bare, body, first

import tisslang

X = {"template": [{"var": "x"}]}
TRUE = {"op": "TRUTH", "negated": False, "left": True}

# For each row of the table: a script that begins with such a node, and the whole node without its
# place. `LOG_1` stands for the node of `LOG 1`.
LOG_1 = {"type": "LOG", "value": 1}

FIELDS: list[tuple[str, Node]] = [
    ("TASK 'a {{x}}'\nLOG 1", {"description": "a {{x}}", "block": False, "body": [LOG_1]}),
    ("TASK 'a' { LOG 1 }", {"description": "a", "block": True, "body": [LOG_1]}),
    ("SETUP { LOG 1 }", {"description": None, "body": [LOG_1]}),
    ('SETUP "a" { }', {"description": "a", "body": []}),
    (r'STEP "a\n\"{{x}}" { LOG 1 }', {"description": 'a\n"{{x}}', "body": [LOG_1]}),
    ('READ "p" AS v', {"path": "p", "variable": "v"}),
    ('READ "{{x}}" AS v', {"path": X, "variable": "v"}),
    (
        'WRITE "p" <<W\nW',
        {"path": "p", "language": "W", "content": "", "raw": False, "indented": False},
    ),
    (
        "WRITE '{{x}}' <<-'py'\n  a\n  py",
        {"path": "{{x}}", "language": "py", "content": "a\n", "raw": True, "indented": True},
    ),
    ('RUN "a {{x}}"', {"command": {"template": ["a ", {"var": "x"}]}}),
    ("RUN <<W\na\nW", {"command": "a\n"}),
    ("ASSERT true # c", {"condition": TRUE, "source": "true"}),
    (
        'ASSERT  x|trim   ==\t"a"  ',
        {
            "condition": {
                "op": "==",
                "negated": False,
                "left": {"var": "x", "filter": "trim"},
                "right": "a",
            },
            "source": 'x|trim   ==\t"a"',
        },
    ),
    ("VAR v = 1", {"name": "v", "default": False, "value": 1}),
    ("VAR v ?= 'a'", {"name": "v", "default": True, "value": "a"}),
    (
        "VAR v = <<W\n{{x}}\nW",
        {"name": "v", "default": False, "value": {"template": [X["template"][0], "\n"]}},
    ),
    ("LOG x", {"value": {"var": "x"}}),
    ('MKDIR "{{x}}"', {"path": X}),
    ('DELETE "p"', {"path": "p"}),
    (
        '@speed "a {{x}}" 1 1.5 5m true word',
        {
            "name": "speed",
            "values": [
                {"template": ["a ", {"var": "x"}]},
                1,
                1.5,
                {"duration": "5m", "seconds": 300.0},
                True,
                "word",
            ],
        },
    ),
    ("IF true { LOG 1 }", {"condition": TRUE, "then": [LOG_1], "else": None}),
    ("IF true THEN { } ELSE { LOG 1 }", {"condition": TRUE, "then": [], "else": [LOG_1]}),
    (
        "IF true { } ELSE IF true { LOG 1 }",
        {
            "condition": TRUE,
            "then": [],
            "else": [{"type": "IF", "condition": TRUE, "then": [LOG_1], "else": None}],
        },
    ),
    ("TRY { LOG 1 } CATCH { }", {"body": [LOG_1], "catch": []}),
    ("TRY { } CATCH { LOG 1 }", {"body": [], "catch": [LOG_1]}),
    ("DEFINE_TASK 'a {{x}}' { }", {"name": "a {{x}}", "params": [], "body": []}),
    ("DEFINE_TASK 'a' WITH p, q { LOG 1 }", {"name": "a", "params": ["p", "q"], "body": [LOG_1]}),
    ("CALL 'a {{x}}'", {"name": "a {{x}}", "args": {}}),
    ("CALL 'a' WITH p = x, q = 1", {"name": "a", "args": {"p": {"var": "x"}, "q": 1}}),
    (
        "PARALLEL { @persona p\nSTEP 's' { } }",
        {
            "body": [
                {"type": "DIRECTIVE", "name": "persona", "values": ["p"]},
                {"type": "STEP", "description": "s", "body": []},
            ]
        },
    ),
    (
        "CHOOSE { OPTION 'a {{x}}' { LOG 1 } }",
        {"options": [{"type": "OPTION", "description": "a {{x}}", "body": [LOG_1]}]},
    ),
    ("OPTION 'a' { LOG 1 }", {"description": "a", "body": [LOG_1]}),
    ("ESTIMATE_COST { LOG 1 }", {"into": None, "body": [LOG_1]}),
    ("ESTIMATE_COST INTO v { }", {"into": "v", "body": []}),
    ("SET_BUDGET COST = 1.5", {"resource": "COST", "value": 1.5}),
    (
        "SET_BUDGET EXECUTION_TIME = 5m",
        {"resource": "EXECUTION_TIME", "value": {"duration": "5m", "seconds": 300.0}},
    ),
    ('PROMPT_AGENT "{{x}}"', {"prompt": X, "into": None}),
    ("PROMPT_AGENT 'a' INTO v", {"prompt": "a", "into": "v"}),
    ("PROMPT_AGENT INTO v <<W\na\nW", {"prompt": "a\n", "into": "v"}),
    ('PAUSE "{{x}}"', {"message": X}),
    ("REQUEST_REVIEW 'a'", {"message": "a"}),
]


@pytest.mark.parametrize(("text", "fields"), FIELDS)
def test_the_fields_of_every_type(text: str, fields: Node) -> None:
    node = first(text)
    keyword = "DIRECTIVE" if text[0] == "@" else text.split()[0]
    assert bare(node) == {"type": keyword, **fields}
    assert (node["line"], node["column"]) == (1, 1)
    assert node["end_line"] == text.count("\n") + 1


@pytest.mark.parametrize(("text", "fields"), FIELDS)
def test_every_node_has_a_place_and_the_tree_is_json(text: str, fields: Node) -> None:
    tree = tisslang.parse("\n \t" + text)

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if "type" in node:
                assert 1 <= node["line"] <= node["end_line"] <= text.count("\n") + 2
                assert node["column"] >= 1
            else:
                assert not {"line", "column", "end_line"} & node.keys()
            for part in node.values():
                look(part)
        elif isinstance(node, list):
            for part in node:
                look(part)

    look(tree)
    assert json.loads(json.dumps(tree, allow_nan=False)) == tree
    assert (tree["body"][0]["line"], tree["body"][0]["column"]) == (2, 3)


# The script


@pytest.mark.parametrize(
    ("text", "header", "requires"),
    [
        ("", None, []),
        ("LOG 1", None, []),
        ("#TISS! Language=Python", {"Language": "Python"}, []),
        ("#TISS! A=1 B=two=2\n# c\nLOG 1", {"A": "1", "B": "two=2"}, []),
        ("#TISS_VERSION >= 1.2", None, [{"op": ">=", "version": "1.2"}]),
        (
            "#!/usr/bin/tiss\n#TISS! A=1\n#TISS_VERSION >= 1.2.0\n\n#TISS_VERSION < 2.0",
            {"A": "1"},
            [{"op": ">=", "version": "1.2.0"}, {"op": "<", "version": "2.0"}],
        ),
    ],
)
def test_the_script(text: str, header: object, requires: object) -> None:
    script = tisslang.parse(text)
    statements = script.pop("body")
    assert bare(script) == {
        "type": "SCRIPT",
        "ast_version": 1,
        "header": header,
        "requires": requires,
    }
    assert isinstance(statements, list)
    assert {"line", "column", "end_line"} <= script.keys()


# Places


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("TASK 'a'", 1),
        ("TASK 'a'\n\nLOG 1\n\n# c\n\n", 3),
        ("TASK 'a'\nSTEP 's' {\n}\n\n", 3),
        ("TASK 'a'\nWRITE 'p' <<W\nx\n\nW\n\n", 5),
        ("TASK 'a' {\nLOG 1\n}\nDEFINE_TASK 'd' { }", 3),
        ("WRITE 'p' <<W\nx\n  W\nW  \nLOG 1", 4),
        ("STEP 's' {\nRUN <<W\nW\n\n\n}\n", 6),
        ("IF true {\n}\n\nELSE\t{\n}\n", 5),
        ("IF true {\n} ELSE IF true {\n} ELSE {\n\n}\n", 5),
        ("TRY {\n}\n# c\nCATCH {\n}\n", 5),
        ("PARALLEL {\n\n}\n\n", 3),
        ("LOG 1 # c\n# d\n", 1),
    ],
)
def test_a_node_ends_with_its_last_token(text: str, end: int) -> None:
    assert first(text)["end_line"] == end


def test_a_node_begins_at_its_first_token() -> None:
    text = "STEP 's' { LOG 1\n\tIF true { } ELSE IF true {\n  @ a 1 } }\n"
    (step,) = body(text)
    log, outer = step["body"]
    (inner,) = outer["else"]
    (directive,) = inner["then"]
    places = [(each["line"], each["column"]) for each in (step, log, outer, inner, directive)]
    assert places == [(1, 1), (1, 12), (2, 2), (2, 19), (3, 3)]
    assert [each["end_line"] for each in (step, log, outer, inner, directive)] == [3, 1, 3, 3, 3]


# Text, Expr, Cond


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a"', "a"),
        ('""', ""),
        ('"{{x}}"', {"template": [{"var": "x"}]}),
        ('"{{x}}{{y}}"', {"template": [{"var": "x"}, {"var": "y"}]}),
        (r'"a\{{{x}}\tb\n{{y}}{"', {"template": ["a{", {"var": "x"}, "\tb\n", {"var": "y"}, "{"]}),
        ('"{{{x}}"', {"template": ["{", {"var": "x"}]}),
        ('"{{ a b }}{{x}}"', {"template": ["{{ a b }}", {"var": "x"}]}),
        ('"{{x|raw}}"', {"template": [{"var": "x", "filter": "raw"}]}),
        ('"{{ x\t|\ttrim }}"', {"template": [{"var": "x", "filter": "trim"}]}),
        ('"{{LAST_RUN.STDOUT|json}}"', {"template": [{"last_run": "STDOUT", "filter": "json"}]}),
        ('"{{ERROR.KIND}}"', {"template": [{"error": "KIND"}]}),
        ('"{{COST.RUNS}}{{COST}}"', {"template": [{"cost": "RUNS"}, {"cost": "TOTAL"}]}),
    ],
)
def test_text_has_no_empty_and_no_adjacent_literals(text: str, expected: object) -> None:
    assert first(f"LOG {text}")["value"] == expected
    assert first(f"PAUSE {text}")["message"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x", {"var": "x"}),
        ("LAST_RUN.STDOUT", {"last_run": "STDOUT"}),
        ("ERROR.KIND", {"error": "KIND"}),
        ("COST.TOTAL", {"cost": "TOTAL"}),
        ("COST", {"cost": "TOTAL"}),
        ("5m", {"duration": "5m", "seconds": 300.0}),
        ("1", 1),
        ("1.0", 1.0),
        ("true", True),
        ("x|raw", {"var": "x", "filter": "raw"}),
    ],
)
def test_expressions(text: str, expected: object) -> None:
    value = first(f"VAR v = {text}")["value"]
    assert json.dumps(value) == json.dumps(expected)  # 1, 1.0 and true are told apart


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[
            (f"1 {op} x", {"op": op, "negated": False, "left": 1, "right": {"var": "x"}})
            for op in ("==", "!=", "<", "<=", ">", ">=")
        ],
        ("'a' CONTAINS 'b'", {"op": "CONTAINS", "negated": False, "left": "a", "right": "b"}),
        ("'a' NOT CONTAINS 'b'", {"op": "CONTAINS", "negated": True, "left": "a", "right": "b"}),
        ("x IS_EMPTY", {"op": "IS_EMPTY", "negated": False, "left": {"var": "x"}}),
        ("x NOT IS_EMPTY", {"op": "IS_EMPTY", "negated": True, "left": {"var": "x"}}),
        ('FILE "{{x}}" EXISTS', {"op": "EXISTS", "negated": False, "path": X}),
        ("FILE 'p' NOT EXISTS", {"op": "EXISTS", "negated": True, "path": "p"}),
        ("x", {"op": "TRUTH", "negated": False, "left": {"var": "x"}}),
    ],
)
def test_conditions_in_the_tree(text: str, expected: object) -> None:
    assert first(f"ASSERT {text}")["condition"] == expected
    assert first(f"IF {text} {{ }}")["condition"] == expected


# What is not in the tree


def test_both_forms_of_task_walk_alike() -> None:
    (with_block,) = bare(body("TASK 'a' {\nSTEP 's' { LOG 1 }\nLOG 2\n}"))
    (without,) = bare(body("TASK 'a'\nSTEP 's' { LOG 1 }\nLOG 2"))
    assert with_block.pop("block") is True
    assert without.pop("block") is False
    assert with_block == without


def test_comments_are_not_in_the_tree() -> None:
    plain = bare(tisslang.parse("STEP 's' {\nLOG 1\n}\n"))
    assert bare(tisslang.parse("# a\nSTEP 's' { # b\n# c\nLOG 1 # d\n# e\n} # f\n# g")) == plain


def test_the_node_of_the_example() -> None:
    text = "\n" * 12 + '    RUN "python3 hello.py {{who}}"\n'
    assert first(text) == {
        "type": "RUN",
        "command": {"template": ["python3 hello.py ", {"var": "who"}]},
        "line": 13,
        "column": 5,
        "end_line": 13,
    }
