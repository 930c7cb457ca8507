"""The words and operators of conditions, which follow `ASSERT` and `IF`."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

_MIXED = (
    "When one side is a number, a text on the other side that holds a number is read as one. Every"
    " other mixture is the error `type`, never a silent false."
)
_NUMBERS = (
    "Both sides are numbers, or texts that hold numbers beside a number. Anything else is the error"
    " `type`."
)

WORDS = (
    Word(
        "FILE",
        "condition",
        form='FILE "path" EXISTS',
        summary="Begins a condition about a file or a directory.",
        details="`EXISTS` or `NOT EXISTS` follows the path. There is no other question about a"
        " file: to look into it, `READ` it.",
        example=plan("""\
TASK "Check that a file is there"

WRITE "a.txt" <<TEXT
one
TEXT
ASSERT FILE "a.txt" EXISTS
"""),
        snippet='FILE "${1:path}" EXISTS',
    ),
    Word(
        "EXISTS",
        "condition",
        form='FILE "path" EXISTS',
        summary="Is true when a file or a directory is at the path.",
        details="Links are followed: one that leads nowhere does not exist. A path that leaves the"
        " project is the error `security`.",
        example=plan("""\
TASK "Make a directory when it is missing"

IF FILE "build" NOT EXISTS {
    MKDIR "build"
}
ASSERT FILE "build" EXISTS
"""),
    ),
    Word(
        "CONTAINS",
        "condition",
        form='a CONTAINS "text"',
        summary="Is true when the second text occurs in the first.",
        details="Upper and lower case are different. The empty text occurs in every text. Both"
        " sides must be texts; otherwise the error is `type`.",
        example=plan("""\
TASK "Look at what a command printed"

RUN "echo 12 passed"
ASSERT LAST_RUN.STDOUT CONTAINS "12 passed"
ASSERT LAST_RUN.STDOUT NOT CONTAINS "failed"
"""),
        snippet='CONTAINS "${1:text}"',
    ),
    Word(
        "IS_EMPTY",
        "condition",
        form="a IS_EMPTY",
        summary="Is true when a text has nothing but white space.",
        details="The value must be a text; otherwise the error is `type`.",
        example=plan("""\
TASK "See that a command is quiet"

RUN "true"
ASSERT LAST_RUN.STDOUT IS_EMPTY
ASSERT LAST_RUN.STDERR IS_EMPTY
"""),
    ),
    Word(
        "NOT",
        "condition",
        form='a NOT CONTAINS "text"',
        summary="Turns the `CONTAINS`, `IS_EMPTY` or `EXISTS` behind it into its opposite.",
        details="It stands nowhere else. The opposite of `==` is `!=`.",
        example=plan("""\
TASK "Say what must not be"

VAR name = "Ada"
ASSERT name NOT IS_EMPTY
ASSERT name NOT CONTAINS "x"
ASSERT FILE "missing.txt" NOT EXISTS
"""),
    ),
    Word(
        "==",
        "condition",
        form="a == b",
        summary="Is true when both values are equal.",
        details=f"Texts are compared exactly; `|trim` takes off white space. {_MIXED}",
        example=plan("""\
TASK "Compare the output of a command"

RUN "printf 'a\\\\nb\\\\nc\\\\n' | wc -l"
ASSERT LAST_RUN.EXIT_CODE == 0
ASSERT LAST_RUN.STDOUT == 3
ASSERT LAST_RUN.STDOUT|trim == "3"
"""),
    ),
    Word(
        "!=",
        "condition",
        form="a != b",
        summary="Is true when the values are not equal.",
        details=_MIXED,
        example=plan("""\
TASK "Expect a failure"

RUN "false"
ASSERT LAST_RUN.EXIT_CODE != 0
"""),
    ),
    Word(
        "<",
        "condition",
        form="a < b",
        summary="Is true when the first number is less than the second.",
        details=_NUMBERS,
        example=plan("""\
TASK "Expect a quick command"

RUN "true"
ASSERT LAST_RUN.EXECUTION_TIME < 60
"""),
    ),
    Word(
        "<=",
        "condition",
        form="a <= b",
        summary="Is true when the first number is less than or equal to the second.",
        details=_NUMBERS,
        example=plan("""\
TASK "Stay cheap"

ASSERT COST <= 10
"""),
    ),
    Word(
        ">",
        "condition",
        form="a > b",
        summary="Is true when the first number is greater than the second.",
        details=_NUMBERS,
        example=plan("""\
TASK "Count some lines"

RUN "printf 'a\\\\nb\\\\n' | wc -l"
ASSERT LAST_RUN.STDOUT > 1
"""),
    ),
    Word(
        ">=",
        "condition",
        form="a >= b",
        summary="Is true when the first number is greater than or equal to the second.",
        details=_NUMBERS,
        example=plan("""\
TASK "Meet a goal"

RUN "echo 97.5"
ASSERT LAST_RUN.STDOUT >= 95
"""),
    ),
)
