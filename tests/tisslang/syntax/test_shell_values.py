"""Values reach the program as they are, in every shell that is here.

The shells are real: `dash`, `bash` as itself, and `bash --posix`, which is `sh` elsewhere.
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from shells import SHELLS, render

# Values that shells like to misread, and as many random ones as one has time for.

NASTY = [
    *[
        "",
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "a\n",
        "\na",
        "a b",
        " a ",
        "'",
        "''",
        "'''",
        '"',
        '""',
        "\\",
    ],
    *["\\\\", "\\'", "'\\''", "\\n", "a\\", "$", "$x", "${x}", "$(echo y)", "`echo y`", "$((1+1))"],
    *[
        "$'a'",
        '$"a"',
        "*",
        "?",
        "[a-z]*",
        "~",
        "~root",
        "{a,b}",
        "{1..3}",
        "#",
        "#c",
        " #c",
        "!",
        "!!",
    ],
    *[
        "&",
        "&&",
        ";",
        ";;",
        "|",
        "||",
        "<",
        ">",
        ">x",
        "2>x",
        "<<E",
        "(",
        ")",
        "()",
        "{",
        "}",
        "{ x; }",
    ],
    *[
        "A=1",
        "PATH=",
        "a[0]=1",
        "if",
        "then",
        "fi",
        "case",
        "esac",
        "do",
        "done",
        "while",
        "function",
    ],
    *[
        "time",
        "2",
        "0",
        "-1",
        "-n",
        "-e",
        "--",
        "--help",
        "-",
        "=",
        "==",
        ":",
        ".",
        "..",
        "/",
        "%s%n",
    ],
    *[
        "\r",
        "\r\n",
        "a\rb",
        "\x01",
        "\x02\x7f",
        "\x1b[31m",
        "\x7f",
        "é",
        "日本語",
        "😀",
        "\u2028",
        "\ufeff",
    ],
    *["\u0081\u0082", "\u0101\u0181", "\u00a0", "\ud7ff", "\udc80", "'; echo y; '", '"; echo y; "'],
    *["$(echo y >&2)", "a'b\"c`d$e\\f\ng", "x" * 5000, "'" * 300, "\n'\n\"\n`\n"],
]
ALPHABET = "'\"\\$`(){}[]<>|&;#!~*?=+-,.:%^@/ \t\n\rab1_é日\x01\x7f\u0081"


def random_values(count: int, seed: int) -> Iterator[str]:
    numbers = random.Random(seed)
    for _ in range(count):
        yield "".join(numbers.choice(ALPHABET) for _ in range(numbers.randint(1, 12)))


# A command with the function p, which prints its arguments, and what p must be given.
Expectation = Callable[[str], list[str]]
PLACES: list[tuple[str, Expectation]] = [
    ("p @@", lambda v: [v]),
    ("p '@@'", lambda v: [v]),
    ('p "@@"', lambda v: [v]),
    ("p a@@b'c@@d'\"e@@f\"@@", lambda v: [f"a{v}bc{v}de{v}f{v}"]),
    ("p @@@@ '@@@@' \"@@ @@\"", lambda v: [v + v, v + v, f"{v} {v}"]),
    ('p \\$@@ \\\\@@ "\\$@@" "\\\\@@"', lambda v: [f"${v}", f"\\{v}", f"${v}", f"\\{v}"]),
    ('p "a\\"@@\\"b" "$@@" \'\\@@\'', lambda v: [f'a"{v}"b', f"${v}", f"\\{v}"]),
    ("p a#@@ @@#b # it's \"\np '@@'", lambda v: [f"a#{v}", f"{v}#b", v]),
    ('y=@@; p "$y"; y=\'@@\'; p "$y"; y="a @@"; p "$y"', lambda v: [v, v, f"a {v}"]),
    ("p --opt=@@ x=@@ '@@'=x", lambda v: [f"--opt={v}", f"x={v}", f"{v}=x"]),
    (
        'p ~@@ *@@ {a@@,@@b} [@@] "${y}@@"',
        lambda v: [f"~{v}", f"*{v}", f"a{v}", f"{v}b", f"[{v}]", f"Y{v}"],
    ),
    ("p @@>&1; p @@ 2>/dev/null; p 2@@>&1", lambda v: [v, v, f"2{v}"]),
    ("(p @@); { p '@@'; }; if p \"@@\"; then p @@; fi", lambda v: [v] * 4),
    ("for i in @@ '@@'; do p \"$i\"; done", lambda v: [v, v]),
    ("case @@ in @@) p y;; *) p n;; esac", lambda v: ["y"]),
    ('g() { p "$1"; p "$@"; }; g @@', lambda v: [v, v]),
    ("true && p @@ || p no; ! p '@@'", lambda v: [v, v]),
    ('p "$(e @@)" "$(e \'@@\')"', lambda v: [v + ".", v + "."]),
    ('p "$(e "@@")$(e "a$(e @@)b")" @@', lambda v: [f"{v}.a{v}.b.", v]),
    ('IFS=; p $(e @@) $(e $(e \'@@\')) "$(e "@@")"', lambda v: [v + ".", v + "..", v + "."]),
    ('p "$(e @@ # it\'s )\n)" "$(e a)#@@"', lambda v: [v + ".", f"a.#{v}"]),
    ('y=$(e @@); p "$y"\nset -- @@\np "$1" "$#"', lambda v: [v + ".", v, "1"]),
]

PRELUDE = "set -f; y=Y; p() { printf '%s\\0' \"$@\"; }; e() { printf '%s.' \"$1\"; }\n"


def encode(text: str) -> bytes:
    return os.fsencode(text)


def run_values(values: list[str], shell: list[str], directory: Path) -> None:
    """Run every place with every value, in few processes, and compare what arrived."""
    has_braces = "bash" in shell[0]
    places = [place for place in PLACES if has_braces or "{a@@" not in place[0]]
    for start in range(0, len(values), 500):
        some = values[start : start + 500]
        script = PRELUDE
        for value in some:
            for command, _ in places:
                script += f"{render(command, value)}\nIFS=' '; y=Y\n"
            script += "p ---\n"
        file = directory / "values.sh"
        file.write_bytes(encode(script))
        done = subprocess.run(
            [*shell, str(file)], cwd=directory, capture_output=True, check=False, timeout=600
        )
        records = done.stdout.split(b"\0---\0")
        assert len(records) == len(some) + 1, done.stderr[-500:]
        for value, record in zip(some, records):
            expected = [text for _, arrives in places for text in arrives(value)]
            assert record.split(b"\0") == [encode(text) for text in expected], repr(value)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join(shell))
def test_values_arrive_as_they_are(shell: list[str], tmp_path: Path) -> None:
    count = 500 if len(shell) == 1 else len(NASTY)
    run_values(NASTY + list(random_values(count - len(NASTY), seed=1)), shell, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join(shell))
def test_many_values_arrive_as_they_are(shell: list[str], tmp_path: Path) -> None:
    run_values(list(random_values(20_000, seed=2)), shell, tmp_path)


def test_a_program_gets_the_value_as_one_argument(tmp_path: Path) -> None:
    show = "import sys; sys.stdout.write(ascii(sys.argv[1:]))"
    python = f"'{sys.executable}' -c '{show}'"
    for value in NASTY[:60:3]:
        command = render(f"{python} @@ '@@' \"@@\"", value)
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.stdout == ascii([value] * 3)
