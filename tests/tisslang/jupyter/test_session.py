"""One run in the background: what the page is told of it, questions, and stopping it."""

import copy
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from processes import sleepers, wait_until

from tisslang.jupyter.outputs import MAX_ENTRIES, MAX_OUTPUT
from tisslang.jupyter.session import Session

State = dict[str, Any]


class Page:
    """What a page has been told; `seen` holds each message."""

    def __init__(self) -> None:
        self.state: State = {}
        self.seen: list[State] = []
        self.times: list[float] = []

    def __call__(self, news: State) -> None:
        assert news
        self.times.append(time.monotonic())
        self.seen.append(copy.deepcopy(news))
        self.state = {**self.state, **news}

    def steps(self) -> dict[str, str]:
        return {row["title"]: row["state"] for row in self.state["steps"]}

    def entries(self) -> list[dict[str, Any]]:
        return list(self.state["output"]["entries"])


def start(script: str, root: Path, **options: Any) -> tuple[Session, Page]:
    page = Page()
    options.setdefault("sandbox_profile", "none")
    session = Session(script, root, page, **options)
    session.start()
    return session, page


def run(script: str, root: Path, **options: Any) -> tuple[Session, Page]:
    session, page = start(script, root, **options)
    assert session.wait(60)
    return session, page


def question_of(session: Session) -> dict[str, Any]:
    wait_until(session.question, "there is no question")
    question = session.question()
    assert question is not None
    return question


PLAN = """\
TASK "Greet"
STEP "Write" {
    WRITE "name.txt" <<W
Ada
W
}
STEP "Check" {
    RUN "cat name.txt; echo oops >&2; exit 3"
    LOG "read"
    ASSERT LAST_RUN.STDOUT|trim == "Ada"
}
STEP "Later" { }
"""


def test_a_plan_that_passes(tmp_path: Path) -> None:
    session, page = run(PLAN, tmp_path)
    assert session.report is not None
    assert session.report["exit_code"] == 0
    assert page.seen[0]["status"] == "running"
    state = page.state
    assert (state["status"], state["error"], state["question"]) == ("passed", None, None)
    assert state["headline"] == "Passed: 3 of 3 steps. There was no sandbox."
    assert page.steps() == {"Write": "passed", "Check": "passed", "Later": "passed"}
    assert [change["path"] for change in state["changes"]] == ["name.txt"]
    assert "+Ada\n" in state["changes"][0]["diff"]
    shown = session.select(2)
    assert shown["id"] == 2
    assert [entry["type"] for entry in shown["entries"]] == ["command", "log", "assert"]
    command, log, asserted = shown["entries"]
    assert command.pop("seconds") >= 0
    assert command == {
        "type": "command",
        "line": 8,
        "word": "RUN",
        "summary": "RUN cat name.txt; echo oops >&2; exit 3",
        "status": "ok",
        "exit_code": 3,
        "stdout": "Ada\n",
        "stderr": "oops\n",
        "clipped": False,
        "bytes": 9,
    }
    assert log == {"type": "log", "line": 9, "message": "read"}
    assert asserted == {
        "type": "assert",
        "line": 10,
        "source": 'LAST_RUN.STDOUT|trim == "Ada"',
        "passed": True,
        "left": "LAST_RUN.STDOUT|trim is Ada",
        "right": '"Ada"',
    }
    assert not session.is_on


def test_the_first_thing_told_has_all_steps_waiting(tmp_path: Path) -> None:
    _, page = run(PLAN, tmp_path)
    steps = next(news["steps"] for news in page.seen if news.get("steps"))
    assert [(row["title"], row["state"]) for row in steps][-1] == ("Later", "waiting")
    assert [row["title"] for row in steps] == ["Write", "Check", "Later"]


def test_a_failure_selects_its_step_and_is_explained(tmp_path: Path) -> None:
    _, page = run(PLAN.replace('== "Ada"', '== "Bob"'), tmp_path)
    state = page.state
    assert state["status"] == "failed"
    assert page.steps() == {"Write": "passed", "Check": "failed", "Later": "skipped"}
    assert (state["selected"], state["output"]["id"]) == (2, 2)
    error = state["error"]
    assert (error["code"], error["line"], error["column"]) == ("E101", 10, 5)
    assert "--> <widget>:10:5" in error["explanation"]
    assert "  │ Ada" in error["explanation"]
    assert state["headline"].startswith("Failed in “Check”, line 10: expected ")


