"""Static errors: placement, fields, quoting, names without a value."""

import json

import pytest

from tisslang.syntax import check, parse
from tisslang.syntax.tree import walk


def found(source: str, *assigned: str) -> list[tuple[str, int, int, int]]:
    return [(d.code, d.line, d.column, d.end_column) for d in check(source, "f", assigned)]


@pytest.mark.parametrize(
    "source",
    [
        "",
        'TASK "t"',
        '@persona "p"\nTASK "t" { LOG 1 }\n',
        'STEP "a" { STEP "b" { STEP "c" { } } }\nLOG 1',
        'VAR x = 1\nLOG x\nLOG "{{x|trim}}"',
        'READ "f" AS x\nWRITE "{{x}}" <<W\n{{x}}\nW',
        "VAR x ?= 1\nASSERT x == 1",
        'STEP "a" { VAR x = 1 }\nSTEP "b" { LOG x }',
        'RUN "true"\nASSERT LAST_RUN.EXIT_CODE == 0\nLOG "{{LAST_RUN.COMMAND|json}}"',
        'LOG "\\{{x}} {{ a + b }} {{LAST_RUN}}"',
        "WRITE 'f' <<'W'\n{{x}}\nW",
        '@speed fast 2 "x"',
    ],
)
def test_nothing_to_find(source: str) -> None:
    assert check(source) == []


@pytest.mark.parametrize(
    ("source", "findings"),
    [
        ('TASK "a"\nTASK "b"\nTASK "c"', [("T101", 2, 1, 5), ("T101", 3, 1, 5)]),
        ('STEP "s" {\n  TASK "a"\n}', [("T102", 2, 3, 7)]),
        (
            'STEP "s" { TASK "a" { } }\nTASK "b"',
            [("T102", 1, 1, 5), ("T102", 1, 12, 16), ("T101", 2, 1, 5)],
        ),
        ('VAR x = 1\nSTEP "s" { }\nTASK "a"', [("T102", 1, 1, 4), ("T102", 2, 1, 5)]),
        ('TASK "a" { }\n@p 1\nLOG 1', [("T102", 2, 1, 3), ("T102", 3, 1, 4)]),
        ("LOG ERROR.KIND", [("T102", 1, 1, 4)]),
        ('LOG "{{ERROR.KIND}} {{ERROR.LINE}}"', [("T102", 1, 1, 4)]),
        ("LOG ERROR.kind", [("T102", 1, 1, 4), ("T107", 1, 5, 15)]),
        ('RUN "a"\nLOG LAST_RUN.Stdout', [("T107", 2, 5, 20)]),
        ('RUN "a"\nLOG "x{{LAST_RUN.OUT}}"', [("T107", 2, 7, 23)]),
        ("VAR x = 1\nLOG x|upper", [("T107", 2, 5, 12)]),
        ("LOG x", [("T110", 1, 5, 6)]),
        ("VAR x = x", [("T110", 1, 9, 10)]),
        ("VAR x ?= x", [("T110", 1, 10, 11)]),
        ('READ "{{f}}" AS f', [("T110", 1, 7, 12)]),
        ("LOG x\nVAR x = 1", [("T110", 1, 5, 6)]),
        ('STEP "a" { LOG x }\nSTEP "b" { VAR x = 1 }', [("T110", 1, 16, 17)]),
        ("ASSERT a == b", [("T110", 1, 8, 9), ("T110", 1, 13, 14)]),
        ('ASSERT FILE "{{a}}" EXISTS', [("T110", 1, 14, 19)]),
        ('@p "{{a}}"', [("T110", 1, 5, 10)]),
        ("WRITE '{{a}}' <<W\n {{b}}\nW", [("T110", 2, 2, 7)]),
        ("ASSERT LAST_RUN.EXIT_CODE == 0", [("T111", 1, 8, 26)]),
        ('RUN "echo {{LAST_RUN.STDOUT}}"', [("T111", 1, 11, 30)]),
        ("LOG LAST_RUN.nope", [("T107", 1, 5, 18), ("T111", 1, 5, 18)]),
        ('VAR x = 1\nRUN "a `{{x}}`"', [("T109", 2, 9, 14)]),
        ('VAR x = 1\nRUN "{{x|raw}} {{x}}"', [("T109", 2, 16, 21)]),
        ("VAR x = 1\nRUN <<W\necho {{x}}\n  # {{x}}\nW", [("T109", 4, 5, 10)]),
        (
            "LOG b\nLOG a\nLOG LAST_RUN.x|y",
            [("T110", 1, 5, 6), ("T110", 2, 5, 6), ("T107", 3, 5, 17), ("T111", 3, 5, 17)],
        ),
        ("LOG 1\nlog x", [("T002", 2, 1, 4)]),
    ],
)
def test_findings(source: str, findings: list[tuple[str, int, int, int]]) -> None:
    assert found(source) == findings


def test_a_field_and_a_filter_at_one_place_are_one_finding() -> None:
    assert found('RUN "a"\nLOG LAST_RUN.x|y') == [("T107", 2, 5, 17)]


def test_names_that_the_operator_gives_have_values() -> None:
    assert found("LOG x\nLOG y", "y", "z") == [("T110", 1, 5, 6)]
    assert found("LOG x\nLOG y", "x", "y") == []


def test_a_tree_that_came_as_json_is_checked_too() -> None:
    source = 'LOG "{{x}}"\nLOG x|nope\nTASK "a"\nTASK "b"\nRUN "`{{x}}`"'
    tree = json.loads(json.dumps(parse(source)))
    assert [d.code for d in check(tree)] == [d.code for d in check(source)]
    assert [(d.line, d.column) for d in check(tree)][:2] == [(1, 1), (1, 1)]


def test_the_file_is_in_every_finding() -> None:
    assert {d.file for d in check("LOG x\nLOG LAST_RUN.STDOUT", "plan.tiss")} == {"plan.tiss"}
    assert check("LOG", "plan.tiss")[0].file == "plan.tiss"


def test_walk_goes_in_the_order_of_the_source() -> None:
    script = parse('STEP "a" {\nLOG 1\nSTEP "b" {\nLOG 2\n}\nLOG 3\n}\nLOG 4')
    assert [node["line"] for node, _ in walk(script)] == [1, 2, 3, 4, 6, 8]
    assert [holder["line"] for _, holder in walk(script)] == [1, 1, 1, 3, 1, 1]


def test_256_levels_are_checked() -> None:
    assert found('STEP "a" { ' * 256 + "LOG x" + " }" * 256) == [("T110", 1, 2821, 2822)]
