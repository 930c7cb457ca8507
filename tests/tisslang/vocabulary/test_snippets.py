"""What an editor inserts is a statement, or goes on with one, once its placeholders have values."""

import re
import textwrap

import pytest

import tisslang
from tisslang.vocabulary import WORDS, Word, words

WITH_SNIPPET = [word for word in WORDS if word.snippet]
PLACEHOLDER = re.compile(r"\$\{(\d):([^}]*)\}|\$\{(\d)\|([^|]*)\|\}|\$(\d)")
# What stands before a snippet that is no statement; elsewhere nothing does.
BEFORE = {
    "AS": 'READ "x" ',
    "WITH": 'DEFINE_TASK "x" ',
    "INTO": 'PROMPT_AGENT "x" ',
    "ELSE": "IF x { } ",
    "CATCH": "TRY { } ",
    "FILE": "ASSERT ",
    "CONTAINS": "ASSERT x ",
    "LAST_RUN": "LOG ",
    "ERROR": "LOG ",
}
AFTER = {"WITH": " { }"}


def name_of(word: Word) -> str:
    return f"{word.kind} {word.name}"


def filled(snippet: str) -> str:
    """The snippet with the defaults of its placeholders, and the first of several choices."""
    values = {"0": ""}

    def value(match: re.Match[str]) -> str:
        number = match[1] or match[3]
        if number:
            values[number] = match[2] if match[1] else match[4].split(",")[0]
            return values[number]
        return values[match[5]]

    return PLACEHOLDER.sub(value, snippet)


def test_filled() -> None:
    assert filled("${1:a b} $1 <${2|c,d|}>$0 {$2}") == "a b a b <c> {c}"


def test_every_statement_and_every_directive_has_a_snippet() -> None:
    having = [*words("block"), *words("command"), *words("directive"), *words("budget")]
    assert [word.name for word in having if not word.snippet] == ["@"]


@pytest.mark.parametrize("word", WITH_SNIPPET, ids=name_of)
@pytest.mark.parametrize("indent", ["", "    ", "\t"], ids=["flush", "spaces", "tab"])
def test_a_snippet_parses_wherever_it_is_inserted(word: Word, indent: str) -> None:
    text = BEFORE.get(word.name, "") + filled(word.snippet) + AFTER.get(word.name, "")
    if word.kind == "budget":
        text = "SET_BUDGET " + text
    # An editor gives each line the indent of the line where it inserts.
    script = "LOG 1\n" + textwrap.indent(text, indent, lambda line: True)
    if word.name == "#TISS_VERSION":
        script = text
    tree = tisslang.parse(script)
    if word.kind in ("block", "command"):
        assert tree["body"][1]["type"] == word.name
    elif word.kind == "directive":
        assert tree["body"][1]["name"] == word.name[1:]


@pytest.mark.parametrize("word", WITH_SNIPPET, ids=name_of)
def test_a_snippet_is_one_that_every_editor_knows(word: Word) -> None:
    rest = PLACEHOLDER.sub("", word.snippet)
    assert "$" not in rest
    assert "\\" not in rest
    numbers = [
        int(match[1] or match[3] or match[5]) for match in PLACEHOLDER.finditer(word.snippet)
    ]
    assert sorted({*numbers} - {0}) == list(range(1, max(numbers) + 1))
    assert numbers.count(0) <= 1
    for line in word.snippet.split("\n"):  # tabs are for indents: an editor puts its own in place
        assert "\t" not in line.lstrip("\t")
        assert not line.startswith(" ")


@pytest.mark.parametrize("word", [*words("block"), *words("command")], ids=name_of)
def test_the_form_of_a_statement_parses(word: Word) -> None:
    heredoc = "\nWORD\n" if word.form.endswith("<<WORD") else "\n"
    tree = tisslang.parse(word.form.replace("…", "") + heredoc)
    assert tree["body"][-1]["type"] == word.name


@pytest.mark.parametrize("word", words("directive"), ids=name_of)
def test_the_form_of_a_directive_parses(word: Word) -> None:
    node = tisslang.parse(word.form)["body"][0]
    assert node["type"] == "DIRECTIVE"
    assert word.name in (f"@{node['name']}", "@")
