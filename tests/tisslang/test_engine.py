"""The engine from Python: what runs, what is reported, and its limits."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from plans import GREETING, Node, run

import tisslang
from tisslang import ExecutionEngine, TissCommandError, ToolRegistry
from tisslang.errors import TissSecurityError


def test_the_whole_report_of_a_plan_that_passes(tmp_path: Path) -> None:
    report = run(GREETING, tmp_path, filename="plan.tiss")
    times = [report.pop("duration_s"), report["cost"].pop("TIME")]
    times += [step.pop("duration_s") for step in report["steps"]]
    times.append(report["last_run"].pop("execution_time"))
    assert all(isinstance(time, float) and 0 <= time < 30 for time in times)
    assert report == {
        "report": 1,
        "tiss": "1.2.0",
        "script": "plan.tiss",
        "root": str(tmp_path.resolve()),
        "task": "Create and check a greeting script",
        "status": "passed",
        "exit_code": 0,
        "dry_run": False,
        "sandbox": {
            "profile": "none",
            "backend": "none",
            "network": "open",
            "files": "open",
            "processes": "open",
            "gaps": [],
        },
        "steps": [
            {
                "kind": "STEP",
                "description": "Write it",
                "line": 3,
                "status": "passed",
                "attempts": 1,
            },
            {
                "kind": "STEP",
                "description": "Run it",
                "line": 10,
                "status": "passed",
                "attempts": 1,
            },
        ],
        "steps_completed": 2,
        "steps_total": 2,
        "variables": {"who": "Ada O'Neil"},
        "clipped": [],
        "last_run": {
            "command": "python3 hello.py 'Ada O'\\''Neil'",
            "stdout": "Hello, Ada O'Neil!\n",
            "stderr": "",
            "exit_code": 0,
        },
        "log": [],
        "files_written": ["hello.py"],
        "files_reset": [],
        "cost": {"API_CALLS": 0, "TOKENS": 0, "RUNS": 1, "TOTAL": 0},
        "error": None,
        "caught": [],
        "suppressed": [],
        "diagnostics": [],
        "plan": None,
    }
    json.dumps(report, allow_nan=False)


def test_a_failed_assertion_reports_all_there_is_to_know(tmp_path: Path) -> None:
    text = (
        'STEP "Outer" {\n  STEP "Inner" {\n'
        '    RUN "echo no >&2; echo {{x}}; exit 1"\n'
        '    ASSERT   LAST_RUN.EXIT_CODE == 0  # why\n  }\n  LOG "never"\n}\nSTEP "Later" { }\n'
    )
    report = run(text, tmp_path, var={"x": "a b"})
    assert (report["status"], report["exit_code"]) == ("failed", 1)
    error = report["error"]
    assert 0 < error["last_run"].pop("execution_time") < 10
    assert error == {
        "kind": "assert",
        "code": "E101",
        "message": "expected LAST_RUN.EXIT_CODE == 0, but it was 1",
        "line": 4,
        "column": 5,
        "source": "LAST_RUN.EXIT_CODE == 0",
        "operator": "==",
        "negated": False,
        "left": {"text": "LAST_RUN.EXIT_CODE", "value": 1, "clipped": False},
        "right": {"text": "0", "value": 0, "clipped": False},
        "steps": ["Outer", "Inner"],
        "last_run": {
            "command": "echo no >&2; echo 'a b'; exit 1",
            "exit_code": 1,
            "stdout_tail": "a b\n",
            "stderr_tail": "no\n",
        },
        "hint": None,
    }
    steps = [(step["description"], step["status"], step["attempts"]) for step in report["steps"]]
    assert steps == [("Outer", "failed", 1), ("Inner", "failed", 1), ("Later", "skipped", 0)]
    assert (report["steps_completed"], report["steps_total"]) == (0, 2)
    assert report["log"] == []


@pytest.mark.parametrize(
    ("text", "kind", "code", "exit_code"),
    [
        ("ASSERT 1 == 2", "assert", "E101", 1),
        ('STEP "a" {', "parse", "T006", 3),
        ("ASSERT nope == 1", "static", "T110", 3),
        ('ASSERT "a" == 1', "type", "E202", 4),
        ('READ "nope" AS x', "io", "E203", 4),
        ('READ "latin1" AS x', "decode", "E204", 4),
        ('RUN "sleep 9"', "timeout", "E205", 4),
        ('READ "../x" AS x', "security", "E301", 5),
        ('WRITE "a/.git/x" <<W\nW', "security", "E301", 5),
        ('VAR p = "/etc/passwd"\nASSERT FILE "{{p}}" EXISTS', "security", "E301", 5),
        ('RUN "{{big}}"', "io", "E203", 4),
        ('RUN "echo {{nul}}"', "type", "E202", 4),
        ('WRITE "{{big}}" <<W\nW', "io", "E203", 4),
    ],
)
def test_each_error_has_its_kind_code_and_exit(
    tmp_path: Path, text: str, kind: str, code: str, exit_code: int
) -> None:
    (tmp_path / "latin1").write_bytes(b"caf\xe9")
    variables = {"big": "x" * 131_070, "nul": "a\0b"}
    report = run(text, tmp_path, timeout="200ms", var=variables)
    error = report["error"]
    assert (error["kind"], error["code"], report["exit_code"]) == (kind, code, exit_code)
    assert report["status"] == ("failed" if exit_code == 1 else "error")
    assert error["message"]
    assert isinstance(error["line"], int)
    assert isinstance(error["column"], int)
    assert bool(report["diagnostics"]) is (exit_code == 3)


def test_undefined_at_run_time(tmp_path: Path) -> None:
    engine = ExecutionEngine(root=tmp_path)
    for value in ({"var": "x"}, {"last_run": "STDOUT"}, {"template": ["a", {"var": "x"}]}):
        report = engine.execute([{"type": "LOG", "value": value, "line": 1, "column": 1}])
        assert (report["error"]["kind"], report["exit_code"]) == ("undefined", 4)


def test_a_plan_that_is_certainly_wrong_does_nothing(tmp_path: Path) -> None:
    report = run('WRITE "a" <<W\nW\nSTEP "x" { LOG nope }', tmp_path)
    assert report["exit_code"] == 3
    assert [step["status"] for step in report["steps"]] == ["skipped"]
    assert [d["code"] for d in report["diagnostics"]] == ["T110"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("profile", ["standard", "strict"])
def test_without_a_sandbox_a_plan_with_run_is_refused_before_any_effect(
    tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tisslang.sandbox.backends", list)
    text = 'WRITE "a" <<W\nW\nSTEP "x" { STEP "y" { RUN "true" } }'
    report = run(text, tmp_path, sandbox_profile=profile)
    assert (report["error"]["kind"], report["exit_code"]) == ("security", 5)
    assert (report["error"]["line"], report["error"]["column"]) == (3, 23)
    assert f"cannot give the sandbox profile {profile!r}" in report["error"]["message"]
    assert "--sandbox-profile none" in report["error"]["hint"]
    assert report["sandbox"] is None
    assert list(tmp_path.iterdir()) == []


def test_a_plan_without_run_needs_no_sandbox(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run('WRITE "a" <<W\nW', tmp_path, sandbox_profile="strict")
    assert (report["exit_code"], report["sandbox"]) == (0, None)
    assert capsys.readouterr().err == ""


def test_running_without_a_sandbox_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run('RUN "true"\nRUN "true"', tmp_path)
    assert capsys.readouterr().err.count("no sandbox") == 1


def test_values_variables_and_interpolation(tmp_path: Path) -> None:
    text = r"""
