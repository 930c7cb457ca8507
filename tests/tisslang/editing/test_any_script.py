"""Whatever is being written: nothing raises, and all places lie in the text."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import mutated_scripts, scripts

from tisslang.editing import Script, problems
from tisslang.editing.colours import pieces
from tisslang.editing.completion import complete_at
from tisslang.editing.folding import folds
from tisslang.editing.hover import hover
from tisslang.editing.layout import layout_edits
from tisslang.editing.mends import silencing
from tisslang.editing.occurrences import RenameRefused, references, rename
from tisslang.editing.problems import Problem
from tisslang.editing.symbols import Symbol, symbols
from tisslang.formatting import format_source
from tisslang.linting import Edit, lint
from tisslang.syntax.recovery import parse_all


@st.composite
def unfinished(draw: st.DrawFn) -> str:
    """A script, a damaged one, or the beginning of one."""
    text = draw(st.one_of(scripts(), mutated_scripts()))
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


def made(text: str, edits: list[Edit] | tuple[Edit, ...]) -> str:
    """The text with the edits, which lie in it and do not overlap."""
    parts, end = [], 0
    for edit in sorted(edits):
        assert end <= edit.start <= edit.end <= len(text)
        parts += [text[end : edit.start], edit.replacement]
        end = edit.end
    return "".join([*parts, text[end:]])


def check_problems(script: Script, found: list[Problem]) -> None:
    lines = script.text.split("\n")
    for each in found:
        assert 1 <= each.line <= each.end_line <= len(lines)
        assert 1 <= each.column <= len(lines[each.line - 1]) + 1
        assert 1 <= each.end_column <= len(lines[each.end_line - 1]) + 1
        assert (each.line, each.column) <= (each.end_line, each.end_column)
        silent = silencing(script, each)
        for fix in (*each.fixes, *([silent] if silent else [])):
            assert made(script.original, fix.edits) != script.original


def check_place(script: Script, offset: int, found: list[Problem]) -> None:
    line, _ = script.place(offset)
    width = script.line_end(line) - script.line_starts[line - 1]
    for each in complete_at(script, offset, "."):
        assert 1 <= each.start_column <= each.end_column <= width + 1
    shown = hover(script, offset, found)
    assert shown is None or 0 <= shown.start <= offset <= shown.end <= len(script.text)
    places = [script.text[each.start : each.end] for each in references(script, offset)]
    assert len({*places}) <= 1 or script.names.at(offset).kind == "task"  # type: ignore[union-attr]
    try:
        edits = rename(script, offset, "entirely_new")
    except RenameRefused:
        return
    again = Script(made(script.original, edits))
    assert len(again.names.mentions) == len(script.names.mentions)


def check_whole(script: Script) -> None:
    end = 0
    for piece in pieces(script):
        assert end <= piece.start < piece.end <= len(script.text)
        assert "\n" not in script.text[piece.start : piece.end]
        end = piece.end
    for fold in folds(script):
        assert 1 <= fold.line < fold.end_line <= len(script.line_starts)
    check_symbols(symbols(script), 0, len(script.text))
    edits = layout_edits(script)
    if script.errors:
        assert edits == []
    else:
        assert Script(made(script.original, edits)).text == format_source(script.original)


def check_symbols(found: list[Symbol], start: int, end: int) -> None:
    for each in found:
        assert start <= each.start <= each.name_start <= each.name_end <= each.end <= end
        check_symbols(each.children, each.start, each.end)


@settings(deadline=None, max_examples=60)
@given(unfinished(), st.randoms(use_true_random=False))
def test_everything_at_some_places(text: str, random: Random) -> None:
    script = Script(text)
    found = problems(text)
    check_problems(script, found)
    check_whole(script)
    for offset in random.sample(range(len(script.text) + 1), min(12, len(script.text) + 1)):
        check_place(script, offset, found)


@pytest.mark.long
@settings(deadline=None, max_examples=150)
@given(unfinished())
def test_everything_at_every_place(text: str) -> None:
    script = Script(text)
    found = problems(text)
    for offset in range(len(script.text) + 1):
        check_place(script, offset, found)


@settings(deadline=None, max_examples=100)
@given(unfinished())
def test_problems_are_those_of_the_linter_or_of_the_parser(text: str) -> None:
    _, errors = parse_all(text)
    found = [(x.code, x.line, x.column) for x in problems(text)]
    assert found == sorted(found, key=lambda each: (each[1], each[2], each[0]))
    if not errors:
        assert found == [(x.code, x.line, x.column) for x in lint(text)]
    elif errors[0].code != "T009":
        assert sorted(x.code for x in errors) == sorted(x for x, *_ in found if x < "T100")


def test_deep_and_long_scripts() -> None:
    for text in (
        'STEP "a" {\n' * 300 + "}\n" * 300,
        "LOG 1\n" * 3000,
        "; " * 3000,
        'WRITE "a" <<T\n' * 200,
        "IF x = 1 {\n" * 300,
        "{" * 3000,
        "}" * 3000,
        'LOG "' + "{{x" * 3000,
    ):
        script = Script(text)
        check_problems(script, problems(text))
        check_whole(script)
        for offset in (0, len(script.text) // 2, len(script.text)):
            check_place(script, offset, [])
