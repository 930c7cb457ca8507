"""§2 of the language reference: where statements may stand."""

import pytest
from conformance import found, hint

import tisslang


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TASK 'a'\nTASK 'b'\n", ["T101 2:1"]),
        ("TASK 'a' { }\nTASK 'b' { }\n", ["T101 2:1"]),
        ("TASK 'a' { }\n  TASK 'b'\nLOG 1\n", ["T101 2:3"]),
        ("TASK 'a'\nLOG 1\nTASK 'b'\nTASK 'c'\n", ["T101 3:1", "T101 4:1"]),
    ],
)
def test_at_most_one_task(text: str, expected: list[str]) -> None:
    # What follows a second TASK may be called misplaced as well.
    assert [each for each in found(text) if each.startswith("T101")] == expected


@pytest.mark.parametrize(
    "around",
    [
        "STEP 's' {{ {} }}",
        "IF true {{ {} }}",
        "SETUP {{ {} }}",
        "TRY {{ {} }} CATCH {{ }}",
        "DEFINE_TASK 'd' {{ {} }}",
    ],
)
def test_a_task_stands_at_top_level(around: str) -> None:
    text = around.format("TASK 'a'")
    assert found(text) == [f"T102 1:{text.index('TASK ' + chr(39) + 'a') + 1}"]


@pytest.mark.parametrize(
    "before", ["LOG 1", "STEP 's' { }", "SETUP { }", "IF true { }", "VAR x = 1"]
)
def test_commands_and_blocks_do_not_stand_before_the_task(before: str) -> None:
    assert found(f"{before}\nTASK 'a'\nLOG 1\n") == ["T102 1:1"]


@pytest.mark.parametrize("before", ["@persona 'x'", "DEFINE_TASK 'd' { }", "# c", "#TISS! A=1"])
@pytest.mark.parametrize("task", ["TASK 'a'\nLOG 1", "TASK 'a' { LOG 1 }"])
def test_directives_and_definitions_may_stand_before_the_task(before: str, task: str) -> None:
    assert found(f"{before}\n{task}\n") == []


@pytest.mark.parametrize(
    "after", ["LOG 1", "STEP 's' { }", "SETUP { }", "@persona 'x'", "VAR x = 1"]
)
def test_only_definitions_follow_a_task_with_a_block(after: str) -> None:
    assert found(f"TASK 'a' {{ LOG 1 }}\n{after}\n") == ["T102 2:1"]
    assert found(f"TASK 'a'\nLOG 1\n{after}\n") == []


def test_a_definition_may_follow_a_task_with_a_block() -> None:
    assert found("TASK 'a' { CALL 'd' }\nDEFINE_TASK 'd' { LOG 1 }\n") == []


def test_a_task_without_a_block_owns_the_rest_of_the_file() -> None:
    (task,) = tisslang.parse("TASK 'a'\nSTEP 's' { }\nLOG 1\nDEFINE_TASK 'd' { }\n")["body"]
    assert [each["type"] for each in task["body"]] == ["STEP", "LOG", "DEFINE_TASK"]


INNER = [
    "STEP 's' {{ {} }}",
    "IF true {{ {} }}",
    "IF true {{ }} ELSE {{ {} }}",
    "SETUP {{ {} }}",
    "TRY {{ {} }} CATCH {{ }}",
    "TRY {{ }} CATCH {{ {} }}",
    "DEFINE_TASK 'e' {{ {} }}",
    "CHOOSE {{ OPTION 'o' {{ {} }} }}",
    "ESTIMATE_COST {{ {} }}",
]


@pytest.mark.parametrize("around", INNER)
@pytest.mark.parametrize("text", ["SETUP { LOG 1 }", "DEFINE_TASK 'd' { LOG 1 }"])
def test_setup_and_definitions_stand_at_the_top(around: str, text: str) -> None:
    whole = around.format(text)
    assert f"T102 1:{whole.index(text) + 1}" in found(whole)
    assert found(text) == found(f"TASK 'a'\n{text}") == found(f"TASK 'a' {{ {text} }}") == []


def test_setup_precedes_the_first_step() -> None:
    assert found("SETUP { }\nLOG 1\nSETUP { }\nSTEP 's' { }\n") == []
    assert found("STEP 's' { }\nSETUP { }\n") == ["T102 2:1"]
    assert found("TASK 'a' {\nSTEP 's' { }\n  SETUP { }\n}\n") == ["T102 3:3"]


