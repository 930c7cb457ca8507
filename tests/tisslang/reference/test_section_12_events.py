"""Section 12: the events."""

import json
import re
from pathlib import Path

import pytest
from conformance_runs import Event, events_of, named, tiss, write

BASE = {"seq", "time", "event"}
FIELDS = {
    "run_start": {"script", "root", "task", "dry_run", "sandbox"},
    "step_start": {"kind", "description", "line", "attempt"},
    "step_end": {"kind", "description", "line", "attempt", "status", "duration_s"},
    "command_start": {"type", "line", "summary"},
    "command_end": {"type", "line", "summary", "status", "duration_s"},
    "assert": {"line", "source", "passed", "left", "right"},
    "log": {"line", "message"},
    "caught": {"error"},
    "agent": {"line", "tokens", "duration_s"},
    "question": {"line", "message", "answer", "by"},
    "choose": {"line", "option", "by"},
    "estimate": {"line", "cost"},
    "run_end": {"report"},
}
RUN_FIELDS = {"exit_code", "stdout", "stderr", "stdout_bytes", "stderr_bytes"}

EVERYTHING = """TASK "t"
STEP "files" {
    WRITE "./f" <<W
é
W
    READ "f" AS v
    MKDIR "d"
    DELETE "d"
}
STEP "commands" {
    RUN "echo out; echo err >&2; exit 3"
    ASSERT LAST_RUN.EXIT_CODE == 3
    VAR x = 1
    LOG "x is {{x}}"
    CALL "sub"
    TRY { ASSERT 1 == 2 } CATCH { LOG ERROR.KIND }
}
SET_BUDGET RUN_COUNT = 100
PROMPT_AGENT "a b" INTO p
PAUSE "go?"
REQUEST_REVIEW "well?"
CHOOSE { OPTION "one" { LOG "1" }
    OPTION "two" { LOG "2" } }
ESTIMATE_COST INTO e { RUN "x" }
STEP "again" { @retry 1
    RUN "[ -e there ] || { touch there; exit 1; }"
    ASSERT LAST_RUN.EXIT_CODE == 0
}
DEFINE_TASK "sub" { STEP "in sub" { LOG "sub" } }
"""
OPTIONS = {"agent": "echo", "answer": ["continue"], "yes": True}


@pytest.fixture
def events(tmp_path: Path) -> list[Event]:
    choices = {**OPTIONS, "answer": ["continue", "yes", "two"]}
    return events_of(EVERYTHING, tmp_path, filename="plan.tiss", **choices)


def test_every_event_has_its_fields(events: list[Event]) -> None:
    assert {event["event"] for event in events} == FIELDS.keys()
    for event in events:
        fields = BASE | FIELDS[event["event"]]
        if event["event"] == "command_end":
            fields |= {"RUN": RUN_FIELDS}.get(event["type"], set())
            fields |= {"path", "bytes"} if event["type"] in ("READ", "WRITE") else set()
        assert event.keys() == fields


def assert_nested(events: list[Event]) -> None:
    """Each end belongs to the start before it; the numbers are dense, and `run_end` is last."""
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    around: list[Event] = []
    for event in events:
        name, _, edge = event["event"].partition("_")
        if edge == "start":
            around.append(event)
        elif edge == "end":
            start = around.pop()
            assert start["event"] == f"{name}_start"
            if name != "run":
                for key in start.keys() - BASE:
                    assert event[key] == start[key]
    assert around == []
    assert events[-1]["event"] == "run_end"


def test_they_are_numbered_timed_and_nested(events: list[Event]) -> None:
    assert_nested(events)
    for event in events:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])


def test_run_start_and_run_end(events: list[Event], tmp_path: Path) -> None:
    start, report = events[0], events[-1]["report"]
    assert (start["script"], start["task"], start["dry_run"]) == ("plan.tiss", "t", False)
    for key in ("root", "sandbox"):
        assert start[key] == report[key]
    assert report["status"] == "passed"


def test_steps(events: list[Event]) -> None:
    ends = named(events, "step_end")
    assert [(e["description"], e["line"], e["attempt"], e["status"]) for e in ends] == [
        ("files", 2, 1, "passed"),
        ("in sub", 29, 1, "passed"),
        ("commands", 10, 1, "passed"),
        ("again", 25, 1, "failed"),
        ("again", 25, 2, "passed"),
    ]


