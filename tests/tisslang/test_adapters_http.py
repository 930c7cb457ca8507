"""`http:URL` against a real server on loopback: what is asked, and every way in which it fails."""

import itertools
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from chat_server import MODEL, ChatServer, Request, completion, models, response
from hypothesis import given, settings
from hypothesis import strategies as st
from missing import missing
from processes import wait_until

from tisslang.adapters import Reply, open_adapter
from tisslang.adapters.address import parse_address
from tisslang.adapters.chat import system_message
from tisslang.adapters.http_call import Call, GivenUp
from tisslang.adapters.http_errors import explain
from tisslang.errors import TissCommandError

KEY = "sk-very-secret/key+1="
ALL = {"persona": ["You are a pirate."], "output": ["json"], "language": ["py"]}


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TISS_API_KEY", raising=False)


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    wait_until(lambda: set(threading.enumerate()) <= before, "a thread of a call goes on")


def ask(url: str, prompt: str = "a question", timeout: float = 60, **directives: Any) -> Reply:
    with closing(open_adapter(url)) as adapter:
        return adapter.reply(prompt, directives, timeout)


def refused(url: str, timeout: float = 60) -> TissCommandError:
    with pytest.raises(TissCommandError) as caught:
        ask(url, timeout=timeout)
    error = caught.value
    assert error.kind == "agent"
    for text in (error.message, error.hint or ""):
        assert text.isprintable()
        assert KEY not in text
    return error


def always(answer: bytes) -> Callable[[Request], bytes]:
    return lambda request: answer


# ------------------------------------------------------------------------------ what is asked


@pytest.mark.parametrize("prefix", ["", "http:"])
@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_urls(prefix: str, path: str) -> None:
    with ChatServer(always(completion("hello there"))) as server:
        url = f"{prefix}http://127.0.0.1:{server.port}{path}"
        assert ask(url, "two words") == Reply("hello there", 4)
    assert [(r.method, r.path) for r in server.requests] == [
        ("GET", "/v1/models"),
        ("POST", "/v1/chat/completions"),
    ]


def test_another_path_and_a_query_of_its_own() -> None:
    with ChatServer(always(completion("yes"))) as server:
        ask(f"http://127.0.0.1:{server.port}/api/x?version=2&model=a%2Fb+c:8b&y")
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/api/x/chat/completions?version=2&y")
    assert request.json()["model"] == "a/b+c:8b"


def test_the_request_as_received() -> None:
    prompt = "Ünïcode \N{SNOWMAN} \U0001f600 and \0 and\nlines\u2028"
    with ChatServer(always(completion("yes"))) as server:
        ask(server.url, prompt, **ALL, speed=["fast"], timeout_of_run=[30])
        ask(server.url, "plain", speed=["fast"])
    first, second = server.chats
    assert first.json() == {
        "model": MODEL,
        "messages": [
            {
                "role": "system",
                "content": "You are a pirate.\nAnswer in the format: json.\nWrite code in: py.",
            },
            {"role": "user", "content": prompt},
        ],
        "stream": False,
    }
    assert second.json()["messages"] == [{"role": "user", "content": "plain"}]
    assert first.headers["content-type"] == "application/json"
    assert "authorization" not in first.headers
    for request in server.requests:
        assert request.headers["host"] == f"127.0.0.1:{server.port}"


def test_system_message() -> None:
    assert system_message({}) == ""
    assert system_message({"persona": ["{} of {x}"], "env": ["A=1"]}) == "{} of {x}"
    assert system_message({"output": ["json", 3, True]}) == "Answer in the format: json, 3, true."


def test_the_key_is_sent_to_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TISS_API_KEY", f" {KEY}\n")
    with ChatServer(always(completion("yes"))) as server:
        ask(server.url)
    assert [r.headers["authorization"] for r in server.requests] == [f"Bearer {KEY}"] * 2


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with ChatServer(always(completion("yes"))) as server:
        assert ask(server.url).text == "yes"


