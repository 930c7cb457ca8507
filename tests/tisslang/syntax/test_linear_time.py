"""The time of a check grows with the length of a script, whatever is long in it."""

import time
from collections.abc import Callable

import pytest

from tisslang.syntax import check, parse
from tisslang.syntax.recovery import parse_all
from tisslang.syntax.shape import require_shape

Make = Callable[[int], str]


def seconds(work: Callable[[], object]) -> float:
    """Processor time, the best of two."""
    times = []
    for _ in range(2):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def repeat(text: str) -> Make:
    """A text that many times; `{i}` is the number of the time."""
    return lambda n: "".join(text.replace("{i}", str(i)) for i in range(n))


def in_block(head: str, text: str, end: str = "}") -> Make:
    return lambda n: head + repeat(text)(n) + end


TEXT: dict[str, Make] = {
    "steps": repeat('STEP "s" {\n    LOG "x"\n}\n'),
    "variables": repeat("VAR v{i} = {i}\nLOG v{i}\n"),
    "undefined names": repeat("LOG undefined{i}\n"),
    "undefined results": repeat("LOG LAST_RUN.STDOUT\n"),
    "braces": lambda n: 'LOG "' + "{{" * 20 * n + '"',
    "escapes": lambda n: 'LOG "' + "\\n" * 20 * n + '"',
    "references": lambda n: "VAR x = 1\nRUN 'a'\nLOG \"" + "{{x}}" * n + '"',
    "almost terminators": lambda n: 'WRITE "f" <<W\n' + "  W\n" * 20 * n,
    "indents": lambda n: 'WRITE "f" <<-W\n' + "  {{LAST_RUN}}\n" * 10 * n + "W",
    "shell contexts": lambda n: 'RUN "' + "$(a[( # ' {{x}}\\\\" * 2 * n + '"',
    "a long shell script": lambda n: (
        "VAR x = 1\nRUN <<W\n" + "a {{x}} \"{{x}}\" '{{x}}' $(b {{x}})\n" * n + "W"
    ),
    "blanks": lambda n: "\n \t" * 20 * n,
    "tasks": lambda n: 'TASK "t"\n' * n,
}
BRANCHES: dict[str, Make] = {
    "variables and IFs": lambda n: (
        repeat("VAR v{i} = {i}\n")(n) + "IF true { LOG v0 } ELSE { LOG v1 }\n" * n
    ),
    "a variable in each IF": repeat("IF true { VAR v{i} = 1 } ELSE { VAR w{i} = 2 }\nLOG v{i}\n"),
    "ELSE IF": lambda n: ("IF true { }" + " ELSE IF true { LOG 1 }" * 250 + "\n") * (n // 250),
    "TRY": repeat("TRY { VAR v{i} = {i} } CATCH { LOG v{i} }\n"),
    "ERROR": repeat("TRY { } CATCH { LOG ERROR.KIND }\n"),
    "256 levels": lambda n: "IF true { " * 255 + repeat("VAR v{i} = 1\n")(n) + " }" * 255,
    "options": in_block("CHOOSE {\n", 'OPTION "{i}" { VAR v{i} = 1 }\n'),
    "branches": in_block("PARALLEL {\n", 'STEP "s" { VAR v{i} = 1 }\n'),
    "branches with one name": in_block("PARALLEL {\n", 'STEP "s" { VAR x = 1 }\n'),
    "PARALLEL": repeat('PARALLEL { STEP "a" { VAR v{i} = 1 }\nSTEP "b" { VAR w{i} = 1 } }\n'),
}
SUBTASKS: dict[str, Make] = {
    "calls": lambda n: 'DEFINE_TASK "a" WITH x {\nVAR y = x\n}\n' + 'CALL "a" WITH x = 1\n' * n,
    "definitions": repeat('DEFINE_TASK "t{i}" WITH x{i} {\nVAR v{i} = x{i}\n}\n'),
    "calls of all": repeat('DEFINE_TASK "t{i}" { VAR v{i} = 1 }\nCALL "t{i}"\n'),
    "unknown": repeat('CALL "x{i}"\nDEFINE_TASK "t{i}" { }\n'),
    "variables of a call in each IF": lambda n: (
        'DEFINE_TASK "t" {\n' + repeat("VAR v{i} = 1\n")(n) + "}\n" + 'IF true { CALL "t" }\n' * n
    ),
    "parameters": lambda n: (
        'DEFINE_TASK "t" WITH '
        + ", ".join(f"p{i}" for i in range(n))
        + ' { }\nCALL "t" WITH '
        + ", ".join(f"p{i} = 1" for i in range(n))
    ),
    "wrong calls": lambda n: (
        'DEFINE_TASK "t" WITH ' + ", ".join(f"p{i}" for i in range(n)) + " { }\n" + 'CALL "t"\n' * n
    ),
}


def chain(n: int) -> str:
    """Each sub-task calls the next."""
    links = (f'DEFINE_TASK "t{i}" {{\nVAR v{i} = 1\nCALL "t{i + 1}"\n}}\n' for i in range(n))
    return "".join(links) + f'DEFINE_TASK "t{n}" {{ }}\nCALL "t0"\nLOG v0'


def ring(n: int) -> str:
    """The last sub-task calls the first."""
    return chain(n).replace(f'"t{n}" {{ }}', f'"t{n}" {{ CALL "t0" }}')


SUBTASKS |= {"a chain": chain, "a ring": ring}


def grows_with_the_length(work: Callable[[str], object], make: Make) -> None:
    short, long = make(500), make(4000)
    small, large = seconds(lambda: work(short)), seconds(lambda: work(long))
    assert large < 40 * small + 0.2  # eight times the length; a square would be 64 times the time


@pytest.mark.parametrize("make", TEXT.values(), ids=TEXT)
def test_text(make: Make) -> None:
    grows_with_the_length(check, make)


@pytest.mark.parametrize("make", BRANCHES.values(), ids=BRANCHES)
def test_branches(make: Make) -> None:
    grows_with_the_length(check, make)


@pytest.mark.parametrize("make", SUBTASKS.values(), ids=SUBTASKS)
def test_subtasks(make: Make) -> None:
    grows_with_the_length(check, make)


@pytest.mark.parametrize(
    "line",
    [
        "foo\n",
        "LOG ;\n",
        'LOG "\n',
        "}\n",
        "RUN <<W\n W\n",
        "STEP {\n",
        "TRY { LOG 1 }\n",
        "LOG 1\n",
    ],
)
def test_recovery(line: str) -> None:
    grows_with_the_length(parse_all, lambda n: line * n)


def test_shape() -> None:
    grows_with_the_length(lambda text: require_shape(parse(text)), TEXT["steps"])
