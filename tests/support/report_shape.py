"""What a report and events look like (language reference, section 12), as tables; and a judge.

A shape is a type; a set of the values that may be; a dict of shapes, with exactly these keys; a
list of one shape, for every item; or `OrNull` of a shape.
"""

import json
import re
from typing import Any, NamedTuple

Json = dict[str, Any]


class OrNull(NamedTuple):
    shape: Any


class OrUnknown(NamedTuple):
    """In a dry run what a command would yield is `<unknown:LAST_RUN.…>`."""

    shape: Any


class Seconds:
    """A float of 0 or more."""


class Amount:
    """An integer, or a float that is not whole."""


class Value:
    """Text, number or boolean."""


EXIT_CODES = {0, 1, 3, 4, 5, 6, 7, 70, 130}
KINDS = {  # kind → code, exit code
    "assert": ("E101", 1),
    "undefined": ("E201", 4),
    "type": ("E202", 4),
    "io": ("E203", 4),
    "decode": ("E204", 4),
    "timeout": ("E205", 4),
    "agent": ("E206", 4),
    "security": ("E301", 5),
    "budget": ("E302", 6),
    "human": ("E303", 7),
    "parse": (None, 3),
    "static": (None, 3),
    "internal": (None, 70),
    "interrupted": (None, 130),
}
CATCHABLE = {"assert", "undefined", "type", "io", "decode", "timeout", "agent"}
GAPS = {*("private_tmp", "dev_shm", "git_restored_after", "memory_sampled", "process_list")}

SANDBOX = {
    "profile": {"standard", "strict", "none"},
    "backend": {"namespaces", "landlock", "sandbox-exec", "none"},
    "network": {"off", "open"},
    "files": {"isolated", "open"},
    "processes": {"isolated", "open"},
    "gaps": [GAPS],
}
STEP = {
    "kind": {"STEP", "SETUP"},
    "description": OrNull(str),
    "line": int,
    "status": {"passed", "failed", "skipped"},
    "attempts": int,
    "duration_s": Seconds,
}
ERROR = {
    "kind": set(KINDS),
    "code": OrNull(str),
    "message": str,
    "line": OrNull(int),
    "column": OrNull(int),
    "steps": [str],
    "hint": OrNull(str),
}
OPERAND = {"text": str, "value": Value, "clipped": bool}
FAILED_ASSERT = {
    **ERROR,
    "source": str,
    "operator": {"==", "!=", "<", "<=", ">", ">=", "CONTAINS", "IS_EMPTY", "EXISTS", "TRUTH"},
    "negated": bool,
    "left": OPERAND,
    "right": OrNull(OPERAND),
    "last_run": OrNull(
        {
            "command": str,
            "exit_code": OrUnknown(int),
            "execution_time": OrUnknown(Seconds),
            "stdout_tail": str,
            "stderr_tail": str,
        }
    ),
}
DIAGNOSTIC = {
    "code": str,
    "severity": {"error", "warning", "info"},
    "message": str,
    "file": str,
    "line": int,
    "column": int,
    "end_line": int,
    "end_column": int,
    "hint": OrNull(str),
}
ENTRY = {
    "line": int,
    "type": str,
    "summary": str,
    "conditional": bool,
    "status": {"would_run", "would_pass", "would_fail", "unknown"},
    "steps": [str],
}
REPORT = {
    "report": {1},
    "tiss": {"1.2.0"},
    "script": str,
    "root": str,
    "task": OrNull(str),
    "status": {"passed", "failed", "error"},
    "exit_code": EXIT_CODES,
    "dry_run": bool,
    "duration_s": Seconds,
    "sandbox": OrNull(SANDBOX),
    "steps": [STEP],
    "steps_completed": int,
    "steps_total": int,
    "variables": dict,
    "clipped": [str],
    "last_run": OrNull(
        {
            "command": str,
            "stdout": str,
            "stderr": str,
            "exit_code": OrUnknown(int),
            "execution_time": OrUnknown(Seconds),
        }
    ),
    "log": [str],
    "files_written": [str],
    "files_reset": [str],
    "cost": {"API_CALLS": int, "TOKENS": int, "RUNS": int, "TIME": Seconds, "TOTAL": Amount},
    "error": OrNull(dict),
    "caught": [dict],
    "suppressed": [dict],
    "diagnostics": [DIAGNOSTIC],
    "plan": OrNull([ENTRY]),
}

