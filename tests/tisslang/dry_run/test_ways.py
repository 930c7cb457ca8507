"""IF: both ways from one state when it is unknown, one way when it is known."""

from pathlib import Path

import pytest
from dry_runs import UNKNOWN, dry, last_status, statuses

START = 'RUN "x"\nVAR a = "1"\n'


def unknown_if(first: str, second: str = "") -> str:
    return f"{START}IF {UNKNOWN} {{\n{first}\n}} ELSE {{\n{second}\n}}\n"


@pytest.mark.parametrize(("value", "line"), [("1", 3), ("2", 5)])
def test_a_known_condition_takes_its_branch(value: str, line: int, tmp_path: Path) -> None:
    text = f'VAR a = "{value}"\nIF a == "1" {{\nLOG "yes"\n}} ELSE {{\nLOG "no"\n}}\n'
    report = dry(text, tmp_path)
    assert statuses(report) == [(1, "would_run"), (2, "would_run"), (line, "would_run")]
    assert report["log"] == [{"1": "yes", "2": "no"}[value]]


def test_a_known_condition_without_else(tmp_path: Path) -> None:
    assert statuses(dry("IF false { LOG 1 }\n", tmp_path)) == [(1, "would_run")]


def test_else_if_chains(tmp_path: Path) -> None:
    text = f'RUN "x"\nIF false {{\nLOG 1\n}} ELSE IF {UNKNOWN} {{\nLOG 2\n}} ELSE {{\nLOG 3\n}}\n'
    expected = [(1, "would_run"), (2, "would_run"), (4, "unknown")]
    assert statuses(dry(text, tmp_path)) == [*expected, (5, "~would_run"), (7, "~would_run")]


def test_both_ways_start_from_the_state_before(tmp_path: Path) -> None:
    text = unknown_if('VAR a = "2"\nASSERT a == "2"', 'ASSERT a == "1"')
    report = dry(text, tmp_path)
    assert statuses(report)[2:] == [
        (3, "unknown"),
        (4, "~would_run"),
        (5, "~would_pass"),
        (7, "~would_pass"),
    ]
    assert report["exit_code"] == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('VAR a = "2"', ""),
        ("", 'VAR a = "2"'),
        ('VAR a = "2"', 'VAR a = "3"'),
        ('VAR a = "2"', 'VAR a = "2"'),  # by the letter: also when it is the same
        ('VAR a = "1"', 'LOG "x"'),
        ('READ "f" AS a', ""),
        ('IF FILE "f" EXISTS { VAR a = 1 }', ""),
        ("TRY { VAR a = 1 } CATCH { }", ""),
        ("ESTIMATE_COST INTO a { LOG 1 }", ""),
        ('STEP "s" { VAR a = 1 }', ""),
        ('PARALLEL { STEP "s" { VAR a = 1 } }', ""),
        ('VAR a = "2"\nASSERT false', ""),  # as far as it goes
    ],
)
def test_what_either_assigns_is_unknown(first: str, second: str, tmp_path: Path) -> None:
    report = dry(unknown_if(first, second), tmp_path)
    assert report["exit_code"] == 0
    assert report["variables"] == {"a": "<unknown:a>"}


@pytest.mark.parametrize(
    "way", ['LOG "x"', 'VAR a ?= "2"', 'RUN "y"', 'ESTIMATE_COST { RUN "x" }', 'WRITE "f" <<W\nW']
)
def test_what_neither_assigns_stays(way: str, tmp_path: Path) -> None:
    assert dry(unknown_if(way), tmp_path)["variables"] == {"a": "1"}


