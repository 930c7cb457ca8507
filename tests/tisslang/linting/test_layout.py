"""T208 to T210, T212 to T214."""

import pytest
from conformance import linted as found


def test_task_and_header() -> None:
    assert found("", "T") == ["T208 1:1", "T209 1:1"]
    assert found("# only a comment", "T") == ["T208 1:1", "T209 1:1"]
    assert found('TASK "t"\nLOG 1', "T") == ["T209 1:1"]
    assert found("#TISS! Language=Python\nLOG 1", "T") == ["T208 1:1"]
    assert found('#!/usr/bin/env tiss\n#TISS!\nTASK "t" { LOG 1 }', "T") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('STEP "x" { }', ["T210 1:10"]),
        ('STEP "x" {\n# later\n}', ["T210 1:10"]),
        ('TASK "t" { }', ["T210 1:10"]),
        ("VAR x = true\nIF x { } ELSE { }", ["T210 2:6", "T210 2:15"]),
        ("TRY { LOG 1 } CATCH { }", ["T210 1:21"]),
        ('STEP "x" { STEP "y" { } }', ["T210 1:21"]),
        ('STEP "x" { LOG 1 }', []),
        ('TASK "t"', []),
        ("LOG '{ }'", []),
        ("WRITE 'f' <<W\n{ }\nW", []),
    ],
)
def test_empty_blocks(text: str, expected: list[str]) -> None:
    assert found(text, "T210") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('@speed "fast"', ["T212 1:2"]),
        ("@ speed fast", ["T212 1:3"]),
        ("@Timeout 3s", ["T212 1:2"]),
        ("@persona 'a'\n@output 'b'\n@language py", []),
        ("@timeout 3s\n@cwd 'sub'\n@env 'A=b'", []),
        ("STEP 's' { @retry 2\nLOG 1 }", []),
    ],
)
def test_directives(text: str, expected: list[str]) -> None:
    assert found(text, "T212") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('TASK "t"\n#TISS! Language=Python', ["T213 2:1"]),
        ('TASK "t" #TISS! Language=Python', ["T213 1:10"]),
        ("LOG 1\n  #TISS_VERSION >= 9", ["T213 2:3"]),
        ("LOG 1\n#TISS_VERSIONS are listed in the book", []),
        ("LOG 1\n# TISS! is not a header", []),
        ("#!x\n\n# a\n#TISS! Language=Python\n#TISS_VERSION >= 1.2\nLOG 1", []),
        ("WRITE 'f' <<W\n#TISS! Language=Python\nW", []),
        ("#TISS! Language=Python", []),
    ],
)
def test_header_zone(text: str, expected: list[str]) -> None:
    assert found(text, "T213") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VAR x = true\nIF x THEN { LOG 1 }", ["T214 2:6"]),
        ("VAR x = true\nIF x { LOG 1 } ELSE IF x THEN { LOG 2 }", ["T214 2:26"]),
        ("VAR x = true\nIF x { LOG 'THEN' } # THEN", []),
    ],
)
def test_old_spelling(text: str, expected: list[str]) -> None:
    assert found(text, "T214") == expected
