"""READ: a text file of the project, into a variable."""

from typing import Any

from tisslang.errors import TissCommandError
from tisslang.state import State


def read_file(state: State, args: dict[str, Any]) -> None:
    """Bind the variable `args["variable"]` to the text of `args["path"]`. Raises `io`, `decode`."""
    data = state.files.read(args["path"])
    try:
        state.variables[args["variable"]] = data.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte {error.start} is {data[error.start]:#04x}"
        raise TissCommandError("decode", f"path {args['path']!r} is not UTF-8: {byte}") from None