def test_a_name_that_only_one_way_sets(tmp_path: Path) -> None:
    text = "IF 1 == 2 { VAR b = 1 }\n" + unknown_if('VAR b = "2"', "LOG b")
    report = dry(text + 'VAR b ?= "3"\nASSERT b == "2"\n', tmp_path)
    assert [status for _, status in statuses(report)[3:]] == [
        "unknown",
        "~would_run",
        "~would_fail",  # there it is not set
        "would_run",
        "unknown",
    ]
    assert report["variables"]["b"] == "<unknown:b>"


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        (("", ""), "would_fail"),
        (('RUN "y"', ""), "would_run"),
        (("", 'RUN "y"'), "would_run"),
        (('RUN "y"', 'RUN "z"'), "would_run"),
    ],
)
def test_last_run_behind_the_ways(ways: tuple[str, str], expected: str, tmp_path: Path) -> None:
    unset = 'RUN "x"\nIF true { PARALLEL { STEP "s" { LOG 1 } } }\n'  # behind which there is none
    choice = f"IF a IS_EMPTY {{\n{ways[0]}\n}} ELSE {{\n{ways[1]}\n}}\n"
    behind = f'READ "f" AS a\n{choice}LOG LAST_RUN.STDOUT\n'
    assert last_status(unset + behind, tmp_path) == expected
    assert dry('RUN "x"\n' + behind, tmp_path)["log"] == ["<unknown:LAST_RUN.STDOUT>"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ('WRITE "f" <<W\n2\nW', "", "<unknown:x>"),
        ('WRITE "f" <<W\n2\nW', 'WRITE "f" <<W\n3\nW', "<unknown:x>"),
        ('WRITE "f" <<W\n2\nW', 'WRITE "f" <<W\n2\nW', "2\n"),
        ('WRITE "g" <<W\n2\nW', "", "<unknown:x>"),  # the RUN may have made g a link to f
        ("VAR g = 1", "", "1\n"),
        ('RUN "y"', "", "<unknown:x>"),
        ('RUN "y"', 'WRITE "f" <<W\n1\nW', "<unknown:x>"),
        ('DELETE "f"', "", "<unknown:x>"),
        ('DELETE "f"\nWRITE "f" <<W\n1\nW', "", "1\n"),
    ],
)
def test_files_behind_the_ways(first: str, second: str, expected: str, tmp_path: Path) -> None:
    text = unknown_if(first, second).replace(START, START + 'WRITE "f" <<W\n1\nW\n')
    report = dry(text + 'READ "f" AS x\nLOG x\n', tmp_path)
    assert report["exit_code"] == 0
    assert report["log"] == [expected]


@pytest.mark.parametrize(
    "command", ["ASSERT 1 == 2", "LOG b", 'ASSERT "a" < 1', 'DELETE "f/x"\nREAD "f/x" AS s']
)
def test_an_error_ends_its_branch_only(command: str, tmp_path: Path) -> None:
    text = f'READ "f" AS s\nIF s IS_EMPTY {{\n{command}\nLOG "not reached"\n}}\nLOG "after"\n'
    report = dry("IF 1 == 2 { VAR b = 1 }\n" + text, tmp_path)
    assert report["exit_code"] == 0
    assert report["error"] is None
    assert [status for _, status in statuses(report)[-2:]] == ["~would_fail", "would_run"]
    assert report["log"] == ["after"]


def test_a_nested_unknown_keeps_its_error_to_itself(tmp_path: Path) -> None:
    text = unknown_if(f"IF {UNKNOWN} {{\nASSERT false\n}}\nLOG 1")
    report = dry(text, tmp_path)
    assert statuses(report)[3:] == [(4, "~unknown"), (5, "~would_fail"), (7, "~would_run")]


def test_an_error_of_the_condition_itself(tmp_path: Path) -> None:
    report = dry('VAR a = 1\nIF a CONTAINS "x" {\nLOG 1\n}\n', tmp_path)
    assert (report["exit_code"], report["error"]["kind"]) == (4, "type")
    assert statuses(report)[-1] == (2, "would_fail")
    report = dry(unknown_if('IF a == true {\nLOG "x"\n}'), tmp_path)
    assert (report["exit_code"], statuses(report)[-1]) == (0, (4, "~would_fail"))


def test_directives_hold_in_their_branch_only(tmp_path: Path) -> None:
    report = dry(unknown_if('@cwd "../x"', 'RUN "y"') + 'RUN "z"\n', tmp_path)
    assert report["exit_code"] == 0
    assert dry(unknown_if('@cwd "../x"\nRUN "y"'), tmp_path)["exit_code"] == 5
