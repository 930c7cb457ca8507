"""From tokens to the syntax tree: recursive descent, one method a statement.

A statement keyword is looked up in `_COMMANDS` (plain methods) or in `_BLOCKS` (generators, which
`yield self.block()` to have a block read without using Python's stack). `grammar.lark` is the same
language as a grammar. Nodes are dicts: `type`, the statement's own fields, then the position.
"""

from __future__ import annotations

from tisslang.errors import TissParseError
from tisslang.syntax import literals, trampoline
from tisslang.syntax import text as texts
from tisslang.syntax.header import read_header
from tisslang.syntax.lexer import FUTURE, RESERVED, STATEMENTS, Fault, Heredoc, Token, tokenize
from tisslang.syntax.text import PSEUDO, Reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    from tisslang.syntax.text import Text
    from tisslang.syntax.trampoline import Deep

    Node = dict[str, Any]
    Expression = str | int | float | bool | dict[str, Any]

AST_VERSION = 1
MAX_DEPTH = 256
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
# Directives that have a meaning of their own, which this version lacks. They are never ignored.
MISSING_DIRECTIVES = frozenset({"timeout", "retry", "cwd", "env"})

_WORDY = frozenset({*RESERVED.values(), "NAME"})
_NAMES = {"STRING": "string", "HEREDOC": "heredoc", "NL": "end of line", "EOF": "end of file"}


def parse_text(text: str) -> Node:
    """The SCRIPT node of a text that `decode` has made. Raises `TissParseError`."""
    tokens, comments = tokenize(text)
    header, requires = read_header(comments, tokens[0])
    return Parser(text, tokens).script(header, requires)