@pytest.mark.parametrize("around", INNER)
def test_where_a_step_may_stand(around: str) -> None:
    text = around.format("STEP 'i' { LOG 1 }")
    refused = around.startswith(("SETUP", "ESTIMATE_COST"))
    assert found(text) == ([f"T102 1:{text.index('STEP ') + 1}"] if refused else [])


@pytest.mark.parametrize("head", ["SETUP", "ESTIMATE_COST"])
def test_a_step_is_inside_however_deep(head: str) -> None:
    assert found(f"{head} {{ IF true {{\nTRY {{\n STEP 's' {{ }} }} CATCH {{ }} }} }}") == [
        "T102 3:2"
    ]


@pytest.mark.parametrize(
    "inner",
    [
        "LOG 1",
        "IF true { }",
        "RUN 'true'",
        "VAR x = 1",
        "TRY { } CATCH { }",
        "ESTIMATE_COST { }",
        "CALL 'd'",
    ],
)
def test_parallel_holds_only_steps(inner: str) -> None:
    text = f"DEFINE_TASK 'd' {{ }}\nPARALLEL {{\n STEP 's' {{ LOG 1 }}\n {inner}\n}}\n"
    assert found(text) == ["T102 4:2"]


@pytest.mark.parametrize(
    "inner",
    [
        "PARALLEL { }",
        "CHOOSE { OPTION 'o' { } }",
        "PAUSE 'p'",
        "REQUEST_REVIEW 'r'",
        "SET_BUDGET COST = 1",
    ],
)
def test_what_a_parallel_holds_at_no_depth(inner: str) -> None:
    assert found(f"PARALLEL {{ STEP 's' {{\n {inner} }} }}\n") == ["T102 2:2"]
    deep = f"IF true {{ TRY {{ }} CATCH {{ STEP 't' {{\n {inner} }} }} }}"
    assert found(f"PARALLEL {{ STEP 's' {{ {deep} }} }}\n") == ["T102 2:2"]
    assert found(f"STEP 's' {{\n{inner} }}\n") == []


@pytest.mark.parametrize("inner", ["LOG 1", "STEP 's' { }", "@persona 'p'", "IF true { }"])
def test_choose_holds_only_options(inner: str) -> None:
    assert found(f"CHOOSE {{ OPTION 'o' {{ }}\n {inner} }}\n") == ["T102 2:2"]


def test_the_hint_for_a_step_in_choose() -> None:
    assert "OPTION" in hint("CHOOSE { OPTION 'o' { }\nSTEP 's' { } }\n")


def test_choose_holds_at_least_one_option() -> None:
    assert found("LOG 1\n  CHOOSE { }\n") == ["T102 2:3"]


@pytest.mark.parametrize("around", ["{}", "TASK 'a' {{ {} }}", "PARALLEL {{ {} }}", *INNER])
def test_an_option_stands_in_choose(around: str) -> None:
    text = around.format("OPTION 'p' { LOG 1 }")
    assert found(text) == [f"T102 1:{text.index('OPTION ' + chr(39) + 'p') + 1}"]


USES = [
    "LOG ERROR.KIND",
    'LOG "{{ERROR.MESSAGE}}"',
    "ASSERT ERROR.LINE == 1",
    "VAR x = ERROR.KIND|trim",
    "IF ERROR.KIND == 'io' { LOG 1 }",
    "WRITE 'a' <<W\n{{ERROR.KIND}}\nW",
    "RUN 'true'\nRUN \"{{ERROR.KIND}}\"",
    'PAUSE "{{ERROR.KIND}}"',
    'MKDIR "{{ERROR.KIND}}"',
    '@persona "{{ERROR.KIND}}"',
]


@pytest.mark.parametrize("use", USES)
def test_error_is_known_only_in_catch(use: str) -> None:
    line = use.count("\n") + 1 if use.startswith("RUN") else 1
    assert found(use + "\n") == [f"T102 {line}:1"]
    assert found(f"TRY {{\n{use}\n}} CATCH {{ }}\n") == [f"T102 {line + 1}:1"]
    assert found(f"TRY {{ }} CATCH {{ }}\n{use}\n") == [f"T102 {line + 1}:1"]
    assert found(f"TRY {{ }} CATCH {{\n{use}\n}}\n") == []
    assert found(f"TRY {{ }} CATCH {{\nTRY {{ STEP 's' {{\n{use}\n}} }} CATCH {{ }} }}\n") == []


def test_a_sub_task_called_in_catch_does_not_lie_in_it() -> None:
    text = "DEFINE_TASK 'd' { LOG ERROR.KIND }\nTRY { LOG 1 } CATCH { CALL 'd' }\n"
    assert found(text) == ["T102 1:19"]
