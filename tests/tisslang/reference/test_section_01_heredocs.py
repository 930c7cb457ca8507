"""§1 of the language reference: heredocs."""

from pathlib import Path
from typing import Any

import pytest
from conformance import bare, body, first, found, hint, logged, run


def content(text: str) -> Any:
    """The content of the `WRITE` that a script begins with."""
    return first(text)["content"]


HEREDOCS = [  # opener, body with terminator, content, raw, indented
    ("<<W", "a {{x}}\nW", {"template": ["a ", {"var": "x"}, "\n"]}, False, False),
    ("<<'W'", "a {{x}}\nW", "a {{x}}\n", True, False),
    ("<<-W", "  a {{x}}\n  W", {"template": ["a ", {"var": "x"}, "\n"]}, False, True),
    ("<<-'W'", "  a {{x}}\n W", "a {{x}}\n", True, True),
]


@pytest.mark.parametrize(("opener", "lines", "expected", "raw", "indented"), HEREDOCS)
def test_four_openers(opener: str, lines: str, expected: Any, raw: bool, indented: bool) -> None:
    write = first(f"WRITE 'a' {opener}\n{lines}\n")
    assert write["content"] == expected
    assert (write["raw"], write["indented"], write["language"]) == (raw, indented, "W")


@pytest.mark.parametrize("word", ["W", "_", "Py3", "RUN", "true", "lower"])
def test_the_word_is_any_word(word: str) -> None:
    assert first(f"WRITE 'a' <<{word}\nx\n{word}\n")["language"] == word


@pytest.mark.parametrize(
    "opener", ["<<", "<< W", '<<"W"', "<<1W", "<<é", "<<- W", "<<'W", "<< 'W'"]
)
def test_no_other_opener(opener: str) -> None:
    code, _ = found(f"WRITE 'a' {opener}\nx\nW\n")[0].split()
    assert code in ("T001", "T003")


@pytest.mark.parametrize("ending", ["", " ", "\t \t", " # why", "# <<X"])
def test_a_comment_may_follow_the_opener(ending: str) -> None:
    assert content(f"WRITE 'a' <<W{ending}\nx\nW\n") == "x\n"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("WRITE 'a' <<W x\nx\nW\n", "1:15"),
        ("STEP 's' { WRITE 'a' <<W }\nx\nW\n", "1:26"),
        ("WRITE 'a' <<W 'b' <<V\nx\nW\nV\n", "1:15"),
    ],
)
def test_nothing_else_follows_the_opener(text: str, place: str) -> None:
    assert found(text) == [f"T001 {place}"]


@pytest.mark.parametrize("line", [" W", "\tW", "W;", "xW", "W x", "W # c", "w", "WW", "{W", "'W'"])
def test_what_is_not_the_terminator_is_content(line: str) -> None:
    assert content(f"WRITE 'a' <<W\n{line}\nW\n") == line + "\n"


@pytest.mark.parametrize("line", ["W", "W ", "W\t", "W \t "])
def test_blanks_after_the_terminator_are_ignored(line: str) -> None:
    assert bare(body(f"WRITE 'a' <<W\nx\n{line}\nLOG 1\n"))[1] == {"type": "LOG", "value": 1}


@pytest.mark.parametrize("indent", ["", " ", "\t", " \t  "])
def test_an_indented_terminator_has_any_indent(indent: str) -> None:
    assert content(f"WRITE 'a' <<-W\n    x\n{indent}W\n") == "x\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["    a", "      b", "    c"], "a\n  b\nc\n"),
        (["    a", "", "    b"], "a\n\nb\n"),
        (["a", "    b"], "a\n    b\n"),
        (["\ta", "\t\tb"], "a\n\tb\n"),
        (["\ta", "    b"], "\ta\n    b\n"),
        (["  \ta", "  b"], "\ta\nb\n"),
        (["    a", "  # b"], "  a\n# b\n"),
        (["    W x", "     xW"], "W x\n xW\n"),
    ],
)
def test_the_common_indent_goes(lines: list[str], expected: str) -> None:
    text = "\n".join(lines)
    assert content(f"WRITE 'a' <<-W\n{text}\n    W\n") == expected
    assert content(f"WRITE 'a' <<W\n{text}\nW\n") == text + "\n"


def test_a_value_has_no_part_in_the_common_indent(tmp_path: Path) -> None:
    text = "VAR x = '    a'\nVAR y <<-W\n  {{x}}\n    b\n  W\nLOG y\n".replace("y <<", "y = <<")
    assert logged(text, tmp_path) == ["    a\n  b\n"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (r"\n \t \" \x \\ \}", r"\n \t \" \x \\ \}"),
        ("\"'{ } # <<OTHER", "\"'{ } # <<OTHER"),
        (r"\{{x}}", "{{x}}"),
        (r"\\{{x}}", r"\{{x}}"),
        (r"\{ x", r"\{ x"),
        (r"\{x}", r"\{x}"),
        (r"\{\{x}}", r"\{\{x}}"),
        ("{{ a + b }}", "{{ a + b }}"),
        ("${{ github.sha }}", "${{ github.sha }}"),
    ],
)
def test_in_a_body_nothing_else_is_special(line: str, expected: str) -> None:
    assert content(f"WRITE 'a' <<W\n{line}\nW\n") == expected + "\n"
    assert content(f"WRITE 'a' <<'W'\n{line}\nW\n") == line + "\n"


def test_a_brace_may_stand_before_an_interpolation_in_a_body() -> None:
    expected = {"template": ["{", {"var": "x"}, "\n"]}
    assert content("WRITE 'a' <<W\n{{{x}}\nW\n") == expected
    assert content("WRITE 'a' <<W\n\\{{{x}}\nW\n") == expected


@pytest.mark.parametrize(
    ("lines", "expected"), [("", ""), ("\n", "\n"), ("x\n", "x\n"), ("x\n\n", "x\n\n")]
)
@pytest.mark.parametrize("opener", ["<<W", "<<'W'", "<<-W", "<<-'W'"])
def test_every_line_of_a_body_ends_with_a_newline(opener: str, lines: str, expected: str) -> None:
    assert content(f"WRITE 'a' {opener}\n{lines}W\n") == expected


def test_the_bytes_that_a_body_writes(tmp_path: Path) -> None:
    report = run("WRITE 'a' <<W\r\none\r\n\r\n  tv\u00e5\r\nW\r\n", tmp_path)
    assert report["exit_code"] == 0
    assert (tmp_path / "a").read_bytes() == "one\n\n  två\n".encode()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("WRITE 'a' <<W\nx\n", "1:11"),
        ("WRITE 'a' <<W", "1:11"),
        ("\n  RUN <<'W'\nx\nw\n", "2:7"),
        ("STEP 's' {\n  RUN <<W\nx\n}\n", "2:7"),
        ("WRITE 'a' <<W\nx\nW # c\n", "1:11"),
    ],
)
def test_a_body_without_a_terminator(text: str, place: str) -> None:
    assert found(text) == [f"T005 {place}"]


def test_the_hint_for_an_indented_terminator() -> None:
    said = hint("STEP 's' {\n    WRITE 'a' <<PY\n    x\n    PY\n}\n")
    assert "4" in said
    assert "<<-PY" in said


def test_after_a_body_the_script_goes_on() -> None:
    text = "STEP 's' {\n  WRITE 'a' <<W\n}\nW\n  LOG 1\n}\nLOG 2\n"
    step, log = bare(body(text))
    assert [each["type"] for each in step["body"]] == ["WRITE", "LOG"]
    assert log["value"] == 2