def test_the_model_is_asked_for_once() -> None:
    with ChatServer(lambda r: completion(r.json()["messages"][0]["content"])) as server:
        adapter = open_adapter(server.url)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda i: adapter.reply(f"{i}", {}, 60).text, range(40)))
        adapter.close()
    assert replies == [f"{i}" for i in range(40)]
    assert [r.method for r in server.requests].count("GET") == 1


def test_the_model_is_asked_for_again_when_that_failed() -> None:
    answers = iter([response("busy", 503), models("late")])
    with ChatServer(always(completion("yes")), lambda r: next(answers)) as server:
        adapter = open_adapter(server.url)
        with pytest.raises(TissCommandError, match="status 503: busy"):
            adapter.reply("x", {}, 60)
        assert adapter.reply("x", {}, 60).text == "yes"
    assert [r.json()["model"] for r in server.chats] == ["late"]


# ------------------------------------------------------------------------------------ replies


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"total_tokens": 57}, 57),
        ({"total_tokens": 0}, 0),
        ({"total_tokens": -1}, 5),
        ({"total_tokens": True}, 5),
        ({"total_tokens": 5.5}, 5),
        ({"total_tokens": "57"}, 5),
        ({"total_tokens": 10**400}, 5),
        ({"prompt_tokens": 3}, 5),
        ({}, 5),
        ([57], 5),
        (None, 5),
    ],
)
def test_tokens(usage: Any, tokens: int) -> None:
    with ChatServer(always(completion(" three\twords  here ", usage=usage))) as server:
        assert ask(server.url, "two words") == Reply(" three\twords  here ", tokens)


def test_any_text_arrives_as_it_is() -> None:
    with ChatServer(lambda r: completion(r.json()["messages"][0]["content"])) as server:
        adapter = open_adapter(server.url)

        @given(st.text())
        def echoes(text: str) -> None:
            assert adapter.reply(text, {}, 60).text == text

        echoes()


def test_half_a_character_is_replaced() -> None:
    body = rb'{"choices": [{"message": {"content": "a\ud83d\ude00 b\ud800 c\udc00"}}]}'
    with ChatServer(always(response(body))) as server:
        assert ask(server.url).text == "a\U0001f600 b\ufffd c\ufffd"


@pytest.mark.parametrize("size", [0, 1, 5_000_000])
def test_replies_of_any_size_in_any_framing(size: int) -> None:
    whole = completion("x" * size)
    body = whole.partition(b"\r\n\r\n")[2]
    half = len(body) // 2
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    for answer in (
        whole,
        b"HTTP/1.1 200 OK\r\n\r\n" + body,
        b"HTTP/1.0 200 OK\r\n\r\n" + body,
        b"HTTP/1.1 100 Continue\r\n\r\n" + whole,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n",
    ):
        with ChatServer(always(answer)) as server:
            assert ask(server.url).text == "x" * size


def test_a_large_prompt() -> None:
    with ChatServer(always(completion("yes"))) as server:
        assert ask(server.url, "word " * 1_000_000).text == "yes"
    assert len(server.chats[0].json()["messages"][0]["content"]) == 5_000_000


# ----------------------------------------------------------------------------------- failures


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_connection_refused() -> None:
    port = free_port()
    error = refused(f"http://127.0.0.1:{port}/v1?model=m&api_key=hidden")
    assert error.message == (
        f"nothing listens at http://127.0.0.1:{port}/v1: the connection was refused"
    )
    assert error.hint == "start the model server, or correct the URL of --agent"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 64 + ".invalid"])
def test_unknown_host(host: str) -> None:
    assert refused(f"http://{host}/v1").message == f"the host {host!r} is unknown"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
)
def test_hung_up(answer: bytes) -> None:
    with ChatServer(always(answer)) as server:
        assert refused(server.url).message == (
            f"the model server at {server.url} hung up before its answer was complete"
        )


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"\0" * 100, b"x" * 100_000, b"HTTP/1.1 abc\r\n\r\n"]
)
def test_no_http(answer: bytes) -> None:
    with ChatServer(always(answer)) as server:
        assert refused(server.url).message == f"what answers at {server.url} does not speak HTTP"


