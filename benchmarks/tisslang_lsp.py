"""What an editor waits for: `tiss lsp` as a process, with a plan of 10,000 lines open in it.

An edit is answered when the problems of the new text have come, those of the linter included.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.claim import Claim, LeftOut, Samples, race
from benchmarks.language import program, robot_tests

LINES = 10_000
REPEATS = 15
URI = "file:///plan.tiss"
STEP = """\
STEP "part {i}" {{
    # what this part does
    VAR name_{i} = "item {i}"
    WRITE "out/file_{i}.py" <<PYTHON
import sys
print("{{{{name_{i}}}}}", sys.argv)
PYTHON
    RUN "python3 out/file_{i}.py {{{{name_{i}}}}} --level=2"
    ASSERT LAST_RUN.EXIT_CODE == 0
    IF FILE "out/file_{i}.py" EXISTS {{
        READ "out/file_{i}.py" AS text_{i}
        ASSERT text_{i} CONTAINS "{{{{name_{i}}}}}"
    }} ELSE {{
        LOG "no file {i}"
    }}
    TRY {{
        RUN "grep -c import out/file_{i}.py"
        ASSERT LAST_RUN.STDOUT|trim == "1"
    }} CATCH {{
        LOG "failed: {{{{ERROR.MESSAGE}}}}"
    }}
}}
"""


def mixed() -> str:
    """A plan as people write them, only longer."""
    count = LINES // STEP.count("\n")
    return '#TISS! Language=Python\n\nTASK "long"\n' + "".join(
        STEP.format(i=i) for i in range(count)
    )


def unchecked() -> str:
    """A plan in which the linter has something to say about every line."""
    return 'TASK "long"\n' + "".join(f'RUN "make part{i}"\n' for i in range(LINES))


class Server:
    """`tiss lsp` with one file open; its methods wait for the answer."""

    def __init__(self, process: subprocess.Popen[bytes], text: str) -> None:
        self.process = process
        self.number = 0
        self.version = 1
        self.ask("initialize", {"capabilities": {}})
        self.tell("initialized", {})
        item = {"uri": URI, "languageId": "tiss", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})
        self.problems()
        self.line = text.count("\n") // 2
        while not text.split("\n")[self.line].lstrip().startswith("RUN"):
            self.line += 1

    def tell(self, method: str, params: Any, **more: int) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        content = {"jsonrpc": "2.0", "method": method, "params": params, **more}
        body = json.dumps(content).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def hear(self) -> bytes:
        """The next message."""
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()) != b"\r\n":
            if not line:
                raise RuntimeError("the server has ended")
            if line.startswith(b"Content-Length: "):
                length = int(line.split()[1])
        return self.process.stdout.read(length)

    def ask(self, method: str, params: Any) -> Any:
        """The answer to a question."""
        self.number += 1
        self.tell(method, params, id=self.number)
        while (said := json.loads(self.hear())).get("id") != self.number:
            pass
        return said["result"]

    def problems(self) -> None:
        """Wait for the problems of the latest text. They are not read: that is not the server's."""
        while b'"version": %d' % self.version not in self.hear()[:400]:
            pass

    def type(self) -> None:
        """Add a blank to a command in the middle of the file."""
        self.version += 1
        place = {"line": self.line, "character": 9}
        change = {"range": {"start": place, "end": place}, "text": " "}
        identifier = {"uri": URI, "version": self.version}
        params = {"textDocument": identifier, "contentChanges": [change]}
        self.tell("textDocument/didChange", params)

    def edit(self) -> None:
        """Type something, and wait for the problems."""
        self.type()
        self.problems()

    def question(self, method: str) -> None:
        """Ask about the place where something has just been typed."""
        self.type()
        position = {"line": self.line, "character": 5}
        self.ask(method, {"textDocument": {"uri": URI}, "position": position})


@contextmanager
def served(text: str) -> Iterator[Server]:
    """A server that has a text open."""
    command = [program("tiss"), "lsp"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Server(process, text)
        finally:
            process.kill()


def within(
    limit: float,
    make: Callable[[], str],
    work: Callable[[Server], None],
    rest: Callable[[Server], None] = lambda server: None,
) -> Samples:
    """Milliseconds of some work beside the most that it may take; `rest` comes before the next."""
    with served(make()) as server:
        samples = race(partial(work, server), partial(rest, server), REPEATS).times(1e3)
    return Samples(samples.ours, [limit] * REPEATS, samples.control)


def beside_robot() -> Samples:
    """Milliseconds from an edit to its problems, beside one parse of as many lines."""
    try:
        from robot.api import get_model
    except ModuleNotFoundError:
        raise LeftOut("robotframework is not installed (make peers)") from None
    tests = robot_tests(LINES // 3)
    with served(mixed()) as server:
        return race(server.edit, lambda: get_model(tests), repeats=REPEATS).times(1e3)


def _asking(method: str) -> Callable[[Server], None]:
    return lambda server: server.question(f"textDocument/{method}")


CLAIMS = [
    Claim(
        "lsp_edit/mixed", "a limit of 300 ms", "ms", 1.0, partial(within, 300, mixed, Server.edit)
    ),
    Claim(
        "lsp_edit/findings",
        "a limit of 300 ms",
        "ms",
        None,
        partial(within, 300, unchecked, Server.edit),
    ),
    Claim("lsp_edit/robot", "robot.api.get_model", "ms", None, beside_robot),
    *(
        Claim(
            f"lsp_{method}/mixed",
            "a limit of 100 ms",
            "ms",
            1.0,
            partial(within, 100, mixed, _asking(method), Server.problems),
        )
        for method in ("completion", "hover")
    ),
]
