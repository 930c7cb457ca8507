"""Section 15: the commands of `tiss`, but for the flags of `run`."""

import json
import os
import pty
import subprocess
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from conformance_runs import TISS, tiss, write

GOOD = '#TISS! Language=Python\n\nTASK "t"\n\nSTEP "s" {\n    LOG "x"\n}\n'
WARNS = GOOD.replace('LOG "x"', "VAR x = 1")  # T203
INFORMS = GOOD.removeprefix("#TISS! Language=Python\n\n")  # T209
ERRS = GOOD.replace('LOG "x"', 'READ "../x" AS _v')  # T301, a rule of the linter
STATIC = GOOD.replace('"x"', "x")  # T110
SYNTAX = GOOD.replace('"x"', '"x')  # T003
UGLY = GOOD.replace("    LOG", "  LOG  ")

FILE_COMMANDS = ("run", "check", "lint", "fmt", "ast", "list")


@pytest.mark.parametrize("command", FILE_COMMANDS)
def test_file_may_be_a_dash(tmp_path: Path, command: str) -> None:
    assert tiss(command, "-", cwd=tmp_path, stdin=GOOD).returncode == 0
    assert tiss(command, "-", cwd=tmp_path, stdin=SYNTAX).returncode == 3
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", [*FILE_COMMANDS, "doctor", "version"])
def test_every_command_takes_a_format_and_a_colour(tmp_path: Path, command: str) -> None:
    file = ["-"] if command in FILE_COMMANDS else []
    for form, colour in (("json", "always"), ("text", "never"), ("text", "auto")):
        done = tiss(
            *(command, *file, "--output-format", form, "--color", colour), cwd=tmp_path, stdin=GOOD
        )
        assert done.returncode in (0, 5)
        if form == "json":
            json.loads(done.stdout)
        assert "\x1b" not in done.stdout


def test_colour(tmp_path: Path) -> None:
    for flags, environment, coloured in (
        ((), {}, False),  # no terminal
        (("--color", "never"), {}, False),
        (("--color", "always"), {}, True),
        ((), {"NO_COLOR": "1"}, False),
    ):
        done = tiss("check", "-", *flags, cwd=tmp_path, stdin=SYNTAX, **environment)
        assert ("\x1b[" in done.stderr) is coloured


