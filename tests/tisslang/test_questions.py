"""Commands that are denied or need approval, PAUSE and REQUEST_REVIEW: who is asked."""

import io
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from at_terminal import RunAtTerminal
from engine_runs import brief, outcome, run_with_events, steps
from plans import run

CURL = 'RUN "curl --version >/dev/null 2>&1; echo ran"'


def question(report_events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(e["answer"], e["by"]) for e in report_events if e["event"] == "question"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("options", "answers"),
    [
        ({"yes": True}, [("yes", "yes")]),
        ({"answer": ["y"]}, [("y", "answer")]),
        ({"answer": [" YES "]}, [(" YES ", "answer")]),
        ({"answer": ["yes"], "yes": True}, [("yes", "answer")]),
        ({"allow_command": ["curl"]}, []),
    ],
)
def test_approved(tmp_path: Path, options: Any, answers: list[tuple[str, str]]) -> None:
    events: list[dict[str, Any]] = []
    report = run(CURL, tmp_path, on_event=events.append, **options)
    assert (report["exit_code"], report["last_run"]["stdout"]) == (0, "ran\n")
    assert question(events) == answers


@pytest.mark.parametrize(
    ("options", "answers"),
    [
        ({}, []),
        ({"answer": ["n"]}, [("n", "answer")]),
        ({"answer": ["perhaps"]}, [("perhaps", "answer")]),
        ({"answer": ["no"], "yes": True}, [("no", "answer")]),
    ],
)
def test_not_approved(tmp_path: Path, options: Any, answers: list[tuple[str, str]]) -> None:
    events: list[dict[str, Any]] = []
    report = run(CURL, tmp_path, on_event=events.append, **options)
    assert (report["error"]["kind"], report["exit_code"]) == ("human", 7)
    assert (report["error"]["line"], report["last_run"]) == (1, None)
    assert "--allow-command curl" in report["error"]["hint"]
    assert question(events) == answers


def test_each_answer_is_used_once(tmp_path: Path) -> None:
    report = run(f"{CURL}\n{CURL}", tmp_path, answer=["yes"])
    assert (report["exit_code"], report["error"]["line"]) == (7, 2)


