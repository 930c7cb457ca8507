"""The linter as a whole: order, selection, fixes, positions, growth."""

import random

import pytest
from scripts import mutate, random_script

from tisslang.errors import TissParseError
from tisslang.linting import Finding, fix, lint
from tisslang.syntax import check, parse
from tisslang.syntax.diagnostics import Diagnostic, render

ALL_KINDS = 'VAR a = 1\nREAD "../{{b}}" AS c\nIF true THEN { RUN "sudo ls" }\nLOG ERROR.KIND'


def codes(findings: list[Diagnostic]) -> list[str]:
    return [finding.code for finding in findings]


def test_findings_are_in_order_and_complete() -> None:
    found = lint(ALL_KINDS, "plan.tiss")
    places = [(each.line, each.column, each.code) for each in found]
    assert places == sorted(set(places))
    assert {each.file for each in found} == {"plan.tiss"}
    assert set(codes(found)) == {
        *("T208", "T209", "T203", "T110", "T301", "T206", "T214", "T303", "T207", "T102")
    }
    assert set(codes(check(ALL_KINDS))) == {"T110", "T102"}


def test_a_syntax_error_stands_alone() -> None:
    (finding,) = lint("VAR x = 1\nLOG 'a", "f")
    assert (finding.code, finding.line, finding.column, finding.file) == ("T003", 2, 5, "f")
    assert codes(lint(b"LOG '\xff'")) == ["T009"]


def test_bytes_and_text_are_the_same() -> None:
    text = '\ufeffVAR x = 1\r\nLOG "{{ é + b }}"\r\n'
    assert lint(text) == lint(text.encode())
    assert [(each.line, each.column) for each in lint(text) if each.code == "T215"] == [(2, 6)]


def test_selection() -> None:
    everything = lint(ALL_KINDS)
    errors = ["T110", "T102"]
    assert codes(lint(ALL_KINDS, select=["T303"])) == ["T110", "T303", "T102"]
    assert codes(lint(ALL_KINDS, select=["T3"])) == ["T301", "T110", "T303", "T102"]
    assert codes(lint(ALL_KINDS, select=["T3"], ignore=["T301"])) == ["T110", "T303", "T102"]
    assert codes(lint(ALL_KINDS, ignore=["T2", "T3"])) == errors
    assert codes(lint(ALL_KINDS, ignore=["T1"])) == codes(everything)
    assert codes(lint(ALL_KINDS, select=["T1"])) == errors
    assert codes(lint(ALL_KINDS, ignore=["T"])) == errors


@pytest.mark.parametrize("wrong", ["", "T9", "t203", "T2033", "naming"])
def test_a_selection_of_nothing_is_a_mistake(wrong: str) -> None:
    with pytest.raises(ValueError, match="no rule begins with"):
        lint("LOG 1", select=[wrong])
    with pytest.raises(ValueError, match="no rule begins with"):
        lint("LOG 1", ignore=[wrong])


def test_json_has_the_keys_of_a_diagnostic() -> None:
    finding = next(each for each in lint("VAR x = true\nIF x THEN { }") if each.code == "T214")
    assert list(finding.to_json()) == [
        *("code", "severity", "message", "file", "line", "column", "end_line", "end_column", "hint")
    ]


