"""§8 of the language reference: directives, header, version."""

import json
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, completion
from conformance import found, linted, logged, run, stopped_by
from conformance_runs import attempt, named, steps

import tisslang


def heard(text: str, root: Path) -> list[str]:
    """What a model was told beside each prompt, as one text."""
    with ChatServer(lambda request: completion("ok")) as server:
        report = run(text, root, agent=f"http:{server.url}")
        assert report["error"] is None
        chats = [request.json()["messages"] for request in server.chats]
    return ["\n".join(m["content"] for m in chat if m["role"] == "system") for chat in chats]


# What the agent is told


@pytest.mark.parametrize("name", ["persona", "output", "language"])
def test_a_directive_is_passed_to_the_agent(name: str, tmp_path: Path) -> None:
    text = """\
VAR x = "odd"
STEP 's' {
    @name "an {{x}} one"
    PROMPT_AGENT 'a'
}
PROMPT_AGENT 'b'
"""
    told, not_told = heard(text.replace("name", name), tmp_path)
    assert "an odd one" in told
    assert "odd" not in not_told


def test_a_directive_holds_from_its_line_to_the_end_of_its_block(tmp_path: Path) -> None:
    text = """\
PROMPT_AGENT '0'
@persona outer
PROMPT_AGENT '1'
IF true {
    PROMPT_AGENT '2'
    @persona inner
    PROMPT_AGENT '3'
    TRY { PROMPT_AGENT '4' } CATCH { }
}
PROMPT_AGENT '5'
@persona later
PROMPT_AGENT '6'
"""
    words = [
        next((word for word in ("outer", "inner", "later") if word in told), None)
        for told in heard(text, tmp_path)
    ]
    assert words == [None, "outer", "outer", "inner", "inner", "outer", "later"]


def test_the_header_gives_the_language_by_default(tmp_path: Path) -> None:
    text = "#TISS! Language=Haskell\nPROMPT_AGENT 'a'\n@language \"Prolog\"\nPROMPT_AGENT 'b'\n"
    first, second = heard(text, tmp_path)
    assert "Haskell" in first
    assert "Prolog" in second
    assert "Haskell" not in second


def test_unknown_names_are_kept(tmp_path: Path) -> None:
    text = "@speed \"fast\" 2 true\n@Persona 'x'\nLOG 1\n"
    assert found(text) == []
    names = [each["name"] for each in tisslang.parse(text)["body"][:2]]
    assert names == ["speed", "Persona"]
    assert [each.split()[0] for each in linted(text, "T212")] == ["T212", "T212"]
    assert linted("@persona p\n@env 'A=1'\nRUN 'true'\n", "T212") == []
    assert logged(text, tmp_path) == ["1"]


# @timeout


def test_timeout_limits_each_run(tmp_path: Path) -> None:
    report = run("@timeout 200ms\nTRY { RUN 'sleep 20' } CATCH { LOG ERROR.KIND }\n", tmp_path)
    assert report["log"] == ["timeout"]
    assert report["last_run"]["exit_code"] == 124


def test_the_innermost_timeout_holds(tmp_path: Path) -> None:
    inner_longer = "@timeout 100ms\nSTEP 's' { @timeout 60s\nRUN 'sleep 0.4' }\n"
    assert run(inner_longer, tmp_path)["error"] is None
    inner_less = "@timeout 60s\nSTEP 's' { @timeout 100ms\nRUN 'sleep 20' }\n"
    assert stopped_by(run(inner_less, tmp_path)) == "timeout"


def test_the_timeout_of_the_operator_is_not_widened(tmp_path: Path) -> None:
    assert attempt("@timeout 2h\nRUN 'sleep 20'", tmp_path, timeout=0.2) == "timeout"


# @retry


def test_retry_runs_the_body_again_and_keeps_the_state(tmp_path: Path) -> None:
    text = """\
VAR n = ''
STEP 's' {
    @retry 2
    VAR n = "{{n}}x"
    LOG n
    ASSERT n == 'xxx'
    LOG 'out'
}
"""
    report = run(text, tmp_path)
    assert report["log"] == ["x", "xx", "xxx", "out"]
    assert (report["error"], report["caught"], report["suppressed"]) == (None, [], [])
    (step,) = report["steps"]
    assert (step["status"], step["attempts"]) == ("passed", 3)


def test_retry_ends(tmp_path: Path) -> None:
    report = run("STEP 's' { @retry 2\nLOG 1\nASSERT false }\n", tmp_path)
    assert report["log"] == ["1"] * 3
    assert stopped_by(report) == "assert"
    assert (report["steps"][0]["attempts"], report["caught"]) == (3, [])


@pytest.mark.parametrize("count", [0, 1, 5])
def test_no_error_no_repetition(count: int, tmp_path: Path) -> None:
    report = run(f"STEP 's' {{ @retry {count}\nLOG 1 }}\n", tmp_path)
    assert (report["log"], report["steps"][0]["attempts"]) == (["1"], 1)