@pytest.mark.parametrize(
    ("flags", "environment", "coloured"),
    [
        ((), {"NO_COLOR": ""}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {"NO_COLOR": ""}, False),
    ],
)
def test_colour_in_a_terminal(
    tmp_path: Path, flags: tuple[str, ...], environment: dict[str, str], coloured: bool
) -> None:
    """An empty NO_COLOR counts as unset, as its convention has it."""
    write(tmp_path, SYNTAX)
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [*TISS, "check", "plan.tiss", *flags],
            cwd=tmp_path,
            env={**os.environ, "TERM": "xterm", **environment},
            stderr=theirs,
            stdout=theirs,
            check=False,
            timeout=60,
        )
        said = os.read(ours, 100_000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (b"\x1b[" in said) is coloured


def test_the_program_is_called_tiss() -> None:
    scripts = {each.name: each.value for each in entry_points(group="console_scripts")}
    assert scripts["tiss"] == "tisslang.cli:main"


# check

CHECKED = [(GOOD, 0), (WARNS, 0), (INFORMS, 0), (ERRS, 0), (STATIC, 3), (SYNTAX, 3), ("", 0)]


@pytest.mark.parametrize(("text", "code"), CHECKED)
def test_check(tmp_path: Path, text: str, code: int) -> None:
    write(tmp_path, text)
    done = tiss("check", "plan.tiss", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == code
    said = json.loads(done.stdout)
    assert said.keys() == {"ok", "diagnostics"}
    assert (said["ok"], len(said["diagnostics"])) == (code == 0, code // 3)


def test_a_diagnostic_in_json(tmp_path: Path) -> None:
    write(tmp_path, STATIC)
    done = tiss("check", "plan.tiss", "--output-format", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["diagnostics"]
    assert found.pop("message")
    assert "hint" in found
    found.pop("hint")
    assert found == {
        "code": "T110",
        "severity": "error",
        "file": "plan.tiss",
        "line": 6,
        "column": 9,
        "end_line": 6,
        "end_column": 10,
    }


@pytest.mark.parametrize("command", ["check", "lint"])
def test_several_files(tmp_path: Path, command: str) -> None:
    for name, text in (("a.tiss", GOOD), ("b.tiss", STATIC), ("c.tiss", SYNTAX)):
        write(tmp_path, text, name)
    done = tiss(command, "a.tiss", "b.tiss", "c.tiss", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == 3
    found = json.loads(done.stdout)["diagnostics"]
    assert [(each["file"], each["code"]) for each in found] == [
        ("b.tiss", "T110"),
        ("c.tiss", "T003"),
    ]
    assert tiss(command, "a.tiss", "a.tiss", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("command", ["check", "lint"])
def test_names_of_the_operator_count_as_assigned(tmp_path: Path, command: str) -> None:
    write(tmp_path, STATIC)
    assert tiss(command, "plan.tiss", "--var", "x=1", cwd=tmp_path).returncode == 0
    assert tiss(command, "plan.tiss", "--secret", "x", cwd=tmp_path, x="1").returncode == 0


# lint

LINTED = [(GOOD, 0), (WARNS, 1), (INFORMS, 0), (ERRS, 1), (STATIC, 3), (SYNTAX, 3)]


@pytest.mark.parametrize(("text", "code"), LINTED)
def test_lint(tmp_path: Path, text: str, code: int) -> None:
    write(tmp_path, text)
    done = tiss("lint", "plan.tiss", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == code
    said = json.loads(done.stdout)
    assert said.keys() == {"ok", "diagnostics"}
    assert said["ok"] is (code == 0)
    assert len(said["diagnostics"]) == (text != GOOD)


@pytest.mark.parametrize(
    ("level", "codes"), [("info", (0, 1, 1, 1)), ("warning", (0, 0, 1, 1)), ("error", (0, 0, 0, 1))]
)
def test_fail_on(tmp_path: Path, level: str, codes: tuple[int, ...]) -> None:
    for text, code in zip((GOOD, INFORMS, WARNS, ERRS), codes):
        done = tiss("lint", "-", "--fail-on", level, cwd=tmp_path, stdin=text)
        assert done.returncode == code
    assert tiss("lint", "-", "--fail-on", level, cwd=tmp_path, stdin=STATIC).returncode == 3


def lint_codes(root: Path, *flags: str) -> list[str]:
    done = tiss("lint", "plan.tiss", "--output-format", "json", *flags, cwd=root)
    return [each["code"] for each in json.loads(done.stdout)["diagnostics"]]


def test_select_and_ignore(tmp_path: Path) -> None:
    write(tmp_path, 'VAR x = 1\nSTEP "s" { }\n')
    assert lint_codes(tmp_path) == ["T208", "T209", "T203", "T210"]
    assert lint_codes(tmp_path, "--select", "T203") == ["T203"]
    assert lint_codes(tmp_path, "--select", "T203", "--select", "T210") == ["T203", "T210"]
    assert lint_codes(tmp_path, "--ignore", "T203") == ["T208", "T209", "T210"]
    assert lint_codes(tmp_path, "--select", "T203", "--ignore", "T203") == []


def test_a_syntax_error_cannot_be_ignored(tmp_path: Path) -> None:
    write(tmp_path, SYNTAX)
    for flags in (("--ignore", "T003"), ("--select", "T203")):
        assert tiss("lint", "plan.tiss", *flags, cwd=tmp_path).returncode == 3


def test_fix_mends_what_it_can(tmp_path: Path) -> None:
    text = GOOD.replace('LOG "x"', 'IF FILE "x" EXISTS THEN {\n        LOG "x"\n    }')
    write(tmp_path, text)
    assert lint_codes(tmp_path) == ["T214"]
    tiss("lint", "--fix", "plan.tiss", cwd=tmp_path)
    assert lint_codes(tmp_path) == []
    assert "THEN" not in (tmp_path / "plan.tiss").read_text()


# fmt


def test_fmt_writes_in_place(tmp_path: Path) -> None:
    write(tmp_path, UGLY)
    write(tmp_path, GOOD, "good.tiss")
    assert tiss("fmt", "plan.tiss", "good.tiss", cwd=tmp_path).returncode == 0
    assert (tmp_path / "plan.tiss").read_text() == GOOD
    assert (tmp_path / "good.tiss").read_text() == GOOD


def test_fmt_of_a_dash_writes_to_standard_output(tmp_path: Path) -> None:
    done = tiss("fmt", "-", cwd=tmp_path, stdin=UGLY)
    assert (done.returncode, done.stdout) == (0, GOOD)


@pytest.mark.parametrize("flag", ["--check", "--diff"])
def test_check_and_diff_write_nothing(tmp_path: Path, flag: str) -> None:
    write(tmp_path, UGLY)
    write(tmp_path, GOOD, "good.tiss")
    done = tiss("fmt", flag, "plan.tiss", "good.tiss", cwd=tmp_path)
    assert done.returncode == 1
    assert (tmp_path / "plan.tiss").read_text() == UGLY
    assert "plan.tiss" in done.stdout + done.stderr
    assert "good.tiss" not in done.stdout
    if flag == "--diff":
        assert '-  LOG   "x"' in done.stdout
        assert '+    LOG "x"' in done.stdout
    assert tiss("fmt", flag, "good.tiss", cwd=tmp_path).returncode == 0


def test_fmt_changes_nothing_that_does_not_parse(tmp_path: Path) -> None:
    write(tmp_path, UGLY.replace('"x"', '"x'))
    for flags in ((), ("--check",), ("--diff",)):
        assert tiss("fmt", "plan.tiss", *flags, cwd=tmp_path).returncode == 3
    assert (tmp_path / "plan.tiss").read_text() == UGLY.replace('"x"', '"x')
    write(tmp_path, UGLY.replace('"x"', "x"))  # a static error is no hindrance
    assert tiss("fmt", "plan.tiss", cwd=tmp_path).returncode == 0


# ast, list, version, doctor, lsp


def test_ast_is_json(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    for form in ("text", "json"):
        done = tiss("ast", "plan.tiss", "--output-format", form, cwd=tmp_path)
        tree = json.loads(done.stdout)
        assert (done.returncode, tree["type"], tree["ast_version"]) == (0, "SCRIPT", 1)
    write(tmp_path, SYNTAX)
    assert tiss("ast", "plan.tiss", cwd=tmp_path).returncode == 3


def test_list_shows_steps_sub_tasks_and_variables(tmp_path: Path) -> None:
    text = """TASK "the task"
SETUP { LOG 1 }
STEP "first" { LOG needed }
STEP "second" { VAR given ?= 1
    CALL "sub" WITH p = given }
DEFINE_TASK "sub" WITH p { LOG p }
"""
    write(tmp_path, text)
    done = tiss("list", "plan.tiss", cwd=tmp_path)
    assert done.returncode == 0
    for word in ("first", "second", "sub", "needed", "given"):
        assert word in done.stdout
    done = tiss("list", "plan.tiss", "--output-format", "json", cwd=tmp_path)
    said: Any = json.loads(done.stdout)
    assert [each["description"] for each in said["steps"]] == [None, "first", "second"]
    assert [each["name"] for each in said["subtasks"]] == ["sub"]
    assert [each["name"] for each in said["variables"]] == ["needed", "given"]
    write(tmp_path, SYNTAX)
    assert tiss("list", "plan.tiss", cwd=tmp_path).returncode == 3


def test_version(tmp_path: Path) -> None:
    from tisslang import __version__

    done = tiss("version", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout
    assert "1.2" in done.stdout


def test_doctor(tmp_path: Path) -> None:
    done = tiss("doctor", cwd=tmp_path)
    assert done.returncode in (0, 5)
    for guarantee in ("files", "network", "processes", "environment", "limits"):
        assert guarantee in done.stdout
    for profile in ("standard", "strict"):
        assert profile in done.stdout


def message(content: dict[str, Any]) -> str:
    text = json.dumps({"jsonrpc": "2.0", **content})
    return f"Content-Length: {len(text)}\r\n\r\n{text}"


def test_lsp(tmp_path: Path) -> None:
    talk = message({"id": 1, "method": "initialize", "params": {"capabilities": {}}})
    talk += message({"method": "initialized", "params": {}})
    talk += message({"id": 2, "method": "shutdown"}) + message({"method": "exit"})
    done = tiss("lsp", cwd=tmp_path, stdin=talk)
    assert done.returncode == 0
    for capability in ("Formatting", "hover", "completion", "Symbol", "definition"):
        assert capability in done.stdout
    for capability in ("references", "rename", "codeAction"):
        assert capability in done.stdout


# usage


@pytest.mark.parametrize(
    "arguments",
    [
        *((), ("fly",), ("run",), ("check",), ("lint",), ("fmt",), ("ast",), ("list",)),
        *((command, "missing.tiss") for command in FILE_COMMANDS),
        *((command, "folder") for command in FILE_COMMANDS),
        *((command, "plan.tiss", "--no-such-flag") for command in FILE_COMMANDS),
        *(("ast", "plan.tiss", "plan.tiss"), ("run", "plan.tiss", "plan.tiss")),
        *(("doctor", "x"), ("version", "x"), ("check", "plan.tiss", "--output-format", "xml")),
        *(("lint", "plan.tiss", "--fail-on", "never"), ("check", "plan.tiss", "--color", "red")),
        *(("lint", "plan.tiss", "--select", "T999"), ("check", "plan.tiss", "--var", "x")),
    ],
    ids=" ".join,
)
def test_exit_2_for_usage_everywhere(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "folder").mkdir()
    done = tiss(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "plan.tiss").read_text() == GOOD


# targets, as far as time is not what is judged


def test_ten_thousand_steps(tmp_path: Path) -> None:
    steps = "".join(f'STEP "s{n}" {{\n    LOG "{n}"\n}}\n' for n in range(10_000))
    write(tmp_path, steps)
    done = tiss("run", "plan.tiss", "--output-format", "json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert (report["steps_completed"], report["steps_total"]) == (10_000, 10_000)
    assert report["log"][-1] == "9999"