VAR n = 3
VAR f = 0.50
VAR yes = true
VAR wait = 5m
VAR text = " {{n}}|{{f}}|{{yes}}|{{wait}} "
VAR trimmed = text|trim
VAR json = "{{text|json}} {{n|json}} {{yes|json}}"
VAR n ?= 4
VAR m ?= 4
VAR given ?= "default"
VAR once = "{{given}}"
VAR body = <<W
{{n}} \{{n}}
W
VAR quoted = '{{n}}'
LOG n
LOG yes
LOG "{{wait}}"
ASSERT yes
ASSERT n == "3"
ASSERT wait == 300
"""
    report = run(text, tmp_path, var={"given": "{{n}}"})
    assert report["error"] is None
    assert report["variables"] == {
        "body": "3 {{n}}\n",
        "f": 0.5,
        "given": "{{n}}",
        "json": '" 3|0.5|true|300.0 " 3 true',
        "m": 4,
        "n": 3,
        "once": "{{n}}",
        "quoted": "{{n}}",
        "text": " 3|0.5|true|300.0 ",
        "trimmed": "3|0.5|true|300.0",
        "wait": 300.0,
        "yes": True,
    }
    assert list(report["variables"]) == sorted(report["variables"])
    assert report["log"] == ["3", "true", "300.0"]


def test_files_are_exactly_as_written_and_read(tmp_path: Path) -> None:
    content = "\ufeffone\r\ntwo\té"
    (tmp_path / "in").write_bytes(content.encode())
    text = 'READ "in" AS x\nWRITE "./a//b.txt" <<W\n{{x}}\nW\nWRITE "a/b.txt" <<W\n{{x}}\nW'
    report = run(text, tmp_path)
    assert report["variables"]["x"] == content
    assert (tmp_path / "a/b.txt").read_bytes() == f"{content}\n".encode()
    assert report["files_written"] == ["a/b.txt"]


def test_last_run_is_the_latest_run(tmp_path: Path) -> None:
    text = """
