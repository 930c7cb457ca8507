"""Words that are kept for later versions. Anywhere outside texts they are the error T001."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

_STEPS = plan("""\
TASK "Greet three people"

DEFINE_TASK "greet" WITH name {
    LOG "Hello, {{name}}!"
}

CALL "greet" WITH name = "Ada"
CALL "greet" WITH name = "Alan"
CALL "greet" WITH name = "Grace"
""")


def _reserved(name: str, summary: str, details: str, example: str) -> Word:
    return Word(name, "reserved", name, summary, details, example)


WORDS = (
    _reserved(
        "FOR",
        "Is kept for a later version: there are no loops, so that every plan ends.",
        "Call a sub-task once for each value, or let the shell repeat inside a `RUN`.",
        _STEPS,
    ),
    _reserved(
        "WHILE",
        "Is kept for a later version: there are no loops, so that every plan ends.",
        "To try something several times, use `@retry`.",
        plan("""\
TASK "Wait for a file"

STEP "See that it is there" {
    @retry 2
    RUN "echo x >> attempts; wc -l < attempts"
    ASSERT LAST_RUN.STDOUT == 3
}
"""),
    ),
    _reserved(
        "INCLUDE",
        "Is kept for a later version: a plan is one file.",
        "What is needed twice in a plan is a sub-task, `DEFINE_TASK`.",
        _STEPS,
    ),
    _reserved(
        "FINALLY",
        "Is kept for a later version: a `TRY` has only a `CATCH`.",
        "What is to happen in any case stands after the `TRY`.",
        plan("""\
TASK "Tidy up in any case"

MKDIR "scratch"
TRY {
    READ "missing.txt" AS text
    LOG text
} CATCH {
    LOG ERROR.MESSAGE
}
DELETE "scratch"
"""),
    ),
    _reserved(
        "RETURN",
        "Is kept for a later version: a sub-task hands results back in variables.",
        "All names that its body assigns, except for its parameters, are there after the `CALL`.",
        plan("""\
TASK "Count the words of a note"

DEFINE_TASK "count words" WITH file {
    RUN "wc -w < {{file}}"
    VAR words = LAST_RUN.STDOUT|trim
}

WRITE "note.txt" <<TEXT
one two three
TEXT
CALL "count words" WITH file = "note.txt"
ASSERT words == 3
"""),
    ),
    _reserved(
        "MATCHES",
        "Is kept for a later version: conditions know no patterns.",
        "Use `CONTAINS`, or `grep` in a `RUN`.",
        plan("""\
TASK "Look for a pattern"

VAR version = "1.2.0"
RUN "echo 'version {{version}}' | grep -q '[0-9]'"
ASSERT LAST_RUN.EXIT_CODE == 0
"""),
    ),
    _reserved(
        "AND",
        "Is kept for a later version: a condition asks one thing.",
        "Write two `ASSERT`s, or put one `IF` into another.",
        plan("""\
TASK "Check two things"

VAR count = 7
ASSERT count > 5
ASSERT count < 10
"""),
    ),
    _reserved(
        "OR",
        "Is kept for a later version: a condition asks one thing.",
        "Use `ELSE IF`, and set a variable in each branch.",
        plan("""\
TASK "Find one of two files"

VAR found = false
IF FILE "a.txt" EXISTS {
    VAR found = true
} ELSE IF FILE "b.txt" EXISTS {
    VAR found = true
}
LOG "found: {{found}}"
"""),
    ),
)
