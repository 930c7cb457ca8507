"""§4.3 of the language reference: interpolation."""

from pathlib import Path

import pytest
from conformance import found, hint, linted, logged, run

# What is replaced: with x = "v", and after a RUN that printed "o".
MATCHES = {
    "{{x}}": "v",
    "{{ x }}": "v",
    "{{\tx \t}}": "v",
    "{{x|trim}}": "v",
    "{{ x \t|\t trim }}": "v",
    "{{x|json}}": '"v"',
    "{{x|raw}}": "v",
    "a{{x}}b{{x}}c": "avbvc",
    "{{x}}{{x}}": "vv",
    "{{{x}}": "{v",
    "{{{{x}}}}": "{{v}}",
    "{{{x}}}": "{v}",
    "${{x}}": "$v",
    "{{ {{x}} }}": "{{ v }}",
    "{{y {{x}}": "{{y v",
    "{{LAST_RUN.STDOUT}}": "o",
    "{{ LAST_RUN.EXIT_CODE | json }}": "0",
    "{{COST.RUNS}}": "1",
    "{{COST}}": "0",
    "{{ COST }}": "0",
}

# What is not: it stays as it is.
NO_MATCH = [
    "{{ a + b }}", "${{ github.sha }}", "{{}}", "{{ }}", "{{1}}", "{{x|}}", "{{|x}}", "{{x.y}}",
    "{{x||trim}}", "{{x|trim|json}}", "{{x|1}}", "{x}", "{{x}", "{ {x}}", "{{x} }", "{{a b}}",
    "{{LAST_RUN}}", "{{LAST_RUN .STDOUT}}", "{{LAST_RUN. STDOUT}}", "{{ERROR}}", "{{COST.}}",
    "{{RUN}}", "{{true}}", "{{x|RUN}}", "{{LAST_RUN.STEP}}", "{{-x}}", "{{'x'}}", "{{é}}",
    "{{\u00a0x}}", "{{x,}}", "{{#x}}", "}}", "{{", "{{x", "{%x%}",
]  # fmt: skip


@pytest.mark.parametrize("text", MATCHES)
def test_what_is_replaced(text: str, tmp_path: Path) -> None:
    script = f'VAR x = "v"\nRUN "printf o"\nLOG "{text}"\nVAR y = <<W\n{text}\nW\nLOG y\n'
    assert logged(script, tmp_path) == [MATCHES[text], MATCHES[text] + "\n"]


@pytest.mark.parametrize("text", NO_MATCH)
def test_what_stays_as_it_is(text: str, tmp_path: Path) -> None:
    script = f"VAR x = 'v'\nVAR y = <<W\n{text}\nW\nLOG y\n"
    assert logged(f'{script}LOG "{text}"\n', tmp_path) == [text + "\n", text]


def test_an_interpolation_stays_on_its_line(tmp_path: Path) -> None:
    assert logged("VAR y = <<W\n{{\nx}}\nW\nLOG y\n", tmp_path) == ["{{\nx}}\n"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('LOG "{{ a + b }}"', ["T215 1:6"]),
        ('LOG "x ${{ github.sha }}"', ["T215 1:9"]),
        ("VAR y = <<W\nx {{ a b }}\nW\nLOG y", ["T215 2:3"]),
        (r'LOG "\{{ a + b }}"', []),
        ("LOG '{{ a + b }}'", []),
        ("VAR y = <<'W'\n{{ a b }}\nW\nLOG y", []),
    ],
)
def test_lint_points_at_what_only_looks_like_one(text: str, expected: list[str]) -> None:
    assert linted(text, "T215") == expected


@pytest.mark.parametrize(
    "value", ["{{y}}", "\\{{y}}", "{{x}}", "{{LAST_RUN.STDOUT}}", "{{", "${y}"]
)
def test_a_value_is_never_interpolated_again(value: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_text(value)
    text = 'READ \'in\' AS x\nVAR y = 1\nVAR z = "{{x}}"\nLOG "{{z}}"\n'
    assert logged(text, tmp_path) == [value]
    assert logged('LOG "{{x}}"\n', tmp_path, var={"x": value}) == [value]


def test_halves_of_a_pattern_do_not_join(tmp_path: Path) -> None:
    assert logged('VAR x = "{"\nVAR y = 1\nLOG "{{x}}{{x}}y}}"\n', tmp_path) == ["{{y}}"]


# Errors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('LOG "ab{{ x }}"', "T110 1:8"),
        ('LOG "é\\n{{x}}"', "T110 1:9"),
        ('LOG "{{{x}}"', "T110 1:7"),
        ("WRITE 'a' <<W\nok\n\t{{x}}\nW", "T110 3:2"),
        ("STEP 's' {\n  WRITE 'a' <<-W\n    b {{x}}\n  W\n}", "T110 3:7"),
        ("VAR y = 1\nLOG '1'\nRUN <<W\necho {{y|upper}}\nW", "T107 4:6"),
        ('LOG "a {{LAST_RUN.stdout}}"', "T107 1:8"),
        ('RUN "true"\nLOG "a {{LAST_RUN.NOPE}}"', "T107 2:8"),
        ('VAR y = 1\nLOG "{{y|TRIM}}"', "T107 2:6"),
        ("VAR y = 1\nLOG y|upper", "T107 2:5"),
    ],
)
def test_errors_point_at_the_braces(text: str, expected: str) -> None:
    assert expected in found(text)
    assert {each.split()[1] for each in found(text)} == {expected.split()[1]}


