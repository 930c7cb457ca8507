"""Tools: which there are, how a user replaces them, and what a fault in one does."""

from pathlib import Path
from typing import Any

import pytest
from plans import Node, run
from report_shape import check_events

import tisslang
from tisslang import ExecutionEngine, State, TissCommandError, ToolRegistry


def test_a_fresh_state() -> None:
    state = State()
    assert (state.variables, state.last_run_result) == ({}, None)
    assert (state.is_halted, state.execution_log) == (False, [])


def test_default_registries_are_independent() -> None:
    first, second = ToolRegistry.default(), ToolRegistry.default()
    names = {kind: first.get_tool(kind).__name__ for kind in ("RUN", "WRITE", "READ", "ASSERT")}
    assert names == {
        "RUN": "run_command",
        "WRITE": "write_file",
        "READ": "read_file",
        "ASSERT": "assert_condition",
    }
    first.register("RUN", print)
    assert second.get_tool("RUN") is not print
    with pytest.raises(KeyError, match="NOPE"):
        first.get_tool("NOPE")
    with pytest.raises(TypeError):
        first.register("RUN", "not a function")  # type: ignore[arg-type]


def test_a_users_own_tools_replace_ours(tmp_path: Path) -> None:
    given: list[tuple[str, dict[str, Any]]] = []

    def run_command(state: State, args: dict[str, Any]) -> None:
        given.append(("RUN", args))
        state.last_run_result = {
            "stdout": "fake\n",
            "stderr": "",
            "exit_code": 7,
            "execution_time": 0.0,
            "command": args["command"],
        }

    def write_file(state: State, args: dict[str, Any]) -> None:
        given.append(("WRITE", args))

    def read_file(state: State, args: dict[str, Any]) -> None:
        given.append(("READ", args))
        state.variables[args["variable"]] = "read"

    def assert_condition(state: State, args: dict[str, Any]) -> None:
        given.append(("ASSERT", args))

    tools = ToolRegistry.default()
    for tool in (run_command, write_file, read_file, assert_condition):
        tools.register(tool.__name__.split("_")[0].upper(), tool)
    text = """\
VAR name = "a b"
WRITE "{{name}}.txt" <<W
{{name}}
W
READ "{{name}}.txt" AS x
RUN "echo {{name}} '{{x}}'"
ASSERT LAST_RUN.EXIT_CODE == 0
ASSERT FILE "{{name}}" NOT EXISTS
LOG "{{LAST_RUN.STDOUT|trim}} {{LAST_RUN.EXIT_CODE}}"
"""
    engine = ExecutionEngine(tools=tools, root=tmp_path)
    report = engine.execute(tisslang.parse(text))
    assert report["error"] is None
    assert report["sandbox"] is None  # a tool of one's own starts nothing of ours
    assert report["log"] == ["fake 7"]
    kinds = [kind for kind, _ in given]
    assert kinds == ["WRITE", "READ", "RUN", "ASSERT", "ASSERT"]
    write, read, command, compare, exists = (args for _, args in given)
    assert (write["path"], write["content"]) == ("a b.txt", "a b\n")
    assert (read["path"], read["variable"]) == ("a b.txt", "x")
    assert command["command"] == "echo 'a b' 'read'"
    assert compare["condition"]["op"] == "=="
    assert (compare["condition"]["left"], compare["condition"]["right"]) == (7, 0)
    assert compare["source"] == "LAST_RUN.EXIT_CODE == 0"
    assert exists["condition"]["path"] == "a b"
    assert list(tmp_path.iterdir()) == []
    check_events(engine.state.execution_log)


def test_a_command_of_ones_own_in_a_list_of_dicts(tmp_path: Path) -> None:
    def add(state: State, args: dict[str, Any]) -> None:
        if args["left"] == "bad":
            raise TissCommandError("type", "cannot add")
        state.variables["sum"] = args["left"] + args["right"]

    tools = ToolRegistry.default()
    tools.register("ADD", add)
    engine = ExecutionEngine(tools, tmp_path)
    plan: list[Node] = [
        {"type": "VAR", "name": "x", "value": 2},
        {"type": "ADD", "left": {"var": "x"}, "right": 3, "line": 9},
    ]
    assert engine.execute(plan)["variables"] == {"x": 2, "sum": 5}
    report = engine.execute([{"type": "ADD", "left": "bad", "right": 1, "line": 9, "column": 2}])
    assert report["error"]["message"] == "cannot add"
    assert (report["error"]["line"], report["error"]["column"]) == (9, 2)


def test_what_a_command_of_ones_own_holds_are_no_statements(tmp_path: Path) -> None:
    seen: list[Any] = []
    tools = ToolRegistry.default()
    tools.register("DEPLOY", lambda state, args: seen.append(args["targets"]))
    targets = [{"type": "host", "name": "a"}, {"type": "RUN", "command": "true"}]
    report = ExecutionEngine(tools, tmp_path).execute([{"type": "DEPLOY", "targets": targets}])
    assert (report["status"], report["sandbox"]) == ("passed", None)
    assert seen == [targets]


def test_an_unknown_command_is_found_before_the_first_effect(tmp_path: Path) -> None:
    plan: list[Node] = [
        {"type": "WRITE", "path": "a", "content": ""},
        {"type": "STEP", "description": "s", "body": [{"type": "FLY"}]},
    ]
    report = ExecutionEngine(root=tmp_path).execute(plan)
    assert (report["error"]["code"], report["exit_code"]) == ("T002", 3)
    assert list(tmp_path.iterdir()) == []


def test_a_tool_may_halt_the_run(tmp_path: Path) -> None:
    def halt(state: State, args: dict[str, Any]) -> None:
        state.is_halted = True

    tools = ToolRegistry.default()
    tools.register("LOG", halt)
    report = run('STEP "a" { LOG 1\nVAR x = 1 }\nSTEP "b" { }', tmp_path, tools=tools)
    assert (report["exit_code"], report["variables"]) == (0, {})
    assert [step["status"] for step in report["steps"]] == ["passed", "skipped"]


def test_a_fault_in_a_tool_is_internal_and_can_be_debugged(tmp_path: Path) -> None:
    def broken(state: State, args: dict[str, Any]) -> None:
        raise ZeroDivisionError("oops")

    tools = ToolRegistry.default()
    tools.register("LOG", broken)
    report = run('STEP "a" { LOG 1 }', tmp_path, tools=tools)
    assert (report["exit_code"], report["error"]["kind"]) == (70, "internal")
    assert "ZeroDivisionError: oops" in report["error"]["message"]
    with pytest.raises(ZeroDivisionError):
        run("LOG 1", tmp_path, tools=tools, debug=True)


def test_an_interruption_is_reported(tmp_path: Path) -> None:
    def interrupted(state: State, args: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    tools = ToolRegistry.default()
    tools.register("LOG", interrupted)
    engine = ExecutionEngine(tools, tmp_path, keep_going=True)
    report = engine.run('STEP "a" { LOG 1 }\nSTEP "b" { LOG 2 }')
    assert (report["exit_code"], report["error"]["kind"]) == (130, "interrupted")
    assert [step["status"] for step in report["steps"]] == ["failed", "skipped"]
    check_events(engine.state.execution_log)


def test_a_wrapper_of_run_command_meets_the_sandbox_when_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tisslang.sandbox.backends", list)
    inner = ToolRegistry.default().get_tool("RUN")
    tools = ToolRegistry.default()
    tools.register("RUN", lambda state, args: inner(state, args))
    report = ExecutionEngine(tools, tmp_path).run('RUN "true"')
    assert (report["error"]["kind"], report["exit_code"]) == ("security", 5)
