"""Section 10.4: secrets."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conformance import run
from conformance_runs import events_of, tiss, write

SECRET = 'it\'s "a" secret\n'
NO_SANDBOX = ("--sandbox-profile", "none")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    monkeypatch.setenv("SHORT", "abc")
    monkeypatch.setenv("EXACT", "wxyz")


def test_a_secret_is_the_variable_of_that_name(tmp_path: Path) -> None:
    text = 'WRITE "f" <<W\n{{TOKEN}}\nW\nRUN "printf %s {{TOKEN}} > g"'
    report = run(text, tmp_path, secret=["TOKEN"])
    assert report["status"] == "passed"
    assert (tmp_path / "f").read_text() == f"{SECRET}\n"  # files are not masked
    assert (tmp_path / "g").read_text() == SECRET


def test_an_unset_variable_is_wrong_usage(tmp_path: Path) -> None:
    write(tmp_path, "LOG 1")
    assert "NOT_SET_AT_ALL" not in os.environ
    done = tiss("run", "plan.tiss", "--secret", "NOT_SET_AT_ALL", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")


def test_without_the_flag_the_environment_gives_no_variables(tmp_path: Path) -> None:
    assert run("LOG TOKEN", tmp_path)["exit_code"] == 3


PLAN = """LOG "as it is: {{TOKEN}}."
LOG TOKEN|trim
LOG TOKEN|json
VAR copy = "<{{TOKEN}}>"
VAR TOKENS = 1
RUN "echo {{TOKEN}}; echo {{TOKEN}} >&2"
TRY { ASSERT TOKEN == "x" } CATCH { LOG ERROR.MESSAGE }
TRY { READ "missing-{{TOKEN|trim}}" AS v } CATCH { LOG ERROR.MESSAGE }
STEP "a" { ASSERT LAST_RUN.STDOUT CONTAINS "never" }
"""
FORMS = [
    SECRET,
    SECRET.strip(),
    json.dumps(SECRET)[1:-1],
    json.dumps(SECRET.strip())[1:-1],
    SECRET.replace("'", "'\\''"),
    SECRET.strip().replace("'", "'\\''"),
]


def texts(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [text for pair in tree.items() for each in pair for text in texts(each)]
    if isinstance(tree, list):
        return [text for each in tree for text in texts(each)]
    return [tree] if isinstance(tree, str) else []


def test_no_text_of_report_or_events_has_it_in_any_form(tmp_path: Path) -> None:
    events = events_of(PLAN, tmp_path, secret=["TOKEN"])
    report = events[-1]["report"]
    assert report["exit_code"] == 1
    for text in texts(events):
        for form in FORMS:
            assert form not in text
    assert report["log"][0] == "as it is: ***."
    assert report["log"][1:3] == ["***", '"***"']
    assert report["variables"]["copy"] == "<***>"
    assert report["last_run"]["command"].count("***") == 2
    assert "***" in report["last_run"]["stdout"]


def test_nothing_that_is_printed_has_it(tmp_path: Path) -> None:
    write(tmp_path, PLAN)
    for form in ("text", "json", "jsonl"):
        done = tiss(
            *("run", "plan.tiss", "--secret", "TOKEN", *NO_SANDBOX, "--output-format", form),
            *("--events", "events", "--junit", "junit.xml"),
            cwd=tmp_path,
        )
        assert done.returncode == 1
        assert "***" in done.stdout
        said = done.stdout + done.stderr + (tmp_path / "events").read_text()
        said += (tmp_path / "junit.xml").read_text()
        for part in ("it's", "secret", "it'\\''s"):
            assert part not in said


def test_a_diagnostic_does_not_show_it(tmp_path: Path) -> None:
    """The source itself holds the value: the line with the caret is masked."""
    write(tmp_path, 'VAR x = "wxyz"\nRUN "wxyz')
    done = tiss("run", "plan.tiss", "--secret", "EXACT", *NO_SANDBOX, cwd=tmp_path)
    assert done.returncode == 3
    assert "wxyz" not in done.stdout + done.stderr


def test_names_and_numbers_are_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN", "1234")
    text = 'VAR x = 1234\nVAR y1234 = 2\nLOG "1234"\nVAR z = "{{PIN}}"'
    report = run(text, tmp_path, secret=["PIN"])
    assert report["variables"]["x"] == 1234
    assert report["variables"]["y1234"] == 2
    assert (report["log"], report["variables"]["z"]) == (["***"], "***")


def test_four_characters_or_more(tmp_path: Path) -> None:
    report = run('LOG "abc wxyz {{SHORT}} {{EXACT}}"', tmp_path, secret=["SHORT", "EXACT"])
    assert report["log"] == ["abc *** abc ***"]


def test_the_longest_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONG", "wxyz-and-more")
    for order in (["EXACT", "LONG"], ["LONG", "EXACT"]):
        assert run('LOG "{{LONG}}"', tmp_path, secret=order)["log"] == ["***"]


def test_masking_comes_before_cutting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that lies across the cut would otherwise leave its beginning."""
    monkeypatch.setenv("LONG", "abcdefgh" * 10)
    for room in (65_530, 65_500):
        dashes = f"head -c {room} /dev/zero | tr '\\\\0' -"
        text = f'VAR x = "{"-" * room}{{{{LONG}}}}"\nRUN "{dashes}; echo {{{{LONG}}}}"'
        report = run(text, tmp_path, secret=["LONG"])
        assert report["error"] is None
        for each in (report["variables"]["x"], report["last_run"]["stdout"]):
            assert "abc" not in each
            assert each.startswith("-" * room + "***"[: 65_536 - room])


def test_the_agent_is_told_the_secret_itself(tmp_path: Path) -> None:
    """Where the plan puts it on purpose it is not masked; what comes back is."""
    text = 'PROMPT_AGENT "key {{EXACT}}" INTO v\nWRITE "f" <<W\n{{v}}\nW'
    report = run(text, tmp_path, secret=["EXACT"], agent="echo")
    assert (tmp_path / "f").read_text() == "key wxyz\n"
    assert report["variables"] == {"EXACT": "***", "v": "key ***"}


def test_a_dry_run_does_not_show_it_either(tmp_path: Path) -> None:
    report = run('RUN "echo {{EXACT}}"\nLOG "{{EXACT}}"', tmp_path, secret=["EXACT"], dry_run=True)
    assert "wxyz" not in json.dumps(report)


def test_check_and_lint_take_the_name(tmp_path: Path) -> None:
    write(tmp_path, '#TISS! Language=x\nTASK "t"\nLOG "{{EXACT}}"')
    for command in ("check", "lint"):
        assert tiss(command, "plan.tiss", cwd=tmp_path).returncode == 3
        assert tiss(command, "--secret", "EXACT", "plan.tiss", cwd=tmp_path).returncode == 0
