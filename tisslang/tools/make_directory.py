"""MKDIR: a directory of the project, with its parents."""

from typing import Any

from tisslang.state import State


def make_directory(state: State, args: dict[str, Any]) -> None:
    """Make `args["path"]` below the root; a directory that exists is fine. Raises `io`."""
    with state.launcher.writing(state.events.branch):
        state.files.make_directory(args["path"])