RUN "printf 'a\\n'; exit 3"
ASSERT LAST_RUN.STDOUT == "a\\n"
ASSERT LAST_RUN.EXIT_CODE == 3
ASSERT LAST_RUN.EXECUTION_TIME < 10
ASSERT LAST_RUN.COMMAND CONTAINS "exit 3"
RUN <<SH
cd /
pwd
SH
ASSERT LAST_RUN.STDOUT|trim == "/"
ASSERT LAST_RUN.STDERR IS_EMPTY
RUN "pwd"
"""
    report = run(text, tmp_path)
    assert report["error"] is None
    assert report["last_run"]["stdout"] == f"{tmp_path.resolve()}\n"
    assert report["cost"]["RUNS"] == 3


def test_a_timeout_keeps_what_was_captured(tmp_path: Path) -> None:
    report = run('RUN "echo x; sleep 9"', tmp_path, timeout=0.3)
    assert report["error"]["kind"] == "timeout"
    assert (report["last_run"]["exit_code"], report["last_run"]["stdout"]) == (124, "x\n")


def test_output_and_variables_are_clipped(tmp_path: Path) -> None:
    report = run(
        "RUN \"head -c 100000 /dev/zero | tr '\\\\0' x\"\nVAR big = LAST_RUN.STDOUT",
        tmp_path,
        max_output="80000",
    )
    assert len(report["last_run"]["stdout"]) == len(report["variables"]["big"]) == 65_536
    assert report["clipped"] == ["big"]


def test_keep_going_continues_with_the_next_step(tmp_path: Path) -> None:
    text = """
STEP "one" { ASSERT 1 == 2 }
LOG "between"
STEP "two" { LOG "two" }
LOG "after two"
STEP "three" { READ "nope" AS x }
"""
    report = run(text, tmp_path, keep_going=True)
    assert report["exit_code"] == 1
    assert report["error"]["kind"] == "assert"
    assert [error["kind"] for error in report["suppressed"]] == ["io"]
    assert report["suppressed"][0]["steps"] == ["three"]
    assert report["log"] == ["two", "after two"]
    assert [step["status"] for step in report["steps"]] == ["failed", "passed", "failed"]
    assert report["steps_completed"] == 1
    stopped = run(text, tmp_path)
    assert [step["status"] for step in stopped["steps"]] == ["failed", "skipped", "skipped"]


def test_keep_going_stops_at_what_is_not_catchable(tmp_path: Path) -> None:
    text = 'STEP "one" { READ "../x" AS x }\nSTEP "two" { LOG "two" }'
    report = run(text, tmp_path, keep_going=True)
    assert (report["exit_code"], report["log"]) == (5, [])
    assert [step["status"] for step in report["steps"]] == ["failed", "skipped"]


def test_a_setup_after_a_failure_is_skipped_in_its_place(tmp_path: Path) -> None:
    fail: Node = {"type": "ASSERT", "condition": {"op": "TRUTH", "left": False}}
    steps: list[Node] = [
        {"type": "SETUP", "description": None, "body": [fail]},
        {"type": "SETUP", "description": "b", "body": [fail]},
        {"type": "STEP", "description": "c", "body": []},
    ]
    engine = ExecutionEngine(root=tmp_path, keep_going=True)
    report = engine.execute([{"type": "TASK", "description": "t", "block": True, "body": steps}])
    assert [(s["kind"], s["description"], s["status"]) for s in report["steps"]] == [
        ("SETUP", None, "failed"),
        ("SETUP", "b", "skipped"),
        ("STEP", "c", "passed"),
    ]
    assert report["error"]["steps"] == ["SETUP"]


def test_directives_hold_to_the_end_of_their_block(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    tools = ToolRegistry.default()
    tools.register("LOG", lambda state, args: seen.append(dict(state.directives)))
    text = """
