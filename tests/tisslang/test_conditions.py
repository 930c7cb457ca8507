"""Conditions: every form, the one coercion, and the report of a failure."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tisslang.conditions import failure_report, judge, operand_texts
from tisslang.errors import TissCommandError


def holds(op: str, left: Any, right: Any = None, negated: bool = False) -> bool:
    condition = {"op": op, "negated": negated, "left": left, "right": right}
    return judge(condition, lambda path: False).holds


@pytest.mark.parametrize(
    ("op", "left", "right", "expected"),
    [
        ("==", "a", "a", True),
        ("==", "a", "A", False),
        ("==", "a", "a\n", False),
        ("!=", "a", "b", True),
        ("==", 3, 3.0, True),
        ("==", 3, "3\n", True),
        ("==", " -3.50 ", -3.5, True),
        ("!=", "4", 3, True),
        ("==", True, True, True),
        ("==", True, False, False),
        ("<", 1, 2, True),
        ("<", "1", 2, True),
        (">=", 2, "2", True),
        (">", 2, 2, False),
        ("<=", 1.5, 1, False),
        ("CONTAINS", "hello", "ell", True),
        ("CONTAINS", "hello", "", True),
        ("CONTAINS", "", "", True),
        ("CONTAINS", "hello", "ELL", False),
        ("IS_EMPTY", "", None, True),
        ("IS_EMPTY", " \n\t", None, True),
        ("IS_EMPTY", "x", None, False),
        ("TRUTH", True, None, True),
        ("TRUTH", False, None, False),
    ],
)
def test_what_holds(op: str, left: Any, right: Any, expected: bool) -> None:
    assert holds(op, left, right) is expected
    if op in ("CONTAINS", "IS_EMPTY"):
        assert holds(op, left, right, negated=True) is not expected


@pytest.mark.parametrize(
    ("op", "left", "right"),
    [
        ("==", 3, "three"),
        ("==", "3 4", 3),
        ("==", "1e3", 1000),
        ("==", "+3", 3),
        ("==", "1_000", 1000),
        ("==", "٣", 3),
        ("==", True, "true"),
        ("==", True, 1),
        ("!=", 1, False),
        ("<", "1", "2"),
        ("<", "a", 2),
        (">", True, 0),
        ("CONTAINS", 12, "1"),
        ("CONTAINS", "12", 1),
        ("IS_EMPTY", 0, None),
        ("TRUTH", "true", None),
        ("TRUTH", 1, None),
        ("==", "9" * 5000, 9),
    ],
)
def test_mixtures_are_type_errors_and_never_silently_false(op: str, left: Any, right: Any) -> None:
    with pytest.raises(TissCommandError) as caught:
        holds(op, left, right)
    assert caught.value.kind == "type"


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("negated", [True, False])
def test_exists(found: bool, negated: bool) -> None:
    condition = {"op": "EXISTS", "negated": negated, "path": "p"}
    verdict = judge(condition, {"p": found}.__getitem__)
    assert verdict.holds is (found is not negated)
    source = 'FILE "p" NOT EXISTS' if negated else 'FILE "p" EXISTS'
    if not verdict.holds:
        report = failure_report(condition, verdict, source)
        assert report["left"] == {"text": 'FILE "p"', "value": found, "clipped": False}
        assert report["right"] is None
        ending = "it exists" if found else "it does not exist"
        assert report["message"] == f"expected {source}, but {ending}"


@pytest.mark.parametrize(
    ("source", "left", "right"),
    [
        ("LAST_RUN.EXIT_CODE == 0", "LAST_RUN.EXIT_CODE", "0"),
        ("LAST_RUN.STDOUT|trim=='a b'", "LAST_RUN.STDOUT|trim", "'a b'"),
        ('x NOT CONTAINS "== \\" {{y}}"', "x", '"== \\" {{y}}"'),
        ("-1.5 < 5m", "-1.5", "5m"),
        ('FILE "a b" NOT EXISTS', 'FILE "a b"', ""),
        ("done", "done", ""),
        ('"" IS_EMPTY', '""', ""),
        ("FILENAME | trim != other", "FILENAME | trim", "other"),
    ],
)
def test_operands_as_written(source: str, left: str, right: str) -> None:
    assert operand_texts(source) == (left, right)


def report(op: str, left: Any, right: Any, source: str) -> dict[str, Any]:
    condition = {"op": op, "negated": False, "left": left, "right": right}
    verdict = judge(condition, lambda path: False)
    assert not verdict.holds
    return failure_report(condition, verdict, source)


def test_messages_and_hints() -> None:
    assert report("==", 1, 0, "n == 0") == {
        "message": "expected n == 0, but it was 1",
        "operator": "==",
        "negated": False,
        "left": {"text": "n", "value": 1, "clipped": False},
        "right": {"text": "0", "value": 0, "clipped": False},
        "hint": None,
    }
    assert report("==", "1", "2", "a == b")["message"] == (
        'expected a == b, but a was "1" and b was "2"'
    )
    assert "use |trim" in report("==", "a\n", "a", 'x == "a"')["hint"]
    assert "upper and lower case" in report("CONTAINS", "Hello", "hello", "x CONTAINS y")["hint"]
    long = report("==", "x" * 501, "y", "x == y")
    assert long["left"] == {"text": "x", "value": "x" * 500, "clipped": True}
    assert len(long["message"]) < 300


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_equals_its_text_form(number: float) -> None:
    text = str(number)
    if "e" not in text:
        assert holds("==", number, f" {text}\n")
        assert holds("==", f"\t{text}", number)
