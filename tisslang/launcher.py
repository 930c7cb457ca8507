"""Starts the commands of a run, in the granted sandbox and within the operator's limits."""

import os
import sys
from typing import TYPE_CHECKING, Any

from tisslang import sandbox
from tisslang.environment import Scratch, command_environment
from tisslang.errors import TissCommandError
from tisslang.options import Options

if TYPE_CHECKING:
    from tisslang.process import Completed

MAX_COMMAND = 131_071  # bytes: what Linux takes as one argument


class Launcher:
    """Obtains the sandbox once, when first needed, and runs each command in it."""

    def __init__(self, root: str, options: Options) -> None:
        self._root = root
        self._options = options
        self._scratch = Scratch()
        self._sandbox: sandbox.Sandbox | None = None

    def obtain(self) -> dict[str, Any]:
        """The facts of the granted sandbox; `TissSecurityError` when it is refused."""
        if self._sandbox is None:
            self._sandbox = sandbox.obtain(self._options.sandbox_profile)
            if self._options.sandbox_profile == "none":
                print(f"tiss: {sandbox.BANNER}", file=sys.stderr)
        return self._sandbox.facts

    def run(self, command: str) -> "Completed":
        """Run one shell command in the root; `io` when it cannot be started."""
        if len(os.fsencode(command)) > MAX_COMMAND:
            raise TissCommandError(
                "io",
                f"the command is longer than {MAX_COMMAND:,} bytes",
                hint="write the value to a file with WRITE and let the command read it",
            )
        self.obtain()
        assert self._sandbox is not None
        try:
            return self._sandbox.launch(
                command,
                cwd=self._root,
                environment=command_environment(os.environ, self._scratch, self._options.env),
                timeout=self._options.timeout,
                max_output=self._options.max_output,
            )
        except OSError as error:
            what = "the project root" if not os.path.isdir(self._root) else "the shell"
            raise TissCommandError(
                "io", f"the command cannot be started: {what}: {error.strerror}"
            ) from error

    def close(self) -> None:
        """Remove what the run had for itself."""
        self._scratch.remove()
