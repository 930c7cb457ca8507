"""From text to tokens, line by line: a heredoc is one token, comments are kept apart.

A fault becomes a token of kind FAULT, so that an earlier error of the parser comes first. Whoever
wants to see what stands behind it can have the lexer go on (recovery.py).
"""

from __future__ import annotations

import re

from tisslang.errors import TissParseError

STATEMENTS = (
    "TASK",
    "SETUP",
    "STEP",
    "DEFINE_TASK",
    "OPTION",
    "READ",
    "WRITE",
    "RUN",
    "ASSERT",
    "VAR",
    "LOG",
    "MKDIR",
    "DELETE",
    "CALL",
    "PROMPT_AGENT",
    "SET_BUDGET",
    "PAUSE",
    "REQUEST_REVIEW",
    "IF",
    "TRY",
    "PARALLEL",
    "CHOOSE",
    "ESTIMATE_COST",
)
CLAUSES = (
    "AS",
    "WITH",
    "INTO",
    "THEN",
    "ELSE",
    "CATCH",
    "NOT",
    "CONTAINS",
    "IS_EMPTY",
    "FILE",
    "EXISTS",
)
PSEUDO_VARIABLES = ("LAST_RUN", "COST", "ERROR")
# What stands in quotes behind these is a description or a name: `{{` has no meaning in it.
DESCRIBED = ("TASK", "SETUP", "STEP", "OPTION", "DEFINE_TASK", "CALL")
FUTURE = ("FOR", "WHILE", "INCLUDE", "FINALLY", "RETURN", "MATCHES", "AND", "OR")

# Every reserved word with its kind of token: the word itself, except for the two booleans.
RESERVED = {word: word for word in [*STATEMENTS, *CLAUSES, *PSEUDO_VARIABLES, *FUTURE]}
RESERVED |= {"true": "BOOL", "false": "BOOL"}

NAME = r"[A-Za-z_][A-Za-z0-9_]*+"

_TOKEN = re.compile(
    rf"""[ \t]*+(?:
    (?P<WORD>{NAME})
  | (?P<NL>\n(?:[ \t]*+\n)*+)
  | (?P<STRING>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+" | '[^'\n]*+')
  | (?P<MARK>[{{}}|@.,] | \?= | [=!<>]= | = | >| <(?!<))
  | (?P<DURATION>[0-9]++(?:\.[0-9]++)?+(?:ms|[smh])(?![A-Za-z0-9_]))
  | (?P<NUMBER>-?[0-9]++(?:\.[0-9]++)?+)
  | (?P<COMMENT>\#[^\n]*+)
  | (?P<HEREDOC><<-?(?:'{NAME}'|{NAME}))
  | (?P<EOF>\Z)
    )""",
    re.VERBOSE,
)
_BLANKS = re.compile(r"[ \t]*+")
_END_OF_OPENER = re.compile(r"[ \t]*+(\#[^\n]*+)?(?:\n|\Z)")
_OPENS_BLOCK = re.compile(r"[ \t](\{)[ \t]*+(?:#[^\n]*+)?\Z")
_LINE_OF_ONE_WORD = re.compile(rf"^([ \t]*+)({NAME})[ \t]*+$", re.MULTILINE)


class Token:
    """A token: its kind, its text as written, where it begins, and `start`, its place in the text.

    Kinds are the reserved words, BOOL NAME STRING NUMBER DURATION HEREDOC NL EOF FAULT, and the
    marks themselves: `{ } = ?= == != < <= > >= . , | @`.
    """

    __slots__ = ("column", "kind", "line", "start", "text")

    def __init__(self, kind: str, text: str, line: int, column: int, start: int) -> None:
        self.kind = kind
        self.text = text
        self.line = line
        self.column = column
        self.start = start

    def __repr__(self) -> str:
        return f"Token({self.kind} {self.text!r} at {self.line}:{self.column})"

    @property
    def end_line(self) -> int:
        """The line on which the token ends: only a heredoc has several."""
        return self.line

    @property
    def end_column(self) -> int:
        """The column behind the token on its first line."""
        return self.column + len(self.text)


