"""§4.1 and §4.2 of the language reference: values, variables, undefined names."""

from pathlib import Path

import pytest
from conformance import found, hint, linted, logged, run, stopped_by
from conformance_runs import tiss, write

# 4.1 Values


@pytest.mark.parametrize(
    ("operand", "text"),
    [
        ("'as it is\\n'", "as it is\\n"),
        ('""', ""),
        ("12", "12"),
        ("-0", "0"),
        ("007", "7"),
        ("1.50", "1.5"),
        ("2.0", "2.0"),
        ("100000000000000000000.0", "1e+20"),
        ("0.1", "0.1"),
        ("true", "true"),
        ("false", "false"),
        ("5m", "300.0"),
        ("500ms", "0.5"),
    ],
)
def test_the_text_form_of_a_value(operand: str, text: str, tmp_path: Path) -> None:
    script = f'LOG {operand}\nVAR x = {operand}\nLOG x\nLOG "{{{{x}}}}"\n'
    assert logged(script, tmp_path) == [text] * 3


def test_a_duration_is_a_number_of_seconds(tmp_path: Path) -> None:
    text = "VAR x = 5m\nASSERT x == 300\nASSERT x > 4.5m\nASSERT 500ms == 0.5\n"
    report = run(text, tmp_path)
    assert report["error"] is None
    assert report["variables"] == {"x": 300}


def test_values_keep_their_type(tmp_path: Path) -> None:
    text = "VAR a = 1\nVAR b = 1.0\nVAR c = true\nVAR d = '1'\nVAR e = a\nVAR f = \"{{a}}\"\n"
    variables = run(text, tmp_path)["variables"]
    assert [variables[name] for name in "abcdef"] == [1, 1.0, True, "1", 1, "1"]
    assert [type(variables[name]) for name in "abcdef"] == [int, float, bool, str, int, str]


# 4.2 Variables


