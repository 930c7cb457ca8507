"""T001 to T010: the script is not TissLang. The parser stops at the first of them."""

from __future__ import annotations

from tisslang.rules.rule import Rule

RULES = (
    Rule(
        "T001",
        "error",
        "unexpected token or character",
        "Something else was expected here, and the message says what.",
        'VAR name "Ada"',
        'VAR name = "Ada"',
    ),
    Rule(
        "T002",
        "error",
        "unknown command",
        "A statement begins with a word that is no command. Commands are upper case.",
        'PRINT "hello"',
        'LOG "hello"',
    ),
    Rule(
        "T003",
        "error",
        "string not closed",
        "A string ends on the line on which it begins. For a longer text use a heredoc.",
        'RUN "echo hi',
        'RUN "echo hi"',
    ),
    Rule(
        "T004",
        "error",
        "unknown escape",
        r"""In a "double" string a backslash begins one of `\"` `\\` `\n` `\t` `\r` `\{`."""
        " In a 'single' string it is a character like any other.",
        r'''RUN "grep '\d' data.txt"''',
        r'''RUN "grep '\\d' data.txt"''',
    ),
    Rule(
        "T005",
        "error",
        "heredoc not terminated",
        "The word of the opener stands alone on the line that ends the text, at column 1. After"
        " `<<-` it may be indented.",
        'STEP "Write it" {\n    WRITE "notes.txt" <<TEXT\n    hello\n    TEXT\n}',
        'STEP "Write it" {\n    WRITE "notes.txt" <<-TEXT\n    hello\n    TEXT\n}',
    ),
    Rule(
        "T006",
        "error",
        "block not closed",
        "Each `{` that opens a block needs its `}`.",
        'STEP "Greet" {\n    LOG "hello"',
        'STEP "Greet" {\n    LOG "hello"\n}',
    ),
    Rule(
        "T007",
        "error",
        "`}` without a block",
        "There is no open block that this `}` could close.",
        'LOG "hello"\n}',
        'LOG "hello"',
    ),
    Rule(
        "T008",
        "error",
        "nesting deeper than 256",
        "Blocks may stand in each other 256 levels deep.",
        'STEP "deeper" {\n' * 257 + "}\n" * 257,
        'STEP "first" {\n    LOG 1\n}\nSTEP "second" {\n    LOG 2\n}',
    ),
    Rule(
        "T009",
        "error",
        "encoding, NUL, lone CR, over 8 MiB",
        "A script is UTF-8 text of at most 8 MiB, with LF or CRLF at the ends of its lines and"
        " without NUL characters.",
        'LOG "one\0two"',
        'LOG "one two"',
    ),
    Rule(
        "T010",
        "error",
        "version pragma",
        "The pragma is malformed, or this version of TissLang does not fulfil it.",
        '#TISS_VERSION >= 9.0\nLOG "hello"',
        '#TISS_VERSION >= 1.2\nLOG "hello"',
    ),
)
