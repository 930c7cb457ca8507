"""What the formatter keeps of every script, and how its work grows."""

import sys
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from script_style import format_and_judge
from scripts import mutate, mutated_scripts, random_script, scripts

from tisslang.errors import TissParseError
from tisslang.formatting import format_source
from tisslang.syntax import check, parse
from tisslang.syntax.lexer import Heredoc, tokenize
from tisslang.syntax.source import decode
from tisslang.syntax.tree import walk


@pytest.mark.parametrize(
    "line",
    [
        'LOG "' + "a" * 4_000_000 + '"\n',
        'LOG "' + "{{ " * 1_300_000 + '"\n',
        'LOG "' + "{" * 4_000_000 + '"\n',
        "RUN <<W\n" + "{{ x }}\n" * 100_000 + "W\n",
    ],
    ids=["a long string", "many braces", "one row of braces", "a long heredoc"],
)
def test_long_texts(line: str) -> None:
    assert format_source(line.replace("\n", " \n", 1)) == line


@pytest.mark.parametrize(
    "piece",
    [
        'STEP "s" {\n    LOG "{{ x }}"\n}\n',
        "# c\n\n",
        "LOG 1 # c\n",
        "RUN <<W\n\nW\n",
        'LOG "a" IS_EMPTY\n'.replace("LOG", "ASSERT"),
        "IF x { } # c\n# d\nELSE { }\n",
    ],
)
def test_work_grows_with_the_length(piece: str) -> None:
    small, large = (calls(piece * n) for n in (100, 800))
    assert large < 9 * small


def calls(source: str) -> int:
    """The number of calls that formatting takes, of C functions too."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        format_source(source)
    finally:
        sys.setprofile(None)
    return count


@settings(max_examples=100)
@given(scripts())
def test_scripts(source: str) -> None:
    format_and_judge(source)


def judge_mutated(source: str) -> None:
    error = syntax_error(source)
    if error is None:
        format_and_judge(source)
        return
    with pytest.raises(TissParseError) as caught:
        format_source(source)
    assert str(caught.value) == str(error)


def syntax_error(source: str) -> TissParseError | None:
    try:
        parse(source)
    except TissParseError as error:
        return error
    return None


@settings(max_examples=100)
@given(mutated_scripts())
def test_mutated_scripts(source: str) -> None:
    judge_mutated(source)


@pytest.mark.parametrize("first", range(0, 1000, 250))
def test_seeds(first: int) -> None:
    judge_seeds(range(first, first + 250))


@pytest.mark.long
def test_many_seeds() -> None:
    judge_seeds(range(1000, 11_000))


def judge_seeds(seeds: range) -> None:
    for seed in seeds:
        random = Random(seed)
        source = random_script(random)
        format_and_judge(source)
        judge_mutated(mutate(source, random))


def test_the_generator_knows_the_whole_language() -> None:
    found: Counter[str] = Counter()
    for seed in range(300):
        source = random_script(Random(seed))
        assert source == random_script(Random(seed))
        assert check(source) == []
        found.update(node["type"] for node, _ in walk(parse(source)))
        tokens, comments = tokenize(decode(source))
        found.update(token.kind for token in tokens)
        found.update(token.text[:3] for token in tokens if isinstance(token, Heredoc))
        found["comments"] += len(comments)
        found["CRLF"] += "\r\n" in source
    wanted = (
        "TASK SETUP STEP READ WRITE RUN ASSERT VAR LOG MKDIR DELETE DIRECTIVE IF TRY DEFINE_TASK"
    )
    wanted += (
        " CALL PARALLEL CHOOSE OPTION ESTIMATE_COST SET_BUDGET PROMPT_AGENT PAUSE REQUEST_REVIEW"
    )
    wanted += (
        " THEN ELSE CATCH INTO NOT CONTAINS IS_EMPTY FILE EXISTS LAST_RUN COST ERROR BOOL NUMBER"
    )
    wanted += " DURATION ?= = == != < <= > >= | . , @ <<' <<- <<W comments CRLF"
    assert set(wanted.split()) <= {name for name, count in found.items() if count > 2}