def test_retry_does_not_repeat_what_cannot_be_caught(tmp_path: Path) -> None:
    report = run("STEP 's' { @retry 2\nLOG 1\nREAD '../x' AS x }\n", tmp_path)
    assert (report["log"], stopped_by(report)) == (["1"], "security")


def test_retry_is_of_its_own_step(tmp_path: Path) -> None:
    text = "STEP 'a' { @retry 1\nLOG 'a'\nSTEP 'b' { LOG 'b'\nASSERT false } }\n"
    report = run(text, tmp_path)
    assert report["log"] == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "STEP 's' { LOG 1\n@retry 2 }",
        "STEP 's' { IF true { @retry 2\nLOG 1 } }",
        "@retry 2\nLOG 1",
        "TASK 't' {\n@retry 2\nLOG 1 }",
        "DEFINE_TASK 'd' { @retry 2\nLOG 1 }",
    ],
)
def test_retry_stands_first_in_a_step(text: str) -> None:
    (code,) = [each.split()[0] for each in found(text)]
    assert code in ("T102", "T107")
    assert found("STEP 's' {\n\n# why\n  @retry 2\nLOG 1 }") == []


def test_a_setup_is_a_step_too(tmp_path: Path) -> None:
    report = run("SETUP { @retry 1\nLOG 1\nASSERT false }\n", tmp_path)
    assert (report["log"], report["steps"][0]["attempts"]) == (["1", "1"], 2)


# @cwd


def test_cwd_is_the_directory_of_run_alone(tmp_path: Path) -> None:
    text = """\
MKDIR 'sub/deep'
WRITE 'f' <<W
root
W
@cwd 'sub'
RUN 'pwd'
VAR a = LAST_RUN.STDOUT|trim
READ 'f' AS b
STEP 's' {
    @cwd 'sub/deep'
    RUN 'pwd'
    VAR c = LAST_RUN.STDOUT|trim
}
RUN 'pwd'
VAR d = LAST_RUN.STDOUT|trim
"""
    variables = run(text, tmp_path)["variables"]
    root = str(tmp_path.resolve())
    assert variables == {
        "a": f"{root}/sub", "b": "root\n", "c": f"{root}/sub/deep", "d": f"{root}/sub",
    }  # fmt: skip


def test_cwd_is_checked_at_each_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "out").symlink_to(tmp_path.parent)
    assert attempt("@cwd 'later'\nMKDIR 'later'\nRUN 'true'\nDELETE 'later'", tmp_path) is None
    assert attempt("@cwd 'none'\nLOG 1", tmp_path) is None
    for directory, kind in {
        "none": "io", "file": "io", "out": "security", "..": "security", "/tmp": "security",
        "": "security", ".": None,
    }.items():  # fmt: skip
        assert attempt(f"@cwd '{directory}'\nRUN 'true'", tmp_path) == kind, directory
    text = (
        "@cwd 'd'\nMKDIR 'd'\nRUN 'true'\nDELETE 'd'\nTRY { RUN 'true' } CATCH { LOG ERROR.KIND }\n"
    )
    assert logged(text, tmp_path) == ["io"]


# @env


def test_env_is_the_environment_of_run(tmp_path: Path) -> None:
    text = (
        "RUN 'echo ${A-unset}'\nVAR a = LAST_RUN.STDOUT|trim\n"
        "@env 'A=one=1'\n@env 'B= two '\nRUN 'echo \"$A,$B\"'\nVAR b = LAST_RUN.STDOUT\n"
        "STEP 's' { @env 'A='\n@env 'C=3'\nRUN 'echo \"$A,$B,$C\"'\nVAR c = LAST_RUN.STDOUT }\n"
        "RUN 'echo \"$A,$B,${C-unset}\"'\nVAR d = LAST_RUN.STDOUT\n"
    )
    variables = run(text, tmp_path)["variables"]
    assert list(variables.values()) == [
        "unset",
        "one=1, two \n",
        ", two ,3\n",
        "one=1, two ,unset\n",
    ]


def test_env_of_the_operator_wins(tmp_path: Path) -> None:
    text = "@env 'A=script'\nRUN 'echo $A'\n"
    assert run(text, tmp_path, env={"A": "operator"})["last_run"]["stdout"] == "operator\n"


NO_NAMES = ["PATH", "HOME", "TMPDIR", "IFS", "ENV", "BASH_ENV", "SHELLOPTS", "LD_", "LD_PRELOAD"]


@pytest.mark.parametrize("name", [*NO_NAMES, "", "1A", "A B", "A-B", "é", "{{x}}", "A{{x}}"])
def test_names_that_env_does_not_take(name: str) -> None:
    text = f'VAR x = "A"\n@env "{name}=1"\nRUN "true"\n'
    assert [each.split()[0] for each in found(text)] == ["T107"]
    assert found(text)[0].split()[1].startswith("2:")


@pytest.mark.parametrize("name", ["A", "_", "a1", "path", "XPATH", "PATHX", "LDX", "LANG"])
def test_names_that_env_takes(name: str) -> None:
    assert found(f"@env '{name}=1'\nRUN 'true'\n") == []


