"""From tokens to the syntax tree: recursive descent, one function a statement.

A statement keyword is looked up in `COMMANDS` (plain functions, commands.py) or in `BLOCKS`
(control.py: generators, which `yield parser.block()` to have a block read without using Python's
stack). `grammar.lark` is the same language as a grammar. Nodes are dicts: `type`, the statement's
own fields, then the position.
"""

from __future__ import annotations

from tisslang.errors import TissParseError
from tisslang.syntax import text as texts
from tisslang.syntax import trampoline
from tisslang.syntax.commands import COMMANDS
from tisslang.syntax.control import BLOCKS
from tisslang.syntax.header import read_header
from tisslang.syntax.lexer import FUTURE, RESERVED, Fault, Heredoc, Token, tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from tisslang.syntax.text import Text
    from tisslang.syntax.trampoline import Deep

    Node = dict[str, Any]

AST_VERSION = 1
MAX_DEPTH = 256

_WORDY = frozenset({*RESERVED.values(), "NAME"})
_NAMES = {"STRING": "string", "HEREDOC": "heredoc", "NL": "end of line", "EOF": "end of file"}


def parse_text(text: str) -> Node:
    """The SCRIPT node of a text that `decode` has made. Raises `TissParseError`."""
    return parse_tokens(text, *tokenize(text))


def parse_tokens(text: str, tokens: list[Token], comments: list[Token]) -> Node:
    """The SCRIPT node of a text of which `tokenize` has made these tokens."""
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
        from tisslang.syntax.diagnostics import legible

        token = self.token
        if isinstance(token, Fault):  # the lexer's own error, now that the parser has come to it
            raise token.error
        if token.kind in FUTURE:
            message = f"{token.text} is a reserved word without a meaning"
        else:
            shown = _NAMES.get(token.kind) or f"`{legible(token.text, 40)}`"
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
            made = self.statement()
            body.append(made if isinstance(made, dict) else (yield made))
        return body

    def statement(self) -> Node | Deep:
        """A statement's node, or the call that will read a statement with blocks in it."""
        start = self.statement_start = self.token
        if start.kind in COMMANDS:
            self.advance()
            return COMMANDS[start.kind](self, start)
        if start.kind in BLOCKS:
            self.advance()
            return BLOCKS[start.kind](self, start)
        self.no_statement()

    def at_end(self, brace: Token | None) -> bool:
        """Whether the block, or the script, ends here. Raises T006 and T007."""
        if self.token.kind == "EOF":
            if brace is not None:
                hint = "close it with } after its last line"
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
        from tisslang.syntax import hints
        from tisslang.syntax.diagnostics import legible

        hint = hints.unknown_command(token.text)
        self.error("T002", f"unknown command {legible(token.text, 40)}", token, hint)

    def block(self) -> Deep:
        """block = "{" , [ statements ] , "}", at most 256 of them in each other"""
        statement = self.statement_start
        brace = self.expect("{", "`{`")
        self.deeper(brace)
        body = yield self.statements(brace)
        self.advance()
        self.depth -= 1
        self.statement_start = statement
        return body

    def deeper(self, at: Token) -> None:
        """Go one level down. Raises T008 below the last one."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            message = f"blocks are nested deeper than {MAX_DEPTH}"
            self.error("T008", message, at, "steps may stand one after the other")

    # What many statements hold

    def name(self) -> str:
        """A NAME."""
        return self.expect("NAME", "a name").text

    def description(self) -> str:
        """A STRING whose `{{` is text."""
        return texts.description(self.expect("STRING", "a string"))

    def string(self) -> Text:
        """A STRING."""
        return texts.string(self.expect("STRING", "a string"))

    def string_or_heredoc(self) -> Text:
        """STRING | HEREDOC"""
        if self.token.kind == "HEREDOC":
            return texts.heredoc(self.heredoc())
        if self.token.kind != "STRING":
            self.unexpected("a string or a heredoc")
        return self.string()

    def heredoc(self) -> Heredoc:
        """A HEREDOC."""
        token = self.token
        if not isinstance(token, Heredoc):
            self.unexpected("a heredoc")
        self.advance()
        return token
