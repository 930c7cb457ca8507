"""§1 of the language reference: text and tokens."""

import json
from pathlib import Path
from typing import Any

import pytest
from conformance import bare, body, first, found, hint, logged
from conformance_runs import tiss, write

import tisslang

MIB = 1024 * 1024

RESERVED = """
TASK SETUP STEP READ AS WRITE RUN ASSERT VAR LOG IF THEN ELSE TRY CATCH DEFINE_TASK CALL WITH
PARALLEL CHOOSE OPTION ESTIMATE_COST SET_BUDGET PROMPT_AGENT INTO PAUSE REQUEST_REVIEW MKDIR DELETE
NOT CONTAINS IS_EMPTY FILE EXISTS LAST_RUN COST ERROR true false
FOR WHILE INCLUDE FINALLY RETURN MATCHES AND OR
"""


def value(operand: str) -> Any:
    """What an operand is in the tree."""
    return bare(first(f"LOG {operand}\n")["value"])


def content(text: str) -> Any:
    """The content of the `WRITE` that a script begins with."""
    return first(text)["content"]


# Encoding


def test_one_byte_order_mark_is_skipped_and_takes_no_column() -> None:
    for text in ("\ufeffLOG 1\n", "\ufeffLOG 1\n".encode()):
        (log,) = body(text)
        assert (log["line"], log["column"]) == (1, 1)
    assert found("\ufeffLOG x\n") == ["T110 1:5"]


def test_a_second_byte_order_mark_is_a_character_like_any_other() -> None:
    assert found("\ufeff\ufeffLOG 1\n") == ["T001 1:1"]
    assert found("LOG \ufeff1\n") == ["T001 1:5"]
    assert value('"\ufeff"') == "\ufeff"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b'LOG "\xff"\n', "1:6"),
        (b'LOG 1\nLOG "ab\xc3"\n', "2:8"),
        (b'LOG "\xed\xa0\x80"\n', "1:6"),  # half a surrogate pair
        (b"# \xc0\x80\n", "1:3"),  # an overlong NUL, in a comment
        ('LOG "a\0"\n', "1:7"),
        ("LOG 1\0\n", "1:6"),
        ("# \0\n", "1:3"),
        ("WRITE 'a' <<W\nx\0\nW\n", "2:2"),
        ("LOG 1\rLOG 2\n", "1:6"),
        ("LOG 1\r", "1:6"),
        ("LOG 1\r\r\n", "1:6"),
        ('LOG "a\rb"\n', "1:7"),
        ("# a\rb\n", "1:4"),
        ("WRITE 'a' <<W\nx\ry\nW\n", "2:2"),
    ],
)
def test_bad_characters_are_refused_anywhere(text: str | bytes, place: str) -> None:
    assert found(text) == [f"T009 {place}"]


def test_crlf_is_a_line_end_everywhere() -> None:
    plain = 'STEP "x" {\n    WRITE "a" <<W\none\n\ntwo\nW\n    LOG "b"\n}\n'
    assert tisslang.parse(plain.replace("\n", "\r\n")) == tisslang.parse(plain)
    assert content("WRITE 'a' <<W\r\none\r\n\r\nW\r\n") == "one\n\n"
    assert content("WRITE 'a' <<'W'\r\none\r\nW\r\n") == "one\n"


@pytest.mark.parametrize("text", ["LOG 1", "STEP 'x' {\nLOG 1\n}", "WRITE 'a' <<W\nx\nW", "# c"])
def test_a_last_line_without_a_newline_is_complete(text: str) -> None:
    assert bare(body(text)) == bare(body(text + "\n"))


