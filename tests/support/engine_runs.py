"""What the tests of the engine share: a run with its events, and short views of it."""

from pathlib import Path
from typing import Any

from plans import run
from report_shape import check_events

from tisslang import State, ToolRegistry

Event = dict[str, Any]
Report = dict[str, Any]


def run_with_events(text: str, root: Path, **options: Any) -> tuple[Report, list[Event]]:
    """Run a plan; its events are judged, and returned."""
    events: list[Event] = []
    report = run(text, root, on_event=events.append, **options)
    check_events(events)
    assert events[-1]["report"] == report
    return report, events


def steps(report: Report) -> list[tuple[str, str, int]]:
    """Description, status and attempts of each step."""
    return [(s["description"], s["status"], s["attempts"]) for s in report["steps"]]


def outcome(report: Report) -> tuple[int, str | None, int | None]:
    """Exit code; kind and line of the error."""
    error = report["error"] or {}
    return report["exit_code"], error.get("kind"), error.get("line")


def caught(report: Report) -> list[tuple[str, int]]:
    """Kind and line of each error that was caught."""
    return [(error["kind"], error["line"]) for error in report["caught"]]


def named(events: list[Event], *names: str) -> list[Event]:
    """The events of these names."""
    return [event for event in events if event["event"] in names]


def brief(events: list[Event]) -> list[str]:
    """The events between `run_start` and `run_end` in a word or two each."""
    return [_brief(event) for event in events[1:-1]]


def _brief(event: Event) -> str:
    detail = event.get("type") or event.get("description") or event.get("message") or ""
    status = event.get("status", "")
    return " ".join(filter(None, (event["event"], str(detail), status)))


def recording(kind: str, record: list[Any], field: str) -> ToolRegistry:
    """The default tools, but that of one type only notes an attribute of the state."""
    tools = ToolRegistry.default()

    def note(state: State, args: dict[str, Any]) -> None:
        value = getattr(state, field)
        record.append(dict(value) if isinstance(value, dict) else value)

    tools.register(kind, note)
    return tools
