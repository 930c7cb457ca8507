"""§2 of the language reference: the grammar, its hints, and where statements may stand."""

import pytest
from conformance import bare, first, found, hint

import tisslang

BLOCK = "{ LOG 1 }"

LEGAL = {
    "TASK": ['TASK "x"', f'TASK "x" {BLOCK}', "TASK ''", 'TASK "x" { }'],
    "SETUP": [f"SETUP {BLOCK}", f'SETUP "x" {BLOCK}', "SETUP { }"],
    "STEP": [f'STEP "x" {BLOCK}', "STEP 'x' { }", 'STEP "x" { STEP "y" { } }'],
    "DEFINE_TASK": [
        f'DEFINE_TASK "x" {BLOCK}',
        f'DEFINE_TASK "x" WITH a {BLOCK}',
        f'DEFINE_TASK "x" WITH a, b,c {BLOCK}',
    ],
    "DIRECTIVE": ['@persona "x"', "@ persona 'x'", '@speed "x" 1 1.5 5m true word', "@speed -1"],
    "READ": ['READ "p" AS v', "READ 'p' AS v"],
    "WRITE": ['WRITE "p" <<W\nW', "WRITE 'p' <<'W'\nW", "WRITE 'p' <<-W\n W"],
    "RUN": ['RUN "c"', "RUN 'c'", "RUN <<W\nW", "RUN <<'W'\nW", "RUN <<-W\n W"],
    "ASSERT": ["ASSERT true", "ASSERT 1 == 1", "ASSERT FILE 'x' NOT EXISTS"],
    "VAR": [
        "VAR v = 1",
        "VAR v ?= 'x'",
        "VAR v=1",
        "VAR v?=1",
        "VAR v = <<W\nW",
        "VAR v ?= <<W\nW",
    ],
    "LOG": ["LOG 1", "LOG 'x'", "LOG true", "LOG 5m", "LOG COST", "LOG COST.TOTAL|trim"],
    "MKDIR": ['MKDIR "p"'],
    "DELETE": ['DELETE "p"'],
    "CALL": [
        "CALL 'd' WITH a = 1\nDEFINE_TASK 'd' WITH a { LOG a }",
        "CALL 'd' WITH a=1,b = 'x'\nDEFINE_TASK 'd' WITH b, a { LOG a\nLOG b }",
        "CALL 'd'\nDEFINE_TASK 'd' { LOG 1 }",
    ],
    "PROMPT_AGENT": [
        'PROMPT_AGENT "x"',
        'PROMPT_AGENT "x" INTO v',
        "PROMPT_AGENT <<W\nW",
        "PROMPT_AGENT INTO v <<W\nW",
    ],
    "SET_BUDGET": [
        "SET_BUDGET API_CALLS = 5",
        "SET_BUDGET COST = 1.5",
        "SET_BUDGET EXECUTION_TIME=5m",
    ],
    "PAUSE": ['PAUSE "x"'],
    "REQUEST_REVIEW": ['REQUEST_REVIEW "x"'],
    "IF": [
        f"IF true {BLOCK}",
        f"IF true THEN {BLOCK}",
        f"IF true {BLOCK} ELSE {BLOCK}",
        f"IF true {BLOCK} ELSE IF false THEN {BLOCK} ELSE IF true {BLOCK} ELSE {BLOCK}",
    ],
    "TRY": [f"TRY {BLOCK} CATCH {BLOCK}", "TRY { } CATCH { }"],
    "PARALLEL": [
        f'PARALLEL {{ STEP "x" {BLOCK}\n@persona "p"\nSTEP "y" {BLOCK} }}',
        "PARALLEL { }",
    ],
    "CHOOSE": [f'CHOOSE {{ OPTION "x" {BLOCK}\nOPTION "y" {{ }} }}'],
    "OPTION": [f'CHOOSE {{ OPTION "x" {BLOCK} }}'],
    "ESTIMATE_COST": [f"ESTIMATE_COST {BLOCK}", f"ESTIMATE_COST INTO v {BLOCK}"],
}

