"""The family of errors: who is whose child, which codes and exits they carry."""

import pytest

from tisslang import errors
from tisslang.errors import (
    CATCHABLE,
    KINDS,
    TissAssertionError,
    TissBudgetError,
    TissCommandError,
    TissError,
    TissHumanError,
    TissParseError,
    TissSecurityError,
)


def test_what_catches_command_errors_lets_the_final_ones_pass() -> None:
    for final in (TissSecurityError, TissBudgetError, TissHumanError, TissParseError):
        assert issubclass(final, TissError)
        assert not issubclass(final, TissCommandError)
    assert issubclass(TissAssertionError, TissCommandError)
    assert issubclass(TissCommandError, TissError)


def test_codes_and_exits() -> None:
    assert KINDS == {
        "assert": ("E101", 1),
        "undefined": ("E201", 4),
        "type": ("E202", 4),
        "io": ("E203", 4),
        "decode": ("E204", 4),
        "timeout": ("E205", 4),
        "agent": ("E206", 4),
        "security": ("E301", 5),
        "budget": ("E302", 6),
        "human": ("E303", 7),
    }
    assert set(KINDS) - CATCHABLE == {"security", "budget", "human"}


@pytest.mark.parametrize("kind", sorted(CATCHABLE))
def test_command_errors(kind: str) -> None:
    error = TissCommandError(kind, "no", 3, 5, "try")
    assert (error.kind, error.code) == (kind, KINDS[kind][0])
    assert (error.message, error.line, error.column, error.hint) == ("no", 3, 5, "try")
    assert str(error) == "no"


@pytest.mark.parametrize("kind", ["security", "parse", "nonsense"])
def test_a_final_kind_is_no_command_error(kind: str) -> None:
    with pytest.raises(ValueError, match=kind):
        TissCommandError(kind, "no")


@pytest.mark.parametrize("name", ["Security", "Budget", "Human"])
def test_final_errors(name: str) -> None:
    error = getattr(errors, f"Tiss{name}Error")("no", hint="try")
    assert (error.kind, error.code) == (name.lower(), KINDS[name.lower()][0])
    assert (error.message, error.line, error.column, error.hint) == ("no", None, None, "try")


def test_an_assertion_carries_its_report() -> None:
    report = {"message": "expected a", "line": 2, "column": 1, "hint": None, "left": {}}
    error = TissAssertionError(report)
    assert error.report is report
    assert (error.kind, error.code, error.message, error.line) == (
        "assert",
        "E101",
        "expected a",
        2,
    )


def test_parse_errors_say_where() -> None:
    error = TissParseError("T001", "no", 2, 3, "try", filename="plan.tiss")
    assert (error.kind, error.end_column, error.hint) == ("parse", 4, "try")
    assert str(error) == "plan.tiss:2:3: T001: no"
