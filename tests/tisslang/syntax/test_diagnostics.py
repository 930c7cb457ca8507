"""How a finding looks, for people and for programs: one exact picture for each code."""

import json

import pytest

from tisslang.syntax import check
from tisslang.syntax.diagnostics import Diagnostic, legible, render

PICTURES = {
    "T001": (
        "ASSERT count = 3\n",
        """\
error[T001]: unexpected `=`, expected the end of the line
  --> plan.tiss:1:14
   |
 1 | ASSERT count = 3
   |              ^
   = hint: to compare: ==""",
    ),
    "T002": (
        'STEP "a" {\n    wirte "x"\n}\n',
        """\
error[T002]: unknown command wirte
  --> plan.tiss:2:5
   |
 2 |     wirte "x"
   |     ^^^^^
   = hint: did you mean WRITE?""",
    ),
    "T003": (
        'STEP "a" {\n\n\n    RUN "echo hi\n}\n',
        """\
error[T003]: string is not closed
  --> plan.tiss:4:9
   |
 4 |     RUN "echo hi
   |         ^
   = hint: close the string with " on the same line""",
    ),
    "T004": (
        r'LOG "C:\dir"',
        r"""error[T004]: unknown escape \d
  --> plan.tiss:1:8
   |
 1 | LOG "C:\dir"
   |        ^^
   = hint: write \\d for a backslash, or a 'single' string, which has no escapes""",
    ),
    "T005": (
        'STEP "a" {\n    WRITE "f" <<PY\n    x = 1\n    PY\n}\n',
        """\
error[T005]: heredoc <<PY is not closed
  --> plan.tiss:2:15
   |
 2 |     WRITE "f" <<PY
   |               ^^^^
   = hint: line 4 has an indented PY: write <<-PY, or move it to column 1""",
    ),
    "T006": (
        'TASK "t" {\n    STEP "a" {\n        LOG 1\n    }\n',
        """\
error[T006]: block is not closed
  --> plan.tiss:1:10
   |
 1 | TASK "t" {
   |          ^
   = hint: close it with } after its last line""",
    ),
    "T007": (
        "LOG 1\n" * 9 + "}",
        """\
error[T007]: } without a block
   --> plan.tiss:10:1
    |
 10 | }
    | ^
    = hint: remove it, or open a block with { before it""",
    ),
    "T008": (
        "\n".join(['STEP "a" {'] * 257),
        """\
error[T008]: blocks are nested deeper than 256
    --> plan.tiss:257:10
     |
 257 | STEP "a" {
     |          ^
     = hint: steps may stand one after the other""",
    ),
    "T009": (
        "LOG 1\nLOG '\0'\n",
        """\
error[T009]: NUL character in the script
  --> plan.tiss:2:6
   |
 2 | LOG '\ufffd'
   |      ^""",
    ),
    "T010": (
        "#!/usr/bin/env tiss\n#TISS_VERSION >= 2.0\n",
        """\
error[T010]: this plan needs TissLang >= 2.0, and this is 1.2.0
  --> plan.tiss:2:1
   |
 2 | #TISS_VERSION >= 2.0
   | ^^^^^^^^^^^^^^^^^^^^
   = hint: run it with a version of tiss that it was written for""",
    ),
    "T101": (
        'TASK "a" { }\nTASK "b" { }\n',
        """\
error[T101]: second TASK
  --> plan.tiss:2:1
   |
 2 | TASK "b" { }
   | ^^^^
   = hint: a script has one TASK; use STEP""",
    ),
    "T102": (
        'LOG "early"\nTASK "a" { }\n',
        """\
error[T102]: LOG before the TASK
  --> plan.tiss:1:1
   |
 1 | LOG "early"
   | ^^^
   = hint: only directives and definitions stand before the TASK: move it below""",
    ),
    "T103": (
        'DEFINE_TASK "compile" { }\n    CALL "compil"\n',
        """\
error[T103]: unknown sub-task "compil"
  --> plan.tiss:2:5
   |
 2 |     CALL "compil"
   |     ^^^^
   = hint: did you mean compile?""",
    ),
    "T104": (
        'CALL "compile" WITH files = "a.py"\nDEFINE_TASK "compile" WITH file { }\n',
        """\
error[T104]: CALL "compile": file is missing, files is no parameter of it
  --> plan.tiss:1:1
   |
 1 | CALL "compile" WITH files = "a.py"
   | ^^^^
   = hint: its parameters are: file""",
    ),
    "T105": (
        'DEFINE_TASK "a" { CALL "b" }\nDEFINE_TASK "b" { CALL "a" }\n',
        """\
error[T105]: sub-task "a" leads back to itself (a → b → a)
  --> plan.tiss:1:1
   |
 1 | DEFINE_TASK "a" { CALL "b" }
   | ^^^^^^^^^^^
   = hint: there is no recursion, so that every plan ends""",
    ),
    "T106": (
        'DEFINE_TASK "a" { }\nDEFINE_TASK "a" { }\n',
        """\
error[T106]: sub-task "a" is defined twice
  --> plan.tiss:2:1
   |
 2 | DEFINE_TASK "a" { }
   | ^^^^^^^^^^^
   = hint: the first definition is on line 1: choose another name""",
    ),
    "T108": (
        'PARALLEL {\n    STEP "a" { VAR x = 1 }\n    STEP "b" { VAR x = 2 }\n}\n',
        """\
error[T108]: two branches of PARALLEL assign x
  --> plan.tiss:3:5
   |
 3 |     STEP "b" { VAR x = 2 }
   |     ^^^^
   = hint: the other one is on line 2: use two names""",
    ),
    "T107": (
        'RUN "true"\nASSERT LAST_RUN.stdout == ""\n',
        """\
error[T107]: LAST_RUN has no field stdout
  --> plan.tiss:2:8
   |
 2 | ASSERT LAST_RUN.stdout == ""
   |        ^^^^^^^^^^^^^^^
   = hint: fields are upper case: STDOUT""",
    ),
    "T109": (
        'VAR n = 1\nRUN "echo $(( {{n}} + 1 ))"\n',
        """\
error[T109]: this reference cannot be quoted safely: the command has ((
  --> plan.tiss:2:15
   |
 2 | RUN "echo $(( {{n}} + 1 ))"
   |               ^^^^^
   = hint: calculate in a program; for ( ( leave a blank""",
    ),
    "T110": (
        'WRITE "a.yml" <<YML\non: push\nrun: ${{ secret }}\nYML\n',
        """\
error[T110]: variable secret has no value here
  --> plan.tiss:3:7
   |
 3 | run: ${{ secret }}
   |       ^^^^^^^^^^^^
   = hint: where {{ is meant as text, write \\{{ or open the heredoc with <<'YML'""",
    ),
    "T111": (
        "\tLOG\tLAST_RUN.STDOUT",
        """\
error[T111]: LAST_RUN has no value here
  --> plan.tiss:1:6
   |
 1 |  LOG LAST_RUN.STDOUT
   |      ^^^^^^^^^^^^^^^
   = hint: nothing has run yet: a RUN must come before""",
    ),
}


