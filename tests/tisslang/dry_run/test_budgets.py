"""What a plan costs as far as that is known, and the budgets that it would exceed."""

from pathlib import Path

import pytest
from dry_runs import UNKNOWN, dry, last_status, statuses

RUN = 'RUN "x"\n'
ASK = 'PROMPT_AGENT "a b c"\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SET_BUDGET RUN_COUNT = 1\n" + RUN + RUN, 3),
        ("SET_BUDGET RUN_COUNT = 0\n" + RUN, 2),
        (RUN + "SET_BUDGET RUN_COUNT = 1\n" + RUN, 3),
        ("SET_BUDGET API_CALLS = 1\n" + ASK + ASK, 3),
        ("SET_BUDGET COST = 1\n" + ASK, 2),
        ("SET_BUDGET TOKEN_COUNT = 258\n" + ASK, 2),
        ("SET_BUDGET EXECUTION_TIME = 0\nLOG 1\n", 2),
    ],
)
def test_a_budget_that_is_certain_to_be_exceeded(text: str, line: int, tmp_path: Path) -> None:
    for plan in (text, f"TRY {{ LOG 0 }} CATCH {{ }}\n{text}"):
        report = dry(plan, tmp_path)
        assert (report["exit_code"], report["error"]["kind"]) == (6, "budget")
        assert report["error"]["line"] == line + plan.count("CATCH")
        assert statuses(report)[-1][1] == "would_fail"


@pytest.mark.parametrize(
    "text",
    [
        "SET_BUDGET RUN_COUNT = 1\n" + RUN,
        "SET_BUDGET API_CALLS = 1\n" + ASK,
        "SET_BUDGET TOKEN_COUNT = 259\n" + ASK + ASK,  # what the first reply costs is not known
        "SET_BUDGET EXECUTION_TIME = 1ms\n" + RUN,
        "SET_BUDGET RUN_COUNT = 0\nSET_BUDGET RUN_COUNT = 1\n" + RUN,
        'READ "f" AS a\nSET_BUDGET TOKEN_COUNT = 258\nPROMPT_AGENT "b {{a}}"\n',
        "SET_BUDGET RUN_COUNT = 0\nESTIMATE_COST { RUN 'x' }\n",
    ],
)
def test_a_budget_that_may_be_kept(text: str, tmp_path: Path) -> None:
    assert dry(text, tmp_path)["exit_code"] == 0


def test_the_operator_has_the_last_word(tmp_path: Path) -> None:
    text = "SET_BUDGET RUN_COUNT = 9\n" + RUN + RUN
    assert dry(text, tmp_path, budget={"RUN_COUNT": 1})["exit_code"] == 6
    assert dry(text, tmp_path, budget={"RUN_COUNT": 2})["exit_code"] == 0


def ways(first: str, second: str) -> str:
    return f'READ "f" AS a\nIF a IS_EMPTY {{\n{first}}} ELSE {{\n{second}}}\n'


def test_behind_several_ways_the_dearer_one_counts(tmp_path: Path) -> None:
    text = "SET_BUDGET RUN_COUNT = 2\n" + ways(RUN + RUN, RUN)
    assert dry(text, tmp_path)["exit_code"] == 0  # the ways do not add up
    report = dry(text + RUN, tmp_path)
    assert (report["exit_code"], report["plan"][-1]["line"]) == (6, 9)
    assert dry("SET_BUDGET API_CALLS = 1\n" + ways(ASK, "") + ASK, tmp_path)["exit_code"] == 6


def test_a_way_that_exceeds_a_budget_is_not_excused(tmp_path: Path) -> None:
    text = "SET_BUDGET RUN_COUNT = 1\n" + ways(RUN + RUN, "")
    assert dry(text, tmp_path)["exit_code"] == 6


@pytest.mark.parametrize(
    ("first", "second", "exit_code"),
    [
        ("SET_BUDGET RUN_COUNT = 0\n", "", 0),  # a budget of one way does not bind the other
        ("", "SET_BUDGET RUN_COUNT = 0\n", 0),
        ("SET_BUDGET RUN_COUNT = 0\n", "SET_BUDGET RUN_COUNT = 1\n", 0),
        ("SET_BUDGET RUN_COUNT = 0\n", "SET_BUDGET RUN_COUNT = 0\n", 6),
    ],
)
def test_budgets_behind_several_ways(
    first: str, second: str, exit_code: int, tmp_path: Path
) -> None:
    assert dry(ways(first, second) + RUN, tmp_path)["exit_code"] == exit_code


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RUN + RUN + "ASSERT COST.RUNS == 2\n", "would_pass"),
        (RUN + "ASSERT COST.RUNS == 2\n", "would_fail"),
        (ASK + "ASSERT COST.API_CALLS == 1\n", "would_pass"),
        (ASK + "ASSERT COST.TOKENS > 0\n", "unknown"),
        (ASK + "ASSERT COST > 1\n", "unknown"),
        (RUN + "ASSERT COST == 0\n", "would_pass"),
        ("ASSERT COST.TIME < 3600\n", "unknown"),
        (ways(RUN, "") + "ASSERT COST.RUNS == 1\n", "unknown"),
        (ways(RUN, RUN) + "ASSERT COST.RUNS == 1\n", "would_pass"),
        (ways(RUN, "") + "ASSERT COST.API_CALLS == 0\n", "would_pass"),
        (f"{RUN}TRY {{\nASSERT {UNKNOWN}\n{RUN}}} CATCH {{ }}\nASSERT COST.RUNS == 2\n", "unknown"),
        ('ESTIMATE_COST INTO c { PROMPT_AGENT "a b" }\nASSERT c == 1.258\n', "would_pass"),
    ],
)
def test_what_is_known_of_the_cost(text: str, expected: str, tmp_path: Path) -> None:
    assert last_status(text, tmp_path) == expected


def test_the_report_counts_what_was_planned(tmp_path: Path) -> None:
    cost = dry(RUN + ASK + ASK, tmp_path)["cost"]
    assert {name: cost[name] for name in ("RUNS", "API_CALLS", "TOKENS")} == {
        "RUNS": 1,
        "API_CALLS": 2,
        "TOKENS": 0,
    }
