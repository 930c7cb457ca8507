"""Directives: lines that hold from where they stand to the end of their block."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

_ASKED = """\
# Run with: --agent echo

TASK "Ask for a poem"

%s
PROMPT_AGENT "Write a haiku." INTO poem
LOG poem
"""

WORDS = (
    Word(
        "@timeout",
        "directive",
        form="@timeout 30s",
        summary="Limits the time of each `RUN`.",
        details="It takes one duration. The lesser of this and `--timeout` (300 seconds) counts."
        " Past it the command is ended and the error `timeout` is raised, which can be caught.",
        example=plan("""\
TASK "Do not wait for long"

TRY {
    @timeout 200ms
    RUN "sleep 30"
    LOG "it took {{LAST_RUN.EXECUTION_TIME}} seconds"
} CATCH {
    ASSERT ERROR.KIND == "timeout"
}
"""),
        snippet="@timeout ${1:30s}",
    ),
    Word(
        "@retry",
        "directive",
        form="@retry 2",
        summary="Runs the body of its step again after an error, up to so many times more.",
        details="It is the first line of a `STEP`, and takes one whole number. Only errors that"
        " `TRY` could catch are tried again. Files and variables stay as they are.",
        example=plan("""\
TASK "Try until it works"

STEP "Count the attempts" {
    @retry 2
    RUN "echo x >> attempts; wc -l < attempts"
    ASSERT LAST_RUN.STDOUT == 3
}
"""),
        snippet="@retry ${1:2}",
    ),
    Word(
        "@cwd",
        "directive",
        form='@cwd "path"',
        summary="Names the directory in which each `RUN` runs.",
        details="The path is relative to the project, whatever `@cwd` holds outside. When it is no"
        " directory, the `RUN` raises `io`. Paths of `READ`, `WRITE` and the like are not changed.",
        example=plan("""\
TASK "Work in a directory"

MKDIR "sub"

STEP "There" {
    @cwd "sub"
    RUN "basename \\"$PWD\\""
    ASSERT LAST_RUN.STDOUT|trim == "sub"
}
"""),
        snippet='@cwd "${1:path}"',
    ),
    Word(
        "@env",
        "directive",
        form='@env "NAME=value"',
        summary="Sets a variable in the environment of each `RUN`.",
        details="It may be repeated, one line for each variable. The name is literal, the value"
        " may hold `{{…}}`. `PATH`, `HOME`, `TMPDIR`, `IFS`, `ENV`, `BASH_ENV`, `SHELLOPTS` and"
        " names that begin with `LD_` are refused (T107). `--env` wins.",
        example=plan("""\
TASK "Set a colour"

STEP "Show it" {
    @env "COLOUR=blue"
    RUN "echo $COLOUR"
    ASSERT LAST_RUN.STDOUT|trim == "blue"
}
"""),
        snippet='@env "${1:NAME}=${2:value}"',
    ),
    Word(
        "@persona",
        "directive",
        form='@persona "who the agent is"',
        summary="Tells the agent who it is to be.",
        details="Each `PROMPT_AGENT` in its block hands it over.",
        example=plan(_ASKED % '@persona "You are a careful poet."'),
        snippet='@persona "${1:who the agent is}"',
    ),
    Word(
        "@output",
        "directive",
        form='@output "json"',
        summary="Tells the agent what form its reply is to have.",
        details="Each `PROMPT_AGENT` in its block hands it over. It saves nothing to a file.",
        example=plan(_ASKED % '@output "text"'),
        snippet='@output "${1:json}"',
    ),
    Word(
        "@language",
        "directive",
        form='@language "Python"',
        summary="Tells the agent which language to write.",
        details="Each `PROMPT_AGENT` in its block hands it over.",
        example=plan(_ASKED % '@language "English"'),
        snippet='@language "${1:Python}"',
    ),
    Word(
        "@",
        "directive",
        form="@name value value",
        summary="Begins a directive, which holds to the end of its block, inner blocks included.",
        details="The innermost wins. A directive with a name that is not known is kept in the tree"
        " of the plan for other programs; the engine does nothing with it, and the linter says so"
        " (T212).",
        example=plan("""\
TASK "Leave a note for another program"

@speed "fast"  # tiss: ignore T212 (another program reads it)
LOG "hello"
"""),
    ),
)
