"""What each command does: a tool is a function `fn(state, args)`, and a user can replace it."""

from collections.abc import Callable
from typing import Any

from tisslang.state import State
from tisslang.tools.append_log import append_log
from tisslang.tools.ask_person import pause, request_review
from tisslang.tools.assert_condition import assert_condition
from tisslang.tools.delete_path import delete_path
from tisslang.tools.make_directory import make_directory
from tisslang.tools.prompt_agent import prompt_agent
from tisslang.tools.read_file import read_file
from tisslang.tools.run_command import run_command
from tisslang.tools.set_budget import set_budget
from tisslang.tools.set_variable import set_variable
from tisslang.tools.write_file import write_file

Tool = Callable[[State, dict[str, Any]], object]


class ToolRegistry:
    """Which tool serves which type of command."""

    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {}

    @classmethod
    def default(cls) -> "ToolRegistry":
        """A registry with the tools of this version; each call gives a new one."""
        registry = cls()
        registry.register("READ", read_file)
        registry.register("WRITE", write_file)
        registry.register("RUN", run_command)
        registry.register("ASSERT", assert_condition)
        registry.register("VAR", set_variable)
        registry.register("LOG", append_log)
        registry.register("MKDIR", make_directory)
        registry.register("DELETE", delete_path)
        registry.register("PROMPT_AGENT", prompt_agent)
        registry.register("SET_BUDGET", set_budget)
        registry.register("PAUSE", pause)
        registry.register("REQUEST_REVIEW", request_review)
        return registry

    def register(self, type: str, fn: Tool) -> None:
        """Let `fn(state, args)` serve commands of this type, in place of the tool before it.

        A tool changes `state`; a file path in `args` has been checked. To fail it raises
        `TissCommandError(kind, message)`.
        """
        if not callable(fn):
            raise TypeError(f"the tool for {type} must be a function fn(state, args), not {fn!r}")
        self._tools[type] = fn

    def get_tool(self, type: str) -> Tool:
        """The tool for this type; `KeyError` when there is none."""
        try:
            return self._tools[type]
        except KeyError:
            raise KeyError(f"no tool is registered for {type!r}") from None

    def __contains__(self, type: object) -> bool:
        return type in self._tools
