"""What the tests of whole plans share: a plan that passes, running one, and judging its events."""

import json
from pathlib import Path
from typing import Any

import tisslang

Node = dict[str, Any]


def run(text: str, root: Path, **options: Any) -> dict[str, Any]:
    options.setdefault("sandbox_profile", "none")
    return tisslang.run(text, root=root, **options)


GREETING = """\
TASK "Create and check a greeting script"

STEP "Write it" {
    WRITE "hello.py" <<PYTHON
import sys
print(f"Hello, {sys.argv[1]}!")
PYTHON
}

STEP "Run it" {
    VAR who = "Ada O'Neil"
    RUN "python3 hello.py {{who}}"
    ASSERT LAST_RUN.EXIT_CODE == 0
    ASSERT LAST_RUN.STDOUT CONTAINS "Hello, {{who}}!"
}
"""


def assert_well_formed(events: list[dict[str, Any]]) -> None:
    """Dense numbers, proper nesting, `run_end` last."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["event"] == "run_start"
    assert events[-1]["event"] == "run_end"
    around: list[dict[str, Any]] = []
    for event in events[1:-1]:
        name, _, edge = event["event"].partition("_")
        if edge == "start":
            around.append(event)
        elif edge == "end":
            start = around.pop()
            assert start["event"] == f"{name}_start"
            for key in start.keys() - {"seq", "time", "event"}:
                assert event[key] == start[key]
            assert isinstance(event["duration_s"], float)
        else:
            assert around[-1]["event"] == "command_start"
            assert around[-1]["type"] == event["event"].upper()
    assert around == []
    json.dumps(events, allow_nan=False)
