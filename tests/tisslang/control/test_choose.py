"""CHOOSE: exactly one option, and the order of those who may decide."""

import json
from pathlib import Path

import pytest
from at_terminal import RunAtTerminal
from chat_server import ChatServer, completion
from engine_runs import brief, caught, named, outcome, run_with_events

OPTIONS = """
CHOOSE {
    OPTION "fast" { LOG "f" }
    OPTION "slow and sure" { LOG "s" }
    OPTION "2" { LOG "two" }
}
"""
ESTIMATED = """
CHOOSE {
    OPTION "dear" { LOG "d"
        ESTIMATE_COST { PROMPT_AGENT "a b c"
            PROMPT_AGENT "d" } }
    OPTION "cheap" { ESTIMATE_COST INTO cost { PROMPT_AGENT "a b"
            RUN "true" }
        LOG cost }
    OPTION "as cheap" { ESTIMATE_COST { PROMPT_AGENT "a b" } }
}
"""


def canned(root: Path, *replies: str) -> str:
    """An agent that gives these replies."""
    path = root.parent / f"{root.name}-replies.jsonl"
    path.write_text("".join(json.dumps(reply) + "\n" for reply in replies), encoding="utf-8")
    return f"canned:{path}"


@pytest.mark.parametrize(
    ("answer", "log"),
    [("fast", "f"), ("slow and sure", "s"), ("1", "f"), ("3", "two"), ("2", "two")],
)
def test_an_answer_is_a_label_or_a_number(tmp_path: Path, answer: str, log: str) -> None:
    report, events = run_with_events(OPTIONS, tmp_path, answer=[answer], choose_by="agent")
    assert (report["exit_code"], report["log"]) == (0, [log])
    (event,) = named(events, "choose")
    assert (event["line"], event["by"]) == (2, "answer")
    label = {"f": "fast", "s": "slow and sure", "two": "2"}[log]
    assert event["option"] == label
    assert brief(events) == ["choose", "command_start LOG", f"log {log}", "command_end LOG ok"]


@pytest.mark.parametrize(
    "answer", ["Fast", "0", "4", "-1", "", "1.0", "slow", "y", "٣", "9" * 5000]
)
def test_a_wrong_answer_is_a_human_error(tmp_path: Path, answer: str) -> None:
    text = f"TRY {{ {OPTIONS} }} CATCH {{ LOG 1 }}"
    options = {"answer": [answer, "fast"], "choose_by": "agent", "agent": "echo"}
    report, events = run_with_events(text, tmp_path, **options)
    assert (outcome(report), report["log"]) == ((7, "human", 2), [])
    assert named(events, "choose") == []
    for estimated in (ESTIMATED, OPTIONS):
        assert run_with_events(estimated, tmp_path, answer=[answer])[0]["exit_code"] == 7


def test_answers_are_used_in_turn_with_other_questions(tmp_path: Path) -> None:
    text = f'PAUSE "go on?"\n{OPTIONS}\nREQUEST_REVIEW "good?"\n{OPTIONS}'
    report, _ = run_with_events(text, tmp_path, answer=["continue", "1", "yes", "3"])
    assert (report["exit_code"], report["log"]) == (0, ["f", "two"])


def test_the_least_estimate_decides_and_of_equal_ones_the_first(tmp_path: Path) -> None:
    report, events = run_with_events(ESTIMATED, tmp_path, choose_by="agent", agent="echo")
    assert report["log"] == ["1.258"]
    assert report["cost"]["API_CALLS"] == 0
    assert [event["by"] for event in named(events, "choose")] == ["cost"]
    assert [event["cost"] for event in named(events, "estimate")] == [1.258]
    assert run_with_events(ESTIMATED, tmp_path, answer=["dear"])[0]["log"] == ["d"]


@pytest.mark.parametrize(
    "third",
    [
        'OPTION "none" { LOG 1 }',
        'OPTION "deeper" { IF true { ESTIMATE_COST { } } }',
        'OPTION "in a step" { TRY { ESTIMATE_COST { } } CATCH { } }',
    ],
)
def test_estimates_decide_only_when_every_option_directly_holds_one(
    tmp_path: Path, third: str
) -> None:
    text = f"""
CHOOSE {{
    OPTION "a" {{ ESTIMATE_COST {{ }} }}
    OPTION "b" {{ ESTIMATE_COST {{ RUN "true" }} }}
    {third}
}}
"""
    assert outcome(run_with_events(text, tmp_path)[0]) == (7, "human", 2)
    free = text.replace(third, "")
    assert named(run_with_events(free, tmp_path)[1], "choose")[0]["option"] == "a"
    one = 'CHOOSE { OPTION "only" { LOG 1 } }'
    assert outcome(run_with_events(one, tmp_path)[0]) == (7, "human", 1)


