"""RUN: one shell command, in the sandbox, within the operator's limits."""

from typing import Any

from tisslang.command_policy import judge
from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.options import Options
from tisslang.state import State
from tisslang.values import size_text


def run_command(state: State, args: dict[str, Any]) -> None:
    """Run `args["command"]` and set `state.last_run_result`. A non-zero exit is data, not an error.

    A command that needs approval is asked for first. Raises `TissSecurityError` for one that the
    policy denies, `TissHumanError` for one that is not approved, and `TissCommandError`: `timeout`
    when the time was up (the result is kept, with exit code 124), `io` when another limit ended the
    command (137) or it cannot be started.
    """
    _apply_policy(state, args)
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
    if done.ended_by == "timeout":
        raise TissCommandError(
            "timeout",
            f"the command ran longer than {state.options.timeout:g} s and was killed",
            hint="give it more time with --timeout, as in --timeout 10m",
        )
    if done.ended_by is not None:
        raise _limit_reached(done.ended_by, state.options)


def _apply_policy(state: State, args: dict[str, Any]) -> None:
    options = state.options
    verdict = judge(args["command"], allowed=options.allow_command, denied=options.deny_command)
    if verdict.action == "deny":
        hint = f"if it is meant, the operator allows it with --allow-command {verdict.command}"
        if verdict.command in options.deny_command:
            hint = f"the operator forbade it with --deny-command {verdict.command}"
        raise TissSecurityError(f"the command is denied: {verdict.reason}", hint=hint)
    if verdict.action == "ask":
        state.questions.approve(
            f"run a command that needs approval ({verdict.reason}): {args['command']}",
            args.get("line"),
            hint=f"approve with --yes or --answer yes, or --allow-command {verdict.command}",
        )


def _limit_reached(limit: str, options: Options) -> TissCommandError:
    memory, disk = size_text(options.limits["memory"]), size_text(options.limits["disk"])
    processes = options.limits["processes"]
    message, hint = {
        "memory": (
            f"the command and what it started used more than {memory} of memory and were killed",
            "give them more with --max-memory, as in --max-memory 8G",
        ),
        "processes": (
            f"the command had more than {processes:,} processes and threads and was killed",
            "allow more with --max-processes, as in --max-processes 2000",
        ),
        "disk": (
            f"the free space fell by {disk} while the command ran, and it was killed",
            "give it more with --max-disk, as in --max-disk 20G",
        ),
        "file": (
            f"the command was ended when a file grew beyond {disk}",
            "give it more with --max-disk, as in --max-disk 20G",
        ),
    }[limit]
    return TissCommandError("io", message, hint=hint)
