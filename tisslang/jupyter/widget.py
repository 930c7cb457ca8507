"""`TissWidget`: a plan in a notebook, to be written, checked, previewed, run and answered."""

import os
import threading
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from tisslang.editing import complete, problems
from tisslang.errors import TissParseError
from tisslang.formatting import format_source
from tisslang.jupyter import page
from tisslang.jupyter.ending import counted
from tisslang.jupyter.picture import picture_html, picture_text
from tisslang.jupyter.session import FILENAME, NOTHING, Report, Session
from tisslang.jupyter.work import Work
from tisslang.terminal import printable

try:
    from anywidget import AnyWidget
    from IPython.display import display
    from traitlets import Any as AnyValue
    from traitlets import Int, Unicode
except ImportError as error:
    needed = 'TissWidget needs anywidget: install it with pip install "quantatissu[notebooks]"'
    raise ImportError(needed) from error

MAX_PROBLEMS = 500
MAX_COMPLETIONS = 200
_PATIENCE = 0.05  # seconds between two looks for a question


class TissWidget(AnyWidget):
    """An editor for a plan, with buttons to check, preview, run and stop it below `root`.

    The options are those of `tiss run`: `var`, `allow_network`, `sandbox_profile`, `timeout`,
    `agent`, `answer`, … (see `tisslang.options.Options`); a wrong one raises `ValueError`. `height`
    is that of the editor in pixels. The kernel stays usable during a run, which ends at the latest
    with the widget or the kernel. `script` may be read and set; `check`, `run`, `stop` and `answer`
    do what the buttons do, and `report` is what a run came to.
    """

    _esm = page.script()
    _css = page.style()

    # What the page shows; it sets the first three itself. The other files say what is in the rest.
    script = Unicode().tag(sync=True, echo_update=False)
    script_version = Int(0).tag(sync=True, echo_update=False)  # raised by whoever changes the text
    selected = Int(None, allow_none=True).tag(sync=True)  # a step; None: outside of all
    root_label = Unicode().tag(sync=True)  # a name, not a place
    height = Int(240).tag(sync=True)
    problems = AnyValue([]).tag(sync=True)
    problems_version = Int(0).tag(sync=True)  # the version of the script that has them
    status = Unicode("idle").tag(sync=True)
    mode = Unicode("").tag(sync=True)  # check, dry_run, run
    headline = Unicode("").tag(sync=True)
    error = AnyValue(None).tag(sync=True)
    steps = AnyValue([]).tag(sync=True)
    output = AnyValue(None).tag(sync=True)
    question = AnyValue(None).tag(sync=True)
    plan = AnyValue([]).tag(sync=True)
    plan_text = Unicode("").tag(sync=True)
    changes = AnyValue([]).tag(sync=True)
    changes_note = Unicode("").tag(sync=True)

    # Messages come in threads of the kernel, news in those of a run: whoever sets a trait holds it.
    _lock = threading.RLock()
    _session: Session
    _is_from_page = False
    _is_displayed = False
    _looks = 0  # for problems, that are still to come

    def __init__(
        self,
        script: str = "",
        root: str | os.PathLike[str] = ".",
        *,
        height: int = 240,
        **options: Any,
    ) -> None:
        for name in ("ask", "dry_run", "filename"):
            if name in options:
                raise ValueError(f"{name}: the widget itself decides about it")
        self._options = options
        self._root = os.path.realpath(root)
        self._session = self._new_session("")  # which says what is wrong with the options
        self._work = Work()
        self._display_id = uuid4().hex
        label = printable(self._session.shown(os.path.basename(self._root))) or "/"
        found = self._problems_of(script)[:MAX_PROBLEMS]
        super().__init__(script=script, root_label=label, height=height, problems=found)
        self.on_msg(self._on_message)
        self.comm.on_close(weakly(self._on_page_closed))
        # ipykernel brings messages to the shell that sent last. That may be busy with a cell that
        # waits for just these; JupyterLab says itself which one is free.
        self.comm._reply_subshell_for = lambda data, subshell: subshell
        self.observe(self._on_script, "script")
        self.observe(self._on_selected, "selected")

    # For programs

    @property
    def report(self) -> Report | None:
        """The report of the latest run or dry run; None before its end."""
        return self._session.report

    def check(self) -> list[dict[str, Any]]:
        """Look for mistakes, as the button does; returns them."""
        self._require_rest()
        self._check()
        return self.problems

    def run(self, dry_run: bool = False, wait: bool = True) -> Report | None:
        """Run the script and return the report; with `wait=False` return at once.

        Interrupting the cell stops the run. `RuntimeError` when one is on already.
        """
        self._require_rest()
        self._start("dry_run" if dry_run else "run")
        return self.wait() if wait else None

    def wait(self) -> Report | None:
        """Wait for the end of the run; returns its report."""
        try:
            self._session.wait()
        except KeyboardInterrupt:
            from tisslang.jupyter.magic import PlanInterrupted

            self.stop()
            raise PlanInterrupted from None
        return self.report

    def stop(self) -> None:
        """End the run; returns when nothing of it is running any more."""
        self._session.stop()

    def answer(self, text: str) -> None:
        """Answer the question of the run, once there is one: "yes" or "no", "continue", a label.

        `ValueError` for what is no answer, and when the run ends without a question.
        """
        while not (question := self._session.question()):
            if not self._session.is_on or self._session.wait(_PATIENCE):
                raise ValueError("there is no question to answer")
        self._session.answer(question["id"], text)

    def close(self) -> None:
        """Stop the run, if one is on, and take the widget off the page."""
        if "_session" in self.__dict__:  # else its options were wrong
            self._session.stop()
        super().close()

    def __del__(self) -> None:
        if "_session" in self.__dict__:
            self._session.stop(wait=False)  # whoever collects garbage may not wait
        super().close()

    # What the page asks for

    def _on_message(self, _: object, content: Any, buffers: object) -> None:
        """Do what a button of the page stands for. Nothing that takes long: it holds up others."""
        actions: dict[str, Callable[[dict[str, Any]], None]] = {
            "check": lambda _: self._work.add(self._check),
            "dry_run": lambda _: self._start("dry_run"),
            "run": lambda _: self._start("run"),
            "stop": lambda _: self._session.stop(wait=False),
            "answer": lambda asked: self._session.answer(asked.get("id"), asked.get("text")),
            "complete": self._start_completion,
            "format": lambda _: self._work.add(self._format),
        }
        try:
            self._take_script(content.get("script"), content.get("version"))
            kind = str(content.get("type"))
            if kind in ("check", "dry_run", "run", "format"):
                self._require_rest()
            if kind in actions:
                actions[kind](content)
        except Exception as error:  # a refusal of ours; or the message makes no sense
            self._notify(str(error))
        else:
            self._notify("")  # the page waits for a sign

    def _on_page_closed(self, _: object) -> None:
        self._session.stop(wait=False)

    def _take_script(self, script: Any, version: Any) -> None:
        """A message carries the script: Jupyter may deliver it before the state of the page."""
        with self._lock:
            is_there = isinstance(script, str) and isinstance(version, int)
            if is_there and version >= self.script_version:
                self.set_state({"script": script, "script_version": version})

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take over what the page has set."""
        with self._lock:
            self._is_from_page = True
            try:
                super().set_state(sync_data)
            finally:
                self._is_from_page = False

    def __setattr__(self, name: str, value: Any) -> None:
        with self._lock:
            super().__setattr__(name, value)

    def _on_script(self, change: object) -> None:
        if not self._is_from_page:
            self.script_version += 1
        with self._lock:
            self._looks += 1
        self._work.add(self._look_over)

    def _on_selected(self, change: dict[str, Any]) -> None:
        if self._is_from_page:
            self.output = self._session.select(change["new"])

    def _notify(self, text: str) -> None:
        with self._lock:
            self.send({"type": "notice", "text": printable(self._session.shown(text))})

    def _start_completion(self, asked: dict[str, Any]) -> None:
        line, column, request = (int(asked[name]) for name in ("line", "column", "request"))
        self._work.add(partial(self._complete, line, column, request))

    def _complete(self, line: int, column: int, request: int) -> None:
        found = complete(self.script, line, column, self._root)
        names = ("label", "kind", "detail", "insert", "start_column", "end_column")
        items = [{name: getattr(item, name) for name in names} for item in found[:MAX_COMPLETIONS]]
        items = [item for item in items if self._session.shown_all(item) == item]  # no secret
        with self._lock:
            self.send({"type": "completions", "request": request, "items": items})

    def _format(self) -> None:
        script = self.script
        try:
            formatted = format_source(script, FILENAME)
        except TissParseError as error:
            self._notify(f"cannot be formatted: line {error.line}: {error.message}")
            return
        with self._lock:
            if formatted == script:
                self._notify("it is in the one style already")
            elif self.script == script:  # else it was changed meanwhile
                self.script = formatted

    # What is done

    def _require_rest(self) -> None:
        if self._session.is_on:
            raise RuntimeError("a run is on: wait for its end, or stop it")

    def _problems_of(self, script: str) -> list[dict[str, Any]]:
        if not script.strip():  # nobody has begun yet
            return []
        options = self._session.engine.options
        found = problems(script, FILENAME, assigned=[*options.var, *options.secrets])
        facts = ("line", "column", "end_line", "end_column", "severity", "code")
        rows = []
        for problem in found:
            row = {name: getattr(problem, name) for name in facts}
            for name in ("message", "hint"):
                text = getattr(problem, name)
                row[name] = text and printable(self._session.shown(text))
            rows.append(row)
        return rows

    def _look_over(self) -> None:
        with self._lock:
            self._looks -= 1
            if self._looks:  # it was changed again meanwhile
                return
        self._look_for_problems()

    def _look_for_problems(self) -> list[dict[str, Any]]:
        with self._lock:
            script, version = self.script, self.script_version
        found = self._problems_of(script)
        with self._lock:
            if version == self.script_version:
                self._show({"problems": found[:MAX_PROBLEMS], "problems_version": version})
        return found

    def _check(self) -> None:
        found = [problem["severity"] for problem in self._look_for_problems()]
        counts = [(found.count(what), what) for what in ("error", "warning", "info")]
        told = ", ".join(counted(*count) for count in counts if count[0])
        status = "not run" if "error" in found else "passed"
        headline = f"{told}." if told else "No problems."
        if told and status == "passed":
            headline = f"No errors, but {headline}"
        with self._lock:
            if self._session.is_on:  # it has begun meanwhile, and has more to tell
                return
            self._show({"mode": "check", "status": status, "headline": headline, **NOTHING})
        self._update_display()

    def _new_session(self, script: str, dry_run: bool = False) -> Session:
        """A run of a script. It does not keep the widget, which may go before it ends."""
        publish, at_end = weakly(self._show), weakly(self._update_display)
        files = self._session.files if "_session" in self.__dict__ else None
        return Session(script, self._root, publish, at_end, dry_run, files, **self._options)

    def _start(self, mode: str) -> None:
        with self._lock:
            self._require_rest()
            session = self._new_session(self.script, dry_run=mode == "dry_run")
            self._session = session
            self._show({"mode": mode, "status": "running", "headline": "Running.", **NOTHING})
            session.start()

    def _show(self, news: dict[str, Any]) -> None:
        """Set some traits, and tell the page in one message."""
        with self._lock, self.hold_sync():
            for name, value in news.items():
                setattr(self, name, value)

    # How it is displayed

    def _ipython_display_(self) -> None:
        """The live widget, and beside it its picture, which the page hides while the widget lives.

        Only the picture is ever updated: JupyterLab draws anew what is, and who types there would
        lose the focus and what can be undone.
        """
        if self.comm is not None:
            data, metadata = super()._repr_mimebundle_() or ({}, {})
            data["text/plain"] = "A TissWidget. This is its last state:"
            display(data, metadata=metadata, raw=True)
        self._is_displayed = True
        display(self._picture(), raw=True, display_id=self._display_id)

    def _update_display(self) -> None:
        if self._is_displayed:
            display(self._picture(), raw=True, display_id=self._display_id, update=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Widget and picture as one output, for who asks for that."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, **self._picture()}, metadata

    def _picture(self) -> dict[str, str]:
        """The last state, for where the widget cannot live."""
        session = self._session
        script = printable(session.shown(self.script))
        result = session.result() if self.mode in ("dry_run", "run") else None
        with self._lock:
            state = {name: getattr(self, name) for name in ("mode", "headline", "problems")}
            state |= {name: getattr(self, name) for name in ("changes", "changes_note")}
        return {
            "text/plain": picture_text(state, script, result),
            "text/html": picture_html(state, script, result),
        }


def weakly(method: Callable[..., None]) -> Callable[..., None]:
    """The method for as long as its object is there; then nothing."""
    reference = weakref.WeakMethod(method)

    def call(*args: Any) -> None:
        if (found := reference()) is not None:
            found(*args)

    return call
