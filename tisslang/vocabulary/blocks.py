"""Statements that hold others: what a plan is made of, and which way it goes."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

WORDS = (
    Word(
        "TASK",
        "block",
        form='TASK "what the plan is for"',
        summary="Says what the whole plan is for.",
        details="A plan has at most one `TASK`, and only directives and definitions stand before"
        " it. Without a block it owns the rest of the file; with a block, only definitions may"
        " follow it.",
        example=plan("""\
TASK "Say hello"

STEP "Greet" {
    LOG "hello"
}
"""),
        snippet='TASK "${1:what the plan is for}"\n$0',
    ),
    Word(
        "SETUP",
        "block",
        form='SETUP "description" { … }',
        summary="A step that prepares the others and always runs.",
        details="It runs even when `--step` or `--from-step` leaves other steps out. It stands at"
        " the top level, before the first `STEP`. The description may be left out.",
        example=plan("""\
TASK "Write a report"

SETUP "A directory for the results" {
    MKDIR "results"
}

STEP "Write it" {
    WRITE "results/report.txt" <<TEXT
All is well.
TEXT
}
"""),
        snippet="SETUP {\n\t$0\n}",
    ),
    Word(
        "STEP",
        "block",
        form='STEP "what it does" { … }',
        summary="Groups statements under a description.",
        details="The report shows for each step whether it passed, failed or was skipped. Steps"
        " may hold steps. A step hides no names: a variable that it assigns is there afterwards.",
        example=plan("""\
TASK "Count the words of a note"

STEP "Write the note" {
    WRITE "note.txt" <<TEXT
one two three
TEXT
}

STEP "Count" {
    RUN "wc -w < note.txt"
    ASSERT LAST_RUN.STDOUT == 3
}
"""),
        snippet='STEP "${1:what it does}" {\n\t$0\n}',
    ),
    Word(
        "DEFINE_TASK",
        "block",
        form='DEFINE_TASK "name" WITH parameter, parameter { … }',
        summary="Defines a sub-task, which `CALL` runs.",
        details="It stands at the top level, and its `CALL` may come before it. Parameters hide"
        " outer names until the call ends. Everything else that the body assigns stays, and so a"
        " sub-task hands back results. `WITH` and its parameters may be left out.",
        example=plan("""\
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
        snippet='DEFINE_TASK "${1:name}" WITH ${2:parameter} {\n\t$0\n}',
    ),
    Word(
        "IF",
        "block",
        form="IF condition { … } ELSE IF condition { … } ELSE { … }",
        summary="Runs one block or another, as a condition says.",
        details="Exactly one branch runs. `ELSE IF` may be repeated, and `ELSE` may be left out. A"
        " condition has no `AND` and no `OR`: put one `IF` into another.",
        example=plan("""\
TASK "Make sure that there are settings"

IF FILE "settings.txt" EXISTS {
    LOG "they are there"
} ELSE {
    WRITE "settings.txt" <<TEXT
colour = blue
TEXT
    LOG "written"
}
"""),
        snippet="IF ${1:condition} {\n\t$0\n}",
    ),
    Word(
        "TRY",
        "block",
        form="TRY { … } CATCH { … }",
        summary="Runs a block and, when an error escapes it, the block after `CATCH`.",
        details="What the block has done stays: nothing is rolled back. Errors of the kinds"
        " `assert`, `undefined`, `type`, `io`, `decode`, `timeout` and `agent` are caught;"
        " `security`, `budget`, `human` and an interrupt never are.",
        example=plan("""\
TASK "Read settings, or use those by default"

TRY {
    READ "settings.txt" AS settings
} CATCH {
    LOG "{{ERROR.KIND}}: {{ERROR.MESSAGE}}"
    VAR settings = "colour = blue"
}
LOG settings
"""),
        snippet="TRY {\n\t$0\n} CATCH {\n\tLOG ERROR.MESSAGE\n}",
    ),
    Word(
        "PARALLEL",
        "block",
        form='PARALLEL { STEP "what it does" { … } … }',
        summary="Runs its steps at the same time.",
        details="It holds only steps, and in them no `PARALLEL`, `CHOOSE`, `PAUSE`,"
        " `REQUEST_REVIEW` or `SET_BUDGET`. Each step has its own copy of the variables. When all"
        " have ended, what they assigned is put together; two steps cannot assign one name (T108)."
        " `LAST_RUN` has no value afterwards. At most 4 run at once, or as many as `--jobs` says.",
        example=plan("""\
TASK "Count two things at once"

PARALLEL {
    STEP "Words" {
        RUN "echo one two three | wc -w"
        VAR words = LAST_RUN.STDOUT|trim
    }

    STEP "Lines" {
        RUN "printf 'a\\\\nb\\\\n' | wc -l"
        VAR lines = LAST_RUN.STDOUT|trim
    }
}

ASSERT words == 3
ASSERT lines == 2
"""),
        snippet='PARALLEL {\n\tSTEP "${1:one}" {\n\t\t$0\n\t}\n\n\tSTEP "${2:other}" {\n\t}\n}',
    ),
    Word(
        "CHOOSE",
        "block",
        form='CHOOSE { OPTION "label" { … } … }',
        summary="Runs exactly one of its options.",
        details="The first of these decides: the next `--answer` (a label, or a number from 1);"
        " the least estimate, when every option directly holds an `ESTIMATE_COST`; the agent,"
        " under `--choose-by agent`; the person. When nobody is there to choose, the run ends with"
        " exit code 7.",
        example=plan("""\
# Run with: --answer rain

TASK "Plan the day"

CHOOSE {
    OPTION "sun" {
        VAR place = "garden"
    }
    OPTION "rain" {
        VAR place = "library"
    }
}
LOG place
"""),
        snippet='CHOOSE {\n\tOPTION "${1:one}" {\n\t\t$0\n\t}\n\tOPTION "${2:other}" {\n\t}\n}',
    ),
    Word(
        "OPTION",
        "block",
        form='OPTION "label" { … }',
        summary="One of the ways that a `CHOOSE` can take.",
        details="It stands directly in a `CHOOSE` and nowhere else. Its label is what a person, or"
        " `--answer`, names.",
        example=plan("""\
# Run with: --answer 2

TASK "Pick a greeting"

CHOOSE {
    OPTION "short" {
        VAR greeting = "Hi"
    }
    OPTION "polite" {
        VAR greeting = "Good morning"
    }
}
ASSERT greeting == "Good morning"
"""),
        snippet='OPTION "${1:label}" {\n\t$0\n}',
    ),
    Word(
        "ESTIMATE_COST",
        "block",
        form="ESTIMATE_COST INTO name { … }",
        summary="Adds up what its block would cost, and runs nothing in it.",
        details="Each `PROMPT_AGENT` counts as one call and as the words of its prompt and 256"
        " tokens, each `RUN` as one run, an `IF` as its dearer branch, a `CALL` as its body. No"
        " assignment in it happens. `INTO` and its name may be left out.",
        example=plan("""\
TASK "Know the price first"

ESTIMATE_COST INTO price {
    PROMPT_AGENT "Write a haiku."
}
ASSERT price == 1.259
"""),
        snippet="ESTIMATE_COST INTO ${1:name} {\n\t$0\n}",
    ),
)
