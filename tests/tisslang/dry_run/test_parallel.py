"""PARALLEL: its steps one after another, each as if the others ran at the same time."""

from pathlib import Path

import pytest
from dry_runs import UNKNOWN, dry, last_status, statuses


def parallel(first: str, second: str = "LOG 2") -> str:
    return f'PARALLEL {{\nSTEP "a" {{\n{first}\n}}\nSTEP "b" {{\n{second}\n}}\n}}\n'


def test_the_steps_come_in_the_order_of_the_source(tmp_path: Path) -> None:
    report = dry(parallel("LOG 1\nLOG 2", "LOG 3"), tmp_path)
    assert [(entry["line"], entry["steps"]) for entry in report["plan"]] == [
        (3, ["a"]),
        (4, ["a"]),
        (7, ["b"]),
    ]
    assert report["log"] == ["1", "2", "3"]
    assert [step["status"] for step in report["steps"]] == ["passed", "passed"]


def test_names_are_copied_and_merged(tmp_path: Path) -> None:
    text = parallel("VAR x = 1\nASSERT x == 1", 'READ "f" AS y\nLOG y')
    report = dry("VAR x = 0\n" + text + "ASSERT x == 1\nLOG y\n", tmp_path)
    assert report["exit_code"] == 0
    assert report["variables"] == {"x": 1, "y": "<unknown:y>"}


def test_last_run_is_unset_behind_it(tmp_path: Path) -> None:
    text = "IF true {\n" + parallel('RUN "y"') + "}\nLOG LAST_RUN.STDOUT\n"
    report = dry('IF 1 == 2 { RUN "x" }\n' + text, tmp_path)
    assert (report["exit_code"], report["error"]["kind"]) == (4, "undefined")
    assert report["last_run"] is None


def test_an_error_lets_the_others_finish_and_merges_nothing(tmp_path: Path) -> None:
    text = parallel("VAR x = 1\nASSERT false", "VAR y = 1\nASSERT x == 1")
    report = dry("VAR x = 0\nTRY {\n" + text + "} CATCH {\nLOG ERROR.LINE\n}\nLOG x\n", tmp_path)
    assert [status for _, status in statuses(report)[1:5]] == [
        "would_run",
        "would_fail",
        "would_run",
        "would_fail",  # it does not see what the other assigned
    ]
    assert report["log"] == ["6", "0"]
    assert report["variables"] == {"x": 0}
    assert len(report["suppressed"]) == 1


def test_security_ends_all(tmp_path: Path) -> None:
    report = dry(parallel('READ "../x" AS x'), tmp_path)
    assert report["exit_code"] == 5
    assert statuses(report) == [(3, "would_fail")]


def test_it_may_be_conditional(tmp_path: Path) -> None:
    text = f'RUN "x"\nVAR x = 0\nIF {UNKNOWN} {{\n{parallel("VAR x = 1")}}}\n'
    report = dry(text, tmp_path)
    assert statuses(report)[3:] == [(6, "~would_run"), (9, "~would_run")]
    assert report["variables"] == {"x": "<unknown:x>"}


W = 'WRITE "f" <<W\n1\nW'
READ = 'READ "f" AS x\nLOG x\n'


@pytest.mark.parametrize(
    ("before", "first", "second", "expected"),
    [
        ("", W, "LOG 2", "1\n"),
        (W, "LOG 2", "LOG 2", "1\n"),
        ('RUN "x"\n' + W, "LOG 2", "LOG 2", "1\n"),
        (W, W.replace("1", "2"), "LOG 2", "2\n"),
        (W, W.replace("1", "2"), W.replace("1", "3"), "<unknown:x>"),
        (W, 'RUN "x"', "LOG 2", "<unknown:x>"),
        (W, "LOG 2", 'RUN "x"', "<unknown:x>"),
        ("", W, 'RUN "x"', "<unknown:x>"),
        (W, 'READ "n" AS n\nWRITE "{{n}}" <<W\nW', "LOG 2", "<unknown:x>"),
        (W, 'MKDIR "g"', "LOG 2", "1\n"),
    ],
)
def test_files_behind_it(
    before: str, first: str, second: str, expected: str, tmp_path: Path
) -> None:
    report = dry(f"{before}\n{parallel(first, second)}{READ}", tmp_path)
    assert report["exit_code"] == 0
    assert report["log"][-1] == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("LOG 2", "1\n"),
        ('WRITE "g" <<W\n2\nW', "1\n"),
        ('WRITE "f" <<W\n2\nW', "<unknown:x>"),
        ('WRITE "./d/../f" <<W\n2\nW', "<unknown:x>"),
        ('DELETE "f"', "<unknown:x>"),
        ('MKDIR "f/g"', "<unknown:x>"),
        ('RUN "x"', "<unknown:x>"),
        ('CALL "t"', "<unknown:x>"),
        ('IF 1 == 2 { RUN "x" }', "<unknown:x>"),  # a look at the text alone is enough
        ('VAR p = "g"\nWRITE "{{p}}" <<W\nW', "<unknown:x>"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
def test_what_another_branch_may_change_is_not_known(
    swapped: bool, other: str, expected: str, tmp_path: Path
) -> None:
    branches = [READ, other][:: -1 if swapped else 1]
    define = 'DEFINE_TASK "t" { RUN "y" }\n'
    report = dry(f"{define}{W}\n{parallel(*branches)}", tmp_path)
    assert expected in report["log"]


def test_a_branch_may_be_cut_short(tmp_path: Path) -> None:
    text = parallel('RUN "x"\nVAR x = 1', "VAR y = 1")
    text = f"VAR y = 0\nTRY {{\n{text}}} CATCH {{\nLOG y\n}}\n"
    assert dry(text, tmp_path)["log"] == ["<unknown:y>"]
    assert last_status(text + "ASSERT y == 1\n", tmp_path) == "unknown"


def test_costs_are_shared(tmp_path: Path) -> None:
    text = parallel('RUN "x"\nASSERT COST.RUNS == 1', 'RUN "y"') + "ASSERT COST.RUNS == 2\n"
    report = dry(text, tmp_path)
    assert [status for _, status in statuses(report)] == [
        "would_run",
        "unknown",  # the other one counts at the same time
        "would_run",
        "would_pass",
    ]
