"""Section 7.6: CHOOSE."""

import json
from pathlib import Path

import pytest
from conformance import run
from conformance_runs import at_a_terminal, events_of, named, write

COLOURS = 'CHOOSE { OPTION "red" { LOG "r" }\nOPTION "green" { LOG "g" }\nOPTION "3" { LOG "b" } }'

PRICED = """CHOOSE {
    OPTION "dear" { ESTIMATE_COST { RUN "true"
            PROMPT_AGENT "x" }
        LOG "dear" }
    OPTION "cheap" { ESTIMATE_COST { RUN "true" }
        LOG "cheap" }
    OPTION "cheap too" { ESTIMATE_COST { RUN "true" }
        LOG "cheap too" }
}"""


def chosen(text: str, root: Path, **options: object) -> tuple[list[str], str] | str:
    """What was logged, and who chose; or the kind of the error."""
    events = events_of(text, root, **options)
    report = events[-1]["report"]
    if report["error"]:
        return report["error"]["kind"]
    (event,) = named(events, "choose")
    return report["log"], event["by"]


@pytest.mark.parametrize(
    ("answer", "log"), [("red", ["r"]), ("green", ["g"]), ("1", ["r"]), ("2", ["g"]), ("3", ["b"])]
)
def test_an_answer_is_a_label_or_a_number_from_1(
    tmp_path: Path, answer: str, log: list[str]
) -> None:
    assert chosen(COLOURS, tmp_path, answer=[answer]) == (log, "answer")


@pytest.mark.parametrize("answer", ["blue", "0", "4", "-1", "", "Red", "y"])
def test_a_wrong_answer_is_human(tmp_path: Path, answer: str) -> None:
    assert chosen(COLOURS, tmp_path, answer=[answer]) == "human"
    assert chosen(PRICED, tmp_path, answer=[answer]) in ("human", (["dear"], "answer"))


def test_the_answer_comes_before_the_estimate(tmp_path: Path) -> None:
    assert chosen(PRICED, tmp_path, answer=["dear"]) == (["dear"], "answer")


def test_the_least_estimate_is_taken_and_of_equals_the_first(tmp_path: Path) -> None:
    assert chosen(PRICED, tmp_path) == (["cheap"], "cost")


def test_the_estimate_decides_only_when_every_option_has_one(tmp_path: Path) -> None:
    text = PRICED.replace(
        'ESTIMATE_COST { RUN "true" }\n        LOG "cheap too"', 'LOG "cheap too"'
    )
    assert text != PRICED
    assert chosen(text, tmp_path) == "human"


def test_the_estimate_must_stand_directly_in_the_option(tmp_path: Path) -> None:
    text = """CHOOSE {
        OPTION "a" { STEP "s" { ESTIMATE_COST { RUN "true" } } }
        OPTION "b" { ESTIMATE_COST { RUN "true" } }
    }"""
    assert chosen(text, tmp_path) == "human"


def test_the_estimate_comes_before_the_agent(tmp_path: Path) -> None:
    agent = canned(tmp_path, "dear")
    assert chosen(PRICED, tmp_path, choose_by="agent", agent=agent) == (["cheap"], "cost")


def canned(root: Path, *replies: str) -> str:
    (root / "replies").write_text("".join(f"{json.dumps(reply)}\n" for reply in replies))
    return f"canned:{root}/replies"


def test_the_agent_chooses_when_asked_to(tmp_path: Path) -> None:
    agent = canned(tmp_path, "green")
    assert chosen(COLOURS, tmp_path, choose_by="agent", agent=agent) == (["g"], "agent")


def test_the_agent_does_not_choose_unasked(tmp_path: Path) -> None:
    agent = canned(tmp_path, "green")
    assert chosen(COLOURS, tmp_path, agent=agent) == "human"


@pytest.mark.parametrize(("typed", "made"), [("green\n", "g"), ("1\n", "r")])
def test_a_person_chooses(tmp_path: Path, typed: str, made: str) -> None:
    write(tmp_path, COLOURS.replace("LOG", "MKDIR"))
    assert at_a_terminal(tmp_path, typed) == 0
    assert (tmp_path / made).is_dir()
    assert at_a_terminal(tmp_path, typed, "--non-interactive") == 7


def test_yes_does_not_choose(tmp_path: Path) -> None:
    assert chosen(COLOURS, tmp_path, yes=True) == "human"


def test_nobody_to_choose_is_human_and_cannot_be_caught(tmp_path: Path) -> None:
    report = run(f'TRY {{ {COLOURS} }} CATCH {{ LOG "caught" }}', tmp_path)
    assert (report["error"]["kind"], report["exit_code"], report["log"]) == ("human", 7, [])


def test_exactly_one_option_runs(tmp_path: Path) -> None:
    report = run(f"{COLOURS}\nLOG 1", tmp_path, answer=["green"])
    assert report["log"] == ["g", "1"]


def test_one_answer_for_each_choice(tmp_path: Path) -> None:
    text = f'{COLOURS}\nPAUSE "x"\n{COLOURS}'
    assert run(text, tmp_path, answer=["2", "y", "1"])["log"] == ["g", "r"]


def test_an_estimate_is_the_total_cost(tmp_path: Path) -> None:
    """RUN has no rate unless one is configured, so that a prompt makes an option dear."""
    text = """CHOOSE {
        OPTION "asks" { ESTIMATE_COST { PROMPT_AGENT "x" }
            LOG "asks" }
        OPTION "runs" { ESTIMATE_COST { RUN "true"
                RUN "true" }
            LOG "runs" }
    }"""
    assert chosen(text, tmp_path) == (["runs"], "cost")
