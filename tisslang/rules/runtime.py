"""E101 to E303: what a run can end with. Those below E300 can be caught with TRY.

The examples run in an empty directory, and nobody answers questions.
"""

from __future__ import annotations

from tisslang.rules.rule import Rule

RULES = (
    Rule(
        "E101",
        "error",
        "`assert`: an assertion failed",
        "The report shows the condition and both of its values.",
        'RUN "false"\nASSERT LAST_RUN.EXIT_CODE == 0',
        'RUN "true"\nASSERT LAST_RUN.EXIT_CODE == 0',
    ),
    Rule(
        "E201",
        "error",
        "`undefined`: a name without a value",
        "The run took a way on which nothing gives the variable a value (lint: T201).",
        'IF FILE "setup.cfg" EXISTS {\n    VAR config = "setup.cfg"\n}\nLOG config',
        'VAR config = "none"\nIF FILE "setup.cfg" EXISTS {\n    VAR config = "setup.cfg"\n}\n'
        "LOG config",
    ),
    Rule(
        "E202",
        "error",
        "`type`: a value of the wrong type",
        "Numbers are compared with numbers and texts with texts; a text that is a number counts as"
        " one beside a number.",
        'RUN "echo many"\nASSERT LAST_RUN.STDOUT > 3',
        'RUN "echo 4"\nASSERT LAST_RUN.STDOUT > 3',
    ),
    Rule(
        "E203",
        "error",
        "`io`: a file or the shell could not be used",
        "The file is missing, a directory is in its place, the disk is full, or the like.",
        'READ "notes.txt" AS notes\nLOG notes',
        'WRITE "notes.txt" <<TEXT\nhello\nTEXT\nREAD "notes.txt" AS notes\nLOG notes',
    ),
    Rule(
        "E204",
        "error",
        "`decode`: a file is not UTF-8",
        "`READ` gives text, so it wants a file of text in UTF-8.",
        'RUN "printf \'\\\\377\' > data"\nREAD "data" AS data\nLOG data',
        'RUN "printf \'text\' > data"\nREAD "data" AS data\nLOG data',
    ),
    Rule(
        "E205",
        "error",
        "`timeout`: a command took too long",
        "The command and all that it started were ended at the limit.",
        '@timeout 100ms\nRUN "sleep 30"',
        '@timeout 30s\nRUN "sleep 0.1"',
    ),
    Rule(
        "E206",
        "error",
        "`agent`: the agent gave no reply",
        "There is no agent (`--agent`), it could not be reached, or it answered badly.",
        'PROMPT_AGENT "Write a haiku." INTO haiku\nLOG haiku',
        'VAR haiku = "none"\nTRY {\n    PROMPT_AGENT "Write a haiku." INTO haiku\n} CATCH {\n'
        "    LOG ERROR.MESSAGE\n}\nLOG haiku",
    ),
    Rule(
        "E301",
        "error",
        "`security`: a path, a command or the sandbox",
        "A path leads outside the project root, a command is denied, or no sandbox can be had."
        " `TRY` does not catch it.",
        'VAR name = "../notes.txt"\nREAD "{{name}}" AS notes\nLOG notes',
        'VAR name = "notes.txt"\nIF FILE "{{name}}" EXISTS {\n    READ "{{name}}" AS notes\n'
        "    LOG notes\n}",
    ),
    Rule(
        "E302",
        "error",
        "`budget`: a budget is spent",
        "A command would exceed what `SET_BUDGET` or the operator allows. `TRY` does not catch it.",
        'SET_BUDGET RUN_COUNT = 1\nRUN "true"\nRUN "true"',
        'SET_BUDGET RUN_COUNT = 2\nRUN "true"\nRUN "true"',
    ),
    Rule(
        "E303",
        "error",
        "`human`: no answer, or a refusal",
        "A person was asked and said no, or nobody was there. `--answer` and `--yes` answer"
        " beforehand. `TRY` does not catch it.",
        'REQUEST_REVIEW "Shall the build directory go?"\nRUN "rm -rf build"',
        'LOG "The build directory goes."\nRUN "rm -rf build"',
    ),
)
