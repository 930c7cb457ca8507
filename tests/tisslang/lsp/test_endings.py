"""How a conversation ends, and what is never said on standard output."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tiss_process import TISS, tiss


def message(content: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


HELLO = message({"id": 1, "method": "initialize", "params": {"capabilities": {}}})
HELLO += message({"method": "initialized", "params": {}})
SHUTDOWN = message({"id": 2, "method": "shutdown"})
EXIT = message({"method": "exit"})
ITEM = {"uri": "file:///a.tiss", "languageId": "tiss", "version": 1, "text": "LGO 1\n" * 2000}
OPEN = message({"method": "textDocument/didOpen", "params": {"textDocument": ITEM}})


def messages(data: str) -> list[dict[str, Any]]:
    """What stands on standard output: messages, and nothing else."""
    found = []
    rest = data.encode()
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        length = int(head.split(b"\r\n")[0].removeprefix(b"Content-Length: "))
        found.append(json.loads(rest[:length]))
        rest = rest[length:]
    return found


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (HELLO + SHUTDOWN + EXIT, 0),
        (HELLO + OPEN + SHUTDOWN + EXIT, 0),
        (HELLO + EXIT, 1),
        (HELLO, 0),
        (HELLO + OPEN, 0),
        (HELLO[:-7], 0),
        (b"", 0),
        (b"Content-Length: 5\r\n\r\n{}", 0),
        (HELLO + message({"id": 3, "method": "no/such"}) + SHUTDOWN + EXIT, 0),
        (HELLO + b"Content-Length: 3\r\n\r\n{x}" + SHUTDOWN + EXIT, 0),
    ],
    ids=lambda value: str(value)[-20:],
)
def test_the_end(tmp_path: Path, talk: bytes, code: int) -> None:
    done = tiss("lsp", "--stdio", cwd=tmp_path, stdin=talk)
    assert (done.code, done.err) == (code, "")
    found = messages(done.out)
    if talk.startswith(HELLO):
        assert found[0]["result"]["serverInfo"]["name"] == "tiss"


def test_standard_input_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "talk").write_bytes(HELLO + SHUTDOWN + EXIT)
    with (tmp_path / "talk").open("rb") as talk:
        done = subprocess.run(
            [*TISS, "lsp"], stdin=talk, capture_output=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*TISS, "lsp"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: (
            signal.signal(number, signal.SIG_DFL)
            if number == signal.SIGTERM
            else signal.signal(number, signal.default_int_handler)
        ),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(HELLO)
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"Content-Length")
        process.send_signal(number)
        _, error = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    if number == signal.SIGINT:
        assert (process.returncode, error) == (130, b"error: interrupted\n")
    else:
        assert (process.returncode, error) == (-number, b"")


def test_an_editor_that_is_gone_ends_it(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*TISS, "lsp"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdout.close()
        process.stdin.write(HELLO + OPEN)
        process.stdin.close()
        assert process.wait(30) == 0
        assert b"Traceback" not in process.stderr.read()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_without_pygls_one_line_says_what_to_do(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pygls'] = None; from tisslang.cli import main; sys.exit(main())"
    )
    done = tiss("lsp", cwd=tmp_path, command=[sys.executable, "-c", code])
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        'error: the language server needs pygls 2: pip install "quantatissu[editor]"\n'
    )


def test_help_says_how_to_connect_an_editor(tmp_path: Path) -> None:
    done = tiss("lsp", "--help", cwd=tmp_path)
    assert done.code == 0
    for word in ("--stdio", "VS Code", "Neovim", "JupyterLab", "*.tiss"):
        assert word in done.out


def test_the_rest_of_tisslang_does_not_load_it(tmp_path: Path) -> None:
    code = (
        "import sys, tisslang.cli, tisslang.editing, tisslang.lsp\n"
        "found = [x for x in sys.modules if x.partition('.')[0] in ('pygls', 'lsprotocol')]\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = tiss(cwd=tmp_path, command=[sys.executable, "-c", code])
    assert (done.code, done.err) == (0, "")
