"""VAR: a name bound to a value."""

from typing import Any

from tisslang.state import State


def set_variable(state: State, args: dict[str, Any]) -> None:
    """Bind `args["name"]` to `args["value"]`; with `default` (`?=`) only when the name is unset."""
    if not args.get("default") or args["name"] not in state.variables:
        state.variables[args["name"]] = args["value"]
