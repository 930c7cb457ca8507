"""Section 6.2: PROMPT_AGENT and the adapters."""

import json
from pathlib import Path

import pytest
from chat_server import ChatServer, completion
from conformance import logged, run, stopped_by
from conformance_runs import attempt


def canned(root: Path, *replies: str) -> str:
    """An agent that says these."""
    (root / "replies").write_text("".join(json.dumps(reply) + "\n" for reply in replies))
    return f"canned:{root}/replies"


def test_no_agent_raises_agent_with_a_hint(tmp_path: Path) -> None:
    for options in ({}, {"agent": "none"}):
        report = run('PROMPT_AGENT "x"', tmp_path, **options)
        assert (report["error"]["kind"], report["exit_code"]) == ("agent", 4)
        assert "--agent" in report["error"]["hint"]


def test_echo_replies_with_the_prompt(tmp_path: Path) -> None:
    text = 'VAR x = "{{y}}"\nPROMPT_AGENT "say {{x}} \\"now\\"" INTO v\nLOG v'
    assert logged(text, tmp_path, agent="echo", var={"y": "é"}) == ['say é "now"']


def test_the_prompt_may_be_a_heredoc(tmp_path: Path) -> None:
    text = "VAR x = 1\nPROMPT_AGENT INTO v <<W\nsay {{x}}\nW\nPROMPT_AGENT <<W\nx\nW\nLOG v"
    assert logged(text, tmp_path, agent="echo") == ["say 1\n"]


def test_a_reply_without_into_is_dropped(tmp_path: Path) -> None:
    report = run('PROMPT_AGENT "x"', tmp_path, agent="echo")
    assert (report["status"], report["variables"]) == ("passed", {})


def test_canned_gives_one_string_a_call_until_they_run_out(tmp_path: Path) -> None:
    agent = canned(tmp_path, "one\ntwo", "é")
    text = 'PROMPT_AGENT "x" INTO a\nPROMPT_AGENT "y" INTO b\nLOG a\nLOG b\n'
    assert logged(text, tmp_path, agent=agent) == ["one\ntwo", "é"]
    assert stopped_by(run(f'{text}PROMPT_AGENT "z"', tmp_path, agent=agent)) == "agent"


@pytest.mark.parametrize("content", ["[1]\n", "not json\n", "{}\n", None])
def test_a_canned_file_that_holds_no_strings(tmp_path: Path, content: str | None) -> None:
    """It is no error of the plan when the operator names such a file, but never a wrong reply."""
    if content is not None:
        (tmp_path / "replies").write_text(content)
    try:
        report = run('PROMPT_AGENT "x"', tmp_path, agent=f"canned:{tmp_path}/replies")
    except ValueError:
        return
    assert report["error"]["kind"] == "agent"


DIRECTED = """#TISS! Language=Python
@persona "a {{who}} tester"
@output "json"
VAR secret = "xyzzy"
VAR shown = "plugh"
RUN "echo frotz"
STEP "s" {
    @persona "inner"
    PROMPT_AGENT "see {{shown}}" INTO v
}
PROMPT_AGENT "again" INTO v
"""


def test_the_model_is_told_the_prompt_and_the_directives_in_force_alone(tmp_path: Path) -> None:
    with ChatServer(lambda request: completion("hello")) as server:
        report = run(DIRECTED, tmp_path, agent=f"http:{server.url}", var={"who": "kind"})
    assert report["variables"]["v"] == "hello"
    first, second = (
        request.body.decode() for request in server.requests if request.method == "POST"
    )
    for told, expected in (
        (first, ("see plugh", "inner", "json", "Python")),
        (second, ("again", "a kind tester", "json", "Python")),
    ):
        for word in expected:
            assert word in told
    assert "kind" not in first  # the innermost persona is the one in force
    assert "plugh" not in second
    for told in (first, second):
        for word in ("xyzzy", "frotz", "secret", "LAST_RUN", str(tmp_path)):
            assert word not in told


def test_the_directive_language_overrides_the_header(tmp_path: Path) -> None:
    text = '#TISS! Language=Python\n@language "cobol"\nPROMPT_AGENT "x"'
    with ChatServer(lambda request: completion("hello")) as server:
        run(text, tmp_path, agent=f"http:{server.url}")
    (told,) = (request.body.decode() for request in server.chats)
    assert "cobol" in told
    assert "Python" not in told


@pytest.mark.parametrize("word", ["speed", "lang"])
def test_an_unknown_directive_does_not_stop_a_plan(tmp_path: Path, word: str) -> None:
    assert run(f'@{word} "fast"\nPROMPT_AGENT "x"', tmp_path, agent="echo")["status"] == "passed"


def test_an_error_of_the_agent_can_be_caught(tmp_path: Path) -> None:
    assert attempt('PROMPT_AGENT "x" INTO v', tmp_path) == "agent"


def test_a_server_that_is_not_there_is_the_error_agent(tmp_path: Path) -> None:
    with ChatServer(lambda request: completion("hello")) as server:
        gone = server.url
    assert attempt('PROMPT_AGENT "x"', tmp_path, agent=f"http:{gone}") == "agent"


def test_the_package_s_own_model_can_be_named(tmp_path: Path) -> None:
    """A checkpoint that is not there: `agent`, or refused before the run; never an accident."""
    try:
        report = run('PROMPT_AGENT "x"', tmp_path, agent=f"qt:{tmp_path}/none")
    except ValueError:
        return
    assert report["error"]["kind"] == "agent"


def test_an_unknown_agent_is_refused_before_any_effect(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="parrot"):
        run('MKDIR "d"\nPROMPT_AGENT "x"', tmp_path, agent="parrot")
    assert not (tmp_path / "d").exists()


def test_an_unknown_agent_is_a_bad_flag_for_every_plan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="parrot"):
        run('LOG "x"', tmp_path, agent="parrot")


def test_calls_and_tokens_are_counted(tmp_path: Path) -> None:
    """An adapter that cannot count: the words of prompt and reply."""
    text = 'PROMPT_AGENT "one  two\\tthree\\n" INTO v\nPROMPT_AGENT "four"'
    cost = run(text, tmp_path, agent="echo")["cost"]
    assert (cost["API_CALLS"], cost["TOKENS"]) == (2, 8)
    agent = canned(tmp_path, "a b c d e", "")
    cost = run(text, tmp_path, agent=agent)["cost"]
    assert (cost["API_CALLS"], cost["TOKENS"]) == (2, 9)


def test_the_count_of_an_adapter_that_counts_is_taken(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
    with ChatServer(lambda request: completion("hello", usage=usage)) as server:
        report = run('PROMPT_AGENT "x"', tmp_path, agent=f"http:{server.url}")
    assert (report["cost"]["API_CALLS"], report["cost"]["TOKENS"]) == (1, 42)
