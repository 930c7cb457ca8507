"""§5 of the language reference: conditions, the one coercion, and what a failed ASSERT reports."""

from pathlib import Path
from typing import Any

import pytest
from conformance import logged, run, stopped_by


def judged(condition: str, root: Path, **variables: str) -> bool | str:
    """Whether a condition holds, or the kind of the error that it raises; in IF as in ASSERT."""
    in_if = run(f"IF {condition} {{ LOG true }} ELSE {{ LOG false }}\n", root, var=variables)
    in_assert = run(f"ASSERT {condition}\n", root, var=variables)
    if in_if["error"]:
        assert stopped_by(in_assert) == stopped_by(in_if)
        return in_if["error"]["kind"]
    holds = in_if["log"] == ["true"]
    assert stopped_by(in_assert) == (None if holds else "assert")
    assert in_assert["exit_code"] == (0 if holds else 1)
    return holds


HOLDS: dict[str, bool | str] = {
    # == and !=
    "'a' == 'a'": True,
    "'a' == 'A'": False,
    "'a' == 'a '": False,
    "'' == ''": True,
    "'é' == 'e\u0301'": False,
    "1 == 1": True,
    "1 == 1.0": True,
    "0.5 == 500ms": True,
    "-0 == 0": True,
    "9007199254740993 == 9007199254740992.0": False,
    "true == true": True,
    "true == false": False,
    "'a' != 'b'": True,
    "'a' != 'a'": False,
    "1 != 2": True,
    "true != false": True,
    # order
    "1 < 2": True,
    "2 < 1": False,
    "1 < 1": False,
    "1 <= 1": True,
    "2 > 1.5": True,
    "1 > 1": False,
    "1 >= 1": True,
    "-2 < -1": True,
    "5m > 299": True,
    "10 > 9": True,
    # CONTAINS
    "'abc' CONTAINS 'b'": True,
    "'abc' CONTAINS 'B'": False,
    "'abc' CONTAINS 'abcd'": False,
    "'abc' CONTAINS ''": True,
    "'' CONTAINS ''": True,
    "'a*c' CONTAINS '.*'": False,
    "'abc' NOT CONTAINS 'x'": True,
    "'abc' NOT CONTAINS ''": False,
    # IS_EMPTY
    "'' IS_EMPTY": True,
    '" \\t\\r\\n" IS_EMPTY': True,
    "'a' IS_EMPTY": False,
    "' a ' NOT IS_EMPTY": True,
    "'' NOT IS_EMPTY": False,
    # the boolean itself
    "true": True,
    "false": False,
    # a number beside a text that is a number
    "'3' == 3": True,
    "3 == '3'": True,
    '"3\\n" == 3': True,
    '" \\t3 \\n" == 3': True,
    "'3.0' == 3": True,
    "'-1.5' == -1.5": True,
    "'007' == 7": True,
    "'4' != 3": True,
    "'10' > 9": True,
    "2 <= '2'": True,
    "'1' < 1.5": True,
    # every other mixture
    "'three' == 3": "type",
    "'three' != 3": "type",
    "'' == 0": "type",
    "'1e3' == 1000": "type",
    "'+3' == 3": "type",
    "'1_000' == 1000": "type",
    "'.5' == 0.5": "type",
    "'5m' == 300": "type",
    "'0x10' == 16": "type",
    "'3 4' == 3": "type",
    "'٣' == 3": "type",
    "true == 1": "type",
    "1 != true": "type",
    "'true' == true": "type",
    "true != 'false'": "type",
    "'1' < '2'": "type",
    "'a' >= 'b'": "type",
    "'a' < 1": "type",
    "true < false": "type",
    "1 < true": "type",
    "12 CONTAINS '1'": "type",
    "'12' CONTAINS 1": "type",
    "true CONTAINS 'true'": "type",
    "12 NOT CONTAINS '3'": "type",
    "0 IS_EMPTY": "type",
    "false NOT IS_EMPTY": "type",
    "'true'": "type",
    "1": "type",
    "0": "type",
    "''": "type",
}


