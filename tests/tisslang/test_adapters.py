"""Adapters without a model, and which adapter a text means."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tisslang.adapters import LanguageModelAdapter, Reply, open_adapter
from tisslang.errors import TissCommandError


def ask(adapter: LanguageModelAdapter, prompt: str = "a question") -> Reply:
    return adapter.reply(prompt, {}, timeout=20)


def refused(adapter: LanguageModelAdapter, prompt: str = "a question") -> TissCommandError:
    with pytest.raises(TissCommandError) as caught:
        ask(adapter, prompt)
    assert caught.value.kind == "agent"
    assert "\n" not in caught.value.message
    return caught.value


def canned(path: Path, *lines: str) -> LanguageModelAdapter:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return open_adapter(f"canned:{path}")


def test_none_names_the_choices() -> None:
    error = refused(open_adapter("none"))
    assert error.hint
    for choice in ("none", "echo", "canned:FILE", "qt:CHECKPOINT", "http:URL"):
        assert choice in error.hint


@given(st.text())
def test_echo(prompt: str) -> None:
    words = len(prompt.split())
    assert ask(open_adapter("echo"), prompt) == Reply(prompt, 2 * words)


def test_directives_are_no_part_of_an_echo() -> None:
    adapter = open_adapter("echo")
    assert adapter.reply("hi", {"persona": ["a pirate"], "output": ["json"]}, 20) == ("hi", 2)
    adapter.close()


@given(st.lists(st.text(), max_size=5), st.booleans())
def test_canned_replies_come_in_order(tmp_path_factory, replies: list[str], ascii: bool) -> None:
    path = tmp_path_factory.mktemp("canned") / "replies.jsonl"
    adapter = canned(path, *(json.dumps(reply, ensure_ascii=ascii) for reply in replies))
    for reply in replies:
        assert ask(adapter, "two words") == Reply(reply, 2 + len(reply.split()))
    assert f"run out: {str(path)!r} holds {len(replies)}" in refused(adapter).message
    assert refused(adapter)


def test_canned_file_in_other_forms(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_bytes('\ufeff"one"\r\n\n "tw\u2028o" \n   \n"three"'.encode())
    adapter = open_adapter(f"canned:{path}")
    assert [ask(adapter).text for _ in range(3)] == ["one", "tw\u2028o", "three"]


def test_each_canned_reply_is_given_once(tmp_path: Path) -> None:
    adapter = canned(tmp_path / "replies.jsonl", *(f'"{i}"' for i in range(400)))
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: ask(adapter).text, range(400)))
    assert sorted(map(int, replies)) == list(range(400))
    refused(adapter)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("yes", "Expecting value"),
        ('"open', "Unterminated string"),
        ('"a" "b"', "Extra data"),
        ("3", "but it is a number"),
        ("null", "but it is null"),
        ('{"reply": "yes"}', "but it is an object"),
        ("[]", "but it is a list"),
        ("true", "but it is a boolean"),
        (r'"\ud800"', "surrogates not allowed"),
        ("[" * 100_000, "recursion"),
        (b'"\xff"', "can't decode byte 0xff"),
    ],
)
def test_malformed_line(tmp_path: Path, line: str | bytes, reason: str) -> None:
    path = tmp_path / "replies.jsonl"
    path.write_bytes(b'"fine"\n\n' + (line if isinstance(line, bytes) else line.encode()) + b"\n")
    with pytest.raises(ValueError, match=reason) as caught:
        open_adapter(f"canned:{path}")
    assert f"{str(path)!r}, line 3: expected one JSON string" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "unknown agent '': choose from none, echo, canned:FILE, qt:CHECKPOINT, http:URL"),
        ("gpt", "unknown agent 'gpt': choose from"),
        ("Echo", "unknown agent 'Echo'"),
        ("echo:", "unknown agent 'echo:'"),
        ("none:x", "unknown agent 'none:x'"),
        ("https:example.com", "unknown agent 'https:example.com'"),
        ("ftp://h/", "unknown agent 'ftp://h/'"),
        ("x" * 1000, f"unknown agent '{'x' * 79}…'"),
        ("canned", "'canned' is not complete: write canned:FILE"),
        ("canned:", "'canned' is not complete: write canned:FILE"),
        ("qt", "'qt' is not complete: write qt:CHECKPOINT"),
        ("http:", "'http' is not complete: write http:URL"),
        ("canned:/no/such/file", "'/no/such/file' cannot be read: No such file or directory"),
        ("canned:/", "'/' cannot be read: Is a directory"),
        ("canned:a\0b", "cannot be read: embedded null byte"),
        ("canned:/dev/zero", "'/dev/zero' are larger than 16 MiB"),
    ],
)
def test_what_cannot_be_opened(spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"agent|canned") as caught:
        open_adapter(spec)
    assert message in str(caught.value)


def test_what_is_not_asked_for_is_not_loaded() -> None:
    program = """if True:
        import sys
        from tisslang.adapters import open_adapter
        open_adapter("none"), open_adapter("echo")
        print(*{"numpy", "qt", "http.client", "ssl"} & sys.modules.keys())
        open_adapter("http://127.0.0.1:9/v1")
        print(*{"numpy", "qt"} & sys.modules.keys())"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