def test_what_binds_a_name(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("read")
    text = (
        "READ 'in' AS a\nVAR b = 2\nPROMPT_AGENT 'echoed' INTO c\n"
        "ESTIMATE_COST INTO d { RUN 'true' }\nLOG \"{{a}} {{b}} {{c}} {{d}} {{e}}\"\n"
    )
    report = run(text, tmp_path, agent="echo", var={"e": "5"})
    assert report["log"] == ["read 2 echoed 0 5"]


def test_a_value_of_the_operator_is_always_text(tmp_path: Path) -> None:
    for value in ("5", "true", "5m", "'x'", "{{x}}"):
        assert run("LOG x\n", tmp_path, var={"x": value})["variables"] == {"x": value}
    assert stopped_by(run("ASSERT x\n", tmp_path, var={"x": "true"})) == "type"


def test_a_default_binds_only_what_is_unset(tmp_path: Path) -> None:
    assert logged("VAR x ?= 1\nLOG x\nVAR x ?= 2\nLOG x\n", tmp_path) == ["1", "1"]
    assert logged("VAR x ?= 1\nLOG x\n", tmp_path, var={"x": "of the operator"}) == [
        "of the operator"
    ]
    assert logged("VAR x = ''\nVAR x ?= 1\nLOG x\n", tmp_path) == [""]


def test_assignment_replaces_value_and_type(tmp_path: Path) -> None:
    assert logged("VAR x = 1\nVAR x = 'a{{x}}'\nLOG x\n", tmp_path) == ["a{{x}}"]
    assert logged('VAR x = 1\nVAR x = "a{{x}}"\nLOG x\n', tmp_path) == ["a1"]


@pytest.mark.parametrize(
    "block",
    [
        "IF true {{ {} }}",
        "IF false {{ }} ELSE {{ {} }}",
        "TRY {{ {} }} CATCH {{ }}",
        "TRY {{ ASSERT false }} CATCH {{ {} }}",
        "STEP 's' {{ {} }}",
        "SETUP {{ {} }}",
        "CHOOSE {{ OPTION 'o' {{ {} }} }}",
        "TASK 't' {{ {}\nLOG x }}\nDEFINE_TASK 'd' {{ }}",
    ],
)
def test_blocks_open_no_scopes(block: str, tmp_path: Path) -> None:
    after = "" if block.startswith("TASK") else "\nLOG x\n"
    text = "VAR x = 1\n" * (not block.startswith("TASK")) + block.format("VAR x = 2") + after
    assert logged(text, tmp_path, answer=["1"]) == ["2"]


def test_a_parameter_shadows_until_the_call_returns(tmp_path: Path) -> None:
    text = (
        "VAR p = 'outer'\nCALL 'd' WITH p = 'inner'\nLOG p\nLOG q\n"
        "DEFINE_TASK 'd' WITH p { LOG p\nVAR p = 'changed'\nLOG p\nVAR q = p }\n"
    )
    assert logged(text, tmp_path) == ["inner", "changed", "outer", "changed"]


def test_what_a_sub_task_calls_sees_its_parameters(tmp_path: Path) -> None:
    text = """\
CALL 'a' WITH p = 1
DEFINE_TASK 'a' WITH p { CALL 'b' }
DEFINE_TASK 'b' { LOG p }
"""
    assert logged(text, tmp_path) == ["1"]


def test_parallel_branches_work_on_copies(tmp_path: Path) -> None:
    text = "VAR x = 1\nPARALLEL {\nSTEP 'a' { VAR x = 2\nLOG x }\nSTEP 'b' { LOG x }\n}\nLOG x\n"
    for jobs in (1, 4):
        assert logged(text, tmp_path, jobs=jobs) == ["2", "1", "2"]


# Pseudo-variables


def test_the_fields_of_the_latest_run(tmp_path: Path) -> None:
    text = (
        "RUN 'echo first'\nRUN \"printf 'a\\\\n\\\\n'; echo b >&2; exit 3\"\n"
        "VAR a = LAST_RUN.STDOUT\nVAR b = LAST_RUN.STDERR\nVAR c = LAST_RUN.EXIT_CODE\n"
        "VAR d = LAST_RUN.EXECUTION_TIME\nVAR e = LAST_RUN.COMMAND\n"
    )
    variables = run(text, tmp_path)["variables"]
    assert variables["a"] == "a\n\n"
    assert variables["b"] == "b\n"
    assert variables["c"] == 3
    assert isinstance(variables["d"], float)
    assert 0 <= variables["d"] < 60
    assert variables["e"] == "printf 'a\\n\\n'; echo b >&2; exit 3"


def test_bad_bytes_and_signals_and_the_limit_of_output(tmp_path: Path) -> None:
    text = (
        "RUN 'printf \"a\\377b\"; printf 12345678901 >&2; kill -TERM $$'\n"
        "VAR a = LAST_RUN.STDOUT\nVAR b = LAST_RUN.STDERR\nVAR c = LAST_RUN.EXIT_CODE\n"
    )
    variables = run(text, tmp_path, max_output=10)["variables"]
    assert variables == {"a": "a\ufffdb", "b": "1234567890", "c": 128 + 15}


def test_the_command_is_the_text_as_executed(tmp_path: Path) -> None:
    text = 'VAR x = "it\'s"\nRUN "echo {{x}}"\nLOG LAST_RUN.COMMAND\n'
    assert logged(text, tmp_path) == [r"echo 'it'\''s'"]


def test_the_error_that_is_handled(tmp_path: Path) -> None:
    text = (
        "TRY {\n  READ 'none' AS x\n} CATCH {\n"
        "VAR a = ERROR.KIND\nVAR b = ERROR.MESSAGE\nVAR c = ERROR.LINE\n}\n"
    )
    report = run(text, tmp_path)
    assert report["variables"]["a"] == "io"
    assert report["variables"]["b"] == report["caught"][0]["message"] != ""
    assert report["variables"]["c"] == 2


def test_the_cost_so_far(tmp_path: Path) -> None:
    text = (
        "RUN 'true'\nPROMPT_AGENT 'one two'\n"
        'LOG "{{COST.API_CALLS}} {{COST.TOKENS}} {{COST.RUNS}} {{COST.TOTAL}} {{COST}}"\n'
        "ASSERT COST == COST.TOTAL\nASSERT COST.TIME >= 0\n"
    )
    assert logged(text, tmp_path, agent="echo") == ["1 4 1 1.004 1.004"]


@pytest.mark.parametrize("name", ["LAST_RUN", "LAST_RUN.STDOUT", "ERROR", "ERROR.KIND", "COST"])
def test_pseudo_variables_are_read_only(name: str) -> None:
    for text in (f"VAR {name} = 1", f"READ 'p' AS {name}", f"PROMPT_AGENT 'p' INTO {name}"):
        assert found(text)[0].split()[0] == "T001"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("LAST_RUN", "STDOUT STDERR EXIT_CODE EXECUTION_TIME COMMAND"),
        ("ERROR", "KIND MESSAGE LINE"),
        ("COST", "TOTAL API_CALLS TOKENS TIME RUNS"),
    ],
)
def test_the_fields_there_are_and_no_others(name: str, fields: str) -> None:
    def script(operand: str) -> str:
        return f"RUN 'true'\nTRY {{ LOG 1 }} CATCH {{\nLOG {operand} }}\n"

    for field in fields.split():
        assert found(script(f"{name}.{field}")) == []
        assert found(script(f'"{{{{{name}.{field}}}}}"')) == []
        lower = script(f"{name}.{field.lower()}")
        assert found(lower) == ["T107 3:5"]
        assert field in hint(lower)
    for field in ("NOPE", "KIND_", "Stdout"):
        assert found(script(f"{name}.{field}")) == ["T107 3:5"]
        assert found(script(f'"x{{{{{name}.{field}}}}}"')) == ["T107 3:7"]


