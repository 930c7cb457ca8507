"""DELETE: a file, a link or an empty directory of the project, gone."""

from typing import Any

from tisslang.state import State


def delete_path(state: State, args: dict[str, Any]) -> None:
    """Remove `args["path"]` below the root, a link and not its target. Raises `io`."""
    with state.launcher.writing(state.events.branch):
        state.files.delete(args["path"])
