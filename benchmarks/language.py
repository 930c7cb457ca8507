"""What TissLang costs: the commands as whole processes, and long plans through each of its parts.

Where no other program does the same, the peer is the most that it may take.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.claim import Claim, LeftOut, Samples, race
from tisslang import ExecutionEngine, format_source
from tisslang.syntax import check

STEPS = 10_000
SMALL = """\
TASK "Greet"

STEP "Say it" {
    VAR who = "Ada"
    RUN "echo 'Hello, {{who}}!'"
    ASSERT LAST_RUN.EXIT_CODE == 0
    ASSERT LAST_RUN.STDOUT CONTAINS "Ada"
}
"""
JUST = "say:\n    test \"$(echo 'Hello, Ada!')\" = 'Hello, Ada!'\n"
ROBOT = """\
*** Settings ***
Library    Process

*** Test Cases ***
Say it
    ${result} =    Run Process    echo 'Hello, Ada!'    shell=True
    Should Be Equal As Integers    ${result.rc}    0
    Should Contain    ${result.stdout}    Ada
"""


def steps(count: int) -> str:
    """A plan of so many steps, three lines each."""
    lines = "".join(f'STEP "s{i}" {{\n    LOG "line {i}"\n}}\n' for i in range(count))
    return f'TASK "long"\n{lines}'


def robot_tests(count: int) -> str:
    """The same for Robot Framework."""
    lines = "".join(f"s{i}\n    Log    line {i}\n\n" for i in range(count))
    return f"*** Test Cases ***\n{lines}"


def program(name: str) -> str:
    """A program beside this Python, or on the path; `LeftOut` without it."""
    found = shutil.which(
        name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        raise LeftOut(f"{name} is not installed (make peers)")
    return found


def whole(command: list[str], directory: str) -> Callable[[], object]:
    """Run a program to its end, which must be a good one."""
    return partial(subprocess.run, command, cwd=directory, capture_output=True, check=True)


def processes(
    ours: list[str], peer: list[str], files: dict[str, str], repeats: int = 21
) -> Samples:
    """Milliseconds from start to exit, in a directory with these files."""
    with tempfile.TemporaryDirectory() as directory:
        for name, text in files.items():
            Path(directory, name).write_text(text, encoding="utf-8")
        return race(whole(ours, directory), whole(peer, directory), repeats).times(1e3)


def beside_python(*arguments: str) -> Samples:
    """A command of `tiss` beside a Python that does nothing."""
    command = [program("tiss"), *arguments]
    return processes(command, [sys.executable, "-c", "pass"], {"small.tiss": SMALL})


def beside(peer: list[str], name: str, text: str) -> Samples:
    """`tiss run` of a small plan beside another program that does the same."""
    ours = [program("tiss"), "run", "small.tiss"]
    theirs = [program(peer[0]), *peer[1:]]
    return processes(ours, theirs, {"small.tiss": SMALL, name: text}, repeats=11)


def within(limit: float, work: Callable[[], object], repeats: int = 5) -> Samples:
    """Seconds of some work beside the most that it may take."""
    samples = race(work, lambda: None, repeats)
    return Samples(samples.ours, [limit] * repeats, samples.control)


def parse_and_check() -> Samples:
    """Seconds for a long plan, beside Robot Framework's parser on as many tests."""
    try:
        from robot.api import get_model
    except ModuleNotFoundError:
        raise LeftOut("robotframework is not installed (make peers)") from None
    ours, theirs = steps(STEPS), robot_tests(STEPS)
    return race(lambda: check(ours), lambda: get_model(theirs), repeats=5)


def run_steps() -> Samples:
    """Seconds for a long plan whose steps do one LOG each."""
    source = steps(STEPS)

    def work() -> None:
        with tempfile.TemporaryDirectory() as root:
            report = ExecutionEngine(root=root).run(source)
        if report["exit_code"]:
            raise ValueError(f"the plan did not pass: {report['error']}")

    return within(4.0, work, 3)


def growth(make: Callable[[int], str], small: int, repeats: int = 7) -> Samples:
    """Milliseconds a thousandth of a plan eight times as long, beside that of the short one."""
    short, long = make(small), make(8 * small)
    samples = race(lambda: check(long), lambda: check(short), repeats)
    per_part = [seconds / 8 for seconds in samples.ours]
    return Samples(per_part, samples.peer, samples.control).times(1e3)


def nested(count: int) -> str:
    """Groups of 256 steps in each other."""
    group = "".join(f'STEP "s{i}" {{ ' for i in range(256)) + 'LOG "x" ' + "} " * 256
    return f"{group.rstrip()}\n" * count


GROWTH = {
    "steps": (steps, 1000),
    "string": (lambda n: f'LOG "{"word {{x}} " * n}"\n', 10_000),
    "nested": (nested, 4),
    "variables": (lambda n: "".join(f"VAR v{i} = {i}\nLOG v{i}\n" for i in range(n)), 1250),
}

CLAIMS = [
    Claim(
        "tiss_check", "python -c pass", "ms", 0.333, partial(beside_python, "check", "small.tiss")
    ),
    Claim("tiss_help", "python -c pass", "ms", 0.333, partial(beside_python, "--help")),
    Claim("tiss_run/just", "just", "ms", None, partial(beside, ["just", "say"], "justfile", JUST)),
    Claim(
        "tiss_run/robot",
        "robot",
        "ms",
        None,
        partial(beside, ["robot", "--output", "NONE", "say.robot"], "say.robot", ROBOT),
    ),
    Claim("parse_check/10000", "robot.api.get_model", "s", 1.3, parse_and_check),
    Claim(
        "format/10000",
        "a limit of 1.5 s",
        "s",
        1.0,
        lambda: within(1.5, partial(format_source, steps(STEPS))),
    ),
    Claim("run_steps/10000", "a limit of 4 s", "s", 1.0, run_steps),
    *(
        Claim(f"growth/{name}", "an eighth of it, per part", "ms", None, partial(growth, *how))
        for name, how in GROWTH.items()
    ),
]
