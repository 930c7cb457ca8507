"""Conditions and what stands in them: literals, variables, the fields of a result."""

from __future__ import annotations

from tisslang.syntax import literals
from tisslang.syntax import text as texts
from tisslang.syntax.text import PSEUDO, Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tisslang.syntax.lexer import Token
    from tisslang.syntax.parser import Parser

    Node = dict[str, Any]
    Expression = str | int | float | bool | dict[str, Any]

COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


def condition(parser: Parser) -> Node:
    """condition = "FILE" , STRING , [ "NOT" ] , "EXISTS" | operand , [ test ]"""
    if parser.skip("FILE"):
        path = parser.string()
        negated = parser.skip("NOT")
        parser.expect("EXISTS", "`EXISTS`" if negated else "`EXISTS` or `NOT`")
        return {"op": "EXISTS", "negated": negated, "path": path}
    left = operand(parser)
    negated = parser.skip("NOT")
    kind = parser.token.kind
    if kind == "IS_EMPTY":
        parser.advance()
        return {"op": kind, "negated": negated, "left": left}
    if kind == "CONTAINS" or (kind in COMPARISONS and not negated):
        parser.advance()
        return {"op": kind, "negated": negated, "left": left, "right": operand(parser)}
    if negated:
        parser.unexpected("`CONTAINS` or `IS_EMPTY`")
    return {"op": "TRUTH", "negated": False, "left": left}


def operand(parser: Parser) -> Expression:
    """operand = STRING | NUMBER | DURATION | BOOL | ref , [ "|" , FILTER ]"""
    if parser.token.kind in _LITERALS:
        return literal(parser, "a value")
    return reference(parser)


def literal(parser: Parser, expected: str) -> Expression:
    """STRING | NUMBER | DURATION | BOOL"""
    read = _LITERALS.get(parser.token.kind)
    if read is None:
        parser.unexpected(expected)
    return read(parser.advance())


def reference(parser: Parser) -> Reference:
    """ref = NAME | ( "LAST_RUN" | "ERROR" ) , "." , FIELD | "COST" , [ "." , FIELD ], a filter"""
    start = parser.token
    if start.kind == "NAME":
        parser.advance()
        found = Reference("var", start.text)
    elif start.kind in PSEUDO:
        parser.advance()
        field = "TOTAL"
        if start.kind != "COST" or parser.token.kind == ".":
            parser.expect(".", "`.`")
            field = parser.expect("NAME", "a field").text
        found = Reference(PSEUDO[start.kind], field)
    else:
        parser.unexpected("a value")
    if parser.skip("|"):
        found["filter"] = parser.expect("NAME", "a filter").text
    return found.at(start.line, start.column, parser.last.end_column)


_LITERALS: dict[str, Callable[[Token], Expression]] = {
    "STRING": texts.string,
    "NUMBER": literals.number,
    "DURATION": literals.duration,
    "BOOL": literals.boolean,
}
DIRECTIVE_VALUES = frozenset({*_LITERALS, "NAME"})
