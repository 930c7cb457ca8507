"""The syntax of TissLang: a script's text, its tree, and what is certainly wrong with it."""

from __future__ import annotations

from tisslang.errors import TissParseError
from tisslang.syntax.header import LANGUAGE_VERSION
from tisslang.syntax.parser import parse_text
from tisslang.syntax.source import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tisslang.syntax.diagnostics import Diagnostic

__all__ = ["LANGUAGE_VERSION", "check", "parse"]


def parse(text: str | bytes, filename: str = "<script>") -> dict[str, Any]:
    """The SCRIPT node of a script. Raises `TissParseError` at its first syntax error."""
    try:
        return parse_text(decode(text))
    except TissParseError as error:
        error.filename = filename
        raise


def check(
    ast_or_text: dict[str, Any] | str | bytes,
    filename: str = "<script>",
    assigned: Iterable[str] = (),
) -> list[Diagnostic]:
    """The static errors of a script, in the order of the source; a syntax error stands alone.

    `assigned` are the names that the operator gives values to. Raises `TypeError` or `ValueError`
    for a dict that is no tree.
    """
    if isinstance(ast_or_text, dict):
        from tisslang.syntax.shape import require_shape

        require_shape(ast_or_text)
    else:
        try:
            ast_or_text = parse(ast_or_text, filename)
        except TissParseError as error:
            from tisslang.syntax.diagnostics import from_error

            return [from_error(error)]
    from tisslang.syntax.analysis import Analysis
    from tisslang.syntax.checks import static_errors

    return static_errors(Analysis(ast_or_text, assigned), filename)
