"""The statements that do something themselves: one function each, in `COMMANDS`.

Each is called behind the keyword, `start`, and reads to the end of its statement.
"""

from __future__ import annotations

from tisslang.syntax import text as texts
from tisslang.syntax.operands import DIRECTIVE_VALUES, condition, literal, operand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from tisslang.syntax.lexer import Token
    from tisslang.syntax.operands import Expression
    from tisslang.syntax.parser import Parser

    Node = dict[str, Any]


class Arguments(dict[str, "Any"]):
    """The arguments of a CALL by name; `repeated` are the names that were given again."""

    __slots__ = ("repeated",)

    def __init__(self) -> None:
        self.repeated: list[str] = []


def directive(parser: Parser, start: Token) -> Node:
    """directive = "@" , NAME , dvalue , { dvalue }"""
    name = parser.expect("NAME", "the name of a directive")
    values = [_directive_value(parser)]
    while parser.token.kind in DIRECTIVE_VALUES:
        values.append(_directive_value(parser))
    return parser.node(start, {"type": "DIRECTIVE", "name": name.text, "values": values})


def _directive_value(parser: Parser) -> Expression:
    """dvalue = STRING | NUMBER | DURATION | BOOL | NAME"""
    if parser.token.kind == "NAME":
        return parser.advance().text
    return literal(parser, "a value")


def read(parser: Parser, start: Token) -> Node:
    """read = "READ" , STRING , "AS" , NAME"""
    path = parser.string()
    parser.expect("AS", "`AS`")
    return parser.node(start, {"type": "READ", "path": path, "variable": parser.name()})


def write(parser: Parser, start: Token) -> Node:
    """write = "WRITE" , STRING , HEREDOC"""
    path = parser.string()
    heredoc = parser.heredoc()
    fields = {
        "type": "WRITE",
        "path": path,
        "language": heredoc.word,
        "content": texts.heredoc(heredoc),
        "raw": heredoc.raw,
        "indented": heredoc.indented,
    }
    return parser.node(start, fields)


def run(parser: Parser, start: Token) -> Node:
    """run = "RUN" , ( STRING | HEREDOC )"""
    return parser.node(start, {"type": "RUN", "command": parser.string_or_heredoc()})


def assert_(parser: Parser, start: Token) -> Node:
    """assert = "ASSERT" , condition"""
    first = parser.token
    judged = condition(parser)
    source = parser.text[first.start : parser.last.start + len(parser.last.text)]
    return parser.node(start, {"type": "ASSERT", "condition": judged, "source": source})


def var(parser: Parser, start: Token) -> Node:
    """var = "VAR" , NAME , ( "=" | "?=" ) , ( operand | HEREDOC )"""
    name = parser.name()
    default = parser.skip("?=")
    if not default:
        parser.expect("=", "`=` or `?=`")
    is_heredoc = parser.token.kind == "HEREDOC"
    value = texts.heredoc(parser.heredoc()) if is_heredoc else operand(parser)
    return parser.node(start, {"type": "VAR", "name": name, "default": default, "value": value})


def log(parser: Parser, start: Token) -> Node:
    """log = "LOG" , operand"""
    return parser.node(start, {"type": "LOG", "value": operand(parser)})


def mkdir(parser: Parser, start: Token) -> Node:
    """mkdir = "MKDIR" , STRING"""
    return parser.node(start, {"type": "MKDIR", "path": parser.string()})


def delete(parser: Parser, start: Token) -> Node:
    """delete = "DELETE" , STRING"""
    return parser.node(start, {"type": "DELETE", "path": parser.string()})


def call(parser: Parser, start: Token) -> Node:
    """call = "CALL" , STRING , [ "WITH" , arg , { "," , arg } ]"""
    name = parser.description()
    args = Arguments()
    if parser.skip("WITH"):
        _argument(parser, args)
        while parser.skip(","):
            _argument(parser, args)
    return parser.node(start, {"type": "CALL", "name": name, "args": args})


def _argument(parser: Parser, args: Arguments) -> None:
    """arg = NAME , "=" , operand"""
    name = parser.name()
    parser.expect("=", "`=`")
    value = operand(parser)
    if name in args:
        args.repeated.append(name)
    args[name] = value


def prompt_agent(parser: Parser, start: Token) -> Node:
    """prompt = "PROMPT_AGENT" , ( STRING , [ "INTO" , NAME ] | [ "INTO" , NAME ] , HEREDOC )"""
    if parser.token.kind == "STRING":
        prompt = parser.string()
        into = parser.name() if parser.skip("INTO") else None
    else:
        into = parser.name() if parser.skip("INTO") else None
        if into is None and parser.token.kind != "HEREDOC":
            parser.unexpected("a string or a heredoc")
        prompt = texts.heredoc(parser.heredoc())
    return parser.node(start, {"type": "PROMPT_AGENT", "prompt": prompt, "into": into})


def set_budget(parser: Parser, start: Token) -> Node:
    """budget = "SET_BUDGET" , ( NAME | "COST" ) , "=" , ( NUMBER | DURATION )"""
    if parser.token.kind not in ("NAME", "COST"):
        parser.unexpected("the name of a budget")
    resource = parser.advance().text
    parser.expect("=", "`=`")
    if parser.token.kind not in ("NUMBER", "DURATION"):
        parser.unexpected("a number or a duration")
    value = operand(parser)
    return parser.node(start, {"type": "SET_BUDGET", "resource": resource, "value": value})


def pause(parser: Parser, start: Token) -> Node:
    """pause = "PAUSE" , STRING"""
    return parser.node(start, {"type": "PAUSE", "message": parser.string()})


def review(parser: Parser, start: Token) -> Node:
    """review = "REQUEST_REVIEW" , STRING"""
    return parser.node(start, {"type": "REQUEST_REVIEW", "message": parser.string()})


COMMANDS: dict[str, Callable[[Parser, Token], Node]] = {
    "@": directive,
    "READ": read,
    "WRITE": write,
    "RUN": run,
    "ASSERT": assert_,
    "VAR": var,
    "LOG": log,
    "MKDIR": mkdir,
    "DELETE": delete,
    "CALL": call,
    "PROMPT_AGENT": prompt_agent,
    "SET_BUDGET": set_budget,
    "PAUSE": pause,
    "REQUEST_REVIEW": review,
}
