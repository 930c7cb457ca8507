"""Values in shell commands: what is inserted, so that the shell reads exactly the value.

A value must never end a quote, split a word, expand, or add a command. So each reference of a RUN
is inserted by the quoting that surrounds it, which the scan of the command's text finds out.
"""

from __future__ import annotations

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.syntax.shell_scan import REFERENCE, Context, Scan, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Template = list[str | dict[str, Any]]

__all__ = ["Context", "Unsupported", "quote", "reference_contexts", "render_command"]

_BESIDE_RAW = Unsupported(
    "a reference with |raw in the same command could change its quoting",
    "put the |raw one into a RUN of its own",
)
_NUL = Unsupported("the command holds a NUL character", "remove it")


def reference_contexts(template: Template) -> list[Context | Unsupported]:
    """The context of each reference of a RUN's template, in order, or why it has none."""
    is_raw = [part.get("filter") == "raw" for part in template if isinstance(part, dict)]
    if all(is_raw):
        return [Context.RAW] * len(is_raw)
    if any(is_raw):
        return [Context.RAW if raw else _BESIDE_RAW for raw in is_raw]
    if any(REFERENCE in part for part in template if isinstance(part, str)):
        return [_NUL] * len(is_raw)
    text = "".join(part if isinstance(part, str) else REFERENCE for part in template)
    return Scan(text).run()


def quote(value: str, context: Context) -> str:
    """The text to insert for a value, so that the shell yields exactly the value."""
    if context is Context.RAW:
        return value
    escaped = value.replace("'", "'\\''")
    if context is Context.SINGLE:
        return escaped
    if context is Context.DOUBLE:  # the double quote is closed, and reopened behind the value
        return f"\"'{escaped}'\""
    return f"'{escaped}'"


def render_command(text: str | dict[str, Any], value_of: Callable[[dict[str, Any]], str]) -> str:
    """The final command of a RUN. `value_of` gives the text of a reference, its filter applied.

    Raises `TissCommandError` of kind `type` for a value with NUL, and `TissSecurityError` for a
    reference that has no safe quoting, which `check` finds before a run.
    """
    if isinstance(text, str):
        return text
    contexts = iter(reference_contexts(text["template"]))
    parts = []
    for part in text["template"]:
        if isinstance(part, str):
            parts.append(part)
            continue
        context = next(contexts)
        if isinstance(context, Unsupported):
            raise TissSecurityError(
                f"a value cannot be quoted safely: {context.reason}", hint=context.hint
            )
        value = value_of(part)
        if "\0" in value:
            raise TissCommandError("type", "a value with a NUL character cannot go into a command")
        parts.append(quote(value, context))
    return "".join(parts)