ILLEGAL = {
    "TASK": ["TASK", "TASK x", 'TASK "x" "y"', "TASK <<W\nW", "TASK { }"],
    "SETUP": ["SETUP", "SETUP 'x'", f"SETUP x {BLOCK}", f"SETUP 'x' 'y' {BLOCK}"],
    "STEP": ["STEP", "STEP 'x'", f"STEP {BLOCK}", f"STEP x {BLOCK}"],
    "DEFINE_TASK": [
        f"DEFINE_TASK {BLOCK}",
        "DEFINE_TASK 'x'",
        f"DEFINE_TASK 'x' WITH {BLOCK}",
        f"DEFINE_TASK 'x' WITH a, {BLOCK}",
        f"DEFINE_TASK 'x' WITH a b {BLOCK}",
        f"DEFINE_TASK 'x' WITH a = 1 {BLOCK}",
    ],
    "DIRECTIVE": [
        "@persona",
        "@",
        "@ 'x'",
        "@RUN 'x'",
        "@persona x.y",
        "@persona <<W\nW",
        "@a 1, 2",
    ],
    "READ": ["READ", "READ 'p'", "READ 'p' AS", "READ p AS v", "READ 'p' v", "READ 'p' INTO v"],
    "WRITE": ["WRITE 'p'", "WRITE 'p' 'x'", "WRITE <<W\nW", "WRITE p <<W\nW", "WRITE 'p' v"],
    "RUN": ["RUN", "RUN x", "RUN 1", "RUN 'a' 'b'", "RUN {"],
    "ASSERT": [
        "ASSERT",
        "ASSERT 1 ==",
        "ASSERT == 1",
        "ASSERT 1 == 1 == 1",
        "ASSERT FILE x EXISTS",
        "ASSERT FILE 'x'",
        "ASSERT FILE 'x' IS_EMPTY",
        "ASSERT 'x' NOT == 'y'",
        "ASSERT 'x' NOT",
        "ASSERT NOT true",
        "ASSERT 'x' EXISTS",
        "ASSERT 'x' CONTAINS",
        "ASSERT 'x' IS_EMPTY 'y'",
        "ASSERT 1 <> 2",
        "ASSERT (1 == 1)",
        "ASSERT 1 === 1",
    ],
    "VAR": [
        "VAR",
        "VAR x",
        "VAR x =",
        "VAR x 1",
        "VAR x == 1",
        "VAR x ? = 1",
        "VAR 'x' = 1",
        "VAR x =? 1",
    ],
    "LOG": [
        "LOG",
        "LOG 'a' 'b'",
        "LOG <<W\nW",
        "LOG 'a'|trim",
        "LOG 1|json",
        "LOG true|trim",
        "LOG 5m|trim",
    ],
    "MKDIR": ["MKDIR", "MKDIR x", "MKDIR 'a' 'b'"],
    "DELETE": ["DELETE", "DELETE x", "DELETE 'a', 'b'"],
    "CALL": [
        "CALL",
        "CALL x",
        "CALL 'x' WITH",
        "CALL 'x' WITH a",
        "CALL 'x' WITH a = 1,",
        "CALL 'x' a = 1",
        "CALL 'x' WITH a = 1 b = 2",
        "CALL 'x' WITH a ?= 1",
        "CALL 'x' WITH a = <<W\nW",
    ],
    "PROMPT_AGENT": [
        "PROMPT_AGENT",
        "PROMPT_AGENT v",
        "PROMPT_AGENT INTO v",
        "PROMPT_AGENT INTO v 'x'",
        "PROMPT_AGENT 'x' INTO",
        "PROMPT_AGENT <<W INTO v\nW",
        "PROMPT_AGENT 'x' AS v",
    ],
    "SET_BUDGET": [
        "SET_BUDGET",
        "SET_BUDGET COST",
        "SET_BUDGET COST = 'x'",
        "SET_BUDGET 'COST' = 1",
        "SET_BUDGET COST 1",
        "SET_BUDGET COST = x",
        "SET_BUDGET COST = true",
    ],
    "PAUSE": ["PAUSE", "PAUSE x", "PAUSE 5s", "PAUSE <<W\nW"],
    "REQUEST_REVIEW": ["REQUEST_REVIEW", "REQUEST_REVIEW x"],
    "IF": [
        "IF",
        "IF true",
        f"IF {BLOCK}",
        f"IF true {BLOCK} ELSE",
        f"IF true {BLOCK} ELSE IF",
        f"IF true {BLOCK} ELSE LOG 1",
        f"IF true {BLOCK} ELSE {BLOCK} ELSE {BLOCK}",
        f"IF true {BLOCK} ELSE THEN {BLOCK}",
        f"IF true THEN THEN {BLOCK}",
        f"IF true {BLOCK} CATCH {BLOCK}",
    ],
    "TRY": [
        "TRY",
        f"TRY {BLOCK}",
        f"TRY {BLOCK} CATCH",
        f"TRY {BLOCK} CATCH {BLOCK} CATCH {BLOCK}",
        f"TRY {BLOCK} ELSE {BLOCK}",
        f"TRY {BLOCK}\nLOG 1\nCATCH {BLOCK}",
    ],
    "PARALLEL": ["PARALLEL", "PARALLEL 'x' { }", "PARALLEL 2 { }"],
    "CHOOSE": ["CHOOSE", "CHOOSE 'x' { }"],
    "OPTION": ["CHOOSE { OPTION }", "CHOOSE { OPTION 'x' }", f"CHOOSE {{ OPTION {BLOCK} }}"],
    "ESTIMATE_COST": ["ESTIMATE_COST", f"ESTIMATE_COST INTO {BLOCK}", f"ESTIMATE_COST v {BLOCK}"],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(keyword, text) for keyword, texts in table.items() for text in texts]


