"""SET_BUDGET: a limit that the plan gives itself, within the operator's."""

from typing import Any

from tisslang.state import State


def set_budget(state: State, args: dict[str, Any]) -> None:
    """Hold the run to `args["value"]` of `args["resource"]` from here on."""
    state.costs.set_budget(args["resource"], args["value"])