@pytest.mark.parametrize(("typed", "code"), [("what?\ny\n", 0), ("n\n", 7), ("", 7)])
def test_a_person_is_asked_until_the_answer_is_clear(
    tmp_path: Path,
    typed: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    report = run('RUN "curl \x1b[31m"', tmp_path)
    assert report["exit_code"] == code
    asked = capsys.readouterr().err
    assert asked.count("[y/n]") == (2 if "what" in typed else 1)
    assert "\x1b" not in asked
    assert "\\x1b" in asked


def test_nobody_is_asked_when_that_was_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert run(CURL, tmp_path, non_interactive=True)["exit_code"] == 7


def test_denied_commands_do_not_start(tmp_path: Path) -> None:
    report = run('RUN "touch a; rm -rf ~/x"', tmp_path, yes=True)
    assert (report["error"]["kind"], report["exit_code"]) == ("security", 5)
    assert "--allow-command rm" in report["error"]["hint"]
    assert list(tmp_path.iterdir()) == []
    denied = run('RUN "touch a"', tmp_path, deny_command=["touch"])
    assert denied["exit_code"] == 5
    assert "forbade it with --deny-command touch" in denied["error"]["hint"]
    both = {"allow_command": ["touch"], "deny_command": ["touch"]}
    assert run('RUN "touch a"', tmp_path, **both)["exit_code"] == 5
    assert run('RUN "rm -rf ../x"', tmp_path, allow_command=["rm"])["exit_code"] == 0
    json.dumps(report)


def test_the_policy_sees_the_values(tmp_path: Path) -> None:
    report = run('VAR what = "rm"\nRUN "{{what}} -rf /"', tmp_path)
    assert report["exit_code"] == 5
    assert run('VAR what = "rm -rf /"\nRUN "echo {{what}}"', tmp_path)["exit_code"] == 0


# PAUSE and REQUEST_REVIEW


@pytest.mark.parametrize(
    ("command", "options", "answers"),
    [
        *(("PAUSE", {"answer": [a]}, [(a, "answer")]) for a in ("", "y", "Yes", "continue", " ")),
        *(("REQUEST_REVIEW", {"answer": [a]}, [(a, "answer")]) for a in ("y", "yes", "YES ")),
        ("PAUSE", {"yes": True}, [("", "yes")]),
        ("REQUEST_REVIEW", {"yes": True}, [("yes", "yes")]),
        ("PAUSE", {"answer": [""], "yes": True}, [("", "answer")]),
    ],
)
def test_a_plan_goes_on(
    tmp_path: Path, command: str, options: Any, answers: list[tuple[str, str]]
) -> None:
    report, events = run_with_events(
        f'{command} "all {{{{x}}}}?"', tmp_path, var={"x": "well"}, **options
    )
    assert report["exit_code"] == 0
    assert question(events) == answers
    assert brief(events)[1] == "question all well?"
    assert events[2]["line"] == 1


@pytest.mark.parametrize(
    ("command", "options", "answers"),
    [
        *(("PAUSE", {"answer": [a]}, [(a, "answer")]) for a in ("n", "no", "stop", "y y")),
        *(
            ("REQUEST_REVIEW", {"answer": [a]}, [(a, "answer")])
            for a in ("", "n", "continue", "perhaps")
        ),
        ("PAUSE", {"answer": ["n"], "yes": True}, [("n", "answer")]),
        ("PAUSE", {}, []),
        ("REQUEST_REVIEW", {}, []),
    ],
)
def test_a_plan_is_stopped(
    tmp_path: Path, command: str, options: Any, answers: list[tuple[str, str]]
) -> None:
    text = f'STEP "s" {{ @retry 2\nTRY {{ {command} "ok?" }} CATCH {{ }} }}\nSTEP "t" {{ }}'
    report, events = run_with_events(text, tmp_path, keep_going=True, **options)
    assert outcome(report) == (7, "human", 2)
    assert steps(report) == [("s", "failed", 1), ("t", "skipped", 0)]
    assert "ok?" in report["error"]["message"]
    assert "--yes" in report["error"]["hint"]
    assert question(events) == answers


def test_each_question_takes_the_next_answer(tmp_path: Path) -> None:
    text = f'PAUSE "1"\n{CURL}\nREQUEST_REVIEW "3"\nPAUSE "4"'
    report, events = run_with_events(text, tmp_path, answer=["", "y", "yes"])
    assert outcome(report) == (7, "human", 4)
    assert question(events) == [("", "answer"), ("y", "answer"), ("yes", "answer")]
    report, events = run_with_events(text, tmp_path, answer=[""], yes=True)
    assert question(events) == [("", "answer"), ("yes", "yes"), ("yes", "yes"), ("", "yes")]


@pytest.mark.parametrize(
    ("command", "typed", "asked", "code"),
    [
        ("PAUSE", "\n", 1, 0),
        ("PAUSE", "what\ncontinue\n", 2, 0),
        ("PAUSE", "N\n", 1, 7),
        ("PAUSE", "\x04", 1, 7),
        ("REQUEST_REVIEW", "\n\nyes\n", 3, 0),
        ("REQUEST_REVIEW", "no\n", 1, 7),
        ("REQUEST_REVIEW", "\x04", 1, 7),
    ],
)
def test_a_person_at_a_real_terminal(
    tmp_path: Path, command: str, typed: str, asked: int, code: int
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal(f'{command} "is it \\t good?"', root) as plan_run:
        keys = "[Enter" if command == "PAUSE" else "[y/n]"
        for number, line in enumerate(typed.splitlines(keepends=True), 1):
            plan_run.wait_for(keys, times=number)
            plan_run.type(line)
        report = plan_run.report()
    assert (report["exit_code"], plan_run.shown.count(keys)) == (code, asked)
    (event,) = [event for event in plan_run.events() if event["event"] == "question"]
    answer = "no" if typed == "\x04" else typed.splitlines()[-1]
    assert (event["answer"], event["by"]) == (answer, "person")


@pytest.mark.parametrize("flags", [("--non-interactive",), ("--yes",), ("--answer", "y")])
def test_a_person_is_not_asked_when_somebody_else_answers(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal('REQUEST_REVIEW "good?"', root, *flags) as plan_run:
        report = plan_run.report()
    assert report["exit_code"] == (7 if "--non-interactive" in flags else 0)


def test_all_lines_typed_ahead_are_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal('REQUEST_REVIEW "1"\nREQUEST_REVIEW "2"\nPAUSE "3"', root) as plan_run:
        plan_run.type("y\nwhat\ny\n\n")
        assert plan_run.report()["exit_code"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_question_can_be_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal('STEP "s" { PAUSE "go on?" }', root) as plan_run:
        plan_run.wait_for("go on?")
        plan_run.send(number)
        report = plan_run.report()
    assert outcome(report) == (130, "interrupted", 1)
    assert report["error"]["steps"] == ["s"]


def test_nobody_is_waited_for_when_the_time_of_the_run_is_up(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal('SET_BUDGET EXECUTION_TIME = 500ms\nPAUSE "go on?"', root) as plan_run:
        assert outcome(plan_run.report()) == (6, "budget", 2)


def test_no_line_of_a_command_passes_for_the_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    fake = "run a command that needs approval (curl talks to other machines): ls [y/n]"
    report = run(f"RUN <<W\ncurl x\n# {' ' * 50}\n{fake}\n\n\nW\n", tmp_path)
    assert report["exit_code"] == 7
    _, first, *more, last = capsys.readouterr().err.split("\n")  # behind the banner
    assert first.endswith(": curl x")
    assert more == ["  | # [51 blanks] ", f"  | {fake}"]
    assert last == "answer to these 3 lines [y/n] "


def test_a_secret_of_several_lines_is_hidden_in_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEY", f"first{' ' * 50}line\nsecond line\n")
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    run('REQUEST_REVIEW "is {{KEY}} right?"', tmp_path, secret=["KEY"])
    assert capsys.readouterr().err.endswith("is *** right? [y/n] ")
