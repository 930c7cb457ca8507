"""Where statements may stand: each sentence of "Placement" in the reference, section 2."""

import pytest

from tisslang.syntax import check


def found(source: str) -> list[str]:
    return [f"{d.code} {d.line}:{d.column}" for d in check(source)]


STEP = 'STEP "s" { }\n'
ANYTHING = [
    *['READ "f" AS x', 'WRITE "f" <<W\nW', 'RUN "a"', "ASSERT true", "VAR x = 1", "LOG 1"],
    *['MKDIR "d"', 'DELETE "d"', 'PROMPT_AGENT "p" INTO x', "SET_BUDGET COST = 1", 'PAUSE "m"'],
    *['REQUEST_REVIEW "m"', "IF true { }", "TRY { } CATCH { }", "PARALLEL { }", STEP.strip()],
    *['CHOOSE { OPTION "o" { } }', "ESTIMATE_COST { }", "@persona 'p'", 'CALL "sub"'],
]
SUB = '\nDEFINE_TASK "sub" { }\n'
BLOCKS = [
    *["SETUP {", 'STEP "a" {', 'TASK "a" {', "IF true {", "IF true { } ELSE {", "TRY { } CATCH {"],
    *['CHOOSE { OPTION "o" {', 'PARALLEL { STEP "p" {', 'DEFINE_TASK "d" {', "ESTIMATE_COST {"],
]


def inside(block: str, statement: str) -> str:
    closing = "\n}" * (block.count("{") - block.count("}"))
    return f"{block}\n{statement}{closing}" + (" CATCH { }" if block == "TRY {" else "") + SUB


# "At most one TASK, at top level. Before it only directives and definitions may stand."


def test_one_task() -> None:
    assert found('TASK "a" { }\nTASK "b" { }\nTASK "c"\nTASK "d"') == [
        "T101 2:1",
        "T101 3:1",
        "T101 4:1",
    ]
    assert found('TASK "a"\nLOG 1\nTASK "b" { }') == ["T101 3:1"]


@pytest.mark.parametrize("block", BLOCKS)
def test_task_at_top_level(block: str) -> None:
    code = "T101" if "TASK" in block and "DEFINE" not in block else "T102"
    assert f"{code} 2:1" in found(inside(block, 'TASK "t" { }'))


@pytest.mark.parametrize("statement", ANYTHING)
def test_before_the_task(statement: str) -> None:
    expected = [] if statement.startswith("@") else ["T102 1:1"]
    assert found(f'{statement}\nTASK "t"{SUB}') == expected
    assert found(f'{statement}\nTASK "t" {{ }}{SUB}') == expected


def test_definitions_before_the_task_and_behind_it() -> None:
    assert found(f'{SUB}TASK "t" {{ }}') == []
    assert found(f'TASK "t" {{ }}{SUB}') == []


# "Without a block, TASK owns the rest of the file. With a block, only definitions may follow it."


@pytest.mark.parametrize("statement", ANYTHING)
def test_behind_the_task(statement: str) -> None:
    assert found(f'TASK "t"\n{statement}{SUB}') == []
    assert found(f'TASK "t" {{\n{statement}\n}}{SUB}') == []
    assert found(f'TASK "t" {{ }}\n{statement}{SUB}') == ["T102 2:1"]


# "With no TASK every statement is allowed at top level."


@pytest.mark.parametrize("statement", [*ANYTHING, "SETUP { }", 'DEFINE_TASK "a" { }'])
def test_without_a_task(statement: str) -> None:
    assert found(statement + SUB) == []


# "SETUP, DEFINE_TASK: only at top level or directly in the TASK block."


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("statement", ["SETUP { }", 'DEFINE_TASK "x" { }'])
def test_setup_and_definitions(block: str, statement: str) -> None:
    expected = [] if block.startswith("TASK") else ["T102 2:1"]
    assert found(inside(block, statement))[:1] == expected


# "SETUP precedes the first STEP."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("SETUP { }\n" + STEP, []),
        ("SETUP { }\nSETUP { }\n" + STEP, []),
        ("LOG 1\nSETUP { }\n" + STEP, []),
        (STEP + "SETUP { }", ["T102 2:1"]),
        (f'TASK "t"\n{STEP}SETUP {{ }}', ["T102 3:1"]),
        (f"IF true {{ {STEP} }}\nSETUP {{ }}", ["T102 3:1"]),
        (f'PARALLEL {{ {STEP} }}\nSETUP "a" {{ }}', ["T102 3:1"]),
        (f'DEFINE_TASK "d" {{ {STEP} }}\nSETUP {{ }}', []),
    ],
)
def test_setup_comes_first(source: str, expected: list[str]) -> None:
    assert found(source) == expected


# "STEP may stand in any block except inside SETUP and ESTIMATE_COST. Steps may nest."


@pytest.mark.parametrize("block", BLOCKS)
def test_steps(block: str) -> None:
    refused = block.startswith(("SETUP", "ESTIMATE_COST"))
    assert found(inside(block, STEP)) == (["T102 2:1"] if refused else [])
    assert found(inside(block, "IF true {\n" + STEP + "}")) == (["T102 3:1"] if refused else [])