def test_each_code_has_a_picture() -> None:
    syntax = {f"T{number:03}" for number in range(1, 11)}
    assert {*PICTURES} == syntax | {f"T{number}" for number in range(101, 112)}


@pytest.mark.parametrize("code", PICTURES)
def test_each_code_has_its_picture(code: str) -> None:
    source, picture = PICTURES[code]
    findings = check(source, "plan.tiss")
    assert [finding.code for finding in findings] == [code]
    assert render(findings[0], source) == picture


def finding(line: int, column: int, end_column: int | None = None, **more: object) -> Diagnostic:
    values = {"end_line": line, "end_column": end_column or column + 1, "hint": None} | more
    return Diagnostic("T001", "error", "m", "f", line, column, **values)  # type: ignore[arg-type]


def rows(diagnostic: Diagnostic, source: str) -> tuple[str, str]:
    lines = render(diagnostic, source).split("\n")
    return lines[3], lines[4]


def test_no_hint_no_row() -> None:
    assert len(render(finding(1, 1), "x").split("\n")) == 5


@pytest.mark.parametrize("source", ["a\nbc\n", "\ufeffa\r\nbc\r\n", "a\nbc"])
def test_byte_order_mark_and_line_endings_are_not_shown(source: str) -> None:
    assert rows(finding(2, 2), source) == (" 2 | bc", "   |  ^")
    assert rows(finding(1, 1), source) == (" 1 | a", "   | ^")


def test_a_span_over_the_end_of_its_line_is_cut_there() -> None:
    assert rows(finding(1, 2, 9), "abc") == (" 1 | abc", "   |  ^^")
    assert rows(finding(1, 2, 1, end_line=2), "abc\nx") == (" 1 | abc", "   |  ^^")
    assert rows(finding(1, 4), "abc") == (" 1 | abc", "   |    ^")
    assert rows(finding(2, 1), "abc\n") == (" 2 |", "   | ^")


def test_wide_and_control_characters_take_one_place_each() -> None:
    source = "日\t\x1b[31m\u202e\x07é" + "e\u0301x"
    line, caret = rows(finding(1, len(source)), source)
    assert line == " 1 | 日 \ufffd[31m\ufffd\ufffdée\u0301x"
    assert caret == "   | " + " " * (len(source) - 1) + "^"
    assert legible("a\u2028b\x00") == "a\ufffdb\ufffd"
    assert legible("abcdef", 4) == "abc…"


@pytest.mark.parametrize("length", [160, 161, 200, 500])
@pytest.mark.parametrize("place", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("width", [1, 7, 400])
def test_long_lines_are_cut_around_the_column(length: int, place: float, width: int) -> None:
    source = "".join(chr(ord("a") + i % 26) for i in range(length))
    column = min(length, 1 + int(place * length))
    line, caret = rows(finding(1, column, column + width), source)
    line, caret = line[5:], caret[5:]
    assert len(line) <= 160
    assert len(caret) <= 160
    start = caret.index("^")
    assert set(caret[start:]) == {"^"}
    assert line[start] in (source[column - 1], "…")
    body = line.strip("…")
    assert body in source
    assert line.startswith("…") is not source.startswith(body)
    assert line.endswith("…") is not source.endswith(body)
    if width == 1:
        assert line[start] == source[column - 1]


def test_colour_changes_nothing_but_the_colour() -> None:
    import re

    source = 'RUN "x'
    (diagnostic,) = check(source, "plan.tiss")
    coloured = render(diagnostic, source, color=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(diagnostic, source)


def test_json_has_exactly_these_keys() -> None:
    (diagnostic,) = check('RUN "x', "plan.tiss")
    assert json.loads(json.dumps(diagnostic.to_json())) == {
        "code": "T003",
        "severity": "error",
        "message": "string is not closed",
        "file": "plan.tiss",
        "line": 1,
        "column": 5,
        "end_line": 1,
        "end_column": 6,
        "hint": 'close the string with " on the same line',
    }
