"""One run of a plan in a thread of its own, told to a page: steps, output, questions, changes.

It knows nothing of widgets: what the page shows goes to `publish`, as names and values.
"""

import atexit
import contextlib
import itertools
import os
import re
import threading
from collections.abc import Callable
from typing import Any

from tisslang.cli.plan_view import render_plan
from tisslang.dry_run import outline_of
from tisslang.engine import ExecutionEngine
from tisslang.errors import TissParseError
from tisslang.jupyter.changes import Snapshot, changes_between
from tisslang.jupyter.ending import ending_of
from tisslang.jupyter.outputs import Outputs
from tisslang.jupyter.plan_rows import plan_rows
from tisslang.jupyter.result import PlanResult, is_drawn
from tisslang.jupyter.steps import StepTree
from tisslang.jupyter.work import thread
from tisslang.plan import as_script
from tisslang.question import Question
from tisslang.questions import with_gaps_named
from tisslang.syntax import parse
from tisslang.terminal import one_line, printable

Event = dict[str, Any]
Report = dict[str, Any]
Publish = Callable[[dict[str, Any]], None]

FILENAME = "<widget>"  # what diagnostics call the script
INTERVAL = 0.1  # seconds between two messages to the page
INTERVAL_PER_STEP = 0.0005  # more for a long list of steps, which is sent as a whole
MAX_PLAN_TEXT = 100_000  # characters
_PATIENCE = 0.05  # seconds between two attempts to stop

# What the page shows before there is anything to tell of a run.
NOTHING: dict[str, Any] = {
    "error": None,
    "steps": [],
    "selected": None,
    "output": None,
    "question": None,
    "plan": [],
    "plan_text": "",
    "changes": [],
    "changes_note": "",
}


