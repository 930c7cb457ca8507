"""T101 to T111: the script is certain to fail. `check` and `run` refuse it before any effect."""

from __future__ import annotations

from tisslang.rules.rule import Rule

RULES = (
    Rule(
        "T101",
        "error",
        "second `TASK`",
        "A script has one `TASK`. What belongs to it is grouped by `STEP`.",
        'TASK "Build"\nTASK "Test"',
        'TASK "Build and test"\nSTEP "Build" { LOG 1 }\nSTEP "Test" { LOG 2 }',
    ),
    Rule(
        "T102",
        "error",
        "statement in the wrong place",
        "Some statements have their places: `TASK` at top level, `OPTION` in `CHOOSE`, `ERROR` in"
        " `CATCH`, only `STEP` in `PARALLEL`.",
        'PARALLEL {\n    LOG "both at once"\n}',
        'PARALLEL {\n    STEP "one" { LOG 1 }\n    STEP "two" { LOG 2 }\n}',
    ),
    Rule(
        "T103",
        "error",
        "unknown sub-task",
        "No `DEFINE_TASK` has this name. Upper and lower case differ.",
        'CALL "compile"',
        'DEFINE_TASK "compile" { LOG "compiling" }\nCALL "compile"',
    ),
    Rule(
        "T104",
        "error",
        "arguments do not match",
        "A call gives each parameter of the sub-task once, by its name, and nothing else.",
        'DEFINE_TASK "show" WITH file { LOG file }\nCALL "show" WITH path = "a.py"',
        'DEFINE_TASK "show" WITH file { LOG file }\nCALL "show" WITH file = "a.py"',
    ),
    Rule(
        "T105",
        "error",
        "recursion",
        "A sub-task calls itself, perhaps through others. Every plan ends, so this is not allowed.",
        'DEFINE_TASK "again" { CALL "again" }\nCALL "again"',
        'DEFINE_TASK "again" { LOG "once" }\nCALL "again"\nCALL "again"',
    ),
    Rule(
        "T106",
        "error",
        "duplicate name",
        "Two sub-tasks, or two parameters of one sub-task, have the same name.",
        'DEFINE_TASK "show" WITH file, file { LOG file }\nCALL "show" WITH file = 1',
        'DEFINE_TASK "show" WITH file, line { LOG "{{file}}:{{line}}" }\n'
        'CALL "show" WITH file = "a.py", line = 1',
    ),
    Rule(
        "T107",
        "error",
        "unknown field, filter or budget; malformed directive",
        "The name does not exist, or the value does not fit. Fields are upper case; the filters are"
        " `raw`, `trim` and `json`.",
        'RUN "date"\nLOG LAST_RUN.stdout',
        'RUN "date"\nLOG LAST_RUN.STDOUT',
    ),
    Rule(
        "T108",
        "error",
        "two `PARALLEL` branches assign one name",
        "When all branches have ended their variables are merged, and it would be unclear which"
        " value stays.",
        'PARALLEL {\n    STEP "one" { VAR x = 1 }\n    STEP "two" { VAR x = 2 }\n}\nLOG x',
        'PARALLEL {\n    STEP "one" { VAR x = 1 }\n    STEP "two" { VAR y = 2 }\n}\n'
        'LOG "{{x}} {{y}}"',
    ),
    Rule(
        "T109",
        "error",
        "reference in an unsupported shell context",
        "The value could not be inserted so that the shell reads exactly this value. The hint says"
        " what to write instead.",
        'VAR day = "today"\nRUN "echo `date -d {{day}}`"\nASSERT LAST_RUN.EXIT_CODE == 0',
        'VAR day = "today"\nRUN "echo $(date -d {{day}})"\nASSERT LAST_RUN.EXIT_CODE == 0',
    ),
    Rule(
        "T110",
        "error",
        "variable certainly undefined",
        "No statement that could have run before this one gives the variable a value.",
        "LOG greeting",
        'VAR greeting = "hello"\nLOG greeting',
    ),
    Rule(
        "T111",
        "error",
        "`LAST_RUN` certainly undefined",
        "No `RUN` can have ended before this statement.",
        "ASSERT LAST_RUN.EXIT_CODE == 0",
        'RUN "true"\nASSERT LAST_RUN.EXIT_CODE == 0',
    ),
)
