"""Section 16: the Python API."""

import json
from pathlib import Path
from typing import Any

import pytest
from conformance import run

import tisslang
from tisslang import (
    ExecutionEngine,
    State,
    TissAssertionError,
    TissBudgetError,
    TissCommandError,
    TissError,
    TissHumanError,
    TissParseError,
    TissSecurityError,
    ToolRegistry,
    check,
    format_source,
    lint,
    parse,
)


def engine(root: Path, tools: ToolRegistry | None = None, **options: Any) -> ExecutionEngine:
    settings = {"sandbox_profile": "none", "non_interactive": True} | options
    return ExecutionEngine(tools=tools or ToolRegistry.default(), root=root, **settings)


def test_parse_returns_a_dict_or_raises(tmp_path: Path) -> None:
    tree = parse("LOG 1", filename="plan.tiss")
    assert (type(tree), tree["type"]) == (dict, "SCRIPT")
    assert json.loads(json.dumps(tree)) == tree
    with pytest.raises(TissParseError) as caught:
        parse('LOG "x', filename="plan.tiss")
    error = caught.value
    assert (error.code, error.line, error.column) == ("T003", 1, 5)
    assert error.message
    assert error.hint


def test_check_lint_and_format_source() -> None:
    assert [(each.code, each.line, each.column) for each in check("LOG x")] == [("T110", 1, 5)]
    assert check("LOG 1") == []
    assert "T208" in [each.code for each in lint("LOG 1")]
    assert format_source("LOG   1") == "LOG 1\n"
    with pytest.raises(TissParseError):
        format_source("LOG")


def test_execute_takes_a_script_dict_or_a_list_of_commands(tmp_path: Path) -> None:
    tree = parse('VAR x = 1\nLOG "x is {{x}}"')
    for plan in (tree, tree["body"]):
        report = engine(tmp_path).execute(plan)
        assert (report["status"], report["log"]) == ("passed", ["x is 1"])


def test_a_list_needs_no_positions(tmp_path: Path) -> None:
    plan = [{"type": "LOG", "value": "hello"}, {"type": "MKDIR", "path": "made"}]
    report = engine(tmp_path).execute(plan)
    assert (report["status"], report["log"]) == ("passed", ["hello"])
    assert (tmp_path / "made").is_dir()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("ASSERT false", 1), ("LOG x", 4), ('READ "no" AS v', 4), ('READ "../x" AS v', 5)),
        *(("SET_BUDGET RUN_COUNT = 0\nRUN 'true'", 6), ('PAUSE "x"', 7)),
    ],
)
def test_execute_never_raises_an_error_of_the_language(
    tmp_path: Path, text: str, code: int
) -> None:
    """What `check` would find in a plan is an error of its run when nobody has checked."""
    report = engine(tmp_path).execute(parse(text))
    assert report["exit_code"] == code
    checked = tisslang.run(parse(text), root=tmp_path, sandbox_profile="none")
    assert checked["exit_code"] == (3 if text == "LOG x" else code)


def test_run_does_it_all_in_one_call(tmp_path: Path) -> None:
    for plan in ("LOG 1", parse("LOG 1"), b"LOG 1"):
        assert tisslang.run(plan, root=str(tmp_path))["log"] == ["1"]
    assert run("LOG", tmp_path)["error"]["kind"] == "parse"
    assert run("LOG x", tmp_path)["error"]["kind"] == "static"


def test_the_root_is_the_current_directory_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert tisslang.run("LOG 1")["root"] == str(tmp_path.resolve())


def test_options_are_the_flags_in_snake_case(tmp_path: Path) -> None:
    report = tisslang.run(
        'STEP "a" { LOG x }',
        root=tmp_path,
        dry_run=False,
        events=str(tmp_path / "events"),
        var={"x": "1"},
        timeout="5m",
        max_output="1M",
        max_memory="1G",
        max_processes=100,
        max_disk=1 << 30,
        sandbox_profile="none",
        allow_network=False,
        non_interactive=True,
        answer=["y"],
        yes=True,
        allow_command=["curl"],
        deny_command=["ls"],
        env={"A": "1"},
        keep_going=True,
        agent="echo",
        jobs=2,
        budget={"COST": 1},
        choose_by="agent",
        secret=[],
        step=["a"],
        from_step=None,
        junit=str(tmp_path / "junit.xml"),
    )
    assert report["log"] == ["1"]
    assert (tmp_path / "events").exists()
    assert (tmp_path / "junit.xml").exists()