def test_endless_headers() -> None:
    lines = itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"A: b\r\n"))
    with ChatServer(lambda r: lines) as server:
        assert "does not speak HTTP" in refused(server.url).message


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, {"error": {"message": "out of memory", "code": 3}}, "500: out of memory"),
        (404, {"error": "model 'm' not found"}, "404: model 'm' not found"),
        (422, {"object": "error", "message": "no\n  such\tthing"}, "422: no such thing"),
        (400, {"detail": "Not Found"}, "400: Not Found"),
        (400, {"detail": [{"loc": 1}]}, '400: {"detail": [{"loc": 1}]}'),
        (503, {"error": None}, '503: {"error": null}'),
        (502, "<h1>Bad\r\nGateway</h1>", "502: <h1>Bad Gateway</h1>"),
        (500, b"\xff\x1b[31m\0red", "500: ��[31m�red"),
        (500, "[" * 50_000, f"500: {'[' * 299}…"),
        (500, {"message": "é" * 301}, f"500: {'é' * 299}…"),
        (500, "", "500"),
        (204, "", "is not JSON"),
        (304, "", "304"),
    ],
)
def test_error_status(status: int, body: Any, words: str) -> None:
    with ChatServer(always(response(body, status))) as server:
        message = refused(server.url).message
    assert message.startswith(f"the model server at {server.url} ")
    assert message.endswith(words) or words == "is not JSON"
    assert words in message


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_key(status: int) -> None:
    with ChatServer(always(response({"error": "who are you?"}, status))) as server:
        assert "TISS_API_KEY" in (refused(server.url).hint or "")


def test_an_error_status_says_more_than_its_lost_body() -> None:
    head = b"HTTP/1.1 500 x\r\nContent-Length: 100000000\r\n\r\n"
    with ChatServer(always(head + b"it hurts")) as server:
        assert refused(server.url).message.endswith("status 500: it hurts")
    with ChatServer(lambda r: [head, *[b"x" * 10_000] * 1000]) as server:
        assert refused(server.url).message.endswith("status 500: " + "x" * 299 + "…")


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TISS_API_KEY", KEY)
    where = f"Location: http://elsewhere/{KEY}\r\n"
    for answer, words in (
        (response({"error": f"bad key {KEY}!"}, 401), "bad key ***!"),
        (response({"error": "x" * 290 + KEY}, 401), "x" * 290 + "***"),
        (response(f"bad key {KEY}!"), "begins with 'bad key ***!'"),
        (response({"error": f"bad key {KEY}!"}), "it says: bad key ***!"),
        (response("", 307, where), "a redirect to http://elsewhere/***,"),
    ):
        with ChatServer(always(answer)) as server:
            assert words in refused(server.url).message


