"""What the grammar wants next: behind the tokens of a statement that is not finished."""

from __future__ import annotations

from collections.abc import Sequence

from tisslang.syntax.lexer import STATEMENTS
from tisslang.syntax.placement import NOT_IN_PARALLEL

# What these names stand for is listed in `completion.py`; others are words of the language.
_OPERATORS = ("CONTAINS", "IS_EMPTY", "NOT", "==", "!=", "<", "<=", ">", ">=")
_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">=", "CONTAINS"})
_VALUES = frozenset({"NAME", "STRING", "NUMBER", "DURATION", "BOOL", "COST"})
_NEXT: dict[tuple[str, ...], tuple[str, ...]] = {
    ("@",): ("directive",),
    ("}",): ("ELSE", "CATCH"),
    ("READ", "STRING"): ("AS",),
    ("READ", "STRING", "AS"): ("variable",),
    ("WRITE", "STRING"): ("heredoc",),
    ("RUN",): ("heredoc",),
    ("VAR",): ("variable",),
    ("VAR", "NAME"): ("=", "?="),
    ("CALL",): ("task",),
    ("CALL", "STRING"): ("WITH",),
    ("DEFINE_TASK", "STRING"): ("WITH",),
    ("PROMPT_AGENT",): ("INTO", "heredoc"),
    ("PROMPT_AGENT", "STRING"): ("INTO",),
    ("PROMPT_AGENT", "INTO"): ("variable",),
    ("PROMPT_AGENT", "STRING", "INTO"): ("variable",),
    ("PROMPT_AGENT", "INTO", "NAME"): ("heredoc",),
    ("SET_BUDGET",): ("budget",),
    ("SET_BUDGET", "NAME"): ("=",),
    ("SET_BUDGET", "COST"): ("=",),
    ("ESTIMATE_COST",): ("INTO",),
    ("ESTIMATE_COST", "INTO"): ("variable",),
    ("LOG",): ("operand",),
    ("ELSE",): ("IF",),
}


def statements_allowed(around: Sequence[str]) -> frozenset[str]:
    """The keywords that may begin a statement in a block, by the statements around it."""
    holder = around[-1] if around else "SCRIPT"
    if holder == "CHOOSE":
        return frozenset({"OPTION"})
    if holder == "PARALLEL":
        return frozenset({"STEP"})
    allowed = {*STATEMENTS} - {"OPTION"}
    if holder not in ("SCRIPT", "TASK"):
        allowed -= {"TASK", "SETUP", "DEFINE_TASK"}
    if holder == "TASK":
        allowed -= {"TASK"}
    if "PARALLEL" in around:
        allowed -= NOT_IN_PARALLEL
    if "SETUP" in around or "ESTIMATE_COST" in around:
        allowed -= {"STEP"}
    return frozenset(allowed)


def words_behind(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """What may stand behind the tokens of a statement, by their kinds."""
    if kinds[:1] == ("}",):
        kinds = kinds[1:]
        if kinds == ():
            return _NEXT["}",]
    if kinds[:2] == ("ELSE", "IF"):
        kinds = kinds[1:]
    last = kinds[-1]
    if last == "." and kinds[-2:-1] and kinds[-2] in ("LAST_RUN", "ERROR", "COST"):
        return ("field",)
    if last == "|":
        return ("filter",)
    if kinds in _NEXT:
        return _NEXT[kinds]
    first = kinds[0]
    if first in ("ASSERT", "IF"):
        return _in_condition(kinds[1:])
    if first == "VAR" and last in ("=", "?="):
        return ("operand", "heredoc")
    if first == "CALL":
        if last in ("WITH", ","):
            return ("parameter",)
        return ("operand",) if last == "=" else ()
    return ()


def _in_condition(kinds: tuple[str, ...]) -> tuple[str, ...]:
    if not kinds:
        return ("condition",)
    last = kinds[-1]
    if kinds[0] == "FILE":
        after = {"STRING": ("EXISTS", "NOT"), "NOT": ("EXISTS",)}
        return after.get(last, ())
    if last in _COMPARING:
        return ("operand",)
    if last == "NOT":
        return ("CONTAINS", "IS_EMPTY")
    is_first_operand = last in _VALUES and not _COMPARING & {*kinds} and "NOT" not in kinds
    return _OPERATORS if is_first_operand else ()
