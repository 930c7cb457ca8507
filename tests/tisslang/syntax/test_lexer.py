"""The token stream: kinds, places, line ends that count, heredocs."""

import pytest

from tisslang.syntax.lexer import RESERVED, Fault, Heredoc, Token, tokenize


def kinds(text: str) -> str:
    return " ".join(token.kind for token in tokenize(text)[0])


def first(text: str, kind: str) -> Token:
    return next(token for token in tokenize(text)[0] if token.kind == kind)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "EOF"),
        ("\n \n# only a comment\n", "EOF"),
        ('LOG "a"', "LOG STRING EOF"),
        ("LOG 'a'\n\n\n\t\nLOG x\n\n", "LOG STRING NL LOG NAME EOF"),
        ("x # one\n# two\n\ny", "NAME NL NAME EOF"),
        ('STEP "a" {\n\n LOG 1\n\n}\n', "STEP STRING { LOG NUMBER } EOF"),
        ("}\n\nELSE {\n}\nCATCH", "} ELSE { } CATCH EOF"),
        ("}\nLOG", "} NL LOG EOF"),
        ("{ # c\n}", "{ } EOF"),
        (
            "a?=b==c!=d<=e>=f<g>h=i",
            "NAME ?= NAME == NAME != NAME <= NAME >= NAME < NAME > NAME = NAME EOF",
        ),
        ("LAST_RUN.STDOUT|trim", "LAST_RUN . NAME | NAME EOF"),
        ("@x true false 1 -1 1.5 -0.5", "@ NAME BOOL BOOL NUMBER NUMBER NUMBER NUMBER EOF"),
        ("500ms 1.5s 5m 2h", "DURATION DURATION DURATION DURATION EOF"),
        ("5minutes 1e5 1_0 1.x", "NUMBER NAME NUMBER NAME NUMBER NAME NUMBER . NAME EOF"),
        ("-5s", "NUMBER NAME EOF"),
        ("task Task TASK TASKS", "NAME NAME TASK NAME EOF"),
        (r'"a\"b" "c\\" "#{}"', "STRING STRING STRING EOF"),
        ("WRITE 'a' <<X # c\nTASK {\nX\nLOG 1", "WRITE STRING HEREDOC NL LOG NUMBER EOF"),
        ("WRITE 'a' <<X\nX", "WRITE STRING HEREDOC EOF"),
        ("x ; y", "NAME FAULT"),
        ('x "open\ny', "NAME FAULT"),
        ("x << y", "NAME FAULT"),
        ("x <<X y\nX", "NAME HEREDOC FAULT"),
        ("x <<X\n X", "NAME FAULT"),
    ],
)
def test_kinds(text: str, expected: str) -> None:
    assert kinds(text) == expected


def test_every_reserved_word_has_a_kind_of_its_own() -> None:
    assert len(RESERVED) == 23 + 11 + 3 + 8 + 2
    for word, kind in RESERVED.items():
        assert kinds(word) == f"{kind} EOF"
        assert kinds(word.swapcase()) == "NAME EOF"
        assert kinds(word + "_") == "NAME EOF"


def test_places_are_code_points_and_a_tab_is_one_column() -> None:
    tokens, comments = tokenize("\tLOG '日本' x\n\n  y # 終\n")
    assert [(t.text, t.line, t.column) for t in tokens] == [
        ("LOG", 1, 2),
        ("'日本'", 1, 6),
        ("x", 1, 11),
        ("\n", 1, 12),
        ("y", 3, 3),
        ("", 3, 8),
    ]
    assert [(c.text, c.line, c.column) for c in comments] == [("# 終", 3, 5)]


def test_the_end_of_file_is_where_the_last_line_with_tokens_ends() -> None:
    assert [(t.line, t.column) for t in tokenize("LOG\n\n# c\n\n")[0]] == [(1, 1), (1, 4)]
    assert [(t.line, t.column) for t in tokenize("LOG  ")[0]] == [(1, 1), (1, 6)]


@pytest.mark.parametrize(
    ("opener", "lines", "body"),
    [
        ("<<X", ["a", "X"], "a\n"),
        ("<<X", ["X"], ""),
        ("<<X", ["", "X \t"], "\n"),
        ("<<X", [" X", "X;", "xX", "X Y", "\tX", "X"], " X\nX;\nxX\nX Y\n\tX\n"),
        ("<<'X'", ["{{a}} \\", "X"], "{{a}} \\\n"),
        ("<<-X", ["  a", "\t X \t"], "  a\n"),
        ("<<-'X'", [" a", "XY", "X"], " a\nXY\n"),
        ("<<X", ['"', "<<Y", "}", "# c", "X"], '"\n<<Y\n}\n# c\n'),
    ],
)
def test_heredocs(opener: str, lines: list[str], body: str) -> None:
    text = "\n".join([f"WRITE 'f' {opener}", *lines, "LOG z"])
    token = first(text, "HEREDOC")
    assert isinstance(token, Heredoc)
    assert (token.body, token.word, token.line) == (body, "X", 1)
    assert token.raw is opener.endswith("'")
    assert token.indented is opener.startswith("<<-")
    assert token.end_line == 1 + len(lines)
    after = first(text, "LOG")
    assert (after.line, after.column) == (token.end_line + 1, 1)


def test_comments_stand_apart() -> None:
    _, comments = tokenize("#!run\nLOG '#' # two\nWRITE 'f' <<X # three\n# body\nX\n# four")
    assert [(c.text, c.line, c.column) for c in comments] == [
        ("#!run", 1, 1),
        ("# two", 2, 9),
        ("# three", 3, 15),
        ("# four", 6, 1),
    ]


def test_a_fault_keeps_the_tokens_before_it() -> None:
    tokens, _ = tokenize("LOG x\nLOG “y”\nLOG ;")
    fault = tokens[-1]
    assert isinstance(fault, Fault)
    assert len(tokens) == 5
    assert (fault.error.code, fault.line, fault.column) == ("T001", 2, 5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x ; y ; z", "NAME FAULT NAME FAULT NAME EOF"),
        ('x "open\ny', "NAME FAULT NL NAME EOF"),
        ('x "open {\ny', "NAME FAULT { NAME EOF"),
        ('x "open { # c\ny', "NAME FAULT { NAME EOF"),
        ("x << y", "NAME FAULT NAME EOF"),
        ("x <<X y\nbody\nX\nz", "NAME HEREDOC FAULT NL NAME EOF"),
        ("x <<X y\nz", "NAME HEREDOC FAULT NL NAME EOF"),
        ("x <<X\nbody\n X\nz", "NAME FAULT NL NAME EOF"),
        ("x <<X\nz", "NAME FAULT EOF"),
    ],
)
def test_the_lexer_can_go_on(text: str, expected: str) -> None:
    tokens, _ = tokenize(text, most_faults=100)
    assert " ".join(token.kind for token in tokens) == expected
    for token in tokens:
        line = text.split("\n")[token.line - 1]
        assert token.kind in ("NL", "EOF", "FAULT") or line[token.column - 1 :].startswith(
            token.text
        )


def test_the_lexer_stops_at_the_last_fault_allowed() -> None:
    assert [token.kind for token in tokenize("; ; ; x", 2)[0]] == ["FAULT", "FAULT"]
    assert [token.kind for token in tokenize("; ; ; x")[0]] == ["FAULT"]
