"""The other flags of `tiss run`, each by what it does to a plan; and what is said of wrong ones."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from chat_server import ChatServer, completion
from tiss_process import NO_SANDBOX, TISS, refused, run_plan, tiss


def test_var(tmp_path: Path) -> None:
    """Text always; the last of one name counts; `?=` gives way to it."""
    plan = 'VAR x ?= "default"\nVAR y ?= "default"\nLOG "{{x}} {{y}}"\nASSERT n == 3'
    flags = ["--var", "x=a=b c", "--var", "n=1", "--var=n=3", "--var", "empty="]
    ran = run_plan(plan, *flags, cwd=tmp_path)
    assert ran.code == 0
    assert ran.report["log"] == ["a=b c default"]
    assert ran.report["variables"] == {"empty": "", "n": "3", "x": "a=b c", "y": "default"}


def test_root(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    plan = 'WRITE "made" <<W\nW\nRUN "pwd"\nLOG LAST_RUN.STDOUT'
    ran = run_plan(plan, "--root", "sub", cwd=tmp_path)
    assert ran.report["root"] == str(tmp_path / "sub")
    assert ran.report["log"] == [f"{tmp_path}/sub\n"]
    assert (tmp_path / "sub/made").exists()


def test_env_and_max_output(tmp_path: Path) -> None:
    plan = 'RUN "echo $GREETING; head -c 5000 /dev/zero"'
    ran = run_plan(plan, "--env", "GREETING=hi=there", "--max-output", "1K", cwd=tmp_path)
    assert ran.report["last_run"]["stdout"].startswith("hi=there\n")
    assert len(ran.report["last_run"]["stdout"]) == 1024
    (end,) = [event for event in ran.events if event["event"] == "command_end"]
    assert end["stdout_bytes"] == 5009
    ran = run_plan(plan, "--max-output", "0", cwd=tmp_path)
    assert ran.report["last_run"]["stdout"] == ""


def test_the_python_of_a_run_is_ours(tmp_path: Path) -> None:
    plan = "RUN \"python3 -c 'import sys; print(sys.prefix)'\"\nLOG LAST_RUN.STDOUT|trim"
    assert run_plan(plan, cwd=tmp_path).report["log"] == [sys.prefix]


def test_timeout(tmp_path: Path) -> None:
    ran = run_plan('RUN "echo out; sleep 60"', "--timeout", "0.5s", cwd=tmp_path)
    assert (ran.code, ran.report["error"]["kind"]) == (4, "timeout")
    assert ran.report["last_run"]["exit_code"] == 124
    assert ran.report["last_run"]["stdout"] == "out\n"
    assert "the command was: echo out; sleep 60" in ran.err


@pytest.mark.parametrize(
    ("budget", "plan"),
    [
        ("RUN_COUNT=1", 'RUN "true"\nRUN "true"'),
        ("API_CALLS=1", 'PROMPT_AGENT "a"\nPROMPT_AGENT "b"'),
        ("TOKEN_COUNT=257", 'PROMPT_AGENT "a"\nPROMPT_AGENT "b"'),
        ("COST=2.2", 'PROMPT_AGENT "a"\nPROMPT_AGENT "b"'),
        ("EXECUTION_TIME=0.3", 'RUN "sleep 60"'),
        ("EXECUTION_TIME=300ms", 'RUN "sleep 60"'),
        ("RUN_COUNT=1", 'SET_BUDGET RUN_COUNT = 5\nRUN "true"\nRUN "true"'),
    ],
)
def test_budget(tmp_path: Path, budget: str, plan: str) -> None:
    ran = run_plan(plan, "--budget", budget, "--agent", "echo", cwd=tmp_path)
    assert ran.code == 6
    assert budget.partition("=")[0] in ran.report["error"]["message"]


def test_several_budgets(tmp_path: Path) -> None:
    flags = ["--budget", "RUN_COUNT=9", "--budget", "RUN_COUNT=0", "--budget", "COST=1"]
    assert run_plan('RUN "true"', *flags, cwd=tmp_path).code == 6


MEET = """\
PARALLEL {
    STEP "a" { RUN "touch a; while [ ! -e b ]; do sleep 0.01; done" }
    STEP "b" { RUN "touch b; while [ ! -e a ]; do sleep 0.01; done" }
}
"""


def test_jobs(tmp_path: Path) -> None:
    """Two steps that wait for one another meet with two jobs, and never with one."""
    assert run_plan(MEET, "--jobs", "2", cwd=tmp_path).code == 0
    for name in ("a", "b"):
        (tmp_path / name).unlink()
    ran = run_plan(MEET, "--jobs", "1", "--timeout", "300ms", cwd=tmp_path)
    assert (ran.code, ran.report["error"]["kind"]) == (4, "timeout")


ASK = 'PROMPT_AGENT "say {{x}}" INTO reply\nLOG reply'


def test_agents(tmp_path: Path) -> None:
    (tmp_path / "replies").write_text('"first"\n"second"\n')
    flags = ["--var", "x=hi"]
    for agent, log in (("echo", ["say hi"]), (f"canned:{tmp_path}/replies", ["first"])):
        assert run_plan(ASK, "--agent", agent, *flags, cwd=tmp_path).report["log"] == log
    ran = run_plan(ASK, *flags, cwd=tmp_path)
    assert "--agent" in ran.report["error"]["hint"]
    with ChatServer(lambda request: completion("from the server")) as server:
        ran = run_plan(ASK, "--agent", server.url, *flags, cwd=tmp_path)
    assert ran.report["log"] == ["from the server"]
    assert ran.report["cost"]["API_CALLS"] == 1


@pytest.mark.parametrize("agent", ["nobody", "", "canned:"])
def test_an_agent_that_there_is_not(tmp_path: Path, agent: str) -> None:
    for plan in ("LOG 1", ASK):
        refused("run", "-", "--agent", agent, "--var", "x=1", cwd=tmp_path, stdin=plan)


@pytest.mark.parametrize("agent", ["canned:missing", "qt:missing", "http:nowhere"])
def test_an_agent_that_cannot_be_had(tmp_path: Path, agent: str) -> None:
    """It is wrong usage, found before the first effect; a plan that asks none does not mind."""
    plan = 'WRITE "made" <<W\nW\n' + ASK
    refused("run", "-", "--agent", agent, "--var", "x=1", cwd=tmp_path, stdin=plan)
    assert not (tmp_path / "made").exists()
    assert run_plan("LOG 1", "--agent", agent, cwd=tmp_path).code == 0


CHOICE = 'CHOOSE {\nOPTION "slow" { LOG "slow" }\nOPTION "fast" { LOG "fast" }\n}'


def test_answers(tmp_path: Path) -> None:
    plan = f'PAUSE "ready?"\n{CHOICE}\nREQUEST_REVIEW "fine?"\nRUN "sudo -V >&2 || true"'
    flags = ["--answer", "", "--answer", "fast", "--answer", "YES", "--answer=y"]
    ran = run_plan(plan, *flags, cwd=tmp_path)
    assert (ran.code, ran.report["log"]) == (0, ["fast"])
    asked = [event for event in ran.events if event["event"] == "question"]
    assert [event["by"] for event in asked] == ["answer"] * 3
    ran = run_plan(plan, "--answer", "", "--answer", "2", "--yes", cwd=tmp_path)
    assert (ran.code, ran.report["log"]) == (0, ["fast"])
    ran = run_plan(plan, *flags[:4], cwd=tmp_path)
    assert ran.code == 7
    assert run_plan(CHOICE, "--answer", "other", cwd=tmp_path).code == 7


def test_choose_by_agent(tmp_path: Path) -> None:
    (tmp_path / "replies").write_text('"slow"\n')
    agent = ["--agent", f"canned:{tmp_path}/replies", "--choose-by", "agent"]
    ran = run_plan(CHOICE, *agent, cwd=tmp_path)
    assert ran.report["log"] == ["slow"]
    assert [e["by"] for e in ran.events if e["event"] == "choose"] == ["agent"]


def test_non_interactive_and_a_terminal(tmp_path: Path) -> None:
    """With a terminal as standard input nobody is asked either."""
    (tmp_path / "plan.tiss").write_text('PAUSE "go on?"')
    master, slave = pty.openpty()
    done = subprocess.run(
        [*TISS, "run", "plan.tiss", "--non-interactive"],
        cwd=tmp_path,
        stdin=slave,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(slave)
    os.close(master)
    assert done.returncode == 7
    assert "nobody is here to answer" in done.stderr


def test_allow_and_deny_command(tmp_path: Path) -> None:
    plan = 'RUN "curl --version >&2 || true"'
    assert run_plan(plan, cwd=tmp_path).code == 7
    assert run_plan(plan, "--allow-command", "curl", cwd=tmp_path).code == 0
    both = ["--allow-command", "curl", "--deny-command", "curl"]
    assert run_plan(plan, *both, cwd=tmp_path).code == 5
    assert run_plan('RUN "true"', "--deny-command", "true", cwd=tmp_path).code == 5


def test_the_profile_none_says_so(tmp_path: Path) -> None:
    done = tiss("run", "-", *NO_SANDBOX, cwd=tmp_path, stdin='RUN "true"')
    assert "no sandbox" in done.err
    assert "no sandbox" not in tiss("run", "-", cwd=tmp_path, stdin="LOG 1").err


def test_a_step_of_everything_together(tmp_path: Path) -> None:
    """Flags stand before and behind the file, and may be written with `=`."""
    (tmp_path / "plan.tiss").write_text('STEP "a" { LOG x }\nSTEP "b" { LOG y }')
    done = tiss(
        *("run", "--step=a", "--var=x=1", "plan.tiss", "--var", "y=2", "--output-format=json"),
        cwd=tmp_path,
    )
    assert json.loads(done.out)["log"] == ["1"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--root", "missing"], "missing"),
        (["--root", "plan.tiss"], "plan.tiss"),
        (["--timeout", "5"], "--timeout: '5' is not a duration"),
        (["--timeout=-5s"], "--timeout: "),
        (["--timeout", "9999999h"], "--timeout: it must be from 0 s"),
        (["--max-output", "many"], "--max-output: 'many' is not a size"),
        (["--max-memory", "1.5G"], "--max-memory: "),
        (["--max-memory", "0"], "--max-memory: it must be from 1"),
        (["--max-disk", "99999999999G"], "--max-disk: it must be from 1"),
        (["--max-processes", "0"], "--max-processes: it must be a whole number from 1"),
        (["--max-processes", "9" * 5000], "--max-processes: "),
        (["--jobs", "x"], "--jobs: "),
        (["--jobs", "0"], "--jobs: "),
        (["--jobs", "-1"], "--jobs"),
        (["--var", "who"], "--var: 'who' is not NAME=VALUE"),
        (["--var", "1=x"], "--var: '1' is not a name"),
        (["--var", "STEP=x"], "--var: STEP is a word of the language"),
        (["--env", "x"], "--env: "),
        (["--env", "A B=x"], "--env: "),
        (["--budget", "SPEED=1"], "--budget: 'SPEED' is no budget"),
        (["--budget", "COST"], "--budget: COST must be a number"),
        (["--budget", "COST=-1"], "--budget: "),
        (["--budget", "COST=5m"], "--budget: "),
        (["--budget", "EXECUTION_TIME=x"], "--budget: EXECUTION_TIME must be a number or a dur"),
        (["--sandbox-profile", "docker"], "--sandbox-profile: 'docker'"),
        (["--sandbox-profile", "strict", "--env", "A=b"], "--env: it has no place"),
        (["--sandbox-profile", "strict", "--allow-network"], "--allow-network: "),
        (["--output-format", "xml"], "--output-format"),
        (["--color", "red"], "--color"),
        (["--choose-by", "me"], "--choose-by"),
        (["--keep"], "--keep"),
        (["--dry"], "--dry"),
        (["--json"], "--json"),
        (["--fix"], "--fix"),
        (["--step"], "--step"),
        (["second.tiss"], "second.tiss"),
    ],
)
def test_wrong_flags(tmp_path: Path, flags: list[str], said: str) -> None:
    (tmp_path / "plan.tiss").write_text('WRITE "made" <<W\nW\n')
    assert said in refused("run", "plan.tiss", *flags, cwd=tmp_path)
    assert not (tmp_path / "made").exists()