def test_an_unknown_option_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        tisslang.run("LOG 1", root=tmp_path, speed="fast")


# State and tools


def test_a_tool_gets_the_state_and_evaluated_arguments(tmp_path: Path) -> None:
    seen: list[tuple[State, dict[str, Any]]] = []

    def look(state: State, args: dict[str, Any]) -> None:
        seen.append((state, args))

    tools = ToolRegistry.default()
    tools.register("LOG", look)
    tools.register("WRITE", look)
    text = 'VAR x = 1\nRUN "echo out; exit 3"\nLOG "x is {{x}}"\nWRITE "./a/../b" <<PY\n{{x}}\nPY'
    engine(tmp_path, tools).execute(parse(text))
    (state, logged), (_, written) = seen
    assert isinstance(state, State)
    assert logged["value"] == "x is 1"
    assert (written["content"], written["language"]) == ("1\n", "PY")
    assert state.variables == {"x": 1}
    last = state.last_run_result
    assert last is not None
    assert last.keys() >= {"stdout", "stderr", "exit_code", "execution_time", "command"}
    assert (last["stdout"], last["exit_code"]) == ("out\n", 3)
    assert isinstance(state.is_halted, bool)
    assert [event["event"] for event in state.execution_log][:2] == ["run_start", "command_start"]


def test_last_run_result_is_none_before_a_run(tmp_path: Path) -> None:
    seen: list[Any] = []
    tools = ToolRegistry.default()
    tools.register("LOG", lambda state, args: seen.append(state.last_run_result))
    engine(tmp_path, tools).execute(parse("LOG 1"))
    assert seen == [None]


def test_the_run_is_halted_by_an_error(tmp_path: Path) -> None:
    states: list[State] = []
    tools = ToolRegistry.default()
    tools.register("LOG", lambda state, args: states.append(state))
    engine(tmp_path, tools).execute(parse("LOG 1\nASSERT false"))
    assert states[0].is_halted is True


def test_a_tool_changes_the_state(tmp_path: Path) -> None:
    tools = ToolRegistry.default()
    tools.register("LOG", lambda state, args: state.variables.update(x=2))
    report = engine(tmp_path, tools).execute(parse("VAR x = 1\nLOG 1\nASSERT x == 2"))
    assert report["status"] == "passed"


def test_a_tool_gets_paths_already_checked(tmp_path: Path) -> None:
    seen: list[str] = []
    tools = ToolRegistry.default()
    for name in ("READ", "WRITE", "MKDIR", "DELETE"):
        tools.register(name, lambda state, args: seen.append(args["path"]))
    for text in ('READ "../x" AS v', 'WRITE "/x" <<W\nW', 'MKDIR ".git"', 'DELETE "."'):
        assert engine(tmp_path, tools).execute(parse(text))["exit_code"] == 5
    assert seen == []
    assert engine(tmp_path, tools).execute(parse('MKDIR "ok"'))["exit_code"] == 0
    assert len(seen) == 1


def test_get_tool(tmp_path: Path) -> None:
    tools = ToolRegistry.default()
    for name in ("READ", "WRITE", "RUN", "ASSERT", "VAR", "LOG", "MKDIR", "DELETE"):
        assert callable(tools.get_tool(name))

    def mine(state: State, args: dict[str, Any]) -> None:
        pass

    tools.register("LOG", mine)
    assert tools.get_tool("LOG") is mine
    assert ToolRegistry.default().get_tool("LOG") is not mine  # the default is not changed