def test_source_is_limited_to_8_mib_of_utf8() -> None:
    comment = b"#" + b"x" * 1023
    whole = b"\n".join([comment[:-1]] * (8 * MIB // 1024)) + b"\n"
    assert len(whole) == 8 * MIB
    assert found(whole) == []
    assert [each.split()[0] for each in found(whole + b"\n")] == ["T009"]
    two_bytes_each = ("# " + "é" * 510 + "\n") * (8 * MIB // 1023 + 1)
    assert len(two_bytes_each) < 8 * MIB < len(two_bytes_each.encode())
    assert [each.split()[0] for each in found(two_bytes_each)] == ["T009"]


def test_blocks_nest_256_levels() -> None:
    def nested(levels: int) -> str:
        return "IF true {\n" * levels + "LOG 1\n" + "}\n" * levels

    assert found(nested(256)) == []
    assert found(nested(257)) == ["T008 257:9"]
    assert found(nested(5000)) == ["T008 257:9"]


# Positions and white space


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\tLOG x\n", "1:6"),
        ("\t\tLOG\tx\n", "1:7"),
        ('LOG "é" x\n', "1:9"),
        ('LOG "😀" x\n', "1:9"),
        ('LOG "e\u0301" x\n', "1:10"),
        ("\n\n  LOG x", "3:7"),
        ("# é😀\nLOG x", "2:5"),
    ],
)
def test_columns_are_code_points_from_1(text: str, place: str) -> None:
    assert [each.split()[1] for each in found(text)] == [place]


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_only_a_newline_ends_a_line(separator: str) -> None:
    assert value(f'"a{separator}b"') == f"a{separator}b"
    assert found(f"# a{separator}b\nLOG x") == ["T110 2:5"]
    assert content(f"WRITE 'a' <<W\na{separator}W\nW\n") == f"a{separator}W\n"
    assert found(f"LOG{separator}1\n") == ["T001 1:4"]


@pytest.mark.parametrize("blank", [" ", "\t", " \t \t"])
def test_spaces_and_tabs_separate_tokens(blank: str) -> None:
    words = ["", "VAR", "x", "=", "1", ""]
    assert bare(body(blank.join(words))) == bare(body("VAR x=1"))


@pytest.mark.parametrize("character", "\u00a0\u200b\u2003\u3000\ufeff\u2060“”‘’;\\`$%&~é")
def test_any_other_character_is_unexpected(character: str) -> None:
    assert found(f"LOG {character}1\n") == ["T001 1:5"]


@pytest.mark.parametrize("character", ["\u00a0", "\u200b", "“", "”", "\u2003"])
def test_the_hint_names_the_code_point(character: str) -> None:
    said = hint(f"LOG {character}x{character}\n")
    assert f"U+{ord(character):04X}" in said


@pytest.mark.parametrize("quote", "“”")
def test_the_hint_for_curly_quotes_names_the_straight_one(quote: str) -> None:
    assert '"' in hint(f"LOG {quote}x{quote}\n")


# Comments


@pytest.mark.parametrize(
    "text",
    [
        "# first\nLOG 1 # behind\n# last",
        "LOG 1# close\n",
        "   # indented\nLOG 1\n",
        'LOG 1 # "no string {\n',
        "LOG 1 # <<W\n",
    ],
)
def test_comments_mean_nothing(text: str) -> None:
    assert bare(body(text)) == bare(body("LOG 1"))


def test_a_hash_in_text_is_no_comment() -> None:
    assert value('"a # b"') == "a # b"
    assert value("'# b'") == "# b"
    assert content("WRITE 'a' <<W\n# x\ny # z\nW\n") == "# x\ny # z\n"


# Lines


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("LOG 1; LOG 2\n", "1:6"),
        ("LOG 1 LOG 2\n", "1:7"),
        ("LOG 1 \\\n", "1:7"),
        ("LOG\n1\n", None),
        ("VAR x =\n1\n", None),
        ("STEP 'x'\n{\nLOG 1\n}\n", None),
        ("IF true\n{ LOG 1 }\n", None),
        ("IF true { LOG 1 } ELSE\n{ LOG 2 }\n", None),
        ("TRY { LOG 1 } CATCH\n{ LOG 2 }\n", None),
        ("STEP 'x' { LOG 1 } LOG 2\n", "1:20"),
        ("STEP 'x' { STEP 'y' { LOG 1 } LOG 2 }\n", "1:31"),
        ("TASK 'x' { LOG 1 } DEFINE_TASK 'y' { LOG 2 }\n", "1:20"),
    ],
)
def test_a_statement_is_one_line(text: str, place: str | None) -> None:
    code, where = found(text)[0].split()
    assert code == "T001"
    assert place in (None, where)