FIXES = [
    ("IF x THEN { LOG 1 }", "IF x { LOG 1 }"),
    ("IF x \t THEN{ LOG 1 }", "IF x{ LOG 1 }"),
    ("IF x == 1 THEN { } ELSE IF x THEN { }", "IF x == 1 { } ELSE IF x { }"),
    ('RUN "cat {{LAST_RUN.STDOUT}} {{ LAST_RUN.STDOUT }}"',
     'RUN "cat {{LAST_RUN.STDOUT|trim}} {{ LAST_RUN.STDOUT|trim }}"'),
    ('READ "é/{{LAST_RUN.STDOUT}}" AS y', 'READ "é/{{LAST_RUN.STDOUT|trim}}" AS y'),
    ("RUN <<R\ncat '{{LAST_RUN.STDOUT}}'\n THEN\nR",
     "RUN <<R\ncat '{{LAST_RUN.STDOUT|trim}}'\n THEN\nR"),
    ('RUN "cat {{LAST_RUN.STDOUT|raw}}"', 'RUN "cat {{LAST_RUN.STDOUT|raw}}"'),
    ("LOG LAST_RUN.STDOUT # THEN", "LOG LAST_RUN.STDOUT # THEN"),
    ("IF x THEN { } # tiss: ignore T214", "IF x THEN { } # tiss: ignore T214"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), FIXES)
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_fixes(before: str, after: str, start: str, end: str) -> None:
    def script(statement: str) -> str:
        lines = ["VAR x = true", 'RUN "ls"', *statement.split("\n"), ""]
        return start + end.join(lines)

    assert fix(script(before)) == script(after)
    assert fix(script(before).encode()) == script(after)
    assert fix(script(after)) == script(after)


def test_a_fix_of_some_findings() -> None:
    text = 'RUN "ls"\nIF true THEN { RUN "cat {{LAST_RUN.STDOUT}}" }'
    only = lint(text, select=["T214"])
    assert fix(text, only) == 'RUN "ls"\nIF true { RUN "cat {{LAST_RUN.STDOUT}}" }'
    assert fix(text, []) == text


def test_edits_are_offsets_of_the_script_as_given() -> None:
    text = '\ufeffVAR x = true\r\nIF x THEN { LOG "THEN" }\r\n'
    (finding,) = [each for each in lint(text) if each.code == "T214"]
    assert isinstance(finding, Finding)
    (edit,) = finding.edits
    assert text[edit.start : edit.end] == " THEN"
    assert edit.replacement == ""


def test_no_fix_of_what_does_not_parse() -> None:
    with pytest.raises(TissParseError):
        fix("IF x THEN")


def assert_sound(text: str) -> None:
    """Every finding lies in the file and can be shown; what a fix makes needs no other."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    findings = lint(text)
    keys = [(each.line, each.column, each.code) for each in findings]
    assert keys == sorted(set(keys))
    for each in findings:
        assert 1 <= each.line <= each.end_line <= len(lines)
        assert 1 <= each.column <= len(lines[each.line - 1]) + 1
        assert (each.end_line, each.end_column) > (each.line, each.column)
        assert render(each, text)
    try:
        parse(text)
    except TissParseError:
        return
    fixed = fix(text)
    after = [each.code for each in lint(fixed)]
    assert "T214" not in after
    assert fix(fixed) == fixed


@pytest.mark.parametrize("seed", range(300))
def test_random_scripts(seed: int) -> None:
    source = random.Random(seed)
    text = random_script(source)
    assert_sound(text)
    for _ in range(3):
        text = mutate(text, source)
        assert_sound(text)


def steps(count: int) -> str:
    body = '    RUN "cat -- {{{{v}}}} | wc -l"\n    ASSERT LAST_RUN.STDOUT == "{{{{v}}}}{0}"\n'
    return "VAR v = 1\n" + "".join(f'STEP "{i}" {{\n{body.format(i)}}}\n' for i in range(count))


def test_work_grows_with_the_script() -> None:
    # Counted in calls of functions, which no other process can disturb.
    import sys

    def calls(text: str) -> int:
        count = 0

        def note(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event == "call"

        lint(text)  # what is loaded or compiled once
        sys.setprofile(note)
        try:
            lint(text)
        finally:
            sys.setprofile(None)
        return count

    small, large = calls(steps(200)), calls(steps(800))
    assert large < 4.2 * small


def test_the_deepest_nesting() -> None:
    nested = 'STEP "s" {\n' * 255 + "IF true THEN { LOG 1 }\n" + "}\n" * 255
    assert {"T214", "T206"} <= set(codes(lint(nested)))
    chain = "VAR x = 1\nIF x == 1 { LOG 1 }" + " ELSE IF x == 2 THEN { LOG 2 }" * 250
    assert codes(lint(chain)).count("T214") == 250
