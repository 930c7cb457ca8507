"""Hover, outline, colours, folding, layout."""

import pytest

from tisslang.editing import Script, problems
from tisslang.editing.colours import pieces
from tisslang.editing.folding import folds
from tisslang.editing.hover import MOST_LINES, hover
from tisslang.editing.layout import edits_between, layout_edits
from tisslang.editing.symbols import Symbol, symbols
from tisslang.vocabulary import WORDS


def said(marked: str, with_problems: bool = False) -> str:
    offset = marked.index("¦")
    text = marked.replace("¦", "")
    found = hover(Script(text), offset, problems(text) if with_problems else ())
    return found.text if found else ""


@pytest.mark.parametrize(
    ("marked", "form"),
    [
        ("RU¦N 'a'", 'RUN "command"'),
        ("READ 'a' A¦S x", 'READ "path" AS name'),
        ("@ti¦meout 5s", "@timeout 30s"),
        ("¦@timeout 5s", "@timeout 30s"),
        ("LOG LAST_RUN.ST¦DOUT", "LAST_RUN.STDOUT"),
        ("LOG x|tr¦im", "{{name|trim}}"),
        ('LOG "{{ LAST_RUN.STD¦ERR }}"', "LAST_RUN.STDERR"),
        ('LOG "{{ LAST_R¦UN.STDERR }}"', "LAST_RUN.STDOUT"),
        ('LOG "{{ x | js¦on }}"', "{{name|json}}"),
        ('WRITE "a" <<T\n{{x|r¦aw}}\nT', "{{name|raw}}"),
        ("SET_BUDGET CO¦ST = 1", "SET_BUDGET COST = 2.5"),
        ("LOG CO¦ST", "COST"),
        ("ASSERT 1 =¦= 1", "a == b"),
        ("LOG tr¦ue", "true"),
        ("#TI¦SS! Language=Python", "#TISS! Language=Python"),
        ("LOG 1\nFO¦R", "FOR"),
        ("LGO 1\nWRIT¦E 'a", 'WRITE "path" <<WORD'),
    ],
)
def test_hover_of_a_word_is_what_the_vocabulary_says(marked: str, form: str) -> None:
    summaries = [word.summary for word in WORDS if word.form == form]
    assert said(marked).startswith(tuple(f"```tiss\n{form}\n```\n\n{x}" for x in summaries))


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        (
            "VAR x¦ = 1\nLOG x",
            "`x`: a variable\n\nIt gets its value on line 1. It is used on line 2.",
        ),
        ("LOG x¦", "`x`: a variable\n\nNo statement gives it a value. It is used on line 1."),
        ("VAR x¦ = 1\n", "`x`: a variable\n\nIt gets its value on line 1. Nothing uses it."),
        ("VAR x¦ = 1\n" + "LOG x\n" * 9, "on lines 2, 3, 4, 5, 6, 7, 8, 9 and 1 more."),
        ('DEFINE_TASK "a b" WITH p¦ { LOG p }', 'a parameter of the sub-task "a b"'),
        ('CALL "a¦"\nDEFINE_TASK "a" WITH p, q { LOG p }', 'DEFINE_TASK "a" WITH p, q'),
        ('CALL "a¦"\nDEFINE_TASK "a" { LOG 1 }', "defined on line 2. It is called on line 1."),
        ('CALL "a_b¦"', '"a\\_b": a sub-task that is not defined'),
        ("LOG 1 # tiss: ignore T2¦03", "**T203**: variable never read"),
        ('LOG "x¦"', ""),
        ("LOG 1¦2", ""),
        ("LOG 1\n¦\nLOG 2", ""),
        ('WRITE "a" <<T\nRU¦N\nT', ""),
    ],
)
def test_hover_of_names_and_codes(marked: str, expected: str) -> None:
    assert expected in said(marked)
    if not expected:
        assert said(marked) == ""
    assert MOST_LINES == 8


def test_hover_where_a_problem_is() -> None:
    text = said("VAR x¦ = 1\n", with_problems=True)
    assert text.startswith("`x`: a variable")
    assert "**T203**: variable never read" in text
    assert "**T001**" in said("LOG ¦", with_problems=True)


def names(found: list[Symbol]) -> str:
    return " ".join(
        f"{x.kind}:{x.name}" + (f"({names(x.children)})" if x.children else "") for x in found
    )


