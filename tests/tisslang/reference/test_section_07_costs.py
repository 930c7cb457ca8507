"""Section 7.7: what a run costs, estimates, and budgets."""

from pathlib import Path
from typing import Any

import pytest
from conformance import found, logged, run
from conformance_runs import events_of, named


def estimate(body: str, root: Path, before: str = "", after: str = "") -> Any:
    """The total of an ESTIMATE_COST block."""
    text = f"{before}\nESTIMATE_COST INTO total {{\n{body}\n}}\n{after}"
    return run(text, root)["variables"]["total"]


def test_the_counters(tmp_path: Path) -> None:
    text = 'RUN "true"\nRUN "false"\nPROMPT_AGENT "one two" INTO v'
    cost = run(text, tmp_path, agent="echo")["cost"]
    assert 0 < cost.pop("TIME") < 60
    assert cost == {"API_CALLS": 1, "TOKENS": 4, "RUNS": 2, "TOTAL": 1.004}


def test_a_run_that_a_budget_refuses_is_not_counted(tmp_path: Path) -> None:
    cost = run('SET_BUDGET RUN_COUNT = 0\nRUN "true"', tmp_path)["cost"]
    assert cost["RUNS"] == 0


@pytest.mark.parametrize("name", ["COST", "COST.TOTAL"])
def test_cost_is_the_total(tmp_path: Path, name: str) -> None:
    words = " ".join(["w"] * 250)
    ask = f'PROMPT_AGENT "{words}"'
    text = f'LOG {name}\n{ask}\nLOG "{{{{{name}}}}}"\n{ask}\nLOG {name}'
    assert logged(text, tmp_path, agent="echo") == ["0", "1.5", "3"]  # an integer when whole


def test_the_other_fields_of_cost(tmp_path: Path) -> None:
    text = (
        'RUN "true"\nPROMPT_AGENT "a b"\n'
        'LOG "{{COST.API_CALLS}} {{COST.TOKENS}} {{COST.RUNS}}"\n'
        "ASSERT COST.TIME > 0\nASSERT COST.TIME < 60"
    )
    assert logged(text, tmp_path, agent="echo") == ["1 4 1"]


def test_the_rates_can_be_configured_and_time_has_none(tmp_path: Path) -> None:
    rates = {"API_CALLS": 2.0, "TOKENS": 0.5, "RUNS": 10.0}
    text = 'RUN "sleep 0.2"\nPROMPT_AGENT "a b"'
    assert run(text, tmp_path, agent="echo", rates=rates)["cost"]["TOTAL"] == 14
    with pytest.raises(ValueError, match="TIME"):
        run(text, tmp_path, rates={"TIME": 1.0})


@pytest.mark.parametrize(
    ("body", "total"),
    [
        ("LOG 1", 0),
        ('RUN "true"', 0),
        ('PROMPT_AGENT "one two"', 1 + 258 / 1000),
        ('PROMPT_AGENT "one two"\nPROMPT_AGENT "x" INTO v', 2 + (258 + 257) / 1000),
        ('IF true { PROMPT_AGENT "a" } ELSE { PROMPT_AGENT "a b c" }', 1 + 259 / 1000),
        ('IF true { PROMPT_AGENT "a" }', 1 + 257 / 1000),
        ('IF true { LOG 1 } ELSE IF true { PROMPT_AGENT "a" } ELSE { }', 1 + 257 / 1000),
        ('CALL "asks"\nCALL "asks"', 2 + 514 / 1000),
        ('TRY { PROMPT_AGENT "a" } CATCH { }', 1 + 257 / 1000),
    ],
)
def test_what_is_added_up(tmp_path: Path, body: str, total: float) -> None:
    asks = 'DEFINE_TASK "asks" { PROMPT_AGENT "a" }'
    assert estimate(body, tmp_path, after=asks) == pytest.approx(total, abs=1e-12)


def test_the_words_are_those_of_the_template(tmp_path: Path) -> None:
    """A reference counts as it is written, not by its value, which may not be there yet."""
    total = estimate('PROMPT_AGENT "say {{x}}"', tmp_path, before='VAR x = "a b c d e f g"')
    assert total in (1.258, 1.257)  # the reference is one word, or none


def test_each_run_is_one_run(tmp_path: Path) -> None:
    text = 'ESTIMATE_COST INTO total { RUN "true"\nIF true { RUN "true" } }'
    assert run(text, tmp_path, rates={"RUNS": 3.0})["variables"] == {"total": 6}


def test_an_estimate_is_an_event(tmp_path: Path) -> None:
    text = 'LOG 1\nESTIMATE_COST { PROMPT_AGENT "x" }'
    (event,) = named(events_of(text, tmp_path), "estimate")
    assert (event["line"], event["cost"]) == (2, 1.257)


def test_nothing_in_it_is_executed(tmp_path: Path) -> None:
    text = """VAR x = 1
    ESTIMATE_COST INTO total {
        VAR x = 2
        MKDIR "d"
        RUN "touch f"
        PROMPT_AGENT "x" INTO y
        PAUSE "wait"
        ASSERT false
        LOG "never"
        READ "../x" AS z
    }"""
    report = run(text, tmp_path)
    assert (report["status"], report["log"]) == ("passed", [])
    assert report["variables"] == {"x": 1, "total": 1.257}
    assert list(tmp_path.iterdir()) == []
    cost = report["cost"]
    assert (cost["API_CALLS"], cost["TOKENS"], cost["RUNS"]) == (0, 0, 0)
    assert report["last_run"] is None


def test_assignments_in_it_do_not_happen(tmp_path: Path) -> None:
    assert found("ESTIMATE_COST { VAR x = 1 }\nLOG x") == ["T110 2:5"]