@pytest.mark.parametrize(("keyword", "text"), cases(LEGAL))
def test_every_production_as_it_stands(keyword: str, text: str) -> None:
    assert found(text) == []
    types = {each["type"] for each in tree_nodes(tisslang.parse(text))}
    assert keyword in types


def tree_nodes(node: object) -> list[dict[str, object]]:
    """All nodes of a tree."""
    if isinstance(node, list):
        return [each for part in node for each in tree_nodes(part)]
    if not isinstance(node, dict):
        return []
    below = [each for part in node.values() for each in tree_nodes(part)]
    return [node, *below] if "type" in node else below


@pytest.mark.parametrize(("keyword", "text"), cases(ILLEGAL))
def test_nothing_else_is_a_statement(keyword: str, text: str) -> None:
    code, _ = found(text + "\n")[0].split()
    assert code in ("T001", "T006")


def test_the_two_tables_have_every_keyword() -> None:
    assert LEGAL.keys() == ILLEGAL.keys()


@pytest.mark.parametrize(
    ("condition", "op", "negated"),
    [
        *[(f"1 {op} 2", op, False) for op in ("==", "!=", "<", "<=", ">", ">=")],
        ("'a' CONTAINS 'b'", "CONTAINS", False),
        ("'a' NOT CONTAINS 'b'", "CONTAINS", True),
        ("'a' IS_EMPTY", "IS_EMPTY", False),
        ("'a' NOT IS_EMPTY", "IS_EMPTY", True),
        ("FILE 'a' EXISTS", "EXISTS", False),
        ("FILE 'a' NOT EXISTS", "EXISTS", True),
        ("true", "TRUTH", False),
        ("'text'", "TRUTH", False),
    ],
)
def test_conditions(condition: str, op: str, negated: bool) -> None:
    for text in (f"ASSERT {condition}", f"IF {condition} {{ }}"):
        parsed = first(text)["condition"]
        assert (parsed["op"], parsed["negated"]) == (op, negated)


@pytest.mark.parametrize(
    ("operand", "expected"),
    [
        ("x", {"var": "x"}),
        ("x|trim", {"var": "x", "filter": "trim"}),
        ("x | trim", {"var": "x", "filter": "trim"}),
        ("LAST_RUN.STDOUT", {"last_run": "STDOUT"}),
        ("LAST_RUN . STDOUT |json", {"last_run": "STDOUT", "filter": "json"}),
        ("COST.API_CALLS", {"cost": "API_CALLS"}),
        ("COST", {"cost": "TOTAL"}),
        ("COST|trim", {"cost": "TOTAL", "filter": "trim"}),
    ],
)
def test_references(operand: str, expected: object) -> None:
    assert bare(first(f"LOG {operand}")["value"]) == expected


