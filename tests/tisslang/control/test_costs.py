"""Counters, estimates and budgets (language reference, 7.7)."""

from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, completion
from engine_runs import named, outcome, run_with_events
from processes import sleepers

from tisslang.costs import Costs
from tisslang.errors import TissBudgetError


def cost_of(report: dict[str, Any]) -> dict[str, Any]:
    return {name: count for name, count in report["cost"].items() if name != "TIME"}


# Counters


def test_the_counters(tmp_path: Path) -> None:
    text = """
ASSERT COST == 0
RUN "true"
TRY { RUN "{{big}}" } CATCH { }
PROMPT_AGENT "a b c"
LOG "{{COST.API_CALLS}} {{COST.TOKENS}} {{COST.RUNS}} {{COST}} {{COST.TOTAL}}"
ASSERT COST.TIME >= 0
ASSERT COST.TIME < 60
VAR total = COST
"""
    report, events = run_with_events(text, tmp_path, agent="echo", var={"big": "x" * 200_000})
    assert report["error"] is None
    assert report["log"] == ["1 6 2 1.006 1.006"]
    assert cost_of(report) == {"API_CALLS": 1, "TOKENS": 6, "RUNS": 2, "TOTAL": 1.006}
    assert isinstance(report["cost"]["TIME"], float)
    assert report["variables"]["total"] == 1.006
    assert named(events, "agent")[0]["tokens"] == 6


@pytest.mark.parametrize(
    ("calls", "tokens", "total", "shown"),
    [
        (0, 0, 0, "0"),
        (2, 0, 2, "2"),
        (1, 1000, 2, "2"),
        (1, 999, 1.999, "1.999"),
        (0, 1, 0.001, ""),
    ],
)
def test_a_whole_cost_is_an_integer(calls: int, tokens: int, total: float, shown: str) -> None:
    costs = Costs({})
    costs.add(API_CALLS=calls, TOKENS=tokens, RUNS=7)
    assert (costs.field("TOTAL"), type(costs.field("TOTAL"))) == (total, type(total))
    assert str(costs.field("TOTAL")).startswith(shown)


def test_costs_are_exact_however_many_tokens() -> None:
    costs = Costs({})
    for tokens in range(1, 5000):
        costs.add(TOKENS=1)
        assert costs.field("TOTAL") == tokens / 1000


def test_a_call_counts_also_when_there_is_no_reply(tmp_path: Path) -> None:
    text = 'TRY { PROMPT_AGENT "x" } CATCH { LOG COST.API_CALLS }\nASSERT COST == 1'
    for agent in ("none", f"canned:{tmp_path / 'empty'}"):
        (tmp_path / "empty").touch()
        report, _ = run_with_events(text, tmp_path, agent=agent)
        assert (report["exit_code"], report["log"], report["cost"]["TOKENS"]) == (0, ["1"], 0)


def test_the_tokens_are_what_the_server_says(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 600, "completion_tokens": 400, "total_tokens": 1000}
    with ChatServer(lambda request: completion("reply", usage=usage)) as server:
        report, _ = run_with_events(
            'PROMPT_AGENT "a b"\nASSERT COST == 2', tmp_path, agent=f"http:{server.url}"
        )
    assert (report["exit_code"], report["cost"]["TOTAL"]) == (0, 2)
    assert type(report["cost"]["TOTAL"]) is int


# Estimates


ESTIMATES = {
    "": 0,
    'RUN "true"': 0,
    'PROMPT_AGENT "one two  three"': 1.259,
    'PROMPT_AGENT ""': 1.256,
    'PROMPT_AGENT "{{x}} is one word {{x}}{{x}}"': 1.261,
    "PROMPT_AGENT INTO y <<W\na b\nc\nW\n": 1.259,
    'PROMPT_AGENT "a"\nPROMPT_AGENT "b c"': 2.515,
    'IF x == "1" { PROMPT_AGENT "a" } ELSE { PROMPT_AGENT "a b" }': 1.258,
    'IF x == "1" { PROMPT_AGENT "a" }': 1.257,
    'IF x == "1" { } ELSE IF x == "2" { PROMPT_AGENT "a b c" } ELSE { PROMPT_AGENT "a" }': 1.259,
    'IF x == "1" { IF x == "2" { PROMPT_AGENT "a" } ELSE { PROMPT_AGENT "b" } }': 1.257,
    'CALL "sub" WITH p = "1"': 1.257,
    'CALL "outer"\nCALL "outer"': 5.028,
    'LOG 1\nVAR z = 1\nREAD "no" AS z\nWRITE "made" <<W\nW\nDELETE "kept"\nPAUSE "?"': 0,
    'ESTIMATE_COST { PROMPT_AGENT "a" }': 0,
}


