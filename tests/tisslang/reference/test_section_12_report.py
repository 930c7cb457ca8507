"""Section 12: the report."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conformance import run
from conformance_runs import TISS, steps, tiss, write
from processes import sleepers, wait_until

KEYS = [
    "report",
    "tiss",
    "script",
    "root",
    "task",
    "status",
    "exit_code",
    "dry_run",
    "duration_s",
    "sandbox",
    "steps",
    "steps_completed",
    "steps_total",
    "variables",
    "clipped",
    "last_run",
    "log",
    "files_written",
    "files_reset",
    "cost",
    "error",
    "caught",
    "suppressed",
    "diagnostics",
    "plan",
]
NO_SANDBOX = ("--sandbox-profile", "none")
ENDS = {
    0: "LOG 1",
    1: "ASSERT false",
    3: "RUN",
    4: 'READ "missing" AS v',
    5: 'READ "../x" AS v',
    6: 'SET_BUDGET RUN_COUNT = 0\nRUN "true"',
    7: 'PAUSE "x"',
}


@pytest.mark.parametrize(("code", "text"), ENDS.items())
def test_the_report_is_written_for_every_exit_code(tmp_path: Path, code: int, text: str) -> None:
    write(tmp_path, text)
    done = tiss("run", "plan.tiss", *NO_SANDBOX, "--output-format", "json", cwd=tmp_path)
    assert done.returncode == code
    report = json.loads(done.stdout)  # one object and nothing else
    assert list(report) == KEYS
    assert (report["report"], report["tiss"], report["exit_code"]) == (1, "1.2.0", code)
    assert report["status"] == {0: "passed", 1: "failed"}.get(code, "error")
    assert (report["script"], report["root"]) == ("plan.tiss", str(tmp_path.resolve()))
    assert report["dry_run"] is False


def test_for_usage_there_is_no_report(tmp_path: Path) -> None:
    for arguments in (("missing.tiss",), ("plan.tiss", "--no-such-flag")):
        write(tmp_path, "LOG 1")
        done = tiss("run", *arguments, "--output-format", "json", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")


def test_nothing_but_the_report_is_on_standard_output(tmp_path: Path) -> None:
    write(tmp_path, 'LOG "x"\nRUN "echo out; echo err >&2"\nPAUSE "y"')
    done = tiss("run", "plan.tiss", *NO_SANDBOX, "--yes", "--output-format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["log"] == ["x"]


def test_text_is_progress_on_stdout_and_diagnostics_on_stderr(tmp_path: Path) -> None:
    write(tmp_path, 'STEP "first step" { LOG "said" }\nSTEP "second step" { ASSERT 1 == 2 }')
    done = tiss("run", "plan.tiss", *NO_SANDBOX, cwd=tmp_path)
    for word in ("first step", "second step", "said"):
        assert word in done.stdout
    write(tmp_path, 'RUN "echo')
    done = tiss("run", "plan.tiss", cwd=tmp_path)
    assert "error[T003]" in done.stderr
    assert "T003" not in done.stdout


BROKEN = """
import sys, tisslang.tools as tools
from tisslang import cli
def bug(state, args): raise RuntimeError("a bug")
default = tools.ToolRegistry.default
def broken():
    registry = default()
    registry.register("LOG", bug)
    return registry
