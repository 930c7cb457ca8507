"""Filters: what may follow the `|` behind a name, inside `{{…}}` and outside."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

WORDS = (
    Word(
        "trim",
        "filter",
        form="{{name|trim}}",
        summary="Takes off the white space at both ends of the value.",
        details="The result is a text. One filter at most may follow a name.",
        example=plan("""\
TASK "Take off the line end"

RUN "echo hello"
ASSERT LAST_RUN.STDOUT|trim == "hello"
LOG "<{{LAST_RUN.STDOUT|trim}}>"
"""),
    ),
    Word(
        "json",
        "filter",
        form="{{name|json}}",
        summary="Writes the value as JSON.",
        details="A text gets its quotes and escapes. Letters beyond ASCII stay as they are.",
        example=plan("""\
TASK "Write JSON"

VAR title = "The \\"best\\" of Zürich"
WRITE "book.json" <<JSON
{"title": {{title|json}}}
JSON
READ "book.json" AS book
LOG book|trim
"""),
    ),
    Word(
        "raw",
        "filter",
        form="{{name|raw}}",
        summary="Puts the value into a `RUN` as it is, without quotes, as code.",
        details="Whatever the value holds is read as part of the command, so the linter warns"
        " (T304). A command that has one `|raw` cannot have references without it (T109)."
        " Elsewhere it changes nothing.",
        example=plan("""\
TASK "Hand over several options"

VAR options = "-l -c"
RUN "printf 'one two' | wc {{options|raw}}"  # tiss: ignore T304, T310 (the options are our own)
ASSERT LAST_RUN.EXIT_CODE == 0
"""),
    ),
)
