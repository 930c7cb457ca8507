"""T204 and T206."""

import pytest
from conformance import linted as found


@pytest.mark.parametrize(
    "condition",
    [
        "1 == 1",
        "true",
        "false",
        '"a" CONTAINS "b"',
        '"a" NOT CONTAINS "b"',
        "'' IS_EMPTY",
        '"" NOT IS_EMPTY',
        "5m == 300",
        '"3 " == 3',
        '"a" < "b"',  # an error, always
        '"text"',
        "'{{x}}' == 1",  # a text, not a value
        "1 < 2.5",
    ],
)
def test_constant(condition: str) -> None:
    assert found(f"ASSERT {condition}", "T206") == ["T206 1:1"]
    assert found(f"IF {condition} {{ LOG 1 }}", "T206") == ["T206 1:1"]
    assert found(f"VAR y = 1\nIF y {{ }} ELSE IF {condition} {{ }}", "T206") == ["T206 2:15"]


@pytest.mark.parametrize(
    "condition",
    ["x", "x == 1", '"{{x}}" == "1"', '"a" CONTAINS x', 'FILE "f" EXISTS', 'FILE "f" NOT EXISTS'],
)
def test_not_constant(condition: str) -> None:
    text = f"VAR x = 1\nASSERT {condition}\nIF {condition} {{ LOG 1 }} ELSE {{ LOG 2 }}"
    assert found(text, "T204", "T206") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ASSERT false\nLOG "x"\nLOG "y"', ["T204 2:1"]),
        ('ASSERT 1 == 2\nLOG "x"', ["T204 2:1"]),
        ('ASSERT 1 < "a"\nLOG "x"', ["T204 2:1"]),
        ("IF true { LOG 1 } ELSE { LOG 2 }", ["T204 1:26"]),
        ("IF false { LOG 1 } ELSE { LOG 2 }", ["T204 1:12"]),
        ("IF false { LOG 1 }\nLOG 2", ["T204 1:12"]),
        ("IF true { LOG 1 }\nELSE IF true { LOG 2 } ELSE { LOG 3 }", ["T204 2:6"]),
        ("IF true { ASSERT false } ELSE { LOG 1 }\nLOG 2", ["T204 1:33", "T204 2:1"]),
        ("VAR x = true\nIF x { ASSERT false } ELSE { ASSERT false }\nLOG 2", ["T204 3:1"]),
        ("IF 1 < true { LOG 1 } ELSE { LOG 2 }\nLOG 3", ["T204 1:15", "T204 1:30", "T204 2:1"]),
        ("TRY { ASSERT false\nLOG 1 } CATCH { LOG 2 }\nLOG 3", ["T204 2:1"]),
        ("TRY { ASSERT false } CATCH { ASSERT false }\nLOG 3", ["T204 2:1"]),
        ('STEP "a" { STEP "b" { ASSERT false }\nLOG 1 }\nSTEP "c" { LOG 2 }', ["T204 2:1"]),
        ('TASK "t" {\nSTEP "a" { ASSERT false\nLOG 1 }\nSTEP "b" { LOG 2 }\n}', ["T204 3:1"]),
        ('DEFINE_TASK "f" { ASSERT false }\nCALL "f"\nLOG 1', ["T204 3:1"]),
        ('ASSERT false\nDEFINE_TASK "f" { LOG 1 }\nCALL "f"', ["T204 3:1"]),
        ('PARALLEL { STEP "a" { LOG 1 }\nSTEP "b" { ASSERT false } }\nLOG 1', ["T204 3:1"]),
        ('CHOOSE { OPTION "a" { ASSERT false } }\nLOG 1', ["T204 2:1"]),
    ],
)
def test_unreachable(text: str, expected: list[str]) -> None:
    assert found(text, "T204") == expected


@pytest.mark.parametrize(
    "text",
    [
        "LOG 1\nASSERT false",
        "ASSERT true\nLOG 1",
        "IF true { LOG 1 }",
        "IF true { LOG 1 } ELSE { }",
        "VAR x = true\nIF x { ASSERT false }\nLOG 2",
        "VAR x = true\nIF x { ASSERT false } ELSE { LOG 1 }\nLOG 2",
        "TRY { ASSERT false } CATCH { LOG 1 }\nLOG 2",
        # The operator can begin with the second step, or go on with it.
        'STEP "a" { ASSERT false }\nSTEP "b" { LOG 1 }',
        'TASK "t"\nSTEP "a" { ASSERT false }\nSTEP "b" { LOG 1 }',
        'CHOOSE { OPTION "a" { ASSERT false }\nOPTION "b" { LOG 1 } }\nLOG 1',
        "ESTIMATE_COST { ASSERT false }\nLOG 1",
        'DEFINE_TASK "f" { ASSERT false }\nLOG 1',
        'DEFINE_TASK "f" { CALL "f" }\nCALL "f"\nLOG 1',  # recursion is another error
        'RUN "exit 1"\nLOG 1',
    ],
)
def test_reachable(text: str) -> None:
    assert found(text, "T204") == []
