"""The printed grammar judges the parser: same tokens, same verdict, same place, same tree."""

import logging
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark import Lark, Tree, UnexpectedToken
from lark import Token as LarkToken
from lark.lexer import Lexer
from lark.utils import logger

from tisslang.errors import TissParseError
from tisslang.syntax import parse, text
from tisslang.syntax.lexer import Fault, Token, tokenize

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


# From lark's tree to ours: a second parser's second half, which shares only the reading of strings.


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
    if isinstance(tree, LarkToken):
        return atom(leaves(tree)[0])
    found = leaves(tree)
    if found[0].kind not in ("NAME", "LAST_RUN", "ERROR"):
        return atom(found[0])
    kinds = [token.kind for token in found]
    words = [token.text for token in found if token.kind not in (".", "|")]
    ref: dict[str, str] = {"var": words[0]}
    if "." in kinds:
        ref = {words[0].lower(): words[1]}
    if "|" in kinds:
        ref["filter"] = words[-1]
    return ref


def condition(tree: Tree[Any]) -> dict[str, Any]:
    found = leaves(tree)
    operands = [
        operand(child) for child in tree.children if getattr(child, "data", "") == "operand"
    ]
    negated = any(getattr(child, "type", "") == "NOT" for child in tree.children)
    kind = {"exists": "EXISTS", "is_empty": "IS_EMPTY", "contains": "CONTAINS", "truth": "TRUTH"}
    if tree.data == "exists":
        return {"op": "EXISTS", "negated": negated, "path": atom(found[1])}
    op = kind.get(tree.data) or tree.children[1]
    made = {"op": str(op), "negated": negated, "left": operands[0]}
    return made | ({"right": operands[1]} if len(operands) == 2 else {})


def block(tree: Tree[Any]) -> list[dict[str, Any]]:
    return statements(next((c for c in tree.children if isinstance(c, Tree)), None))


def statements(tree: Tree[Any] | None) -> list[dict[str, Any]]:
    return [statement(c) for c in tree.children if isinstance(c, Tree)] if tree else []


def statement(tree: Tree[Any]) -> dict[str, Any]:
    found = leaves(tree)
    words = [token.text for token in found]
    kind = str(tree.data).upper()
    last = tree.children[-1]
    has_block = getattr(last, "data", "") == "block"
    fields: dict[str, Any]
    if kind == "TASK":
        fields = {"description": text.description(found[1]), "block": has_block}
        fields["body"] = block(last) if has_block else []
    elif kind == "STEP":
        fields = {"description": text.description(found[1]), "body": block(last)}
    elif kind == "DIRECTIVE":
        values = [t.text if t.kind == "NAME" else atom(t) for t in found[2:]]
        fields = {"name": words[1], "values": values}
    elif kind == "READ":
        fields = {"path": atom(found[1]), "variable": words[3]}
    elif kind == "WRITE":
        heredoc: Any = found[2]
        fields = {"path": atom(found[1]), "language": heredoc.word, "content": atom(heredoc)}
        fields |= {"raw": "'" in heredoc.text, "indented": "-" in heredoc.text}
    elif kind == "RUN":
        fields = {"command": atom(found[1])}
    elif kind == "ASSERT":
        fields = {"condition": condition(last)}
    elif kind == "VAR":
        fields = {"name": words[1], "default": words[2] == "?=", "value": operand(last)}
    else:
        fields = {"value": operand(last)}
    position = {"line": found[0].line, "column": found[0].column, "end_line": found[-1].end_line}
    return {"type": kind} | fields | position