class Heredoc(Token):
    """A heredoc: `text` is the opener; its body begins on the next line.

    Every line of `body` ends in a line feed. `end` is the place behind the terminator.
    """

    __slots__ = ("body", "end", "indented", "raw", "word")

    def __init__(self, opener: str, line: int, column: int, start: int) -> None:
        super().__init__("HEREDOC", opener, line, column, start)
        self.indented = opener.startswith("<<-")
        self.raw = opener.endswith("'")
        self.word = opener.strip("<-'")
        self.body = ""
        self.end = start

    @property
    def verbatim(self) -> str:
        """The opener that would make it verbatim."""
        return f"{'<<-' if self.indented else '<<'}'{self.word}'"

    @property
    def end_line(self) -> int:
        """The line of the terminator."""
        return self.line + self.body.count("\n") + 1


class Fault(Token):
    """What no token begins with, and the error that the parser raises when it gets here.

    At `resume` tokens may begin again.
    """

    __slots__ = ("error", "resume")

    def __init__(self, error: TissParseError, start: int, resume: int) -> None:
        super().__init__("FAULT", "", error.line, error.column, start)
        self.error = error
        self.resume = resume


def tokenize(text: str, most_faults: int = 1) -> tuple[list[Token], list[Token]]:
    """The tokens of a script, and its comments. The last token is EOF, or the last fault allowed.

    Line ends that separate nothing are gone: those at both ends, after `{`, and before `}`, ELSE
    and CATCH; a run of them is one NL.
    """
    tokens: list[Token] = []
    comments: list[Token] = []
    match_token = _TOKEN.match
    line, line_start, place = 1, 0, 0
    previous = "{"  # as at the start of a block: no NL comes first
    while True:
        match = match_token(text, place)
        if match is None:
            fault = _fault(text, place, line, line_start)
            tokens.append(fault)
            most_faults -= 1
            if not most_faults:
                return tokens, comments
            previous, place = "FAULT", fault.resume
            continue
        kind = match.lastgroup
        assert kind is not None
        start, place = match.span(kind)
        if kind == "NL":
            if previous not in ("NL", "{"):
                previous = "NL"
                tokens.append(Token("NL", "\n", line, start - line_start + 1, start))
            line += text.count("\n", start, place)
            line_start = place
            continue
        if kind == "COMMENT":
            comments.append(Token(kind, match[kind], line, start - line_start + 1, start))
            continue
        word = text[start:place]
        if kind == "WORD":
            kind = RESERVED.get(word, "NAME")
        elif kind == "MARK":
            kind = word
        if previous == "NL" and kind in ("}", "ELSE", "CATCH", "EOF"):
            dropped = tokens.pop()
            if kind == "EOF":  # what is missing there is missing on the last line that has tokens
                line, start = dropped.line, dropped.start
                line_start = start + 1 - dropped.column
        previous = kind
        column = start - line_start + 1
        if kind != "HEREDOC":
            tokens.append(Token(kind, word, line, column, start))
            if kind == "EOF":
                return tokens, comments
            continue
        heredoc = Heredoc(word, line, column, start)
        tokens += _read_heredoc(heredoc, text, place, line_start, comments)
        last = tokens[-1]
        place = heredoc.end
        if isinstance(last, Fault):
            most_faults -= 1
            if not most_faults:
                return tokens, comments
            previous, place = "FAULT", last.resume
        line += text.count("\n", start, place)
        line_start = text.rfind("\n", 0, place) + 1


