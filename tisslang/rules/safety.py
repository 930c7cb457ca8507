"""T301 to T310: what can do harm, by accident or by somebody's will."""

from __future__ import annotations

from tisslang.rules.rule import Rule

RULES = (
    Rule(
        "T301",
        "error",
        "literal path leaves the root or is absolute",
        "Paths are relative to the project root and stay below it. A run refuses all others.",
        'READ "../notes.txt" AS notes\nLOG notes',
        'READ "notes.txt" AS notes\nLOG notes',
    ),
    Rule(
        "T302",
        "error",
        "denied command",
        "The command policy denies this command: what it removes or stops cannot be mended.",
        'RUN "rm -rf /"',
        'RUN "rm -rf build"',
    ),
    Rule(
        "T303",
        "warning",
        "command that needs approval",
        "The command acts as another user, talks to other machines, or runs what is piped into it."
        " Before it starts a person is asked.",
        'RUN "sudo make install"',
        'RUN "make install PREFIX=local"',
    ),
    Rule(
        "T304",
        "warning",
        "`|raw` in `RUN`",
        "The value is inserted without quotes: whatever it holds is read as part of the command.",
        'VAR flags = "-l -a"\nRUN "ls {{flags|raw}}"',
        'RUN "ls -l -a"',
    ),
    Rule(
        "T305",
        "warning",
        "a reference in the part that a command runs as code",
        "Quoting protects one level of interpretation, and the command interprets the value once"
        " more. Hand the value over as an argument.",
        'VAR name = "Ada"\nRUN "sh -c \'echo {{name}}\'"',
        'VAR name = "Ada"\nRUN "sh -c \'echo \\"$1\\"\' sh {{name}}"',
    ),
    Rule(
        "T306",
        "error",
        "looks like a secret",
        "A plan is read, shared and stored. Give secrets from outside, with `--secret NAME`.",
        'VAR key = "AKIAIOSFODNN7EXAMPLE"\nLOG key',
        'VAR key ?= ""\nASSERT key NOT IS_EMPTY',
    ),
    Rule(
        "T307",
        "warning",
        "sensitive file",
        "Files such as `.env`, `id_rsa`, `*.pem` and those in `.ssh` usually hold secrets.",
        'READ ".env" AS settings\nLOG settings',
        'READ "settings.ini" AS settings\nLOG settings',
    ),
    Rule(
        "T308",
        "error",
        "download piped into an interpreter",
        "What is downloaded runs before anybody has seen it, and perhaps only half of it.",
        'RUN "curl https://example.org/install.sh | sh"',
        'RUN "curl -o install.sh https://example.org/install.sh"\n'
        'REQUEST_REVIEW "Look at install.sh. Shall it run?"\nRUN "sh install.sh"',
    ),
    Rule(
        "T309",
        "error",
        "bidirectional control character",
        "The characters U+202A to U+202E and U+2066 to U+2069 change the order in which text is"
        " shown, so that a plan looks different from what it does.",
        'LOG "safe \u202e txet"',
        'LOG "safe text"',
    ),
    Rule(
        "T310",
        "info",
        "a reference begins an argument, or is the command itself",
        "A value that begins with `-` would be read as an option; after `--` or `./` it is not.",
        'VAR file = "notes.txt"\nRUN "rm {{file}}"',
        'VAR file = "notes.txt"\nRUN "rm -- {{file}}"',
    ),
)