@pytest.mark.parametrize("key", ["a b", "a\nb", "\x7f", "ключ"])
def test_a_key_that_cannot_be_sent(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TISS_API_KEY", key)
    with pytest.raises(ValueError, match="TISS_API_KEY holds a character") as caught:
        open_adapter("http://127.0.0.1:1/v1")
    assert key not in str(caught.value)


def test_redirects_are_not_followed() -> None:
    with ChatServer(always(completion("stolen"))) as other:
        answer = response("", 307, f"Location: {other.url}/chat/completions\r\n")
        with ChatServer(always(answer)) as server:
            error = refused(server.url)
        assert f"status 307, a redirect to {other.url}/chat/completions" in error.message
        assert other.requests == []


@pytest.mark.parametrize(
    ("body", "begin"),
    [
        ("", "it is empty"),
        ("<html>hello</html>", "it begins with '<html>hello</html>'"),
        ('data: {"choices": []}\n\n', "it begins with 'data: {\"choices\": []}'"),
        ('{"choices": ', "it begins with '{\"choices\":'"),
        (b"\xff\xfe\xfd", "it begins with"),
        ("[" * 1_000_000, "it begins with"),
        ("9" * 10_000, "it begins with"),
    ],
)
def test_bad_json(body: str | bytes, begin: str) -> None:
    with ChatServer(always(response(body))) as server:
        message = refused(server.url).message
    assert message.startswith(f"the model server at {server.url} sent an answer that is not JSON: ")
    assert begin in message
    assert len(message) < 200


@pytest.mark.parametrize(
    "body",
    [
        "null", "3", '"text"', "[]", "{}", '{"choices": []}', '{"choices": {"0": {}}}',
        '{"choices": [{}]}', '{"choices": [{"text": "old"}]}', '{"choices": [{"message": "x"}]}',
        '{"choices": [{"message": {"role": "assistant"}}]}',
        '{"choices": [{"message": {"content": null}}]}',
        '{"choices": [{"message": {"content": 3}}]}',
        '{"choices": [{"message": {"content": [{"type": "text", "text": "x"}]}}]}',
    ],
)  # fmt: skip
def test_json_of_another_shape(body: str) -> None:
    with ChatServer(always(response(body))) as server:
        assert refused(server.url).message.startswith(
            f"the model server at {server.url} sent no chat completion: "
            "no text at choices[0].message.content"
        )


@pytest.mark.parametrize("answer", [models(), response("null"), response({"data": [{"id": 3}]})])
def test_no_model_is_listed(answer: bytes) -> None:
    with ChatServer(always(completion("yes")), always(answer)) as server:
        error = refused(server.url)
        assert error.message.startswith("no model was named, and none is found: the server's list")
        assert "?model=NAME" in (error.hint or "")
        assert ask(f"{server.url}?model=m").text == "yes"


# ----------------------------------------------------------------------- time, size, interruption


def head_and_silence(server: ChatServer) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    yield from server.silence()


@pytest.mark.parametrize(
    "behaviour",
    [
        ChatServer.silence,
        head_and_silence,
        lambda server: server.drip(completion("x" * 10_000), 0.02),
        lambda server: itertools.cycle([b"HTTP/1.1 100 Continue\r\n\r\n"]),
    ],
)
def test_timeout_is_for_the_whole_call(behaviour: Callable[[ChatServer], Any]) -> None:
    with ChatServer(lambda r: behaviour(server)) as server:
        started = time.monotonic()
        error = refused(f"{server.url}?model=m", timeout=0.5)
        assert 0.5 <= time.monotonic() - started < 20
    assert error.message == (
        f"the model server at {server.url} did not finish the reply within 0.5 s"
    )


def test_the_list_of_models_is_part_of_the_call() -> None:
    with ChatServer(always(completion("yes")), lambda r: server.silence()) as server:
        adapter = open_adapter(server.url)
        with ThreadPoolExecutor(3) as pool:  # two of them wait for the answer that one asked for
            calls = [pool.submit(adapter.reply, "x", {}, 0.5) for _ in range(3)]
        for call in calls:
            assert "within 0.5 s" in str(call.exception())


def test_a_server_that_does_not_accept() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        assert "within 0.3 s" in refused(f"http://127.0.0.1:{port}/v1", timeout=0.3).message


@pytest.mark.parametrize("timeout", [0, -1, 1e-9])
def test_no_time_at_all(timeout: float) -> None:
    with ChatServer(always(completion("yes"))) as server:
        assert "did not finish the reply" in refused(server.url, timeout=timeout).message


@pytest.mark.parametrize("timeout", [1e7, 1e300, float("inf")])
def test_all_the_time(timeout: float) -> None:
    with ChatServer(always(completion("yes"))) as server:
        assert ask(server.url, timeout=timeout).text == "yes"


MEGABYTE = b"x" * 1_000_000
LARGE = {
    "announced": [b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", *[MEGABYTE] * 100],
    "unannounced": [b"HTTP/1.1 200 OK\r\n\r\n", *[MEGABYTE] * 100],
    "chunked": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[b"f4240\r\n" + MEGABYTE + b"\r\n"] * 100,
    ],
    "small chunks": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        *[b"64\r\n" + b"x" * 100 + b"\r\n"] * 200_000,
    ],
}
# Prints why the reply failed, and how many bytes Python held at most meanwhile. (What the kernel
# counts is no measure: a new process begins with the peak of the one that started it.)
MEASURE = """if True:
    import sys, tracemalloc
    from tisslang.adapters import open_adapter
    adapter = open_adapter(sys.argv[1])
    tracemalloc.start()
    try:
        adapter.reply("x", {}, 240)
    except Exception as error:
        print(error)
    print(tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("kind", LARGE)
def test_a_reply_of_100_megabytes_is_cut_off(kind: str) -> None:
    with ChatServer(lambda r: LARGE[kind]) as server:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, server.url],
            capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
    message, peak = done.stdout.splitlines()
    assert message == f"the model server at {server.url} sent an answer of more than 16 MiB"
    assert int(peak) < 40 * 1024 * 1024


def test_a_reply_of_16_megabytes_is_read() -> None:
    size = 16 * 1024 * 1024 - 1000
    with ChatServer(always(completion("x" * size))) as server:
        assert len(ask(server.url).text) == size


INTERRUPTED = """if True:
    import sys
    from tisslang.adapters import open_adapter
    try:
        open_adapter(sys.argv[1]).reply("x", {}, 60)
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("behaviour", [ChatServer.silence, head_and_silence])
def test_ctrl_c_ends_a_call(behaviour: Callable[[ChatServer], Any]) -> None:
    with ChatServer(lambda r: behaviour(server)) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, server.url], stdout=subprocess.PIPE, text=True
        )
        try:
            wait_until(lambda: server.chats, "the server is asked")
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=20)[0] == "interrupted\n"
        finally:
            process.kill()
            process.wait()


