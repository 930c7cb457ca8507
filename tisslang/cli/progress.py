"""What a person sees of a run as it goes on: each step with its state and time, and LOG lines."""

import os
import threading
import time
from typing import Any, TextIO

from tisslang.terminal import (
    COLOURS,
    cut_to_width,
    is_dumb,
    one_line,
    printable,
    step_title,
    symbols,
)

Event = dict[str, Any]

TICK = 1.0  # seconds between two looks whether there is something to show
SILENCE = 10.0  # seconds without a word, after which one that reads a pipe is told what goes on


class Progress:
    """A listener that prints each step with its state and time, and LOG lines as they come.

    In a terminal the last line says what runs just now, and for how long; it is written over by
    what comes next. Elsewhere nothing is written over, and what takes long is told now and then.
    """

    def __init__(self, stream: TextIO, colour: bool) -> None:
        self._stream = stream
        self._colour = colour
        self._symbols = symbols(stream)
        self._live = stream.isatty() and not is_dumb()
        self._lock = threading.RLock()  # against the thread that looks at the clock
        self._over = threading.Event()
        self._clock: threading.Thread | None = None
        self._steps: list[str] = []  # the titles of the open steps, outside of PARALLEL
        self._announced = 0  # how many of them have a line already
        self._branches: dict[int, list[str]] = {}  # the open steps of each branch of a PARALLEL
        self._commands: dict[int, tuple[str, float]] = {}  # of each branch, since when
        self._is_drawn = False  # the live line
        self._other: int | None = None  # the thread that writes itself, until its next event
        self._held_back: list[Event] = []  # what other threads have to say meanwhile
        self._spoke = time.monotonic()
        self._patience = SILENCE

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        if self._clock is not None:
            self._clock.join()
        with self._lock:
            self._go_on()
            self._erase()

    def __call__(self, event: Event) -> None:
        """Print what an event has to say to a person."""
        with self._lock:
            if self._other not in (None, threading.get_ident()):
                self._held_back.append(event)
                return
            self._go_on()
            self._take(event)
            if self._clock is None and event["event"] == "command_start":
                self._clock = threading.Thread(target=self._watch_clock, daemon=True)
                self._clock.start()

    def make_way(self) -> None:
        """Take the live line away: the caller is about to write, perhaps a question.

        Which steps are open then stands above it, and nothing else is written before the next event
        of the same thread.
        """
        with self._lock:
            self._other = threading.get_ident()
            self._erase()
            self._stream.write(self._headings())
            self._stream.flush()

    def summarise(self, report: dict[str, Any], outline: Any = None) -> None:
        """Print the steps that had no turn, and one line about the whole run.

        `outline` is what a dry run knows beyond its report (`tisslang.dry_run.outline_of`).
        """
        if report["diagnostics"]:
            count = len(report["diagnostics"])
            self._print(f"not run: {count} error{'s' if count > 1 else ''}, exit 3")
            return
        if report["dry_run"]:
            from tisslang.cli.plan_view import render_plan

            self._print(render_plan(report, self._symbols["bar"], outline))
        for step in report["steps"]:
            if step["status"] == "skipped":
                self._print(f"{self._symbol('skipped')} {step_title(step)}  skipped")
        steps = f"{report['steps_completed']} of {report['steps_total']} steps passed, "
        ending = "" if report["exit_code"] == 0 else f", exit {report['exit_code']}"
        if report["dry_run"]:
            ending += "; a dry run: nothing was done"
        self._print(
            f"{self._paint(report['status'], 'passed' if report['exit_code'] == 0 else 'failed')}: "
            f"{steps if report['steps_total'] else ''}{seconds_text(report['duration_s'])}{ending}"
        )

    def _go_on(self) -> None:
        """Nobody else writes any more: say what was held back."""
        self._other = None
        held_back, self._held_back = self._held_back, []
        for event in held_back:
            self._take(event)

    def _take(self, event: Event) -> None:
        name, branch = event["event"], event.get("branch", 0)
        steps = self._branches.setdefault(branch, []) if branch else self._steps
        if name == "run_start" and event["task"]:
            self._print(one_line(event["task"]))
        elif name == "step_start":
            steps.append(step_title(event))
            self._draw()
        elif name == "step_end":
            self._end_step(event, steps)
        elif name == "log":
            where = f"{' / '.join(steps)}: " if branch else ""
            self._print(where + printable(event["message"]), deeper=bool(branch))
        elif name == "command_start":
            self._commands[branch] = (event["summary"], time.monotonic())
        elif name == "command_end":
            self._commands.pop(branch, None)

    def _end_step(self, event: Event, steps: list[str]) -> None:
        title = " / ".join(steps) if event.get("branch") else steps[-1]
        steps.pop()
        if "branch" not in event:
            self._announced = min(self._announced, len(steps))
        symbol = self._symbol(event["status"])
        self._print(f"{symbol} {title}  {seconds_text(event['duration_s'])}")

    # Lines that stay

    def _print(self, text: str, deeper: bool = False) -> None:
        """Print lines below the headings of the open steps."""
        self._erase()
        lines = text.removesuffix("\n").split("\n")
        indent = "  " * (len(self._steps) + deeper)
        self._stream.write(self._headings() + "".join(f"{indent}{line}\n" for line in lines))
        self._stream.flush()
        self._spoke, self._patience = time.monotonic(), SILENCE

    def _headings(self) -> str:
        """The lines of the open steps that have none yet."""
        lines = [
            f"{'  ' * depth}{self._symbol('running')} {title}\n"
            for depth, title in enumerate(self._steps)
        ][self._announced :]
        self._announced = len(self._steps)
        return "".join(lines)

    # The line that says what runs just now

    def _watch_clock(self) -> None:
        while not self._over.wait(TICK):
            self._look()

    def _look(self) -> None:
        """Show what takes long."""
        with self._lock:
            if self._other is not None:
                return
            self._draw()
            if not self._live and time.monotonic() - self._spoke >= self._patience:
                self._tell()

    def _draw(self) -> None:
        """Draw the live line anew."""
        title = " / ".join(self._steps[self._announced :])
        text = "  ".join(part for part in (title, self._activity(least=1.0)) if part)
        if not self._live or not text:
            return
        try:
            columns = os.get_terminal_size(self._stream.fileno()).columns or 80
        except OSError:  # the terminal has gone away
            return
        indent = "  " * min(self._announced, columns // 8)
        line = f"{indent}{self._symbols['running']} {text}"
        line = cut_to_width(line, columns - 1)  # one that wraps could not be written over
        self._stream.write(f"\r\x1b[K{line}")
        self._stream.flush()
        self._is_drawn = True

    def _erase(self) -> None:
        if self._is_drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._is_drawn = False

    def _tell(self) -> None:
        """Say in a line that stays what takes so long; each time only after twice as long."""
        activity = self._activity(least=0.0)
        if activity:
            patience = self._patience * 2
            self._print(f"{self._symbols['running']} {activity}")
            self._patience = patience

    def _activity(self, least: float) -> str:
        """The commands that run, and for how long, once the oldest runs for `least` seconds."""
        if not self._commands:
            return ""
        now = time.monotonic()
        age = now - min(since for _, since in self._commands.values())
        if age < least:
            return ""
        if list(self._commands) == [0]:
            what = one_line(self._commands[0][0])
        else:
            what = ", ".join(
                self._branches[branch][0] for branch in sorted(self._commands) if branch
            )
        return f"{seconds_text(age, whole=True)}  {what}"

    def _symbol(self, status: str) -> str:
        return self._paint(self._symbols[status], status)

    def _paint(self, text: str, status: str) -> str:
        return f"\x1b[{COLOURS[status]}m{text}\x1b[0m" if self._colour else text


def seconds_text(seconds: float, whole: bool = False) -> str:
    """A time for people: `0.25 s`, `12 s`, `3:20 min`, `2:05:10 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s" if whole else f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"
