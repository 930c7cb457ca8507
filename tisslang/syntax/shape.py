"""The shape of the tree (language reference, section 3), and whether a dict has it.

A tree that `parse` made has it. One that a user wrote down, or that came as JSON, may lack what has
a natural default; anything else that is missing or of another kind is an error which says where.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # The place of a node: the place of the one that holds it, the field, the index; None: the root.
    Place = tuple["Place", str, int] | None

# The fields of every type with their kinds, in the order in which the parser makes them; those with
# `?` may be missing. Kinds are explained in `_KINDS`; a "block" is a list of statements.
SHAPES: dict[str, dict[str, str]] = {
    "SCRIPT": {
        "ast_version": "version?",
        "header": "header?",
        "requires": "requirements?",
        "body": "block",
    },
    "TASK": {"description": "string", "block": "boolean?", "body": "block"},
    "SETUP": {"description": "string or null?", "body": "block"},
    "STEP": {"description": "string", "body": "block"},
    "READ": {"path": "Text", "variable": "string"},
    "WRITE": {
        "path": "Text",
        "language": "string?",
        "content": "Text",
        "raw": "boolean?",
        "indented": "boolean?",
    },
    "RUN": {"command": "Text"},
    "ASSERT": {"condition": "Cond", "source": "string?"},
    "VAR": {"name": "string", "default": "boolean?", "value": "Expr"},
    "LOG": {"value": "Expr"},
    "MKDIR": {"path": "Text"},
    "DELETE": {"path": "Text"},
    "DIRECTIVE": {"name": "string", "values": "list of Expr"},
    "IF": {"condition": "Cond", "then": "block", "else": "block or null?"},
    "TRY": {"body": "block", "catch": "block"},
    "DEFINE_TASK": {"name": "string", "params": "list of strings", "body": "block"},
    "CALL": {"name": "string", "args": "object of Expr"},
    "PARALLEL": {"body": "block"},
    "CHOOSE": {"options": "block"},
    "OPTION": {"description": "string", "body": "block"},
    "ESTIMATE_COST": {"into": "string or null?", "body": "block"},
    "SET_BUDGET": {"resource": "string", "value": "number or duration"},
    "PROMPT_AGENT": {"prompt": "Text", "into": "string or null?"},
    "PAUSE": {"message": "Text"},
    "REQUEST_REVIEW": {"message": "Text"},
}
POSITION = {"line": "position?", "column": "position?", "end_line": "position?"}
REFERENCES = ("var", "last_run", "error", "cost")
# The operators of a Cond, and the operands that each has.
CONDITIONS: dict[str, dict[str, str]] = {
    "EXISTS": {"path": "Text"},
    "IS_EMPTY": {"left": "Expr"},
    "TRUTH": {"left": "Expr"},
    "CONTAINS": {"left": "Expr", "right": "Expr"},
}
for _operator in ("==", "!=", "<", "<=", ">", ">="):
    CONDITIONS[_operator] = {"left": "Expr", "right": "Expr"}
MAX_LEVELS = 1000  # no plan needs them: a list that holds itself has more


def require_shape(tree: Any) -> None:
    """Raise `TypeError` or `ValueError` where a tree does not have the shape of a SCRIPT.

    Statements of a type that the language does not have are left alone: an engine may have a tool
    for them.
    """
    todo: list[tuple[Any, Place, int]] = [(tree, None, 0)]
    while todo:
        node, place, level = todo.pop()
        try:
            _require_statement(node, "SCRIPT" if place is None else None)
            shape = SHAPES.get(node["type"], {})
            _require_fields(node, shape | POSITION)
            if level > MAX_LEVELS:
                raise _Fault(
                    "", f"at most {MAX_LEVELS} levels; perhaps a list holds itself", ValueError
                )
        except _Fault as fault:
            where = _written(place) + fault.where
            raise fault.kind(f"{where}: expected {fault.expected}") from None
        for field, kind in shape.items():
            if kind.startswith("block"):
                inner = enumerate(node.get(field) or ())
                todo += [(child, (place, field, index), level + 1) for index, child in inner]


class _Fault(Exception):
    """What is wrong inside a node, and where."""

    def __init__(self, where: str, expected: str, kind: type[Exception] = TypeError) -> None:
        super().__init__(expected)
        self.where, self.expected, self.kind = where, expected, kind


def _written(place: Place) -> str:
    steps = []
    while place is not None:
        place, field, index = place
        steps.append(f".{field}[{index}]")
    text = "script" + "".join(reversed(steps))
    return text if len(text) <= 200 else "…" + text[-199:]


def _require_statement(node: Any, kind: str | None) -> None:
    if not isinstance(node, dict):
        raise _Fault("", f"a dict with a type, not {_shown(node)}")
    if not isinstance(node.get("type"), str):
        raise _Fault(".type", f"the name of a statement, not {_shown(node.get('type'))}")
    if kind is not None and node["type"] != kind:
        raise _Fault(".type", f"SCRIPT, not {_shown(node['type'])}", ValueError)
    if kind is None and node["type"] == "SCRIPT":
        raise _Fault(".type", "a statement, not 'SCRIPT'", ValueError)


def _require_fields(node: dict[str, Any], shape: dict[str, str]) -> None:
    for field, kind in shape.items():
        if field in node:
            _require(node[field], kind.removesuffix("?"), "." + field)
        elif not kind.endswith("?"):
            raise _Fault("", f"a field {field!r} ({kind})", ValueError)


def _require(value: Any, kind: str, where: str) -> None:
    _KINDS[kind](value, where)


def _simple(expected: str, *types: type) -> Callable[[Any, str], None]:
    """A check for a type; a boolean is no number here."""

    def require(value: Any, where: str) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise _Fault(where, f"{expected}, not {_shown(value)}")

    return require


def _list_of(kind: str) -> Callable[[Any, str], None]:
    def require(value: Any, where: str) -> None:
        _list(value, where)
        for index, item in enumerate(value):
            _require(item, kind, f"{where}[{index}]")

    return require


def _object_of(kind: str) -> Callable[[Any, str], None]:
    def require(value: Any, where: str) -> None:
        _object(value, where)
        for name, item in value.items():
            _string(name, f"{where}, a key")
            _require(item, kind, f"{where}[{name!r}]")

    return require


_string = _simple("a string", str)
_number = _simple("a number", int, float)
_integer = _simple("a whole number", int)
_list = _simple("a list", list)
_object = _simple("an object (a dict)", dict)


def _version(value: Any, where: str) -> None:
    _integer(value, where)
    if value != 1:
        raise _Fault(
            where, f"1, the version of the tree that is known here, not {value}", ValueError
        )


def _requirement(value: Any, where: str) -> None:
    _object(value, where)
    for field in ("op", "version"):
        _string(value.get(field), f"{where}.{field}")


def _position(value: Any, where: str) -> None:
    _integer(value, where)
    if value < 1:
        raise _Fault(where, f"a number from 1, not {value}", ValueError)


def _header(value: Any, where: str) -> None:
    if value is not None:
        _object_of("string")(value, where)


def _text(value: Any, where: str) -> None:
    """A string, or a template of strings and references."""
    if isinstance(value, str):
        return
    if not isinstance(value, dict):
        raise _Fault(where, f"a text, not {_shown(value)}")
    _known_keys(value, where, ("template",))
    _list(value.get("template"), where + ".template")
    for index, part in enumerate(value["template"]):
        if not isinstance(part, str):
            _reference(part, f"{where}.template[{index}]")


def _reference(value: Any, where: str) -> None:
    _object(value, where)
    _known_keys(value, where, (*REFERENCES, "filter"))
    kinds = [kind for kind in REFERENCES if kind in value]
    if len(kinds) != 1:
        raise _Fault(where, f"one of {', '.join(REFERENCES)}, not {_shown(value)}", ValueError)
    for key, name in value.items():
        _string(name, f"{where}.{key}")


def _expression(value: Any, where: str) -> None:
    """A string, a number, a boolean, a template, a reference or a duration."""
    if isinstance(value, str | int | float):  # and so a boolean
        return
    if not isinstance(value, dict):
        raise _Fault(where, f"a value, not {_shown(value)}")
    if "template" in value:
        _text(value, where)
    elif "duration" in value:
        _duration(value, where)
    else:
        _reference(value, where)


def _duration(value: dict[str, Any], where: str) -> None:
    _known_keys(value, where, ("duration", "seconds"))
    _string(value["duration"], where + ".duration")
    _number(value.get("seconds"), where + ".seconds")


def _budget(value: Any, where: str) -> None:
    if isinstance(value, dict) and "duration" in value:
        _duration(value, where)
    else:
        _simple("a number or a duration", int, float)(value, where)


def _condition(value: Any, where: str) -> None:
    _object(value, where)
    operator = value.get("op")
    if not isinstance(operator, str) or operator not in CONDITIONS:
        expected = f"one of {' '.join(CONDITIONS)}, not {_shown(operator)}"
        raise _Fault(where + ".op", expected, ValueError)
    operands = CONDITIONS[operator]
    _known_keys(value, where, ("op", "negated", *operands))
    if "negated" in value:
        _simple("true or false", bool)(value["negated"], where + ".negated")
    for side, kind in operands.items():
        if side not in value:
            raise _Fault(where, f"a field {side!r} ({kind})", ValueError)
        _require(value[side], kind, f"{where}.{side}")


def _known_keys(value: dict[str, Any], where: str, known: tuple[str, ...]) -> None:
    for key in value:
        if key not in known:
            raise _Fault(where, f"no other fields than {', '.join(known)}, not {key!r}", ValueError)


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    return text if len(text) <= 60 else text[:59] + "…"


_KINDS: dict[str, Callable[[Any, str], None]] = {
    "string": _string,
    "string or null": _simple("a string or null", str, type(None)),
    "boolean": _simple("true or false", bool),
    "block": _list,
    "block or null": _simple("a list or null", list, type(None)),
    "list of strings": _list_of("string"),
    "Text": _text,
    "Expr": _expression,
    "Cond": _condition,
    "list of Expr": _list_of("Expr"),
    "object of Expr": _object_of("Expr"),
    "number or duration": _budget,
    "position": _position,
    "version": _version,
    "header": _header,
    "requirements": _list_of("requirement"),
    "requirement": _requirement,
}
