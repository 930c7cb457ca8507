"""PROMPT_AGENT: what reaches the model, what comes back, and what may go wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, completion, response
from engine_runs import brief, caught, named, outcome, run_with_events
from plans import run

from tisslang import State, ToolRegistry
from tisslang.adapters import Reply


def test_only_the_prompt_and_the_directives_for_it_reach_the_model(tmp_path: Path) -> None:
    text = """
#TISS! Language=Python
TASK "zebra task" {
    VAR hidden = "zebra"
    VAR shown = "a {{hidden|trim}}"
    VAR shown = "shown {{x}}"
    RUN "echo zebra"
    WRITE "zebra" <<W
zebra
W
    @persona "careful {{x}}"
    @output "json"
    @speed "zebra"
    @env "ZEBRA=zebra"
    STEP "zebra step" {
        @persona "bold"
        TRY { READ "zebra2" AS y } CATCH {
            PROMPT_AGENT INTO reply <<W
Say {{shown}} \\{{shown}}
W
        }
        PROMPT_AGENT "again"
    }
}
""".lstrip()
    with ChatServer(lambda request: completion("the reply")) as server:
        report, _ = run_with_events(text, tmp_path, agent=f"http:{server.url}", var={"x": "X"})
    assert (report["error"], report["variables"]["reply"]) == (None, "the reply")
    for chat, prompt in zip(server.chats, ["Say shown X {{shown}}\n", "again"], strict=True):
        body = chat.json()
        assert body["messages"][-1] == {"role": "user", "content": prompt}
        assert len(body["messages"]) == 2
        assert "zebra" not in chat.body.decode().lower()
        system = body["messages"][0]["content"]
        assert all(word in system for word in ("bold", "json", "Python"))
        assert "careful" not in system


def test_an_adapter_gets_the_directives_for_it_and_the_time_that_is_left(tmp_path: Path) -> None:
    asked: list[tuple[str, dict[str, Any], float]] = []

    class Listening:
        def reply(self, prompt: str, directives: dict[str, Any], timeout: float) -> Reply:
            asked.append((prompt, directives, timeout))
            return Reply("reply", 3)

        def close(self) -> None:
            pass

    def install(state: State, args: dict[str, Any]) -> None:
        state.agent = Listening()

    tools = ToolRegistry.default()
    tools.register("LOG", install)
    text = """
LOG 1
@persona "p" "q"
@env "A=1"
@timeout 1s
@speed 3
PROMPT_AGENT "a"
SET_BUDGET EXECUTION_TIME = 50
PROMPT_AGENT "b"
"""
    report, _ = run_with_events(text, tmp_path, tools=tools, timeout=100)
    assert (report["error"], report["cost"]["TOKENS"]) == (None, 6)
    assert [(prompt, given) for prompt, given, _ in asked] == [
        ("a", {"persona": ["p", "q"]}),
        ("b", {"persona": ["p", "q"]}),
    ]
    assert asked[0][2] == 100
    assert 0 < asked[1][2] < 50


def test_into_binds_the_reply_and_without_it_the_reply_is_dropped(tmp_path: Path) -> None:
    text = 'PROMPT_AGENT "a {{x}}" INTO v\nPROMPT_AGENT "b"\nLOG v\nPROMPT_AGENT "c" INTO v'
    report, events = run_with_events(text, tmp_path, agent="echo", var={"x": "{{v}}"})
    assert (report["log"], report["variables"]) == (["a {{v}}"], {"v": "c", "x": "{{v}}"})
    assert brief(events)[:3] == [
        "command_start PROMPT_AGENT",
        "agent",
        "command_end PROMPT_AGENT ok",
    ]
    agents = named(events, "agent")
    assert [(event["line"], event["tokens"]) for event in agents] == [(1, 4), (2, 2), (4, 2)]
    assert all(event["duration_s"] >= 0 for event in agents)
    assert (report["cost"]["API_CALLS"], report["cost"]["TOKENS"]) == (3, 8)


def test_canned_replies_are_given_in_turn_until_they_run_out(tmp_path: Path) -> None:
    replies = tmp_path / "replies"
    replies.write_text('"one two"\n\n"{{x}}"\n', encoding="utf-8")
    text = 'PROMPT_AGENT "q" INTO a\nPROMPT_AGENT "q" INTO b\nLOG b\nPROMPT_AGENT "q" INTO c'
    report, _ = run_with_events(text, tmp_path, agent=f"canned:{replies}")
    assert outcome(report) == (4, "agent", 4)
    assert (report["log"], report["variables"]) == (["{{x}}"], {"a": "one two", "b": "{{x}}"})
    assert report["cost"]["TOKENS"] == 5


@pytest.mark.parametrize(
    "answer", [response("no", status=500), response("not JSON"), b"", response({"choices": []})]
)
def test_an_error_of_the_agent_is_catchable_and_can_be_repeated(
    tmp_path: Path, answer: bytes
) -> None:
    text = """