tools.ToolRegistry.default = staticmethod(broken)
sys.exit(cli.main())
"""


def with_a_bug(root: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    write(root, "LOG 1")
    return subprocess.run(
        [sys.executable, "-c", BROKEN, "run", "plan.tiss", *flags],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_internal_error_has_a_report_too(tmp_path: Path) -> None:
    done = with_a_bug(tmp_path, "--output-format", "json")
    assert done.returncode == 70
    report = json.loads(done.stdout)
    assert (report["status"], report["error"]["kind"]) == ("error", "internal")


def test_an_internal_error_is_one_line_and_how_to_get_the_traceback(tmp_path: Path) -> None:
    """Section 9: exit code 70."""
    said = with_a_bug(tmp_path).stderr
    assert "--debug" in said
    assert "None" not in said
    assert len(said.splitlines()) <= 2
    assert "Traceback" in with_a_bug(tmp_path, "--debug").stderr


# its fields


@pytest.mark.parametrize(
    ("text", "task"),
    [('TASK "do it"\nLOG 1', "do it"), ('TASK "{{x}}" { LOG 1 }', "{{x}}"), ("LOG 1", None)],
)
def test_task_is_the_description_or_null(tmp_path: Path, text: str, task: str | None) -> None:
    assert run(text, tmp_path)["task"] == task


def test_variables_are_sorted_by_name_and_keep_their_types(tmp_path: Path) -> None:
    report = run('VAR z = 1\nVAR b = 2.5\nVAR a = "x"\nVAR B = true', tmp_path, var={"y": "3"})
    assert list(report["variables"].items()) == [
        ("B", True),
        ("a", "x"),
        ("b", 2.5),
        ("y", "3"),
        ("z", 1),
    ]


@pytest.mark.parametrize(("length", "clipped"), [(65_536, []), (65_537, ["v"]), (200_000, ["v"])])
@pytest.mark.parametrize("character", ["a", "😀"])
def test_long_texts_are_cut_and_named(
    tmp_path: Path, length: int, clipped: list[str], character: str
) -> None:
    (tmp_path / "f").write_text(character * length)
    report = run('READ "f" AS v\nVAR w = "short"', tmp_path)
    assert report["variables"]["v"] == character * min(length, 65_536)
    assert report["clipped"] == clipped


def test_cutting_concerns_the_report_alone(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a" * 70_000)
    run('READ "f" AS v\nWRITE "g" <<W\n{{v}}\nW', tmp_path)
    assert (tmp_path / "g").stat().st_size == 70_001


STEPS = """SETUP { LOG 1 }
STEP "a" {
    STEP "a1" { LOG 1 }
    IF false { STEP "not entered" { LOG 1 } }
}
IF false { STEP "neither" { LOG 1 } }
STEP "b" { ASSERT false }
STEP "c" { STEP "c1" { LOG 1 } }
"""


def test_steps_in_order_of_entry(tmp_path: Path) -> None:
    report = run(STEPS, tmp_path)
    assert [(s["kind"], s["description"], s["line"], s["status"]) for s in report["steps"]] == [
        ("SETUP", None, 1, "passed"),
        ("STEP", "a", 2, "passed"),
        ("STEP", "a1", 3, "passed"),
        ("STEP", "b", 7, "failed"),
        ("STEP", "c", 8, "skipped"),
    ]
    assert (report["steps_completed"], report["steps_total"]) == (2, 4)  # of the top level
    for step in report["steps"]:
        assert step.keys() == {*("kind", "description", "line", "status", "attempts", "duration_s")}


def test_a_step_that_is_never_entered_stands_where_its_turn_would_have_been(tmp_path: Path) -> None:
    report = run(STEPS, tmp_path, step=["c"])
    assert steps(report) == [
        *((None, "passed"), ("a", "skipped"), ("b", "skipped"), ("c", "passed"), ("c1", "passed"))
    ]


def test_steps_of_parallel_are_in_source_order(tmp_path: Path) -> None:
    text = """PARALLEL {
        STEP "slow" { RUN "sleep 0.3"
            STEP "in slow" { LOG 1 } }
        STEP "fast" { STEP "in fast" { LOG 2 } }
    }"""
    report = run(text, tmp_path)
    assert [name for name, _ in steps(report)] == ["slow", "in slow", "fast", "in fast"]
    assert (report["steps_completed"], report["steps_total"]) == (0, 0)


def test_top_level_is_directly_in_the_script_or_the_task(tmp_path: Path) -> None:
    for text in ('TASK "t" { BODY }', 'TASK "t"\nBODY', "BODY"):
        body = 'STEP "a" { STEP "b" { LOG 1 } }\nIF true { STEP "c" { LOG 1 } }'
        report = run(text.replace("BODY", body), tmp_path)
        assert (report["steps_completed"], report["steps_total"]) == (1, 1)


def test_attempts_counts_the_runs_of_the_body(tmp_path: Path) -> None:
    text = """STEP "once" { LOG 1 }
    STEP "twice" { @retry 5
        RUN "[ -e there ] || { touch there; exit 1; }"
        ASSERT LAST_RUN.EXIT_CODE == 0 }
    STEP "in vain" { @retry 2
        ASSERT false }
    STEP "never" { LOG 1 }"""
    report = run(text, tmp_path)
    assert [(s["description"], s["attempts"]) for s in report["steps"]][:3] == [
        ("once", 1),
        ("twice", 2),
        ("in vain", 3),
    ]
    assert report["caught"] == []  # an error that is repeated away is not in caught


def test_last_run(tmp_path: Path) -> None:
    assert run("LOG 1", tmp_path)["last_run"] is None
    last = run('RUN "true"\nRUN "echo out; echo err >&2; exit 3"', tmp_path)["last_run"]
    assert 0 <= last.pop("execution_time") < 60
    assert last == {
        "command": "echo out; echo err >&2; exit 3",
        "stdout": "out\n",
        "stderr": "err\n",
        "exit_code": 3,
    }


def test_the_streams_of_last_run_are_cut(tmp_path: Path) -> None:
    text = (
        "RUN \"head -c 70000 /dev/zero | tr '\\\\0' a; head -c 70000 /dev/zero | tr '\\\\0' b >&2\""
    )
    last = run(text, tmp_path)["last_run"]
    assert (last["stdout"], last["stderr"]) == ("a" * 65_536, "b" * 65_536)


def test_files_written(tmp_path: Path) -> None:
    text = "\n".join(
        f'WRITE "{path}" <<W\nW' for path in ("b", "./a/x", "b", "././c", "./b", "a//x", "a/../d")
    )
    report = run(
        f'{text}\nRUN "touch e"\nMKDIR "f"\nTRY {{\nWRITE "f" <<W\nW\n}} CATCH {{ }}', tmp_path
    )
    assert report["files_written"] == ["b", "a/x", "c", "a/../d"]


def test_cost_has_all_counters(tmp_path: Path) -> None:
    cost = run("LOG 1", tmp_path)["cost"]
    assert cost.keys() == {"API_CALLS", "TOKENS", "RUNS", "TIME", "TOTAL"}
    assert (cost["API_CALLS"], cost["TOKENS"], cost["RUNS"], cost["TOTAL"]) == (0, 0, 0, 0)


ERROR_KEYS = {"kind", "code", "message", "line", "column", "steps", "hint"}


@pytest.mark.parametrize("code", [4, 5, 6, 7])
def test_the_error_that_ended_the_run(tmp_path: Path, code: int) -> None:
    report = run(f'STEP "s" {{\n{ENDS[code]}\n}}', tmp_path)
    error = report["error"]
    assert error.keys() >= ERROR_KEYS
    assert (error["line"], error["column"]) == (3 if code == 6 else 2, 1)
    assert error["steps"] == ["s"]
    assert error["message"]


def test_of_a_failed_assertion_it_is_the_object_of_section_5(tmp_path: Path) -> None:
    text = 'STEP "s" {\n    RUN "echo out"\n    ASSERT LAST_RUN.EXIT_CODE == 1\n}'
    error = run(text, tmp_path)["error"]
    assert error["last_run"].pop("execution_time") >= 0
    assert error == {
        "kind": "assert",
        "code": "E101",
        "message": "expected LAST_RUN.EXIT_CODE == 1, but it was 0",
        "line": 3,
        "column": 5,
        "source": "LAST_RUN.EXIT_CODE == 1",
        "operator": "==",
        "negated": False,
        "left": {"text": "LAST_RUN.EXIT_CODE", "value": 0, "clipped": False},
        "right": {"text": "1", "value": 1, "clipped": False},
        "steps": ["s"],
        "last_run": {
            "command": "echo out",
            "exit_code": 0,
            "stdout_tail": "out\n",
            "stderr_tail": "",
        },
        "hint": None,
    }


@pytest.mark.parametrize(
    ("text", "kind", "codes"),
    [
        ('LOG 1\n RUN "x', "parse", ["T003"]),
        ("LOG x\nLOG y\nTASK", "parse", ["T001"]),
        ("LOG x\nLOG y", "static", ["T110", "T110"]),
        ('CALL "x"\nVAR y = LAST_RUN.STDOUT', "static", ["T103", "T111"]),
    ],
)
def test_a_refused_script(tmp_path: Path, text: str, kind: str, codes: list[str]) -> None:
    report = run(text, tmp_path)
    assert (report["exit_code"], report["status"], report["error"]["kind"]) == (3, "error", kind)
    assert [each["code"] for each in report["diagnostics"]] == codes
    first = report["diagnostics"][0]
    for key in ("code", "line", "column", "hint"):
        assert report["error"][key] == first[key]
    for each in report["diagnostics"]:
        assert each.keys() == {
            *("code", "severity", "message", "file", "line", "column", "end_line", "end_column"),
            "hint",
        }


def test_caught_and_suppressed_hold_errors(tmp_path: Path) -> None:
    text = """TRY { ASSERT 1 == 2 } CATCH { }
    TRY { READ "missing" AS v } CATCH { }
    STEP "a" { ASSERT false }
    STEP "b" { READ "missing" AS v }"""
    report = run(text, tmp_path, keep_going=True)
    assert [each["kind"] for each in report["caught"]] == ["assert", "io"]
    assert [each["kind"] for each in report["suppressed"]] == ["io"]
    for each in [*report["caught"], *report["suppressed"]]:
        assert each.keys() >= ERROR_KEYS
    assert report["caught"][0]["left"]["value"] == 1


def test_the_report_is_json(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("\u2028 é \x1b\x00 😀")
    report: Any = run('READ "odd" AS v\nLOG v\nRUN "printf \'\\\\377\'"', tmp_path)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["last_run"]["stdout"] == "\ufffd"


def test_the_root_is_absolute_and_the_script_as_given(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write(tmp_path, "LOG 1")
    arguments = ("run", "./plan.tiss", "--root", "sub", "--output-format", "json")
    report = json.loads(tiss(*arguments, cwd=tmp_path).stdout)
    assert (report["script"], report["root"]) == ("./plan.tiss", os.path.realpath(tmp_path / "sub"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_has_a_report_too(tmp_path: Path, number: signal.Signals) -> None:
    write(tmp_path, 'STEP "s" { RUN "touch started; sleep 71.1481" }\nSTEP "t" { LOG 1 }')
    with subprocess.Popen(
        [*TISS, "run", "plan.tiss", *NO_SANDBOX, "--output-format", "json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as plan:
        wait_until((tmp_path / "started").exists, "the plan did not start")
        plan.send_signal(number)
        said, _ = plan.communicate(timeout=30)
    assert plan.returncode == 130
    report = json.loads(said)
    assert (report["exit_code"], report["status"]) == (130, "error")
    assert report["error"]["kind"] == "interrupted"
    assert steps(report) == [("s", "failed"), ("t", "skipped")]
    wait_until(lambda: sleepers("71.1481") == [], "the command still runs")


LONG = "9" * 5_000  # an integer of any size; Python itself converts 4,300 digits only


def test_an_integer_of_any_size_can_be_reported(tmp_path: Path) -> None:
    text = f"VAR x = {LONG}\nASSERT x > 1\nASSERT x == 1"
    report = run(text, tmp_path, events=str(tmp_path / "e"), junit=str(tmp_path / "j"))
    assert report["exit_code"] == 1
    left = report["error"]["left"]
    assert (left["value"], left["clipped"]) == (LONG[:500], True)
    assert len(report["error"]["message"]) < 1_000
    assert (tmp_path / "e").read_text().count(LONG) == 1  # in the report of run_end
    assert (tmp_path / "j").exists()


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_an_integer_of_any_size_can_be_printed(tmp_path: Path, form: str) -> None:
    write(tmp_path, f"VAR x = {LONG}")
    done = tiss("run", "plan.tiss", "--output-format", form, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f'"x": {LONG}' in done.stdout
    assert tiss("ast", "plan.tiss", cwd=tmp_path).returncode == 0
