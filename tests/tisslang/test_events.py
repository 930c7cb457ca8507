"""Events: numbered, nested, and the same for a listener, the state and a file."""

import json
from pathlib import Path
from typing import Any

import pytest
from plans import run
from report_shape import check_events

from tisslang import ExecutionEngine


def events_of(text: str, root: Path, **options: Any) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    run(text, root, on_event=events.append, **options)
    return events


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
    check_events(events)
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
