"""Conditions: whether one holds, and a report of why it does not.

A condition is a dict with `op` and `negated`, as in the syntax tree, and the values of its operands
in `left` and `right`, or `path` for `EXISTS`.
"""

import json
import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tisslang.errors import TissCommandError
from tisslang.values import Value, clip, coerce_pair, is_number, kind_of, text_form

MAX_VALUE = 500
MAX_SHOWN = 80  # characters of a value in a message
MAX_SOURCE = 200  # characters of the condition in a message

_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

# An operand as written: a string, or a word with its field, and perhaps a filter.
_OPERAND = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|-?\w+(?:[ \t]*\.[ \t]*\w+)?)(?:[ \t]*\|[ \t]*\w+)?"""
_CONDITION = re.compile(
    rf"(?P<left>(?:FILE[ \t]*)?{_OPERAND})[ \t]*"
    rf"(?:(?:NOT[ \t]+)?(?:==|!=|<=|>=|<|>|CONTAINS|IS_EMPTY|EXISTS)[ \t]*(?P<right>{_OPERAND})?)?"
)
_LITERAL = re.compile(r"""-?[0-9]|true\b|false\b|'|"(?!.*\{\{)""")


class Verdict(NamedTuple):
    """Whether a condition holds, and the values it was judged by (one-sided: `right` is None)."""

    holds: bool
    left: Value
    right: Value | None


def judge(condition: dict[str, Any], exists: Callable[[str], bool]) -> Verdict:
    """Decide a condition. `exists` answers for a path. Raises `TissCommandError` of kind `type`."""
    kind, negated = condition["op"], bool(condition.get("negated"))
    if kind == "EXISTS":
        found = exists(condition["path"])
        return Verdict(found is not negated, found, None)
    left = condition["left"]
    if kind == "TRUTH":
        return Verdict(_boolean(left), left, None)
    if kind == "IS_EMPTY":
        return Verdict((not _text(left, kind).strip()) is not negated, left, None)
    right = condition["right"]
    if kind == "CONTAINS":
        return Verdict((_text(right, kind) in _text(left, kind)) is not negated, left, right)
    if kind in _ORDER:
        return Verdict(_ORDER[kind](*_two_numbers(left, right, kind)), left, right)
    return Verdict(_equal(left, right, kind) is (kind == "=="), left, right)


def failure_report(condition: dict[str, Any], verdict: Verdict, source: str) -> dict[str, Any]:
    """What a failed `ASSERT` has to say: the message, both operands with their values, a hint."""
    finding = _finding(condition, verdict, *operand_texts(source))
    brief = source if len(source) <= MAX_SOURCE else clip(source, MAX_SOURCE) + "…"
    return {
        "message": f"expected {brief}, but {finding}",
        "operator": condition["op"],
        "negated": bool(condition.get("negated")),
        **operand_reports(verdict, source),
        "hint": _hint(condition, verdict),
    }


def operand_texts(source: str) -> tuple[str, str]:
    """Both operands of a condition as written; the second is empty for a one-sided one."""
    match = _CONDITION.match(source.strip())
    if match is None:
        return source, ""
    return match["left"], match["right"] or ""


def operand_reports(verdict: Verdict, source: str) -> dict[str, Any]:
    """`left` and `right` as an `assert` event and a failure's report show them."""
    left_text, right_text = operand_texts(source)
    return {
        "left": _operand(left_text, verdict.left),
        "right": None if verdict.right is None else _operand(right_text, verdict.right),
    }


def _operand(text: str, value: Value) -> dict[str, Any]:
    written = text_form(value)
    clipped = len(written) > MAX_VALUE  # an integer can be as long
    return {
        "text": text,
        "value": clip(written, MAX_VALUE) if clipped else value,
        "clipped": clipped,
    }


def _equal(left: Value, right: Value, kind: str) -> bool:
    first, second = coerce_pair(left, right)
    if kind_of(first) != kind_of(second):
        raise _mixture(left, right, kind)
    return first == second


def _two_numbers(left: Value, right: Value, kind: str) -> tuple[Any, Any]:
    first, second = coerce_pair(left, right)
    if not (is_number(first) and is_number(second)):
        raise _mixture(left, right, kind)
    return first, second


def _mixture(left: Value, right: Value, kind: str) -> TissCommandError:
    hint = "only a text that is a number can be compared with a number"
    if isinstance(left, str) and isinstance(right, str):
        hint = "two texts have no order here; only == and != compare them"
    elif isinstance(left, bool) or isinstance(right, bool):
        hint = "a boolean is equal only to a boolean, and has no order"
    return TissCommandError(
        "type",
        f"`{kind}` cannot compare {kind_of(left)} {_shown(left)} "
        f"with {kind_of(right)} {_shown(right)}",
        hint=hint,
    )


def _text(value: Value, kind: str) -> str:
    if not isinstance(value, str):
        raise TissCommandError(
            "type",
            f"{kind} needs text, but {_shown(value)} is a {kind_of(value)}",
            hint='in a string it is text: "{{name}}"',
        )
    return value


def _boolean(value: Value) -> bool:
    if not isinstance(value, bool):
        raise TissCommandError(
            "type",
            f"a condition by itself must be a boolean, but {_shown(value)} is {kind_of(value)}",
            hint="compare it with something, or use NOT IS_EMPTY",
        )
    return value


def _finding(condition: dict[str, Any], verdict: Verdict, left_text: str, right_text: str) -> str:
    if condition["op"] == "EXISTS":
        return "it exists" if verdict.left else "it does not exist"
    if verdict.right is None or _LITERAL.match(right_text):
        return f"it was {_shown(verdict.left)}"
    return f"{left_text} was {_shown(verdict.left)} and {right_text} was {_shown(verdict.right)}"


def _shown(value: Value) -> str:
    written = text_form(value)
    shown = clip(written, MAX_SHOWN)
    quoted = json.dumps(shown, ensure_ascii=False) if isinstance(value, str) else shown
    return quoted if len(written) <= MAX_SHOWN else quoted + "…"


def _hint(condition: dict[str, Any], verdict: Verdict) -> str | None:
    left, right = verdict.left, verdict.right
    if not (isinstance(left, str) and isinstance(right, str)) or condition.get("negated"):
        return None
    if condition["op"] == "==" and left.strip() == right.strip():
        return "they differ only in white space at the ends: use |trim"
    if condition["op"] == "CONTAINS" and right.strip() in left:
        return "it holds without the white space at the ends of what is looked for: use |trim there"
    if condition["op"] == "CONTAINS" and right.casefold() in left.casefold():
        return "it holds when upper and lower case are not told apart"
    return None
