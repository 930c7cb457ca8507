"""The widget in a real kernel: messages as JupyterLab sends them, and notebooks that are run."""

import json
import queue
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager
from processes import sleepers, wait_until

SECONDS = 60
FOLDER = Path(__file__).parents[3]
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


class Lab:
    """A kernel, and a page that shows its widgets: what JupyterLab does, in a few lines."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client: BlockingKernelClient = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(SECONDS)
        self.widget = ""  # the number of the latest
        self.state: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []
        self.displays: list[dict[str, Any]] = []  # as they are now
        self._display_ids: list[str | None] = []
        self.streams: list[str] = []
        self.replies: dict[str, Any] = {}
        self._idle: set[str] = set()  # behind these messages nothing of theirs comes any more

    def execute(self, code: str) -> str:
        return self.client.execute(code, store_history=False)

    def run_cell(self, code: str) -> dict[str, Any]:
        number = self.execute(code)
        return self.wait_for(number, f"no reply to {code!r}")

    def wait_for(self, number: str, what: str) -> dict[str, Any]:
        """Wait for the reply to a message, and for all that was shown until then."""
        self.wait_until(lambda: number in self.replies and number in self._idle, what)
        return dict(self.replies[number])

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, f"{what}: {self.state.get('headline')} {self.streams}"
            self.look(0.05)

    def look(self, seconds: float) -> None:
        """Take what the kernel has sent, until it is silent for this long."""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=seconds)
            except queue.Empty:
                break
            if message["content"].get("execution_state") == "idle":
                self._idle.add(message["parent_header"]["msg_id"])
            self._take(message["msg_type"], message["content"])
        while True:
            try:
                reply = self.client.get_shell_msg(timeout=0)
            except queue.Empty:
                break
            self.replies[reply["parent_header"]["msg_id"]] = reply["content"]

    def _take(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "comm_open" and "script" in content["data"]["state"]:
            self.widget, self.state = content["comm_id"], content["data"]["state"]
        elif kind == "comm_msg" and content["comm_id"] == self.widget:
            if content["data"]["method"] == "custom":
                self.messages.append(content["data"]["content"])
            else:
                self.state |= content["data"]["state"]
        elif kind in ("display_data", "execute_result"):
            self.displays.append(content["data"])
            self._display_ids.append(content.get("transient", {}).get("display_id"))
        elif kind == "update_display_data":
            for place, number in enumerate(self._display_ids):
                if number == content["transient"]["display_id"]:
                    self.displays[place] = content["data"]
        elif kind == "stream":
            self.streams.append(content["text"])
        elif kind == "error":
            self.streams += content["traceback"]

    def send(self, data: dict[str, Any], subshell: str | None = None) -> None:
        content = {"comm_id": self.widget, "data": data}
        message = self.client.session.msg("comm_msg", content)
        message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)

    def press(self, kind: str, subshell: str | None = None, **content: Any) -> None:
        self.send({"method": "custom", "content": {"type": kind, **content}}, subshell)

    def new_subshell(self) -> str:
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=SECONDS)
        return str(reply["content"]["subshell_id"])


@contextmanager
def new_kernel(folder: Path) -> Iterator[KernelManager]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    try:
        yield manager
    finally:
        if manager.is_alive():
            manager.shutdown_kernel(now=True)


@contextmanager
def new_page(manager: KernelManager) -> Iterator[Lab]:
    page = Lab(manager)
    try:
        yield page
    finally:
        page.client.stop_channels()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelManager]:
    with new_kernel(tmp_path_factory.mktemp("kernel")) as manager:
        yield manager


@pytest.fixture
def lab(kernel: KernelManager) -> Iterator[Lab]:
    with new_page(kernel) as page:
        yield page


def show(lab: Lab, script: str, **options: Any) -> None:
    arguments = "".join(f", {name}={value!r}" for name, value in options.items())
    reply = lab.run_cell(f"import tisslang\nw = tisslang.TissWidget({script!r}{arguments})\nw")
    assert reply["status"] == "ok", lab.streams


def is_over(lab: Lab) -> bool:
    return lab.state["status"] not in ("idle", "running", "stopping")


def test_the_kernel_stays_usable_while_a_plan_runs(lab: Lab) -> None:
    show(lab, 'STEP "a" { RUN "sleep 65.125" }')
    view, picture = lab.displays
    assert view[VIEW]["model_id"] == lab.widget
    assert "Not run yet." in picture["text/html"]
    lab.press("run")
    lab.wait_until(lambda: sleepers("65.125"), "it does not run")
    reply = lab.run_cell("print(6 * 7, w.status)")
    assert reply["status"] == "ok"
    assert "42 running\n" in "".join(lab.streams)
    lab.press("stop")
    lab.wait_until(lambda: is_over(lab), "it does not stop")
    assert sleepers("65.125") == []
    assert lab.state["status"] == "interrupted"
    lab.wait_until(lambda: "interrupted" in lab.displays[1]["text/plain"], "the picture is old")
    assert len(lab.displays) == 2
    assert lab.displays[0] is view  # JupyterLab draws anew what is updated


def test_a_cell_that_waits_is_answered_over_a_subshell(lab: Lab) -> None:
    show(lab, 'REQUEST_REVIEW "Right?"\nLOG "done"')
    subshell = lab.new_subshell()
    number = lab.execute("w.run()['log']")
    lab.wait_until(lambda: lab.state["question"], "it does not ask")
    lab.press("answer", subshell, id=lab.state["question"]["id"] + 1, text="yes")
    lab.wait_until(lambda: lab.messages, "a late answer is not told")
    assert number not in lab.replies
    lab.press("answer", subshell, id=lab.state["question"]["id"], text="yes")
    lab.wait_for(number, "it does not go on")
    assert lab.state["status"] == "passed"
    assert lab.displays[-1]["text/plain"] == "['done']"


def test_messages_of_two_shells_at_once(lab: Lab) -> None:
    show(lab, "LOG 1")
    subshell = lab.new_subshell()
    for number in range(1, 40):
        state = {"script": f"LOG {number}", "script_version": number}
        lab.send({"method": "update", "state": state}, subshell if number % 2 else None)
        lab.press("run", None if number % 2 else subshell)
    lab.wait_until(lambda: len(lab.messages) == 39, "a message is not answered")
    lab.wait_until(lambda: is_over(lab), "it does not run")
    assert lab.run_cell("w.script = 'LOG 99'; w.run()['log']")["status"] == "ok"
    assert lab.displays[-1]["text/plain"] == "['99']"
    assert "Traceback" not in "".join(lab.streams)


def test_interrupting_a_cell_that_waits_stops_the_run(lab: Lab) -> None:
    show(lab, 'STEP "a" { RUN "sleep 65.25" }')
    number = lab.execute("w.run()")
    lab.wait_until(lambda: sleepers("65.25"), "it does not run")
    lab.manager.interrupt_kernel()
    lab.wait_for(number, "the cell does not end")
    assert sleepers("65.25") == []
    assert lab.replies[number]["ename"] == "PlanInterrupted"
    assert lab.state["status"] == "interrupted"
    assert "Traceback" not in "".join(lab.streams)
    assert lab.run_cell("w.report['exit_code']")["status"] == "ok"
    assert lab.displays[-1]["text/plain"] == "130"


@pytest.mark.parametrize(
    ("seconds", "way"),
    [("65.5", "RUN 'sleep 65.5'"), ("65.75", "PARALLEL { STEP 'a' { RUN 'sleep 65.75' } }")],
)
@pytest.mark.parametrize("now", [True, False])
def test_nothing_is_left_behind_the_kernel(
    tmp_path: Path, seconds: str, way: str, now: bool
) -> None:
    with new_kernel(tmp_path) as kernel, new_page(kernel) as lab:
        show(lab, way)
        lab.press("run")
        lab.wait_until(lambda: sleepers(seconds), "it does not run")
        kernel.shutdown_kernel(now=now)
        wait_until(lambda: not sleepers(seconds), "it goes on")


def test_script_faults_are_no_tracebacks(lab: Lab) -> None:
    for script in ("RUN 'a", "LOG nothing", "ASSERT 1 == 2", "READ 'x' AS y", "\0", "}"):
        show(lab, script)
        assert (
            lab.run_cell("w.run()['exit_code'], w.check(), w.run(dry_run=True)['exit_code']")[
                "status"
            ]
            == "ok"
        )
        assert lab.state["status"] not in ("running", "passed") or script[0] in "AR"
    assert "Traceback" not in "".join(lab.streams)


# Notebooks

CELLS = [
    "import tisslang",
    """plan = \"\"\"TASK "Greet <b>"
