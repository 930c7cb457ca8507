"""The Pygments lexer: no character is lost, and its colours are what the language's lexer says."""

import re
import time
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
import word_lists as lists
from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_all_lexers
from pygments.token import Comment, Error, Keyword, Literal, Name, Operator, String, Text, Token
from scripts import mutated_scripts, scripts

from tisslang.highlighting import MAX_FAULTS, TissLexer
from tisslang.syntax import parse
from tisslang.syntax.lexer import Heredoc, tokenize
from tisslang.syntax.source import decode
from tisslang.syntax.text import Reference
from tisslang.syntax.tree import references, walk
from tisslang.vocabulary import WORDS

ROOT = Path(__file__).parents[2]

# Which kinds of words are what.
TYPES = {
    Keyword: lists.STATEMENTS + [n for n in lists.CLAUSES if n not in lists.CONDITIONS],
    Operator.Word: lists.CONDITIONS,
    Keyword.Constant: lists.CONSTANTS,
    Name.Builtin.Pseudo: lists.VALUES,
    Keyword.Reserved: lists.RESERVED,
}


def pieces(text: str) -> list[tuple[int, Any, str]]:
    return list(TissLexer().get_tokens_unprocessed(text))


def types(text: str) -> list[tuple[Any, str]]:
    """Type and text of every piece that is more than white space."""
    return [(kind, value) for _, kind, value in pieces(text) if value.strip()]


def whole(text: str) -> str:
    """The joined pieces; each of them begins where the one before it ended, and none is empty."""
    end = 0
    for start, _, value in (found := pieces(text)):
        assert value
        assert start == end
        end += len(value)
    return "".join(value for _, _, value in found)


# No character is lost


@given(scripts())
def test_a_script_is_the_sum_of_its_pieces(text: str) -> None:
    assert whole(text) == text


@given(mutated_scripts())
def test_a_damaged_script_is_the_sum_of_its_pieces(text: str) -> None:
    assert whole(text) == text


@given(st.text() | st.text(alphabet="<-'W\n \"\\{}|#@.LOG x1s…"))
def test_any_text_is_the_sum_of_its_pieces(text: str) -> None:
    assert whole(text) == text


@given(mutated_scripts())
def test_what_pygments_gives_to_formatters(text: str) -> None:
    lexer = TissLexer(stripnl=False, ensurenl=False)
    found = "".join(value for _, value in lexer.get_tokens(text))
    assert found == text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("opener", ["<<{}", "<<-'{}'"])
def test_every_language_of_pygments_in_a_heredoc(opener: str) -> None:
    body = "a {{ b }} {{x}}\\ 'x' \"y\n# c\n<?php\n  - x: 1\n\n\tz\n>>> 1\n$ ls\n"
    for _, aliases, _, _ in get_all_lexers(plugins=False):
        words = [alias.upper() for alias in aliases if alias.isidentifier()]
        if words:
            text = f"RUN 'a'\nWRITE 'x' {opener.format(words[0])}\n{body}{words[0]}\nLOG 1\n"
            assert whole(text) == text
            assert Error not in [kind for _, kind, _ in pieces(text)], words
            assert types(text)[-2:] == [(Keyword, "LOG"), (Literal.Number, "1")]


# The colours are right


def readable(text: str) -> str:
    """The script as Pygments gives it to its lexers and as ours reads it."""
    return decode(text)


@given(scripts())
def test_the_pieces_are_the_tokens(text: str) -> None:
    """Each token of the language is a piece, or begins and ends where pieces do."""
    text = readable(text)
    tokens, comments = tokenize(text)
    found = {start: (kind, value) for start, kind, value in pieces(text)}
    ends = {start + len(value) for start, (_, value) in found.items()}
    directive = field = filter_ = budget = False
    for token in tokens:
        if token.kind in ("NL", "EOF"):
            continue
        kind, value = found[token.start]
        if isinstance(token, Heredoc):
            assert (kind, value) == (String.Delimiter, token.text)
            assert token.end in ends
        elif token.kind == "STRING":
            assert kind in String
            assert value[0] == token.text[0]
            assert token.start + len(token.text) in ends
        else:
            assert value == token.text
            if directive:
                assert kind is Name.Decorator
            elif budget:
                assert kind is Name.Constant
            elif field or filter_:
                assert kind in Name
            elif token.kind in ("NUMBER", "DURATION"):
                assert kind is Literal.Number
            elif token.kind == "NAME":
                assert kind is Name.Variable
            elif token.text[0].isalpha():
                assert token.text in TYPES[kind]
        directive, field = token.kind == "@", token.kind == "."
        filter_, budget = token.kind == "|", token.kind == "SET_BUDGET"
    assert {token.start for token in tokens} >= {
        start for start, (kind, _) in found.items() if kind in Keyword and in_plan(start, tokens)
    }
    for comment in comments:
        kind, value = found[comment.start]
        assert value == comment.text
        assert kind in Comment


