"""Statements that do one thing each."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

WORDS = (
    Word(
        "READ",
        "command",
        form='READ "path" AS name',
        summary="Reads a file of text into a variable.",
        details="The error is `io` when the file is missing, is no regular file, or is larger than"
        " 16 MiB, and `decode` when it is not UTF-8. Both can be caught.",
        example=plan("""\
TASK "Read a note"

WRITE "note.txt" <<TEXT
hello
TEXT
READ "note.txt" AS note
ASSERT note CONTAINS "hello"
"""),
        snippet='READ "${1:path}" AS ${2:name}',
    ),
    Word(
        "WRITE",
        "command",
        form='WRITE "path" <<WORD',
        summary="Writes a text to a file, and makes the directories that are missing.",
        details="The text goes to a line that holds only `WORD`. It is interpolated; `<<'WORD'`"
        " takes it as it is, and `<<-WORD` lets the text and the closing word be indented. An"
        " older file is replaced in one step. `.git` and `.tiss` are refused.",
        example=plan("""\
TASK "Write a program"

WRITE "src/hello.py" <<'PYTHON'
print("hello")
PYTHON
ASSERT FILE "src/hello.py" EXISTS
"""),
        snippet='WRITE "${1:path}" <<-${2:TEXT}\n\t$0\n$2',
    ),
    Word(
        "RUN",
        "command",
        form='RUN "command"',
        summary="Runs a shell command in the sandbox, and waits for it.",
        details="What came of it is in `LAST_RUN`. A command that fails is no error of the plan:"
        " say what you expect with `ASSERT`. A value `{{name}}` reaches the command as exactly its"
        " characters, never as code. A script of several lines is a heredoc: `RUN <<SH`. The limit"
        " is 300 seconds (`@timeout`, `--timeout`); past it the error is `timeout`.",
        example=plan("""\
TASK "Greet somebody"

VAR who = "Ada O'Neil"
RUN "echo 'Hello, {{who}}!'"
ASSERT LAST_RUN.EXIT_CODE == 0
ASSERT LAST_RUN.STDOUT|trim == "Hello, Ada O'Neil!"
"""),
        snippet='RUN "${1:command}"\nASSERT LAST_RUN.EXIT_CODE == 0',
    ),
    Word(
        "ASSERT",
        "command",
        form="ASSERT condition",
        summary="States what must be true, and stops the plan when it is not.",
        details="The error `assert` shows both values and the end of the output of the latest"
        " `RUN`. It can be caught. Uncaught, the run ends with exit code 1.",
        example=plan("""\
TASK "Check a result"

RUN "echo 42"
ASSERT LAST_RUN.EXIT_CODE == 0
ASSERT LAST_RUN.STDOUT == 42
"""),
        snippet="ASSERT ${1:condition}",
    ),
    Word(
        "VAR",
        "command",
        form="VAR name = value",
        summary="Gives a variable a value.",
        details="The value is a text, a number, a duration, a boolean, another variable, or a"
        " heredoc. The name belongs to the whole plan. `VAR name ?= value` gives a value only when"
        " the name has none yet.",
        example=plan("""\
TASK "Use some variables"

VAR name = "Ada"
VAR year = 1815
VAR note = <<NOTE
{{name}} was born in {{year}}.
NOTE
LOG note|trim
"""),
        snippet="VAR ${1:name} = ${2:value}",
    ),
    Word(
        "LOG",
        "command",
        form='LOG "text"',
        summary="Writes a value to the log of the run.",
        details="It takes one value; join several with `{{…}}`.",
        example=plan("""\
TASK "Say something"

VAR count = 3
LOG "{{count}} files"
"""),
        snippet='LOG "${1:text}"',
    ),
    Word(
        "MKDIR",
        "command",
        form='MKDIR "path"',
        summary="Makes a directory, and the directories above it that are missing.",
        details="A directory that is there already is fine. When a file is in its place, the error"
        " is `io`.",
        example=plan("""\
TASK "Make room"