class Session:
    """One run, or dry run, of `script` below `root`.

    `publish` gets what changed on the page, from other threads and at most ten times a second;
    `at_end` is called once all is told. The options are those of the engine, and what is wrong with
    them raises as there. `files` is what lay below the root after an earlier run: what has not
    changed since is not read again.
    """

    def __init__(
        self,
        script: str,
        root: str | os.PathLike[str],
        publish: Publish,
        at_end: Callable[[], None] = lambda: None,
        dry_run: bool = False,
        files: Snapshot | None = None,
        **options: Any,
    ) -> None:
        self.script = script
        self.dry_run = dry_run
        self.report: Report | None = None
        self.files = files
        self._publish = publish
        self._at_end = at_end
        self._listener = options.pop("on_event", None)
        settings = {"filename": FILENAME, **options, "on_event": self._take, "ask": self._ask}
        self.engine = ExecutionEngine(root=root, dry_run=dry_run, **settings)
        self._without_place = place_hider(self.engine.root)
        self._tree = StepTree(as_script([]))
        self._outputs = Outputs(self._without_place)
        self._selected: int | None = None
        self._follows = True  # the selection goes with the step that runs
        self._questions: dict[int, tuple[Question, int | None]] = {}  # by number, with their step
        self._places: dict[int, int | None] = {}  # the step in which each thread is
        self._is_stopping = False
        self._sent: dict[str, Any] = {}
        self._thread: threading.Thread | None = None
        # Held for a moment only, and never while something is published. Collecting a lost widget
        # stops its run, in whichever thread that happens to be: it may hold the lock already.
        self._lock = threading.RLock()
        self._news = threading.Event()
        self._over = threading.Event()
        self._done = threading.Event()

    def start(self) -> None:
        """Begin, in a thread. What that prints and sends belongs to the cell that called this."""
        self._thread = thread(self._run)
        _RUNNING.add(self)
        self._thread.start()

    @property
    def is_on(self) -> bool:
        """Whether it has begun and not ended."""
        return self._thread is not None and not self._done.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, also of what is told about it; returns whether it has come."""
        return self._done.wait(seconds)

    def stop(self, wait: bool = True) -> None:
        """End the run as Ctrl-C would; with `wait` return when nothing of it runs any more."""
        if not self.is_on:
            return
        if threading.current_thread() is self._thread:  # a listener of its own calls
            self.engine.stop()
            return
        with self._lock:
            is_first, self._is_stopping = not self._is_stopping, True
        self._news.set()
        if wait:
            self._stop()
        elif is_first:
            thread(self._stop).start()

    def select(self, step: int | None) -> dict[str, Any]:
        """What the page shows of a step (None: of what stands outside of all); stay with it."""
        with self._lock:
            self._follows, self._selected = False, step
            return self._outputs.of(step)

    def answer(self, number: object, answer: object) -> None:
        """Answer the question of this number; `ValueError` when it is late or no answer."""
        with self._lock:
            found = self._questions.get(number) if isinstance(number, int) else None
        if found is None:
            raise ValueError("there is no such question, or it is not open any more")
        if not isinstance(answer, str | int):
            raise ValueError("an answer is a text, or the number of an option")
        question, _ = found
        labels = [printable(label) for label in question.options]
        if labels.count(str(answer)) > 1:
            raise ValueError("several options look like that: answer with a number")
        # As they are shown: behind that the option may be written in another way.
        question.answer(labels.index(answer) + 1 if answer in labels else answer)
        self._news.set()

    def question(self) -> dict[str, Any] | None:
        """The first question that is open, as the page gets it."""
        with self._lock:
            return self._question()

    def shown(self, text: str) -> str:
        """A text without secrets, and without the place of the root on this machine."""
        return self._without_place(self.engine.state.secrets.mask(text))

    def shown_all(self, value: Any) -> Any:
        """The same for every text in a value as JSON has them."""
        if isinstance(value, str):
            return self.shown(value)
        if isinstance(value, dict):
            return {key: self.shown_all(item) for key, item in value.items()}
        return [self.shown_all(item) for item in value] if isinstance(value, list) else value

    def result(self) -> PlanResult | None:
        """How the run ended, ready to be displayed."""
        if self.report is None:
            return None
        report = self.shown_all({**self.report, "log": []})  # which is in the events
        events = self.engine.state.execution_log
        if is_drawn(events):
            events = self.shown_all(events)
        outline = outline_of(self.engine.state) if self.dry_run else None
        return PlanResult(report, events, self.shown(self.script), outline)

    # In the thread of the run

    def _run(self) -> None:
        teller = thread(self._keep_telling)
        teller.start()
        end: dict[str, Any] = {}
        try:
            end = self._run_plan()
        # No such step or agent; a fault, which debug=True lets out; or what a listener raises.
        except BaseException as error:
            begin = "Error" if self.engine.state.execution_log else "Not run"
            told = one_line(self.shown(str(error))) or type(error).__name__
            end = {"status": "error", "headline": f"{begin}: {told}"}
        finally:
            self._over.set()
            self._news.set()
            teller.join()
            with self._lock:
                if not self.dry_run:
                    self._tree.finish()
                self._questions.clear()
            try:
                self._tell(end)
                self._at_end()
            finally:
                _RUNNING.discard(self)
                self._done.set()

    def _run_plan(self) -> dict[str, Any]:
        """Run; returns what the page shows in the end."""
        plan: Any = self.script
        with contextlib.suppress(TissParseError):  # which the engine reports
            plan = parse(plan, self.engine.options.filename)
            with self._lock:
                self._tree = StepTree(plan, self.engine.state.secrets.mask)
            self._news.set()
        before = None if self.dry_run else Snapshot(self.engine.root, self.files)
        report = self.report = self.engine.run(plan)
        with self._lock:
            if self._follows and report["error"] and report["error"]["steps"]:
                self._selected = self._tree.failed(report["error"]["steps"])
        end: dict[str, Any] = self.shown_all(ending_of(report, self.shown(self.script)))
        if self._tree.left_out:
            end["headline"] += f" Of its steps the first {len(self._tree.rows()):,} are shown."
        if before is not None:
            self.files = Snapshot(self.engine.root, before)
            changes, note = changes_between(before, self.files, self.shown)
            end |= {"changes": changes, "changes_note": note}
        elif report["plan"]:
            outline = outline_of(self.engine.state)
            text = self.shown(render_plan(report, outline=outline))
            end |= {"plan": self.shown_all(plan_rows(outline)), "plan_text": text[:MAX_PLAN_TEXT]}
        return end

    def _take(self, event: Event) -> None:
        """Note an event. The engine waits meanwhile, and sends one at a time."""
        with self._lock:
            place = self._places[threading.get_ident()] = self._tree.take(event)
            self._outputs.take(place, event)
            begins = event["event"] in ("step_start", "command_start")
            if self._follows and begins and event.get("branch", 1) == 1:
                self._selected = place
        self._news.set()
        if self._listener:
            self._listener(event)

    def _ask(self, question: Question) -> None:
        with self._lock:
            step = self._places.get(threading.get_ident())
            self._questions[next(_NUMBERS)] = (question, step)
        self._news.set()

    # In other threads

    def _stop(self) -> None:
        while not self._done.wait(_PATIENCE):
            self.engine.stop()  # again: the run may have been about to begin

    def _keep_telling(self) -> None:
        while not self._over.is_set():
            self._news.wait()
            self._news.clear()
            self._tell({})
            self._over.wait(INTERVAL + INTERVAL_PER_STEP * len(self._sent["steps"]))

    def _tell(self, end: dict[str, Any]) -> None:
        with self._lock:
            state = self._state() | end
        news = {
            name: value
            for name, value in state.items()
            if name not in self._sent or self._sent[name] != value
        }
        self._sent |= news
        if news:
            self._publish(news)

    # With the lock held

    def _state(self) -> dict[str, Any]:
        question = self._question()
        headline = "Stopping." if self._is_stopping else "Running."
        return {
            "status": "stopping" if self._is_stopping else "running",
            "headline": "Waiting for your answer." if question else headline,
            "steps": self._tree.rows(),
            "selected": self._selected,
            "output": self._outputs.of(self._selected),
            "question": question,
        }

    def _question(self) -> dict[str, Any] | None:
        for number, (question, step) in self._questions.items():
            if question.is_open:
                return {
                    "id": number,
                    "kind": question.kind,
                    "message": printable(with_gaps_named(self._without_place(question.message))),
                    "line": question.line,
                    "step": step,
                    "options": [printable(label) for label in question.options],
                }
        return None


def place_hider(root: str) -> Callable[[str], str]:
    """What takes the place of the root on this machine from a text: only its name is left."""
    name = os.path.basename(root)
    if not name:
        return str
    # Neither within another path nor the beginning of one; but behind `-I`, and before a full stop.
    pattern = re.compile(rf"(?:(?<![\w.-])|(?<=\s-[A-Z])){re.escape(root)}(?!\.*[\w-])")
    return lambda text: pattern.sub(lambda _: f"…/{name}", text) if root in text else text


def _stop_all() -> None:
    for session in list(_RUNNING):
        session.stop()


# Of questions: a late answer to one of an earlier run must not answer one of this run.
_NUMBERS = itertools.count(1)
_RUNNING: set[Session] = set()
# Before the interpreter waits for the threads of a PARALLEL, which `atexit` would be too late for.
getattr(threading, "_register_atexit", atexit.register)(_stop_all)
