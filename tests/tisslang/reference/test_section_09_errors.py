"""§9 of the language reference: diagnostics, error codes, exit codes."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conformance import Node, found, hint, linted, run
from conformance_runs import TISS, named, tiss, write

import tisslang
from tisslang.cli import main

# The form for people


def shown(text: str, root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `tiss check` writes on standard error, with `plan.tiss` as the file's name."""
    plan = write(root, text)
    assert main(["check", str(root / plan)]) == 3
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.replace(str(root / plan), plan)


def test_the_diagnostic_of_the_example(tmp_path: Path) -> None:
    write(tmp_path, 'TASK "t"\n\nSTEP "s" {\n    RUN "echo hi\n}\n')
    done = tiss("check", "plan.tiss", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith(
        """\
error[T003]: string is not closed
  --> plan.tiss:4:9
   |
 4 |     RUN "echo hi
   |         ^
   = hint: close the string with " on the same line
"""
    )


@pytest.mark.parametrize("before", [0, 8, 9, 98, 99, 12345])
def test_the_gutter_is_as_wide_as_the_line_number_plus_two(
    before: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = before + 1
    lines = shown("\n" * before + "LOG x\n", tmp_path, capsys).splitlines()
    gutter = " " * (len(str(line)) + 2)
    assert lines[0].startswith("error[T110]: ")
    assert lines[1].endswith(f"--> plan.tiss:{line}:5")
    assert lines[2] == gutter + "|"
    assert lines[3] == f" {line} | LOG x"
    assert lines[4] == f"{gutter}|     ^"


@pytest.mark.parametrize(
    ("source", "printed", "marks"),
    [
        ("\tLOG\tx", " LOG x", "     ^"),
        ('LOG "日本" x', 'LOG "日本" x', "         ^"),
        ("LOG '😀' x", "LOG '😀' x", "        ^"),
        ("LOG longer", "LOG longer", "    ^^^^^^"),
        ('LOG "a{{ x }}"', 'LOG "a{{ x }}"', "      ^^^^^^^"),
        ("FOO 1", "FOO 1", "^^^"),
    ],
)
def test_the_caret_stands_below_the_column(
    source: str, printed: str, marks: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(source + "\n", tmp_path, capsys).splitlines()
    assert lines[3] == f" 1 | {printed}"
    assert lines[4] == f"   | {marks}"


@pytest.mark.parametrize("before", [0, 100, 170, 1000, 100_000])
@pytest.mark.parametrize("after", [0, 200])
def test_long_lines_are_cut_around_the_column(
    before: int, after: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "LOG '" + "a" * before + "' FOO " + "'" + "b" * after + "'"
    lines = shown(source + "\n", tmp_path, capsys).splitlines()
    printed, marks = lines[3].removeprefix(" 1 | "), lines[4].removeprefix("   | ")
    if len(source) > 160:
        assert len(printed) <= 162
        assert "…" in (printed[0], printed[-1])
    else:
        assert printed == source
    assert printed[marks.index("^") :].startswith("FOO")
    assert f":1:{source.index('FOO') + 1}" in lines[1]


# The form for programs


def test_the_fields_in_json(tmp_path: Path) -> None:
    write(tmp_path, 'LOG 1\nLOG "{{who}}"\nLOG y\n')
    done = tiss("check", "plan.tiss", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == 3
    said = json.loads(done.stdout)
    assert said["ok"] is False
    first, second = said["diagnostics"]
    message, advice = first.pop("message"), first.pop("hint")
    assert "who" in message
    assert advice is None or isinstance(advice, str)
    assert first == {
        "code": "T110",
        "severity": "error",
        "file": "plan.tiss",
        "line": 2,
        "column": 6,
        "end_line": 2,
        "end_column": 13,
    }
    assert second["line"] == 3


def test_the_report_lists_them_alike(tmp_path: Path) -> None:
    report = run("LOG x\nLOG y\n", tmp_path)
    assert report["exit_code"] == 3
    error = report["error"]
    assert (error["kind"], error["code"], error["line"], error["column"]) == (
        "static",
        "T110",
        1,
        5,
    )
    keys = {
        "code",
        "severity",
        "message",
        "file",
        "line",
        "column",
        "end_line",
        "end_column",
        "hint",
    }
    assert [set(each) for each in report["diagnostics"]] == [keys, keys]
    assert run("LOG\n", tmp_path)["error"]["kind"] == "parse"


def test_the_parser_stops_at_its_first_error_and_the_checks_do_not() -> None:
    assert found('LOG x\nRUN "a\nFOO\n') == ["T003 2:5"]
    assert found("STEP 's' { }\nSETUP { }\nLOG x\nCALL 'd'\nLOG COST.NOPE\nLOG y\n") == [
        "T102 2:1", "T110 3:5", "T103 4:1", "T107 5:5", "T110 6:5",
    ]  # fmt: skip


def test_a_diagnostic_is_given_once_per_code_and_position() -> None:
    for text in (
        "DEFINE_TASK 'd' { CALL 'd'\nCALL 'd' }\n",
        "DEFINE_TASK 'a' { CALL 'b'\nCALL 'c' }\n"
        "DEFINE_TASK 'b' { CALL 'a' }\nDEFINE_TASK 'c' { CALL 'a' }\n",
        "PARALLEL { STEP 'a' { VAR x = 1\nVAR y = 1 }\nSTEP 'b' { VAR x = 1\nVAR y = 1 } }\n",
        'LOG "{{x}}{{x}}"\nLOG x\n',
        "CALL 'd'\nCALL 'd' WITH p = 1, q = 2\nDEFINE_TASK 'd' { LOG 1 }\nCALL 'd' WITH p = 1\n",
    ):
        codes = found(text)
        assert codes
        assert len(codes) == len(set(codes))


# Every code and its position

SYNTAX = [
    ("T001", "LOG 1 2\n", "1:7"),
    ("T001", "LOG ~\n", "1:5"),
    ("T001", "VAR STEP = 1\n", "1:5"),
    ("T002", "LOG 1\n  PRNT 1\n", "2:3"),
    ("T003", "LOG 'abc\n", "1:5"),
    ("T004", 'LOG "ab\\q"\n', "1:8"),
    ("T005", "RUN <<W\nx\n", "1:5"),
    ("T006", "LOG 1\nSTEP 's' {\nLOG 1\n", "2:10"),
    ("T006", "STEP 's' {\nIF true {\nLOG 1\n}\n", "1:10"),
    ("T006", "IF true { } ELSE {\n", "1:18"),
    ("T007", "LOG 1\n }\n", "2:2"),
    ("T007", "STEP 's' { } }\n", "1:14"),
    ("T008", "IF true {\n" * 257 + "}\n" * 257, "257:9"),
    ("T009", "LOG 1\nLOG '\0'\n", "2:6"),
    ("T010", "# c\n#TISS_VERSION >= 9.9\n", "2:1"),
]

STATIC = [
    ("T101", "TASK 'a'\nTASK 'b'\n", ["2:1"]),
    ("T102", "STEP 's' { }\n  SETUP { }\n", ["2:3"]),
    ("T103", "LOG 1\n  CALL 'none'\n", ["2:3"]),
    ("T103", "CALL 'D'\nDEFINE_TASK 'd' { }\n", ["1:1"]),
    ("T104", "DEFINE_TASK 'd' WITH p { LOG p }\n CALL 'd'\n", ["2:2"]),
    ("T104", "DEFINE_TASK 'd' { }\n CALL 'd' WITH p = 1\n", ["2:2"]),
    ("T104", "DEFINE_TASK 'd' WITH p { LOG p }\n CALL 'd' WITH q = 1\n", ["2:2"]),
    ("T105", "LOG 1\n DEFINE_TASK 'd' { CALL 'd' }\n", ["2:2"]),
    ("T105", "DEFINE_TASK 'a' { CALL 'b' }\nDEFINE_TASK 'b' { CALL 'a' }\n", ["1:1"]),
    (
        "T105",
        "DEFINE_TASK 'z' { CALL 'a' }\n"
        "DEFINE_TASK 'a' { CALL 'b' }\nDEFINE_TASK 'b' { IF true { CALL 'a' } }\n",
        ["2:1"],
    ),
    ("T106", "DEFINE_TASK 'd' { }\n  DEFINE_TASK 'd' { }\n", ["2:3"]),
    ("T107", "RUN 'true'\nLOG LAST_RUN.NOPE\n", ["2:5"]),
    ("T107", "RUN 'true'\nASSERT 1 == LAST_RUN.NOPE\n", ["2:13"]),
    ("T107", 'VAR x = 1\nLOG "a{{x|up}}"\n', ["2:7"]),
    ("T107", " SET_BUDGET TIME = 5\n", ["1:2"]),
    ("T107", " SET_BUDGET API_CALLS = -5\n", ["1:2"]),
    ("T107", " SET_BUDGET API_CALLS = 5m\n", ["1:2"]),
    ("T107", " @timeout nonsense\nRUN 'true'\n", ["1:2"]),
    ("T107", " @env 'PATH=x'\nRUN 'true'\n", ["1:2"]),
    ("T108", "PARALLEL {\nSTEP 'a' { VAR x = 1 }\n STEP 'b' { READ 'p' AS x }\n}\n", ["3:2"]),
    ("T109", 'VAR x = 1\nRUN "echo `true` {{x}}"\n', ["2:18"]),
    ("T110", "LOG 1\nASSERT x == 1\n", ["2:8"]),
    ("T110", 'LOG 1\nLOG "a {{x}}"\n', ["2:8"]),
    ("T111", "ASSERT 1 == LAST_RUN.EXIT_CODE\n", ["1:13"]),
    ("T111", 'LOG "{{LAST_RUN.STDOUT}}"\n', ["1:6"]),
]


@pytest.mark.parametrize(("code", "text", "place"), SYNTAX)
def test_syntax_errors(code: str, text: str, place: str, tmp_path: Path) -> None:
    assert found(text) == [f"{code} {place}"]
    report = run(text, tmp_path)
    assert (report["exit_code"], report["error"]["kind"], report["error"]["code"]) == (
        3,
        "parse",
        code,
    )
    with pytest.raises(tisslang.TissParseError) as raised:
        tisslang.parse(text)
    assert (raised.value.code, f"{raised.value.line}:{raised.value.column}") == (code, place)


@pytest.mark.parametrize(("code", "text", "places"), STATIC)
def test_static_errors(code: str, text: str, places: list[str], tmp_path: Path) -> None:
    tisslang.parse(text)
    assert found(text) == [f"{code} {place}" for place in places]
    assert linted(text, code) == found(text)
    report = run(text, tmp_path)
    assert (report["exit_code"], report["error"]["kind"], report["error"]["code"]) == (
        3,
        "static",
        code,
    )


def test_a_second_parameter_of_one_name() -> None:
    (each,) = found("LOG 1\nDEFINE_TASK 'd' WITH p, q, p { LOG p\nLOG q }\n")
    assert each.split()[0] == "T106"
    assert each.split()[1].startswith("2:")


def test_what_certainly_fails_has_no_effect(tmp_path: Path) -> None:
    for _, text, _ in STATIC:
        if not text.startswith("TASK"):
            run(f"{text}\nMKDIR 'made'\nRUN 'touch made-too'\n", tmp_path)
    for text in ("MKDIR 'made'\nLOG ~\n", "MKDIR 'made'\nSTEP 's' {\n", "MKDIR 'made'\nFOO\n"):
        assert run(text, tmp_path)["exit_code"] == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("WRIET", ["WRITE"]),
        ("ASSRT", ["ASSERT"]),
        ("run", ["RUN", "upper case"]),
        ("Log", ["LOG", "upper case"]),
    ],
)
def test_the_hint_for_an_unknown_command(word: str, words: list[str]) -> None:
    said = hint(f"{word} 'x'\n")
    assert [each for each in words if each not in said] == []


# At run time

KINDS = [
    ("assert", "E101", 1, "ASSERT false"),
    ("undefined", "E201", 4, "VAR no = false\nIF no { VAR x = 1 }\nLOG x"),
    ("type", "E202", 4, "ASSERT 1 == 'a'"),
    ("io", "E203", 4, "READ 'none' AS x"),
    ("decode", "E204", 4, "READ 'bad' AS x"),
    ("timeout", "E205", 4, "@timeout 100ms\nRUN 'sleep 20'"),
    ("agent", "E206", 4, "PROMPT_AGENT 'a'"),
    ("security", "E301", 5, "VAR x = '..'\nREAD \"{{x}}/a\" AS y"),
    ("security", "E301", 5, "RUN 'rm -rf .'"),
    ("budget", "E302", 6, "SET_BUDGET RUN_COUNT = 0\nRUN 'true'"),
    ("human", "E303", 7, "PAUSE 'a'"),
    ("human", "E303", 7, "RUN 'sudo true'"),
]


@pytest.mark.parametrize(("kind", "code", "exit_code", "text"), KINDS)
def test_runtime_kinds(kind: str, code: str, exit_code: int, text: str, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff")
    report = run(f"STEP 's' {{\n{text}\n}}\n", tmp_path)
    error = report["error"]
    assert (error["kind"], error["code"], report["exit_code"]) == (kind, code, exit_code)
    assert report["status"] == ("failed" if exit_code == 1 else "error")
    line = text.count("\n") + 2
    assert (error["line"], error["column"], error["steps"]) == (line, 1, ["s"])
    assert error["message"]
    assert "hint" in error


@pytest.mark.parametrize(("kind", "code", "exit_code", "text"), KINDS)
def test_the_exit_code_of_tiss_run(
    kind: str,
    code: str,
    exit_code: int,
    text: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "bad").write_bytes(b"\xff")
    plan = str(tmp_path / write(tmp_path, text))
    flags = ["--root", str(tmp_path), "--sandbox-profile", "none", "--non-interactive"]
    assert main(["run", plan, *flags]) == exit_code
    said = capsys.readouterr().err
    assert f"error[{code}]: " in said
    assert f"{plan}:" in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "good.tiss"], 0),
        (["run", "failing.tiss"], 1),
        (["run", "none.tiss"], 2),
        (["run", "."], 2),
        (["run", "good.tiss", "--no-such-flag"], 2),
        (["run", "good.tiss", "--timeout", "soon"], 2),
        (["run", "good.tiss", "--root", "none"], 2),
        (["run"], 2),
        (["fly"], 2),
        (["run", "bad.tiss"], 3),
        (["run", "static.tiss"], 3),
        (["check", "good.tiss"], 0),
        (["check", "bad.tiss"], 3),
    ],
)
def test_exit_codes_without_effects(arguments: list[str], expected: int, tmp_path: Path) -> None:
    write(tmp_path, "LOG 1\n", "good.tiss")
    write(tmp_path, "ASSERT false\n", "failing.tiss")
    write(tmp_path, "LOG 1 2\n", "bad.tiss")
    write(tmp_path, "LOG x\n", "static.tiss")
    done = tiss(*arguments, cwd=tmp_path)
    assert done.returncode == expected
    assert "Traceback" not in done.stderr


