"""A node written back as one line: for any statement, close to what was written."""

import pytest

from tisslang import parse
from tisslang.conditions import operand_texts
from tisslang.summary import condition_text, summary


@pytest.mark.parametrize(
    "statement",
    [
        'WRITE "a/{{x}}.txt"',
        'READ "a" AS b',
        'VAR x = "a\\nb"',
        "VAR x ?= 5m",
        "VAR x = LAST_RUN.STDOUT|trim",
        "LOG true",
        "ASSERT x CONTAINS y",
    ],
)
def test_a_summary_is_the_statement(statement: str) -> None:
    text = statement + " <<W\nW\n" if statement.startswith("WRITE") else statement
    assert summary(parse(text)["body"][0]) == statement


def test_a_summary_is_one_short_line() -> None:
    (run,) = parse("RUN <<SH\necho {{x|raw}}\necho b\nSH\n")["body"]
    assert summary(run) == "RUN echo {{x|raw}} …"
    (log,) = parse(f'LOG "{"x" * 500}"')["body"]
    assert len(summary(log)) == 120
    assert summary(log).endswith("…")


@pytest.mark.parametrize(
    "source",
    [
        "LAST_RUN.EXIT_CODE == 0",
        'x|trim NOT CONTAINS "a {{y}}"',
        'FILE "p" NOT EXISTS',
        "x NOT IS_EMPTY",
        "done",
        "-1.5 >= 5m",
    ],
)
def test_a_condition_without_its_source_is_rebuilt(source: str) -> None:
    (node,) = parse(f"ASSERT {source}")["body"]
    assert node["source"] == source
    assert condition_text(node["condition"]) == source
    assert operand_texts(source)[0]