@pytest.mark.parametrize(
    "text",
    [
        'STEP "x" { LOG 1 }',
        'STEP "x" {LOG 1}',
        'STEP "x" { LOG 1\n}',
        'STEP "x" {\nLOG 1 }',
        'STEP "x" { # why\n\n# so\n\nLOG 1 # here\n\n} # there\n\n',
        '\n\n  STEP "x" {\n\n\n  LOG 1\n\n\n  }  ',
    ],
)
def test_a_statement_ends_at_a_newline_a_brace_or_the_end(text: str) -> None:
    assert bare(body(text)) == [
        {"type": "STEP", "description": "x", "body": [{"type": "LOG", "value": 1}]}
    ]


@pytest.mark.parametrize("between", [" ", "", "\n", "\n\n\n", "# c\n", "\n  # c\n\n  # d\n"])
def test_newlines_before_else_and_catch_mean_nothing(between: str) -> None:
    for word, head in (("ELSE", "IF true"), ("CATCH", "TRY")):
        text = f"{head} {{ LOG 1 }}{between}{word} {{ LOG 2 }}\n"
        assert bare(body(text)) == bare(body(f"{head} {{ LOG 1 }} {word} {{ LOG 2 }}"))


def test_another_brace_and_a_comment_may_follow_a_brace() -> None:
    text = 'STEP "x" { STEP "y" { LOG 1 } } # c\nLOG 2'
    outer, log = bare(body(text))
    assert outer["body"] == [{"type": "STEP", "description": "y", "body": [log | {"value": 1}]}]


@pytest.mark.parametrize("text", ["", "\n", "  \n\t\n", "# c", "\ufeff", "\ufeff\n# c\n\n"])
def test_blank_and_comment_lines_are_the_empty_script(text: str) -> None:
    assert body(text) == []


# Words


@pytest.mark.parametrize("word", ["log", "Log", "LOg", "task", "run"])
def test_keywords_are_upper_case(word: str) -> None:
    assert found(f"{word} 'x'\n") == ["T002 1:1"]


@pytest.mark.parametrize(
    "name", ["x", "_", "X9", "_1", "task", "Log", "TRUE", "last_run", "STDOUT"]
)
def test_names(name: str) -> None:
    assert found(f'VAR {name} = 1\nLOG {name}\nLOG "{{{{{name}}}}}"\n') == []


@pytest.mark.parametrize("name", RESERVED.split())
def test_reserved_words_are_no_names(name: str) -> None:
    assert found(f"VAR {name} = 1\n") == ["T001 1:5"]


@pytest.mark.parametrize("name", ["1x", "é", "naïve", "a-b", "a.b", "$a", "'a'"])
def test_other_words_are_no_names(name: str) -> None:
    code, _ = found(f"VAR {name} = 1\n")[0].split()
    assert code == "T001"


def test_names_are_case_sensitive(tmp_path: Path) -> None:
    assert found("VAR x = 1\nLOG X\n") == ["T110 2:5"]
    assert logged("VAR x = 1\nVAR X = 2\nLOG x\nLOG X\n", tmp_path) == ["1", "2"]


# Numbers, durations, booleans


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("-0", 0), ("007", 7), ("-12", -12), ("1.5", 1.5), ("-0.25", -0.25), ("1.0", 1.0)],
)
def test_numbers(text: str, expected: float) -> None:
    number = value(text)
    assert number == expected
    assert type(number) is type(expected)


def test_integers_have_any_size(tmp_path: Path) -> None:
    digits = "9" * 6000
    assert found(f"LOG {digits}\n") == []
    assert logged(f"VAR x = {digits}\nLOG x\nLOG -{digits}\n", tmp_path) == [digits, f"-{digits}"]


def test_integers_of_any_size_are_printed(tmp_path: Path) -> None:
    digits = "9" * 6000
    plan = write(tmp_path, f"VAR x = {digits}\nLOG x\n")
    flags = ("--output-format", "json")
    tree = tiss("ast", plan, cwd=tmp_path)
    report = tiss("run", plan, *flags, "--events", "events", cwd=tmp_path)
    assert (tree.returncode, report.returncode) == (0, 0)
    for output in (tree.stdout, report.stdout, (tmp_path / "events").read_text()):
        assert digits in output


