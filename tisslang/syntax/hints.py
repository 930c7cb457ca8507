"""What to say to somebody whose script does not parse. Loaded only when it is needed."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

from tisslang.syntax.advice import advice
from tisslang.syntax.lexer import FUTURE, RESERVED, STATEMENTS, Token
from tisslang.syntax.tree import FIELDS

_FUTURE_REASONS = {
    "AND": "a condition has one comparison; write two ASSERTs, or one IF in another",
    "OR": "a condition has one comparison; write one IF after another",
    "FOR": "there are no loops, so that every plan ends",
    "WHILE": "there are no loops, so that every plan ends",
    "MATCHES": "CONTAINS looks for a text",
    "RETURN": "a result is handed on in a variable",
    "INCLUDE": "a plan is one file",
    "FINALLY": "what happens in any case stands after the TRY",
}
_MISPLACED = {
    "ELSE": "ELSE follows the } of an IF",
    "CATCH": "CATCH follows the } of a TRY",
    "FILE": 'FILE stands in a condition: ASSERT FILE "path" EXISTS',
    "NOT": "NOT stands in a condition, before CONTAINS, IS_EMPTY or EXISTS",
    "LAST_RUN": "to check it: ASSERT LAST_RUN.EXIT_CODE == 0; to see it: LOG LAST_RUN.STDOUT",
}
_ELSEWHERE = {  # words of other languages, and what they are here
    **dict.fromkeys(("ECHO", "PRINT", "PRINTF", "OUTPUT", "WRITELN"), "to show a text: LOG"),
    **dict.fromkeys(("EXEC", "SHELL", "BASH", "SH", "CMD", "SYSTEM"), 'a command: RUN "command"'),
    **dict.fromkeys(("SET", "LET", "CONST"), "to assign: VAR name = value"),
    **dict.fromkeys(("ELIF", "ELSEIF", "ELSE_IF"), "a second condition: } ELSE IF x == 1 {"),
    **dict.fromkeys(("ENDIF", "END", "FI", "DONE", "ENDTASK"), "a block ends with }"),
    **dict.fromkeys(("EXCEPT", "RESCUE"), "CATCH follows the } of a TRY"),
    **dict.fromkeys(("DEF", "FUNCTION", "FUNC", "PROC"), 'a sub-task: DEFINE_TASK "name" { … }'),
    **dict.fromkeys(("RM", "REMOVE"), 'to remove a file: DELETE "path"'),
    **dict.fromkeys(("ASK", "CONFIRM"), 'to ask a person: REQUEST_REVIEW "message"'),
    **dict.fromkeys(("PROMPT", "AGENT", "LLM"), 'to ask the agent: PROMPT_AGENT "text"'),
    **dict.fromkeys(("SWITCH", "CASE", "MATCH"), "several conditions: IF … ELSE IF … ELSE"),
    **dict.fromkeys(("SLEEP", "WAIT"), 'to wait: RUN "sleep 5"'),
    **dict.fromkeys(("FOREACH", "LOOP", "REPEAT", "UNTIL"), "there are no loops: every plan ends"),
    **dict.fromkeys(("IMPORT", "SOURCE"), "a plan is one file"),
    "FILE_EXISTS": 'to look for a file: ASSERT FILE "path" EXISTS',
    "BUDGET": "to limit what a run costs: SET_BUDGET API_CALLS = 10",
}
_CHARACTERS = {
    ";": "there is no ; in TissLang: each statement has its own line",
    "\\": "a statement stands on one line and cannot be continued",
    "`": "strings stand in \"double\" or 'single' quotes",
    "+": "a number has no sign +, and values are not added: use interpolation",
    "-": "a - belongs to a number: -1",
    "&": "there is no AND: write two ASSERTs, or one IF in another",
    "!": "to negate: != or NOT before CONTAINS, IS_EMPTY and EXISTS",
    "?": "a default is given with ?=",
    "/": "a path is a string, in quotes; a comment begins with #",
    "$": "a variable is written by its name alone, and as {{name}} inside a string",
    "[": "a value is a text, a number or a boolean; there are no lists",
    "]": "a value is a text, a number or a boolean; there are no lists",
    "(": "there are no parentheses: a condition has one comparison, a CALL has WITH",
    ")": "there are no parentheses: a condition has one comparison, a CALL has WITH",
    ":": "there is no : in TissLang; a block stands in { }, and VAR has =",
}
_CURLY_SINGLE = "‘’‚‛"
_CURLY = "“”„‟«»" + _CURLY_SINGLE


def unknown_command(word: str) -> str | None:
    """The hint of T002 for a word that is no statement keyword."""
    if word in _MISPLACED:
        return _MISPLACED[word]
    if word in RESERVED:
        return f"{word} does not begin a statement"
    upper = word.upper()
    if upper in STATEMENTS:
        return f"commands are upper case: {upper}"
    if upper in _ELSEWHERE:
        return _ELSEWHERE[upper]
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
    for find in (_in_condition, _glued, _in_value, _by_expectation):
        hint = find(token, before, statement, expected)
        if hint:
            return hint
    return advice(token, before, statement, expected) if before else None


def _in_condition(
    token: Token, before: Token | None, statement: Token, expected: str
) -> str | None:
    if statement.kind not in ("ASSERT", "IF") or before is None:
        return None
    if token.kind == "=":
        return "to compare: =="
    if (token.kind == "NOT" and before is statement) or before.text == "not":
        return 'NOT stands after the operand: FILE "path" NOT EXISTS, x NOT CONTAINS "y"'
    if before.text in ("FILE_EXISTS", "EXISTS"):
        return 'to look for a file: FILE "path" EXISTS'
    if token.kind == "EXISTS":
        return 'only files exist: FILE "path" EXISTS'
    if token.text.upper() in ("CONTAINS", "IS_EMPTY", "EXISTS", "NOT"):
        return f"keywords are upper case: {token.text.upper()}" if token.kind == "NAME" else None
    if token.kind == "==" and before.kind == "NOT":
        return "to negate: !="
    if expected.startswith("`EXISTS`"):
        return 'to look for a file: FILE "path" EXISTS, FILE "path" NOT EXISTS'
    return _between_operands(token.text) if token.kind == "NAME" else None


def _between_operands(word: str) -> str | None:
    upper = word.upper()
    if upper in ("IS", "EQUALS", "EQ", "IS_EQUAL"):
        return "to compare: ==; for a text without characters: IS_EMPTY"
    if upper in ("AND", "OR"):
        return _FUTURE_REASONS[upper]
    if upper in ("IN", "LIKE", "HAS", "INCLUDES"):
        return 'to look for a text in another: text CONTAINS "part"'
    if upper in ("EMPTY", "ISEMPTY"):
        return "for a text without characters: IS_EMPTY"
    return nearest(upper, ("CONTAINS", "IS_EMPTY", "EXISTS"))


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
        return "only LAST_RUN, ERROR and COST have fields"
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
    if expected == "a name" and token.kind in ("NUMBER", "DURATION"):
        return "a name has letters, digits and _, and does not begin with a digit"
    if expected == "`{`" and token.kind in ("NL", "EOF"):
        return "the { stands on the line of its keyword"
    if expected == "a heredoc" and statement.kind == "WRITE":
        return "WRITE takes its text as a heredoc: <<WORD, the lines, then WORD alone at column 1"
    if token.kind == "HEREDOC" and statement.kind in ("LOG", "ASSERT"):
        return "bind the text first: VAR name = <<WORD"
    if expected != "`CATCH`" and token.kind in ("ELSE", "CATCH"):
        return _MISPLACED[token.kind]
    return None