STEP "Write" {
    WRITE "name.txt" <<W
Ada
W
}
STEP "Check" {
    RUN "cat name.txt; pwd"
    ASSERT LAST_RUN.STDOUT CONTAINS "Ada"
}
\"\"\"
w = tisslang.TissWidget(plan, sandbox_profile="none")
w.run()["status"]""",
    "w",
    'v = tisslang.TissWidget(plan.replace("Ada", "Bob"), answer=["yes"])\nv.check()\nv',
    "w.run(dry_run=True)['status']",
]


def notebook() -> Any:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    return book


def executed(folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    book = notebook()
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        book, timeout=SECONDS, resources=resources, store_widget_state=True
    )
    client.execute()
    return book


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return executed(tmp_path_factory.mktemp("book") / "lesson")


def stored(book: Any) -> str:
    """The outputs as they are stored, without numbers of widgets and times."""
    outputs = [cell.outputs for cell in book.cells]
    text = json.dumps(outputs, ensure_ascii=False)
    text = re.sub(r'"model_id": "\w+"', '"model_id": ""', text)
    return re.sub(r"· [0-9.:]+ (s|min|h)\b", "· TIME", text)


def test_a_notebook_holds_the_last_state(book: Any, tmp_path: Path) -> None:
    view, output = book.cells[2].outputs
    assert set(view.data) == {"text/plain", VIEW}
    assert set(output.data) == {"text/plain", "text/html"}
    assert "a dry run, nothing was done" in output.data["text/plain"]  # it was updated
    assert "writes: name.txt" in output.data["text/html"]
    _, checked = book.cells[3].outputs
    assert "T208" not in checked.data["text/plain"]
    states = book.metadata.widgets[STATE]["state"]
    number = view.data[VIEW]["model_id"]
    state = states[number]["state"]
    assert (state["mode"], state["status"]) == ("dry_run", "passed")
    assert state["plan"]
    assert state["root_label"] == "lesson"
    text = nbformat.writes(book)
    assert str(tmp_path.parent) not in text
    # What the widget adds to a notebook besides its program and style, which have their own limit.
    rest = {name: value for name, value in state.items() if name not in ("_esm", "_css")}
    assert len(json.dumps(rest)) < 6000
    assert len(json.dumps(output.data)) < 6000


def test_stored_outputs_are_the_same_every_time_and_everywhere(book: Any, tmp_path: Path) -> None:
    assert stored(executed(tmp_path / "lesson")) == stored(book)


# nbval does not see that a later cell updates a display, so it has nothing to compare it with.
SANITIZE = """
[the picture of a widget, which a later cell may update]
regex: (?s)<div class="tiss-picture".*</div>
replace: PICTURE

[the same as text]
regex: (?s)\\ATissWidget\\n.*
replace: PICTURE
"""


def test_nbval_finds_a_notebook_as_it_was_stored(book: Any, tmp_path: Path) -> None:
    tmp_path = tmp_path / "lesson"
    tmp_path.mkdir()
    nbformat.write(book, tmp_path / "lesson.ipynb")
    rules = (FOLDER / "notebooks" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
    rules += "" if "tiss-picture" in rules else SANITIZE
    (tmp_path / "rules.cfg").write_text(rules, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "--nbval-cell-timeout", str(SECONDS)]
    command += ["--nbval-sanitize-with", "rules.cfg", "lesson.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
