"""Directives: they hold to the end of their block, the innermost wins, and each does its work."""

from pathlib import Path
from typing import Any

import pytest
from engine_runs import caught, outcome, recording, run_with_events

from tisslang import ExecutionEngine

SLOW = 'RUN "printf out; sleep 97532"'
SHOW = "RUN \"printf '%s|' $A $B\"\nLOG LAST_RUN.STDOUT"


def seen_by_log(text: str, root: Path, **options: Any) -> list[Any]:
    """The directives in force at each LOG of a plan that passes."""
    seen: list[Any] = []
    tools = recording("LOG", seen, "directives")
    report, _ = run_with_events(text, root, tools=tools, **options)
    assert report["error"] is None
    return seen


def test_they_hold_to_the_end_of_their_block(tmp_path: Path) -> None:
    text = """
@persona "outer"
LOG 1
STEP "s" {
    LOG 1
    @persona "inner"
    IF true { @output "json"
        LOG 1 }
    LOG 1
}
TRY { @persona "try"
    ASSERT 1 == 2 } CATCH { LOG 1
    @persona "catch" }
DEFINE_TASK "sub" { @output "sub"
    LOG 1 }
CALL "sub"
LOG 1
"""
    outer, inner = {"persona": ["outer"]}, {"persona": ["inner"]}
    assert seen_by_log(text, tmp_path) == [
        outer,
        outer,
        {**inner, "output": ["json"]},
        inner,
        outer,
        {**outer, "output": ["sub"]},
        outer,
    ]


def test_they_hold_after_an_error_under_keep_going(tmp_path: Path) -> None:
    text = '@persona "p"\nSTEP "a" { @persona "q"\nASSERT 1 == 2 }\nSTEP "b" { LOG 1 }'
    seen: list[Any] = []
    tools = recording("LOG", seen, "directives")
    assert run_with_events(text, tmp_path, tools=tools, keep_going=True)[0]["exit_code"] == 1
    assert seen == [{"persona": ["p"]}]


def test_unknown_ones_are_kept_for_the_agent(tmp_path: Path) -> None:
    text = '@speed fast 2 true "x"\n@persona "a"\n@persona "b"\nLOG 1'
    assert seen_by_log(text, tmp_path) == [{"speed": ["fast", 2, True, "x"], "persona": ["b"]}]


def test_values_are_evaluated_once_when_they_are_reached(tmp_path: Path) -> None:
    text = 'VAR x = "a"\n@persona "{{x}}"\nVAR x = "b"\nLOG 1\nLOG 1'
    assert seen_by_log(text, tmp_path) == [{"persona": ["a"]}] * 2
    late = 'IF no == 1 { VAR y = 1 }\nTRY {\n@persona "{{y}}"\n} CATCH { LOG ERROR.LINE }'
    report, _ = run_with_events(late, tmp_path, var={"no": "0"})
    assert (report["log"], caught(report)) == (["3"], [("undefined", 3)])


# @timeout


@pytest.mark.parametrize(
    ("directives", "option", "by"),
    [
        ("@timeout 200ms\n", "60s", "@timeout"),
        ("@timeout 60s\n", "200ms", "--timeout"),
        ("@timeout 60s\n@timeout 200ms\n", "60s", "@timeout"),
        ("", "200ms", "--timeout"),
    ],
)
def test_the_shortest_timeout_ends_a_command(
    tmp_path: Path, directives: str, option: str, by: str
) -> None:
    report, _ = run_with_events(directives + SLOW, tmp_path, timeout=option)
    assert outcome(report)[:2] == (4, "timeout")
    assert (report["last_run"]["exit_code"], report["last_run"]["stdout"]) == (124, "out")
    assert f"with {by}" in report["error"]["hint"]
    assert "0.2 s" in report["error"]["message"]


# @cwd