@pytest.mark.parametrize("body", ESTIMATES)
def test_an_estimate_adds_up_and_executes_nothing(tmp_path: Path, body: str) -> None:
    (tmp_path / "kept").touch()
    text = f"""
DEFINE_TASK "sub" WITH p {{ PROMPT_AGENT "{{{{p}}}}" }}
DEFINE_TASK "outer" {{ CALL "sub" WITH p = 1
    IF true {{ CALL "sub" WITH p = 2 }} }}
ESTIMATE_COST INTO total {{ {body} }}
ASSERT total == {ESTIMATES[body]}
ASSERT COST == 0
"""
    options = {"budget": {"API_CALLS": 0, "RUN_COUNT": 0}, "var": {"x": "9"}}
    report, events = run_with_events(text, tmp_path, **options)
    assert (report["exit_code"], report["error"]) == (0, None)
    assert report["variables"] == {"total": ESTIMATES[body], "x": "9"}
    assert type(report["variables"]["total"]) is type(ESTIMATES[body])
    (event,) = named(events, "estimate")
    assert (event["line"], event["cost"]) == (5, ESTIMATES[body])
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert len(named(events, "command_start")) == 2


def test_an_estimate_needs_no_into(tmp_path: Path) -> None:
    report, events = run_with_events('ESTIMATE_COST { PROMPT_AGENT "a" }', tmp_path)
    assert (report["variables"], named(events, "estimate")[0]["cost"]) == ({}, 1.257)


def test_sub_tasks_that_call_each_other_twice_are_estimated_at_once(tmp_path: Path) -> None:
    calls = "".join(
        f'DEFINE_TASK "t{n}" {{ CALL "t{n + 1}"\nCALL "t{n + 1}" }}\n' for n in range(40)
    )
    text = f'{calls}DEFINE_TASK "t40" {{ PROMPT_AGENT "" }}\nESTIMATE_COST INTO c {{ CALL "t0" }}'
    report, _ = run_with_events(text, tmp_path)
    assert report["variables"]["c"] == 2**40 * 1256 / 1000


# Budgets


@pytest.mark.parametrize(
    ("budget", "command", "allowed"),
    [
        ("RUN_COUNT = 2", 'RUN "printf x >>ran"', 2),
        ("RUN_COUNT = 0", 'RUN "printf x >>ran"', 0),
        ("RUN_COUNT = 1.5", 'RUN "printf x >>ran"', 1),
        ("API_CALLS = 2", 'PROMPT_AGENT "a b"', 2),
        ("COST = 2.261", 'PROMPT_AGENT "a b"', 1),
        ("COST = 2.262", 'PROMPT_AGENT "a b"', 2),
        ("TOKEN_COUNT = 257", 'PROMPT_AGENT "a b"', 0),
        ("TOKEN_COUNT = 258", 'PROMPT_AGENT "a b"', 1),
        ("TOKEN_COUNT = 261", 'PROMPT_AGENT "a b"', 1),
        ("TOKEN_COUNT = 262", 'PROMPT_AGENT "a b"', 2),
        ("COST = 0", 'RUN "printf x >>ran"', 5),
    ],
)
@pytest.mark.parametrize("by", ["plan", "operator", "both"])
def test_a_command_that_would_exceed_a_budget_is_refused_before_it_starts(
    tmp_path: Path, budget: str, command: str, allowed: int, by: str
) -> None:
    lines = [f"SET_BUDGET {budget}" if by != "operator" else ""]
    lines += [f"TRY {{ {command} }} CATCH {{ }}"] * 5
    options = {} if by == "plan" else {"budget": [budget.replace(" ", "")]}
    if by == "both":  # never above the operator's, whatever the plan says
        name = budget.partition(" ")[0]
        lines[0] = f"SET_BUDGET {name} = 99999\n" + lines[0] + f"\nSET_BUDGET {name} = 99999"
    report, events = run_with_events("\n".join(lines), tmp_path, agent="echo", **options)
    done = [event["status"] for event in named(events, "command_end")]
    assert done.count("ok") - lines[0].count("SET_BUDGET") == allowed
    if allowed == 5:
        assert report["error"] is None
        return
    first_line = len("\n".join(lines[:1]).split("\n")) + 1
    assert outcome(report) == (6, "budget", first_line + allowed)
    assert report["caught"] == []
    name = "RUNS" if "RUN" in command else "API_CALLS"
    assert report["cost"][name] == allowed
    ran = (tmp_path / "ran").read_text() if (tmp_path / "ran").exists() else ""
    assert ran == ("x" * allowed if name == "RUNS" else "")
    assert len(named(events, "agent")) == (allowed if name == "API_CALLS" else 0)


