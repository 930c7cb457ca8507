"""T201 to T219: the script runs, and perhaps not as it was meant."""

from __future__ import annotations

from tisslang.rules.rule import Rule

RULES = (
    Rule(
        "T201",
        "warning",
        "variable may be undefined",
        "Only some of the ways to this statement give the variable a value. On the others the run"
        " raises the error `undefined`.",
        'IF FILE "setup.cfg" EXISTS {\n    VAR config = "setup.cfg"\n}\nLOG config',
        'VAR config = "none"\nIF FILE "setup.cfg" EXISTS {\n    VAR config = "setup.cfg"\n}\n'
        "LOG config",
    ),
    Rule(
        "T202",
        "warning",
        "`LAST_RUN` may be unset",
        "Only some of the ways to this statement have a `RUN`.",
        'IF FILE "Makefile" EXISTS {\n    RUN "make"\n}\nASSERT LAST_RUN.EXIT_CODE == 0',
        'IF FILE "Makefile" EXISTS {\n    RUN "make"\n    ASSERT LAST_RUN.EXIT_CODE == 0\n}',
    ),
    Rule(
        "T203",
        "warning",
        "variable never read",
        "Nothing uses the value. The linter points at the first statement that gives the variable"
        " one. A name that begins with `_` says that this is meant.",
        "VAR x = 1",
        "VAR x = 1\nLOG x",
    ),
    Rule(
        "T204",
        "warning",
        "unreachable statement",
        "What comes before always fails, or the condition is always the other way. The linter"
        " points at the first statement that is never reached.",
        'ASSERT false\nLOG "done"',
        'LOG "done"',
    ),
    Rule(
        "T205",
        "warning",
        "sub-task never called",
        "No `CALL` has the name of this sub-task.",
        'DEFINE_TASK "clean" { LOG "cleaning" }',
        'DEFINE_TASK "clean" { LOG "cleaning" }\nCALL "clean"',
    ),
    Rule(
        "T206",
        "warning",
        "condition is constant",
        "The condition has literal values alone, so each run decides it in the same way.",
        "ASSERT 1 == 1",
        'RUN "wc -l data.txt"\nASSERT LAST_RUN.EXIT_CODE == 0',
    ),
    Rule(
        "T207",
        "warning",
        "result of `RUN` never checked",
        "A command that fails does not stop the plan. Any use of `LAST_RUN` before the next `RUN`"
        " counts as a check.",
        'RUN "make"',
        'RUN "make"\nASSERT LAST_RUN.EXIT_CODE == 0',
    ),
    Rule(
        "T208",
        "warning",
        "no `TASK`",
        "A fragment runs without one. A plan says what it is for.",
        'LOG "hello"',
        'TASK "Say hello"\nLOG "hello"',
    ),
    Rule(
        "T209",
        "info",
        "no `#TISS!` header",
        "The header names the language of what the plan writes.",
        'TASK "Say hello"\nLOG "hello"',
        '#TISS! Language=Python\nTASK "Say hello"\nLOG "hello"',
    ),
    Rule(
        "T210",
        "warning",
        "empty block",
        "The block holds no statement; comments do not count.",
        'STEP "Later" { }',
        'STEP "Later" {\n    LOG "to be done"\n}',
    ),
    Rule(
        "T212",
        "warning",
        "unknown directive",
        "Names without a meaning are kept for the agent. Perhaps it is a slip of the pen.",
        "@timout 30s",
        "@timeout 30s",
    ),
    Rule(
        "T213",
        "warning",
        "header or pragma outside the header zone",
        "After the first statement `#TISS!` and `#TISS_VERSION` are mere comments.",
        'TASK "Say hello"\n#TISS! Language=Python\nLOG "hello"',
        '#TISS! Language=Python\nTASK "Say hello"\nLOG "hello"',
    ),
    Rule(
        "T214",
        "info",
        "old spelling",
        "`THEN` is read and means nothing. `tiss fmt` and `tiss lint --fix` remove it.",
        'IF FILE "a" EXISTS THEN {\n    LOG "here"\n}',
        'IF FILE "a" EXISTS {\n    LOG "here"\n}',
    ),
    Rule(
        "T215",
        "info",
        "looks like interpolation, is not",
        "Only a name stands between the braces, a field, and perhaps a filter; descriptions are not"
        r" interpolated at all. Where the text is meant, write `\{{` or open the heredoc with"
        " `<<'WORD'`.",
        'VAR a = 1\nVAR b = 2\nLOG "{{ a + b }}"',
        'VAR a = 1\nVAR b = 2\nLOG "{{ a }} + {{ b }}"',
    ),
    Rule(
        "T216",
        "info",
        "interpolation in a file whose own syntax has `{{`",
        "In `*.html *.jinja* *.j2 *.vue *.yml *.yaml` the braces may have been meant for whoever"
        " reads the file.",
        'VAR name = "Ada"\nWRITE "page.html" <<HTML\n<p>{{name}}</p>\nHTML',
        "WRITE \"page.html\" <<'HTML'\n<p>{{name}}</p>\nHTML",
    ),
    Rule(
        "T218",
        "warning",
        "two `PARALLEL` branches write one literal path",
        "Which of the two files stays depends on which branch is slower.",
        'PARALLEL {\n    STEP "one" {\n        WRITE "out.txt" <<T\n1\nT\n    }\n'
        '    STEP "two" {\n        WRITE "out.txt" <<T\n2\nT\n    }\n}',
        'PARALLEL {\n    STEP "one" {\n        WRITE "one.txt" <<T\n1\nT\n    }\n'
        '    STEP "two" {\n        WRITE "two.txt" <<T\n2\nT\n    }\n}',
    ),
    Rule(
        "T219",
        "warning",
        "`LAST_RUN.STDOUT` without `trim` in a `RUN` or a path",
        "Commands end their output with a newline, which would become part of the argument or the"
        " path. `tiss lint --fix` adds the filter.",
        'RUN "ls data"\nRUN "cat -- {{LAST_RUN.STDOUT}}"\nASSERT LAST_RUN.EXIT_CODE == 0',
        'RUN "ls data"\nRUN "cat -- {{LAST_RUN.STDOUT|trim}}"\nASSERT LAST_RUN.EXIT_CODE == 0',
    ),
)
