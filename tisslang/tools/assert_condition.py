"""ASSERT: a condition that must hold."""

from typing import Any

from tisslang.conditions import Verdict, failure_report, judge, operand_reports
from tisslang.errors import TissAssertionError
from tisslang.report import shown
from tisslang.state import State

TAIL = 2000


def assert_condition(state: State, args: dict[str, Any]) -> None:
    """Judge `args["condition"]`, a condition whose operands are values; send the event `assert`.

    Raises `TissAssertionError` with the report of language reference section 5 when it does not
    hold, `TissCommandError` of kind `type` when its operands cannot be compared.
    """
    check_assertion(state, args, judge(args["condition"], state.files.exists))


def check_assertion(state: State, args: dict[str, Any], verdict: Verdict) -> None:
    """Send the event `assert`; raise the report of section 5 when the condition did not hold."""
    condition, source, mask = args["condition"], args["source"], state.secrets.mask
    verdict = Verdict(verdict.holds, *map(state.secrets.mask_all, verdict[1:]))
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
            **failure_report(condition, verdict, mask(source)),
            "steps": list(state.steps),
            "last_run": _last_run(state),
        }
    )


def _last_run(state: State) -> dict[str, Any] | None:
    result = state.last_run_result
    if result is None:
        return None
    value = {field: shown(content, state) for field, content in result.items()}
    return {
        "command": value.get("command"),
        "exit_code": value.get("exit_code"),
        "execution_time": value.get("execution_time"),
        "stdout_tail": value.get("stdout", "")[-TAIL:],
        "stderr_tail": value.get("stderr", "")[-TAIL:],
    }