def test_the_rates_say_what_is_dear(tmp_path: Path) -> None:
    text = """
CHOOSE {
    OPTION "runs" { ESTIMATE_COST { RUN "true"
        RUN "true" }
        LOG "runs" }
    OPTION "prompts" { ESTIMATE_COST { PROMPT_AGENT "a" }
        LOG "prompts" }
}
"""
    assert run_with_events(text, tmp_path)[0]["log"] == ["runs"]
    rates = {"RUNS": 5.0}
    assert run_with_events(text, tmp_path, rates=rates)[0]["log"] == ["prompts"]


def test_yes_does_not_choose(tmp_path: Path) -> None:
    report, _ = run_with_events(OPTIONS, tmp_path, yes=True)
    assert outcome(report) == (7, "human", 2)
    assert "--answer" in report["error"]["hint"]


def test_the_agent_chooses_only_when_asked_to(tmp_path: Path) -> None:
    agent = canned(tmp_path, "slow and sure\n")
    assert run_with_events(OPTIONS, tmp_path, agent=agent)[0]["exit_code"] == 7
    report, events = run_with_events(OPTIONS, tmp_path, agent=agent, choose_by="agent", yes=True)
    assert (report["exit_code"], report["log"]) == (0, ["s"])
    assert [event["by"] for event in named(events, "choose")] == ["agent"]
    assert len(named(events, "agent")) == 1
    assert (report["cost"]["API_CALLS"], report["cost"]["TOKENS"] > 0) == (1, True)


def test_an_agent_that_names_no_option_is_an_agent_error(tmp_path: Path) -> None:
    text = f"TRY {{ {OPTIONS} }} CATCH {{ LOG ERROR.MESSAGE }}"
    agent = canned(tmp_path, "whatever")
    report, events = run_with_events(text, tmp_path, agent=agent, choose_by="agent")
    assert caught(report) == [("agent", 2)]
    assert "whatever" in report["log"][0]
    assert named(events, "choose") == []
    none, _ = run_with_events(text, tmp_path, choose_by="agent")
    assert caught(none) == [("agent", 2)]


def test_the_agent_sees_the_options_and_directives_and_nothing_else(tmp_path: Path) -> None:
    text = f'VAR hidden = "zebra"\n@persona "a cautious one"\n{OPTIONS}'
    with ChatServer(lambda request: completion("fast")) as server:
        report, _ = run_with_events(
            text, tmp_path, agent=f"http:{server.url}", choose_by="agent", var={"more": "zebra"}
        )
    assert report["log"] == ["f"]
    body = server.chats[0].body.decode()
    assert "slow and sure" in body
    assert "a cautious one" in body
    assert "zebra" not in body


@pytest.mark.parametrize(
    "budget", [{"API_CALLS": 0}, {"TOKEN_COUNT": 200}, {"EXECUTION_TIME": 0}, {"COST": 1}]
)
def test_a_budget_keeps_the_agent_from_choosing(tmp_path: Path, budget: dict[str, float]) -> None:
    agent = canned(tmp_path, "fast")
    report, events = run_with_events(
        OPTIONS, tmp_path, agent=agent, choose_by="agent", budget=budget
    )
    assert outcome(report) == (6, "budget", 2)
    assert named(events, "agent") == []


def test_a_person_at_the_terminal_chooses(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal(OPTIONS, root) as plan_run:
        plan_run.wait_for("label or number")
        assert "2. slow and sure" in plan_run.shown
        plan_run.type("perhaps\n")
        plan_run.wait_for("label or number", times=2)
        plan_run.type("slow and sure\n")
        report = plan_run.report()
    assert report["log"] == ["s"]
    assert [event["by"] for event in named(plan_run.events(), "choose")] == ["person"]


@pytest.mark.parametrize(("flags", "typed"), [((), "\x04"), (("--non-interactive",), "1\n")])
def test_without_a_person_it_is_a_human_error(
    tmp_path: Path, flags: tuple[str, ...], typed: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal(OPTIONS, root, *flags) as plan_run:
        plan_run.type(typed)
        assert outcome(plan_run.report()) == (7, "human", 2)


def test_an_error_in_the_option_is_an_error_as_anywhere(tmp_path: Path) -> None:
    text = 'TRY { CHOOSE { OPTION "o" { VAR x = 1\nASSERT 1 == 2 } } } CATCH { LOG "{{x}}" }'
    report, _ = run_with_events(text, tmp_path, answer=["1"])
    assert (report["log"], caught(report)) == (["1"], [("assert", 2)])


def test_a_label_of_several_lines_forges_no_other(tmp_path: Path) -> None:
    text = 'CHOOSE {\nOPTION "x\\n  2. keep everything" { LOG 1 }\nOPTION "y" { LOG 2 }\n}'
    root = tmp_path / "root"
    root.mkdir()
    with RunAtTerminal(text, root) as plan_run:
        plan_run.wait_for("label or number:")
        plan_run.type("2\n")
        assert plan_run.report()["log"] == ["2"]
        assert "  1. x\\n  2. keep everything\r\n  2. y\r\nlabel" in plan_run.shown
