"""Words and marks that go on with a statement."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

WORDS = (
    Word(
        "AS",
        "clause",
        form='READ "path" AS name',
        summary="Names the variable that gets the text of the file.",
        details="An older value of the variable is replaced.",
        example=plan("""\
TASK "Read a number"

WRITE "number.txt" <<TEXT
7
TEXT
READ "number.txt" AS number
ASSERT number == 7
"""),
        snippet="AS ${1:name}",
    ),
    Word(
        "WITH",
        "clause",
        form='CALL "name" WITH parameter = value',
        summary="Stands before the parameters of a `DEFINE_TASK`, and of a `CALL`.",
        details="Commas stand between them. A parameter has no default: every `CALL` gives every"
        " one.",
        example=plan("""\
TASK "Greet two people"

DEFINE_TASK "greet" WITH greeting, name {
    LOG "{{greeting}}, {{name}}!"
}

CALL "greet" WITH greeting = "Hello", name = "Ada"
CALL "greet" WITH name = "Alan", greeting = "Good evening"
"""),
        snippet="WITH ${1:parameter}",
    ),
    Word(
        "INTO",
        "clause",
        form='PROMPT_AGENT "text" INTO name',
        summary="Names the variable that gets the reply of the agent, or an estimate.",
        details="With a heredoc it stands before the heredoc: `PROMPT_AGENT INTO name <<TEXT`.",
        example=plan("""\
# Run with: --agent echo

TASK "Ask a long question"

PROMPT_AGENT INTO reply <<TEXT
What is missing here?
One, two, four.
TEXT
ASSERT reply CONTAINS "four"
"""),
        snippet="INTO ${1:name}",
    ),
    Word(
        "THEN",
        "clause",
        form="IF condition THEN { … }",
        summary="An old spelling after the condition of an `IF`, without a meaning.",
        details="`tiss fmt` takes it away, and the linter points it out (T214).",
    ),
    Word(
        "ELSE",
        "clause",
        form="IF condition { … } ELSE { … }",
        summary="Begins the block that runs when the condition of the `IF` is not true.",
        details="`ELSE IF` asks a further condition.",
        example=plan("""\
TASK "Look for a configuration"

IF FILE "config.toml" EXISTS {
    VAR found = "config.toml"
} ELSE IF FILE "defaults.toml" EXISTS {
    VAR found = "defaults.toml"
} ELSE {
    VAR found = "nothing"
}
LOG "found: {{found}}"
"""),
        snippet="ELSE {\n\t$0\n}",
    ),
    Word(
        "CATCH",
        "clause",
        form="TRY { … } CATCH { … }",
        summary="Begins the block that runs when an error escapes the `TRY`.",
        details="In it, `ERROR.KIND`, `ERROR.MESSAGE` and `ERROR.LINE` tell what happened. It"
        " takes no name and no kind of error: ask `ERROR.KIND` with an `IF`.",
        example=plan("""\
TASK "Go on without a file"

TRY {
    DELETE "old.txt"
} CATCH {
    ASSERT ERROR.KIND == "io"
    LOG "there was none"
}
"""),
        snippet="CATCH {\n\t$0\n}",
    ),
    Word(
        "=",
        "clause",
        form="VAR name = value",
        summary="Stands between a name and its value in `VAR`, `CALL` and `SET_BUDGET`.",
        details="To compare two values, write `==`.",
        example=plan("""\
TASK "Name a number"

VAR answer = 42
ASSERT answer == 42
"""),
    ),
    Word(
        "?=",
        "clause",
        form="VAR name ?= value",
        summary="Gives a variable a value only when it has none yet.",
        details="So a plan has a default for what the operator gives with `--var name=value`,"
        " which is always a text.",
        example=plan("""\
TASK "Greet a town"

VAR town ?= "London"
LOG "Hello, {{town}}!"
"""),
    ),
)
