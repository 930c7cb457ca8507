"""Events: numbered, nested, and the same for a listener, the state and a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from plans import GREETING, assert_well_formed, run

from tisslang import ExecutionEngine


def events_of(text: str, root: Path, **options: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    run(text, root, on_event=events.append, **options)
    return events


def test_events_nest_and_tell_what_happened(tmp_path: Path) -> None:
    events = events_of(GREETING + 'LOG "bye"\nREAD "hello.py" AS x\n', tmp_path)
    assert_well_formed(events)
    assert [event["event"] for event in events[:6]] == [
        "run_start",
        "step_start",
        "command_start",
        "command_end",
        "step_end",
        "step_start",
    ]
    assert events[1].keys() == {"seq", "time", "event", "kind", "description", "line", "attempt"}
    ends = {event["type"]: event for event in events if event["event"] == "command_end"}
    assert (ends["WRITE"]["path"], ends["WRITE"]["bytes"]) == ("hello.py", 43)
    assert (ends["READ"]["path"], ends["READ"]["bytes"]) == ("hello.py", 43)
    assert ends["RUN"]["exit_code"] == 0
    assert (ends["RUN"]["stdout_bytes"], ends["RUN"]["stderr_bytes"]) == (19, 0)
    assert ends["RUN"]["summary"] == "RUN python3 hello.py {{who}}"
    asserted = [event for event in events if event["event"] == "assert"]
    assert [event["passed"] for event in asserted] == [True, True]
    assert asserted[0]["left"] == {"text": "LAST_RUN.EXIT_CODE", "value": 0, "clipped": False}
    assert [event["message"] for event in events if event["event"] == "log"] == ["bye"]
    assert all(event["time"].endswith("Z") and len(event["time"]) == 24 for event in events)


@pytest.mark.parametrize(
    "text",
    [
        'STEP "a" { STEP "b" { ASSERT 1 == 2 } }',
        'STEP "a" { RUN "sleep 9" }',
        'STEP "a" { READ "../x" AS x }',
        'STEP "a" { RUN "printf \'%20000s\'; exit 1"\nASSERT LAST_RUN.STDOUT == "x" }',
        'STEP "a" {',
        "LOG nope",
    ],
)
def test_events_nest_after_an_error_too(tmp_path: Path, text: str) -> None:
    events = events_of(text, tmp_path, timeout=0.3)
    assert_well_formed(events)
    assert events[-1]["report"]["exit_code"] > 0
    for event in events[:-1]:
        assert all(len(value) <= 8192 for value in event.values() if isinstance(value, str))


def test_the_state_keeps_the_events_and_a_file_can_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    engine = ExecutionEngine(root=tmp_path, events=str(path))
    report = engine.run('LOG "é"')
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert lines == engine.state.execution_log
    assert lines[-1]["report"] == report
