"""ASSERT: a condition that must hold."""

from typing import Any

from tisslang.conditions import failure_report, judge, operand_reports
from tisslang.errors import TissAssertionError
from tisslang.state import State

TAIL = 2000


def assert_condition(state: State, args: dict[str, Any]) -> None:
    """Judge `args["condition"]`, a condition whose operands are values; send the event `assert`.

    Raises `TissAssertionError` with the report of language reference section 5 when it does not
    hold, `TissCommandError` of kind `type` when its operands cannot be compared.
    """
    condition, source = args["condition"], args["source"]
    verdict = judge(condition, state.files.exists)
    state.events.send(
        "assert",
        line=args.get("line"),
        source=source,
        passed=verdict.holds,
        **operand_reports(verdict, source),
    )
    if verdict.holds:
        return
    raise TissAssertionError(
        {
            "kind": "assert",
            "code": "E101",
            "line": args.get("line"),
            "column": args.get("column"),
            "source": source,
            **failure_report(condition, verdict, source),
            "steps": list(state.steps),
            "last_run": _last_run(state),
        }
    )


def _last_run(state: State) -> dict[str, Any] | None:
    result = state.last_run_result
    if result is None:
        return None
    return {
        "command": result.get("command"),
        "exit_code": result.get("exit_code"),
        "execution_time": result.get("execution_time"),
        "stdout_tail": result.get("stdout", "")[-TAIL:],
        "stderr_tail": result.get("stderr", "")[-TAIL:],
    }