def without_sources(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parser's tree without what the oracle does not know; a TASK's rest is behind it again."""
    made = []
    for node in nodes:
        node = {key: value for key, value in node.items() if key != "source"}
        rest: list[dict[str, Any]] = []
        if "body" in node:
            node["body"] = without_sources(node["body"])
        if node["type"] == "TASK" and not node["block"]:
            rest, node["body"], node["end_line"] = node["body"], [], node["line"]
        made += [node, *rest]
    return made


# Scripts: pieces that belong together, with a layout between them, and then perhaps broken.

OPERANDS = st.sampled_from(
    [
        *['"a"', "'b # {'", '"{{x}} \\n"', "1", "-2.5", "5m", "250ms", "true", "x", "x | trim"],
        *["LAST_RUN.STDOUT", "LAST_RUN . EXIT_CODE|raw", "ERROR.KIND", "x|json"],
    ]
)
STRINGS = st.sampled_from(['"p"', "'q'", '"{{x}}/{{y|trim}}"', '""'])
HEREDOCS = st.sampled_from(
    ["<<W\nbody {{x}}\n W\nW\n", "<<-W # c\n   a\n  b\n  W\n", "<<'W'\n{{x}}\n}\nW \n", "<<W\nW\n"]
)
NAMES = st.sampled_from(["x", "y_1", "_"])
COMPARE = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
NOT = st.sampled_from(["", "NOT"])
BREAK = st.sampled_from(["\n", "\n\n \t\n", " # c\n", "\n# c\n"])


def line(*pieces: Any) -> st.SearchStrategy[list[str]]:
    return st.tuples(*(st.just(p) if isinstance(p, str) else p for p in pieces)).map(list)


COMMANDS = st.one_of(
    line("READ", STRINGS, "AS", NAMES),
    line("WRITE", STRINGS, HEREDOCS),
    line("RUN", STRINGS | HEREDOCS),
    line("ASSERT", "FILE", STRINGS, NOT, "EXISTS"),
    line("ASSERT", OPERANDS, NOT, "IS_EMPTY"),
    line("ASSERT", OPERANDS, NOT, "CONTAINS", OPERANDS),
    line("ASSERT", OPERANDS, COMPARE, OPERANDS),
    line("ASSERT", OPERANDS),
    line("VAR", NAMES, st.sampled_from(["=", "?="]), OPERANDS | HEREDOCS),
    line("LOG", OPERANDS),
    line("@", NAMES, OPERANDS.filter(lambda o: o[0] in "\"'1-25t"), NAMES),
    line("TASK", STRINGS),
)


def blocks(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    return st.tuples(
        st.sampled_from(["STEP", "STEP", "TASK"]),
        STRINGS,
        st.sampled_from([" ", "\n", "# c\n"]),
        inner,
        st.sampled_from([" ", "\n"]),
    ).map(lambda t: [t[0], t[1], "{", t[2], *t[3], t[4], "}"])


def sequence(one: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.tuples(one, BREAK), max_size=4).map(
        lambda pairs: [piece for pieces, gap in pairs for piece in [*pieces, gap]][:-1]
    )


SCRIPTS = sequence(st.recursive(COMMANDS, lambda inner: blocks(sequence(inner)), max_leaves=8))
PIECES = [
    *[
        "TASK",
        "STEP",
        "READ",
        "AS",
        "WRITE",
        "RUN",
        "ASSERT",
        "VAR",
        "LOG",
        "FILE",
        "EXISTS",
        "NOT",
    ],
    *["IS_EMPTY", "CONTAINS", "LAST_RUN", "ERROR", "IF", "ELSE", "CATCH", "FOR", "THEN", "SETUP"],
    *[
        "{",
        "}",
        "=",
        "?=",
        "==",
        "<",
        ".",
        "|",
        ",",
        "@",
        "\n",
        ";",
        '"s"',
        "'",
        "x",
        "1",
        "5m",
        "true",
    ],
    *["<<W\nbody\nW\n", "<<W\n W\n", "<<", "# c", "“"],
]


@st.composite
def broken_scripts(draw: st.DrawFn) -> str:
    pieces = list(draw(SCRIPTS))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(pieces)))
        change = draw(st.sampled_from(["drop", "put", "swap", "repeat"]))
        if change == "drop":
            del pieces[place : place + 1]
        elif change == "put":
            pieces.insert(place, draw(st.sampled_from(PIECES)))
        elif change == "swap":
            pieces[place : place + 2] = pieces[place : place + 2][::-1]
        else:
            pieces[place:place] = pieces[place : place + 1]
    return " ".join(pieces)


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    # Reduce/reduce conflicts raise; the others are only told to the log.
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(caplog.handler)
    try:
        make_oracle()
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)
    assert not [record for record in caplog.records if "onflict" in record.getMessage()]


def compare(source: str) -> None:
    tree, wrong = judge(source)
    script, found = parsed(source)
    if found is None:
        assert wrong is None, f"the parser accepts what the grammar refuses: {wrong}"
        assert tree is not None
        assert script is not None
        oracle = statements(next((c for c in tree.children if isinstance(c, Tree)), None))
        assert without_sources(script["body"]) == oracle
        return
    assert wrong is not None, f"the grammar accepts what the parser refuses: {found}"
    if found.code == "T006":
        assert wrong.kind == "EOF"
        return
    assert found.code == wrong.error.code if isinstance(wrong, Fault) else found.code in EXPECTED
    assert (found.line, found.column) == (wrong.line, wrong.column)


EXPECTED = ("T001", "T002", "T007")


def parsed(source: str) -> tuple[dict[str, Any] | None, TissParseError | None]:
    try:
        return parse(source), None
    except TissParseError as error:
        return None, error


@settings(max_examples=150)
@given(SCRIPTS.map(" ".join))
def test_valid_scripts(source: str) -> None:
    compare(source)
    assert judge(source)[1] is None


@settings(max_examples=300)
@given(broken_scripts())
@example("")
@example("}")
@example("STEP 'a' {")
@example("STEP 'a' { LOG 1 } LOG 2")
@example("@ x 1\nTASK 'a'\nTASK 'b'\nLOG 1")
def test_broken_scripts(source: str) -> None:
    compare(source)


@pytest.mark.long
@settings(max_examples=20_000)
@given(broken_scripts())
def test_many_broken_scripts(source: str) -> None:
    compare(source)
