"""Ctrl-C and SIGTERM while branches of PARALLEL run: all is ended, and the report is written."""

import signal
from pathlib import Path

import pytest
from at_terminal import RunAtTerminal
from chat_server import ChatServer
from engine_runs import named, steps
from missing import missing
from processes import sleepers, wait_until
from report_shape import check_events

from tisslang.doctor import examine

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@SIGNALS
@pytest.mark.parametrize("profile", ["none", "standard"])
def test_commands_of_four_branches_are_ended(
    tmp_path: Path, number: signal.Signals, profile: str
) -> None:
    if profile == "standard" and not examine()["ok"]:
        missing("no sandbox of the profile standard here")
    root = tmp_path / "root"
    root.mkdir()
    branches = "".join(
        f'STEP "{n}" {{ @retry 3\nTRY {{ LOG {n}\nRUN "touch {n}; sleep 97543" }}'
        f' CATCH {{ LOG "caught" }}\nLOG "never" }}\n'
        for n in range(4)
    )
    branches = f'STEP "failed" {{ ASSERT 1 == 2 }}\n{branches}'
    plan = f'STEP "before" {{ LOG "b" }}\nPARALLEL {{\n{branches}}}\nSTEP "later" {{ }}\n'
    with RunAtTerminal(
        plan, root, "--sandbox-profile", profile, "--keep-going", "--jobs", "5"
    ) as plan_run:
        wait_until(lambda: len(list(root.iterdir())) == 4, "four commands that run")
        wait_until(lambda: named(plan_run.events(), "step_end")[1:], "a branch that has failed")
        plan_run.send(number)
        report = plan_run.report()
        events = plan_run.events()
    assert (report["exit_code"], report["status"]) == (130, "error")
    assert (report["error"]["kind"], report["error"]["line"]) == ("interrupted", 2)
    assert (report["log"], report["caught"]) == (["b", "0", "1", "2", "3"], [])
    assert [status for _, status, _ in steps(report)] == ["passed", *["failed"] * 5, "skipped"]
    assert [error["kind"] for error in report["suppressed"]] == ["assert"]
    assert sleepers("97543") == []
    check_events(events)


@SIGNALS
def test_branches_that_wait_for_a_person_or_a_model_are_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    plan = """
PARALLEL {
    STEP "asks" { RUN ": | sh" }
    STEP "asks too" { RUN ": | sh" }
    STEP "prompts" { PROMPT_AGENT "hello" }
    STEP "runs" { RUN "touch runs; sleep 97544" }
}
"""
    with (
        ChatServer(lambda request: server.silence()) as server,
        RunAtTerminal(plan, root, "--agent", f"http:{server.url}") as plan_run,
    ):
        plan_run.wait_for("[y/n]")
        wait_until(lambda: server.chats and (root / "runs").exists(), "all branches at work")
        plan_run.send(number)
        report = plan_run.report()
    assert (report["exit_code"], report["error"]["kind"]) == (130, "interrupted")
    assert (report["caught"], report["suppressed"]) == ([], [])
    assert [status for _, status, _ in steps(report)] == ["failed"] * 4
    assert plan_run.shown.count("[y/n]") == 1
    assert sleepers("97544") == []


def test_an_uncatchable_error_ends_the_wait_for_a_person_and_for_a_model(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    plan = """
PARALLEL {
    STEP "asks" { TRY { RUN ": | sh" } CATCH { LOG "never" } }
    STEP "prompts" { TRY { PROMPT_AGENT "hello" } CATCH { LOG "never" } }
    STEP "fails" { RUN "until test -e go; do sleep 0.01; done"
        READ "../x" AS x }
}
"""
    with (
        ChatServer(lambda request: server.silence()) as server,
        RunAtTerminal(plan, root, "--agent", f"http:{server.url}") as plan_run,
    ):
        plan_run.wait_for("[y/n]")
        wait_until(lambda: server.chats, "a call of the model")
        (root / "go").touch()
        report = plan_run.report()
    assert (report["exit_code"], report["error"]["kind"]) == (5, "security")
    assert (report["log"], report["caught"], report["suppressed"]) == ([], [], [])
    assert [status for _, status, _ in steps(report)] == ["failed"] * 3


@pytest.mark.parametrize("moment", range(3, 60, 8))
def test_two_signals_at_any_moment_end_everything(tmp_path: Path, moment: int) -> None:
    """The moment is chosen by how many events there have been."""
    root = tmp_path / "root"
    root.mkdir()
    body = "".join(f'STEP "{n}" {{ RUN "true"\nRUN "true"\n}}\n' for n in range(12))
    plan = f'STEP "s" {{ PARALLEL {{\n{body}}} }}\nRUN "sleep 97545"\n'
    with RunAtTerminal(plan, root) as plan_run:
        wait_until(lambda: len(plan_run.events()) >= moment, "events")
        plan_run.send(signal.SIGINT)
        plan_run.send(signal.SIGTERM)
        report = plan_run.report()
    assert (report["exit_code"], report["error"]["kind"]) == (130, "interrupted")
    assert sleepers("97545") == []
