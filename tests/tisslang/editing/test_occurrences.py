"""Where names are defined and used, and what renaming them does."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripts import random_script, without_positions

from tisslang.editing import Script
from tisslang.editing.occurrences import RenameRefused, definitions, references, rename
from tisslang.linting import Edit
from tisslang.syntax import check, parse

PLAN = """\
VAR who = "Ada"
READ "{{who}}.txt" AS text
WRITE "a" <<TEXT
who {{ who | trim }} \\{{who}}
TEXT
WRITE "b" <<'TEXT'
{{who}}
TEXT
LOG who|trim
LOG "who {{who}}{{text}}"
LOG '{{who}}'
STEP "{{who}}" {
    @persona "{{who}}"
    @speed who
    PROMPT_AGENT "x" INTO who
    ESTIMATE_COST INTO n { LOG 1 }
}
CALL "greet" WITH who = who, name = "{{who}}"
DEFINE_TASK "greet" WITH who, name {
    LOG "{{who}} {{name}} {{text}}"
    VAR who = name
}
CALL 'greet' WITH name = text, who = 1
"""


def place(text: str, word: str, number: int = 0) -> int:
    """The offset of the n-th time that a word stands in a text."""
    offset = -1
    for _ in range(number + 1):
        offset = text.index(word, offset + 1)
    return offset


def lines(text: str, offset: int, only_definitions: bool = False) -> list[int]:
    script = Script(text)
    found = (definitions if only_definitions else references)(script, offset)
    return [script.place(each.start)[0] for each in found]


def renamed(text: str, offset: int, new: str) -> str:
    return made(text, rename(Script(text), offset, new))


def made(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text


def test_a_variable_is_found_everywhere() -> None:
    for number, where in ((0, "VAR who"), (0, "{{who}}.txt"), (0, "who|trim"), (0, "= who,")):
        offset = place(PLAN, where, number) + where.index("who")
        assert lines(PLAN, offset) == [1, 2, 4, 9, 10, 13, 15, 18, 18]
        assert lines(PLAN, offset, True) == [1, 15]


def test_a_parameter_is_another() -> None:
    offset = place(PLAN, "VAR who", 1) + 4
    assert lines(PLAN, offset) == [18, 19, 20, 21, 23]
    assert lines(PLAN, offset, True) == [19, 21]
    assert lines(PLAN, place(PLAN, "WITH who = ") + 5) == [18, 19, 20, 21, 23]


def test_a_subtask_by_its_name_in_any_quotes() -> None:
    for number in range(3):
        assert lines(PLAN, place(PLAN, "greet", number)) == [18, 19, 23]
        assert lines(PLAN, place(PLAN, "greet", number) + 5, True) == [19]


def test_there_is_nothing_at_words_of_the_language_and_in_text() -> None:
    for where in ("VAR", "who {{ who", "\\{{who", "'{{who", "speed", "trim", "persona"):
        assert lines(PLAN, place(PLAN, where) + (where.startswith("\\") and 3)) == []


def test_renaming_a_variable() -> None:
    text = renamed(PLAN, 4, "name_of_all")
    assert text.count("name_of_all") == 9
    assert "who {{ name_of_all | trim }} \\{{who}}" in text
    assert 'CALL "greet" WITH who = name_of_all, name = "{{name_of_all}}"' in text
    assert "LOG '{{who}}'" in text
    assert check(text) == []


def test_renaming_a_subtask_keeps_its_quotes_where_they_do() -> None:
    text = renamed(PLAN, place(PLAN, "greet"), 'say "it\'s"')
    assert text.count('"say \\"it\'s\\""') == 3
    text = renamed(PLAN, place(PLAN, "greet"), "say hello")
    assert (text.count('"say hello"'), text.count("'say hello'")) == (2, 1)
    assert check(text) == []


@pytest.mark.parametrize(
    ("where", "new", "why"),
    [
        ("VAR", "x", "no name of"),
        ("who", "1x", "is no name"),
        ("who", "a-b", "is no name"),
        ("who", "é", "is no name"),
        ("who", "", "is no name"),
        ("who", "STEP", "reserved"),
        ("who", "true", "reserved"),
        ("who", "FOR", "reserved"),
        ("who", "text", "already"),
        ("text", "who", "already"),
        ("text", "name", "has a parameter name"),
        ("WITH who, name", "text", "already"),
        ("greet", " ", "not empty"),
        ("greet", "a\nb", "on one line"),
    ],
)
def test_refused(where: str, new: str, why: str) -> None:
    offset = place(PLAN, where) + (5 if where.startswith("WITH") else 0)
    if where == "text":
        offset = place(PLAN, "AS text") + 3
    with pytest.raises(RenameRefused, match=why):
        rename(Script(PLAN), offset, new)


def test_refused_where_a_parameter_reaches_another_subtask() -> None:
    text = (
        'DEFINE_TASK "outer" WITH x { CALL "inner" }\n'
        'DEFINE_TASK "inner" { LOG x\nLOG z }\nVAR x = 1\nVAR z = 1\nCALL "outer" WITH x = z\n'
    )
    script = Script(text)
    for where, new, why in (
        ("x {", "y", "may be this parameter"),
        ("x {", "z", "may be this parameter|there is a variable z"),
        ("x = 1", "y", "or the parameter"),
        ("z = 1", "x", "already|has a parameter"),
    ):
        with pytest.raises(RenameRefused, match=why):
            rename(script, place(text, where), new)
    assert rename(script, place(text, "z = 1"), "z") == []
    assert check(renamed(text, place(text, "z = 1"), "w")) == []


def test_a_name_taken_by_another_subtask() -> None:
    text = 'DEFINE_TASK "a" { LOG 1 }\nDEFINE_TASK "b" { LOG 1 }'
    with pytest.raises(RenameRefused, match="already"):
        rename(Script(text), place(text, '"a"') + 1, "b")


def test_in_a_broken_script() -> None:
    text = 'VAR x = \nLOG x x\nIF x = "{{x}}" {\nLOG x\n'
    assert renamed(text, 4, "y") == text.replace("x", "y")
    with pytest.raises(RenameRefused, match="mend line 2 first"):
        rename(Script('VAR x = 1\nLOG "{{x}}'), 4, "y")


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_any_name_of_any_script_can_be_changed_and_changed_back(seed: int) -> None:
    random = Random(seed)
    text = random_script(random)
    script = Script(text)
    if not script.names.mentions:
        return
    mention = random.choice(script.names.mentions)
    try:
        edits = rename(script, mention.start, "entirely_new")
    except RenameRefused as refused:
        assert "may be" in str(refused)  # noqa: PT017 - most are not refused
        return
    changed = made(text, edits)
    assert json_text(changed).replace("entirely_new", mention.name) == json_text(text)
    assert check(changed) == []
    again = Script(changed)
    new = next(x for x in again.names.mentions if x.name == "entirely_new")
    assert parse(made(changed, rename(again, new.start, mention.name))) == parse(text)


def json_text(text: str) -> str:
    return json.dumps(without_positions(parse(text)))
