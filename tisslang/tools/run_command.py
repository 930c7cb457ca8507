"""RUN: one shell command, in the sandbox, within the operator's limits."""

import os
from typing import Any

from tisslang.amounts import size_text
from tisslang.command_policy import Verdict, judge
from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.options import Options
from tisslang.state import State
from tisslang.values import text_form


def run_command(state: State, args: dict[str, Any]) -> None:
    """Run `args["command"]` and set `state.last_run_result`. A non-zero exit is data, not an error.

    A command that needs approval is asked for first. Raises `TissSecurityError` for one that the
    policy denies, `TissHumanError` for one that is not approved, `TissBudgetError` when the run's
    time was up, and `TissCommandError`: `timeout` when the command's time was up (the result is
    kept, with exit code 124), `io` when another limit ended it (137) or it cannot be started.
    """
    cwd = _directory(state)
    apply_policy(state, args, cwd)
    limit, left = _timeout(state), state.costs.seconds_left()
    timeout = limit if left is None else max(0.0, min(limit, left))
    done = state.launcher.run(args["command"], cwd, _environment(state), timeout, left)
    for text, size in ((done.stdout, done.stdout_bytes), (done.stderr, done.stderr_bytes)):
        if size > len(text.encode("utf-8", "surrogatepass")):
            state.secrets.learn_cut(text)
    state.last_run_result = {
        "command": args["command"],
        "stdout": done.stdout,
        "stderr": done.stderr,
        "exit_code": done.exit_code,
        "execution_time": round(done.seconds, 6),
        "stdout_bytes": done.stdout_bytes,
        "stderr_bytes": done.stderr_bytes,
    }
    left = state.costs.seconds_left()
    if done.ended_by == "timeout" and (timeout < limit or (left is not None and left <= 0)):
        raise state.costs.out_of_time()
    if done.ended_by == "timeout":
        by = "--timeout" if limit == state.options.timeout else "@timeout"
        raise TissCommandError(
            "timeout",
            f"the command ran longer than {limit:g} s and was killed",
            hint=f"give it more time with {by}, as in {by} 10m",
        )
    if done.ended_by is not None:
        raise _limit_reached(done.ended_by, state.options)


def _directory(state: State) -> str:
    """Where the command runs: the root, or the directory that `@cwd` names."""
    given = state.directives.get("cwd")
    return state.files.directory(str(given[0])) if given else state.root


def _timeout(state: State) -> float:
    """The operator's limit or that of `@timeout`, whichever is less; seconds."""
    given = state.directives.get("timeout")
    return min(state.options.timeout, float(given[0])) if given else state.options.timeout  # type: ignore[arg-type]


def _environment(state: State) -> dict[str, str]:
    """What `@env` adds to the environment of commands; `type` for a value that cannot be there."""
    pairs = (text_form(value).partition("=") for value in state.directives.get("env", ()))
    environment = {name: value for name, _, value in pairs}
    for name, value in environment.items():
        if "\0" in value:
            raise TissCommandError("type", f"@env: the value of {name} holds a NUL character")
    return environment


def apply_policy(state: State, args: dict[str, Any], cwd: str) -> None:
    """Refuse a command that the policy denies; ask about one that needs approval."""
    options = state.options
    verdict = judge(
        args["command"],
        cwd=os.path.relpath(cwd, state.root),
        allowed=options.allow_command,
        denied=options.deny_command,
    )
    if verdict.action == "deny":
        raise denied(verdict, options)
    if verdict.action == "ask":
        state.await_turn()
        state.questions.approve(
            state.events.send,
            f"run a command that needs approval ({verdict.reason}): {args['command']}",
            args.get("line"),
            hint=f"approve with --yes or --answer yes, or --allow-command {verdict.command}",
        )


def denied(verdict: Verdict, options: Options) -> TissSecurityError:
    """The error about a command that the policy denies."""
    hint = f"if it is meant, the operator allows it with --allow-command {verdict.command}"
    if verdict.command in options.deny_command:
        hint = f"the operator forbade it with --deny-command {verdict.command}"
    return TissSecurityError(f"the command is denied: {verdict.reason}", hint=hint)


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