def test_an_unknown_type_serves_lists_and_does_not_extend_the_grammar(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    tools = ToolRegistry.default()
    tools.register("SEND_MAIL", lambda state, args: seen.append(args))
    plan = [
        {"type": "VAR", "name": "who", "default": False, "value": "Ada"},
        {"type": "SEND_MAIL", "to": {"template": ["<", {"var": "who"}, ">"]}, "line": 1},
    ]
    report = engine(tmp_path, tools).execute(plan)
    assert report["status"] == "passed"
    assert seen[0]["to"] == "<Ada>"
    with pytest.raises(TissParseError) as caught:
        parse('SEND_MAIL "x"')
    assert caught.value.code == "T002"


def test_a_type_that_nobody_registered(tmp_path: Path) -> None:
    """It is no plan: refused by the call or by the report, before anything happens."""
    plan = [{"type": "MKDIR", "path": "made"}, {"type": "SEND_MAIL"}]
    try:
        report = engine(tmp_path).execute(plan)
    except (ValueError, KeyError, TypeError):
        pass
    else:
        assert report["exit_code"] != 0
    assert not (tmp_path / "made").exists()


def test_an_error_that_a_tool_raises_is_caught_like_any_other(tmp_path: Path) -> None:
    def refuse(state: State, args: dict[str, Any]) -> None:
        raise TissCommandError("io", "the printer is out of paper")

    tools = ToolRegistry.default()
    tools.register("LOG", refuse)
    text = "TRY { LOG 1 } CATCH { VAR said = ERROR.MESSAGE }"
    report = engine(tmp_path, tools).execute(parse(text))
    assert report["variables"]["said"] == "the printer is out of paper"


# errors


def test_the_family_of_errors() -> None:
    for kind in (TissParseError, TissCommandError, TissSecurityError, TissBudgetError):
        assert issubclass(kind, TissError)
    assert issubclass(TissHumanError, TissError)
    assert issubclass(TissAssertionError, TissCommandError)
    for beside in (TissParseError, TissSecurityError, TissBudgetError, TissHumanError):
        assert not issubclass(beside, TissCommandError)


def test_what_errors_carry() -> None:
    assert TissCommandError("io", "no").kind == "io"
    failed: list[TissAssertionError] = []

    def keep(state: State, args: dict[str, Any]) -> None:
        try:
            ToolRegistry.default().get_tool("ASSERT")(state, args)
        except TissAssertionError as error:
            failed.append(error)
            raise

    tools = ToolRegistry.default()
    tools.register("ASSERT", keep)
    report = ExecutionEngine(tools=tools).execute(parse("ASSERT 1 == 2"))
    assert failed[0].kind == "assert"
    assert failed[0].report["left"]["value"] == 1
    assert report["error"]["left"]["value"] == 1


# depth

DEPTH = 256


@pytest.mark.parametrize(
    ("opener", "closer"),
    [('STEP "s" {', "}"), ("IF true {", "}"), ("TRY {", "} CATCH { }"), ("TRY { } CATCH {", "}")],
)
def test_256_levels(tmp_path: Path, opener: str, closer: str) -> None:
    text = f"{opener}\n" * DEPTH + "LOG 1\n" + f"{closer}\n" * DEPTH
    assert parse(text)["type"] == "SCRIPT"
    assert check(text) == []
    assert parse(format_source(text))["type"] == "SCRIPT"
    report = run(text, tmp_path)
    assert report["status"] == "passed"
    assert report["log"] == ([] if "CATCH {" in opener else ["1"])
    assert run(text, tmp_path, dry_run=True)["exit_code"] == 0
    with pytest.raises(TissParseError) as caught:
        parse(f"{opener}\n{text}\n{closer}")
    assert caught.value.code == "T008"


def test_a_long_chain_of_else_if(tmp_path: Path) -> None:
    text = 'IF x == "0" { LOG 0 }' + "".join(
        f' ELSE IF x == "{n}" {{ LOG {n} }}' for n in range(1, 250)
    )
    assert run(text, tmp_path, var={"x": "249"})["log"] == ["249"]
    assert parse(format_source(text))["type"] == "SCRIPT"


def test_engines_can_be_used_again(tmp_path: Path) -> None:
    runs = engine(tmp_path)
    tree = parse("VAR x ?= 1\nLOG x")
    assert [runs.execute(tree)["log"] for _ in range(2)] == [["1"], ["1"]]