def test_steps_nest() -> None:
    assert found('STEP "a" { STEP "b" { STEP "c" { IF true { STEP "d" { } } } } }') == []


# "PARALLEL holds only STEP (and directives). In it, at any depth: no PARALLEL, CHOOSE, PAUSE,
# REQUEST_REVIEW, SET_BUDGET."


@pytest.mark.parametrize("statement", [*ANYTHING, "SETUP { }", 'DEFINE_TASK "x" { }'])
def test_directly_in_parallel(statement: str) -> None:
    expected = [] if statement.startswith(("STEP", "@")) else ["T102 2:1"]
    assert found(inside("PARALLEL {", statement)) == expected


@pytest.mark.parametrize("around", ['STEP "a" {', 'STEP "a" { IF true {', 'STEP "a" { TRY {'])
@pytest.mark.parametrize("statement", ANYTHING)
def test_at_any_depth_of_parallel(around: str, statement: str) -> None:
    words = ("PARALLEL", "CHOOSE", "PAUSE", "REQUEST_REVIEW", "SET_BUDGET")
    end = "\n}" * (around.count("{") - 1) + ("\n} CATCH { }" if "TRY" in around else "\n}")
    if "TRY" in around:
        end = "\n} CATCH { }\n}"
    source = f"PARALLEL {{ {around}\n{statement}{end}\n}}{SUB}"
    assert found(source) == (["T102 2:1"] if statement.startswith(words) else [])


def test_what_a_call_brings_into_parallel() -> None:
    source = (
        'PARALLEL { STEP "a" {\nCALL "outer"\n} }\nDEFINE_TASK "outer" { CALL "inner" }\n'
        'DEFINE_TASK "inner" { IF true { PAUSE "m" } }'
    )
    assert found(source) == ["T102 2:1"]
    assert found(source.replace('PAUSE "m"', "LOG 1")) == []
    assert found(source.replace('PAUSE "m"', 'ESTIMATE_COST { PAUSE "m" }')) == []


# "CHOOSE holds only OPTION (a STEP gets that hint), at least one." OPTION stands nowhere else.


@pytest.mark.parametrize("statement", ANYTHING)
def test_directly_in_choose(statement: str) -> None:
    source = f'CHOOSE {{\n{statement}\nOPTION "o" {{ }} }}{SUB}'
    assert found(source) == ["T102 2:1"]
    hint = check(source)[0].hint or ""
    assert "OPTION" in hint
    assert ("in place of STEP" in hint) is statement.startswith("STEP")


def test_choose_holds_an_option() -> None:
    assert found("LOG 1\n  CHOOSE { }") == ["T102 2:3"]


@pytest.mark.parametrize("block", BLOCKS)
def test_option_in_choose_only(block: str) -> None:
    assert "T102 2:1" in found(inside(block, 'OPTION "o" { }'))
    assert found('OPTION "o" { }') == ["T102 1:1"]


# "ERROR only inside CATCH."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("LOG ERROR.KIND", ["T102 1:1"]),
        ("TRY { LOG ERROR.KIND } CATCH { }", ["T102 1:7"]),
        ("TRY { } CATCH { LOG ERROR.KIND }", []),
        ('TRY { } CATCH { STEP "s" { IF ERROR.LINE > 1 { LOG "{{ERROR.MESSAGE}}" } } }', []),
        ("TRY { } CATCH { TRY { LOG ERROR.KIND } CATCH { LOG ERROR.KIND } }", []),
        ("TRY { } CATCH { LOG 1 }\nLOG ERROR.KIND", ["T102 2:1"]),
        ('IF ERROR.KIND == "io" { }', ["T102 1:1"]),
        ('DEFINE_TASK "d" { LOG ERROR.KIND }', ["T102 1:19"]),
        ("TRY { } CATCH { CALL 'd' WITH x = ERROR.KIND }\nDEFINE_TASK 'd' WITH x { }", []),
        ("ESTIMATE_COST { LOG ERROR.KIND }", ["T102 1:17"]),
        ('RUN "{{ERROR.KIND}} {{ERROR.LINE}}"', ["T102 1:1"]),
    ],
)
def test_error_in_catch(source: str, expected: list[str]) -> None:
    assert found(source) == expected


# "@retry: first in a STEP" (section 8)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('STEP "s" { @retry 2 }', []),
        ('STEP "s" { @timeout 5s\n@retry 2\nLOG 1 }', []),
        ("SETUP { @retry 2 }", []),
        ('STEP "s" { LOG 1\n@retry 2 }', ["T102 2:1"]),
        ("@retry 2", ["T102 1:1"]),
        ("IF true { @retry 2 }", ["T102 1:11"]),
        ('TASK "t"\n@retry 2', ["T102 2:1"]),
    ],
)
def test_retry_first_in_a_step(source: str, expected: list[str]) -> None:
    assert found(source) == expected


# "Commands may stand anywhere a statement may."


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("statement", ANYTHING[:9])
def test_commands_stand_anywhere(block: str, statement: str) -> None:
    assert found(inside(block, statement)) == []
