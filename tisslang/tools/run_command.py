"""RUN: one shell command, in the sandbox, within the limits of time and output."""

from typing import Any

from tisslang.errors import TissCommandError
from tisslang.state import State


def run_command(state: State, args: dict[str, Any]) -> None:
    """Run `args["command"]` and set `state.last_run_result`. A non-zero exit is data, not an error.

    Raises `TissCommandError`: `timeout` when the time was up (the result is kept, with exit code
    124), `io` when the command cannot be started.
    """
    done = state.launcher.run(args["command"])
    state.last_run_result = {
        "command": args["command"],
        "stdout": done.stdout,
        "stderr": done.stderr,
        "exit_code": done.exit_code,
        "execution_time": round(done.seconds, 6),
        "stdout_bytes": done.stdout_bytes,
        "stderr_bytes": done.stderr_bytes,
    }
    if done.timed_out:
        raise TissCommandError(
            "timeout",
            f"the command ran longer than {state.options.timeout:g} s and was killed",
            hint="give it more time with --timeout, as in --timeout 10m",
        )