# Undefined names

UNDEFINED = {
    # certain to fail
    "LOG x": ["T110 1:5"],
    "LOG 'x'\nLOG \"a {{x}}\"": ["T110 2:8"],
    "LOG x\nVAR x = 1": ["T110 1:5"],
    "VAR x = x": ["T110 1:9"],
    "VAR x ?= y": ["T110 1:10"],
    "LOG x\nLOG x|trim": ["T110 1:5", "T110 2:5"],
    'READ "{{x}}" AS x': ["T110 1:7"],
    'PROMPT_AGENT "{{x}}" INTO x': ["T110 1:15"],
    "IF x { VAR x = true }": ["T110 1:4"],
    "IF true { VAR x = 1 } ELSE { LOG x }": ["T110 1:34"],
    "CHOOSE { OPTION 'a' { VAR x = 1 }\nOPTION 'b' { LOG x } }": ["T110 2:18"],
    "PARALLEL { STEP 'a' { VAR x = 1 }\nSTEP 'b' { LOG x } }": ["T110 2:16"],
    "ESTIMATE_COST { VAR x = 1 }\nLOG x": ["T110 2:5"],
    "DEFINE_TASK 'd' { VAR x = 1 }\nLOG x": ["T110 2:5"],
    "DEFINE_TASK 'd' { VAR x = 1 }\nLOG x\nCALL 'd'": ["T110 2:5"],
    "DEFINE_TASK 'd' WITH p { LOG p }\nCALL 'd' WITH p = 1\nLOG p": ["T110 3:5"],
    "DEFINE_TASK 'd' { LOG x }\nCALL 'd'": ["T110 1:23"],
    "CALL 'd' WITH p = x\nDEFINE_TASK 'd' WITH p { LOG p }": ["T110 1:19"],
    '@persona "{{x}}"': ["T110 1:11"],
    "WRITE 'a' <<W\n\n  {{x}}\nW": ["T110 3:3"],
    "RUN 'true'\nASSERT FILE \"{{x}}\" EXISTS": ["T110 2:14"],
    "TRY { LOG 1 } CATCH { LOG x }": ["T110 1:27"],
    # possible on some path
    "IF true { VAR x = 1 }\nLOG x": [],
    "IF true { LOG 1 } ELSE { VAR x = 1 }\nLOG x": [],
    "IF false { VAR x = 1 }\nLOG x": [],
    "TRY { VAR x = 1 } CATCH { LOG x }": [],
    "TRY { VAR x = 1\nASSERT false } CATCH { LOG x }": [],
    "TRY { READ 'p' AS x } CATCH { }\nLOG x": [],
    "TRY { LOG 1 } CATCH { VAR x = 1 }\nLOG x": [],
    "CHOOSE { OPTION 'a' { VAR x = 1 }\nOPTION 'b' { } }\nLOG x": [],
    "DEFINE_TASK 'd' { LOG x }\nCALL 'd'\nVAR x = 1": [],
    "DEFINE_TASK 'd' { VAR x = 1 }\nIF true { CALL 'd' }\nLOG x": [],
    # assigned on every path
    "IF true { VAR x = 1 } ELSE { VAR x = 2 }\nLOG x": [],
    "DEFINE_TASK 'd' { VAR x = 1 }\nCALL 'd'\nLOG x": [],
    "CALL 'd'\nLOG x\nDEFINE_TASK 'd' { VAR x = 1 }": [],
    "PARALLEL { STEP 'a' { VAR x = 1 } }\nLOG x": [],
    "ESTIMATE_COST INTO x { LOG 1 }\nLOG x": [],
    "VAR x ?= 1\nLOG x": [],
    "STEP 's' { VAR x = 1 }\nLOG x": [],
    # a body that runs again
    "STEP 's' {\nIF true { LOG x }\nVAR x = 1\nASSERT false }": ["T110 2:15"],
    "STEP 's' {\n@retry 1\nIF true { LOG x }\nVAR x = 1\nASSERT false }": [],
    "STEP 's' {\n@retry 1\nIF true { LOG x }\nCALL 'd'\nASSERT false }\n"
    "DEFINE_TASK 'd' { VAR x = 1 }": [],
    "STEP 's' {\n@retry 1\nIF true { LOG LAST_RUN.STDOUT }\nRUN 'true'\nASSERT false }": [],
    "STEP 's' {\n@retry 1\nLOG x\nASSERT false }": ["T110 3:5"],
    # a parameter is seen in what its sub-task calls
    "CALL 'a' WITH x = 1\nDEFINE_TASK 'a' WITH x { CALL 'b' }\nDEFINE_TASK 'b' { LOG x }": [],
    "CALL 'a' WITH x = 1\nDEFINE_TASK 'a' WITH x { LOG x }\nDEFINE_TASK 'b' { LOG x }": [
        "T110 3:23"
    ],
    # LAST_RUN
    "LOG LAST_RUN.STDOUT": ["T111 1:5"],
    "LOG \"{{LAST_RUN.EXIT_CODE}}\"\nRUN 'true'": ["T111 1:6"],
    'RUN "{{LAST_RUN.STDOUT}}"': ["T111 1:6"],
    "IF true { RUN 'true' } ELSE { LOG LAST_RUN.STDOUT }": ["T111 1:35"],
    "PARALLEL { STEP 'a' { RUN 'true' } }\nLOG LAST_RUN.STDOUT": ["T111 2:5"],
    "RUN 'true'\nPARALLEL { STEP 'a' { LOG 1 } }\nLOG LAST_RUN.STDOUT": ["T111 3:5"],
    "PARALLEL { STEP 'a' { RUN 'true' }\nSTEP 'b' { LOG LAST_RUN.STDOUT } }": ["T111 2:16"],
    "ESTIMATE_COST { RUN 'true' }\nLOG LAST_RUN.STDOUT": ["T111 2:5"],
    "DEFINE_TASK 'd' { LOG LAST_RUN.STDOUT }\nCALL 'd'": ["T111 1:23"],
    "RUN 'true'\nPARALLEL { STEP 'a' { LOG LAST_RUN.STDOUT } }": [],
    "IF true { RUN 'true' }\nLOG LAST_RUN.STDOUT": [],
    "TRY { RUN 'true' } CATCH { LOG LAST_RUN.STDOUT }": [],
    "DEFINE_TASK 'd' { RUN 'true' }\nCALL 'd'\nLOG LAST_RUN.STDOUT": [],
}