def test_a_plan_with_errors_is_not_run(tmp_path: Path) -> None:
    _, page = run('LOG x\nSTEP "a" { LOG y }', tmp_path)
    assert page.state["status"] == "not run"
    assert page.state["headline"] == "Not run: 2 errors."
    assert page.state["error"]["code"] == "T110"
    assert page.state["error"]["explanation"].count("error[T110]") == 2
    _, page = run('RUN "echo', tmp_path)
    assert page.state["headline"] == "Not run: 1 error."
    assert page.state["steps"] == []


def test_a_dry_run_has_a_plan_and_does_nothing(tmp_path: Path) -> None:
    session, page = run(PLAN + 'IF FILE "x" EXISTS { RUN "curl x" }', tmp_path, dry_run=True)
    state = page.state
    assert (state["status"], list(tmp_path.iterdir())) == ("passed", [])
    assert state["headline"] == "Dry run: this would happen; nothing was done."
    rows = [(row["depth"], row["line"], row["type"], row["status"]) for row in state["plan"]]
    assert rows[:3] == [(0, None, "", ""), (1, 3, "WRITE", "would_run"), (0, None, "", "")]
    assert next(row for row in state["plan"] if row["approval"])["summary"] == "RUN curl x"
    assert state["plan"][0]["summary"] == "Write"
    assert "writes: name.txt" in state["plan_text"]
    assert set(page.steps().values()) == {"waiting"}
    assert session.report is not None
    assert session.report["dry_run"]


def test_a_refusal_and_a_fault_of_the_options(tmp_path: Path) -> None:
    _, page = run('RUN "rm -rf /"', tmp_path)
    assert page.state["status"] == "error"
    assert page.state["headline"].startswith("Refused, line 1: ")
    session, page = run('STEP "a" { }', tmp_path, step=["b"])
    assert page.state["status"] == "error"
    assert page.state["headline"].startswith("Not run: there is no top-level step 'b'")
    assert session.report is None
    with pytest.raises(ValueError, match="timeout"):
        Session("", tmp_path, Page(), timeout="5")


QUESTIONS = [
    ('PAUSE "Look"', "pause", "continue", "passed", "nonsense"),
    ('PAUSE "Look"', "pause", "no", "error", "nonsense"),
    ('REQUEST_REVIEW "Right?"', "review", "yes", "passed", ""),
    ('REQUEST_REVIEW "Right?"', "review", "no", "error", "perhaps"),
    ('RUN "curl --version || true"', "approve", "yes", "passed", "perhaps"),
    ('RUN "curl --version || true"', "approve", "no", "error", "perhaps"),
    ('CHOOSE { OPTION "tea" { LOG 1 }\n OPTION "a\tb" { LOG 2 } }', "choose", "a b", "passed", "x"),
]


@pytest.mark.parametrize(("command", "kind", "answer", "status", "wrong"), QUESTIONS)
def test_questions_are_answered(
    tmp_path: Path, command: str, kind: str, answer: str, status: str, wrong: str
) -> None:
    session, page = start(f'STEP "a" {{\n{command}\n}}', tmp_path)
    question = question_of(session)
    assert (question["kind"], question["step"], question["line"]) == (kind, 1, 2)
    wait_until(lambda: page.state.get("question") == question, "the page is not told")
    assert page.state["headline"] == "Waiting for your answer."
    with pytest.raises(ValueError, match="no such question"):
        session.answer(question["id"] + 1, answer)
    with pytest.raises(ValueError, match="does not answer"):
        session.answer(question["id"], wrong)
    if kind == "choose":
        answer = question["options"][1]
    session.answer(question["id"], answer)
    with pytest.raises(ValueError, match=r"answered|open"):
        session.answer(question["id"], answer)
    assert session.wait(20)
    assert (page.state["status"], page.state["question"]) == (status, None)
    if kind == "choose":
        assert page.entries()[0]["by"] == "person"
    elif kind != "approve":
        assert page.entries()[0]["type"] == "question"


