"""The formatter: each clause of its rules, before and after; what it refuses; its limits."""

import inspect
import sys

import pytest
from script_style import format_and_judge

from tisslang.errors import TissParseError
from tisslang.formatting import format_source
from tisslang.syntax.source import MAX_BYTES

CASES = {
    # 1. Line ends, byte order mark, the ends of lines and of the file
    "the empty script": ("", ""),
    "nothing but blanks": (" \n\t\n\r\n", ""),
    "a byte order mark alone": ("\ufeff", ""),
    "a byte order mark": ("\ufeffLOG 1\n", "LOG 1\n"),
    "CRLF": ("LOG 1\r\n\r\nLOG 2\r\n", "LOG 1\n\nLOG 2\n"),
    "CRLF in a heredoc": ("RUN <<W\r\na\r\n\r\nW\r\n", "RUN <<W\na\n\nW\n"),
    "no newline at the end": ("LOG 1", "LOG 1\n"),
    "no newline behind a terminator": ("RUN <<W\nW", "RUN <<W\nW\n"),
    "no newline behind a comment": ("# c", "# c\n"),
    "newlines at the end": ("LOG 1\n\n \n", "LOG 1\n"),
    "newlines at the start": ("\n \nLOG 1\n", "LOG 1\n"),
    "blanks at the ends of lines": ("LOG 1 \t\n# c \t\nLOG 2 # d \n", "LOG 1\n# c\nLOG 2  # d\n"),
    "other white space is a comment's text": (
        "LOG 1 #\u00a0\u2028\x0c \n",
        "LOG 1  #\u00a0\u2028\x0c\n",
    ),
    "blanks behind openers and terminators": ("RUN <<W \n W\nW\t\n", "RUN <<W\n W\nW\n"),
    # 2. Indents, one statement a line, spaces, braces
    "spaces between tokens": (
        "  VAR\tx   ?=  -1\nREAD'a'AS   y\nASSERT x<-5\nASSERT\tx   NOT CONTAINS'a'\n",
        "VAR x ?= -1\nREAD 'a' AS y\nASSERT x < -5\nASSERT x NOT CONTAINS 'a'\n",
    ),
    "no spaces around . and |": (
        "RUN 'a'\nLOG LAST_RUN . STDOUT  |  trim\nLOG COST .TOTAL\n",
        "RUN 'a'\nLOG LAST_RUN.STDOUT|trim\nLOG COST.TOTAL\n",
    ),
    "no space after @": ("@ speed  1.50   5m true word 'x'\n", "@speed 1.50 5m true word 'x'\n"),
    "no space before a comma": (
        'DEFINE_TASK "d" WITH a ,b{}\nCALL "d" WITH a=1,b = x | trim\n',
        'DEFINE_TASK "d" WITH a, b { }\n\nCALL "d" WITH a = 1, b = x|trim\n',
    ),
    "the other statements": (
        "MKDIR'a'\nDELETE  'a'\nPAUSE  'b'\nREQUEST_REVIEW\t'c'\nSET_BUDGET COST=5\n"
        "PROMPT_AGENT\"p\"INTO   v\nPROMPT_AGENT   INTO v<<-'W'\nW\n",
        "MKDIR 'a'\nDELETE 'a'\nPAUSE 'b'\nREQUEST_REVIEW 'c'\nSET_BUDGET COST = 5\n"
        "PROMPT_AGENT \"p\" INTO v\nPROMPT_AGENT INTO v <<-'W'\nW\n",
    ),
    "a block on one line": ('STEP "x"{RUN "a"}', 'STEP "x" {\n    RUN "a"\n}\n'),
    "blocks on one line": (
        'TASK "t" { STEP "x" { IF true { LOG 1 } } }',
        'TASK "t" {\n    STEP "x" {\n        IF true {\n            LOG 1\n        }\n    }\n}\n',
    ),
    "first and last statement beside the braces": (
        "IF x { LOG 1\n  LOG 2 }\n",
        "IF x {\n    LOG 1\n    LOG 2\n}\n",
    ),
    "empty blocks": (
        'STEP "x" {\n\n}\nIF x {}\nELSE{\n} # c\n',
        'STEP "x" { }\n\nIF x { } ELSE { }  # c\n',
    ),
    "TRY and CATCH": (
        "TRY\t{}\n\nCATCH{ }\nTRY { LOG 1 } CATCH { LOG 2 }\n",
        "TRY { } CATCH { }\nTRY {\n    LOG 1\n} CATCH {\n    LOG 2\n}\n",
    ),
    "ELSE IF": (
        "IF a { LOG 1 }\nELSE   IF b\t{ }\n\n\nELSE IF FILE'f'NOT EXISTS { LOG 3 }\nELSE { LOG 4 }",
        "IF a {\n    LOG 1\n} ELSE IF b { } ELSE IF FILE 'f' NOT EXISTS {\n    LOG 3\n} ELSE {\n"
        "    LOG 4\n}\n",
    ),
    "CHOOSE, ESTIMATE_COST and PARALLEL": (
        'CHOOSE { OPTION "a" { ESTIMATE_COST { } }\n'
        'OPTION "b" { ESTIMATE_COST INTO v { LOG 1 } } }\nPARALLEL { STEP "x" { } }',
        'CHOOSE {\n    OPTION "a" {\n        ESTIMATE_COST { }\n    }\n    OPTION "b" {\n'
        "        ESTIMATE_COST INTO v {\n            LOG 1\n        }\n    }\n}\n"
        'PARALLEL {\n    STEP "x" { }\n}\n',
    ),
    # 3. The header zone
    "header": (
        '# note\n#TISS_VERSION >= 1.2\n#TISS! B=2\n#TISS_VERSION < 3.0\n#TISS!A=1\nTASK "t"\n',
        '#TISS! B=2\n#TISS!A=1\n#TISS_VERSION >= 1.2\n#TISS_VERSION < 3.0\n# note\n\nTASK "t"\n',
    ),
    "header with a line for the shell": (
        "#!/usr/bin/env tiss\n# note\n  #TISS! A=1\nLOG 1\n",
        "#!/usr/bin/env tiss\n#TISS! A=1\n# note\n\nLOG 1\n",
    ),
    "a line for the shell alone": ("#!tiss\nLOG 1\n", "#!tiss\n\nLOG 1\n"),
    "a line for the shell comes up to line 1": ("\n\n #!tiss\nLOG 1\n", "#!tiss\n\nLOG 1\n"),
    "`#!` on another line": ("# a\n#!b\n#TISS! A=1\n\nLOG 1\n", "#TISS! A=1\n# a\n#!b\n\nLOG 1\n"),
    "one blank line behind the header": ("#TISS! A=1\n\n\n\nLOG 1\n", "#TISS! A=1\n\nLOG 1\n"),
    "none in it": (
        "#!tiss\n\n#TISS_VERSION >= 1.2\n\n# note\n\n#TISS! A=1\n\nLOG 1\n",
        "#!tiss\n#TISS! A=1\n#TISS_VERSION >= 1.2\n# note\n\nLOG 1\n",
    ),
    "but between two of the other comments": (
        "# a\n\n\n# b\n#TISS! A=1\n# c\n\nLOG 1\n",
        "#TISS! A=1\n# a\n\n# b\n# c\n\nLOG 1\n",
    ),
    "header without statements": ("# a\n#TISS! A=1\n\n# b\n\n", "#TISS! A=1\n# a\n\n# b\n"),
    "what only looks like a version": (
        "# note\n#TISS_VERSIONS\n#TISS! A=1\n\nLOG 1\n",
        "#TISS! A=1\n# note\n#TISS_VERSIONS\n\nLOG 1\n",
    ),
    "what belongs to the first statement": (
        "#TISS! A=1\n# note\n\n# about\n# the step\nSTEP 'x' { }\n",
        "#TISS! A=1\n# note\n\n# about\n# the step\nSTEP 'x' { }\n",
    ),
    "also right behind the header": (
        "#TISS! A=1\n# tiss: ignore T302\nRUN 'rm -rf /'\n",
        "#TISS! A=1\n\n# tiss: ignore T302\nRUN 'rm -rf /'\n",
    ),
    "and without a header": ("# about\nLOG 1\n", "# about\nLOG 1\n"),
    "a pragma is no comment on a statement": (
        "# a\n#TISS! A=1\nLOG 1",
        "#TISS! A=1\n# a\n\nLOG 1\n",
    ),
    "outside the zone": (
        "LOG 1\n#TISS! A=1\n#TISS_VERSION >= 9.9\nLOG 2\n# a\n#TISS! A=1\n",
        "LOG 1\n#TISS! A=1\n#TISS_VERSION >= 9.9\nLOG 2\n# a\n#TISS! A=1\n",
    ),
    # 4. Blank lines
    "a blank line around steps": (
        'LOG 1\nSETUP { }\nSTEP "a" { }\nSTEP "b" { }\nLOG 2\n',
        'LOG 1\n\nSETUP { }\n\nSTEP "a" { }\n\nSTEP "b" { }\n\nLOG 2\n',
    ),
    "around tasks": (
        '@speed 1\nTASK "t"\nDEFINE_TASK "d" { }\nLOG 1\n',
        '@speed 1\n\nTASK "t"\n\nDEFINE_TASK "d" { }\n\nLOG 1\n',
    ),
    "at every level, but not at the edges": (
        'IF x {\n\nSTEP "a" { }\nLOG 1\nSTEP "b" { STEP "c" { } }\n\n}\nLOG 2\n',
        'IF x {\n    STEP "a" { }\n\n    LOG 1\n\n    STEP "b" {\n        STEP "c" { }\n    }\n}\n'
        "LOG 2\n",
    ),
    "elsewhere at most one is kept": (
        "LOG 1\n\n\n\nLOG 2\nLOG 3\n\nIF x { }\nTRY { } CATCH { }\n",
        "LOG 1\n\nLOG 2\nLOG 3\n\nIF x { }\nTRY { } CATCH { }\n",
    ),
    "around heredocs too": (
        "RUN <<W\n\n\nW\n\n\nRUN <<W\nW\nLOG 1\n",
        "RUN <<W\n\n\nW\n\nRUN <<W\nW\nLOG 1\n",
    ),
    "none at the edges": (
        "IF x {\n\n    LOG 1\n\n}\n\nELSE {\n\n    # c\n\n}\n",
        "IF x {\n    LOG 1\n} ELSE {\n    # c\n}\n",
    ),
    "comments attached to a step": (
        'LOG 1\n# a\n# b\nSTEP "x" { }\n# c\nLOG 2\n',
        'LOG 1\n\n# a\n# b\nSTEP "x" { }\n\n# c\nLOG 2\n',
    ),
    "comments not attached to it": (
        'LOG 1\n# a\n\n\n# b\n\nSTEP "x" { }\n# c\n\nLOG 2\n',
        'LOG 1\n# a\n\n# b\n\nSTEP "x" { }\n\n# c\n\nLOG 2\n',
    ),
    "some attached, some not": (
        'LOG 1\n# a\n\n# b\nSTEP "x" { }\n',
        'LOG 1\n# a\n\n# b\nSTEP "x" { }\n',
    ),
    "comments around other statements": (
        "LOG 1\n# a\nLOG 2\n\n# b\nLOG 3\n\n\n# c\n\n\nLOG 4\n",
        "LOG 1\n# a\nLOG 2\n\n# b\nLOG 3\n\n# c\n\nLOG 4\n",
    ),
    # 5. Comments
    "comments take the indent of their block": (
        "IF x {\n# a\nLOG 1\n            # b\n}\n    # c\n",
        "IF x {\n    # a\n    LOG 1\n    # b\n}\n# c\n",
    ),
    "in an empty block": ("IF x {\n# a\n}\n", "IF x {\n    # a\n}\n"),
    "behind a step at the end of a block": (
        'IF x {\nSTEP "a" { }\n# b\n}\n',
        'IF x {\n    STEP "a" { }\n\n    # b\n}\n',
    ),
    "at the end of the file": ('STEP "a" { }\n# b\n\n# c', 'STEP "a" { }\n\n# b\n\n# c\n'),
    "trailing comments": (
        "LOG 1# a\nIF x {# b\nLOG 2    #c\n} # d\nIF x { } # e\nIF x { LOG 3 } # f\n",
        "LOG 1  # a\nIF x {  # b\n    LOG 2  #c\n}  # d\nIF x { }  # e\n"
        "IF x {\n    LOG 3\n}  # f\n",
    ),
    "alone in a block, behind its brace": ("IF x { # a\n}\n", "IF x {  # a\n}\n"),
    "between the closing braces": (
        "IF x { IF y { LOG 1 # a\n} # b\n} # c",
        "IF x {\n    IF y {\n        LOG 1  # a\n    }  # b\n}  # c\n",
    ),
    "behind the opener of a heredoc": ("RUN <<W# a\n# b\nW\n# c\n", "RUN <<W  # a\n# b\nW\n# c\n"),
    "their text is untouched": ('LOG 1 #  a{{ b }} "  #c\td\n', 'LOG 1  #  a{{ b }} "  #c\td\n'),
    "on lines of their own before ELSE": (
        "IF x {\nLOG 1\n}\n# a\n\n# b\nELSE {\nLOG 2\n}\n",
        "IF x {\n    LOG 1\n} ELSE {\n    # a\n\n    # b\n    LOG 2\n}\n",
    ),
    "before an empty ELSE": ("IF x { }\n# a\nELSE { }\n", "IF x { } ELSE {\n    # a\n}\n"),
    "behind the } before ELSE": (
        "IF x { LOG 1 } # a\nELSE { LOG 2 }\n",
        "IF x {\n    LOG 1\n} ELSE {  # a\n    LOG 2\n}\n",
    ),
    "all of these before CATCH": (
        'TRY { } # a\n# b\n\nCATCH { # c\n# d\n\nSTEP "x" { } }\n',
        'TRY { } CATCH {  # a\n    # b\n    # c\n    # d\n\n    STEP "x" { }\n}\n',
    ),
    "before each ELSE IF": (
        "IF x { } # a\nELSE IF y { } # b\n# c\nELSE IF z { LOG 1 } # d\nELSE { } # e\n",
        "IF x { } ELSE IF y {  # a\n} ELSE IF z {  # b\n    # c\n    LOG 1\n"
        "} ELSE {  # d\n}  # e\n",
    ),
    # 6. Strings, numbers, THEN, interpolations
    "strings and numbers": (
        'LOG \'a  {{ x }}\'\nLOG "\\"  \\n"\nLOG 007\nLOG -0.50\nLOG 1.50s\n',
        'LOG \'a  {{ x }}\'\nLOG "\\"  \\n"\nLOG 007\nLOG -0.50\nLOG 1.50s\n',
    ),
    "THEN goes": (
        "IF x THEN { } ELSE IF y   THEN { LOG 'THEN' }\n",
        "IF x { } ELSE IF y {\n    LOG 'THEN'\n}\n",
    ),
    "interpolations": (
        'LOG "{{ x }}  {{\tx | trim\t}} {{LAST_RUN.STDOUT  |raw}} {{ COST }} {{x}}"\n',
        'LOG "{{x}}  {{x|trim}} {{LAST_RUN.STDOUT|raw}} {{COST}} {{x}}"\n',
    ),
    "behind other braces": (
        'LOG "{{{ x }} {{{{ x }}}} {{ {{ x }} }} {\\{{ x }}"\n',
        'LOG "{{{x}} {{{{x}}}} {{ {{x}} }} {\\{{ x }}"\n',
    ),
    "behind backslashes": (
        r'LOG "\{{ x }} \\{{ x }} \\\{{ x }} \{\{{ x }} \"{{ x }}"' "\n",
        r'LOG "\{{ x }} \\{{x}} \\\{{ x }} \{\{{ x }} \"{{x}}"' "\n",
    ),
    "what is none": (
        'LOG "{{ a + b }} ${{ a.b }} {{ }} {{ x | trim | raw }} {{ LAST_RUN }} {{ IF }}"\n',
        'LOG "{{ a + b }} ${{ a.b }} {{ }} {{ x | trim | raw }} {{ LAST_RUN }} {{ IF }}"\n',
    ),
    "not in descriptions and names": (
        'TASK "{{ x }}"\nSETUP "{{ x }}" { }\nSTEP "{{ x }}" { }\nDEFINE_TASK "{{ x }}" { }\n'
        'CALL "{{ x }}"\nCHOOSE { OPTION "{{ x }}" { } }\n',
        'TASK "{{ x }}"\n\nSETUP "{{ x }}" { }\n\nSTEP "{{ x }}" { }\n\n'
        'DEFINE_TASK "{{ x }}" { }\n\nCALL "{{ x }}"\nCHOOSE {\n    OPTION "{{ x }}" { }\n}\n',
    ),
    "but in all other strings": (
        '@speed "{{ x }}"\nCALL "c" WITH a = "{{ x }}", a = "{{ x }}"\nPAUSE "{{ x }}"\n'
        'IF FILE "{{ x }}" EXISTS { }\n',
        '@speed "{{x}}"\nCALL "c" WITH a = "{{x}}", a = "{{x}}"\nPAUSE "{{x}}"\n'
        'IF FILE "{{x}}" EXISTS { }\n',
    ),
    # 7. Heredocs
    "bodies are kept": (
        'STEP "s" {\nWRITE  "f"   <<W\n  {{ x }} \n\t\n\n\n # a\nSTEP "x"{\n  W\nW\n}\n',
        'STEP "s" {\n    WRITE "f" <<W\n  {{ x }} \n\t\n\n\n # a\nSTEP "x"{\n  W\nW\n}\n',
    ),
    "a plain terminator stands at column 1": (
        "STEP \"s\" {\nRUN <<'W'\nW\n}\n",
        "STEP \"s\" {\n    RUN <<'W'\nW\n}\n",
    ),
    "another takes the indent of its statement": (
        'STEP "s" {\n  RUN <<-W\n   a\n  b\n \n          W \n'
        "RUN <<-'W'\n\tc\nW\n}\nRUN <<-W\n  W\n",
        'STEP "s" {\n    RUN <<-W\n   a\n  b\n \n    W\n'
        "    RUN <<-'W'\n\tc\n    W\n}\n\nRUN <<-W\nW\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())
def test_clauses(before: str, after: str) -> None:
    assert format_and_judge(before) == after
    assert format_source(before.encode()) == after
    assert format_source(after) == after


def test_the_example_of_the_docstring() -> None:
    documented = inspect.getdoc(format_source) or ""
    call, result = documented.split(">>> ")[1].splitlines()
    assert eval(call, {"format_source": format_source}) == eval(result)


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("LOG 1\nLOG", "T001", 2),
        ("  whatever", "T002", 1),
        ("IF x {\n", "T006", 1),
        ("IF x\n{ }\n", "T001", 1),
        (b"LOG '\xff'\n", "T009", 1),
        ("LOG 1\rLOG 2\n", "T009", 1),
        ("#TISS_VERSION >= 9.9\n", "T010", 1),
        ("RUN <<W\n", "T005", 1),
    ],
)
def test_what_does_not_parse(source: str | bytes, code: str, line: int) -> None:
    with pytest.raises(TissParseError) as caught:
        format_source(source, "plan.tiss")
    error = caught.value
    assert (error.code, error.line, error.filename) == (code, line, "plan.tiss")