def test_close_ends_the_calls_of_other_threads() -> None:
    with ChatServer(lambda r: server.silence()) as server:
        adapter = open_adapter(server.url)
        with ThreadPoolExecutor(3) as pool:
            calls = [pool.submit(adapter.reply, "x", {}, 60) for _ in range(3)]
            wait_until(lambda: len(server.chats) == 3, "the server is asked three times")
            adapter.close()
        for call in calls:
            assert "is asked no more: the run has ended" in str(call.exception())
        with pytest.raises(TissCommandError, match="asked no more"):
            adapter.reply("x", {}, 60)
        adapter.close()


def test_an_answer_before_all_is_read() -> None:
    """A server may refuse a large prompt without reading it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(response({"error": "too long"}, 413))
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 20):
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1?model=m"
        with pytest.raises(TissCommandError, match="status 413: too long"):
            ask(url, "word " * 1_000_000)
        thread.join()


def test_a_thread_that_hangs_holds_up_nobody() -> None:
    """As in a name server's silence, of which no connection is known that could be shut down."""
    hanging = threading.Event()
    late: list[BaseException] = []

    def work(call: Call) -> None:
        hanging.wait()
        try:
            call.exchange("GET", "/", {}, b"")
        except BaseException as error:
            late.append(error)

    address = parse_address("http://127.0.0.1:9")
    with pytest.raises(TimeoutError):
        Call(address, work).result(0.05)
    call = Call(address, work)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(call.result, 60)
        call.give_up()
        assert type(waiting.exception()) is GivenUp
    hanging.set()
    wait_until(lambda: len(late) == 2, "both threads go on")
    assert {type(error) for error in late} == {GivenUp}


