"""What to say to somebody whose script does not parse. Loaded only when it is needed."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

from tisslang.syntax.diagnostics import printable
from tisslang.syntax.lexer import FUTURE, RESERVED, STATEMENTS, Token
from tisslang.syntax.tree import FIELDS

# What a statement of the whole language is for, while this version does not have it.
FEATURES = {
    "SETUP": "preparation before the first step",
    "DEFINE_TASK": "sub-tasks",
    "OPTION": "choices",
    "MKDIR": "making directories",
    "DELETE": "deleting files",
    "CALL": "sub-tasks",
    "PROMPT_AGENT": "questions to a language model",
    "SET_BUDGET": "budgets",
    "PAUSE": "questions to a person",
    "REQUEST_REVIEW": "questions to a person",
    "IF": "branches",
    "TRY": "error handling",
    "PARALLEL": "steps side by side",
    "CHOOSE": "choices",
    "ESTIMATE_COST": "cost estimates",
    "COST": "cost counters",
    "timeout": "a time limit for each RUN",
    "retry": "repeating a step",
    "cwd": "a directory for RUN",
    "env": "environment variables for RUN",
}

_FUTURE_REASONS = {
    "AND": "write two ASSERTs, one for each condition",
    "OR": "a condition has one comparison",
    "FOR": "there are no loops, so that every plan ends",
    "WHILE": "there are no loops, so that every plan ends",
    "MATCHES": "CONTAINS looks for a text",
    "RETURN": "a result is handed on in a variable",
    "INCLUDE": "a plan is one file",
    "FINALLY": "",
}
_MISPLACED = {
    "ELSE": "ELSE follows the } of an IF",
    "CATCH": "CATCH follows the } of a TRY",
    "FILE": 'FILE stands in a condition: ASSERT FILE "path" EXISTS',
    "NOT": "NOT stands in a condition, before CONTAINS, IS_EMPTY or EXISTS",
    "LAST_RUN": "to check it: ASSERT LAST_RUN.EXIT_CODE == 0; to see it: LOG LAST_RUN.STDOUT",
}
_CHARACTERS = {
    ";": "there is no ; in TissLang: each statement has its own line",
    "\\": "a statement stands on one line and cannot be continued",
    "`": "strings stand in \"double\" or 'single' quotes",
    "+": "a number has no sign +, and values are not added: use interpolation",
    "-": "a - belongs to a number: -1",
    "&": "there is no AND: write two ASSERTs",
    "!": "to negate: != or NOT before CONTAINS, IS_EMPTY and EXISTS",
    "?": "a default is given with ?=",
    "/": "a path is a string, in quotes; a comment begins with #",
    "$": "a variable is written by its name alone, and as {{name}} inside a string",
    "[": "a value is a text, a number or a boolean; there are no lists",
    "]": "a value is a text, a number or a boolean; there are no lists",
    "(": "there are no parentheses: a condition has one comparison",
    ")": "there are no parentheses: a condition has one comparison",
    ":": "there is no : in TissLang; a value is given with =",
}
_CURLY_SINGLE = "‘’‚‛"
_CURLY = "“”„‟«»" + _CURLY_SINGLE


def not_available(word: str) -> str:
    """The hint of T002 for a part of the language that this version lacks."""
    return f"{word} ({FEATURES[word]}) is not available in this version"


def unknown_command(word: str) -> str | None:
    """The hint of T002 for a word that is no statement keyword."""
    if word in _MISPLACED:
        return _MISPLACED[word]
    if word in RESERVED:
        return f"{word} cannot begin a statement"
    upper = word.upper()
    if upper in STATEMENTS:
        return f"commands are upper case: {upper}"
    return nearest(upper, STATEMENTS)


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """`did you mean X?` for the choice that looks most like the word."""
    if len(word) > 40:
        return None
    close = difflib.get_close_matches(word, sorted(choices), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else None


def character_name(character: str) -> str:
    """A character for a message: itself where it can be seen, its code point unless ASCII."""
    code = f"U+{ord(character):04X}"
    if character.isascii():
        return f"`{character}`" if character.isprintable() else code
    return f"`{character}` ({code})" if character.isprintable() else code


def character(character: str) -> str | None:
    """The hint of T001 for a character that begins no token."""
    if character in _CURLY:
        quote = "'" if character in _CURLY_SINGLE else '"'
        return f"{_code_point(character)}: use the straight quote {quote}"
    if not character.isascii():
        if unicodedata.category(character)[0] in "ZC":
            return f"{_code_point(character)}: only spaces and tabs separate words"
        return f"{_code_point(character)}: outside strings and comments a script is ASCII"
    if character.isspace() or not character.isprintable():
        return f"{_code_point(character)}: only spaces and tabs separate words"
    return _CHARACTERS.get(character)


def _code_point(character: str) -> str:
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" {name}" if name else "")


def open_string(rest: str) -> str:
    """The hint of T003; `rest` is the line from the opening quote on."""
    quote = rest[0]
    if quote == '"' and rest.rstrip().endswith('\\"'):
        return "a backslash before the closing quote escapes it: write \\\\ or a 'single' string"
    return f"close the string with {quote} on the same line"


def future_word(word: str) -> str:
    """The hint of T001 for a word that is reserved for a later version."""
    reason = _FUTURE_REASONS[word]
    hint = f"{word} is reserved and means nothing in TissLang 1.2"
    return f"{hint}: {reason}" if reason else hint


def unexpected(tokens: Sequence[Token], index: int, statement: Token, expected: str) -> str | None:
    """The hint of T001 at `tokens[index]`, inside the statement that begins with `statement`."""
    token = tokens[index]
    before = tokens[index - 1] if index and token is not statement else None
    if token.kind in FUTURE:
        return future_word(token.kind)
    for advice in (_in_condition, _glued, _in_value, _by_expectation):
        hint = advice(token, before, statement, expected)
        if hint:
            return hint
    return None


def _in_condition(
    token: Token, before: Token | None, statement: Token, expected: str
) -> str | None:
    if statement.kind != "ASSERT" or before is None:
        return None
    if token.kind == "=":
        return "to compare: =="
    if token.kind == "NOT" and before is statement:
        return 'NOT stands behind the operand: FILE "path" NOT EXISTS, x NOT CONTAINS "y"'
    if before.text in ("FILE_EXISTS", "EXISTS"):
        return 'to look for a file: FILE "path" EXISTS'
    if token.kind == "EXISTS":
        return 'only files exist: FILE "path" EXISTS'
    if token.text.upper() in ("CONTAINS", "IS_EMPTY", "EXISTS", "NOT"):
        return f"keywords are upper case: {token.text.upper()}" if token.kind == "NAME" else None
    if token.text.upper() in ("IS", "EQUALS", "EQ"):
        return "to compare: =="
    if token.kind == "NAME" and token.text.upper() in ("AND", "OR"):
        return "a condition has one comparison: write two ASSERTs"
    return None


def _glued(token: Token, before: Token | None, statement: Token, expected: str) -> str | None:
    if before is None or before.line != token.line or before.end_column != token.column:
        return None
    if before.kind == "NUMBER" and token.kind == "NAME":
        if token.text.startswith(("e", "E", "_")):
            return "a number has only digits and one point: no exponent, no underscore"
        return "a duration has the unit ms, s, m or h: 500ms, 1.5s, 5m, 2h"
    if before.kind == "NUMBER" and token.kind == ".":
        return "a number with a point has digits on both sides of it"
    if before.kind == "NAME" and token.kind == ".":
        return "only LAST_RUN and ERROR have fields"
    return None


def _in_value(token: Token, before: Token | None, statement: Token, expected: str) -> str | None:
    if token.kind == "{" and expected == "a value":
        return "outside a string a variable is written by its name alone; {{name}} is for strings"
    if token.kind == "|":
        return "a filter may follow a variable, once"
    if token.kind == "==" and statement.kind == "VAR":
        return "a variable is set with ="
    if token.kind in STATEMENTS and expected == "the end of the line":
        return "each statement has its own line"
    if before is not None and expected == "`.`":
        return f"{before.text} has fields: {', '.join(FIELDS[before.text.lower()])}"
    return None


def _by_expectation(
    token: Token, before: Token | None, statement: Token, expected: str
) -> str | None:
    if expected == "a name" and token.text in RESERVED:
        return f"{token.text} is a reserved word: choose another name"
    if expected == "a name":
        return "a name has letters, digits and _, and does not begin with a digit"
    if expected == "a string" and token.kind == "NAME":
        return f'texts stand in quotes: "{printable(token.text, 40)}"'
    if expected == "`{`" and token.kind in ("NL", "EOF"):
        return "the { stands on the line of its keyword"
    if expected == "a heredoc":
        return "WRITE takes its text as a heredoc: <<WORD, the lines, then WORD alone at column 1"
    if token.kind == "HEREDOC" and statement.kind in ("LOG", "ASSERT"):
        return "bind the text first: VAR name = <<WORD"
    if expected == "`AS`":
        return 'READ "path" AS name'
    if token.kind in ("ELSE", "CATCH"):
        return _MISPLACED[token.kind]
    return None
