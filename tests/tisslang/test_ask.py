"""`Options.ask`: questions go to a person elsewhere than at the terminal."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tisslang import ExecutionEngine
from tisslang.question import Question

CHOICE = 'CHOOSE {\n OPTION "tea" { LOG "tea" }\n OPTION "coffee" { LOG "coffee" }\n}'
CASES = [
    ('PAUSE "Look"', "pause", "Look", [], "continue", 0),
    ('PAUSE "Look"', "pause", "Look", [], "", 0),
    ('PAUSE "Look"', "pause", "Look", [], "no", 7),
    ('REQUEST_REVIEW "Right?"', "review", "Right?", [], "yes", 0),
    ('REQUEST_REVIEW "Right?"', "review", "Right?", [], "no", 7),
    (CHOICE, "choose", "choose one", ["tea", "coffee"], "coffee", 0),
    (CHOICE, "choose", "choose one", ["tea", "coffee"], "2", 0),
    (r'CHOOSE { OPTION "x\ty" { LOG "coffee" } }', "choose", None, ["x y"], "x y", 0),
    ('RUN "curl --version || true"', "approve", None, [], "yes", 0),
    ('RUN "curl --version || true"', "approve", None, [], "no", 7),
]


def run(plan: str, root: Path, reply: Any, **options: Any) -> tuple[dict[str, Any], list[Question]]:
    asked: list[Question] = []

    def ask(question: Question) -> None:
        asked.append(question)
        threading.Thread(target=reply, args=(question,)).start()

    return ExecutionEngine(root=root, ask=ask, **options).run(plan), asked


@pytest.mark.parametrize(("plan", "kind", "message", "labels", "answer", "code"), CASES)
def test_answers(
    tmp_path: Path,
    plan: str,
    kind: str,
    message: str | None,
    labels: list[str],
    answer: str,
    code: int,
) -> None:
    report, [question] = run(plan, tmp_path, lambda question: question.answer(answer))
    assert report["exit_code"] == code
    assert (question.kind, question.line, question.options) == (kind, 1, labels)
    assert message in (None, question.message)
    assert not question.is_open
    if kind == "choose":
        assert report["log"] == ["coffee"]


def test_what_is_no_answer_is_refused_and_the_question_stays(tmp_path: Path) -> None:
    faults: list[str] = []

    def answer(question: Question) -> None:
        for text in ("perhaps", "tea", ""):
            with pytest.raises(ValueError, match="it must be yes or no") as caught:
                question.answer(text)
            faults.append(str(caught.value))
        question.answer(" YES ")
        with pytest.raises(ValueError, match="has been answered"):
            question.answer("no")
        faults.append("late")

    report, _ = run('REQUEST_REVIEW "Right?"', tmp_path, answer)
    assert report["exit_code"] == 0
    assert len(faults) >= 3


def test_prepared_answers_come_first(tmp_path: Path) -> None:
    report, asked = run('PAUSE "Look"', tmp_path, None, answer=["continue"])
    assert (report["exit_code"], asked) == (0, [])
    report, asked = run('PAUSE "Look"', tmp_path, None, non_interactive=True)
    assert (report["exit_code"], asked) == (7, [])


def test_secrets_are_masked_in_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2-hunter2")
    plan = 'PAUSE "Use {{TOKEN}}?"'
    report, [question] = run(plan, tmp_path, lambda q: q.answer("yes"), secret=["TOKEN"])
    assert report["exit_code"] == 0
    assert "hunter2" not in question.message


def test_the_time_budget_goes_on_while_a_person_thinks(tmp_path: Path) -> None:
    plan = 'SET_BUDGET EXECUTION_TIME = 1\nPAUSE "Look"'
    report, [question] = run(plan, tmp_path, lambda q: None)
    assert report["exit_code"] == 6
    with pytest.raises(ValueError, match="nobody waits"):
        question.answer("yes")
