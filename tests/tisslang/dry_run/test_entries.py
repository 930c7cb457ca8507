"""The `plan` of the report: which statements have an entry, and what it says."""

from pathlib import Path
from typing import Any

import pytest
from dry_runs import EVERYTHING, dry

FIELDS = ["line", "type", "summary", "conditional", "status", "steps"]
STATUSES = {"would_run", "would_pass", "would_fail", "unknown"}
COMMANDS = {"READ", "WRITE", "RUN", "ASSERT", "VAR", "LOG", "MKDIR", "DELETE", "CALL"}
COMMANDS |= {"PROMPT_AGENT", "SET_BUDGET", "PAUSE", "REQUEST_REVIEW"}


def test_each_entry_has_the_fields_of_the_reference(tmp_path: Path) -> None:
    plan = dry(EVERYTHING, tmp_path)["plan"]
    for entry in plan:
        assert list(entry) == FIELDS
        assert type(entry["line"]) is int
        assert type(entry["conditional"]) is bool
        assert entry["status"] in STATUSES
        assert entry["status"] != "would_pass" or entry["type"] == "ASSERT"
        assert entry["status"] != "unknown" or entry["type"] in ("ASSERT", "IF", "CHOOSE")
        assert entry["summary"].startswith(entry["type"])
        assert all(isinstance(step, str) for step in entry["steps"])
    assert {entry["type"] for entry in plan} == COMMANDS | {"IF", "CHOOSE"}


def test_the_entries_come_in_the_order_of_the_walk(tmp_path: Path) -> None:
    plan = dry(EVERYTHING, tmp_path)["plan"]
    found = [(e["line"], "~" * e["conditional"] + e["status"], e["steps"]) for e in plan]
    assert found == [
        (9, "would_run", ["Tools"]),
        (10, "would_run", ["Tools"]),
        (15, "would_run", ["Write"]),
        (18, "would_run", ["Write"]),
        (19, "would_pass", ["Write"]),
        (20, "would_run", ["Write"]),
        (21, "would_run", ["Write"]),
        (25, "would_run", ["Write"]),
        (4, "would_run", ["Write", "compile"]),
        (5, "unknown", ["Write", "compile"]),
        (29, "would_run", ["Check"]),
        (30, "would_run", ["Check"]),
        (34, "unknown", ["Check"]),
        (35, "~would_run", ["Check"]),
        (37, "~would_run", ["Check"]),
        (39, "~would_run", ["Check"]),
        (43, "~would_fail", ["Check", "Inner"]),
        (46, "unknown", ["Check"]),
        (48, "~would_run", ["Check"]),
        (51, "~would_run", ["Check"]),
        (52, "~would_run", ["Check"]),
        (62, "would_run", ["Side by side", "a"]),
        (65, "would_run", ["Side by side", "b"]),
        (69, "would_fail", ["Side by side"]),
        (71, "would_pass", ["Side by side"]),
        (73, "would_run", ["Side by side"]),
        (74, "would_run", ["Side by side"]),
        (75, "would_run", ["Side by side"]),
        (79, "unknown", ["Side by side"]),
        (80, "~would_run", ["Side by side"]),
    ]


def test_the_walk_ends_where_a_run_would_end(tmp_path: Path) -> None:
    plan = dry("LOG 1\nASSERT 1 == 2\nLOG 3\n", tmp_path)["plan"]
    assert [(entry["line"], entry["status"]) for entry in plan] == [
        (1, "would_run"),
        (2, "would_fail"),
    ]


@pytest.mark.parametrize(
    "command",
    [
        "RUN <<S\nline 1\nline 2\nS",
        r'RUN "a\nb"',
        r'RUN "a\rb"',
        'RUN "a\u2028b"',
        f"LOG '{'x' * 500}'",
        f"RUN '{'é' * 121}'",
        f"ASSERT '{'x' * 300}' == 'x'",
        f"WRITE '{'d/' * 100}x' <<W\nW",
        r'PAUSE "a\nb"',
        r'READ "a\nb" AS x',
        r'CHOOSE { OPTION "a\nb" { LOG 1 } }',
        r'VAR x = "a\nb"',
    ],
)
def test_a_summary_is_one_line_of_at_most_120_characters(command: str, tmp_path: Path) -> None:
    summary = dry(command + "\n", tmp_path)["plan"][0]["summary"]
    assert len(summary.splitlines()) == 1
    assert len(summary) <= 120


def test_secrets_are_masked_before_anything_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cret-" + "x" * 60
    monkeypatch.setenv("TOKEN", secret)
    text = f"""STEP "with {secret}" {{
    RUN "login {"y" * 80} {secret}"
    LOG "{{{{TOKEN}}}}"
    ASSERT TOKEN == "other {secret}"
}}
"""
    report = dry(text, tmp_path, secret=["TOKEN"])
    assert report["exit_code"] == 1
    assert "s3cret" not in str(report)
    assert report["plan"][0]["steps"] == ["with ***"]
    assert report["plan"][0]["summary"].endswith("***")


def test_steps_that_are_not_chosen_are_not_walked(tmp_path: Path) -> None:
    text = 'LOG 0\nSETUP { LOG 1 }\nSTEP "a" { LOG 2 }\nSTEP "b" { LOG 3 }\nSTEP "c" { LOG 4 }\n'

    def lines(**options: Any) -> list[int]:
        return [entry["line"] for entry in dry(text, tmp_path, **options)["plan"]]

    assert lines(step=["b"]) == [1, 2, 4]
    assert lines(step=["c", "a"]) == [1, 2, 3, 5]
    assert lines(from_step="b") == [1, 2, 4, 5]
    report = dry(text, tmp_path, step=["b"])
    expected = ["passed", "skipped", "passed", "skipped"]
    assert [step["status"] for step in report["steps"]] == expected


def test_a_name_that_a_step_left_out_would_have_set(tmp_path: Path) -> None:
    text = 'STEP "a" { VAR x = 1 }\nSTEP "b" { LOG x }\n'
    report = dry(text, tmp_path, step=["b"])
    assert (report["exit_code"], report["error"]["kind"]) == (4, "undefined")