def test_commands(events: list[Event]) -> None:
    """Events are sent for commands only, never for blocks."""
    starts = named(events, "command_start")
    assert [(event["type"], event["line"]) for event in starts] == [
        *(("WRITE", 3), ("READ", 6), ("MKDIR", 7), ("DELETE", 8)),
        *(("RUN", 11), ("ASSERT", 12), ("VAR", 13), ("LOG", 14), ("CALL", 15), ("LOG", 29)),
        *(("ASSERT", 16), ("LOG", 16)),
        *(("SET_BUDGET", 18), ("PROMPT_AGENT", 19), ("PAUSE", 20), ("REQUEST_REVIEW", 21)),
        ("LOG", 23),
        *(("RUN", 26), ("ASSERT", 27), ("RUN", 26), ("ASSERT", 27)),
    ]
    for event in starts:
        assert 0 < len(event["summary"]) <= 120


def test_the_end_of_a_command(events: list[Event]) -> None:
    ends = named(events, "command_end")
    assert [(e["type"], e["line"]) for e in ends if e["status"] == "error"] == [
        ("ASSERT", 16),
        ("ASSERT", 27),
    ]
    assert {e["status"] for e in ends} == {"ok", "error"}
    run = next(e for e in ends if e["type"] == "RUN")
    assert {key: run[key] for key in RUN_FIELDS} == {
        "exit_code": 3,
        "stdout": "out\n",
        "stderr": "err\n",
        "stdout_bytes": 4,
        "stderr_bytes": 4,
    }
    assert [(e["type"], e["path"], e["bytes"]) for e in ends if "path" in e] == [
        ("WRITE", "./f", 3),
        ("READ", "f", 3),
    ]


def test_what_lies_between_start_and_end_of_its_command(events: list[Event]) -> None:
    inner = {"assert": "ASSERT", "log": "LOG", "agent": "PROMPT_AGENT"}
    for i, event in enumerate(events):
        name = event["event"]
        if name in (*inner, "question"):
            before, after = events[i - 1], events[i + 1]
            assert (before["event"], after["event"]) == ("command_start", "command_end")
            assert before["line"] == event["line"]
            assert before["type"] == inner.get(name, before["type"])


def test_the_events_of_single_commands(events: list[Event]) -> None:
    asserts = [(e["line"], e["source"], e["passed"]) for e in named(events, "assert")]
    assert asserts == [
        (12, "LAST_RUN.EXIT_CODE == 3", True),
        (16, "1 == 2", False),
        (27, "LAST_RUN.EXIT_CODE == 0", False),
        (27, "LAST_RUN.EXIT_CODE == 0", True),
    ]
    assert [(e["line"], e["message"]) for e in named(events, "log")] == [
        *((14, "x is 1"), (29, "sub"), (16, "assert"), (23, "2"))
    ]
    (agent,) = named(events, "agent")
    assert (agent["line"], agent["tokens"]) == (19, 4)
    assert [(e["line"], e["message"], e["answer"], e["by"]) for e in named(events, "question")] == [
        (20, "go?", "continue", "answer"),
        (21, "well?", "yes", "answer"),
    ]
    assert [(e["line"], e["option"], e["by"]) for e in named(events, "choose")] == [
        (22, "two", "answer")
    ]
    (estimate,) = named(events, "estimate")
    assert (estimate["line"], estimate["cost"]) == (24, 0)


def test_the_operands_of_an_assertion(tmp_path: Path) -> None:
    text = 'VAR x = "a"\nASSERT x == "a"\nASSERT x NOT IS_EMPTY\nASSERT FILE "no" NOT EXISTS'
    first, second, third = named(events_of(text, tmp_path), "assert")
    assert first["left"]["value"] == "a"
    assert first["right"]["value"] == "a"
    assert (second["left"]["value"], second["right"]) == ("a", None)
    assert (third["left"]["value"], third["right"]) == (False, None)


