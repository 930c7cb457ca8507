"""A second parser: lark over the printed grammar, fed with our tokens, and from its tree to ours.

It shares with the parser only the lexer and the reading of strings and heredocs.
"""

from importlib.resources import files
from typing import Any

from lark import Lark, Tree, UnexpectedToken
from lark import Token as LarkToken
from lark.lexer import Lexer

from tisslang.syntax import text
from tisslang.syntax.lexer import Fault, Token, tokenize

Node = dict[str, Any]

GRAMMAR = files("tisslang.syntax").joinpath("grammar.lark").read_text(encoding="utf-8")
MARKS = {
    **{"{": "LBRACE", "}": "RBRACE", ".": "DOT", "|": "VBAR", "@": "AT", ",": "COMMA"},
    **{"=": "ASSIGN", "?=": "DEFAULT"},
    **{"==": "EQ", "!=": "NE", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"},
}


class Leaf(LarkToken):
    """A token for lark that keeps ours."""

    ours: Token


def leaf(token: Token) -> Leaf:
    made = Leaf(MARKS.get(token.kind, token.kind), token.text)
    made.ours = token
    return made


class NoLexer(Lexer):
    """Tokens are fed one by one; lark reads no text."""

    def __init__(self, _: Any) -> None: ...

    def lex(self, *_: Any) -> Any:
        return iter(())


def make_oracle() -> Lark:
    return Lark(
        GRAMMAR, parser="lalr", lexer=NoLexer, start="script", keep_all_tokens=True, debug=True
    )


ORACLE = make_oracle()


def judge(source: str) -> tuple[Tree[Any] | None, Token | None]:
    """The tree, or the first token that does not fit."""
    machine = ORACLE.parse_interactive("")
    tokens, _ = tokenize(source)
    for token in tokens[:-1]:
        try:
            machine.feed_token(leaf(token))
        except UnexpectedToken:
            return None, token
    if isinstance(tokens[-1], Fault):
        return None, tokens[-1]
    try:
        return machine.feed_eof(), None
    except UnexpectedToken:
        return None, tokens[-1]


def body(tree: Tree[Any]) -> list[Node]:
    """The statements of a script's or a block's tree, as our parser would give them."""
    inside = next((child for child in tree.children if isinstance(child, Tree)), None)
    if inside is None:
        return []
    return [statement(child) for child in inside.children if isinstance(child, Tree)]


def leaves(tree: Any) -> list[Token]:
    if isinstance(tree, LarkToken):
        return [tree.ours]  # type: ignore[attr-defined]
    return [found for child in tree.children if child is not None for found in leaves(child)]


def atom(token: Token) -> Any:
    if token.kind == "STRING":
        return text.string(token)
    if token.kind == "HEREDOC":
        return text.heredoc(token)  # type: ignore[arg-type]
    if token.kind == "BOOL":
        return {"true": True, "false": False}[token.text]
    if token.kind == "DURATION":
        unit = token.text.lstrip("0123456789.")
        scale = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}[unit]
        return {"duration": token.text, "seconds": float(token.text[: -len(unit)]) * scale / 1000}
    return float(token.text) if "." in token.text else int(token.text)


def operand(tree: Any) -> Any:
    found = leaves(tree)
    if found[0].kind not in ("NAME", "LAST_RUN", "ERROR", "COST"):
        return atom(found[0])
    kinds = [token.kind for token in found]
    words = [token.text for token in found if token.kind not in (".", "|")]
    ref: dict[str, str] = {"var": words[0]}
    if "." in kinds:
        ref = {words[0].lower(): words[1]}
    elif kinds[0] == "COST":
        ref = {"cost": "TOTAL"}
    return ref | ({"filter": words[-1]} if "|" in kinds else {})


def condition(tree: Tree[Any]) -> Node:
    found = leaves(tree)
    operands = [operand(child) for child in parts(tree, "operand")]
    negated = any(getattr(child, "type", "") == "NOT" for child in tree.children)
    kind = {"exists": "EXISTS", "is_empty": "IS_EMPTY", "contains": "CONTAINS", "truth": "TRUTH"}
    if tree.data == "exists":
        return {"op": "EXISTS", "negated": negated, "path": atom(found[1])}
    op = kind.get(tree.data) or tree.children[1]
    made = {"op": str(op), "negated": negated, "left": operands[0]}
    return made | ({"right": operands[1]} if len(operands) == 2 else {})