def test_what_else_may_happen() -> None:
    address = parse_address("http://h")
    error = explain(OSError(113, "No route to host"), address, 1)
    assert error.message == "the model server at http://h/v1 cannot be reached: No route to host"
    with pytest.raises(ZeroDivisionError):  # a fault of ours is not hidden
        explain(ZeroDivisionError(), address, 1)


GOOD = completion("yes", usage={"total_tokens": 3}).replace(b"\r\n\r\n", b"\r\nA: b\r\n\r\n")
CHUNKED = (
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n": 1}\r\n0\r\n\r\n'
)


def test_any_answer_is_a_reply_or_an_agent_error() -> None:
    answer = b""
    with ChatServer(lambda r: answer) as server:
        adapter = open_adapter(f"{server.url}?model=m")

        @settings(max_examples=500)
        @given(
            st.sampled_from([GOOD, CHUNKED]),
            st.integers(0, 200), st.integers(0, 40), st.binary(max_size=20),
        )  # fmt: skip
        def mutated(whole: bytes, start: int, length: int, put: bytes) -> None:
            nonlocal answer
            answer = whole[:start] + put + whole[start + length :]
            try:
                reply = adapter.reply("x", {}, 60)
            except TissCommandError as error:
                kind = error.kind
            else:
                kind = "agent" if isinstance(reply.text, str) else "no text"
            assert kind == "agent"

        mutated()


# ---------------------------------------------------------------------------------------- https


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, signed by itself, in one file."""
    if not shutil.which("openssl"):
        missing("no openssl, which makes a certificate")
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", file.with_name("key.pem"), "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + file.with_name("key.pem").read_bytes())
    return file


def over_tls(certificate: Path, answer: Callable[[Request], Any]) -> ChatServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return ChatServer(answer, tls=context)


@pytest.mark.parametrize("prefix", ["", "http:"])
def test_https(certificate: Path, monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    with over_tls(certificate, always(completion("yes"))) as server:
        error = refused(prefix + server.url)
        assert "has no certificate to be trusted: self" in error.message
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert ask(prefix + server.url).text == "yes"
        other = server.url.replace("127.0.0.1", "localhost")
        assert "Hostname mismatch" in refused(prefix + other).message


def test_https_fails_like_http(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with over_tls(certificate, always(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")) as server:
        assert "hung up" in refused(server.url).message
    for behaviour in (ChatServer.silence, head_and_silence):
        with over_tls(certificate, lambda r, b=behaviour: b(server)) as server:
            assert "within 0.5 s" in refused(server.url, timeout=0.5).message


def test_one_side_speaks_tls(certificate: Path) -> None:
    with ChatServer(always(completion("yes"))) as server:
        secure = server.url.replace("http:", "https:")
        error = refused(secure)
        assert error.message.startswith(f"no secure connection to {secure}: ")
        assert "http://" in (error.hint or "")
    with over_tls(certificate, always(completion("yes"))) as server:
        refused(server.url.replace("https:", "http:"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_endless_nesting_ends_no_run(tmp_path: Path, encoding: str) -> None:
    """A run lets Python go as deep as it likes, where `json` would go until the process dies."""
    plan = 'TRY { PROMPT_AGENT "hi" INTO reply } CATCH { LOG ERROR.KIND }'
    body = ('["\u2200",' + "[" * 5_000_000).encode(encoding)
    with ChatServer(always(response(body))) as server:
        url = f"{server.url}?model=m"
        done = subprocess.run(
            [sys.executable, "-m", "tisslang", "run", "-", "--agent", url, "--output-format=json"],
            input=plan.encode(),
            capture_output=True,
            cwd=tmp_path,
        )
    assert done.returncode == 0
    assert json.loads(done.stdout)["log"] == ["agent"]


def test_brackets_in_texts_are_no_nesting() -> None:
    text = '[{"' * 1000 + "\\"
    with ChatServer(always(completion(text))) as server:
        assert ask(server.url).text == text
