"""Comments that say something to TissLang."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

WORDS = (
    Word(
        "#TISS!",
        "header",
        form="#TISS! Language=Python",
        summary="Describes the plan by pairs of a key and a value.",
        details="It stands before the first statement; further down it is a plain comment (T213)."
        " `Language` is the one key that is known. A first line such as `#!/usr/bin/env -S tiss"
        " run` may stand above it.",
        example=plan("""\
TASK "Say hello"

LOG "hello"
"""),
        snippet="#TISS! Language=${1:Python}",
    ),
    Word(
        "#TISS_VERSION",
        "header",
        form="#TISS_VERSION >= 1.2",
        summary="Says which version of the language the plan needs.",
        details="The operators are `>=`, `==` and `<`. It may be repeated, and all must hold;"
        " otherwise the plan is refused (T010). It stands before the first statement.",
        example="""\
#TISS! Language=Python
#TISS_VERSION >= 1.2
#TISS_VERSION < 2.0

TASK "Say hello"

LOG "hello"
""",
        snippet="#TISS_VERSION >= ${1:1.2}",
    ),
    Word(
        "# tiss: ignore",
        "header",
        form="# tiss: ignore T203",
        summary="Silences findings of the linter on its line.",
        details="Alone on a line, it counts for the next line. Several codes stand with commas"
        " between them, and a remark may follow. Errors cannot be silenced.",
        example=plan("""\
TASK "Leave a number in the report"

VAR build = 7  # tiss: ignore T203 (the report shows it)
"""),
        snippet="# tiss: ignore ${1:T203}",
    ),
)
