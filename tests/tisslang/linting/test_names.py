"""T203 and T205."""

import pytest
from conformance import linted as found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VAR x = 1", ["T203 1:5"]),
        ("VAR x ?= 1", ["T203 1:5"]),
        ('READ "f" AS x', ["T203 1:13"]),
        ('PROMPT_AGENT "p" INTO x', ["T203 1:23"]),
        ("PROMPT_AGENT INTO x <<P\np\nP", ["T203 1:19"]),
        ('ESTIMATE_COST INTO x { RUN "a" }', ["T203 1:20"]),
        ('DEFINE_TASK "d" WITH a, b { LOG a }\nCALL "d" WITH a = 1, b = 2', ["T203 1:25"]),
        ("VAR x = 1\nVAR x = 2", ["T203 1:5"]),  # once, where the name first gets a value
        ("VAR x = 1\nVAR X = 2\nLOG X", ["T203 1:5"]),
        ("VAR x = 1\nLOG 'x {{x}}'", ["T203 1:5"]),
        ("VAR x = 1\nWRITE 'f' <<'W'\n{{x}}\nW", ["T203 1:5"]),
        ('VAR x = 1\nLOG "\\{{x}}"', ["T203 1:5"]),
        ('VAR x = 1\nSTEP "{{x}}" { LOG 1 }', ["T203 1:5"]),
        ('VAR x = 1\nDEFINE_TASK "d" WITH x { LOG 1 }\nCALL "d" WITH x = 2', ["T203 1:5"]),
    ],
)
def test_never_read(text: str, expected: list[str]) -> None:
    assert found(text, "T203") == expected


@pytest.mark.parametrize(
    "text",
    [
        "VAR x = 1\nLOG x",
        "VAR _x = 1",
        'READ "f" AS _',
        'VAR x = 1\nLOG "{{ x | trim }}"',
        "VAR x = 1\nWRITE 'f' <<W\n{{x}}\nW",
        "VAR x = 1\nASSERT 1 == x",
        "VAR x = 1\nIF x { LOG 1 }",
        'VAR x = "f"\nASSERT FILE "{{x}}" EXISTS',
        'VAR x = "a"\n@persona "{{x}}"',
        'VAR x = 1\nDEFINE_TASK "d" WITH y { LOG y }\nCALL "d" WITH y = x',
        "VAR x = 1\nVAR x = x",
        'STEP "later" { LOG x }\nVAR x = 1',
        'VAR x = 1\nPAUSE "{{x}}"',
    ],
)
def test_read(text: str) -> None:
    assert found(text, "T203") == []


def test_a_name_that_the_operator_gives_need_not_be_read() -> None:
    assert found("LOG 1", "T203", assigned=("x",)) == []


def test_sub_tasks() -> None:
    text = 'DEFINE_TASK "a" { LOG 1 }\nDEFINE_TASK "A" { LOG 2 }\nCALL "A"'
    assert found(text, "T205") == ["T205 1:13"]
    assert found('CALL "a"\nDEFINE_TASK "a" { LOG 1 }', "T205") == []
    assert found('DEFINE_TASK "a" { LOG 1 }\nDEFINE_TASK "b" { CALL "a" }', "T205") == ["T205 2:13"]
