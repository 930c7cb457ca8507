"""WRITE: a file of the project, replaced in one step."""

from typing import Any

from tisslang.errors import TissCommandError
from tisslang.state import State


def write_file(state: State, args: dict[str, Any]) -> None:
    """Write `args["content"]` as UTF-8 to `args["path"]` below the root. Raises `io`, `type`."""
    try:
        data = args["content"].encode("utf-8")
    except UnicodeEncodeError as error:
        raise TissCommandError("type", f"the content is not valid Unicode text: {error}") from None
    with state.launcher.writing(state.events.branch):
        state.files.write(args["path"], data)
