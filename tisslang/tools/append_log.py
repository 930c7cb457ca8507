"""LOG: a line for the people who read the run."""

from typing import Any

from tisslang.state import State
from tisslang.values import text_form


def append_log(state: State, args: dict[str, Any]) -> None:
    """Append the text form of `args["value"]` to `state.log` and send the event `log`."""
    message = text_form(args["value"])
    state.log.append(message)
    state.events.send("log", line=args.get("line"), message=message)
