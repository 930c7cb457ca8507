"""Constants, and the values that the engine gives: the last command, the error, the cost."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

CONSTANTS = (
    Word(
        "true",
        "constant",
        form="true",
        summary="The boolean that says yes.",
        details='It is equal to itself alone: neither to the text `"true"` nor to a number, and'
        " such a comparison is the error `type`.",
        example=plan("""\
TASK "Take a decision"

VAR is_first ?= true
IF is_first {
    LOG "the first time"
}
"""),
    ),
    Word(
        "false",
        "constant",
        form="false",
        summary="The boolean that says no.",
        details="A condition that is a single value wants a boolean; a text or a number there is"
        " the error `type`.",
        example=plan("""\
TASK "Remember what was found"

VAR found = false
IF FILE "notes.txt" EXISTS {
    VAR found = true
}
LOG "found: {{found}}"
"""),
    ),
)
VALUES = (
    Word(
        "LAST_RUN",
        "value",
        form="LAST_RUN.STDOUT",
        summary="What came of the latest `RUN`; it always stands with a field.",
        details="The fields are `STDOUT`, `STDERR`, `EXIT_CODE`, `EXECUTION_TIME` and `COMMAND`."
        " To use it where no `RUN` can have come before is an error before the run (T111). After a"
        " `PARALLEL` it has no value.",
        example=plan("""\
TASK "Look at a command"

RUN "echo hello"
ASSERT LAST_RUN.EXIT_CODE == 0
LOG LAST_RUN.STDOUT|trim
"""),
        snippet="LAST_RUN.${1|STDOUT,STDERR,EXIT_CODE,EXECUTION_TIME,COMMAND|}",
    ),
    Word(
        "ERROR",
        "value",
        form="ERROR.MESSAGE",
        summary="The error that a `CATCH` handles; it always stands with a field.",
        details="The fields are `KIND`, `MESSAGE` and `LINE`. It stands only inside a `CATCH`"
        " (T102).",
        example=plan("""\
TASK "Tell what went wrong"

TRY {
    READ "missing.txt" AS text
    LOG text
} CATCH {
    LOG "line {{ERROR.LINE}}: {{ERROR.MESSAGE}}"
}
"""),
        snippet="ERROR.${1|KIND,MESSAGE,LINE|}",
    ),
    Word(
        "COST",
        "value",
        form="COST",
        summary="What the run has cost up to now.",
        details="Alone it means `COST.TOTAL`. The other fields are the counters `API_CALLS`,"
        " `TOKENS`, `RUNS` and `TIME`. After `SET_BUDGET` it is the name of a budget.",
        example=plan("""\
TASK "Know what it cost"

RUN "true"
ASSERT LAST_RUN.EXIT_CODE == 0
ASSERT COST == 0
ASSERT COST.RUNS == 1
"""),
    ),
)
