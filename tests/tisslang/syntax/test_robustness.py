"""Whatever the text: our errors only, at a place inside the file, and in linear time."""

import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tisslang.errors import TissParseError
from tisslang.syntax import check, parse
from tisslang.syntax.diagnostics import render

SEEDS = [
    '#TISS! Language=Python\n#TISS_VERSION >= 1.2\n\nTASK "t"\n\nSTEP "Write it" {\n'
    '    WRITE "a.py" <<PY\nprint("{{who}} \\{{x}}")\nPY\n}\n',
    'VAR who ?= "Ada O\'Neil"  # comment\nRUN "echo {{who}} \\"{{who|json}}\\""\n'
    "ASSERT LAST_RUN.STDOUT|trim CONTAINS 'x'\nASSERT FILE \"a\" NOT EXISTS\n",
    '@persona "p" 5m true word -1.5\nSTEP "a" { STEP "b" {\n RUN <<-\'X\'\n  a `b`\n  X\n } }\n',
    "READ 'a' AS b\r\nRUN <<X\r\n{{b}} $(( {{b|raw}} ))\r\nX\r\nLOG LAST_RUN.EXIT_CODE\r\n",
]
BITS = [
    *[
        "{",
        "}",
        "{{",
        "}}",
        '"',
        "'",
        "\\",
        "#",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\0",
        "\ufeff",
        "\u2028",
    ],
    *[
        "<<X",
        "\nX\n",
        "|",
        "@",
        "$(",
        "`",
        "=",
        "“",
        "日",
        "\x1b",
        "\ud800",
        "{{x}}",
        "TASK",
        "IF ",
    ],
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 8)))
        text = text[:start] + draw(st.sampled_from(["", *BITS])) + text[end:]
    return text


def judge(source: str | bytes) -> None:
    shown = source if isinstance(source, str) else source.decode("utf-8", "replace")
    lines = shown.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    try:
        parse(source)
    except TissParseError as caught:
        code = caught.code
        assert code in {f"T{n:03}" for n in range(1, 11)}
    for finding in check(source):
        assert 1 <= finding.line <= len(lines)
        assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1
        assert (finding.end_line, finding.end_column) > (finding.line, finding.column)
        picture = render(finding, shown)
        assert picture.startswith(f"error[{finding.code}]: ")
        assert "\x1b" not in picture
        assert "\0" not in picture


@settings(max_examples=300)
@given(mutated())
@example("")
@example("\ufeff")
@example("\\")
@example("LOG \x1b")
@example('LOG "\\\x1b"')
def test_mutated_scripts(source: str) -> None:
    judge(source)


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from(BITS) | st.text(st.characters(), max_size=3), max_size=20).map("".join)
    | st.binary(max_size=40)
)
def test_random_text_and_bytes(source: str | bytes) -> None:
    judge(source)


@pytest.mark.long
@settings(max_examples=30_000)
@given(mutated())
def test_many_mutated_scripts(source: str) -> None:
    judge(source)


def seconds(source: str) -> float:
    """Processor time of a check, the best of two."""
    times = []
    for _ in range(2):
        start = time.process_time()
        check(source)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: 'STEP "s" {\n    LOG "x"\n}\n' * n,
        lambda n: "".join(f"VAR v{i} = {i}\nLOG v{i}\n" for i in range(n)),
        lambda n: "".join(f"LOG undefined{i}\n" for i in range(n)),
        lambda n: 'LOG "' + "{{" * 20 * n + '"',
        lambda n: 'LOG "' + "\\n" * 20 * n + '"',
        lambda n: "VAR x = 1\nRUN 'a'\nLOG \"" + "{{x}}" * n + '"',
        lambda n: 'WRITE "f" <<W\n' + "  W\n" * 20 * n,
        lambda n: 'WRITE "f" <<-W\n' + "  {{LAST_RUN}}\n" * 10 * n + "W",
        lambda n: 'RUN "' + "$(a[( # ' {{x}}\\\\" * 2 * n + '"',
        lambda n: "\n \t" * 20 * n,
        lambda n: 'TASK "t"\n' * n,
    ],
)
def test_time_grows_with_the_length(make: object) -> None:
    assert callable(make)
    small, large = seconds(make(500)), seconds(make(4000))
    assert large < 40 * small + 0.2  # eight times the length; a square would be 64 times the time


def test_a_good_script_loads_nothing_heavy() -> None:
    code = (
        "import sys; from tisslang.syntax import check;"
        'assert check(\'TASK "t"\\nVAR x = 1\\nRUN "echo {{x}}"\') == [];'
        "print(sorted({'typing', 'dataclasses', 'inspect', 'difflib', 'json', 'argparse',"
        " 'unicodedata', 'tisslang.syntax.hints', 'lark'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
