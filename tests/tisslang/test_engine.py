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
    assert "tiss doctor" in report["error"]["hint"]
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


def test_junk_in_a_tree_hides_no_statement(tmp_path: Path) -> None:
    """What is refused before the first effect is found beside what is no statement at all."""
    refused = {"type": "DIRECTIVE", "name": "env", "values": ["LD_PRELOAD=x"]}
    made = {"type": "MKDIR", "path": "made"}
    report = ExecutionEngine(root=tmp_path).execute(
        [made, {"type": "STEP", "description": "s", "body": [refused, "junk"]}]
    )
    assert (report["exit_code"], report["error"]["code"]) == (3, "T107")
    assert not (tmp_path / "made").exists()


def test_a_text_that_doubles_again_and_again_is_an_error_of_type(tmp_path: Path) -> None:
    doubling = 'VAR b = "{{b}}{{b}}"\n' * 40
    report = run(f'VAR b = "0123456789"\n{doubling}', tmp_path)
    assert report["error"]["kind"] == "type"
    assert "67,108,864 characters" in report["error"]["message"]


def test_an_interrupt_while_the_plan_is_read_has_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tisslang.syntax.parse", interrupted)
    report = run('LOG "x"', tmp_path, step=["there is none"])
    assert (report["exit_code"], report["error"]["kind"]) == (130, "interrupted")
    assert report["log"] == []


def test_a_command_cannot_put_another_root_in_its_place(tmp_path: Path) -> None:
    """Without a sandbox: what was the root at the start is the root to the end."""
    root, other = tmp_path / "root", tmp_path / "other"
    root.mkdir()
    other.mkdir()
    plan = 'RUN "cd ..; mv root moved; ln -s other root"\nTRY { MKDIR "made" } CATCH { }'
    run(plan, root)
    assert list(other.iterdir()) == []
