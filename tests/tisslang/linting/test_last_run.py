"""T201, T202 and T207."""

import pytest
from conformance import linted as found

READ = "ASSERT LAST_RUN.EXIT_CODE == 0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('VAR c = true\nIF c { VAR x = 1 }\nLOG "a{{x}}"', ["T201 3:7"]),
        ('TRY { RUN "a"\nVAR x = 1 } CATCH { LOG 1 }\nLOG x', ["T201 3:5"]),
        ('VAR c = true\nIF c { RUN "a" }\nLOG LAST_RUN.STDOUT', ["T202 3:5"]),
        ("VAR c = true\nIF c { VAR x = 1 } ELSE { VAR x = 2 }\nLOG x", []),
        ("VAR c = true\nIF c { VAR x = 1 }\nVAR x ?= 2\nLOG x", []),
        ('VAR c = true\nIF c { RUN "a" } ELSE { RUN "b" }\nLOG LAST_RUN.STDOUT', []),
    ],
)
def test_uses_that_may_fail(text: str, expected: list[str]) -> None:
    assert found(text, "T201", "T202", "T11") == expected


def test_names_of_the_operator_have_values() -> None:
    text = "VAR c = true\nIF c { VAR x = 1 }\nLOG x"
    assert found(text, "T201", assigned=("x",)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('RUN "a"', [1]),
        (f'RUN "a"\nRUN "b"\n{READ}', [1]),
        (f'STEP "s" {{ RUN "a" }}\nRUN "b"\n{READ}', [1]),
        ('TASK "t" {\nRUN "a"\n}', [2]),
        (f'VAR c = true\nRUN "a"\nIF c {{ RUN "b"\n{READ} }}', [2]),
        ('TRY { RUN "a" } CATCH { LOG ERROR.KIND }', [1]),
        (f'PARALLEL {{ STEP "a" {{ RUN "a" }} }}\nRUN "b"\n{READ}', [1]),
        (f'CHOOSE {{ OPTION "a" {{ RUN "a" }}\nOPTION "b" {{ LOG 1 }} }}\nRUN "c"\n{READ}', [1]),
        ('DEFINE_TASK "d" { RUN "a" }\nCALL "d"', [1]),
        ('DEFINE_TASK "d" { RUN "a" }', [1]),
        (f'DEFINE_TASK "d" {{ RUN "b"\n{READ} }}\nRUN "a"\nCALL "d"', [3]),
        ('RUN "a"\nLOG "\\{{LAST_RUN.STDOUT}}"', [1]),
    ],
)
def test_unread_results(text: str, expected: list[int]) -> None:
    assert [int(each.split()[1].split(":")[0]) for each in found(text, "T207")] == expected


@pytest.mark.parametrize(
    "text",
    [
        f'RUN "a"\n{READ}',
        'RUN "a"\nLOG "{{LAST_RUN.COMMAND}}"',
        'RUN "a"\nRUN "echo {{LAST_RUN.STDOUT}}"\nLOG LAST_RUN.STDERR',
        'RUN "a"\nWRITE "f" <<W\n{{LAST_RUN.STDOUT}}\nW',
        'RUN "a"\nIF LAST_RUN.EXIT_CODE == 0 { LOG 1 }',
        f'STEP "s" {{ RUN "a" }}\nSTEP "t" {{ {READ} }}',
        f'VAR c = true\nRUN "a"\nIF c {{ {READ} }}',
        f'VAR c = true\nIF c {{ RUN "a" }} ELSE {{ RUN "b" }}\n{READ}',
        f'TRY {{ RUN "a"\nLOG 1 }} CATCH {{ {READ} }}',  # it may be cut short behind the RUN
        f'TRY {{ RUN "a"\nRUN "b" }} CATCH {{ {READ} }}',
        f'TRY {{ STEP "s" {{ RUN "a" }}\nRUN "b" }} CATCH {{ {READ} }}',
        f'PARALLEL {{ STEP "a" {{ RUN "a"\n{READ} }}\nSTEP "b" {{ RUN "b"\n{READ} }} }}',
        f'RUN "a"\nPARALLEL {{ STEP "a" {{ {READ} }} }}',
        f'CHOOSE {{ OPTION "a" {{ RUN "a" }}\nOPTION "b" {{ LOG 1 }} }}\n{READ}',
        f'DEFINE_TASK "d" {{ RUN "a" }}\nCALL "d"\n{READ}',
        f'DEFINE_TASK "d" {{ {READ} }}\nRUN "a"\nCALL "d"',
        f'DEFINE_TASK "d" {{ LOG 1 }}\nRUN "a"\nCALL "d"\n{READ}',
        # one call with a look at the result is enough
        f'DEFINE_TASK "d" {{ RUN "a" }}\nCALL "d"\nCALL "d"\n{READ}',
        f'DEFINE_TASK "d" {{ RUN "a" }}\nTRY {{ CALL "d" }} CATCH {{ {READ} }}',
        'ESTIMATE_COST { RUN "a" }',  # nothing runs
        'DEFINE_TASK "d" WITH s { LOG s }\nRUN "a"\nCALL "d" WITH s = LAST_RUN.STDOUT',
        '@persona "p"\nRUN "a"\n@output "{{LAST_RUN.STDOUT}}"',
    ],
)
def test_read_results(text: str) -> None:
    assert found(text, "T207") == []


def test_recursion_is_no_trap() -> None:
    text = 'DEFINE_TASK "d" { RUN "a"\nCALL "d" }\nCALL "d"'
    assert found(text, "T207") == ["T207 1:19"]
