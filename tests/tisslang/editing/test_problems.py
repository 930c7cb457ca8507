"""What is wrong with a script that somebody is writing, and what is not said yet."""

import pytest

from tisslang import lint
from tisslang.editing import Script, problems
from tisslang.editing.mends import silencing
from tisslang.linting import Edit


def codes(text: str) -> list[str]:
    return [f"{x.code} {x.line}:{x.column}-{x.end_line}:{x.end_column}" for x in problems(text)]


def without_style(text: str) -> list[str]:
    return [x for x in codes(text) if not x.startswith(("T208", "T209"))]


def mended(text: str, edits: tuple[Edit, ...]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text


def test_a_good_script_has_the_findings_of_the_linter() -> None:
    text = 'VAR x = 1\nRUN "sudo {{y}}"\nIF true THEN { }\n'
    assert [(x.code, x.line, x.column, x.message, x.hint) for x in problems(text)] == [
        (x.code, x.line, x.column, x.message, x.hint) for x in lint(text)
    ]


def test_names_that_the_operator_gives_are_known_beside_a_syntax_error() -> None:
    found = problems('TASK "x"\nLGO 1\nLOG who\nLOG other', assigned=["who"])
    assert [(x.code, x.line) for x in found if x.code != "T209"] == [("T002", 2), ("T110", 4)]


def test_all_syntax_errors_and_what_is_wrong_beside_them() -> None:
    text = 'LGO 1\nLOG "a\nRUN "sudo ls"\nLOG COST.NONE\n'
    assert without_style(text) == [
        *("T002 1:1-1:4", "T003 2:5-2:6", "T207 3:1-3:4"),
        *("T303 3:5-3:14", "T107 4:5-4:14"),
    ]


@pytest.mark.parametrize(
    ("broken", "silent"),
    [
        ("VAR x = \nLOG x", "T110"),
        ("READ 'a' AS x y\nLOG x", "T110"),
        ("VAR x = 1\nLOG x x", "T203"),
        ("VAR x = 1\nLOG 'a' {{x}}", "T203"),
        ("CALL 'work'\nDEFINE_TASK 'work' WITH { }", "T103"),
        ("DEFINE_TASK 'work' { LOG 1 }\nCALL work", "T205"),
        ("RUN echo\nLOG LAST_RUN.STDOUT", "T111"),
        ("RUN 'true'\nASSERT LAST_RUN.EXIT_CODE = 0", "T207"),
        ("TASK name\nSTEP 'a' { LOG 1 }", "T208"),
        ("TRY { LOG 1 } CATCH e { LOG ERROR.MESSAGE }", "T102"),
        ("IF x = 1 { ASSERT false }\nLOG 1", "T204"),
        # what stands in a broken statement's blocks seems to stand around it
        ("IF x = 1 { RUN 'a' } ELSE { RUN 'b' }\nLOG LAST_RUN.STDOUT", "T207"),
        ("DEFINE_TASK 'a' WITH { LOG x }\nVAR x = 1\nCALL 'a'", "T110"),
        # a block that is not closed yet takes in what follows
        ("PARALLEL {\nSTEP 'a' { VAR x = 1 }\nSTEP 'b' { LOG x }\n", "T110"),
        ("STEP 'a' {\nDEFINE_TASK 'b' { LOG 1 }\nCALL 'b'", "T102"),
        ('WRITE "a" <<TEXT\n{{x}}\nVAR y = 1', "T110"),
    ],
)
def test_what_a_broken_statement_could_refute_is_not_said(broken: str, silent: str) -> None:
    found = problems(broken)
    assert any(x.severity == "error" and x.code < "T010" for x in found)
    assert silent not in [x.code for x in found]


def test_what_it_could_not_refute_is() -> None:
    text = "VAR x = \nLOG y\nVAR z = 1\nCALL 'work'\n"
    assert without_style(text) == ["T001 1:9-1:9", "T110 2:5-2:6", "T203 3:5-3:6", "T103 4:1-4:5"]


def test_a_text_with_characters_that_no_script_has() -> None:
    assert codes("LOG 1\0\nLOG x") == ["T009 1:6-1:7"]
    assert codes("LOG 1\rLOG 2") == ["T009 1:6-1:7"]
    assert codes("x" * (8 << 20) + "yz") == ["T009 1:1-1:1"]
    assert Script("LOG 1\0\nVAR x = 1").names.mentions[0].name == "x"


def test_positions_lie_in_the_text_where_something_is_missing() -> None:
    assert without_style("LOG") == ["T001 1:4-1:4"]
    assert without_style("") == []
    assert codes("") == ["T208 1:1-1:1", "T209 1:1-1:1"]


@pytest.mark.parametrize(
    ("text", "code", "title", "expected"),
    [
        ("LGO 1", "T002", "Change to LOG", "LOG 1"),
        ("log 1", "T002", "Change to LOG", "LOG 1"),
        ("VAR name = 1\nLOG nmae", "T110", "Change to name", "VAR name = 1\nLOG name"),
        ('VAR name = 1\nLOG "{{ nmae|trim }}"', "T110", "Change to name", None),
        ("CALL 'wrok'\nDEFINE_TASK 'work' { LOG 1 }", "T103", "Change to work", None),
        ("LOG LAST_RUN.stdout", "T107", "Change to STDOUT", "LOG LAST_RUN.STDOUT"),
        ('RUN "a"\nLOG "{{LAST_RUN.STDOTU}}"', "T107", "Change to STDOUT", None),
        ("VAR x = 1\nLOG x|trmi", "T107", "Change to trim", "VAR x = 1\nLOG x|trim"),
        ("SET_BUDGET API_CALL = 1", "T107", "Change to API_CALLS", "SET_BUDGET API_CALLS = 1"),
        ('LOG "a  \nLOG 1', "T003", "Close the string", 'LOG "a"  \nLOG 1'),
        ("LOG “a", "T001", 'Change to "', 'LOG "a'),
        ("VAR x = 1\nASSERT x = 1", "T001", "Change to ==", "VAR x = 1\nASSERT x == 1"),
        ("VAR x == 1", "T001", "Change to =", "VAR x = 1"),
        ('LOG "\\d"', "T004", "Write two backslashes", 'LOG "\\\\d"'),
        ("LOG 1;", "T001", "Remove the ;", "LOG 1"),
        ("LOG 1\n}", "T007", "Remove the }", "LOG 1\n"),
        ('STEP "a" {\nLOG 1', "T006", "Close the block at the end", 'STEP "a" {\nLOG 1\n}\n'),
        ("IF true  THEN { LOG 1 }", "T214", "Remove THEN", "IF true { LOG 1 }"),
        ('RUN "a"\nRUN "b {{LAST_RUN.STDOUT}}"', "T219", "Add |trim", None),
    ],
)
def test_fixes(text: str, code: str, title: str, expected: str | None) -> None:
    fix = next(x for x in problems(text) if x.code == code).fixes[0]
    assert fix.title == title
    for head in ("", "\ufeff# é\r\n"):
        found = next(x for x in problems(head + text) if x.code == code)
        result = mended(head + text, found.fixes[0].edits)
        assert expected is None or result == head + expected
        assert code not in [x.code for x in problems(result) if x.line == found.line]


def test_a_finding_can_be_silenced() -> None:
    for text, place in (
        ("VAR x = 1", "VAR x"),
        ("STEP 'a' {\n    VAR x = 1 }", "VAR x"),
        ("# tiss: ignore T204\nVAR x = 1", "VAR x"),
        ("VAR x = 1  # tiss: ignore T204", "VAR x"),
        ('WRITE "a" <<T\nghp_' + "a" * 36 + "\nT", "WRITE"),
    ):
        found = next(x for x in problems(text) if x.code in ("T203", "T306"))
        fix = silencing(Script(text), found)
        assert fix is not None
        result = mended(text, fix.edits)
        assert found.code not in [x.code for x in problems(result)]
        assert place in result
    assert silencing(Script("LGO"), next(x for x in problems("LGO") if x.code == "T002")) is None
    found = next(x for x in problems("#!tiss") if x.code == "T208")
    assert silencing(Script("#!tiss"), found) is None


def test_only_what_the_linter_mends_is_safe() -> None:
    text = "LGO 1\nIF true THEN { LOG 1 }"
    assert {x.code for x in problems(text) if x.is_safe_to_fix} == {"T214"}
