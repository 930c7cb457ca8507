"""TRY and CATCH: an error that is certain is handled as in a run; else CATCH is conditional."""

from pathlib import Path

import pytest
from dry_runs import UNKNOWN, dry, last_status, statuses

TRY = "TRY {{\n{}\n}} CATCH {{\n{}\n}}\n"
RUN = 'RUN "x"\n'


def test_a_certain_error_is_handled(tmp_path: Path) -> None:
    text = TRY.format(
        "VAR a = 1\nASSERT a == 2\nLOG a",
        'ASSERT ERROR.KIND == "assert"\nASSERT ERROR.LINE == 3\n'
        'ASSERT ERROR.MESSAGE CONTAINS "a == 2"\nVAR a = 3',
    )
    report = dry(text + "ASSERT a == 3\n", tmp_path)
    assert report["exit_code"] == 0
    assert [error["kind"] for error in report["caught"]] == ["assert"]
    assert statuses(report) == [
        (2, "would_run"),
        (3, "would_fail"),
        *[(line, "would_pass") for line in (6, 7, 8)],
        (9, "would_run"),
        (11, "would_pass"),
    ]


def test_without_one_the_handler_is_conditional(tmp_path: Path) -> None:
    for body in ("LOG 1", f"ASSERT {UNKNOWN}"):
        report = dry(RUN + TRY.format(body, "LOG ERROR.KIND") + "LOG 2\n", tmp_path)
        assert report["exit_code"] == 0
        assert report["caught"] == []
        assert [status for _, status in statuses(report)][2:] == ["~would_run", "would_run"]
        assert report["log"][-2:] == ["<unknown:ERROR.KIND>", "2"]


@pytest.mark.parametrize("field", ["KIND", "MESSAGE", "LINE"])
def test_error_is_unknown_in_a_conditional_handler(field: str, tmp_path: Path) -> None:
    report = dry(TRY.format("LOG 1", f"LOG ERROR.{field}"), tmp_path)
    assert report["log"] == ["1", f"<unknown:ERROR.{field}>"]


def test_another_error_could_have_come_first(tmp_path: Path) -> None:
    """The handler runs for certain, but which error it handles is not known."""
    text = TRY.format('READ "f" AS a\nVAR b = 1\nASSERT false', 'ASSERT ERROR.KIND == "assert"')
    report = dry(text + "LOG 1\n", tmp_path)
    assert statuses(report)[-3:] == [(4, "would_fail"), (6, "unknown"), (8, "would_run")]
    assert report["variables"]["b"] == "<unknown:b>"


def test_what_the_handler_assigns_is_unknown(tmp_path: Path) -> None:
    report = dry(TRY.format("VAR a = 1\nVAR b = 1", "VAR a = 2"), tmp_path)
    assert report["variables"] == {"a": "<unknown:a>", "b": 1}


@pytest.mark.parametrize(
    ("before", "known"),
    [
        (f"ASSERT {UNKNOWN}", False),
        ('RUN "y"', False),
        ('READ "f" AS x', False),
        ('WRITE "f" <<W\nW', False),
        ('DELETE "f"', False),
        ('PROMPT_AGENT "x"', False),
        (f"IF {UNKNOWN} {{ }}", False),
        ('CALL "t"', False),
        ("TRY { LOG 1 } CATCH { LOG 2 }", False),
        ("ASSERT 1 == 1", True),
        ('LOG "x"', True),
        ('PAUSE "x"', True),
        ("SET_BUDGET RUN_COUNT = 9", True),
        ("TRY { ASSERT false } CATCH { LOG 2 }", True),
        ("IF 1 == 1 { LOG 2 }", True),
    ],
)
def test_what_stands_behind_a_possible_error_may_not_have_come(
    before: str, known: bool, tmp_path: Path
) -> None:
    """The body may have been left before it assigned the name."""
    define = f'DEFINE_TASK "t" {{\nASSERT {UNKNOWN}\n}}\n'
    text = define + RUN + "VAR a = 1\n" + TRY.format(before + "\nVAR a = 2", "")
    status = last_status(text + "ASSERT a == 2\n", tmp_path)
    assert status == ("would_pass" if known else "unknown")
    assert last_status(text + "ASSERT a == 3\n", tmp_path) == ("would_fail" if known else "unknown")


