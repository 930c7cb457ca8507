"""The widget in Python: its state, what its page sends it, and what it sends back."""

import contextlib
import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm
from processes import sleepers, wait_until
from traitlets import TraitError

import tisslang
from tisslang import TissWidget
from tisslang.jupyter import page

MAX_PAGE = 40 * 1024  # bytes: it is saved with every notebook that shows it
PLAN = """\
TASK "Greet"
STEP "Write" {
    WRITE "name.txt" <<W
Ada
W
}
STEP "Check" {
    RUN "cat name.txt"
    ASSERT LAST_RUN.STDOUT|trim == "Ada"
}
"""


class Front(BaseComm):
    """The other side of a widget: it notes what it is sent, and sends messages."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.state: dict[str, Any] = {}
        self.updates: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.version = 0
        super().__init__(*args, **kwargs)

    def publish_msg(self, msg_type: str, data: Any = None, *args: Any, **kwargs: Any) -> None:
        data = data or {}
        if "state" in data:
            assert data.get("method") != "echo_update" or "script" not in data["state"]
            self.updates.append(data["state"])
            self.state |= data["state"]
        elif data.get("method") == "custom":
            self.messages.append(data["content"])

    def receive(self, data: dict[str, Any]) -> None:
        self.handle_msg({"content": {"data": data}, "buffers": []})

    def send_message(self, kind: str, **content: Any) -> None:
        self.receive({"method": "custom", "content": {"type": kind, **content}})

    def press(self, kind: str, **content: Any) -> None:
        script = {"script": self.state["script"], "version": self.version}
        self.send_message(kind, **script, **content)

    def write(self, script: str) -> None:
        self.version += 1
        self.state["script"] = script
        state = {"script": script, "script_version": self.version}
        self.receive({"method": "update", "state": state})

    @property
    def notices(self) -> list[str]:
        return [m["text"] for m in self.messages if m["type"] == "notice" and m["text"]]

    def is_at(self, *states: str) -> bool:
        return self.state["status"] in states


@pytest.fixture(autouse=True)
def front_ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(comm, "create_comm", Front)
    yield
    gc.collect()


@pytest.fixture
def widgets(tmp_path: Path) -> Iterator[Any]:
    """Makes widgets without a sandbox; they are closed at the end."""
    made: list[TissWidget] = []

    def make(script: str = PLAN, **options: Any) -> tuple[TissWidget, Front]:
        options.setdefault("sandbox_profile", "none")
        widget = TissWidget(script, options.pop("root", tmp_path), **options)
        made.append(widget)
        return widget, widget.comm

    yield make
    for widget in made:
        widget.close()


def run(front: Front, kind: str = "run") -> None:
    front.press(kind)
    wait_until(lambda: not front.is_at("running", "stopping"), "the run does not end")


# Making one


def test_import_tisslang_loads_no_widgets() -> None:
    code = (
        "import sys, tisslang; dir(tisslang); from tisslang import *; tisslang.check('LOG 1');"
        "print(sorted({'ipywidgets', 'anywidget', 'traitlets', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert "TissWidget" in dir(tisslang)


def test_without_anywidget_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['anywidget'] = None; import tisslang; tisslang.TissWidget"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: TissWidget needs anywidget")
    assert 'pip install "quantatissu[notebooks]"' in last


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": "5"}, "timeout"),
        ({"sandbox_profile": "lax"}, "is no profile"),
        ({"agent": "nobody"}, "agent"),
        ({"secret": ["NOT_SET_ANYWHERE"]}, "NOT_SET_ANYWHERE"),
        ({"var": ["a"]}, "NAME=VALUE"),
        ({"dry_run": True}, "dry_run"),
        ({"ask": print}, "ask"),
        ({"speed": 3}, "speed"),
        ({"root": "missing"}, "missing"),
    ],
)
def test_wrong_options_are_said_at_once(options: dict[str, Any], said: str) -> None:
    with pytest.raises((ValueError, TypeError, OSError), match=said) as caught:
        TissWidget(**options)
    assert isinstance(caught.value, ValueError) == (said not in ("speed", "missing"))
    gc.collect()


def test_the_state_at_the_start(widgets: Any, tmp_path: Path) -> None:
    widget, front = widgets('LOG "a"\nLOG b', height=99, var={"c": "1"})
    state = front.state
    assert state["script"] == 'LOG "a"\nLOG b'
    assert (state["root_label"], state["height"]) == (tmp_path.name, 99)
    assert (state["status"], state["mode"], state["headline"]) == ("idle", "", "")
    assert state["problems_version"] == state["script_version"] == 0
    assert "T110" in {problem["code"] for problem in state["problems"]}
    assert (state["steps"], state["selected"], state["output"]) == ([], None, None)
    assert widget.report is None


def test_what_a_notebook_saves_of_the_page_is_small() -> None:
    assert len((page.script() + page.style()).encode()) <= MAX_PAGE
    module = page.script()
    assert module.count("\nexport ") == 1
    assert "\nexport default " in module
    assert not [line for line in module.splitlines() if line.startswith(("import ", "//", " "))]


def test_only_what_nobody_runs_is_left_out_of_the_page() -> None:
    text = "/** Doc\n * of it. */\nconst a = 1; // here\n\n  // gone\n  /* gone */\n"
    text += "  b(/* in */ `*`);\n"
    assert page._SAVED_IN_VAIN.sub("", text) == "const a = 1; // here\nb(/* in */ `*`);\n"


def test_no_place_of_this_machine_is_in_the_state(widgets: Any, tmp_path: Path) -> None:
    widget, front = widgets('RUN "pwd; cat /nothing"\nREAD "missing" AS x')
    run(front)
    for text in (str(front.updates), str(widget._repr_mimebundle_())):
        assert str(tmp_path) not in text
        assert os.path.expanduser("~/") not in text


# From Python


def test_it_runs_from_python(widgets: Any, tmp_path: Path) -> None:
    widget, front = widgets()
    report = widget.run()
    assert report["exit_code"] == 0
    assert widget.report is report
    assert front.state["status"] == widget.status == "passed"
    assert front.state["mode"] == "run"
    assert [step["state"] for step in front.state["steps"]] == ["passed", "passed"]
    assert front.state["changes"][0]["path"] == "name.txt"
    assert widget.run()["exit_code"] == 0
    assert front.state["changes"] == []  # the file is as it was before this run
    dry = widget.run(dry_run=True)
    assert dry["dry_run"]
    assert (front.state["mode"], len(front.state["plan"])) == ("dry_run", 5)
    assert widget.run(wait=False) is None
    assert widget.wait()["exit_code"] == 0


def test_the_script_may_be_set(widgets: Any) -> None:
    widget, front = widgets()
    widget.script = "LOG nothing"
    assert (front.state["script"], front.state["script_version"]) == ("LOG nothing", 1)
    wait_until(lambda: front.state["problems_version"] == 1, "it is not looked over")
    assert "T110" in {problem["code"] for problem in front.state["problems"]}
    assert widget.run()["exit_code"] == 3
    assert front.state["status"] == "not run"


def test_checking(widgets: Any) -> None:
    widget, front = widgets("LOG nothing\nLOG x")
    assert {problem["code"] for problem in widget.check()} >= {"T110"}
    assert (front.state["status"], front.state["mode"]) == ("not run", "check")
    assert front.state["headline"].startswith("2 errors")
    widget.script = '#TISS! Language=sh\nTASK "x"\nLOG 1'
    assert widget.check() == []
    assert (front.state["status"], front.state["headline"]) == ("passed", "No problems.")


def test_names_that_are_given_are_known(widgets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    widget, _front = widgets("LOG who\nLOG TOKEN\nLOG other", var={"who": "Ada"}, secret=["TOKEN"])
    lines = [p["line"] for p in widget.check() if p["code"] == "T110"]
    assert lines == [3]


def test_a_second_run_is_refused(widgets: Any) -> None:
    widget, front = widgets('PAUSE "Look"')
    widget.run(wait=False)
    for act in (widget.run, widget.check):
        with pytest.raises(RuntimeError, match="a run is on"):
            act()
    for kind in ("run", "dry_run", "check", "format"):
        before = len(front.notices)
        front.press(kind)
        assert len(front.notices) == before + 1
        assert "a run is on" in front.notices[-1]
    widget.answer("continue")
    assert widget.wait()["exit_code"] == 0


def test_answers_from_python(widgets: Any) -> None:
    widget, _front = widgets('PAUSE "Look"\nREQUEST_REVIEW "Right?"')
    with pytest.raises(ValueError, match="no question"):
        widget.answer("yes")
    widget.run(wait=False)
    widget.answer("continue")
    with pytest.raises(ValueError, match="does not answer"):
        widget.answer("perhaps")
    widget.answer("no")
    assert widget.wait()["exit_code"] == 7
    with pytest.raises(ValueError, match="no question"):
        widget.answer("yes")


def test_stopping_from_python(widgets: Any) -> None:
    widget, front = widgets('RUN "sleep 63.125"', sandbox_profile="standard")
    widget.stop()  # nothing to stop
    widget.run(wait=False)
    wait_until(lambda: sleepers("63.125"), "it has not begun")
    widget.stop()
    assert sleepers("63.125") == []
    assert widget.report["exit_code"] == 130
    assert front.state["status"] == "interrupted"


# From the page


def test_typing_is_looked_over_and_not_sent_back(widgets: Any) -> None:
    widget, front = widgets()
    front.updates.clear()
    for script in ("LOG", "LOG x", "LOG 1"):
        front.write(script)
    wait_until(lambda: front.state["problems_version"] == 3, "it is not looked over")
    assert widget.script == "LOG 1"
    assert "T110" not in {problem["code"] for problem in front.state["problems"]}
    assert not [state for state in front.updates if "script" in state]


def test_a_message_that_overtakes_the_state_carries_the_script(widgets: Any) -> None:
    widget, front = widgets()
    front.updates.clear()
    front.send_message("run", script='LOG "new"', version=4)
    wait_until(lambda: front.is_at("passed"), "it does not run")
    assert widget.report["log"] == ["new"]
    assert (widget.script, widget.script_version) == ('LOG "new"', 4)
    front.send_message("run", script='LOG "old"', version=3)  # the page had not heard yet
    wait_until(lambda: widget.report is not None, "it does not run")
    widget.wait()
    assert widget.report["log"] == ["new"]
    assert not [state for state in front.updates if "script" in state]


def test_each_message_has_a_sign(widgets: Any) -> None:
    widget, front = widgets()
    for kind in ("check", "check", "stop", "nonsense", "format", "dry_run"):
        widget.wait() if widget._session.is_on else None
        before = len(front.messages)
        front.press(kind)
        assert len(front.messages) > before
    widget.wait()


def test_the_buttons(widgets: Any) -> None:
    _widget, front = widgets()
    front.press("check")
    wait_until(lambda: front.is_at("passed"), "it is not checked")
    assert front.state["mode"] == "check"
    run(front, "dry_run")
    assert (front.state["mode"], front.state["status"]) == ("dry_run", "passed")
    run(front)
    assert (front.state["mode"], front.state["status"]) == ("run", "passed")


def test_a_run_is_stopped_and_answered_by_the_page(widgets: Any) -> None:
    _widget, front = widgets('REQUEST_REVIEW "Right?"\nRUN "sleep 63.25"')
    front.press("run")
    wait_until(lambda: front.state["question"], "it does not ask")
    asked = front.state["question"]
    front.send_message("answer", id=asked["id"] + 7, text="yes")
    assert "not open any more" in front.notices[-1]
    front.send_message("answer", id=asked["id"], text="maybe")
    assert "does not answer" in front.notices[-1]
    front.send_message("answer", id=asked["id"], text="yes")
    wait_until(lambda: sleepers("63.25"), "it does not go on")
    front.send_message("stop")
    wait_until(lambda: front.is_at("interrupted"), "it does not stop")
    assert sleepers("63.25") == []
    front.send_message("answer", id=asked["id"], text="yes")
    assert "not open any more" in front.notices[-1]


def test_completion(widgets: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    _widget, front = widgets("")
    script = 'READ "no'
    asked = {"script": script, "version": 1, "request": 5, "line": 1, "column": 9}
    front.send_message("complete", **asked)
    answers = lambda: [m for m in front.messages if m["type"] == "completions"]  # noqa: E731
    wait_until(answers, "there is no answer")
    [answer] = answers()
    assert answer["request"] == 5
    item = next(item for item in answer["items"] if item["label"] == "notes.txt")
    names = {"label", "kind", "detail", "insert", "start_column", "end_column"}
    assert item.keys() == names


def test_formatting(widgets: Any) -> None:
    _widget, front = widgets('STEP "a"   { LOG   1 }')
    front.press("format")
    wait_until(lambda: front.state["script_version"] == 1, "it is not laid out")
    assert front.state["script"] == 'STEP "a" {\n    LOG 1\n}\n'
    front.version = 1
    front.press("format")
    wait_until(lambda: front.notices, "nothing is said")
    assert front.notices == ["it is in the one style already"]
    front.write('LOG "')
    front.press("format")
    wait_until(lambda: len(front.notices) == 2, "nothing is said")
    assert "cannot be formatted: line 1: " in front.notices[1]


def test_selecting_a_step(widgets: Any) -> None:
    widget, front = widgets()
    widget.run()
    front.receive({"method": "update", "state": {"selected": 1}})
    assert front.state["output"]["entries"][0]["summary"] == 'WRITE "name.txt"'
    front.receive({"method": "update", "state": {"selected": None}})
    assert front.state["output"] == {"id": None, "entries": [], "left_out": 0}
    front.receive({"method": "update", "state": {"selected": 99}})
    assert front.state["output"]["entries"] == []


def test_no_secret_leaves_python(widgets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    script = 'LOG TOKEN\nRUN "echo {{TOKEN}} > file"\nASSERT TOKEN == "x"'
    widget, front = widgets(script, secret=["TOKEN"])
    run(front, "dry_run")
    run(front)
    front.write(script + "\nASSERT hunter2")
    wait_until(lambda: front.state["problems_version"] == 1, "it is not looked over")
    front.press("check")
    wait_until(lambda: front.is_at("not run"), "it is not checked")
    front.write("")
    wait_until(lambda: front.state["problems_version"] == 2, "it is not looked over")
    front.send_message("answer", id=1, text="hunter2")
    assert "hunter2" not in str(front.updates) + str(front.messages)
    widget.script = script + '\nLOG "hunter2"'
    assert "hunter2" not in str(widget._repr_mimebundle_())


def test_messages_that_make_no_sense(widgets: Any) -> None:
    widget, front = widgets()
    contents: list[Any] = [{}, None, [], "x", {"type": None}, {"type": []}, {"type": {}}]
    contents += [{"type": "answer", "id": number} for number in (None, [], [1], {}, "1", 1.5, True)]
    contents += [{"type": "complete", "line": line, "column": 1} for line in (None, "a", [], 1e300)]
    contents += [{"type": "check", "script": 5, "version": "x"}]
    for content in contents:
        before = len(front.messages)
        front.receive({"method": "custom", "content": content})
        assert len(front.messages) > before
    wait_until(lambda: not widget._work._is_on, "the check does not end")
    assert widget.script == PLAN
    for selected in ([1], {}, "x", 1.5):
        with contextlib.suppress(TraitError):
            front.receive({"method": "update", "state": {"selected": selected}})
    assert widget.run()["exit_code"] == 0
    assert front.state["steps"][-1]["state"] == "passed"


def test_of_many_changes_only_the_last_is_looked_over(
    widgets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget, front = widgets()
    done = threading.Event()
    widget._work.add(lambda: done.wait(20) and None)
    looked_at: list[str] = []
    known = widget._problems_of
    monkeypatch.setattr(
        widget, "_problems_of", lambda script: looked_at.append(script) or known(script)
    )
    for number in range(5):
        front.write(f"LOG {number}")
    done.set()
    wait_until(lambda: front.state["problems_version"] == 5, "it is not looked over")
    assert looked_at == ["LOG 4"]


def test_no_secret_is_completed(
    widgets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    (tmp_path / "hunter2.txt").touch()
    _widget, front = widgets("", secret=["TOKEN"])
    asked = {"script": 'READ "h', "version": 1, "request": 5, "line": 1, "column": 8}
    front.send_message("complete", **asked)

    def answers() -> list[Any]:  # beside them comes a sign that the message was taken
        return [message for message in front.messages if message["type"] == "completions"]

    wait_until(lambda: bool(answers()), "there is no answer")
    assert [answer["items"] for answer in answers()] == [[]]


def test_a_check_that_a_run_overtakes_tells_nothing(widgets: Any) -> None:
    widget, front = widgets('PAUSE "Look"')
    done = threading.Event()
    widget._work.add(lambda: done.wait(20) and None)
    front.press("check")
    front.press("run")
    done.set()
    wait_until(lambda: not widget._work._is_on, "the check does not end")
    assert front.state["mode"] == "run"
    widget.stop()


def test_a_job_that_fails_does_not_end_the_others(
    widgets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    widget, front = widgets()
    widget._work.add(lambda: 1 / 0)
    front.press("check")
    wait_until(lambda: front.is_at("passed"), "it is not checked")
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_closed_widget_is_a_picture(widgets: Any, capsys: pytest.CaptureFixture[str]) -> None:
    widget, _ = widgets()
    widget.run()
    assert len(widget._repr_mimebundle_()[0]) == 3
    widget.close()
    capsys.readouterr()
    widget._ipython_display_()  # which prints it here, without IPython
    shown = capsys.readouterr().out
    assert "✓ passed: Greet (2 of 2 steps)" in shown
    assert "widget-view" not in shown


def test_problems_are_bounded(widgets: Any) -> None:
    widget, front = widgets("LOG x\n" * 3000)
    assert 100 < len(front.state["problems"]) <= 500
    widget.check()
    assert front.state["headline"].startswith("3,000 errors")


# Several at once, and the end


def test_two_widgets_at_once(widgets: Any, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        script = f'STEP "{name}" {{ PAUSE "Look"\n RUN "echo {name} > file" }}'
        made.append(widgets(script, root=tmp_path / name))
    for _, front in made:
        front.press("run")
    for widget, _ in made:
        widget.answer("continue")
    for name, (widget, front) in zip(("one", "two"), made):
        assert widget.wait()["exit_code"] == 0
        assert front.state["steps"][0]["title"] == name
        assert (tmp_path / name / "file").read_text() == f"{name}\n"


def test_many_threads_at_once(widgets: Any) -> None:
    widget, front = widgets('STEP "a" { LOG 1 }')
    failed: list[BaseException] = []

    def act(number: int) -> None:
        try:
            for turn in range(20):
                version = 1000 * number + turn
                state = {"script": f"LOG {version}", "script_version": version, "selected": turn}
                front.receive({"method": "update", "state": state})
                front.send_message("run")
                widget.height = 100 + turn
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    widget.wait()
    assert failed == []
    assert not widget._session.is_on


@pytest.mark.parametrize(("way", "seconds"), [("close", "63.5"), ("page", "63.75"), ("lost", "64")])
def test_nothing_of_a_run_is_left_behind_a_widget(tmp_path: Path, way: str, seconds: str) -> None:
    widget = TissWidget(f'RUN "sleep {seconds}"', tmp_path)
    widget.run(wait=False)
    wait_until(lambda: sleepers(seconds), "it has not begun")
    if way == "close":
        widget.close()
        assert sleepers(seconds) == []
        widget.close()
        return
    if way == "page":
        widget.comm.handle_close({})
        wait_until(lambda: not sleepers(seconds), "it goes on")
        widget.close()
        return
    import ipywidgets.widgets.widget as registry

    registry._instances.clear()  # which holds every widget, as does who brings its messages
    widget.comm.on_msg(None)
    reference = weakref.ref(widget)
    del widget
    gc.collect()
    wait_until(lambda: reference() is None, "something holds it")
    wait_until(lambda: not sleepers(seconds), "it goes on")


@pytest.mark.parametrize("way", ["RUN '{}'", "PARALLEL {{ STEP 'a' {{ RUN '{}' }} }}"])
def test_nothing_of_a_run_is_left_behind_python(tmp_path: Path, way: str) -> None:
    seconds = "64.5" if way[0] == "R" else "64.75"
    code = f"""
import time, pathlib, tisslang
widget = tisslang.TissWidget({way.format(f"touch on; sleep {seconds}")!r}, root=".")
widget.run(wait=False)
while not pathlib.Path("on").exists():
    time.sleep(0.01)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, timeout=50, check=False)
    assert done.returncode == 0
    assert sleepers(seconds) == []
