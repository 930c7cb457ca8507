"""The list of all words is the parser's, and each entry of it is complete."""

import re
import subprocess
import sys

import pytest
import word_lists as lists

from tisslang.costs import BUDGETS as BUDGETS_OF_THE_ENGINE
from tisslang.syntax import lexer, operands, tree
from tisslang.syntax.checks import BUDGETS
from tisslang.syntax.directives import FOR_AGENT, OBEYED
from tisslang.vocabulary import BY_NAME, KINDS, WORDS, Word, words

CODES = re.compile(r"\b[TE]\d{3}\b")


def name_of(word: Word) -> str:
    return f"{word.kind} {word.name}"


def test_the_kinds() -> None:
    kinds = "block command clause condition constant value field directive filter budget header"
    assert [*kinds.split(), "reserved"] == list(KINDS)


def test_the_reserved_words_are_those_of_the_lexer() -> None:
    assert set(lists.STATEMENTS) == set(lexer.STATEMENTS)
    assert set(lists.CLAUSES) == set(lexer.CLAUSES)
    assert set(lists.VALUES) == set(lexer.PSEUDO_VARIABLES)
    assert set(lists.RESERVED) == set(lexer.FUTURE)
    assert set(lists.ALL_RESERVED) == set(lexer.RESERVED)
    assert len(lists.ALL_RESERVED) == len(lexer.RESERVED)


def test_blocks_are_the_statements_that_hold_others() -> None:
    assert set(lists.BLOCKS) == set(tree.BLOCK_FIELDS) - {"SCRIPT"}


def test_operators() -> None:
    assert set(lists.OPERATORS) == operands.COMPARISONS | {"=", "?="}


def test_fields_filters_budgets_and_directives_are_those_of_the_checks() -> None:
    fields = {value.upper(): set(names) for value, names in tree.FIELDS.items()}
    assert {value: set(names) for value, names in lists.FIELDS.items()} == fields
    assert set(lists.FILTERS) == set(tree.FILTERS)
    assert set(lists.BUDGETS) == set(BUDGETS) == set(BUDGETS_OF_THE_ENGINE)
    assert set(lists.DIRECTIVES) == {*FOR_AGENT, *OBEYED}


def test_a_name_stands_once_in_its_kind() -> None:
    assert len({(word.kind, word.name) for word in WORDS}) == len(WORDS)
    twice = [word.name for word in WORDS if BY_NAME[word.name] is not word]
    assert twice == ["COST"]
    assert BY_NAME["COST"].kind == "value"
    assert "COST" in [word.name for word in words("budget")]


@pytest.mark.parametrize("word", WORDS, ids=name_of)
def test_a_summary_is_one_sentence_on_one_line(word: Word) -> None:
    assert word.summary.endswith(".")
    plain = re.sub(r"`[^`]*`", "", word.summary)
    assert len(re.findall(r"[.!?](?:\s|$)", plain)) == 1
    assert len(word.summary) <= 90
    assert "\n" not in word.summary + word.form + word.details


@pytest.mark.parametrize("word", WORDS, ids=name_of)
def test_the_form_has_the_word(word: Word) -> None:
    assert word.name in word.form


@pytest.mark.parametrize("word", WORDS, ids=name_of)
def test_the_markdown_is_closed_and_its_codes_exist(word: Word) -> None:
    from tisslang.rules import SEVERITIES

    for text in (word.summary, word.details):
        assert text.count("`") % 2 == 0
        assert not text or text.endswith(".")
        assert set(CODES.findall(text)) <= set(SEVERITIES)


def test_it_loads_neither_the_parser_nor_the_engine() -> None:
    code = "import sys, tisslang.vocabulary; print(*[m for m in sys.modules if 'tisslang' in m])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    others = [name for name in loaded.stdout.split() if not name.startswith("tisslang.vocabulary")]
    assert others == ["tisslang"]
