"""Commands that are denied or need approval, and who is asked."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
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
