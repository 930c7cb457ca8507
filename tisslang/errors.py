"""The family of errors: what a `TRY` may catch, what it never may, and how each one ends a run.

TissError
├── TissParseError            the script is not TissLang
├── TissCommandError          a command failed: catchable
│   └── TissAssertionError    an ASSERT did not hold
├── TissSecurityError         ┐ beside the catchable family, so that what
├── TissBudgetError           │ handles command errors cannot swallow them
└── TissHumanError            ┘
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# kind → (code, exit code of `tiss run`)
KINDS: dict[str, tuple[str, int]] = {
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
CATCHABLE = frozenset({"assert", "undefined", "type", "io", "decode", "timeout", "agent"})


class TissError(Exception):
    """An error of a script or of its run. `line` and `column` count from 1; None while unknown."""

    def __init__(
        self,
        kind: str,
        code: str,
        message: str,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint
        self.steps: list[str] | None = None  # the open blocks around it, once a run knows them

    def __str__(self) -> str:
        return self.message


class TissParseError(TissError):
    """The first syntax error of a script. Its span ends before `end_column`."""

    line: int
    column: int

    def __init__(
        self,
        code: str,
        message: str,
        line: int,
        column: int,
        hint: str | None = None,
        *,
        end_column: int | None = None,
        filename: str = "<script>",
    ) -> None:
        super().__init__("parse", code, message, line, column, hint)
        self.end_column = column + 1 if end_column is None else end_column
        self.filename = filename

    def __str__(self) -> str:
        return f"{self.filename}:{self.line}:{self.column}: {self.code}: {self.message}"


class TissCommandError(TissError):
    """A command failed: `kind` is one of `CATCHABLE`."""

    def __init__(
        self,
        kind: str,
        message: str,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        if kind not in CATCHABLE:
            raise ValueError(f"kind must be one of {sorted(CATCHABLE)}, not {kind!r}")
        super().__init__(kind, KINDS[kind][0], message, line, column, hint)


class TissAssertionError(TissCommandError):
    """An `ASSERT` did not hold. `report` is the whole object that a correcting agent is given."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__(
            "assert",
            report["message"],
            report.get("line"),
            report.get("column"),
            report.get("hint"),
        )
        self.report = report


class _Final(TissError):
    """An error that no `TRY` catches."""

    _kind: str

    def __init__(
        self,
        message: str,
        line: int | None = None,
        column: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(self._kind, KINDS[self._kind][0], message, line, column, hint)


class TissSecurityError(_Final):
    """A path, a command or a missing sandbox was refused."""

    _kind = "security"


class TissBudgetError(_Final):
    """A budget is spent."""

    _kind = "budget"


class TissHumanError(_Final):
    """A person was needed and did not answer, or answered no."""

    _kind = "human"