class Parser:
    """A place in a list of tokens, and the methods that read from there on."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.index = 0
        self.token = tokens[0]  # the next one
        self.last = tokens[0]  # the one read last
        self.statement_start = tokens[0]
        self.depth = 0

    # Tokens

    def advance(self) -> Token:
        """Read the next token."""
        self.last = self.token
        if self.index + 1 < len(self.tokens):  # EOF stays the next token for good
            self.index += 1
            self.token = self.tokens[self.index]
        return self.last

    def expect(self, kind: str, name: str) -> Token:
        """Read the next token, which must be of this kind; `name` is the kind for people."""
        if self.token.kind != kind:
            self.unexpected(name)
        return self.advance()

    def skip(self, kind: str) -> bool:
        """Read the next token if it is of this kind; whether it was."""
        if self.token.kind != kind:
            return False
        self.advance()
        return True

    def unexpected(self, expected: str) -> NoReturn:
        """Raise the error about the next token."""
        from tisslang.syntax import hints
        from tisslang.syntax.diagnostics import printable

        token = self.token
        if isinstance(token, Fault):  # the lexer's own error, now that the parser has come to it
            raise token.error
        if token.kind in FUTURE:
            message = f"{token.text} is a reserved word without a meaning"
        else:
            shown = _NAMES.get(token.kind) or f"`{printable(token.text, 40)}`"
            message = f"unexpected {shown}, expected {expected}"
        hint = hints.unexpected(self.tokens, self.index, self.statement_start, expected)
        self.error("T001", message, token, hint)

    def error(self, code: str, message: str, token: Token, hint: str | None) -> NoReturn:
        """Raise an error that points at a token."""
        end = token.column + 1 if token.kind in ("NL", "EOF") else token.end_column
        raise TissParseError(code, message, token.line, token.column, hint, end_column=end)

    def node(self, start: Token, fields: Node) -> Node:
        """A statement's node: its fields, then the position from `start` to the last token read."""
        fields["line"] = start.line
        fields["column"] = start.column
        fields["end_line"] = self.last.end_line
        return fields

    # Scripts, blocks, statements

    def script(self, header: dict[str, str] | None, requires: list[dict[str, str]]) -> Node:
        """script = [ statements ]"""
        first = self.token
        body = trampoline.run(self.statements(None))
        for index, node in enumerate(body):
            if node["type"] == "TASK" and not node["block"]:  # owns the rest of the file
                node["body"] = body[index + 1 :]
                node["end_line"] = body[-1]["end_line"]
                del body[index + 1 :]
                break
        return {
            "type": "SCRIPT",
            "ast_version": AST_VERSION,
            "header": header,
            "requires": requires,
            "body": body,
            "line": first.line if body else 1,
            "column": first.column if body else 1,
            "end_line": self.last.end_line if body else 1,
        }

    def statements(self, brace: Token | None) -> Deep:
        """statements = statement , { NL , statement }, in the block that `brace` opened."""
        body: list[Node] = []
        while not self.at_end(brace):
            if body:
                self.expect("NL", "the end of the line")
            start = self.statement_start = self.token
            if start.kind in _COMMANDS:
                self.advance()
                body.append(_COMMANDS[start.kind](self, start))
            elif start.kind in _BLOCKS:
                self.advance()
                node = yield _BLOCKS[start.kind](self, start)
                body.append(node)
            else:
                self.no_statement()
        return body

    def at_end(self, brace: Token | None) -> bool:
        """Whether the block, or the script, ends here. Raises T006 and T007."""
        if self.token.kind == "EOF":
            if brace is not None:
                hint = "close it with } behind its last line"
                self.error("T006", "block is not closed", brace, hint)
            return True
        if self.token.kind == "}":
            if brace is None:
                hint = "remove it, or open a block with { before it"
                self.error("T007", "} without a block", self.token, hint)
            return True
        return False

    def no_statement(self) -> NoReturn:
        """Raise T002 for a word that begins no statement here, T001 for anything else."""
        token = self.token
        if token.kind not in _WORDY or token.kind in FUTURE:
            self.unexpected("a statement")
        if token.kind in STATEMENTS:
            self.not_available(token, "command ")
        from tisslang.syntax import hints
        from tisslang.syntax.diagnostics import printable

        hint = hints.unknown_command(token.text)
        self.error("T002", f"unknown command {printable(token.text, 40)}", token, hint)

    def not_available(self, token: Token, part: str) -> NoReturn:
        """Raise T002 for a part of the whole language that this version lacks."""
        from tisslang.syntax import hints

        hint = hints.not_available(token.text)
        self.error("T002", f"unknown {part}{token.text}", token, hint)

    def block(self) -> Deep:
        """block = "{" , [ statements ] , "}", at most 256 of them in each other"""
        brace = self.expect("{", "`{`")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"blocks are nested deeper than {MAX_DEPTH}"
            self.error("T008", message, brace, "steps may stand one after the other")
        body = yield self.statements(brace)
        self.advance()
        self.depth -= 1
        return body

    def task(self, start: Token) -> Deep:
        """task = "TASK" , STRING , [ block ]"""
        description = self.description()
        has_block = self.token.kind == "{"
        body = (yield self.block()) if has_block else []
        fields = {"type": "TASK", "description": description, "block": has_block, "body": body}
        return self.node(start, fields)

    def step(self, start: Token) -> Deep:
        """step = "STEP" , STRING , block"""
        description = self.description()
        body = yield self.block()
        return self.node(start, {"type": "STEP", "description": description, "body": body})

    def directive(self, start: Token) -> Node:
        """directive = "@" , NAME , dvalue , { dvalue }"""
        name = self.expect("NAME", "the name of a directive")
        if name.text in MISSING_DIRECTIVES:
            self.not_available(name, "directive @")
        values = [self.directive_value()]
        while self.token.kind in _DIRECTIVE_VALUES:
            values.append(self.directive_value())
        return self.node(start, {"type": "DIRECTIVE", "name": name.text, "values": values})

    def directive_value(self) -> Expression:
        """dvalue = STRING | NUMBER | DURATION | BOOL | NAME"""
        if self.token.kind == "NAME":
            return self.advance().text
        return self.literal("a value")

    # Commands

    def read(self, start: Token) -> Node:
        """read = "READ" , STRING , "AS" , NAME"""
        path = self.string()
        self.expect("AS", "`AS`")
        name = self.expect("NAME", "a name")
        return self.node(start, {"type": "READ", "path": path, "variable": name.text})

    def write(self, start: Token) -> Node:
        """write = "WRITE" , STRING , HEREDOC"""
        path = self.string()
        heredoc = self.heredoc()
        fields = {
            "type": "WRITE",
            "path": path,
            "language": heredoc.word,
            "content": texts.heredoc(heredoc),
            "raw": heredoc.raw,
            "indented": heredoc.indented,
        }
        return self.node(start, fields)

    def run(self, start: Token) -> Node:
        """run = "RUN" , ( STRING | HEREDOC )"""
        if self.token.kind == "HEREDOC":
            command = texts.heredoc(self.heredoc())
        elif self.token.kind == "STRING":
            command = self.string()
        else:
            self.unexpected("a string or a heredoc")
        return self.node(start, {"type": "RUN", "command": command})

    def assert_(self, start: Token) -> Node:
        """assert = "ASSERT" , condition"""
        first = self.token
        condition = self.condition()
        source = self.text[first.start : self.last.start + len(self.last.text)]
        return self.node(start, {"type": "ASSERT", "condition": condition, "source": source})

    def var(self, start: Token) -> Node:
        """var = "VAR" , NAME , ( "=" | "?=" ) , ( operand | HEREDOC )"""
        name = self.expect("NAME", "a name")
        default = self.skip("?=")
        if not default:
            self.expect("=", "`=` or `?=`")
        is_heredoc = self.token.kind == "HEREDOC"
        value = texts.heredoc(self.heredoc()) if is_heredoc else self.operand()
        fields = {"type": "VAR", "name": name.text, "default": default, "value": value}
        return self.node(start, fields)

    def log(self, start: Token) -> Node:
        """log = "LOG" , operand"""
        return self.node(start, {"type": "LOG", "value": self.operand()})

    # Conditions and operands

    def condition(self) -> Node:
        """condition = "FILE" , STRING , [ "NOT" ] , "EXISTS" | operand , [ test ]"""
        if self.skip("FILE"):
            path = self.string()
            negated = self.skip("NOT")
            self.expect("EXISTS", "`EXISTS`" if negated else "`EXISTS` or `NOT`")
            return {"op": "EXISTS", "negated": negated, "path": path}
        left = self.operand()
        negated = self.skip("NOT")
        kind = self.token.kind
        if kind == "IS_EMPTY":
            self.advance()
            return {"op": kind, "negated": negated, "left": left}
        if kind == "CONTAINS" or (kind in COMPARISONS and not negated):
            self.advance()
            return {"op": kind, "negated": negated, "left": left, "right": self.operand()}
        if negated:
            self.unexpected("`CONTAINS` or `IS_EMPTY`")
        return {"op": "TRUTH", "negated": False, "left": left}

    def operand(self) -> Expression:
        """operand = STRING | NUMBER | DURATION | BOOL | ref , [ "|" , FILTER ]"""
        if self.token.kind in _LITERALS:
            return self.literal("a value")
        return self.reference()

    def literal(self, expected: str) -> Expression:
        """STRING | NUMBER | DURATION | BOOL"""
        read = _LITERALS.get(self.token.kind)
        if read is None:
            self.unexpected(expected)
        return read(self.advance())

    def reference(self) -> Reference:
        """ref = NAME | "LAST_RUN" , "." , FIELD | "ERROR" , "." , FIELD, and its filter"""
        start = self.token
        if start.kind == "NAME":
            self.advance()
            reference = Reference("var", start.text)
        elif start.kind in PSEUDO:
            self.advance()
            self.expect(".", "`.`")
            field = self.expect("NAME", "a field")
            reference = Reference(PSEUDO[start.kind], field.text)
        elif start.kind == "COST":
            self.not_available(start, "value ")
        else:
            self.unexpected("a value")
        if self.skip("|"):
            reference["filter"] = self.expect("NAME", "a filter").text
        return reference.at(start.line, start.column, self.last.end_column)

    def description(self) -> str:
        """A STRING whose `{{` is text."""
        return texts.description(self.expect("STRING", "a string"))

    def string(self) -> Text:
        """A STRING."""
        return texts.string(self.expect("STRING", "a string"))

    def heredoc(self) -> Heredoc:
        """A HEREDOC."""
        token = self.token
        if not isinstance(token, Heredoc):
            self.unexpected("a heredoc")
        self.advance()
        return token


_LITERALS: dict[str, Callable[[Token], Expression]] = {
    "STRING": texts.string,
    "NUMBER": literals.number,
    "DURATION": literals.duration,
    "BOOL": literals.boolean,
}
_DIRECTIVE_VALUES = frozenset({*_LITERALS, "NAME"})
_COMMANDS: dict[str, Callable[[Parser, Token], Node]] = {
    "@": Parser.directive,
    "READ": Parser.read,
    "WRITE": Parser.write,
    "RUN": Parser.run,
    "ASSERT": Parser.assert_,
    "VAR": Parser.var,
    "LOG": Parser.log,
}
_BLOCKS: dict[str, Callable[[Parser, Token], Deep]] = {"TASK": Parser.task, "STEP": Parser.step}
