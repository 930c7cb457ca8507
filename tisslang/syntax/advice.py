"""What to say when something unexpected stands in a statement: how that statement is written.

Loaded only when a script does not parse.
"""

from __future__ import annotations

from tisslang.syntax.diagnostics import legible
from tisslang.syntax.lexer import Token

_FORMS = {
    "TASK": 'TASK "what the plan does"',
    "SETUP": "SETUP { … }",
    "STEP": 'STEP "what it does" { … }',
    "DEFINE_TASK": 'DEFINE_TASK "name" WITH parameter { … }',
    "OPTION": 'OPTION "label" { … }',
    "READ": 'READ "path" AS name',
    "WRITE": 'WRITE "path" <<WORD',
    "RUN": 'RUN "command"',
    "ASSERT": "ASSERT x == 1",
    "VAR": "VAR name = value",
    "LOG": 'LOG "text"',
    "MKDIR": 'MKDIR "path"',
    "DELETE": 'DELETE "path"',
    "CALL": 'CALL "name" WITH parameter = value',
    "PROMPT_AGENT": 'PROMPT_AGENT "text" INTO name, or PROMPT_AGENT INTO name <<WORD',
    "SET_BUDGET": "SET_BUDGET API_CALLS = 10, SET_BUDGET EXECUTION_TIME = 5m",
    "PAUSE": 'PAUSE "why": it waits for a person',
    "REQUEST_REVIEW": 'REQUEST_REVIEW "what to look at"',
    "IF": "IF x == 1 { … } ELSE { … }",
    "TRY": "TRY { … } CATCH { … }",
    "PARALLEL": 'PARALLEL { STEP "a" { … } … }',
    "CHOOSE": 'CHOOSE { OPTION "a" { … } … }',
    "ESTIMATE_COST": "ESTIMATE_COST INTO name { … }",
    "@": '@name value: @persona "a careful reviewer", @timeout 30s',
}
_SMALL = {
    "a field": "fields are upper case: LAST_RUN.STDOUT, ERROR.KIND, COST.TOTAL",
    "a filter": "the filters are raw, trim and json",
}
_END = "the end of the line"


def advice(token: Token, before: Token, statement: Token, expected: str) -> str | None:
    """The hint for `token`, which stands behind `before` in `statement`, in place of `expected`."""
    special = _SPECIAL.get(statement.kind)
    hint = special(token, before, expected) if special else None
    if hint is None and token.kind == "NAME" and expected.startswith("a string"):
        hint = f'texts stand in quotes: "{legible(token.text, 40)}"'
    if hint is None and token.kind == "STRING" and expected == "a name":
        hint = "a name stands without quotes"
    if expected in _SMALL:
        return _SMALL[expected]
    if hint is None and expected != _END:
        form = _FORMS.get(statement.kind)
        hint = f"it is written {form}" if form else None
    return hint


def _if(token: Token, before: Token, expected: str) -> str | None:
    if before.kind == "ELSE" and expected == "`{`":
        return "a second condition: ELSE IF x == 1 { … }"
    if token.kind == "NAME" and token.text.upper() in ("ELIF", "ELSEIF", "ELSE_IF"):
        return "a second condition: } ELSE IF x == 1 {"
    return None


def _assert(token: Token, before: Token, expected: str) -> str | None:
    if token.kind in (",", "STRING") and expected == _END:
        return "an ASSERT has no message: its report says what was expected and what was found"
    return None


def _try(token: Token, before: Token, expected: str) -> str | None:
    if before.kind == "CATCH":
        return "CATCH has no name: the error is ERROR.KIND, ERROR.MESSAGE and ERROR.LINE"
    if expected == "`CATCH`":
        return "every TRY has a CATCH: TRY { … } CATCH { … }"
    return None


def _run(token: Token, before: Token, expected: str) -> str | None:
    if token.kind in ("INTO", "AS"):
        return "what it printed is LAST_RUN.STDOUT: VAR name = LAST_RUN.STDOUT|trim"
    if token.kind in ("STRING", "NAME", ",") and expected == _END:
        return 'the whole command is one text: RUN "python3 main.py {{name}}"'
    return None


def _log(token: Token, before: Token, expected: str) -> str | None:
    if token.kind in ("STRING", "NAME", ",") and expected == _END:
        return 'one value; to join values: LOG "{{first}} {{second}}"'
    return None


def _call(token: Token, before: Token, expected: str) -> str | None:
    if token.kind in ("INTO", "AS"):
        return "a sub-task hands results back in variables that its body assigns"
    if token.kind == "NAME" and expected == _END:
        if before.kind == "STRING":
            return 'arguments stand after WITH: CALL "name" WITH parameter = value'
        return "between arguments stands a comma"
    if expected in ("a name", "`=`"):
        return 'arguments have names: CALL "name" WITH parameter = value'
    return None


def _define(token: Token, before: Token, expected: str) -> str | None:
    if token.kind == "=":
        return "a parameter has no default: every CALL gives every parameter"
    if token.kind == "NAME" and before.kind == "NAME":
        return "between parameters stands a comma"
    return None


def _prompt(token: Token, before: Token, expected: str) -> str | None:
    if token.kind == "AS":
        return 'the reply goes INTO a variable: PROMPT_AGENT "text" INTO name'
    return None


def _budget(token: Token, before: Token, expected: str) -> str | None:
    if token.kind == "STRING" and expected == "a number or a duration":
        return f"without quotes: {legible(token.text[1:-1], 40)}"
    if expected == "a number or a duration":
        return "a budget is a number, or a duration such as 5m"
    return None


def _block(token: Token, before: Token, expected: str) -> str | None:
    if expected == "`{`" and token.kind == "STRING":
        return "it has no description: each block in it has one"
    if expected == "`{`" and token.kind == "NUMBER":
        return "the operator says how many run at once: tiss run --jobs N"
    return None


def _estimate(token: Token, before: Token, expected: str) -> str | None:
    if expected == "`{`" and token.kind in ("NAME", "AS"):
        return "the estimate goes INTO a variable: ESTIMATE_COST INTO name { … }"
    return None


def _directive(token: Token, before: Token, expected: str) -> str | None:
    if token.kind == "=" and before.kind == "NAME" and expected == _END:
        return 'a value with other characters than letters, digits and _ stands in quotes: "A=1"'
    if token.kind == "=":
        return 'a directive has no =: @persona "a careful reviewer"'
    if token.kind == "," and expected == _END:
        return "values stand side by side, without commas"
    return None


_SPECIAL = {
    "IF": _if,
    "ASSERT": _assert,
    "TRY": _try,
    "RUN": _run,
    "LOG": _log,
    "CALL": _call,
    "DEFINE_TASK": _define,
    "PROMPT_AGENT": _prompt,
    "SET_BUDGET": _budget,
    "PARALLEL": _block,
    "CHOOSE": _block,
    "ESTIMATE_COST": _estimate,
    "@": _directive,
}
