"""Every example is a plan without a finding, laid out as `tiss fmt` does it, and passes."""

import re
import shlex
from pathlib import Path

import pytest
import word_lists as lists

import tisslang
from tisslang import cli
from tisslang.cli.flags import engine_options
from tisslang.vocabulary import WORDS, Word, words

WITH_EXAMPLE = [word for word in WORDS if word.example]
RUN_WITH = re.compile(r"^# Run with: (.*)$", re.MULTILINE)


def name_of(word: Word) -> str:
    return f"{word.kind} {word.name}"


def test_only_the_old_spelling_has_no_example() -> None:
    assert [word.name for word in WORDS if not word.example] == ["THEN"]


@pytest.mark.parametrize("word", WITH_EXAMPLE, ids=name_of)
def test_nothing_is_found_in_it(word: Word) -> None:
    assert tisslang.lint(word.example) == []
    assert tisslang.format_source(word.example) == word.example


@pytest.mark.parametrize("word", WITH_EXAMPLE, ids=name_of)
def test_it_is_small_and_shows_the_word(word: Word) -> None:
    assert word.example.count("\n") <= 24
    if word.kind == "reserved":  # shown is what to write in its place
        assert not re.search(rf"\b{word.name}\b", word.example)
    elif word.kind == "directive" and word.name == "@":
        assert not re.search("@(" + "|".join(lists.DIRECTIVES) + r")\b", word.example)
        assert "@" in word.example
    elif word.name == "COST.TOTAL":
        assert "COST.TOTAL" in word.example
    else:
        assert word.name in word.example


@pytest.mark.parametrize("word", WITH_EXAMPLE, ids=name_of)
def test_a_run_of_it_passes(word: Word, tmp_path: Path) -> None:
    flags = RUN_WITH.search(word.example)
    arguments = ["run", "-", "--root", str(tmp_path), "--non-interactive"]
    arguments += ["--sandbox-profile", "none", *shlex.split(flags[1] if flags else "")]
    options = engine_options(cli.command_parser(arguments).parse_args(arguments))
    report = tisslang.run(word.example, **options)
    assert report["error"] is None
    assert report["status"] == "passed"


@pytest.mark.parametrize("word", [*words("block"), *words("command")], ids=name_of)
def test_a_statement_is_used_in_its_example(word: Word) -> None:
    """Not only named in a text."""
    from tisslang.syntax.tree import walk

    used = {node["type"] for node, _ in walk(tisslang.parse(word.example))}
    assert word.name in used