def test_a_handler_inside_does_not_hide_what_came_before_it(tmp_path: Path) -> None:
    inner = TRY.format("LOG 1", "")
    text = TRY.format(f'READ "f" AS f\nVAR a = 2\n{inner}LOG 2', "")
    assert dry("VAR a = 1\n" + text, tmp_path)["variables"]["a"] == "<unknown:a>"


def test_a_file_that_is_changed_and_changed_back(tmp_path: Path) -> None:
    write = 'WRITE "f" <<W\n{}\nW\n'
    body = write.format(2) + write.format(1)
    text = write.format(1) + TRY.format(body + "LOG 1", "") + 'READ "f" AS x\nLOG x\n'
    assert dry(text, tmp_path)["log"][-1] == "<unknown:x>"


def test_the_handler_sees_the_body_cut_short(tmp_path: Path) -> None:
    text = f'VAR a = 1\nVAR b = 1\n{RUN}WRITE "f" <<W\n1\nW\n' + TRY.format(
        f'VAR a = 2\nASSERT {UNKNOWN}\nVAR b = 2\nWRITE "f" <<W\n2\nW\nVAR c = 2',
        'ASSERT a == 2\nASSERT b == 2\nREAD "f" AS f\nLOG f\nLOG c',
    )
    report = dry(text, tmp_path)
    assert [status for _, status in statuses(report)[-5:]] == [
        "~would_pass",
        "~unknown",
        *["~would_run"] * 3,
    ]
    assert report["log"] == ["<unknown:f>", "<unknown:c>"]


def test_an_error_in_the_handler(tmp_path: Path) -> None:
    certain = dry(TRY.format("ASSERT false", "ASSERT 1 == 2"), tmp_path)
    assert (certain["exit_code"], certain["error"]["line"]) == (1, 4)
    perhaps = dry(TRY.format("LOG 1", "ASSERT 1 == 2\nLOG 2") + "LOG 3\n", tmp_path)
    assert perhaps["exit_code"] == 0
    assert statuses(perhaps) == [(2, "would_run"), (4, "~would_fail"), (7, "would_run")]


def test_handlers_restore_the_outer_error(tmp_path: Path) -> None:
    inner = TRY.format("ASSERT false", 'ASSERT ERROR.KIND == "assert"')
    text = TRY.format('ASSERT "a" < 1', inner + 'ASSERT ERROR.KIND == "type"')
    report = dry(text, tmp_path)
    assert [status for _, status in statuses(report)] == ["would_fail"] * 2 + ["would_pass"] * 2
    assert [error["kind"] for error in report["caught"]] == ["type", "assert"]


def test_an_error_caught_in_a_conditional_branch_is_not_reported_as_caught(tmp_path: Path) -> None:
    text = f"{RUN}IF {UNKNOWN} {{\n{TRY.format('ASSERT false', 'LOG 1')}}}\n"
    report = dry(text, tmp_path)
    assert report["caught"] == []
    assert statuses(report)[-2:] == [(4, "~would_fail"), (6, "~would_run")]


def test_keep_going_comes_to_the_next_step_after_an_error_too(tmp_path: Path) -> None:
    text = f'{RUN}STEP "a" {{\nASSERT {UNKNOWN}\nVAR a = 1\n}}\nSTEP "b" {{\nASSERT a == 1\n}}\n'
    assert last_status(text, tmp_path) == "would_pass"
    assert last_status(text, tmp_path, keep_going=True) == "unknown"


def test_keep_going_after_an_error_that_is_certain(tmp_path: Path) -> None:
    text = 'STEP "a" { ASSERT false }\nLOG "no"\nSTEP "b" { LOG "yes" }\nSTEP "c" { LOG x }\n'
    report = dry(text, tmp_path, keep_going=True, var={"x": "1"})
    assert report["exit_code"] == 1
    assert report["log"] == ["yes", "1"]


def test_retry_walks_the_body_again(tmp_path: Path) -> None:
    text = 'STEP "a" {\n@retry 2\nLOG "x"\nASSERT false\n}\n'
    report = dry(text, tmp_path)
    assert report["exit_code"] == 1
    assert report["steps"][0]["attempts"] == 3
    assert statuses(report) == [(3, "would_run"), (4, "would_fail")] * 3
