"""The report of a run: one JSON object that says what happened, for programs and for people."""

import time
from typing import Any

from tisslang.errors import KINDS, TissAssertionError, TissError
from tisslang.options import Options
from tisslang.plan import Node, is_step, top_level_statements
from tisslang.state import State
from tisslang.values import clip

REPORT_VERSION = 1
MAX_TEXT = 65_536

# How a run that no command failed may end all the same.
EXIT_SCRIPT = 3  # syntax or static error
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130


class Record:
    """What is noted while a plan runs: steps, files, errors. `report()` makes the report of it."""

    def __init__(self, script: Node, options: Options, state: State) -> None:
        self.started = time.monotonic()
        self.task = next((n["description"] for n in script["body"] if n["type"] == "TASK"), None)
        self.top_level = top_level_statements(script)
        self.sandbox: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None
        self.exit_code = 0
        self.suppressed: list[dict[str, Any]] = []
        self.diagnostics: list[dict[str, Any]] = []
        self.runs = 0
        self._options = options
        self._state = state
        self._steps: list[dict[str, Any]] = []
        self._passed: list[int] = []
        self._files: dict[str, None] = {}  # an ordered set

    def enter_step(self, node: Node) -> dict[str, Any]:
        """Add a step that begins; whoever runs it sets `status` and `duration_s` at its end."""
        return self._add_step(node, status="failed", attempts=1)

    def skip_step(self, node: Node) -> None:
        """Add a step whose turn has come without being run."""
        self._add_step(node, status="skipped", attempts=0)

    def file_written(self, path: str) -> None:
        """Note the path of a WRITE, without `./`, once."""
        self._files["/".join(part for part in path.split("/") if part not in ("", "."))] = None

    def failed(self, error: dict[str, Any], exit_code: int) -> None:
        """Note an error that ended the run or a step of it: the first decides the exit code."""
        if self.error is None:
            self.error, self.exit_code = error, exit_code
        else:
            self.suppressed.append(error)

    def report(self) -> dict[str, Any]:
        """The report object of language reference section 12."""
        seconds = round(time.monotonic() - self.started, 3)
        top_level_steps = {id(node) for node in self.top_level if is_step(node)}
        variables, clipped = _variables(self._state)
        return {
            "report": REPORT_VERSION,
            "tiss": _language_version(),
            "script": self._options.filename,
            "root": self._state.root,
            "task": self.task,
            "status": {0: "passed", 1: "failed"}.get(self.exit_code, "error"),
            "exit_code": self.exit_code,
            "dry_run": False,
            "duration_s": seconds,
            "sandbox": self.sandbox,
            "steps": self._steps,
            "steps_completed": len(top_level_steps.intersection(self._passed)),
            "steps_total": len(top_level_steps),
            "variables": variables,
            "clipped": clipped,
            "last_run": _last_run(self._state),
            "log": self._state.log,
            "files_written": list(self._files),
            "files_reset": self._state.launcher.files_reset,
            "cost": {"API_CALLS": 0, "TOKENS": 0, "RUNS": self.runs, "TIME": seconds, "TOTAL": 0},
            "error": self.error,
            "caught": [],
            "suppressed": self.suppressed,
            "diagnostics": self.diagnostics,
            "plan": None,
        }

    def step_passed(self, node: Node) -> None:
        """Count a step that came to its end."""
        self._passed.append(id(node))

    def _add_step(self, node: Node, status: str, attempts: int) -> dict[str, Any]:
        step = {
            "kind": node["type"],
            "description": node.get("description"),
            "line": node.get("line"),
            "status": status,
            "attempts": attempts,
            "duration_s": 0.0,
        }
        self._steps.append(step)
        return step


def error_object(error: TissError, steps: list[str]) -> dict[str, Any]:
    """An error as the report shows it; for a failed ASSERT the whole object of section 5."""
    return {
        "kind": error.kind,
        "code": error.code,
        "message": error.message,
        "line": error.line,
        "column": error.column,
        "steps": steps,
        "hint": error.hint,
        **(error.report if isinstance(error, TissAssertionError) else {}),
    }


def other_error(kind: str, message: str, steps: list[str], hint: str) -> dict[str, Any]:
    """An end that is no error of the plan: `interrupted`, `internal`."""
    return {
        "kind": kind,
        "code": None,
        "message": message,
        "line": None,
        "column": None,
        "steps": steps,
        "hint": hint,
    }


def exit_code_of(error: TissError) -> int:
    """The exit code that an uncaught error leads to."""
    return KINDS[error.kind][1] if error.kind in KINDS else EXIT_SCRIPT


def _variables(state: State) -> tuple[dict[str, Any], list[str]]:
    variables: dict[str, Any] = {}
    clipped = []
    for name in sorted(state.variables):
        value = state.variables[name]
        if isinstance(value, str) and len(value) > MAX_TEXT:
            value = clip(value, MAX_TEXT)
            clipped.append(name)
        variables[name] = value
    return variables, clipped


def _last_run(state: State) -> dict[str, Any] | None:
    result = state.last_run_result
    if result is None:
        return None
    return {
        "command": result.get("command"),
        "stdout": clip(result.get("stdout", ""), MAX_TEXT),
        "stderr": clip(result.get("stderr", ""), MAX_TEXT),
        "exit_code": result.get("exit_code"),
        "execution_time": result.get("execution_time"),
    }


def _language_version() -> str:
    from tisslang.syntax import LANGUAGE_VERSION

    return LANGUAGE_VERSION