def test_a_later_budget_replaces_the_earlier_one_and_counts_from_the_start(tmp_path: Path) -> None:
    text = """
SET_BUDGET RUN_COUNT = 1
RUN "true"
SET_BUDGET RUN_COUNT = 3
STEP "s" { RUN "true"
    SET_BUDGET RUN_COUNT = 2 }
LOG "nothing more is spent"
RUN "true"
"""
    report, _ = run_with_events(text, tmp_path)
    assert (outcome(report), report["log"]) == ((6, "budget", 8), ["nothing more is spent"])
    assert report["cost"]["RUNS"] == 2


def test_a_budget_below_what_is_spent_refuses_what_adds_to_it(tmp_path: Path) -> None:
    text = 'RUN "true"\nRUN "true"\nSET_BUDGET RUN_COUNT = 1\nLOG 1\nPROMPT_AGENT "x"\nRUN "true"'
    assert outcome(run_with_events(text, tmp_path, agent="echo")[0]) == (6, "budget", 6)


def test_the_words_of_the_template_count_and_not_those_of_the_values(tmp_path: Path) -> None:
    text = 'SET_BUDGET TOKEN_COUNT = 258\nPROMPT_AGENT "say {{x}}"\nPROMPT_AGENT "more"'
    options = {"agent": "echo", "var": {"x": "word " * 1000}}
    report, _ = run_with_events(text, tmp_path, **options)
    assert outcome(report) == (6, "budget", 3)
    assert report["cost"]["TOKENS"] == 2002  # the reply may take more than the budget


def test_budgets_hold_in_sub_tasks_and_branches(tmp_path: Path) -> None:
    text = """
SET_BUDGET RUN_COUNT = 3
PARALLEL {
    STEP "a" { RUN "true" }
    STEP "b" { RUN "true" }
}
CALL "sub"
DEFINE_TASK "sub" { RUN "true"
    RUN "true" }
"""
    report, _ = run_with_events(text, tmp_path)
    assert outcome(report) == (6, "budget", 9)
    assert report["cost"]["RUNS"] == 3


def test_branches_together_never_pass_a_budget(tmp_path: Path) -> None:
    branches = "".join(f'STEP "{n}" {{ RUN "printf x >>ran" }}\n' for n in range(20))
    report, _ = run_with_events(
        f"PARALLEL {{\n{branches}}}", tmp_path, jobs=8, budget={"RUN_COUNT": 5}
    )
    assert outcome(report)[:2] == (6, "budget")
    assert report["cost"]["RUNS"] == 5
    assert {error["kind"] for error in report["suppressed"]} <= {"budget"}