def test_the_hint_in_a_heredoc_offers_both_ways_out() -> None:
    said = hint("WRITE 'a' <<PY\nprint({{x}})\nPY\n")
    assert "<<'" in said
    assert r"\{{" in said
    assert "<<'" not in hint('LOG "{{x}}"\n')


# Filters

FILTERED = [
    ("'  a b\\n'", "trim", "a b\\n"),
    ('" \\t\\n\\r a \\n b \\n"', "trim", "a \n b"),
    ("12", "trim", "12"),
    ("true", "trim", "true"),
    ("'plain'", "json", '"plain"'),
    (r'"a\"b\\c\nd\té"', "json", r'"a\"b\\c\nd\té"'),
    ("'日本 😀'", "json", '"日本 😀"'),
    ("3", "json", "3"),
    ("-1.5", "json", "-1.5"),
    ("false", "json", "false"),
    ("' a '", "raw", " a "),
    ("7", "raw", "7"),
]


@pytest.mark.parametrize(("value", "name", "expected"), FILTERED)
def test_filters(value: str, name: str, expected: str, tmp_path: Path) -> None:
    text = f'VAR x = {value}\nLOG x|{name}\nVAR y = x|{name}\nLOG y\nLOG "{{{{x|{name}}}}}"\n'
    assert logged(text, tmp_path) == [expected] * 3


def test_trim_and_json_give_text_and_raw_changes_nothing(tmp_path: Path) -> None:
    text = "VAR x = 12\nVAR a = x|trim\nVAR b = x|json\nVAR c = x|raw\n"
    assert run(text, tmp_path)["variables"] == {"a": "12", "b": "12", "c": 12, "x": 12}


def test_operands_take_filters(tmp_path: Path) -> None:
    text = """\
RUN 'echo x'
ASSERT LAST_RUN.STDOUT|trim == "x"
ASSERT 'axb' CONTAINS LAST_RUN.STDOUT|trim
VAR s = ' '
ASSERT s|trim IS_EMPTY
VAR j = LAST_RUN.STDOUT|json
LOG j
CALL 'd' WITH p = s|json
DEFINE_TASK 'd' WITH p { LOG p }
"""
    assert logged(text, tmp_path) == [r'"x\n"', '" "']


# Where


def test_what_is_interpolated(tmp_path: Path) -> None:
    text = """\
VAR x = "f"
MKDIR "d{{x}}"
WRITE "{{x}}" <<W
{{x}}
W
READ "{{x}}" AS y
RUN "echo {{x}}"
ASSERT LAST_RUN.COMMAND == "echo 'f'"
RUN <<W
echo {{x}}
W
LOG "{{x}}"
VAR z = "{{x}}"
VAR w = <<W
{{x}}
W
ASSERT "{{x}}" == "f"
ASSERT FILE "{{x}}" EXISTS
IF "{{x}}" CONTAINS "{{x}}" { LOG 1 }
PROMPT_AGENT "{{x}}" INTO a
PROMPT_AGENT INTO b <<W
{{x}}
W
CALL "d" WITH p = "{{x}}"
DELETE "d{{x}}"
DEFINE_TASK "d" WITH p { LOG p }
"""
    report = run(text, tmp_path, agent="echo")
    assert report["error"] is None
    assert [each.name for each in tmp_path.iterdir()] == ["f"]
    assert report["log"] == ["f", "1", "f"]
    assert report["last_run"]["stdout"] == "f\n"
    assert report["variables"] == {
        "a": "f", "b": "f\n", "w": "f\n", "x": "f", "y": "f\n", "z": "f",
    }  # fmt: skip


def test_questions_are_interpolated(tmp_path: Path) -> None:
    events: list[dict[str, object]] = []
    text = 'VAR x = "f"\nPAUSE "a {{x}}"\nREQUEST_REVIEW "b {{x}}"\n'
    run(text, tmp_path, yes=True, on_event=events.append)
    assert [each["message"] for each in events if each["event"] == "question"] == ["a f", "b f"]


def test_directive_values_are_evaluated_once_when_reached(tmp_path: Path) -> None:
    text = (
        'VAR x = "one"\n@env "A={{x}}"\nVAR x = "two"\nRUN "echo $A"\nLOG LAST_RUN.STDOUT|trim\n'
        'STEP "s" { @env "A={{x}}"\nVAR x = "three"\nRUN "echo $A"\nLOG LAST_RUN.STDOUT|trim }\n'
    )
    assert logged(text, tmp_path) == ["one", "two"]


def test_names_and_descriptions_are_not_interpolated(tmp_path: Path) -> None:
    text = (
        'TASK "t {{x}}"\nSETUP "u {{x}}" { LOG 1 }\nSTEP "s {{x}}" { CALL "d {{x}}" }\n'
        'CHOOSE { OPTION "o {{x}}" { LOG 3 } }\nDEFINE_TASK "d {{x}}" { LOG 2 }\n'
    )
    assert found(text) == []
    report = run(text, tmp_path, answer=["o {{x}}"])
    assert report["log"] == ["1", "2", "3"]
    assert report["task"] == "t {{x}}"
    assert [each["description"] for each in report["steps"]] == ["u {{x}}", "s {{x}}"]