def in_plan(start: int, tokens: list[Any]) -> bool:
    """Whether a place is not in the body of a heredoc, which has keywords of its own."""
    return not any(isinstance(t, Heredoc) and t.start <= start < t.end for t in tokens)


@given(scripts())
def test_a_script_without_errors_has_none_here(text: str) -> None:
    assert Error not in [kind for _, kind, _ in pieces(readable(text))]


@given(scripts())
def test_the_interpolations_are_those_of_the_tree(text: str) -> None:
    text = readable(text)
    found = [value for _, kind, value in pieces(text) if kind is String.Interpol]
    opened = [value for value in found if value.startswith("{{")]
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
    expected = []
    for node, _ in walk(parse(text)):
        for reference in cast("list[Reference]", references(node)):
            start = line_starts[reference.line - 1] + reference.column - 1
            if text.startswith("{{", start):
                expected.append(start)
    starts = [start for start, kind, v in pieces(text) if kind is String.Interpol and v in opened]
    assert starts == sorted(expected)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{word.kind} {word.name}")
def test_the_example_of_a_word(word: Any) -> None:
    assert whole(word.example) == word.example
    assert Error not in [kind for _, kind, _ in pieces(word.example)]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_reserved_words(kind: Any) -> None:
    for word in TYPES[kind]:
        assert types(word) == [(kind, word)]
        assert types(word.swapcase()) == [(Name.Variable, word.swapcase())]


def test_names_by_their_place() -> None:
    assert types("@timeout 1.5s") == [
        (Name.Decorator, "@"),
        (Name.Decorator, "timeout"),
        (Literal.Number, "1.5s"),
    ]
    assert types("LAST_RUN.STDOUT|trim")[2:] == [
        (Name.Attribute, "STDOUT"),
        (Operator, "|"),
        (Name.Function, "trim"),
    ]
    assert types("ERROR.STDOUT|upper")[2::2] == [(Name, "STDOUT"), (Name, "upper")]
    assert types("SET_BUDGET COST = 1")[1] == (Name.Constant, "COST")
    assert types("SET_BUDGET MONEY = 1")[1] == (Name.Variable, "MONEY")


def test_comments() -> None:
    text = "#!/usr/bin/env tiss\n#TISS! A=1\n#TISS_VERSION >= 1.2\n# a\nLOG 1 # tiss: ignore T203\n"
    assert [kind for kind, _ in types(text) if kind in Comment] == [
        Comment.Hashbang,
        Comment.Preproc,
        Comment.Preproc,
        Comment.Single,
        Comment.Special,
    ]
    below = "LOG 1\n#!/bin/sh\n#TISS! A=1\n#TISS_VERSION >= 1.2\n# tiss: ignored\n"
    assert {kind for kind, _ in types(below) if kind in Comment} == {Comment.Single}


def test_the_parts_of_a_string() -> None:
    assert types(r'LOG "a\n\q {{ x | trim }}\{{y}}{{a+b}}"')[1:] == [
        (String.Double, '"a'),
        (String.Escape, r"\n"),
        (Error, r"\q"),
        (String.Interpol, "{{ "),
        (Name.Variable, "x"),
        (Operator, " | "),
        (Name.Function, "trim"),
        (String.Interpol, " }}"),
        (String.Escape, r"\{"),
        (String.Double, '{y}}{{a+b}}"'),
    ]
    assert types(r"LOG '{{x}}\n'")[1:] == [(String.Single, r"'{{x}}\n'")]


@pytest.mark.parametrize("word", ["TASK", "SETUP", "STEP", "OPTION", "DEFINE_TASK", "CALL"])
def test_descriptions_are_not_interpolated(word: str) -> None:
    assert types(f'{word} "{{{{x}}}}"')[1:] == [(String.Double, '"{{x}}"')]


def test_a_heredoc_has_the_colours_of_its_language() -> None:
    text = "WRITE 'x' <<PYTHON # c\nimport os\nx = {{n|json}} \\{{y}}\nPYTHON\n"
    assert types(text)[2:] == [
        (String.Delimiter, "<<PYTHON"),
        (Comment.Single, "# c"),
        (Keyword.Namespace, "import"),
        (Name.Namespace, "os"),
        (Name, "x"),
        (Operator, "="),
        (String.Interpol, "{{"),
        (Name.Variable, "n"),
        (Operator, "|"),
        (Name.Function, "json"),
        (String.Interpol, "}}"),
        (String.Escape, "\\{"),
        (Token.Punctuation, "{"),
        (Name, "y"),
        (Token.Punctuation, "}"),
        (Token.Punctuation, "}"),
        (String.Delimiter, "PYTHON"),
    ]


def test_an_interpolation_does_not_end_a_text_of_the_language() -> None:
    text = "WRITE 'x' <<PYTHON\ns = 'a {{n}} b'\nPYTHON\n"
    inside = [value for kind, value in types(text) if kind is String.Single]
    assert inside[-3:] == ["a ", " b", "'"]