def test_static_errors_do_not_matter() -> None:
    assert format_source('STEP "a"{ TASK "b" { LOG  x } }').count("\n") == 5


def test_a_result_that_would_be_too_long_for_a_script() -> None:
    lines = MAX_BYTES // 100
    source = 'STEP "s" { ' * 100 + "\n" + "LOG 1\n" * lines + "}" * 100
    with pytest.raises(TissParseError) as caught:
        format_source(source, "plan.tiss")
    error = caught.value
    assert (error.code, error.column, error.filename) == ("T009", 1, "plan.tiss")
    assert 1 < error.line < lines
    exact = "LOG '" + "é" * (MAX_BYTES // 2 - 4) + "'\n"
    assert len(exact.encode()) == MAX_BYTES - 1
    assert format_source(exact) == exact
    for source in (exact.replace("LOG", "LOG 1\nLOG"), "#" * MAX_BYTES):
        with pytest.raises(TissParseError, match="longer than 8 MiB") as caught:
            format_source(source.removesuffix("\n"))
        assert 1 <= caught.value.line <= 2


def test_256_blocks_in_each_other() -> None:
    source = 'STEP "s" {' * 256 + "LOG 1" + "}" * 256
    formatted = format_and_judge(source)
    assert f"{' ' * 1024}LOG 1\n" in formatted
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 60)
    try:
        assert format_source(source) == formatted
    finally:
        sys.setrecursionlimit(limit)