def test_the_outline() -> None:
    text = """TASK "all"
SETUP { MKDIR "a" }
STEP "one" {
    IF true { STEP "inner" { LOG 1 } }
    PARALLEL { STEP "p" { LOG 1 } }
}
CHOOSE { OPTION "left" { LOG 1 } }
DEFINE_TASK "sub" { LOG 1 }
"""
    assert names(symbols(Script(text))) == (
        "TASK:all(SETUP:SETUP STEP:one(STEP:inner PARALLEL:PARALLEL(STEP:p))"
        " CHOOSE:CHOOSE(OPTION:left) DEFINE_TASK:sub)"
    )
    assert names(symbols(Script('STEP "a" {\nfoo\nSTEP "b" { LOG }\n'))) == "STEP:a(STEP:b)"


def test_colours() -> None:
    text = 'VAR x = 1.5 # c\nRUN "a {{ x|trim }} {{LAST_RUN.STDOUT}}"\n@timeout 5s\n'
    text += 'DEFINE_TASK "s" WITH p { LOG p }\nWRITE "a" <<T\n{{x}}\nT\nSET_BUDGET COST = 1\n'
    script = Script(text)
    found = [(script.text[x.start : x.end], x.kind) for x in pieces(script)]
    for expected in (
        *(("VAR", "keyword"), ("x", "variable"), ("1.5", "number"), ("# c", "comment")),
        *(('"a ', "string"), ("{{", "operator"), ("trim", "function"), ("LAST_RUN", "variable")),
        *(("STDOUT", "property"), ("@", "decorator"), ("timeout", "decorator"), ("5s", "number")),
        *(("s", "function"), ("p", "parameter"), ("<<T", "macro"), ("T", "macro")),
        ("COST", "keyword"),
    ):
        assert expected in found
    assert [x.kind for x in pieces(script) if x.is_definition] == [
        "variable",
        "function",
        "parameter",
    ]


def test_folding() -> None:
    text = """# one
# two

STEP "a" {
    WRITE "x" <<T
text
T
    IF true {
        LOG 1
    } ELSE {
        LOG 2
    }
}
LOG 1 # no
# no
"""
    assert [tuple(fold) for fold in folds(Script(text))] == [
        *((1, 2, "comment"), (4, 12, "region"), (5, 7, "region")),
        *((8, 9, "region"), (10, 11, "region")),
    ]


def test_layout_edits_are_small() -> None:
    text = 'STEP "a" {\n  LOG   1\n    LOG 2\n}\n\n\n\nLOG "{{ x }}"\n'
    edits = layout_edits(Script(text))
    assert [(text[x.start : x.end], x.replacement) for x in edits] == [
        *(("", "  "), ("  ", ""), ("\n\n", ""), (" ", ""), (" ", ""))
    ]
    assert layout_edits(Script('STEP "a" {')) == []
    assert layout_edits(Script("LOG 1\n")) == []


def test_layout_keeps_line_ends_and_the_mark() -> None:
    text = "\ufeffLOG   1\r\nLOG 2 \r\n"
    (first, second) = layout_edits(Script(text))
    assert (text[first.start : first.end], first.replacement) == ("  ", "")
    assert (text[second.start : second.end], second.replacement) == (" ", "")


def test_edits_between_any_texts() -> None:
    for old, new in (("", "a"), ("a", ""), ("a\nb\nc", "a\nx\nc"), ("a\n" * 9, "b\na\n" * 5)):
        text = old
        for start, end, replacement in sorted(edits_between(old, new), reverse=True):
            text = text[:start] + replacement + text[end:]
        assert text == new


def test_a_name_does_not_end_its_block_of_code() -> None:
    name = r"a\n```\n![x](http://x.test/x.png)"
    text = said(f'DEFINE_TASK "{name}¦" {{ LOG 1 }}')
    assert text.startswith(f'```tiss\nDEFINE_TASK "{name}"\n```\n\nA sub-task')
    text = said(f'CALL "{name}¦"')
    assert "\n" not in text
    assert "![" not in text


def test_a_long_script_is_laid_out_without_comparing_each_line_with_each() -> None:
    text = "".join(f'STEP "{i}" {{\nLOG {i}\n}}\n' for i in range(1500))
    [edit] = layout_edits(Script(text))
    assert edit.replacement.count("\n") > 4000