@pytest.mark.parametrize("opener", ["<<'PYTHON'", "<<-'PYTHON'"])
def test_a_verbatim_heredoc_has_no_interpolations(opener: str) -> None:
    text = f"WRITE 'x' {opener}\nx = {{{{n}}}}\nPYTHON\n"
    assert String.Interpol not in [kind for kind, _ in types(text)]


def test_the_terminator_of_an_indented_heredoc() -> None:
    text = "STEP 'x' {\n    RUN <<-END\n        echo hi\n        END  \n}"
    assert types(text)[4:] == [
        (String.Delimiter, "<<-END"),
        (Name.Builtin, "echo"),  # RUN has a shell script, whatever the word is
        (Text, "hi"),
        (String.Delimiter, "END"),
        (Token.Punctuation, "}"),
    ]


@pytest.mark.parametrize("word", ["TEXT", "EOF", "W", "OUTPUT", "NO_SUCH_LANGUAGE"])
def test_any_other_heredoc_is_text(word: str) -> None:
    found = types(f"WRITE 'x' <<{word}\nimport {{{{x}}}}\n{word}\n")
    assert found[3] == (String.Heredoc, "import ")


def test_a_plan_in_a_plan() -> None:
    found = types("WRITE 'x' <<TISS\nSTEP 'a' { LOG {} }\nTISS\n")
    assert found[3] == (Keyword, "STEP")
    assert Error not in [kind for kind, _ in found]


def test_plans_in_plans_without_end() -> None:
    """The words of 8 letters that differ only in case: each may hold the next."""
    letters = [(c.lower(), c.upper()) for c in "tisslang"]
    words = ["".join(pair[n >> i & 1] for i, pair in enumerate(letters)) for n in range(256)]
    openers = "".join(f"WRITE 'x' <<{word}\n" for word in words)
    text = openers + "LOG 1\n" + "".join(f"{word}\n" for word in reversed(words))
    assert whole(text) == text


# What is wrong


@pytest.mark.parametrize(
    ("text", "wrong", "behind"),
    [
        ('LOG "a b\nLOG 1', '"', [(String, "a b"), (Keyword, "LOG")]),
        ("LOG ; 1", ";", [(Literal.Number, "1")]),
        ("RUN <<\nLOG 1", "<<", [(Keyword, "LOG")]),
        ("RUN <<W\nLOG 1", "<<W", [(String, "\nLOG 1")]),
        ("RUN <<W\na\n W\nLOG 1", "<<W", [(String, "\na\n W"), (Keyword, "LOG")]),
        ("RUN <<W x\na\nW\nLOG 1", "x", [(String, "\na\nW"), (Keyword, "LOG")]),
    ],
)
def test_a_fault_is_an_error_and_the_colours_go_on(
    text: str, wrong: str, behind: list[tuple[Any, str]]
) -> None:
    found = types(text)
    place = found.index((Error, wrong))
    assert found[place + 1 : place + 1 + len(behind)] == behind


def test_an_ellipsis_stands_for_what_is_left_out() -> None:
    assert Error not in [kind for kind, _ in types('STEP "x" { … }')]


def test_behind_many_faults_there_are_no_colours() -> None:
    text = ";\n" * MAX_FAULTS + "LOG 1\n"
    assert whole(text) == text
    assert types(text)[-1] == (Text, "\nLOG 1\n")


@pytest.mark.parametrize(
    "line",
    [
        'LOG "{{x}} \\n {{"\n',
        "WRITE 'x' <<W\n{{x}}\nW\n",
        "RUN <<W\n W\n",
        'LOG "\n',
        "# tiss: ignore T203\n",
        "WRITE 'x' <<PYTHON\nx = {{x}}\nPYTHON\n",
        "{{",
        "\\{",
    ],
)
def test_the_time_grows_with_the_length(line: str) -> None:
    def seconds(text: str) -> float:
        """Processor time, the best of three: other work of this process counts, too."""
        times = []
        for _ in range(3):
            start = time.process_time()
            pieces(text)
            times.append(time.process_time() - start)
        return min(times)

    def in_string(text: str) -> str:
        return text if "\n" in text else f'LOG "{text}"'

    pieces(line)  # loads the other language
    short, long = seconds(in_string(line * 500)), seconds(in_string(line * 4000))
    assert long < 40 * short + 0.2  # eight times the length; a square would be 64 times the time


# How Pygments finds it


def test_the_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, name = project["entry-points"]["pygments.lexers"]["tiss"].partition(":")
    assert getattr(import_module(module), name) is TissLexer


def test_guessing() -> None:
    guess: Callable[[str], float] = TissLexer.analyse_text
    assert guess("#TISS! Language=Python\n") == 1
    assert guess("#!/usr/bin/env -S tiss run\nLOG 1") == 1
    assert 0 < guess('LOG 1\nSTEP "a" {\n}') < 1
    assert guess("#!/bin/sh\necho TASK") == 0


def test_html() -> None:
    html = highlight('LOG "<b>"\n', TissLexer(), HtmlFormatter(nowrap=True))
    assert '<span class="k">LOG</span>' in html
    assert "&lt;b&gt;" in html
