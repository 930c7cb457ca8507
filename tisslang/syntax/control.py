"""The statements that hold other statements: one generator each, in `BLOCKS`.

Each is called behind the keyword, `start`; `yield parser.block()` reads a block.
"""

from __future__ import annotations

from tisslang.syntax.operands import condition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tisslang.syntax.lexer import Token
    from tisslang.syntax.parser import Parser
    from tisslang.syntax.trampoline import Deep


def task(parser: Parser, start: Token) -> Deep:
    """task = "TASK" , STRING , [ block ]"""
    description = parser.description()
    has_block = parser.token.kind == "{"
    body = (yield parser.block()) if has_block else []
    fields = {"type": "TASK", "description": description, "block": has_block, "body": body}
    return parser.node(start, fields)


def setup(parser: Parser, start: Token) -> Deep:
    """setup = "SETUP" , [ STRING ] , block"""
    description = parser.description() if parser.token.kind == "STRING" else None
    body = yield parser.block()
    return parser.node(start, {"type": "SETUP", "description": description, "body": body})


def step(parser: Parser, start: Token) -> Deep:
    """step = "STEP" , STRING , block"""
    description = parser.description()
    body = yield parser.block()
    return parser.node(start, {"type": "STEP", "description": description, "body": body})


def define(parser: Parser, start: Token) -> Deep:
    """define = "DEFINE_TASK" , STRING , [ "WITH" , NAME , { "," , NAME } ] , block"""
    name = parser.description()
    params = []
    if parser.skip("WITH"):
        params.append(parser.name())
        while parser.skip(","):
            params.append(parser.name())
    body = yield parser.block()
    return parser.node(start, {"type": "DEFINE_TASK", "name": name, "params": params, "body": body})


def if_(parser: Parser, start: Token) -> Deep:
    """if = "IF" , condition , [ "THEN" ] , block , [ "ELSE" , ( block | if ) ]"""
    parser.statement_start = start  # which may stand behind an ELSE
    judged = condition(parser)
    parser.skip("THEN")
    then = yield parser.block()
    otherwise = None
    if parser.skip("ELSE"):
        following = parser.token
        if parser.skip("IF"):  # in the tree it lies one level deeper, so it counts as one
            parser.deeper(following)
            otherwise = [(yield if_(parser, following))]
            parser.depth -= 1
        else:
            otherwise = yield parser.block()
    fields = {"type": "IF", "condition": judged, "then": then, "else": otherwise}
    return parser.node(start, fields)


def try_(parser: Parser, start: Token) -> Deep:
    """try = "TRY" , block , "CATCH" , block"""
    body = yield parser.block()
    parser.expect("CATCH", "`CATCH`")
    catch = yield parser.block()
    return parser.node(start, {"type": "TRY", "body": body, "catch": catch})


def parallel(parser: Parser, start: Token) -> Deep:
    """parallel = "PARALLEL" , block"""
    body = yield parser.block()
    return parser.node(start, {"type": "PARALLEL", "body": body})


def choose(parser: Parser, start: Token) -> Deep:
    """choose = "CHOOSE" , block"""
    options = yield parser.block()
    return parser.node(start, {"type": "CHOOSE", "options": options})


def option(parser: Parser, start: Token) -> Deep:
    """option = "OPTION" , STRING , block"""
    description = parser.description()
    body = yield parser.block()
    return parser.node(start, {"type": "OPTION", "description": description, "body": body})


def estimate(parser: Parser, start: Token) -> Deep:
    """estimate = "ESTIMATE_COST" , [ "INTO" , NAME ] , block"""
    into = parser.name() if parser.skip("INTO") else None
    body = yield parser.block()
    return parser.node(start, {"type": "ESTIMATE_COST", "into": into, "body": body})


BLOCKS: dict[str, Callable[[Parser, Token], Deep]] = {
    "TASK": task,
    "SETUP": setup,
    "STEP": step,
    "DEFINE_TASK": define,
    "IF": if_,
    "TRY": try_,
    "PARALLEL": parallel,
    "CHOOSE": choose,
    "OPTION": option,
    "ESTIMATE_COST": estimate,
}