def parts(tree: Tree[Any], *kinds: str) -> list[Tree[Any]]:
    return [child for child in tree.children if getattr(child, "data", "") in kinds]


def statement(tree: Tree[Any]) -> Node:
    found = leaves(tree)
    kind, fields = FIELDS[str(tree.data)](tree, found)
    position = {"line": found[0].line, "column": found[0].column, "end_line": found[-1].end_line}
    return {"type": kind} | fields | position


def task(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    blocks = parts(tree, "block")
    inside = body(blocks[0]) if blocks else []
    fields = {"description": text.description(found[1]), "block": bool(blocks), "body": inside}
    return "TASK", fields


def setup(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    name = text.description(found[1]) if found[1].kind == "STRING" else None
    return "SETUP", {"description": name, "body": body(*parts(tree, "block"))}


def define(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    params = [str(child) for child in tree.children if getattr(child, "type", "") == "NAME"]
    name = text.description(found[1])
    return "DEFINE_TASK", {"name": name, "params": params, "body": body(*parts(tree, "block"))}


def directive(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    values = [token.text if token.kind == "NAME" else atom(token) for token in found[2:]]
    return "DIRECTIVE", {"name": found[1].text, "values": values}


def write(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    opener: Any = found[2]
    fields = {"path": atom(found[1]), "language": opener.word, "content": atom(opener)}
    return "WRITE", fields | {"raw": "'" in opener.text, "indented": "-" in opener.text}


def call(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    given = [(leaves(arg)[0].text, operand(arg.children[2])) for arg in parts(tree, "arg")]
    return "CALL", {"name": text.description(found[1]), "args": dict(given)}


def prompt(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    content = next(token for token in found if token.kind in ("STRING", "HEREDOC"))
    names = [token.text for token in found if token.kind == "NAME"]
    return "PROMPT_AGENT", {"prompt": atom(content), "into": names[0] if names else None}


def branches(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    (judged,) = parts(tree, "exists", "is_empty", "contains", "compare", "truth")
    then, *behind = parts(tree, "block", "if")
    otherwise = None
    if behind:
        otherwise = body(behind[0]) if behind[0].data == "block" else [statement(behind[0])]
    return "IF", {"condition": condition(judged), "then": body(then), "else": otherwise}


def attempt(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    first, second = parts(tree, "block")
    return "TRY", {"body": body(first), "catch": body(second)}


def estimate(tree: Tree[Any], found: list[Token]) -> tuple[str, Node]:
    into = found[2].text if found[1].kind == "INTO" else None
    return "ESTIMATE_COST", {"into": into, "body": body(*parts(tree, "block"))}


def described(kind: str) -> Any:
    return lambda tree, found: (
        kind,
        {"description": text.description(found[1]), "body": body(*parts(tree, "block"))},
    )


FIELDS: dict[str, Any] = {
    "task": task,
    "setup": setup,
    "step": described("STEP"),
    "define": define,
    "directive": directive,
    "read": lambda t, found: ("READ", {"path": atom(found[1]), "variable": found[3].text}),
    "write": write,
    "run": lambda t, found: ("RUN", {"command": atom(found[1])}),
    "assert": lambda t, found: ("ASSERT", {"condition": condition(t.children[-1])}),
    "var": lambda t, found: (
        "VAR",
        {"name": found[1].text, "default": found[2].text == "?=", "value": operand(t.children[-1])},
    ),
    "log": lambda t, found: ("LOG", {"value": operand(t.children[-1])}),
    "mkdir": lambda t, found: ("MKDIR", {"path": atom(found[1])}),
    "delete": lambda t, found: ("DELETE", {"path": atom(found[1])}),
    "call": call,
    "prompt": prompt,
    "budget": lambda t, found: ("SET_BUDGET", {"resource": found[1].text, "value": atom(found[3])}),
    "pause": lambda t, found: ("PAUSE", {"message": atom(found[1])}),
    "review": lambda t, found: ("REQUEST_REVIEW", {"message": atom(found[1])}),
    "if": branches,
    "try": attempt,
    "parallel": lambda t, found: ("PARALLEL", {"body": body(*parts(t, "block"))}),
    "choose": lambda t, found: ("CHOOSE", {"options": body(*parts(t, "block"))}),
    "option": described("OPTION"),
    "estimate": estimate,
}
