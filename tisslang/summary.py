"""A node of the syntax tree written back as one line, for progress, events and messages."""

import json
from collections.abc import Callable
from typing import Any

from tisslang.values import clip, text_form

MAX_SUMMARY = 120


def summary(node: dict[str, Any], mask: Callable[[str], str] = str) -> str:
    """The command in one line of at most 120 characters; a heredoc shows its first line.

    `mask` hides secrets before anything is cut off.
    """
    line = mask(f"{node['type']} {_details(node)}".strip())
    return line if len(line) <= MAX_SUMMARY else clip(line, MAX_SUMMARY - 1) + "…"


def condition_text(condition: dict[str, Any]) -> str:
    """A condition as one would write it; used where the script's own words are not at hand."""
    operator, negation = condition["op"], "NOT " if condition.get("negated") else ""
    if operator == "EXISTS":
        return f"FILE {expression_text(condition['path'])} {negation}EXISTS"
    left = expression_text(condition["left"])
    if operator == "TRUTH":
        return left
    if operator == "IS_EMPTY":
        return f"{left} {negation}IS_EMPTY"
    return f"{left} {negation}{operator} {expression_text(condition['right'])}"


def expression_text(expression: Any) -> str:
    """An operand as one would write it, texts in double quotes."""
    if isinstance(expression, dict) and "template" not in expression:
        return reference_text(expression)
    if isinstance(expression, str | dict):
        return json.dumps(template_text(expression), ensure_ascii=False)
    return text_form(expression)


def template_text(text: str | dict[str, Any]) -> str:
    """A text with its references as `{{name}}`."""
    if isinstance(text, str):
        return text
    return "".join(
        part if isinstance(part, str) else "{{" + reference_text(part) + "}}"
        for part in text["template"]
    )


def reference_text(reference: dict[str, Any]) -> str:
    """`x`, `LAST_RUN.STDOUT|trim`, `5m`."""
    if "duration" in reference:
        return reference["duration"]
    filter_text = f"|{reference['filter']}" if reference.get("filter") else ""
    for key, prefix in (("last_run", "LAST_RUN."), ("error", "ERROR."), ("cost", "COST.")):
        if key in reference:
            return prefix + reference[key] + filter_text
    return reference["var"] + filter_text


def _details(node: dict[str, Any]) -> str:
    details = _DETAILS.get(node["type"])
    if details is not None:
        return details(node)
    return expression_text(node["path"]) if "path" in node else ""


def _var(node: dict[str, Any]) -> str:
    sign = "?=" if node.get("default") else "="
    return f"{node['name']} {sign} {expression_text(node['value'])}"


def _call(node: dict[str, Any]) -> str:
    args = [f"{name} = {expression_text(value)}" for name, value in node["args"].items()]
    name = json.dumps(node["name"], ensure_ascii=False)
    return f"{name} WITH {', '.join(args)}" if args else name


def _first_line(text: str | dict[str, Any]) -> str:
    first, _, more = template_text(text).strip().partition("\n")
    return f"{first} …" if more else first


_DETAILS: dict[str, Callable[[dict[str, Any]], str]] = {
    "RUN": lambda node: _first_line(node["command"]),
    "ASSERT": lambda node: node.get("source") or condition_text(node["condition"]),
    "IF": lambda node: condition_text(node["condition"]),
    "VAR": _var,
    "LOG": lambda node: expression_text(node["value"]),
    "READ": lambda node: f"{expression_text(node['path'])} AS {node['variable']}",
    "CALL": _call,
    "CHOOSE": lambda node: " | ".join(option["description"] for option in node["options"]),
    "PROMPT_AGENT": lambda node: _first_line(node["prompt"]),
    "PAUSE": lambda node: _first_line(node["message"]),
    "REQUEST_REVIEW": lambda node: _first_line(node["message"]),
    "SET_BUDGET": lambda node: f"{node['resource']} = {expression_text(node['value'])}",
}