VAR v = "before"
TRY { PROMPT_AGENT "x" INTO v } CATCH { LOG "{{ERROR.KIND}} {{v}}" }
STEP "s" { @retry 1
    PROMPT_AGENT "y" INTO v }
"""
    answers = [answer, answer, completion("good")]
    with ChatServer(lambda request: answers[len(server.chats) - 1]) as server:
        report, events = run_with_events(text, tmp_path, agent=f"http:{server.url}")
    assert (report["exit_code"], report["log"]) == (0, ["agent before"])
    assert (caught(report), report["variables"]) == ([("agent", 3)], {"v": "good"})
    assert (report["cost"]["API_CALLS"], len(named(events, "agent"))) == (3, 1)


def test_a_server_that_is_silent_is_an_agent_error_in_time(tmp_path: Path) -> None:
    with ChatServer(lambda request: server.silence()) as server:
        agent = f"http:{server.url}"
        report, _ = run_with_events('PROMPT_AGENT "x"', tmp_path, agent=agent, timeout="300ms")
    assert outcome(report) == (4, "agent", 1)


def test_without_an_agent_the_hint_names_the_choices(tmp_path: Path) -> None:
    report, _ = run_with_events('LOG 1\nSTEP "s" { PROMPT_AGENT "x" }', tmp_path)
    assert (outcome(report), report["log"]) == ((4, "agent", 2), ["1"])
    assert "--agent" in report["error"]["hint"]
    assert "echo" in report["error"]["hint"]


NO_SPEC = ["gpt", "canned:", "echo:x", ""]
OUT_OF_REACH = ["canned:/nowhere", "http:ftp://x", "qt:/nowhere"]


@pytest.mark.parametrize("agent", [*NO_SPEC, *OUT_OF_REACH])
@pytest.mark.parametrize("text", ['LOG 1\nPROMPT_AGENT "x"', 'CHOOSE { OPTION "a" { } }'])
@pytest.mark.parametrize("debug", [False, True])
def test_a_bad_agent_is_found_before_anything_happens(
    tmp_path: Path, agent: str, text: str, debug: bool
) -> None:
    with pytest.raises(ValueError, match=r"agent|replies|checkpoint|URL|http|nowhere"):
        run(f'MKDIR "d"\n{text}', tmp_path, agent=agent, choose_by="agent", debug=debug)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("agent", OUT_OF_REACH)
@pytest.mark.parametrize("text", ['LOG 1\nPROMPT_AGENT "x"', 'CHOOSE { OPTION "a" { } }'])
def test_an_agent_that_nobody_needs_may_be_out_of_reach(
    tmp_path: Path, agent: str, text: str
) -> None:
    assert run("LOG 1", tmp_path, agent=agent)["exit_code"] == 0
    report = run(text, tmp_path, agent=agent, choose_by="agent", dry_run=True)
    assert report["exit_code"] == 0
    assert run("LOG nope", tmp_path, agent=agent)["exit_code"] == 3


def test_a_bad_agent_is_wrong_usage_on_the_command_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tisslang", "run", "-", "--agent", "gpt", "--output-format", "json"],
        input='LOG 1\nPROMPT_AGENT "x"',
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "gpt" in done.stderr
    assert "echo" in done.stderr


def test_replies_in_branches(tmp_path: Path) -> None:
    def echo(request: Any) -> bytes:
        return completion(request.json()["messages"][-1]["content"] + "!")

    steps = "".join(f'STEP "{n}" {{ PROMPT_AGENT "p{n}" INTO v{n} }}\n' for n in range(6))
    with ChatServer(echo) as server:
        text = f"PARALLEL {{\n{steps}}}"
        report, events = run_with_events(text, tmp_path, agent=f"http:{server.url}")
    assert report["variables"] == {f"v{n}": f"p{n}!" for n in range(6)}
    assert sorted(event["branch"] for event in named(events, "agent")) == [1, 2, 3, 4, 5, 6]
    assert report["cost"]["API_CALLS"] == 6


def test_a_tool_of_ones_own_is_counted_and_kept_to_the_budget(tmp_path: Path) -> None:
    tools = ToolRegistry.default()

    def mine(state: State, args: dict[str, Any]) -> None:
        state.variables[args["into"]] = args["prompt"].upper()
        state.costs.add(TOKENS=10)

    tools.register("PROMPT_AGENT", mine)
    text = 'PROMPT_AGENT "a{{x}}" INTO v\nLOG v\nPROMPT_AGENT "b" INTO v'
    options: dict[str, Any] = {"tools": tools, "var": {"x": "b"}, "budget": {"API_CALLS": 1}}
    report, _ = run_with_events(text, tmp_path, **options)
    assert (outcome(report), report["log"]) == ((6, "budget", 3), ["AB"])
    assert json.dumps(report["cost"]["TOKENS"]) == "10"
