"""What is done with an answer to an exercise of lesson 14: each function makes one trial.

It returns what is compared with what the solution's trial returns.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import tisslang
from tisslang.syntax.lexer import tokenize


class Reader:
    """The parser of the lesson, with the tokens of the house behind a CALL. See `read_call`."""

    def __init__(self, source: str) -> None:
        self.tokens = tokenize(source)[0]

    def take(self, *kinds: str) -> SimpleNamespace:
        """Read the next token, which must be of one of these kinds; its `text` is as written."""
        found = self.tokens[0]
        kind = {"NAME": "WORD", "EOF": "END"}.get(found.kind, found.kind)
        if kind not in kinds:
            raise SyntaxError(f"line {found.line}: {found.text!r} is no {' or '.join(kinds)}")
        self.tokens.pop(0)
        return SimpleNamespace(kind=kind, text=found.text)

    def skip(self, kind: str) -> bool:
        """Whether the next token was of this kind; if so, it is read."""
        try:
            return bool(self.take(kind))
        except SyntaxError:
            return False


def read_operand(reader: Reader) -> Any:
    """A string, a whole number or a variable: enough for these exercises."""
    token = reader.take("STRING", "NUMBER", "WORD")
    if token.kind == "WORD":
        return {"var": token.text}
    return token.text[1:-1] if token.kind == "STRING" else int(token.text)


def try_call(attempt: Callable[..., Any], behind: str) -> Any:
    """What is made of the text behind CALL, and the tokens that nobody has read."""
    reader = Reader(behind)
    fields = attempt(reader, read_operand)
    return {"fields": fields, "not read": [t.text for t in reader.tokens if t.text]}


def try_walk(attempt: Callable[..., Any], plan: str) -> Any:
    """The lines that run, in a plan whose conditions are `true` and `false`."""
    return attempt(tisslang.parse(plan)["body"], lambda condition: condition["left"])


def try_tool(attempt: Callable[..., Any], content: bytes | None) -> Any:
    """What the house's engine reports of a COUNT that this tool serves."""
    registry = tisslang.ToolRegistry.default()
    registry.register("COUNT", attempt)
    command = {"type": "COUNT", "path": "notes/list.txt", "variable": "words"}
    with tempfile.TemporaryDirectory() as root:
        if content is not None:
            Path(root, "notes").mkdir()
            Path(root, "notes", "list.txt").write_bytes(content)
        report = tisslang.run([command], root, tools=registry, debug=True)
    error = report["error"] and report["error"]["kind"]
    return {"variables": report["variables"], "error": error}


OUTER = {"KIND": "timeout", "MESSAGE": "of the CATCH around it"}
FAILURES = {
    "io": lambda: tisslang.TissCommandError("io", "no such file"),
    "assert": lambda: tisslang.TissAssertionError({"message": "expected true"}),
    "security": lambda: tisslang.TissSecurityError("the path leaves the project"),
    "budget": lambda: tisslang.TissBudgetError("the budget is spent"),
}


def try_try(
    attempt: Callable[..., Any], body: list[str], catch: list[str], inside: bool = False
) -> Any:
    """What runs, what comes out, and which error is current afterwards.

    A body is a list of words: a kind of error is raised, any other word is noted together with the
    error that is current. `inside` puts the TRY into a CATCH.
    """
    state = SimpleNamespace(error=OUTER if inside else None)
    ran: list[str] = []

    def run_body(words: list[str]) -> None:
        for word in words:
            if word in FAILURES:
                raise FAILURES[word]()
            kind = state.error["KIND"] if state.error else "none"
            ran.append(f"{word}, current error: {kind}")

    try:
        attempt({"type": "TRY", "body": body, "catch": catch}, state, run_body)
        raised = None
    except tisslang.TissError as error:
        raised = error.kind
    return {"ran": ran, "raised": raised, "error afterwards": state.error}


def try_quote(attempt: Callable[..., Any], value: str) -> Any:
    """What a shell makes of a value between double quotes, and the files that are there then."""
    inserted = attempt(value)
    if not isinstance(inserted, str):
        return inserted
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["/bin/sh", "-c", f"printf '[%s]' \"Dear {inserted}!\""], cwd=folder, timeout=5,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        files = sorted(os.listdir(folder))
    return {"yields": done.stdout.decode("utf-8", "replace"), "files made": files}


GUARDS: tuple[Callable[[str, str], bool], ...] = (
    lambda root, path: not path.startswith(("/", "..")),
    lambda root, path: not path.startswith("/") and ".." not in path,
    lambda root, path: os.path.realpath(os.path.join(root, path)).startswith(root),
)


def try_holes(attempt: Callable[..., Any], guard: int) -> Any:
    """Whether a guard lets its path in, and what is read there."""
    paths = attempt()
    if not isinstance(paths, list | tuple) or len(paths) != 3 or {*map(type, paths)} != {str}:
        return {"the guard": "is not asked: give a list of three paths", "read": "nothing"}
    with tempfile.TemporaryDirectory() as folder:
        top = Path(os.path.realpath(folder))
        for name in ("party/notes", "party-2023"):
            Path(top, name).mkdir(parents=True)
        Path(top, "party/old").symlink_to("../party-2023")
        Path(top, "party/list.txt").write_text("Ada\n", encoding="utf-8")
        for place in (top, top / "party-2023"):
            Path(place, "secret.txt").write_text("open sesame\n", encoding="utf-8")
        root, path = str(top / "party"), paths[guard - 1]
        if not GUARDS[guard - 1](root, path):
            return {"the guard": "refuses it", "read": "nothing"}
        try:
            found = Path(root, path).read_text(encoding="utf-8").strip()
        except OSError:
            found = "nothing"
    return {"the guard": "lets it in", "read": found}
