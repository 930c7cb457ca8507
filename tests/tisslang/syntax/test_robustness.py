"""Whatever the text: our errors only, at a place inside the file, and nothing heavy is loaded."""

import subprocess
import sys

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
    "TRY { IF x == COST.TOTAL THEN { LOG 1 } ELSE IF y { } ELSE { DELETE 'a' }\n} CATCH {\n"
    "LOG ERROR.KIND }\nCHOOSE { OPTION 'a' { ESTIMATE_COST INTO z { PROMPT_AGENT 'p' INTO q } } }",
    "DEFINE_TASK 'd' WITH a, b { LOG \"{{a}}\" }\nCALL 'd' WITH a = 1, b = 'x'\n"
    "PARALLEL { STEP 'a' { @retry 2\nVAR x = 1 }\nSTEP 'b' { VAR x = 2 } }\nSETUP { }\n"
    "@env 'A=1'\nSET_BUDGET EXECUTION_TIME = 5m\nPROMPT_AGENT INTO y <<W\n{{x}}\nW\nPAUSE 'p'",
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
        "} ELSE {",
        " CATCH ",
        "OPTION ",
        "PARALLEL {",
        " WITH ",
        ",",
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


GOOD = """
TASK "t"
VAR x = 1
RUN "echo {{x}}"
DEFINE_TASK "d" WITH a { LOG a }
CALL "d" WITH a = x
@timeout 5s
IF x == 1 { LOG 1 } ELSE { TRY { LOG 2 } CATCH { LOG ERROR.KIND } }
PARALLEL { STEP "a" { VAR y = 1 } }
CHOOSE { OPTION "o" { ESTIMATE_COST INTO z { PROMPT_AGENT "p" } } }
SET_BUDGET EXECUTION_TIME = 5m
"""


def test_a_good_script_loads_nothing_heavy() -> None:
    code = (
        "import sys; from tisslang.syntax import check;"
        f"assert check({GOOD!r}) == [];"
        "print(sorted({'typing', 'dataclasses', 'inspect', 'difflib', 'json', 'argparse',"
        " 'unicodedata', 'lark', 'tisslang.syntax.hints', 'tisslang.syntax.shape'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
