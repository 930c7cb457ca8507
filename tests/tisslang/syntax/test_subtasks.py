"""Sub-tasks and branches: calls that fit, no recursion, no name twice (T103 to T106, T108)."""

import pytest

from tisslang.syntax import check


def found(source: str) -> list[str]:
    return [f"{d.code} {d.line}:{d.column}" for d in check(source)]


def message(source: str) -> str:
    (finding,) = check(source)
    return f"{finding.message} | {finding.hint}"


def test_a_call_that_fits() -> None:
    source = 'CALL "a" WITH y = 1, x = "2"\nDEFINE_TASK "a" WITH x, y { LOG "{{x}} {{y}}" }'
    assert found(source) == []
    assert found('DEFINE_TASK "a" { }\nSTEP "s" { CALL \'a\' }') == []
    assert found("DEFINE_TASK '{{a}}' { }\nCALL '{{a}}'") == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('CALL "a"', ["T103 1:1"]),
        ('STEP "s" {\n  CALL "a" WITH x = 1\n}', ["T103 2:3"]),
        ('DEFINE_TASK "a" { }\nCALL "A"', ["T103 2:1"]),  # names are compared exactly
        ('DEFINE_TASK "a" { }\nCALL "a "', ["T103 2:1"]),
        ('ESTIMATE_COST { CALL "a" }', ["T103 1:17"]),
        ('DEFINE_TASK "b" { CALL "a" }', ["T103 1:19"]),
        ('DEFINE_TASK "a" WITH x { }\nCALL "a"', ["T104 2:1"]),
        ('DEFINE_TASK "a" { }\nCALL "a" WITH x = 1', ["T104 2:1"]),
        ('DEFINE_TASK "a" WITH x { }\nCALL "a" WITH x = 1, y = 1', ["T104 2:1"]),
        ('DEFINE_TASK "a" WITH x { }\nCALL "a" WITH x = 1, x = 2', ["T104 2:1"]),
        ('DEFINE_TASK "a" WITH x, y { }\nCALL "a" WITH X = 1, y = 2', ["T104 2:1"]),
        ('DEFINE_TASK "a" { CALL "a" }', ["T105 1:1"]),
        (
            'LOG 1\nDEFINE_TASK "b" { CALL "c" }\nDEFINE_TASK "c" { IF true { CALL "b" } }',
            ["T105 2:1"],
        ),
        ('DEFINE_TASK "a" { CALL "b" }\nDEFINE_TASK "b" { CALL "b" }', ["T105 2:1"]),
        ('DEFINE_TASK "a" { CALL "a" }\nDEFINE_TASK "b" { CALL "b" }', ["T105 1:1", "T105 2:1"]),
        ('DEFINE_TASK "a" { ESTIMATE_COST { CALL "a" } }', ["T105 1:1"]),  # it adds up its body
        ('DEFINE_TASK "a" { }\n DEFINE_TASK "a" { }', ["T106 2:2"]),
        ('DEFINE_TASK "a" WITH x, y, x { }', ["T106 1:1"]),
        ('DEFINE_TASK "a" { }\nDEFINE_TASK "a" WITH x, x { }', ["T106 2:1"]),
        ('DEFINE_TASK "a" { }\nDEFINE_TASK "a" WITH x { }\nCALL "a"', ["T106 2:1"]),
        ('DEFINE_TASK "a" { CALL "b" }\nDEFINE_TASK "b" { }\nCALL "a"\nCALL "b"', []),
    ],
)
def test_calls_and_definitions(source: str, expected: list[str]) -> None:
    assert found(source) == expected


def test_what_is_said() -> None:
    assert "did you mean compile?" in message('DEFINE_TASK "compile" { }\nCALL "compil"')
    assert 'define it: DEFINE_TASK "a" { … }' in message('CALL "a"')
    said = message('DEFINE_TASK "a" WITH x, y { }\nCALL "a" WITH x = 1, x = 2, z = 3')
    assert "y is missing, z is no parameter of it, x is given twice" in said
    assert "its parameters are: x, y" in said
    assert "it has no parameters" in message('DEFINE_TASK "a" { }\nCALL "a" WITH x = 1')


def test_the_way_of_a_recursion_is_one_of_calls() -> None:
    source = (
        'DEFINE_TASK "a" { CALL "b"\nCALL "c" }\nDEFINE_TASK "b" { CALL "d" }\n'
        'DEFINE_TASK "c" { CALL "a" }\nDEFINE_TASK "d" { CALL "a" }'
    )
    assert "(a → c → a)" in message(source)
    assert "(a → a)" in message('DEFINE_TASK "a" { CALL "a" }')
    ring = "".join(f'DEFINE_TASK "t{i}" {{ CALL "t{(i + 1) % 50}" }}\n' for i in range(50))
    assert len(message(ring)) < 200


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("VAR x = 1", "VAR x = 2", ["T108 3:1"]),
        ("VAR x = 1", "VAR y = 2", []),
        ("VAR x ?= 1", 'READ "f" AS x', ["T108 3:1"]),
        ("IF true { VAR x = 1 }", 'PROMPT_AGENT "p" INTO x', ["T108 3:1"]),
        ("ESTIMATE_COST INTO x { }", "VAR x = 1", ["T108 3:1"]),
        ("ESTIMATE_COST { VAR x = 1 }", "VAR x = 1", []),  # nothing in it happens
        ("VAR x = 1", "LOG 1", []),
        ("CALL 'sub' WITH p = 1", "VAR v = 1", ["T108 3:1"]),
        ("CALL 'sub' WITH p = 1", "CALL 'sub' WITH p = 2", ["T108 3:1"]),
        ("CALL 'sub' WITH p = 1", "VAR p = 1", []),  # the parameter is gone with its call
        ("CALL 'outer'", "VAR v = 1", ["T108 3:1"]),
    ],
)
def test_branches_that_assign_one_name(first: str, second: str, expected: list[str]) -> None:
    source = f"PARALLEL {{\nSTEP 'a' {{ {first} }}\nSTEP 'b' {{ {second} }}\n}}\n"
    source += "DEFINE_TASK 'sub' WITH p { VAR p = 2\nVAR v = p }\n"
    source += "DEFINE_TASK 'outer' { CALL 'sub' WITH p = 1 }"
    assert found(source) == expected


def test_each_later_branch_is_told_once() -> None:
    step = "STEP 's' { VAR x = 1\nVAR y = 1 }\n"
    assert found("PARALLEL {\n" + step * 3 + "}") == ["T108 4:1", "T108 6:1"]
    assert "on line 2" in (check("PARALLEL {\n" + step * 2 + "}")[0].hint or "")
    # one PARALLEL and the next, or a branch and what stands behind: no two branches
    assert found("PARALLEL { " + step + "}\nPARALLEL { " + step + "}\nVAR x = 1") == []
