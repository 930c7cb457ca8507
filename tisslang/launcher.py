"""Starts the commands of a run, in the granted sandbox and within the operator's limits."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tisslang import sandbox
from tisslang.environment import command_environment
from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.options import Options

if TYPE_CHECKING:
    from tisslang.sandbox.client import Completed

MAX_COMMAND = 131_071  # bytes: what Linux takes as one argument


class Launcher:
    """Obtains the sandbox once, when first needed, and runs each command in it."""

    def __init__(self, root: str, options: Options) -> None:
        self._root = root
        self._options = options
        self._sandbox: sandbox.Sandbox | None = None

    @property
    def files_reset(self) -> list[str]:
        """What commands left in repositories and was undone, as paths below the root."""
        return sorted(self._sandbox.client.files_reset) if self._sandbox else []

    def obtain(self) -> dict[str, Any]:
        """The facts of the granted sandbox; `TissSecurityError` when it is refused."""
        if self._sandbox is None:
            options = self._options
            self._sandbox = sandbox.obtain(
                options.sandbox_profile, self._root, options.allow_network, options.limits
            )
            if options.sandbox_profile == "none":
                print(f"tiss: {sandbox.BANNER}", file=sys.stderr)
        return self._sandbox.facts

    def run(
        self,
        command: str,
        cwd: str,
        environment: dict[str, str],
        timeout: float,
        left: float | None = None,
    ) -> "Completed":
        """Run one shell command in the directory `cwd`, for at most `timeout` seconds.

        In `left` seconds from now, if given, it must be over, whenever it can start.
        `environment` is added to that of all commands. Raises `io` when it cannot be started.
        """
        require_startable(command)
        self.obtain()
        assert self._sandbox is not None
        from tisslang.sandbox.client import SupervisorError

        client = self._sandbox.client
        try:
            os.stat(self._root)
            return client.run(
                command,
                cwd=cwd,
                environment=command_environment(
                    os.environ, client.home, client.tmp, {**environment, **self._options.env}
                ),
                timeout=timeout,
                max_output=self._options.max_output,
                deadline=None if left is None else time.monotonic() + left,
            )
        except OSError as error:
            what = "the project root" if not os.path.isdir(self._root) else "the shell"
            raise TissCommandError(
                "io", f"the command cannot be started: {what}: {error.strerror or error}"
            ) from error
        except SupervisorError as error:
            raise TissSecurityError(f"the command is not run or not trusted: {error}") from error

    @contextlib.contextmanager
    def writing(self, branch: int | None) -> Iterator[None]:
        """While this lasts, a tool changes files of the project: in a `branch` of PARALLEL beside
        commands of the others, which may move the directories that it has opened.
        """
        if self._sandbox is None or branch is None:
            yield
            return
        from tisslang.sandbox.client import SupervisorError

        try:
            with self._sandbox.client.writing():
                yield
        except SupervisorError as error:
            raise TissSecurityError(f"the files cannot be changed safely: {error}") from error

    def stop(self) -> None:
        """End the commands that other threads have started; their `run` raises `Stopped`."""
        if self._sandbox is not None:
            self._sandbox.client.stop()

    def close(self) -> None:
        """End what still runs, and remove what the run had for itself."""
        if self._sandbox is not None:
            self._sandbox.client.close()


def require_startable(command: str) -> None:
    """Raise `io` for a command that the system does not take."""
    try:
        size = len(os.fsencode(command))
    except UnicodeEncodeError:
        raise TissCommandError("io", "the command is not valid Unicode text") from None
    if "\0" in command:
        raise TissCommandError("io", "the command holds a NUL character")
    if size > MAX_COMMAND:
        raise TissCommandError(
            "io",
            f"the command is longer than {MAX_COMMAND:,} bytes",
            hint="write the value to a file with WRITE and let the command read it",
        )