@pytest.mark.parametrize(
    "text", ["+1", "1.", ".5", "1e3", "1E3", "1.5e3", "1_000", "- 1", "--1", "1.2.3", "0x1", "1x"]
)
def test_no_other_spelling_is_a_number(text: str) -> None:
    code, _ = found(f"LOG {text}\n")[0].split()
    assert code == "T001"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("1.5s", 1.5), ("5m", 300.0), ("2h", 7200.0), ("0s", 0.0), ("0.5h", 1800.0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert value(text) == {"duration": text, "seconds": seconds}
    assert isinstance(value(text)["seconds"], float)


@pytest.mark.parametrize("text", ["-5m", "5 m", "5d", "5M", "5S", "5sec", "1.ms", "5ms2s", "-0s"])
def test_no_other_spelling_is_a_duration(text: str) -> None:
    code, _ = found(f"LOG {text}\n")[0].split()
    assert code == "T001"


def test_booleans() -> None:
    assert value("true") is True
    assert value("false") is False
    assert found("LOG True\n") == ["T110 1:5"]  # a name like any other


# Strings


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('LOG "abc\n', "1:5"),
        ("LOG 'abc\n", "1:5"),
        ('LOG "abc\nd"\n', "1:5"),
        ("LOG 'abc\nd'\n", "1:5"),
        ('LOG "abc\\"\n', "1:5"),
        ('LOG "', "1:5"),
        ("STEP 'x' { LOG \"y }\n", "1:16"),
        ('LOG "a # b\n', "1:5"),
    ],
)
def test_a_string_stays_on_one_line(text: str, place: str) -> None:
    assert found(text) == [f"T003 {place}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"\""', '"'),
        (r'"\\"', "\\"),
        (r'"\n"', "\n"),
        (r'"\t"', "\t"),
        (r'"\r"', "\r"),
        (r'"\{"', "{"),
        (r'"\\n"', "\\n"),
        (r'"\\\""', '\\"'),
        (r'"\{{x}}"', "{{x}}"),
        (r'"{\{x}}"', "{{x}}"),
        (r'"\{\{x}}"', "{{x}}"),
        ('"a\tb"', "a\tb"),
        ('""', ""),
        ('"{ } # } {"', "{ } # } {"),
        ('"it\'s"', "it's"),
    ],
)
def test_double_quoted_strings(text: str, expected: str) -> None:
    assert value(text) == expected


@pytest.mark.parametrize("inside", ["", r"\n", r"\\", r"\{", "\\", '"', "{{x}}", "{ } # ", r"a\x"])
def test_single_quoted_strings_stand_for_themselves(inside: str) -> None:
    assert value(f"'{inside}'") == inside


def test_a_single_quoted_string_holds_no_single_quote() -> None:
    assert found(r"LOG 'it\'s'" + "\n")[0].split()[0] in ("T001", "T003")
    assert found("LOG 'it''s'\n") == ["T001 1:9"]


@pytest.mark.parametrize("escape", [r"\x", r"\0", r"\'", r"\}", r"\N", r"\u0041", r"\ ", r"\`"])
def test_other_escapes_are_refused_at_the_backslash(escape: str) -> None:
    text = f'LOG "ab{escape}"\n'
    assert found(text) == ["T004 1:8"]
    assert "\\\\" in hint(text)
    assert "single" in hint(text)


def test_only_double_quoted_strings_are_interpolated() -> None:
    assert value('"a {{x}}"') == {"template": ["a ", {"var": "x"}]}
    assert value("'a {{x}}'") == "a {{x}}"
    assert value(r'"\\{{x}}"') == {"template": ["\\", {"var": "x"}]}
    assert value(r'"\{{{x}}"') == {"template": ["{", {"var": "x"}]}


def test_the_tree_is_json() -> None:
    text = 'LOG 1.5\nLOG 5m\nASSERT "a{{x|trim}}" == LAST_RUN.STDOUT\nLOG "😀\u2028"\n'
    tree = tisslang.parse(text)
    assert json.loads(json.dumps(tree, allow_nan=False)) == tree
