"""From expressions of the syntax tree to values: names are looked up, templates filled in."""

from typing import Any

from tisslang.errors import TissCommandError
from tisslang.state import State
from tisslang.summary import condition_text
from tisslang.values import Unknown, Value, apply_filter, text_form

_LAST_RUN_FIELDS = {
    "STDOUT": "stdout",
    "STDERR": "stderr",
    "EXIT_CODE": "exit_code",
    "EXECUTION_TIME": "execution_time",
    "COMMAND": "command",
}
_REFERENCES = frozenset({"var", "last_run", "error", "cost", "duration"})
MAX_TEXT = 64 * 1024 * 1024  # characters
_POSITION = ("type", "end_line")


def arguments(node: dict[str, Any], state: State) -> dict[str, Any]:
    """The fields of a command, evaluated; this is what its tool is given.

    RUN: `command` is the final text for the shell. ASSERT: `condition` holds the operands' values
    in place of the operands, `source` the condition as written. CALL: `args` holds values by name.
    All others: every field's value.
    """
    args: dict[str, Any] = {}
    for field, content in node.items():
        if field in _POSITION:
            continue
        if node["type"] == "RUN" and field == "command":
            args[field] = _command_text(content, state)
        elif node["type"] == "CALL" and field == "args":
            args[field] = {name: evaluate(value, state) for name, value in content.items()}
        elif field == "condition":
            args[field] = evaluate_condition(content, state)
            args.setdefault("source", node.get("source") or condition_text(content))
        else:
            args[field] = evaluate(content, state)
    return args


def evaluate_condition(condition: dict[str, Any], state: State) -> dict[str, Any]:
    """The condition with the value of each operand in its place."""
    return {
        key: evaluate(content, state) if key in ("left", "right", "path") else content
        for key, content in condition.items()
    }


def evaluate(expression: Any, state: State) -> Any:
    """The value of a Text or Expr; anything else is its own value."""
    if not isinstance(expression, dict):
        return expression
    if "template" in expression:
        return _fill_in(expression["template"], state)
    if expression.keys() & _REFERENCES:
        return _reference(expression, state)
    return expression


def _fill_in(template: list[Any], state: State) -> Value:
    values = [part if isinstance(part, str) else _reference(part, state) for part in template]
    texts = list(map(text_form, values))
    if sum(map(len, texts)) > MAX_TEXT:  # a name doubled thirty times would fill the memory
        raise TissCommandError(
            "type",
            f"the text would be longer than {MAX_TEXT:,} characters",
            hint="write the parts to files, and let a RUN put them together",
        )
    text = "".join(texts)
    is_unknown = any(isinstance(value, Unknown) for value in values)
    return Unknown(text) if is_unknown else text


def _reference(reference: dict[str, Any], state: State) -> Value:
    if "duration" in reference:
        return float(reference["seconds"])
    return apply_filter(_look_up(reference, state), reference.get("filter"))


def _look_up(reference: dict[str, Any], state: State) -> Value:
    if "var" in reference:
        return _variable(reference["var"], state)
    if "last_run" in reference:
        return _last_run(reference["last_run"], state)
    if "cost" in reference:
        return state.costs.field(reference["cost"])
    if state.error is None:
        raise TissCommandError("undefined", "ERROR is not set: no error is being handled here")
    return state.error[reference["error"]]


def _variable(name: str, state: State) -> Value:
    if name not in state.variables:
        hint = f"set it with VAR, or from outside with --var {name}=…"
        if state.options.step or state.options.from_step is not None:
            hint = f"a step that was not chosen may set it: choose it too, or give --var {name}=…"
        raise TissCommandError("undefined", f"variable {name} is not set", hint=hint)
    return state.variables[name]


def _last_run(name: str, state: State) -> Value:
    field = _LAST_RUN_FIELDS[name]
    if state.last_run_result is None or field not in state.last_run_result:
        raise TissCommandError(
            "undefined", f"LAST_RUN.{name} is not set: no RUN has ended before this line"
        )
    return state.last_run_result[field]


def _command_text(text: Any, state: State) -> Value:
    if isinstance(text, str):
        return text
    from tisslang.syntax.shell import render_command  # only templates pay for it

    values: list[Value] = []

    def value_of(reference: dict[str, Any]) -> str:
        values.append(_reference(reference, state))
        return text_form(values[-1])

    command = render_command(text, value_of)
    is_unknown = any(isinstance(value, Unknown) for value in values)
    return Unknown(command) if is_unknown else command
