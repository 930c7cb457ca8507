"""What takes long, branches side by side, questions: a listener with a clock of the test's own."""

import os
import threading
from typing import Any

import pytest

from tisslang.cli import progress as module
from tisslang.cli.progress import Progress, seconds_text


class Terminal:
    encoding = "utf-8"

    def __init__(self, is_terminal: bool) -> None:
        self.text = ""
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def fileno(self) -> int:
        return 99

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass

    def new(self) -> str:
        text, self.text = self.text, ""
        return text


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module.os, "get_terminal_size", lambda _: os.terminal_size((60, 24)))
    monkeypatch.setattr(module, "TICK", 3600.0)
    monkeypatch.setenv("TERM", "xterm")
    return clock


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"event": name, "kind": "STEP", "status": "passed", "duration_s": 0.5, **fields}


def test_what_takes_long_shows_that_it_goes_on(clock: Clock) -> None:
    terminal = Terminal(True)
    with Progress(terminal, colour=False) as progress:  # type: ignore[arg-type]
        progress(event("step_start", description="tests"))
        assert terminal.new() == "\r\x1b[K▸ tests"
        progress(event("command_start", summary="RUN pytest\n-q"))
        progress._draw()
        assert terminal.new() == "\r\x1b[K▸ tests"
        for seconds, said in ((12.4, "12 s"), (200, "3:20 min"), (7510, "2:05:10 h")):
            clock.now = 1000 + seconds
            progress._draw()
            assert terminal.new() == f"\r\x1b[K▸ tests  {said}  RUN pytest\\n-q"
        progress(event("log", message="x"))
        assert terminal.new() == "\r\x1b[K▸ tests\n  x\n"
        progress._draw()
        assert terminal.new().endswith("  ▸ 2:05:10 h  RUN pytest\\n-q")
        progress(event("command_end"))
        progress(event("step_end", description="tests"))
        assert terminal.new() == "\r\x1b[K✓ tests  0.50 s\n"
        progress._draw()
        assert terminal.new() == ""


def test_in_a_pipe_it_is_told_now_and_then(clock: Clock) -> None:
    pipe = Terminal(False)
    with Progress(pipe, colour=False) as progress:  # type: ignore[arg-type]
        progress(event("step_start", description="tests"))
        progress(event("command_start", summary="RUN pytest -q"))
        assert pipe.new() == ""
        told = []
        for second in range(1, 200):
            clock.now = 1000.0 + second
            progress._look()
            if text := pipe.new():
                told.append((second, text))
        assert told == [
            (10, "▸ tests\n  ▸ 10 s  RUN pytest -q\n"),
            (30, "  ▸ 30 s  RUN pytest -q\n"),
            (70, "  ▸ 1:10 min  RUN pytest -q\n"),
            (150, "  ▸ 2:30 min  RUN pytest -q\n"),
        ]
        progress(event("command_end"))
        progress(event("step_end", description="tests"))
        assert pipe.new() == "✓ tests  0.50 s\n"


def test_branches_that_run_are_named(clock: Clock) -> None:
    terminal = Terminal(True)
    with Progress(terminal, colour=False) as progress:  # type: ignore[arg-type]
        for branch, name in ((1, "a"), (2, "b")):
            progress(event("step_start", description=name, branch=branch))
            progress(event("command_start", summary="RUN x", branch=branch))
        clock.now += 5
        terminal.new()
        progress._draw()
        assert terminal.new() == "\r\x1b[K▸ 5 s  a, b"
        progress(event("command_end", branch=1))
        progress(event("step_end", description="a", branch=1))
        assert terminal.new() == "\r\x1b[K✓ a  0.50 s\n"
        progress._draw()
        assert terminal.new() == "\r\x1b[K▸ 5 s  b"


def test_it_gives_way_to_a_question(clock: Clock) -> None:
    terminal = Terminal(True)
    with Progress(terminal, colour=False) as progress:  # type: ignore[arg-type]
        progress(event("step_start", description="ask"))
        progress(event("command_start", summary="PAUSE"))
        terminal.new()
        progress.make_way()
        assert terminal.new() == "\r\x1b[K▸ ask\n"
        clock.now += 100
        progress._look()
        assert terminal.new() == ""


def test_a_terminal_that_goes_away(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: int) -> None:
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(module.os, "get_terminal_size", gone)
    terminal = Terminal(True)
    with Progress(terminal, colour=False) as progress:  # type: ignore[arg-type]
        progress(event("step_start", description="a"))
        progress(event("step_end", description="a"))
    assert terminal.new() == "✓ a  0.50 s\n"


def test_other_branches_wait_while_one_asks(clock: Clock) -> None:
    """What they have to say comes when the question is answered."""
    terminal = Terminal(True)
    with Progress(terminal, colour=False) as progress:  # type: ignore[arg-type]

        def in_other_thread(*events: dict[str, Any]) -> None:
            thread = threading.Thread(target=lambda: [progress(one) for one in events])
            thread.start()
            thread.join()

        progress(event("step_start", description="asks", branch=1))
        in_other_thread(event("step_start", description="works", branch=2))
        terminal.new()
        progress.make_way()
        in_other_thread(event("log", message="done", branch=2))
        in_other_thread(event("step_end", branch=2))
        progress._look()
        assert terminal.new().strip("\r\x1b[K") == ""
        progress(event("question", branch=1))
        progress(event("step_end", branch=1))
        assert terminal.new().splitlines() == [
            *("  works: done", "✓ works  0.50 s", "✓ asks  0.50 s")
        ]


def test_times_for_people() -> None:
    times = [seconds_text(seconds) for seconds in (0, 0.004, 9.996, 59.99, 60, 3599.4, 3600, 90061)]
    assert times == [
        *("0.00 s", "0.00 s", "10.00 s", "59.99 s", "1:00 min", "59:59 min"),
        *("1:00:00 h", "25:01:01 h"),
    ]
    assert seconds_text(59.7, whole=True) == "60 s"