def test_cwd_is_where_commands_run(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    text = """
VAR sub = "a"
@cwd "{{sub}}"
RUN "pwd"
LOG LAST_RUN.STDOUT|trim
STEP "s" {
    @cwd "link"
    RUN "pwd -P"
    LOG LAST_RUN.STDOUT|trim
    WRITE "from-the-root" <<W
W
}
RUN "pwd"
LOG LAST_RUN.STDOUT|trim
"""
    report, _ = run_with_events(text, tmp_path)
    root = str(tmp_path.resolve())
    assert report["log"] == [f"{root}/a", f"{root}/a/b", f"{root}/a"]
    assert (tmp_path / "from-the-root").exists()


@pytest.mark.parametrize("path", ["..", "/tmp", "~", "", "out", "a/../.."])
def test_cwd_outside_the_root_is_a_security_error_at_the_run(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    text = f'@cwd "{path}"\nLOG "reached"\nRUN "touch made"'
    report, _ = run_with_events(text, root)
    assert (outcome(report), report["log"]) == ((5, "security", 3), ["reached"])
    assert not list(tmp_path.rglob("made"))


def test_cwd_is_checked_at_each_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    text = """
@cwd "d"
TRY { RUN "pwd" } CATCH { LOG ERROR.KIND }
MKDIR "d"
RUN "pwd"
DELETE "d"
TRY { RUN "pwd" } CATCH { LOG ERROR.KIND }
@cwd "file"
RUN "pwd"
"""
    report, _ = run_with_events(text, tmp_path)
    assert (report["log"], outcome(report)) == (["io", "io"], (4, "io", 9))


# @env


def test_env_is_repeatable_and_the_innermost_wins_per_name(tmp_path: Path) -> None:
    text = f"""
VAR v = "x'y=z"
@env "A=1"
@env "B={{{{v}}}}"
{SHOW}
STEP "s" {{
    @env "A=2"
    {SHOW}
}}
{SHOW}
"""
    report, _ = run_with_events(text, tmp_path)
    assert report["log"] == ["1|x'y=z|", "2|x'y=z|", "1|x'y=z|"]
    report, _ = run_with_events(text, tmp_path, env={"A": "operator"})
    assert report["log"] == ["operator|x'y=z|"] * 3


def test_a_value_that_no_environment_can_hold_is_a_type_error(tmp_path: Path) -> None:
    text = '@env "A={{x}}"\nTRY { RUN "true" } CATCH { LOG ERROR.KIND }'
    assert run_with_events(text, tmp_path, var={"x": "a\0b"})[0]["log"] == ["type"]
    assert run_with_events(text, tmp_path, var={"x": "a" * 200_000})[0]["log"] == ["io"]


@pytest.mark.parametrize("value", ["PATH=.", "LD_PRELOAD=x", "IFS=,", "{{x}}=1", "A"])
def test_env_that_is_not_allowed_is_found_before_the_first_effect(
    tmp_path: Path, value: str
) -> None:
    text = f'LOG 1\n@env "{value}"\nRUN "true"'
    report, _ = run_with_events(text, tmp_path, var={"x": "A"})
    assert (report["exit_code"], report["error"]["code"], report["log"]) == (3, "T107", [])
    plan = [{"type": "LOG", "value": 1}, {"type": "DIRECTIVE", "name": "env", "values": ["PATH=x"]}]
    report = ExecutionEngine(root=tmp_path).execute(plan)
    assert (report["exit_code"], report["error"]["kind"], report["log"]) == (3, "static", [])
    assert [found["code"] for found in report["diagnostics"]] == ["T107"]


def test_strict_refuses_a_plan_with_env(tmp_path: Path) -> None:
    text = 'WRITE "a" <<W\nW\nSTEP "s" { IF true {\n@env "A=1"\n} }\nRUN "true"'
    report, _ = run_with_events(text, tmp_path, sandbox_profile="strict")
    assert outcome(report) == (5, "security", 4)
    assert list(tmp_path.iterdir()) == []