MKDIR "build/logs"
ASSERT FILE "build/logs" EXISTS
"""),
        snippet='MKDIR "${1:path}"',
    ),
    Word(
        "DELETE",
        "command",
        form='DELETE "path"',
        summary="Removes a file, a link, or an empty directory.",
        details="Of a link, the link goes and its target stays. When nothing is there, or the"
        " directory is not empty, the error is `io`.",
        example=plan("""\
TASK "Tidy up"

MKDIR "scratch"
DELETE "scratch"
ASSERT FILE "scratch" NOT EXISTS
"""),
        snippet='DELETE "${1:path}"',
    ),
    Word(
        "CALL",
        "command",
        form='CALL "name" WITH parameter = value, parameter = value',
        summary="Runs a sub-task.",
        details="It gives every parameter exactly once, by name (T104). The sub-task may be"
        " defined further down. No sub-task can call itself, so every plan ends (T105).",
        example=plan("""\
TASK "Write two files"

CALL "write" WITH path = "a.txt", text = "one"
CALL "write" WITH path = "b.txt", text = "two"
ASSERT FILE "b.txt" EXISTS

DEFINE_TASK "write" WITH path, text {
    WRITE "{{path}}" <<TEXT
{{text}}
TEXT
}
"""),
        snippet='CALL "${1:name}" WITH ${2:parameter} = ${3:value}',
    ),
    Word(
        "PROMPT_AGENT",
        "command",
        form='PROMPT_AGENT "text" INTO name',
        summary="Sends a text to the language model, and keeps its reply.",
        details="The operator chooses the model with `--agent`; without one the error is `agent`,"
        " which can be caught. The model sees the prompt and the directives `@persona`, `@output`"
        " and `@language`, nothing else. A long prompt is a heredoc: `PROMPT_AGENT INTO name"
        " <<TEXT`. Without `INTO` the reply is dropped.",
        example=plan("""\
# Run with: --agent echo

TASK "Ask for a correction"

VAR draft = "teh cat"
PROMPT_AGENT "Correct this: {{draft}}" INTO reply
LOG reply
"""),
        snippet='PROMPT_AGENT "${1:text}" INTO ${2:reply}',
    ),
    Word(
        "SET_BUDGET",
        "command",
        form="SET_BUDGET API_CALLS = 10",
        summary="Limits what the run may use, from here to its end.",
        details="The budgets are `API_CALLS`, `TOKEN_COUNT`, `RUN_COUNT`, `COST` and"
        " `EXECUTION_TIME`. The counts begin at the start of the run. What would go beyond a"
        " budget is refused with the error `budget`, which cannot be caught (exit code 6). A plan"
        " never gets more than `--budget` allows.",
        example=plan("""\
TASK "Run one command and no more"

SET_BUDGET RUN_COUNT = 1
RUN "echo one"
ASSERT COST.RUNS == 1
ASSERT LAST_RUN.EXIT_CODE == 0
"""),
        snippet="SET_BUDGET ${1|API_CALLS,TOKEN_COUNT,RUN_COUNT,COST,EXECUTION_TIME|} = ${2:10}",
    ),
    Word(
        "PAUSE",
        "command",
        form='PAUSE "why"',
        summary="Waits until a person goes on.",
        details="The next `--answer` answers it, or `--yes`, or the person. A no, or nobody to"
        " ask, ends the run with exit code 7; it cannot be caught.",
        example=plan("""\
# Run with: --yes

TASK "Wait for a person"

PAUSE "Put the paper into the printer."
LOG "printing"
"""),
        snippet='PAUSE "${1:why}"',
    ),
    Word(
        "REQUEST_REVIEW",
        "command",
        form='REQUEST_REVIEW "what to look at"',
        summary="Asks a person whether to go on, yes or no.",
        details="The next `--answer` answers it, or `--yes`, or the person. A no, or nobody to"
        " ask, ends the run with exit code 7; it cannot be caught.",
        example=plan("""\
# Run with: --answer yes

TASK "Release with approval"

WRITE "release.txt" <<TEXT
version 2
TEXT
REQUEST_REVIEW "Is release.txt right?"
LOG "released"
"""),
        snippet='REQUEST_REVIEW "${1:what to look at}"',
    ),
)