def test_a_budget_in_it_is_not_set(tmp_path: Path) -> None:
    text = 'ESTIMATE_COST { SET_BUDGET RUN_COUNT = 0 }\nRUN "true"'
    assert run(text, tmp_path)["status"] == "passed"


def test_into_is_optional(tmp_path: Path) -> None:
    report = run('ESTIMATE_COST { RUN "true" }', tmp_path)
    assert (report["status"], report["variables"]) == ("passed", {})


# budgets

WITHIN = [
    ("RUN_COUNT = 2", 'RUN "true"\nRUN "true"'),
    ("API_CALLS = 1", 'PROMPT_AGENT "x"'),
    ("TOKEN_COUNT = 258", 'PROMPT_AGENT "x y"'),
    ("COST = 1.257", 'PROMPT_AGENT "x"'),
    ("EXECUTION_TIME = 5m", 'RUN "true"'),
    ("EXECUTION_TIME = 300", 'RUN "true"'),
    ("RUN_COUNT = 0", "LOG 1"),
]
BEYOND = [
    ("RUN_COUNT = 1", 'RUN "touch a"', 'RUN "touch b"'),
    ("API_CALLS = 1", 'PROMPT_AGENT "x"', 'PROMPT_AGENT "x"'),
    ("TOKEN_COUNT = 256", "LOG 1", 'PROMPT_AGENT "x"'),  # by the estimate: 257
    ("TOKEN_COUNT = 258", 'PROMPT_AGENT "x"', 'PROMPT_AGENT "x"'),  # 2 + 257
    ("COST = 1.256", "LOG 1", 'PROMPT_AGENT "x"'),
    ("COST = 0", 'RUN "true"', 'PROMPT_AGENT "x"'),
    ("EXECUTION_TIME = 0", "LOG 1", 'RUN "touch b"'),
]


@pytest.mark.parametrize(("budget", "body"), WITHIN)
def test_within_a_budget(tmp_path: Path, budget: str, body: str) -> None:
    assert run(f"SET_BUDGET {budget}\n{body}", tmp_path, agent="echo")["status"] == "passed"


@pytest.mark.parametrize(("budget", "fits", "exceeds"), BEYOND)
def test_a_command_that_would_exceed_is_refused_before_it_starts(
    tmp_path: Path, budget: str, fits: str, exceeds: str
) -> None:
    text = (
        f'SET_BUDGET {budget}\n{fits}\nTRY {{\n{exceeds}\nLOG "never"\n}} CATCH {{ LOG "caught" }}'
    )
    report = run(text, tmp_path, agent="echo")
    assert (report["error"]["kind"], report["exit_code"]) == ("budget", 6)
    assert set(report["log"]) <= {"1"}
    assert not (tmp_path / "b").exists()


def test_a_running_command_is_killed_when_time_is_up(tmp_path: Path) -> None:
    text = 'SET_BUDGET EXECUTION_TIME = 400ms\nRUN "touch started; sleep 71.1409; touch never"'
    report = run(text, tmp_path)
    assert (report["error"]["kind"], report["exit_code"]) == ("budget", 6)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["started"]


def test_a_budget_is_compared_with_the_totals_since_the_start(tmp_path: Path) -> None:
    text = 'RUN "true"\nRUN "true"\nSET_BUDGET RUN_COUNT = 2\nLOG 1\nRUN "true"'
    report = run(text, tmp_path)
    assert (report["error"]["line"], report["log"]) == (5, ["1"])


def test_a_budget_holds_to_the_end_of_the_run(tmp_path: Path) -> None:
    text = 'STEP "a" { IF true { SET_BUDGET RUN_COUNT = 1 } }\nRUN "true"\nRUN "true"'
    assert run(text, tmp_path)["error"]["line"] == 3


def test_a_budget_replaces_the_earlier_one(tmp_path: Path) -> None:
    text = 'SET_BUDGET RUN_COUNT = 1\nSET_BUDGET RUN_COUNT = 3\nRUN "true"\nRUN "true"\nRUN "true"'
    assert run(text, tmp_path)["status"] == "passed"


@pytest.mark.parametrize(("operator", "script"), [(1, 9), (9, 1)])
def test_never_above_the_operator_s(tmp_path: Path, operator: int, script: int) -> None:
    text = f'SET_BUDGET RUN_COUNT = {script}\nRUN "true"\nRUN "true"'
    report = run(text, tmp_path, budget=[f"RUN_COUNT={operator}"])
    assert (report["error"]["kind"], report["cost"]["RUNS"]) == ("budget", 1)


@pytest.mark.parametrize(
    "budget",
    [
        "TOKENS = 5",
        "RUNS = 5",
        "TIME = 5s",
        "cost = 5",
        "RUN_COUNT = 5s",
        "COST = 1m",
        "RUN_COUNT = -1",
        "EXECUTION_TIME = -5",
    ],
)
def test_another_name_or_a_bad_value(budget: str) -> None:
    (diagnostic,) = found(f"SET_BUDGET {budget}")
    assert diagnostic.startswith("T107 1:")


def test_a_budget_cannot_be_text() -> None:
    assert found('SET_BUDGET EXECUTION_TIME = "5m"')[0].startswith("T001")


@pytest.mark.parametrize("resource", ["RUN_COUNT", "COST", "EXECUTION_TIME"])
def test_a_budget_may_be_an_integer_of_any_size(tmp_path: Path, resource: str) -> None:
    text = f'SET_BUDGET {resource} = {"9" * 400}\nRUN "true"'
    assert run(text, tmp_path)["status"] == "passed"