STEP_START = {"kind": {"STEP", "SETUP"}, "description": OrNull(str), "line": int, "attempt": int}
STEP_END = {**STEP_START, "status": {"passed", "failed"}, "duration_s": Seconds}
COMMANDS = {
    *("READ", "WRITE", "RUN", "ASSERT", "VAR", "LOG", "MKDIR", "DELETE", "CALL", "PROMPT_AGENT"),
    *("SET_BUDGET", "PAUSE", "REQUEST_REVIEW"),
}
COMMAND_START = {"type": COMMANDS, "line": int, "summary": str}
COMMAND_END = {**COMMAND_START, "status": {"ok", "error"}, "duration_s": Seconds}
OUTCOME = {"exit_code": int, "stdout": str, "stderr": str, "stdout_bytes": int, "stderr_bytes": int}
EVENTS: dict[str, Json] = {
    "run_start": {
        "script": str,
        "root": str,
        "task": OrNull(str),
        "dry_run": bool,
        "sandbox": OrNull(SANDBOX),
    },
    "step_start": STEP_START,
    "step_end": STEP_END,
    "command_start": COMMAND_START,
    "command_end": COMMAND_END,
    "assert": {
        "line": int,
        "source": str,
        "passed": bool,
        "left": OPERAND,
        "right": OrNull(OPERAND),
    },
    "log": {"line": int, "message": str},
    "caught": {"error": dict},
    "agent": {"line": int, "tokens": int, "duration_s": Seconds},
    "question": {"line": int, "message": str, "answer": str, "by": {"answer", "yes", "person"}},
    "choose": {"line": int, "option": str, "by": {"answer", "cost", "agent", "person"}},
    "estimate": {"line": int, "cost": Amount},
    "run_end": {"report": REPORT},
}
# Inside which commands these come; of a CHOOSE, which is none, `agent` may come alone.
INSIDE = {
    "assert": {"ASSERT"},
    "log": {"LOG"},
    "agent": {"PROMPT_AGENT", None},
    "question": {"PAUSE", "REQUEST_REVIEW", "RUN"},
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MAX_VARIABLE = 65_536
MAX_EVENT_TEXT = 8192


def check_report(report: Json) -> None:
    """Assert that a report is as the reference says."""
    fits(report, REPORT, "report")
    code, error = report["exit_code"], report["error"]
    assert report["status"] == {0: "passed", 1: "failed"}.get(code, "error")
    assert (error is None) == (code == 0)
    if error is not None:
        check_error(error)
        assert KINDS[error["kind"]][1] == code
    for caught in report["caught"]:
        check_error(caught)
        assert caught["kind"] in CATCHABLE
    for suppressed in report["suppressed"]:
        check_error(suppressed)
    if code == 3 and report["diagnostics"]:
        first = report["diagnostics"][0]
        for name in ("code", "line", "column", "hint"):
            assert error[name] == first[name]
    for diagnostic in report["diagnostics"]:
        assert code == 3
        assert diagnostic["severity"] == "error"
        assert (diagnostic["end_line"], diagnostic["end_column"]) > (
            diagnostic["line"],
            diagnostic["column"],
        )
    assert list(report["variables"]) == sorted(report["variables"])
    assert set(report["clipped"]) <= set(report["variables"])
    for name, value in report["variables"].items():
        fits(value, Value, name)
        if isinstance(value, str):
            assert len(value) <= MAX_VARIABLE
    assert 0 <= report["steps_completed"] <= report["steps_total"]
    if not report["dry_run"]:
        assert "<unknown:" not in json.dumps(report["last_run"] and report["last_run"]["exit_code"])
    for step in report["steps"]:
        assert (step["attempts"] == 0) == (step["status"] == "skipped")
    assert len(set(report["files_written"])) == len(report["files_written"])
    assert not any(path.startswith("./") for path in report["files_written"])
    assert (report["plan"] is not None) == report["dry_run"]
    if report["dry_run"]:
        assert report["sandbox"] is None
        assert report["files_written"] == []
        assert all(len(entry["summary"]) <= 120 for entry in report["plan"])
        assert all("\n" not in entry["summary"] for entry in report["plan"])
    json.dumps(report, allow_nan=False)


def check_error(error: Json) -> None:
    """Assert that an error is as a report shows it, a failed ASSERT with all it needs."""
    fits(error, FAILED_ASSERT if error.get("kind") == "assert" else ERROR, "error")
    code = KINDS[error["kind"]][0]
    assert code is None or error["code"] == code
    if error["kind"] == "assert":
        for side in (error["left"], error["right"]):
            assert side is None or not isinstance(side["value"], str) or len(side["value"]) <= 500


def check_events(events: list[Json]) -> None:
    """Assert that the events of a whole run are as the reference says, alone and together."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        _check_event(event)
    names = [event["event"] for event in events]
    assert names[0] == "run_start"
    assert names.index("run_end") == len(names) - 1
    report = events[-1]["report"]
    check_report(report)
    for name in ("script", "root", "task", "dry_run", "sandbox"):
        assert events[0][name] == report[name]
    if report["dry_run"]:
        assert names == ["run_start", "run_end"]
    _check_nesting(events[1:-1])
    if not report["dry_run"]:
        entered = sum(step["attempts"] for step in report["steps"])
        assert names.count("step_start") == entered
        assert sorted(event["message"] for event in events if event["event"] == "log") == sorted(
            text[:MAX_EVENT_TEXT] for text in report["log"]
        )
        assert names.count("caught") == len(report["caught"])


def _check_event(event: Json) -> None:
    name = event["event"]
    assert TIME.fullmatch(event["time"])
    fields = {key: event[key] for key in event.keys() - {"seq", "time", "event"}}
    shape = dict(EVENTS[name])
    if name not in ("run_start", "run_end") and "branch" in fields:
        assert fields.pop("branch") >= 1
    if name == "command_end":
        if event["type"] == "RUN" and "exit_code" in fields:
            shape |= OUTCOME
        elif event["type"] in ("READ", "WRITE") and "path" in fields:
            shape |= {"path": str, "bytes": int}
        else:  # it failed before there was anything to say
            assert event["type"] not in ("RUN", "READ", "WRITE") or event["status"] == "error"
    fits(fields, shape, name)
    if name == "caught":
        check_error(event["error"])
    if name != "run_end":
        assert max(map(len, _texts(event))) <= MAX_EVENT_TEXT
    if name in ("command_start", "command_end"):
        assert len(event["summary"]) <= 120


def _check_nesting(events: list[Json]) -> None:
    """Starts and ends nest within a branch; a branch begins within a step of the run's own."""
    open_ones: dict[int, list[Json]] = {}
    for event in events:
        around = open_ones.setdefault(event.get("branch", 0), [])
        name, _, edge = event["event"].partition("_")
        inner = around[-1] if around else {}
        if edge == "start":
            assert name == "step" or inner.get("type") in (None, "CALL")
            around.append(event)
        elif edge == "end":
            start = around.pop()
            assert start["event"] == f"{name}_start"
            for key in start.keys() - {"seq", "time", "event"}:
                assert event[key] == start[key]
        elif name in INSIDE:
            assert inner.get("type") in INSIDE[name]
        else:  # caught, choose, estimate: statements that are no commands
            assert inner.get("type") in (None, "CALL")
    assert not any(open_ones.values())


def fits(value: Any, shape: Any, where: str) -> None:
    """Assert that a value has a shape; `where` says what it is."""
    if isinstance(shape, OrNull):
        if value is not None:
            fits(value, shape.shape, where)
    elif isinstance(shape, OrUnknown):
        if not str(value).startswith("<unknown:LAST_RUN."):
            fits(value, shape.shape, where)
    elif isinstance(shape, set):
        assert value in shape, f"{where}: {value!r} is none of {shape}"
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{where}: {value!r} is no list"
        for index, item in enumerate(value):
            fits(item, shape[0], f"{where}[{index}]")
    elif isinstance(shape, dict):
        assert isinstance(value, dict), f"{where}: {value!r} is no object"
        assert value.keys() == shape.keys(), f"{where}: {value.keys() ^ shape.keys()}"
        for name, item in value.items():
            fits(item, shape[name], f"{where}.{name}")
    else:
        assert _is_a(value, shape), f"{where}: {value!r} is no {shape.__name__}"


def _is_a(value: Any, kind: type) -> bool:
    if kind is Value:
        return isinstance(value, str | int | float | bool)
    if isinstance(value, bool):
        return kind is bool
    if kind is Seconds:
        return isinstance(value, float) and value >= 0
    if kind is Amount:
        return isinstance(value, int) or (isinstance(value, float) and value != int(value))
    return isinstance(value, kind)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ["", *(text for item in items for text in _texts(item))]
