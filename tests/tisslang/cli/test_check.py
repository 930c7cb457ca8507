"""`tiss check`: syntax and static errors of scripts, for people and as JSON."""

import json
from pathlib import Path

import pytest
from report_shape import DIAGNOSTIC, fits
from tiss_process import refused, tiss

PLAN = 'TASK "Greet"\nWRITE "name" <<W\n{{who}}\nW\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "plan.tiss").write_text(PLAN)
    (tmp_path / "good.tiss").write_text("LOG 1\n")
    return tmp_path


def test_a_good_script(project: Path) -> None:
    done = tiss("check", "good.tiss", cwd=project)
    assert done == (0, "good.tiss: ok\n", "")
    done = tiss("check", "--output-format", "json", "good.tiss", cwd=project)
    assert done == (0, '{"ok": true, "diagnostics": []}\n', "")


def test_an_error_for_people(project: Path) -> None:
    done = tiss("check", "plan.tiss", cwd=project)
    assert (done.code, done.out) == (3, "")
    assert done.err.splitlines()[:5] == [
        "error[T110]: variable who has no value here",
        "  --> plan.tiss:3:1",
        "   |",
        " 3 | {{who}}",
        "   | ^^^^^^^",
    ]


def test_names_that_the_operator_gives(project: Path) -> None:
    """check needs the names alone: an environment variable need not be there yet."""
    for flags in (["--var", "who=x"], ["--secret", "who"], ["--secret=who", "--var", "a=b"]):
        assert tiss("check", "plan.tiss", *flags, cwd=project).code == 0
    assert tiss("check", "plan.tiss", "--var", "whose=x", cwd=project).code == 3
    for flags in (["--var", "who"], ["--var", "1=x"], ["--secret", "a b"], ["--var", "AS=x"]):
        assert refused("check", "plan.tiss", *flags, cwd=project).startswith(f"error: {flags[0]}: ")


def test_several_files_and_all_their_errors(project: Path) -> None:
    flags = ["--output-format", "json"]
    files = ["good.tiss", "plan.tiss", "-"]
    done = tiss("check", *flags, *files, cwd=project, stdin="LOG a\nLOG b\nCALL 'c'")
    found = json.loads(done.out)
    assert (done.code, done.err, found["ok"]) == (3, "", False)
    for diagnostic in found["diagnostics"]:
        fits(diagnostic, DIAGNOSTIC, "diagnostic")
    places = [(d["code"], d["file"], d["line"]) for d in found["diagnostics"]]
    assert places == [
        ("T110", "plan.tiss", 3),
        ("T110", "<stdin>", 1),
        ("T110", "<stdin>", 2),
        ("T103", "<stdin>", 3),
    ]
    files = ["good.tiss", "--var", "a=b", "plan.tiss", "--color=never", "-"]
    done = tiss("check", *files, cwd=project, stdin="LOG a")
    assert (done.code, done.out) == (3, "good.tiss: ok\n<stdin>: ok\n")


def test_wrong_usage(project: Path) -> None:
    assert "required: FILE" in refused("check", cwd=project)
    assert "missing.tiss: no such file" in refused(
        "check", "good.tiss", "missing.tiss", cwd=project
    )
    assert "only once" in refused("check", "-", "-", cwd=project)
    refused("check", "good.tiss", "--root", ".", cwd=project)
    refused("check", "good.tiss", "--output-format", "jsonl", cwd=project)


def test_nothing_in_a_script_steers_the_terminal(tmp_path: Path) -> None:
    for text in (
        'LOG "\x1b[2J {{nope}}"',
        "\x1b[2J",
        "LOG \u202e",
        'READ "\x9b1m" AS STEP',
        "LOG x|\x1b",
        'CALL "\x1b[2J"',
        "LO\x07G",
    ):
        (tmp_path / "a\x1b[2J.tiss").write_text(text, encoding="utf-8")
        for command in ("check", "lint", "fmt", "ast", "list", "run"):
            done = tiss(command, "a\x1b[2J.tiss", cwd=tmp_path)
            for character in (done.out + done.err).replace("\n", ""):
                assert character.isprintable(), (command, text, done)