def test_a_question_ends_with_the_time(tmp_path: Path) -> None:
    session, page = start('PAUSE "Look"', tmp_path, budget={"EXECUTION_TIME": 0.2})
    assert session.wait(20)
    assert (page.state["status"], page.state["question"]) == ("error", None)
    with pytest.raises(ValueError, match="no such question"):
        session.answer(1, "continue")


WAYS = {
    "a command": ("RUN 'sleep {} & sleep {}'", 2),
    "a question": ("PAUSE 'Look'", 0),
    "steps side by side": (
        "PARALLEL {{ STEP 'x' {{ RUN 'sleep {}' }}\n STEP 'y' {{ RUN 'sleep {}' }} }}",
        2,
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("profile", ["none", "standard"])
@pytest.mark.parametrize("wait", [True, False])
def test_stopping_leaves_no_process(tmp_path: Path, way: str, profile: str, wait: bool) -> None:
    command, count = WAYS[way]
    seconds = f"61.{abs(hash((way, profile, wait))) % 10**6:06}"
    script = f"STEP 'a' {{ {command.format(seconds, seconds)} }}\nSTEP 'b' {{ }}"
    session, page = start(script, tmp_path, sandbox_profile=profile)
    if count:
        wait_until(lambda: len(sleepers(seconds)) == count, "the commands have not begun")
    else:
        question_of(session)
    session.stop(wait=wait)
    assert session.wait(0 if wait else 20)
    assert sleepers(seconds) == []
    assert page.state["status"] == "interrupted"
    assert page.state["headline"].startswith("Interrupted: nothing of it is running any more.")
    assert page.steps()["b"] == "skipped"
    assert session.report is not None
    assert session.report["exit_code"] == 130
    session.stop()  # once more does nothing


def test_a_run_that_has_hardly_begun_is_stopped(tmp_path: Path) -> None:
    for number in range(20):
        session, page = start(f'LOG {number}\nRUN "sleep 62.5"', tmp_path)
        session.stop()
        assert page.state["status"] == "interrupted"
    assert sleepers("62.5") == []


def test_a_listener_may_stop_its_own_run(tmp_path: Path) -> None:
    sessions: list[Session] = []

    def on_event(event: dict[str, Any]) -> None:
        if event["event"] == "log":
            sessions[0].stop()

    session = Session('LOG 1\nRUN "sleep 60"', tmp_path, Page(), on_event=on_event)
    sessions.append(session)
    session.start()
    assert session.wait(20)
    assert session.report is not None
    assert session.report["exit_code"] == 130


def test_stopping_is_told(tmp_path: Path) -> None:
    session, page = start("RUN \"trap '' TERM; sleep 62.25\"", tmp_path)
    wait_until(lambda: sleepers("62.25"), "the command has not begun")
    session.stop()
    statuses = [news["status"] for news in page.seen if "status" in news]
    assert statuses in (["running", "stopping", "interrupted"], ["running", "interrupted"])


def test_two_runs_at_once(tmp_path: Path) -> None:
    sessions = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        script = f'STEP "{name}" {{ PAUSE "Look"\n RUN "echo {name} > file" }}'
        sessions.append(start(script, tmp_path / name))
    for session, _ in sessions:
        session.answer(question_of(session)["id"], "continue")
    for name, (session, page) in zip(("one", "two"), sessions):
        assert session.wait(20)
        assert page.steps() == {name: "passed"}
        assert next(change["diff"] for change in page.state["changes"]).endswith(f"+{name}\n")


def test_a_long_plan_does_not_flood_the_page(tmp_path: Path) -> None:
    script = "".join(f'STEP "{n}" {{ LOG {n} }}\n' for n in range(2000))
    began = time.monotonic()
    session, page = run(script, tmp_path)
    assert session.report is not None
    assert session.report["steps_completed"] == 2000
    # Between two messages lies a tenth of a second at least; the last one is not held back.
    gaps = [later - earlier for earlier, later in zip(page.times, page.times[1:-1])]
    assert all(gap > 0.09 for gap in gaps)
    assert len(page.seen) <= (time.monotonic() - began) / 0.1 + 2
    assert len(page.state["steps"]) == 2000
    assert {row["state"] for row in page.state["steps"]} == {"passed"}


def test_a_plan_with_more_steps_than_are_shown(tmp_path: Path) -> None:
    _, page = run("".join(f'STEP "{n}" {{ LOG {n} }}\n' for n in range(2100)), tmp_path)
    assert len(page.state["steps"]) == 2000
    assert page.state["headline"] == (
        "Passed: 2,100 of 2,100 steps. Of its steps the first 2,000 are shown."
    )


def test_a_page_that_fails_does_not_hold_the_run(tmp_path: Path) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    session = Session("LOG 1", tmp_path, Page(), fail)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        session.start()
        assert session.wait(20)
    assert session.report is not None


def test_only_what_changed_is_told(tmp_path: Path) -> None:
    session, page = start('STEP "a" { PAUSE "x" }', tmp_path)
    wait_until(lambda: page.state.get("question"), "the question is not told")
    told = len(page.seen)
    for _ in range(10):
        session._news.set()
        wait_until(lambda: not session._news.is_set(), "nobody looks")
    assert len(page.seen) == told
    session.stop()


def test_the_selection_follows_until_the_page_selects(tmp_path: Path) -> None:
    script = 'LOG 0\nSTEP "a" { PAUSE "1" }\nSTEP "b" { PAUSE "2" }\nSTEP "c" { PAUSE "3" }'
    session, page = start(script, tmp_path)
    for number in (1, 2):
        question = question_of(session)
        wait_until(lambda n=number: page.state.get("selected") == n, "it does not follow")
        session.answer(question["id"], "continue")
        wait_until(lambda q=question: session.question() != q, "it does not go on")
    assert session.select(1)["entries"][0]["message"] == "1"
    session.answer(question_of(session)["id"], "no")
    session.wait(20)
    assert page.state["selected"] == 1
    assert page.state["status"] == "error"
    assert [entry["message"] for entry in session.select(None)["entries"]] == ["0"]


def test_outputs_are_bounded(tmp_path: Path) -> None:
    logs = "".join(f"LOG {n}\n" for n in range(300))
    script = f"""\
STEP "many" {{ {logs} }}
STEP "long" {{
    RUN "seq 1000; seq 1500 >&2"
    RUN "seq 100000"
}}"""
    session, _page = run(script, tmp_path)
    many = session.select(1)
    assert (len(many["entries"]), many["left_out"]) == (MAX_ENTRIES, 100)
    assert many["entries"][-1]["message"] == "299"
    whole, cut = session.select(2)["entries"]
    assert whole["stdout"] == "".join(f"{n}\n" for n in range(1, 1001))
    assert whole["clipped"]
    assert whole["stderr"].startswith("1\n2\n")
    assert "\n…\n" in whole["stderr"]
    assert whole["stderr"].endswith("\n1499\n1500\n")
    assert cut["clipped"]
    assert cut["bytes"] == 588895
    for entry in (whole, cut):
        assert max(len(entry["stdout"]), len(entry["stderr"])) <= MAX_OUTPUT


def every_text(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return [text for item in value for text in every_text(item)]
    return [value] if isinstance(value, str) else []


def test_no_secret_and_no_place_reaches_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "hunter2 it's")
    script = """\
TASK "With hunter2 it's"
STEP "hunter2 it's" {
    LOG TOKEN
    RUN "pwd; cat; echo {{TOKEN}}; echo {{TOKEN}} > 'a {{TOKEN}}'; python3 -c 'print(x)'"
    WRITE "b" <<W
{{TOKEN}}
W
    PAUSE "hunter2 it's"
    ASSERT TOKEN == "hunter2 it's x"
}
"""
    root = tmp_path / "place"
    root.mkdir()
    for dry_run in (True, False):
        session, page = start(script, root, secret=["TOKEN"], dry_run=dry_run)
        if not dry_run:
            session.answer(question_of(session)["id"], "continue")
        assert session.wait(20)
        result = session.result()
        assert result is not None
        texts = [*every_text(page.seen), repr(result), result._repr_html_()]
        assert len(texts) > 20
        for text in texts:
            assert "hunter2" not in text
            assert str(tmp_path) not in text
    assert "…/place\n" in session.select(1)["entries"][1]["stdout"]
    assert len(page.state["changes"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "/a/place",
        "(/a/place/b)",
        "file:///a/place\n",
        "/a/place: x",
        "in /a/place.",
        "cc -I/a/place/b",
    ],
)
def test_the_place_of_the_root_is_hidden(text: str, tmp_path: Path) -> None:
    from tisslang.jupyter.session import place_hider

    hide = place_hider("/a/place")
    assert hide(text) == text.replace("/a/place", "…/place")
    assert hide("/a/placeed /b/a/place2 x/a/place") == "/a/placeed /b/a/place2 x/a/place"
    assert place_hider("/")("/a") == "/a"


def test_the_threads_of_a_run_end_with_it(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    run(PLAN, tmp_path)
    wait_until(lambda: set(threading.enumerate()) <= before, "a thread is left")


def test_the_end_is_told_once(tmp_path: Path) -> None:
    told: list[Any] = []
    session = Session(PLAN, tmp_path, told.append, lambda: told.append("end"))
    session.start()
    assert session.wait(20)
    assert told.count("end") == 1
    assert told[-1] == "end"


@pytest.mark.parametrize(("first", "second"), [("a\\tb", "a b"), ("go", "go "), ("2", "1")])
def test_options_that_look_alike_are_told_apart(first: str, second: str, tmp_path: Path) -> None:
    script = f'CHOOSE {{\nOPTION "{first}" {{ LOG "one" }}\nOPTION "{second}" {{ LOG "two" }}\n}}'
    for number, log in [(1, "one"), (2, "two")]:
        session, _page = start(script, tmp_path)
        wait_until(session.question, "it does not ask")
        question = session.question()
        assert question is not None
        for wrong in (0, 3, -1, "", None, [1], 1.0):
            with pytest.raises(ValueError, match="answer"):
                session.answer(question["id"], wrong)
        session.answer(question["id"], number)
        assert session.wait(60)
        assert session.report is not None
        assert session.report["log"] == [log]


def test_a_late_answer_is_not_for_the_question_of_the_next_run(tmp_path: Path) -> None:
    numbers = []
    for _ in range(2):
        session, _page = start('REQUEST_REVIEW "Right?"', tmp_path)
        wait_until(session.question, "it does not ask")
        question = session.question()
        assert question is not None
        for number in numbers:
            with pytest.raises(ValueError, match="not open any more"):
                session.answer(number, "yes")
        numbers.append(question["id"])
        session.stop()


def test_each_branch_has_its_own_answer(tmp_path: Path) -> None:
    command = "true || curl {}"
    steps = [f'STEP "{x}" {{ RUN "{command.format(x)}" }}' for x in "ab"]
    session, _page = start("PARALLEL {\n" + "\n".join(steps) + "\n}", tmp_path)
    for _ in steps:
        wait_until(session.question, "it does not ask")
        question = session.question()
        assert question is not None
        session.answer(question["id"], "yes")
        with pytest.raises(ValueError, match="answered"):
            session.answer(question["id"], "yes")
    assert session.wait(60)
    assert session.report is not None
    assert session.report["exit_code"] == 0


def test_nothing_of_a_question_is_pushed_out_of_sight(tmp_path: Path) -> None:
    session, _page = start(f'RUN "true || curl a;{" " * 900}echo b"', tmp_path)
    wait_until(session.question, "it does not ask")
    question = session.question()
    session.stop()
    assert question is not None
    assert "curl a; [900 blanks] echo b" in question["message"]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, RuntimeError])
@pytest.mark.parametrize("at", ["run_start", "command_start", "run_end"])
def test_whatever_a_listener_raises_the_run_has_an_end(
    kind: type[BaseException], at: str, tmp_path: Path
) -> None:
    def listen(event: State) -> None:
        if event["event"] == at:
            raise kind("boo")

    _session, page = run("LOG 1", tmp_path, on_event=listen)
    assert page.state["status"] in ("error", "failed", "interrupted")


def test_the_picture_of_a_very_long_run_is_short(tmp_path: Path) -> None:
    session, _page = run("LOG big\n" * 200, tmp_path, var={"big": "x" * 8000})
    result = session.result()
    assert result is not None
    assert len(result._repr_html_()) < 2000
