"""`ExecutionEngine.stop`: another thread ends a run, as Ctrl-C does."""

import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest
from processes import sleepers, wait_until

from tisslang import ExecutionEngine

LONG = """TASK "Wait" {
    STEP "First" { LOG "on" }
    STEP "Long" { %s }
    STEP "Last" { LOG "never" }
}"""
WAYS = {
    "a command": 'RUN "sleep 60"',
    "behind TRY": 'TRY { RUN "sleep 60" } CATCH { LOG "caught" }',
    "a retried step": '@retry 3\n RUN "sleep 60"',
    "a person": 'PAUSE "Look at it"',
    "in PARALLEL": """PARALLEL {
        STEP "a" { RUN "sleep 60" }
        STEP "b" { RUN "sleep 61" }
        STEP "c" { RUN "curl --version" }
    }""",
}


def run_and_stop(engine: ExecutionEngine, plan: str, began: threading.Event) -> dict[str, Any]:
    reports: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: reports.append(engine.run(plan)))
    thread.start()
    assert began.wait(20)
    engine.stop()
    thread.join(20)
    assert not thread.is_alive()
    return reports[0]


@pytest.mark.parametrize("way", WAYS)
def test_a_run_is_stopped_whatever_it_waits_for(tmp_path: Path, way: str) -> None:
    began = threading.Event()
    waiting = 3 if way == "in PARALLEL" else 1
    seen: list[str] = []

    def on_event(event: dict[str, Any]) -> None:
        seen.append(event["event"])
        starts = [name for name in seen if name == "command_start"]
        if len(starts) > waiting:  # the LOG of the first step, and those that wait
            began.set()

    engine = ExecutionEngine(root=tmp_path, on_event=on_event, ask=lambda question: None)
    report = run_and_stop(engine, LONG % WAYS[way], began)
    assert (report["status"], report["exit_code"]) == ("error", 130)
    assert report["error"]["kind"] == "interrupted"
    assert report["error"]["steps"][0] == "Long"
    assert (report["caught"], report["log"]) == ([], ["on"])
    assert [step["status"] for step in report["steps"]][-1] == "skipped"
    assert seen[-1] == "run_end"
    assert "question" not in seen  # which nobody has answered


def test_no_process_of_it_is_left(tmp_path: Path) -> None:
    names = ("61.375", "62.375", "63.375")  # seconds that no other test sleeps
    plan = 'RUN "sleep {} & setsid sleep {} & sleep {}"'.format(*names)
    began = threading.Event()

    def look() -> None:
        wait_until(lambda: all(map(sleepers, names)), "the plan does not run")
        began.set()

    looking = threading.Thread(target=look)
    looking.start()
    report = run_and_stop(ExecutionEngine(root=tmp_path), plan, began)
    looking.join()
    assert report["exit_code"] == 130
    assert [pid for name in names for pid in sleepers(name)] == []


def test_nothing_is_stopped_when_nothing_runs(tmp_path: Path) -> None:
    engine = ExecutionEngine(root=tmp_path)
    engine.stop()
    assert engine.run('LOG "one"')["exit_code"] == 0
    engine.stop()
    assert engine.run('LOG "two"')["log"] == ["two"]


def test_a_listener_may_stop_the_run_it_listens_to(tmp_path: Path) -> None:
    def on_event(event: dict[str, Any]) -> None:
        if event["event"] == "log":
            engine.stop()

    engine = ExecutionEngine(root=tmp_path, on_event=on_event)
    report = engine.run('LOG "one"\nLOG "two"')
    assert (report["exit_code"], report["log"]) == (130, ["one"])


@pytest.mark.parametrize("seed", range(8))
def test_stopped_at_any_moment(tmp_path: Path, seed: int) -> None:
    """The run ends soon, and its report says either that it passed or that it was interrupted."""
    steps = "\n".join(f'STEP "{n}" {{ RUN "true" }}' for n in range(5))
    engine = ExecutionEngine(root=tmp_path)
    reports: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: reports.append(engine.run(steps)))
    thread.start()
    time.sleep(Random(seed).random() * 0.2)
    engine.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert reports[0]["exit_code"] in (0, 130)
    assert len(reports[0]["steps"]) == 5
