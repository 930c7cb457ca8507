"""The report of a run: one JSON object that says what happened, for programs and for people."""

import copy
import time
from typing import TYPE_CHECKING, Any

from tisslang.errors import KINDS, TissAssertionError, TissError
from tisslang.events import seconds_since
from tisslang.exit_codes import EXIT_PASSED, EXIT_SCRIPT
from tisslang.options import Options
from tisslang.plan import Node, is_step, top_level_statements
from tisslang.state import State
from tisslang.values import Unknown, clip, text_form

if TYPE_CHECKING:
    from tisslang.syntax.diagnostics import Diagnostic

REPORT_VERSION = 1
MAX_TEXT = 65_536


class Record:
    """What is noted while a plan runs: steps, files, errors. `report()` makes the report of it."""

    def __init__(self, script: Node, options: Options, state: State) -> None:
        self.started = time.monotonic()
        self.task = next(
            (n.get("description") for n in script["body"] if n["type"] == "TASK"), None
        )
        self.top_level = top_level_statements(script)
        self.sandbox: dict[str, Any] | None = None
        self.error: dict[str, Any] | None = None
        self.exit_code = EXIT_PASSED
        self.caught: list[dict[str, Any]] = []
        self.suppressed: list[dict[str, Any]] = []
        self.diagnostics: list[dict[str, Any]] = []
        self.plan: list[dict[str, Any]] | None = [] if options.dry_run else None
        self._options = options
        self._state = state
        self._steps: list[dict[str, Any]] = []
        self._noted: set[int] = set()  # the nodes of the steps
        self._passed: list[int] = []
        self._files: dict[str, None] = {}  # an ordered set

    def branch(self) -> "Record":
        """A record for one branch of PARALLEL, to be added with `merge` in the source's order."""
        branch = copy.copy(self)
        branch.caught, branch.suppressed = [], []
        branch._steps, branch._files = [], {}
        return branch

    def merge(self, branch: "Record") -> None:
        """Add what a branch noted."""
        self.caught += branch.caught
        self.suppressed += branch.suppressed
        self._steps += branch._steps
        self._files.update(branch._files)

    def enter_step(self, node: Node) -> dict[str, Any]:
        """Add a step that begins; whoever runs it sets `status` and `duration_s` at its end."""
        return self._add_step(node, status="failed", attempts=1)

    def skip_step(self, node: Node) -> None:
        """Add a step whose turn has come without being run."""
        self._add_step(node, status="skipped", attempts=0)

    def has_step(self, node: Node) -> bool:
        """Whether a step stands here already."""
        return id(node) in self._noted

    def step_passed(self, node: Node) -> None:
        """Count a step that came to its end."""
        self._passed.append(id(node))

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
        """The report object of language reference section 12, with the secrets masked."""
        top_level_steps = {id(node) for node in self.top_level if is_step(node)}
        state, cost = self._state, self._state.costs.as_dict()
        hidden = state.secrets.mask_all
        variables, clipped = _variables(state)
        return {
            "report": REPORT_VERSION,
            "tiss": _language_version(),
            "script": hidden(self._options.filename),
            "root": hidden(state.root),
            "task": hidden(self.task),
            "status": {0: "passed", 1: "failed"}.get(self.exit_code, "error"),
            "exit_code": self.exit_code,
            "dry_run": self._options.dry_run,
            "duration_s": seconds_since(self.started),
            "sandbox": self.sandbox,
            "steps": hidden(self._steps),
            "steps_completed": len(top_level_steps.intersection(self._passed)),
            "steps_total": len(top_level_steps),
            "variables": variables,
            "clipped": clipped,
            "last_run": _last_run(state),
            "log": hidden(state.log),
            "files_written": hidden(list(self._files)),
            "files_reset": hidden(state.launcher.files_reset),
            "cost": cost,
            "error": hidden(self.error),
            "caught": hidden(self.caught),
            "suppressed": hidden(self.suppressed),
            "diagnostics": hidden(self.diagnostics),
            "plan": hidden(self.plan),
        }

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
        self._noted.add(id(node))
        return step


def error_object(error: TissError) -> dict[str, Any]:
    """An error as the report shows it; for a failed ASSERT the whole object of section 5."""
    return {
        "kind": error.kind,
        "code": error.code,
        "message": error.message,
        "line": error.line,
        "column": error.column,
        "steps": error.steps or [],
        "hint": error.hint,
        **(error.report if isinstance(error, TissAssertionError) else {}),
    }


def other_error(kind: str, error: BaseException, message: str, hint: str) -> dict[str, Any]:
    """An end that is no error of the plan: `interrupted`, `internal`. `Walk` notes its place."""
    line, column, steps = getattr(error, "place", (None, None, []))
    return {
        "kind": kind,
        "code": None,
        "message": message,
        "line": line,
        "column": column,
        "steps": steps,
        "hint": hint,
    }


def refusal(first: "Diagnostic") -> dict[str, Any]:
    """A plan that is refused, as an error: what its first diagnostic says."""
    return {
        "kind": "parse" if first.code.startswith("T0") else "static",
        "code": first.code,
        "message": first.message,
        "line": first.line,
        "column": first.column,
        "steps": [],
        "hint": first.hint,
    }


def exit_code_of(error: TissError) -> int:
    """The exit code that an uncaught error leads to."""
    return KINDS[error.kind][1] if error.kind in KINDS else EXIT_SCRIPT


def _variables(state: State) -> tuple[dict[str, Any], list[str]]:
    variables: dict[str, Any] = {}
    clipped = []
    for name in sorted(state.variables):
        value = shown(state.variables[name], state)
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
        "command": shown(result.get("command"), state),
        "stdout": _stream("stdout", result, state),
        "stderr": _stream("stderr", result, state),
        "exit_code": shown(result.get("exit_code"), state),
        "execution_time": shown(result.get("execution_time"), state),
    }


def _stream(name: str, result: dict[str, Any], state: State) -> str:
    text = text_form(result.get(name, ""))
    mask = state.secrets.mask
    if isinstance(result.get(name + "_bytes"), int) and was_cut(result, name):
        mask = state.secrets.mask_cut  # the end may be the beginning of a secret
    return clip(mask(text), MAX_TEXT)


def was_cut(result: dict[str, Any], name: str) -> bool:
    """Whether a command wrote more to a stream than was kept."""
    return result.get(name + "_bytes", 0) > len(result[name].encode("utf-8", "surrogatepass"))


def shown(value: Any, state: State) -> Any:
    """A value as the report shows it: secrets masked, an unknown one by its name."""
    return state.secrets.mask_all(text_form(value) if isinstance(value, Unknown) else value)


def _language_version() -> str:
    from tisslang.syntax import LANGUAGE_VERSION

    return LANGUAGE_VERSION