@pytest.mark.parametrize("budget", ["EXECUTION_TIME = 300ms", "EXECUTION_TIME = 0.3"])
def test_a_running_command_is_killed_when_the_time_is_up(tmp_path: Path, budget: str) -> None:
    text = f"""
SET_BUDGET {budget}
STEP "s" {{ @timeout 60s
    @retry 2
    TRY {{ RUN "printf out; printf err >&2; sleep 97551" }} CATCH {{ }} }}
STEP "t" {{ }}
"""
    report, events = run_with_events(text, tmp_path, keep_going=True)
    assert outcome(report) == (6, "budget", 5)
    assert report["last_run"]["exit_code"] == 124
    assert (report["last_run"]["stdout"], report["last_run"]["stderr"]) == ("out", "err")
    (end,) = [event for event in named(events, "command_end") if event["type"] == "RUN"]
    assert (end["status"], end["exit_code"], end["stdout"]) == ("error", 124, "out")
    assert sleepers("97551") == []
    assert report["cost"]["TIME"] >= 0.3


def test_a_shorter_timeout_is_a_timeout_all_the_same(tmp_path: Path) -> None:
    text = 'SET_BUDGET EXECUTION_TIME = 1h\n@timeout 100ms\nRUN "sleep 97552"'
    assert outcome(run_with_events(text, tmp_path)[0])[:2] == (4, "timeout")


def test_nothing_starts_when_the_time_is_up(tmp_path: Path) -> None:
    for command in ("LOG 1", 'RUN "true"', 'WRITE "a" <<W\nW\n', 'CALL "c"', 'PROMPT_AGENT "x"'):
        text = f'DEFINE_TASK "c" {{ }}\nIF true {{ {command} }}'
        options: dict[str, Any] = {"budget": {"EXECUTION_TIME": 0}, "agent": "echo"}
        report, _ = run_with_events(text, tmp_path, **options)
        assert outcome(report) == (6, "budget", 2)
        assert (report["log"], report["cost"]["RUNS"]) == ([], 0)
    assert list(tmp_path.iterdir()) == []


def test_a_call_of_the_model_ends_when_the_time_is_up(tmp_path: Path) -> None:
    text = 'TRY { PROMPT_AGENT "x" } CATCH { LOG 1 }'
    with ChatServer(lambda request: server.silence()) as server:
        budget = {"EXECUTION_TIME": "300ms"}
        agent = f"http:{server.url}"
        report, _ = run_with_events(text, tmp_path, agent=agent, budget=budget)
    assert (outcome(report), report["caught"]) == ((6, "budget", 1), [])


def test_the_error_says_what_to_do() -> None:
    costs = Costs({"API_CALLS": 1})
    costs.spend(API_CALLS=1)
    with pytest.raises(TissBudgetError, match=r"API_CALLS of 1 .* 2") as caught:
        costs.spend(API_CALLS=1)
    assert "--budget API_CALLS=" in str(caught.value.hint)
    assert costs.counts["API_CALLS"] == 1


def test_calls_side_by_side_keep_a_budget_of_tokens(tmp_path: Path) -> None:
    """What a call may cost is held while it is under way."""
    steps = "".join(f'STEP "{i}" {{ PROMPT_AGENT "w" }}\n' for i in range(8))
    with ChatServer(lambda request: completion("r", usage={"total_tokens": 250})) as server:
        report = run_with_events(
            f"SET_BUDGET TOKEN_COUNT = 300\nPARALLEL {{\n{steps}}}",
            tmp_path,
            agent=f"{server.url}?model=m",
            jobs=8,
        )[0]
    assert outcome(report)[:2] == (6, "budget")
    assert report["cost"]["API_CALLS"] == 1


def test_what_is_held_is_given_back() -> None:
    costs = Costs({"TOKEN_COUNT": 300})
    for tokens in (3, 5):
        with costs.held({"API_CALLS": 1, "TOKENS": 257}, API_CALLS=1):
            costs.add(TOKENS=tokens)
    assert costs.counts == {"API_CALLS": 2, "TOKENS": 8, "RUNS": 0}
    with pytest.raises(RuntimeError), costs.held({"API_CALLS": 1, "TOKENS": 257}, API_CALLS=1):
        raise RuntimeError
    with costs.held({"API_CALLS": 1, "TOKENS": 292}, API_CALLS=1):
        pass
