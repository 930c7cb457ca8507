"""CHOOSE: decided by a prepared answer or by estimates, else every option is walked."""

from pathlib import Path

import pytest
from dry_runs import UNKNOWN, dry, statuses

OPTIONS = 'CHOOSE {\nOPTION "first" {\nLOG 1\n}\nOPTION "second" {\nLOG 2\n}\n}\n'
ESTIMATED = """CHOOSE {
OPTION "dear" {
ESTIMATE_COST { PROMPT_AGENT "a b c" }
LOG 1
}
OPTION "cheap" {
ESTIMATE_COST { PROMPT_AGENT "a" }
LOG 2
}
}
"""


@pytest.mark.parametrize(("answer", "log"), [("first", "1"), ("2", "2"), (" second ", "2")])
def test_an_answer_decides(answer: str, log: str, tmp_path: Path) -> None:
    report = dry(OPTIONS, tmp_path, answer=[answer])
    assert report["log"] == [log]
    assert [status for _, status in statuses(report)] == ["would_run", "would_run"]


def test_the_least_estimate_decides(tmp_path: Path) -> None:
    report = dry(ESTIMATED, tmp_path)
    assert report["log"] == ["2"]
    assert statuses(report) == [(1, "would_run"), (8, "would_run")]
    assert dry(ESTIMATED, tmp_path, answer=["dear"])["log"] == ["1"]


@pytest.mark.parametrize("options", [{}, {"yes": True}, {"choose_by": "agent", "agent": "echo"}])
def test_else_all_are_walked(options: dict[str, object], tmp_path: Path) -> None:
    report = dry("VAR a = 1\n" + OPTIONS.replace("LOG 2", "VAR a = 2"), tmp_path, **options)
    assert report["exit_code"] == 0
    assert statuses(report)[1:] == [(2, "unknown"), (4, "~would_run"), (7, "~would_run")]
    assert report["variables"] == {"a": "<unknown:a>"}


def test_one_estimate_is_not_enough(tmp_path: Path) -> None:
    text = ESTIMATED.replace('ESTIMATE_COST { PROMPT_AGENT "a" }\n', "")
    assert statuses(dry(text, tmp_path))[0] == (1, "unknown")


def test_a_wrong_answer_ends_the_run(tmp_path: Path) -> None:
    report = dry(OPTIONS, tmp_path, answer=["third"])
    assert (report["exit_code"], report["error"]["kind"]) == (7, "human")
    assert statuses(report) == [(1, "would_fail")]


def test_an_error_in_an_option(tmp_path: Path) -> None:
    text = OPTIONS.replace("LOG 1", "ASSERT false\nLOG 1") + "LOG 3\n"
    assert dry(text, tmp_path)["log"] == ["2", "3"]
    assert dry(text, tmp_path, answer=["first"])["exit_code"] == 1


@pytest.mark.parametrize("question", ['PAUSE "x"', 'REQUEST_REVIEW "x"', 'RUN "sudo x"'])
def test_questions_use_up_answers_as_in_a_run(question: str, tmp_path: Path) -> None:
    report = dry(f"{question}\n{OPTIONS}", tmp_path, answer=["yes", "second"])
    assert report["log"] == ["2"]


def test_each_way_has_all_the_answers_that_are_left(tmp_path: Path) -> None:
    ask = f'RUN "x"\nIF {UNKNOWN} {{\nPAUSE "a"\n}} ELSE {{\nOTHER\n}}\n'
    both = dry(ask.replace("OTHER", 'PAUSE "b"') + OPTIONS, tmp_path, answer=["", "second"])
    assert both["log"] == ["2"]
    one = dry(ask.replace("OTHER", 'LOG "none"') + OPTIONS, tmp_path, answer=["1", "2"])
    assert one["log"] == ["none", "1", "2"]  # which answer is next depends on the way
    assert one["exit_code"] == 0


def test_without_answers_the_ways_make_no_difference(tmp_path: Path) -> None:
    ask = f'RUN "x"\nIF {UNKNOWN} {{\nPAUSE "a"\n}}\n'
    assert dry(ask + ESTIMATED, tmp_path)["log"] == ["2"]


@pytest.mark.parametrize(
    ("command", "is_known"),
    [
        ("{{tool}} x", False),  # may be `curl`, which uses up the answer
        ("env A=1 bin/cu{{tool}}", False),
        ("cat x | {{tool}}", False),
        ("git {{tool}}", False),
        ("echo {{tool|raw}}", False),
        ("<unknown:x>out curl {{tool}}", False),
        ("echo {{tool}}", True),
        ("echo ok && tee '{{tool}}'", True),
        ("curl {{tool}}", True),
    ],
)
def test_an_answer_may_go_to_a_command_that_is_not_known(
    command: str, is_known: bool, tmp_path: Path
) -> None:
    text = f'READ "f" AS tool\nRUN "{command}"\n' + OPTIONS
    report = dry(text, tmp_path, answer=["1" if "curl" not in command else "y", "1"])
    assert report["log"] == (["1"] if is_known else ["1", "2"])
    assert any(e["conditional"] for e in report["plan"]) is not is_known