@pytest.mark.parametrize("condition", HOLDS)
def test_when_a_condition_holds(condition: str, tmp_path: Path) -> None:
    assert judged(condition, tmp_path) == HOLDS[condition]


def test_exists(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.touch()
    (root / "dir").mkdir()
    (root / "dir" / "file").touch()
    (root / "link").symlink_to("dir/file")
    (root / "dangling").symlink_to("nowhere")
    (root / "out").symlink_to(outside)
    expected: dict[str, bool | str] = {
        "dir": True,
        "dir/": True,
        "dir/file": True,
        ".": True,
        "link": True,
        "dangling": False,
        "none": False,
        "none/below": False,
        "out": "security",
        "../outside": "security",
        "/etc/passwd": "security",
        "": "security",
        "~": "security",
    }
    for path, holds in expected.items():
        assert judged(f"FILE '{path}' EXISTS", root) == holds, path
        negated = judged(f"FILE '{path}' NOT EXISTS", root)
        assert negated == (holds if isinstance(holds, str) else not holds), path


def test_what_wc_printed(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a\nb\nc\n")
    text = "RUN 'wc -l < f'\nVAR count = LAST_RUN.STDOUT\nASSERT count == 3\nASSERT count > 2\n"
    assert logged(text, tmp_path) == []


def test_a_type_error_can_be_caught(tmp_path: Path) -> None:
    text = "TRY { IF 1 == 'a' { LOG 1 } ELSE { LOG 2 } } CATCH { LOG ERROR.KIND }\n"
    assert logged(text, tmp_path) == ["type"]


# A failed ASSERT


def failure(text: str, root: Path, **variables: str) -> dict[str, Any]:
    report = run(text, root, var=variables)
    assert (report["exit_code"], report["status"]) == (1, "failed")
    return report["error"]


def test_the_whole_object(tmp_path: Path) -> None:
    text = (
        'TASK "t" {\nSTEP "Run the tests" {\n    RUN "printf out; printf err >&2; exit 1"\n'
        "    ASSERT  LAST_RUN.EXIT_CODE == 0  # why\n}\n}\n"
    )
    error = failure(text, tmp_path)
    time = error["last_run"].pop("execution_time")
    assert isinstance(time, float)
    assert error == {
        "kind": "assert",
        "code": "E101",
        "message": "expected LAST_RUN.EXIT_CODE == 0, but it was 1",
        "line": 4,
        "column": 5,
        "source": "LAST_RUN.EXIT_CODE == 0",
        "operator": "==",
        "negated": False,
        "left": {"text": "LAST_RUN.EXIT_CODE", "value": 1, "clipped": False},
        "right": {"text": "0", "value": 0, "clipped": False},
        "steps": ["Run the tests"],
        "last_run": {
            "command": "printf out; printf err >&2; exit 1",
            "exit_code": 1,
            "stdout_tail": "out",
            "stderr_tail": "err",
        },
        "hint": None,
    }


FAILURES = [
    ("'a' == \"{{x}}\"", "==", False, ("'a'", "a"), ('"{{x}}"', "v")),
    ("x|json != '\"v\"'", "!=", False, ("x|json", '"v"'), ("'\"v\"'", '"v"')),
    ("5m < 1", "<", False, ("5m", 300.0), ("1", 1)),
    ("'12' > 12", ">", False, ("'12'", "12"), ("12", 12)),
    ("x CONTAINS 'a'", "CONTAINS", False, ("x", "v"), ("'a'", "a")),
    ("x NOT CONTAINS 'v'", "CONTAINS", True, ("x", "v"), ("'v'", "v")),
    ("x IS_EMPTY", "IS_EMPTY", False, ("x", "v"), None),
    ("'' NOT IS_EMPTY", "IS_EMPTY", True, ("''", ""), None),
    ("false", "TRUTH", False, ("false", False), None),
]


@pytest.mark.parametrize(("source", "operator", "negated", "left", "right"), FAILURES)
def test_the_operands(
    source: str,
    operator: str,
    negated: bool,
    left: tuple[str, Any],
    right: tuple[str, Any] | None,
    tmp_path: Path,
) -> None:
    error = failure(f"ASSERT {source}\n", tmp_path, x="v")
    assert (error["source"], error["operator"], error["negated"]) == (source, operator, negated)
    for side, expected in (("left", left), ("right", right)):
        if expected is None:
            assert error[side] is None
        else:
            assert (error[side]["text"], error[side]["value"]) == expected
            assert error[side]["clipped"] is False
    assert error["last_run"] is None
    assert error["steps"] == []
    assert error["message"]


@pytest.mark.parametrize(("form", "exists"), [("EXISTS", False), ("NOT EXISTS", True)])
def test_the_operand_of_exists(form: str, exists: bool, tmp_path: Path) -> None:
    if exists:
        (tmp_path / "p").touch()
    error = failure(f"ASSERT FILE 'p' {form}\n", tmp_path)
    assert (error["operator"], error["negated"]) == ("EXISTS", exists)
    assert error["left"]["value"] is exists
    assert error["right"] is None
    assert "p" in error["message"]


def test_values_are_clipped_to_500_characters(tmp_path: Path) -> None:
    for length in (500, 501, 100_000):
        error = failure("ASSERT x == 'a'\n", tmp_path, x="é" * length)
        assert error["left"]["value"] == "é" * 500
        assert error["left"]["clipped"] is (length > 500)
        assert error["right"]["clipped"] is False


def test_tails_are_the_last_2000_characters(tmp_path: Path) -> None:
    text = "READ 'long' AS x\nRUN 'cat long; cat long >&2'\nASSERT false\n"
    long = "é".join(str(n) for n in range(3000))
    (tmp_path / "long").write_text(long, encoding="utf-8")
    last_run = failure(text, tmp_path)["last_run"]
    assert last_run["stdout_tail"] == last_run["stderr_tail"] == long[-2000:]


def test_steps_run_from_the_outermost_inwards(tmp_path: Path) -> None:
    text = (
        'TASK "t"\nSTEP "outer" {\nIF true {\nSTEP "inner" {\nCALL "sub" WITH p = 1\n}\n}\n}\n'
        'DEFINE_TASK "sub" WITH p {\nSTEP "innermost" {\nASSERT p == 2\n}\n}\n'
    )
    assert failure(text, tmp_path)["steps"] == ["outer", "inner", "sub", "innermost"]
    assert failure("SETUP 'prepare' { ASSERT false }\n", tmp_path)["steps"] == ["prepare"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('"a\\n" == "a"', "use |trim"),
        ('"a" == " a"', "use |trim"),
        ("'Hello World' CONTAINS 'hello'", "case"),
        ("'a' == 'b'", None),
        ("'a' == 'A b'", None),
        ("'abc' CONTAINS 'x'", None),
    ],
)
def test_hints(source: str, said: str | None, tmp_path: Path) -> None:
    hint = failure(f"ASSERT {source}\n", tmp_path)["hint"]
    assert said in hint if said else hint is None


def test_a_failed_assert_can_be_caught(tmp_path: Path) -> None:
    text = "TRY {\nASSERT 1 == 2\n} CATCH {\nASSERT ERROR.KIND == 'assert'\nLOG ERROR.MESSAGE\n}\n"
    report = run(text, tmp_path)
    assert report["exit_code"] == 0
    (caught,) = report["caught"]
    assert (caught["kind"], caught["left"]["value"], caught["right"]["value"]) == ("assert", 1, 2)
    assert report["log"] == [caught["message"]]


@pytest.mark.parametrize("word", ["AND", "OR"])
def test_there_is_no_and_and_no_or(word: str, tmp_path: Path) -> None:
    report = run(f"ASSERT 1 == 1 {word} 2 == 2\n", tmp_path)
    assert (report["exit_code"], report["error"]["code"]) == (3, "T001")
