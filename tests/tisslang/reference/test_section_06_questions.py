"""Section 6.3: PAUSE, REQUEST_REVIEW, and the approval of a command."""

from pathlib import Path

import pytest
from conformance import run
from conformance_runs import at_a_terminal, events_of, named, tiss, write

PAUSE = 'PAUSE "m"'
REVIEW = 'REQUEST_REVIEW "m"'
APPROVAL = 'RUN "curl --version || true"'


def answered(question: str, root: Path, **options: object) -> tuple[str, str] | str:
    """Who answered what; or how the run ended when nobody did."""
    events = events_of(question, root, **options)
    questions = [(each["by"], each["answer"]) for each in named(events, "question")]
    report = events[-1]["report"]
    if report["status"] == "passed":
        ((by, answer),) = questions
        return by, answer
    assert (report["error"]["kind"], report["exit_code"]) == ("human", 7)
    return "human"


@pytest.mark.parametrize("answer", ["y", "yes", "continue", ""])
def test_pause_accepts(tmp_path: Path, answer: str) -> None:
    assert answered(PAUSE, tmp_path, answer=[answer]) == ("answer", answer)


@pytest.mark.parametrize("question", [REVIEW, APPROVAL])
@pytest.mark.parametrize("answer", ["y", "yes"])
def test_a_review_and_an_approval_accept(tmp_path: Path, question: str, answer: str) -> None:
    assert answered(question, tmp_path, answer=[answer]) == ("answer", answer)


@pytest.mark.parametrize(
    ("question", "answer"),
    [(PAUSE, "no"), (PAUSE, "stop"), (PAUSE, "n")]
    + [(each, no) for each in (REVIEW, APPROVAL) for no in ("no", "n", "", "continue", "sure")],
)
def test_any_other_answer_is_a_refusal(tmp_path: Path, question: str, answer: str) -> None:
    assert answered(question, tmp_path, answer=[answer]) == "human"


@pytest.mark.parametrize("question", [PAUSE, REVIEW, APPROVAL])
def test_yes_answers_every_question(tmp_path: Path, question: str) -> None:
    by, _ = answered(question, tmp_path, yes=True)
    assert by == "yes"


@pytest.mark.parametrize("question", [PAUSE, REVIEW, APPROVAL])
def test_nobody_to_ask_is_human(tmp_path: Path, question: str) -> None:
    assert answered(question, tmp_path) == "human"


@pytest.mark.parametrize("question", [PAUSE, REVIEW, APPROVAL])
def test_no_answer_cannot_be_caught(tmp_path: Path, question: str) -> None:
    assert answered(f"TRY {{ {question} }} CATCH {{ }}", tmp_path) == "human"
    assert answered(f"TRY {{ {question} }} CATCH {{ }}", tmp_path, answer=["no"]) == "human"


def test_answers_are_used_in_order_and_before_yes(tmp_path: Path) -> None:
    text = f"{PAUSE}\n{REVIEW}\n{PAUSE}\n{APPROVAL}"
    events = events_of(text, tmp_path, answer=["continue", "y"], yes=True)
    assert [each["by"] for each in named(events, "question")] == ["answer", "answer", "yes", "yes"]
    assert events[-1]["report"]["status"] == "passed"


def test_an_answer_no_comes_before_yes(tmp_path: Path) -> None:
    assert answered(REVIEW, tmp_path, answer=["no"], yes=True) == "human"


def test_a_refused_command_does_not_run(tmp_path: Path) -> None:
    text = 'RUN "touch ran; curl --version"'
    run(text, tmp_path, answer=["no"])
    assert not (tmp_path / "ran").exists()


def test_the_approval_of_a_command_is_a_question_of_that_command(tmp_path: Path) -> None:
    events = events_of(APPROVAL, tmp_path, yes=True)
    names = [event["event"] for event in events]
    assert names == ["run_start", "command_start", "question", "command_end", "run_end"]
    assert "curl --version" in events[2]["message"]


def test_the_message_of_a_question_is_interpolated(tmp_path: Path) -> None:
    events = events_of('VAR x = 1\nPAUSE "is {{x}}?"', tmp_path, yes=True)
    (question,) = named(events, "question")
    assert (question["message"], question["line"]) == ("is 1?", 2)


def test_a_question_over_a_pipe_is_not_asked(tmp_path: Path) -> None:
    """Standard input that is no terminal answers nothing, whatever stands in it."""
    write(tmp_path, REVIEW)
    done = tiss("run", "plan.tiss", cwd=tmp_path, stdin="yes\n")
    assert done.returncode == 7


@pytest.mark.parametrize(
    ("question", "typed", "flags", "code"),
    [
        (PAUSE, "\n", (), 0),
        (REVIEW, "yes\n", (), 0),
        (REVIEW, "no\n", (), 7),
        (REVIEW, "yes\n", ("--non-interactive",), 7),
        (APPROVAL, "y\n", ("--sandbox-profile", "none"), 0),
        (APPROVAL, "n\n", ("--sandbox-profile", "none"), 7),
    ],
)
def test_a_person_at_the_terminal_is_asked(
    tmp_path: Path, question: str, typed: str, flags: tuple[str, ...], code: int
) -> None:
    write(tmp_path, question)
    assert at_a_terminal(tmp_path, typed, *flags) == code