@pytest.mark.parametrize("text", UNDEFINED)
def test_a_use_that_is_certain_to_fail_is_a_static_error(text: str) -> None:
    assert found(text) == UNDEFINED[text]


def test_a_use_that_is_certain_to_fail_stops_the_plan_before_any_effect(tmp_path: Path) -> None:
    report = run("MKDIR 'made'\nLOG x\n", tmp_path)
    assert (report["exit_code"], report["error"]["code"]) == (3, "T110")
    assert list(tmp_path.iterdir()) == []


def test_names_of_the_operator_count_as_assigned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found("LOG x\n", assigned=("x",)) == []
    assert linted("LOG x\n", "T110", "T201", assigned=("x",)) == []
    assert logged("LOG x\n", tmp_path, var={"x": "1"}) == ["1"]
    monkeypatch.setenv("x", "secret")
    assert logged("ASSERT x == 'secret'\n", tmp_path, secret=["x"]) == []


def test_check_and_lint_accept_the_operator_s_names(tmp_path: Path) -> None:
    plan = write(tmp_path, "TASK 't'\nLOG x\nLOG y\n")
    for command in ("check", "lint"):
        assert tiss(command, plan, cwd=tmp_path).returncode == 3
        done = tiss(command, plan, "--var", "x=1", "--secret", "y", cwd=tmp_path, y="s")
        assert done.returncode == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IF true { VAR x = 1 }\nLOG x", ["T201 2:5"]),
        ("TRY { VAR x = 1\nLOG x } CATCH { LOG x }", ["T201 2:21"]),
        ('TRY { VAR x = 1 } CATCH { }\nLOG "{{x}}"', ["T201 2:6"]),
        ("IF true { VAR x = 1 } ELSE { VAR x = 2 }\nLOG x", []),
        ("IF true { RUN 'true' }\nLOG LAST_RUN.STDOUT", ["T202 2:5"]),
        ("IF true { RUN 'a' } ELSE { RUN 'b' }\nLOG LAST_RUN.STDOUT", []),
    ],
)
def test_what_only_some_paths_assign_is_a_warning(text: str, expected: list[str]) -> None:
    assert linted(text, "T201", "T202") == expected


@pytest.mark.parametrize(
    ("before", "use"),
    [
        ("VAR c = false\nIF c { VAR x = 1 }\n", "LOG x"),
        ("VAR c = false\nIF c { RUN 'true' }\n", "LOG LAST_RUN.STDOUT"),
        ("DEFINE_TASK 'd' { LOG x }\nIF false { VAR x = 1 }\n", "CALL 'd'"),
    ],
)
def test_a_run_that_takes_the_wrong_path_raises_undefined(
    before: str, use: str, tmp_path: Path
) -> None:
    report = run(before + use, tmp_path)
    assert (report["exit_code"], stopped_by(report)) == (4, "undefined")
    caught = f"{before}TRY {{ {use} }} CATCH {{ LOG ERROR.KIND }}\n"
    assert logged(caught, tmp_path) == ["undefined"]