def _read_heredoc(
    heredoc: Heredoc, text: str, place: int, line_start: int, comments: list[Token]
) -> list[Token]:
    """Fill a heredoc whose opener ends at `place`; a fault stands behind it or in its stead."""
    opener_end = _END_OF_OPENER.match(text, place)
    if opener_end is None:
        fault = _after_opener(text, place, heredoc.line, line_start)
        fault.resume = _end_of_line(text, place)
        terminator, _ = _terminator(heredoc, text, fault.resume)
        if terminator is not None:
            heredoc.body = text[fault.resume + 1 : terminator.start()]
            fault.resume = terminator.end()
        return [heredoc, fault]
    if comment := opener_end[1]:
        start = opener_end.start(1)
        comments.append(Token("COMMENT", comment, heredoc.line, start - line_start + 1, start))
    terminator, indented = _terminator(heredoc, text, opener_end.end())
    if terminator is None:
        return [_not_terminated(heredoc, indented, text)]
    heredoc.body = text[opener_end.end() : terminator.start()]
    heredoc.end = terminator.end()
    return [heredoc]


def _terminator(
    heredoc: Heredoc, text: str, body_start: int
) -> tuple[re.Match[str] | None, re.Match[str] | None]:
    """The line that closes the heredoc, or else the first line that has its word indented."""
    indented = None
    for match in _LINE_OF_ONE_WORD.finditer(text, body_start):
        if match[2] != heredoc.word:
            continue
        if heredoc.indented or not match[1]:
            return match, None
        indented = indented or match
    return None, indented


def _fault(text: str, place: int, line: int, line_start: int) -> Fault:
    """The error at the first character behind blanks, where no token can be read."""
    from tisslang.syntax import hints

    blanks = _BLANKS.match(text, place)
    assert blanks is not None
    start = blanks.end()
    character = text[start]
    end = resume = start + 1
    if character in "\"'":
        code, message = "T003", "string is not closed"
        resume = _end_of_line(text, start)
        rest = text[start:resume]
        hint: str | None = hints.open_string(rest)
        if brace := _OPENS_BLOCK.search(rest):
            resume = start + brace.start(1)
    elif character == "<":
        code, message = "T001", "`<<` without a word after it"
        end = resume = start + 2
        hint = "a heredoc begins with <<WORD, <<'WORD', <<-WORD or <<-'WORD', without spaces"
    else:
        code, message = "T001", f"unexpected character {hints.character_name(character)}"
        hint = hints.character(character)
    column = start - line_start + 1
    end_column = end - line_start + 1
    error = TissParseError(code, message, line, column, hint, end_column=end_column)
    return Fault(error, start, resume)


def _after_opener(text: str, place: int, line: int, line_start: int) -> Fault:
    """The error at whatever follows a heredoc's opener on its line."""
    from tisslang.syntax.diagnostics import legible

    match = _TOKEN.match(text, place)
    if match is None:
        return _fault(text, place, line, line_start)
    assert match.lastgroup is not None
    start, end = match.span(match.lastgroup)
    error = TissParseError(
        "T001",
        f"unexpected `{legible(text[start:end], 40)}` after the opener of a heredoc",
        line,
        start - line_start + 1,
        "the opener is the last thing on its line; the body begins on the next",
        end_column=end - line_start + 1,
    )
    return Fault(error, start, end)


def _not_terminated(heredoc: Heredoc, indented: re.Match[str] | None, text: str) -> Fault:
    word = heredoc.word
    hint = f"put {word} alone on a line" + ("" if heredoc.indented else ", at column 1")
    resume = len(text)
    if indented is not None:
        opener = heredoc.text.replace("<<", "<<-")
        line = heredoc.line + text.count("\n", heredoc.start, indented.start())
        hint = f"line {line} has an indented {word}: write {opener}, or move it to column 1"
        resume = indented.end()
    error = TissParseError(
        "T005",
        f"heredoc {heredoc.text} is not closed",
        heredoc.line,
        heredoc.column,
        hint,
        end_column=heredoc.end_column,
    )
    return Fault(error, heredoc.start, resume)


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end