@pytest.mark.parametrize(
    "operand",
    [
        "LAST_RUN",
        "ERROR",
        "x.y",
        "LAST_RUN.",
        "LAST_RUN.1",
        "x|",
        "x|'trim'",
        "x|trim|json",
        "LAST_RUN.RUN",
        "x|RUN",
        "COST.STEP",
        "x[0]",
        "a + b",
        "'a' + 'b'",
        "f(x)",
    ],
)
def test_nothing_else_is_an_operand(operand: str) -> None:
    code, _ = found(f"LOG {operand}\n")[0].split()
    assert code == "T001"


@pytest.mark.parametrize(("keyword", "text"), cases(LEGAL))
def test_with_no_task_every_statement_may_stand_at_top_level(keyword: str, text: str) -> None:
    if keyword not in ("TASK", "OPTION"):
        assert first(text)["type"] == keyword
        assert found(text) == []


# What does not fit


@pytest.mark.parametrize(
    "word",
    [
        "FOO",
        "ENDIF",
        "steps",
        "THEN",
        "WITH",
        "NOT",
        "FILE",
        "true",
        "INTO",
        "x",
        "LAST_RUN",
        "Query",
    ],
)
def test_a_statement_that_begins_with_another_word(word: str) -> None:
    assert found(f"{word}\n") == ["T002 1:1"]
    assert found(f"LOG 1\n  {word} 'x' {{\n") == ["T002 2:3"]
    assert found(f"STEP 's' {{ {word} = 1 }}\n") == ["T002 1:12"]


@pytest.mark.parametrize(
    "text", ["'x'\n", "1\n", "== 1\n", "{ LOG 1 }\n", "= 1\n", ".\n", "<<W\nW\n"]
)
def test_a_statement_that_begins_with_no_word(text: str) -> None:
    assert found(text) == ["T001 1:1"]


@pytest.mark.parametrize("head", ["ELSE", "CATCH"])
def test_else_and_catch_continue_what_is_before_them(head: str) -> None:
    # The line end before them is dropped, so that they follow the LOG.
    assert found(f"LOG 1\n{head} {{ }}\n") == ["T001 2:1"]


@pytest.mark.parametrize(
    ("text", "place", "offered"),
    [
        ('ASSERT NOT FILE "x" EXISTS\n', "1:8", "NOT EXISTS"),
        ('ASSERT FILE_EXISTS "x"\n', "1:20", "FILE"),
        ('IF FILE_EXISTS "x" { }\n', "1:16", "FILE"),
        ("VAR x = 1\nASSERT x = 1\n", "2:10", "=="),
        ("ASSERT true AND false\n", "1:13", "ASSERT"),
        ("IF true AND false { }\n", "1:9", "IF"),
        ('SET_BUDGET EXECUTION_TIME = "5m"\n', "1:29", "5m"),
    ],
)
def test_hints_for_what_is_often_tried(text: str, place: str, offered: str) -> None:
    (each,) = tisslang.check(text)
    assert each.code == "T001"
    assert f"{each.line}:{each.column}" == place
    assert offered in (each.hint or "")


@pytest.mark.parametrize(
    ("word", "keyword"),
    [("ASERT", "ASSERT"), ("PRINT", None), ("STEPS", "STEP"), ("WRIT", "WRITE"), ("RUNN", "RUN")],
)
def test_the_hint_names_the_nearest_keyword(word: str, keyword: str | None) -> None:
    assert keyword is None or keyword in hint(f"{word} 'x'\n")


@pytest.mark.parametrize("word", ["log", "Step", "write", "Task"])
def test_the_hint_says_that_commands_are_upper_case(word: str) -> None:
    said = hint(f"{word} 'x'\n")
    assert "upper case" in said
    assert word.upper() in said