@pytest.mark.parametrize(
    "directive",
    [
        "@env 'A'", "@env A", "@env 5", "@env true", "@timeout 'x'", "@timeout true", "@timeout x",
        "@timeout 5s 6s", "@timeout 'x' 5s", "@cwd 5", "@cwd true", "@cwd 'a' 'b'",
    ],
)  # fmt: skip
def test_a_malformed_known_directive(directive: str) -> None:
    (each,) = found(f"LOG 1\n{directive}\nRUN 'true'\n")
    code, place = each.split()
    assert code == "T107"
    assert place.startswith("2:")


@pytest.mark.parametrize("values", ["-1", "1.5", "'2'", "true", "x", "1 2", "5s"])
def test_a_malformed_retry(values: str) -> None:
    (each,) = found(f"STEP 's' {{\n@retry {values}\nLOG 1 }}\n")
    assert each.split()[0] == "T107"


# The header zone


def header(text: str) -> tuple[Any, Any]:
    script = tisslang.parse(text)
    return script["header"], script["requires"]


def test_the_zone_is_what_stands_before_the_first_statement() -> None:
    head = (
        "\n# c\n\n#TISS! Language=Python Version=1\n\n#TISS_VERSION >= 1.2\n#TISS_VERSION < 2.0\n\n"
    )
    expected = (
        {"Language": "Python", "Version": "1"},
        [{"op": ">=", "version": "1.2"}, {"op": "<", "version": "2.0"}],
    )
    assert (
        header(head)
        == header(head + "LOG 1\n")
        == header("#!/usr/bin/env tiss\n" + head)
        == expected
    )
    assert header("LOG 1\n" + head) == (None, [])
    assert header("LOG 1 #TISS! Language=Python\n") == (None, [])
    assert header("# TISS! Language=Python\n# TISS_VERSION >= 9.0\n") == (None, [])


@pytest.mark.parametrize(
    "condition",
    [
        ">= 1.2",
        ">= 1.2.0",
        "== 1.2",
        "== 1.2.0",
        "< 1.3",
        "< 1.2.1",
        "< 1.10",
        ">= 1.1.99",
        "< 2.0",
    ],
)
def test_versions_that_hold(condition: str) -> None:
    assert found(f"#TISS_VERSION {condition}\nLOG 1\n") == []


@pytest.mark.parametrize(
    "condition",
    [
        ">= 1.3", ">= 1.2.1", "== 1.1", "== 1.2.1", "== 1.3", "< 1.2", "< 1.2.0", "< 1.1",
        ">= 1.10", ">= 2.0",  # do not hold
        "", "1.2", "<= 1.2", "> 1.1", "!= 1.1", "= 1.2", "~= 1.2", ">= 1", ">= 1.2.0.0", ">= x",
        ">= 1.2 x", ">= -1.2", ">= 1.2a", ">= 1..2", ">= 1.2.",  # malformed
    ],
)  # fmt: skip
def test_versions_that_do_not_hold_or_are_malformed(condition: str) -> None:
    (each,) = found(f"# c\n#TISS_VERSION {condition}\nLOG 1\n")
    assert each.split()[0] == "T010"
    assert each.split()[1].startswith("2:")


def test_all_versions_must_hold(tmp_path: Path) -> None:
    text = "#TISS_VERSION >= 1.2\n\n#TISS_VERSION < 1.2\nMKDIR 'made'\n"
    assert [each.split()[0] for each in found(text)] == ["T010"]
    assert found(text)[0].split()[1].startswith("3:")
    report = run(text, tmp_path)
    assert (report["exit_code"], report["error"]["kind"]) == (3, "parse")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "pragma", ["#TISS! Language=Python", "#TISS_VERSION >= 9.0", "#TISS_VERSION nonsense"]
)
def test_outside_the_zone_both_are_comments(pragma: str) -> None:
    for text in (
        f"LOG 1\n{pragma}\n",
        f"STEP 's' {{\n{pragma}\nLOG 1 }}\n",
        f"LOG 1\n\n  {pragma}\nLOG 2\n",
    ):
        assert found(text) == []
        assert header(text) == (None, [])
        assert [each.split()[0] for each in linted(text, "T213")] == ["T213"]
    assert linted(f"{'#TISS! A=1'}\nLOG 1\n", "T213") == []
    assert found("WRITE 'a' <<W\n#TISS_VERSION >= 9.0\nW\n") == []


def test_a_script_can_be_executable() -> None:
    assert found("#!/usr/bin/env tiss\nLOG 1\n") == []
    assert linted("#!/usr/bin/env -S tiss run\nLOG 1\n", "T213", "T214") == []


def test_a_directive_reaches_an_event(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    text = "STEP 's' { @retry 1\nLOG 1\nASSERT false }\n"
    report = run(text, tmp_path, on_event=events.append)
    attempts = [each["attempt"] for each in named(events, "step_start", "step_end")]
    assert attempts == [1, 1, 2, 2]
    assert steps(report) == [("s", "failed")]
    json.dumps(report)