@persona "a"
STEP "s" {
    VAR n = 2
    @persona "b{{n}}"
    @speed fast 2 true
    LOG 1
}
LOG 2
"""
    assert run(text, tmp_path, tools=tools)["exit_code"] == 0
    assert seen == [{"persona": ["b2"], "speed": ["fast", 2, True]}, {"persona": ["a"]}]


# Limits and wrong use


def test_256_levels_run_also_deep_in_the_stack(tmp_path: Path) -> None:
    text = 'STEP "s" {\n' * 256 + "LOG 1\n" + "}\n" * 256

    def deep(levels: int) -> dict[str, Any]:
        return deep(levels - 1) if levels else run(text, tmp_path)

    report = deep(500)
    assert report["log"] == ["1"]
    assert len(report["steps"]) == 256
    report = run(f'TASK "t" {{\n{text[11:-2]}}}', tmp_path)
    assert report["exit_code"] == 0
    node: Node = {"type": "LOG", "value": 1}
    for _ in range(400):
        node = {"type": "STEP", "description": "s", "body": [node]}
    report = ExecutionEngine(root=tmp_path).execute([node])
    assert (report["error"]["code"], report["exit_code"]) == ("T008", 3)


def test_runs_in_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    reports: list[dict[str, Any]] = []

    def one(number: int) -> None:
        text = f'RUN "sleep 0.1; echo {number}"\nASSERT LAST_RUN.STDOUT|trim == "{number}"'
        reports.append(run(text, tmp_path))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report["exit_code"] for report in reports] == [0] * 4


def test_a_root_that_vanishes_is_an_io_error(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    tools = ToolRegistry.default()
    tools.register("LOG", lambda state, args: root.rmdir())
    report = run('LOG 1\nWRITE "a" <<W\nW', root, tools=tools)
    assert (report["error"]["kind"], report["exit_code"]) == ("io", 4)
    root.mkdir()
    report = run('LOG 1\nRUN "true"', root, tools=tools)
    assert (report["error"]["kind"], report["exit_code"]) == ("io", 4)
    assert "project root" in report["error"]["message"]


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": "5"},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"max_output": "10X"},
        {"max_output": -1},
        {"sandbox_profile": "docker"},
        {"var": {"1x": "a"}},
        {"var": {"IF": "a"}},
        {"var": {"x": 1}},
        {"var": ["x"]},
        {"var": "x=1"},
        {"env": {"A B": "x"}},
        {"env": {"A": "a\0b"}},
        {"env": {"A": "\ud800"}},
    ],
)
def test_bad_options_are_named(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        ExecutionEngine(root=tmp_path, **options)
    assert next(iter(options)).split("_")[0] in str(caught.value) or "not" in str(caught.value)


def test_wrong_use_from_python(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nowhere"):
        ExecutionEngine(root=tmp_path / "nowhere")
    with pytest.raises(TypeError, match="speed"):
        ExecutionEngine(root=tmp_path, speed=9)
    with pytest.raises(TypeError, match="SCRIPT"):
        ExecutionEngine(root=tmp_path).execute("LOG 1")  # type: ignore[arg-type]
    with pytest.raises(AttributeError):
        tisslang.nothing  # noqa: B018
    assert TissSecurityError.__mro__[1] is not TissCommandError
