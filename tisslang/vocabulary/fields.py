"""The fields of LAST_RUN, ERROR and COST."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

_CAUGHT = """\
TASK "Handle an error"

TRY {
    DELETE "missing.txt"
} CATCH {
    %s
}
"""
_ASKED = """\
# Run with: --agent echo

TASK "Ask once"

PROMPT_AGENT "one two three"
%s
"""

WORDS = (
    Word(
        "LAST_RUN.STDOUT",
        "field",
        form="LAST_RUN.STDOUT",
        summary="What the latest `RUN` printed, as a text.",
        details="It keeps its last line end; `|trim` takes that off. Bytes that are not UTF-8"
        " become `U+FFFD`. Output beyond `--max-output` (10 MiB) is dropped.",
        example=plan("""\
TASK "Use what a command printed"

RUN "echo hello"
VAR word = LAST_RUN.STDOUT|trim
ASSERT word == "hello"
"""),
    ),
    Word(
        "LAST_RUN.STDERR",
        "field",
        form="LAST_RUN.STDERR",
        summary="What the latest `RUN` printed as errors and remarks, as a text.",
        details="It is kept apart from `LAST_RUN.STDOUT`, and has the same limit.",
        example=plan("""\
TASK "Read an error message"

RUN "ls no-such-file"
ASSERT LAST_RUN.STDERR CONTAINS "no-such-file"
"""),
    ),
    Word(
        "LAST_RUN.EXIT_CODE",
        "field",
        form="LAST_RUN.EXIT_CODE",
        summary="The number with which the latest `RUN` ended: 0 says that all went well.",
        details="It is 128 + *n* after signal *n*, and 124 when the time was up.",
        example=plan("""\
TASK "Check that a command went well"

RUN "test 2 -gt 1"
ASSERT LAST_RUN.EXIT_CODE == 0
"""),
    ),
    Word(
        "LAST_RUN.EXECUTION_TIME",
        "field",
        form="LAST_RUN.EXECUTION_TIME",
        summary="How many seconds the latest `RUN` took.",
        example=plan("""\
TASK "Measure a command"

RUN "true"
LOG "{{LAST_RUN.EXECUTION_TIME}} seconds"
"""),
    ),
    Word(
        "LAST_RUN.COMMAND",
        "field",
        form="LAST_RUN.COMMAND",
        summary="The text of the latest `RUN` as the shell got it.",
        details="Values have been put in, and quoted.",
        example=plan("""\
TASK "See how a value is quoted"

VAR name = "a b"
RUN "echo name:{{name}}"
ASSERT LAST_RUN.COMMAND == "echo name:'a b'"
"""),
    ),
    Word(
        "ERROR.KIND",
        "field",
        form="ERROR.KIND",
        summary="The kind of the error that is handled.",
        details="It is one of `assert`, `undefined`, `type`, `io`, `decode`, `timeout` and"
        " `agent`.",
        example=plan(_CAUGHT % 'ASSERT ERROR.KIND == "io"'),
    ),
    Word(
        "ERROR.MESSAGE",
        "field",
        form="ERROR.MESSAGE",
        summary="What happened, in a sentence for people.",
        details="Its wording may change: to decide something, use `ERROR.KIND`.",
        example=plan(_CAUGHT % "LOG ERROR.MESSAGE"),
    ),
    Word(
        "ERROR.LINE",
        "field",
        form="ERROR.LINE",
        summary="The line of the plan on which the error arose.",
        example=plan(_CAUGHT % "ASSERT ERROR.LINE == 6"),
    ),
    Word(
        "COST.TOTAL",
        "field",
        form="COST.TOTAL",
        summary="What the run has cost: 1 for each call of the agent, and 1 for a thousand tokens.",
        details="`COST` alone means the same. The operator can set other rates.",
        example=plan(_ASKED % "ASSERT COST.TOTAL == 1.006"),
    ),
    Word(
        "COST.API_CALLS",
        "field",
        form="COST.API_CALLS",
        summary="How often the agent was asked.",
        example=plan(_ASKED % "ASSERT COST.API_CALLS == 1"),
    ),
    Word(
        "COST.TOKENS",
        "field",
        form="COST.TOKENS",
        summary="How many tokens went to and from the agent.",
        details="When the agent cannot count tokens, the words of the prompt and of the reply are"
        " counted.",
        example=plan(_ASKED % "ASSERT COST.TOKENS == 6"),
    ),
    Word(
        "COST.RUNS",
        "field",
        form="COST.RUNS",
        summary="How many commands have been run.",
        example=plan("""\
TASK "Count the commands"

RUN "true"
ASSERT LAST_RUN.EXIT_CODE == 0
ASSERT COST.RUNS == 1
"""),
    ),
    Word(
        "COST.TIME",
        "field",
        form="COST.TIME",
        summary="How many seconds the run has lasted.",
        details="It is no part of `COST.TOTAL`, so that costs are the same in each run.",
        example=plan("""\
TASK "Look at the clock"

LOG "{{COST.TIME}} seconds so far"
"""),
    ),
)