def test_caught_follows_the_ends_of_everything_that_the_error_left(tmp_path: Path) -> None:
    text = 'TRY { STEP "a" { STEP "b" { ASSERT false } } } CATCH { LOG "x" }'
    names = [event["event"] for event in events_of(text, tmp_path)]
    assert names == [
        *("run_start", "step_start", "step_start", "command_start", "assert", "command_end"),
        *("step_end", "step_end", "caught", "command_start", "log", "command_end", "run_end"),
    ]
    (caught,) = named(events_of(text, tmp_path), "caught")
    assert (caught["error"]["kind"], caught["error"]["steps"]) == ("assert", ["a", "b"])


PARALLEL = """PARALLEL {
    STEP "a" { RUN "sleep 0.1"
        LOG 1
        TRY { ASSERT false } CATCH { LOG 2 } }
    STEP "b" { STEP "in b" { RUN "sleep 0.1" } }
    STEP "c" { LOG 3 }
}"""


@pytest.mark.parametrize("jobs", [1, 3])
def test_in_parallel_every_event_has_its_branch(tmp_path: Path, jobs: int) -> None:
    events = events_of(PARALLEL, tmp_path, jobs=jobs)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["event"] == "run_end"
    inner = events[1:-1]
    assert {event["branch"] for event in inner} == {1, 2, 3}
    for branch in (1, 2, 3):
        mine = [
            {key: value for key, value in event.items() if key != "branch"}
            for event in inner
            if event["branch"] == branch
        ]
        assert_nested(
            [
                {**event, "seq": number}
                for number, event in enumerate([events[0], *mine, events[-1]], 1)
            ]
        )


@pytest.mark.parametrize("failing", ["ASSERT false", 'READ "../x" AS v', 'READ "no" AS v', "LOG x"])
def test_run_end_is_the_last_line_after_an_error_too(tmp_path: Path, failing: str) -> None:
    events = events_of(f'STEP "a" {{ {failing} }}', tmp_path)
    assert events[-1]["event"] == "run_end"
    assert events[-1]["report"]["error"] is not None
    assert_nested(events)


def test_texts_are_cut_except_in_run_end(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a" * 9_000)
    text = 'READ "f" AS v\nLOG v\nRUN "cat f; cat f >&2"\nASSERT v CONTAINS "a"\nPAUSE "{{v}}"'
    events = events_of(text, tmp_path, yes=True)
    (log,) = named(events, "log")
    assert log["message"] == "a" * 8_192
    run = next(e for e in named(events, "command_end") if e["type"] == "RUN")
    assert (run["stdout"], run["stdout_bytes"]) == ("a" * 8_192, 9_000)
    assert (run["stderr"], run["stderr_bytes"]) == ("a" * 8_192, 9_000)
    (question,) = named(events, "question")
    assert len(question["message"]) == 8_192
    assert events[-1]["report"]["log"] == ["a" * 9_000]


def test_jsonl_is_one_object_a_line_and_the_same_as_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'LOG "é\\u2028"\nLOG "a"'.replace("\\u2028", "\u2028"))
    done = tiss("run", "plan.tiss", "--output-format", "jsonl", "--events", "e", cwd=tmp_path)
    lines = done.stdout.split("\n")
    assert lines.pop() == ""
    events = [json.loads(line) for line in lines]
    assert [event["event"] for event in events][-1] == "run_end"
    assert_nested(events)
    in_file = (tmp_path / "e").read_text(encoding="utf-8").split("\n")[:-1]
    assert [json.loads(line) for line in in_file] == events


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_file_of_events_beside_any_format(tmp_path: Path, form: str) -> None:
    write(tmp_path, "LOG 1")
    tiss("run", "plan.tiss", "--output-format", form, "--events", "e", cwd=tmp_path)
    events = [json.loads(line) for line in (tmp_path / "e").read_text().splitlines()]
    assert_nested(events)


def test_a_refused_script_has_events_too(tmp_path: Path) -> None:
    write(tmp_path, "LOG x")
    done = tiss("run", "plan.tiss", "--output-format", "jsonl", cwd=tmp_path)
    assert done.returncode == 3
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["report"]["exit_code"]) == ("run_end", 3)


@pytest.mark.parametrize(("by", "options"), [("answer", {"answer": ["y"]}), ("yes", {"yes": True})])
def test_who_answered(tmp_path: Path, by: str, options: dict[str, object]) -> None:
    (question,) = named(events_of('PAUSE "x"', tmp_path, **options), "question")
    assert question["by"] == by