def test_an_internal_error_is_70(tmp_path: Path) -> None:
    def broken(state: Any, args: Node) -> None:
        raise RuntimeError("a bug")

    tools = tisslang.ToolRegistry.default()
    tools.register("LOG", broken)
    report = tisslang.run("TRY { LOG 1 } CATCH { }\n", root=tmp_path, tools=tools)
    assert report["exit_code"] == 70
    assert report["error"]["kind"] == "internal"
    assert "a bug" in report["error"]["message"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_130(number: signal.Signals, tmp_path: Path) -> None:
    write(tmp_path, "TRY { RUN 'touch started; sleep 60' } CATCH { }\nMKDIR 'after'\n")
    flags = ["--sandbox-profile", "none", "--output-format", "json"]
    process = subprocess.Popen(
        [*TISS, "run", "plan.tiss", *flags],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ},
    )  # fmt: skip
    try:
        while not (tmp_path / "started").exists() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    report = json.loads(output)
    assert (report["exit_code"], report["error"]["kind"]) == (130, "interrupted")
    assert report["status"] == "error"
    assert not (tmp_path / "after").exists()


def test_events_show_an_error_at_its_command(tmp_path: Path) -> None:
    events: list[Node] = []
    run("READ 'none' AS x\n", tmp_path, on_event=events.append)
    (end,) = named(events, "command_end")
    assert end["status"] == "error"
