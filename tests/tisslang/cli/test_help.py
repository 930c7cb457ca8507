"""The help of each command, word for word: it is read here as a person reads it."""

from pathlib import Path

import pytest
from tiss_process import tiss

HELP = {}
HELP[""] = """\
usage: tiss [-h] [--version] COMMAND ...

Run and check TissLang plans.

options:
  -h, --help  show this help message and exit
  --version   print the versions

commands:
  COMMAND
    run       run a plan in a sandbox
    check     find syntax and static errors
    lint      find errors, and what is probably not meant
    fmt       lay out scripts in the one style
    ast       print the syntax tree as JSON
    list      show what a plan holds and needs
    lsp       be the language server of an editor
    doctor    show which sandbox this machine allows
    version   print the versions
"""
HELP["run"] = """\
usage: tiss run [flags] FILE

run a plan in a sandbox

positional arguments:
  FILE                          the plan, or - for standard input

options:
  -h, --help                    show this help message and exit
  --root DIR                    the project directory (default: the current)
  --dry-run                     walk the plan and show it, without any effect
  --var NAME=VALUE              set a variable, to a text
  --secret NAME                 set a variable from the environment; shown as ***
  --events FILE                 write the events to FILE, one JSON object a line
  --junit FILE                  write a report in JUnit's XML, which CI servers read
  --output-format {text,json,jsonl}
                                for people (default), or one JSON object, or the events, one a
                                line
  --color {auto,always,never}   auto: in a terminal, unless NO_COLOR is set
  --debug                       show Python's tracebacks of internal errors

which steps:
  --step TEXT                   run this top-level step only (may be repeated)
  --from-step TEXT              run from this top-level step on
  --keep-going                  after an error go on with the next top-level step
  --jobs N                      branches of a PARALLEL at once (default: 4)

questions:
  --answer TEXT                 answer to the next question (may be repeated)
  --yes                         answer yes to the others
  --non-interactive             ask nobody: what is not answered ends the run

the agent and its costs:
  --agent SPEC                  none, echo, canned:FILE, qt:CHECKPOINT or http:URL (default:
                                none)
  --choose-by {agent}           let the agent decide CHOOSE
  --budget R=V                  limit of API_CALLS, TOKEN_COUNT, RUN_COUNT, COST or
                                EXECUTION_TIME, as COST=2.5

what RUN may do:
  --env NAME=VALUE              environment for RUN
  --timeout DUR                 limit for each RUN (default: 300s)
  --max-output BYTES            kept of each stream (default: 10M)
  --max-memory BYTES            memory for each RUN (default: 4G; strict: 1G)
  --max-disk BYTES              disk for each RUN (default: 4G; strict: 1G)
  --max-processes N             processes and threads for each RUN (default: 512; strict: 64)
  --sandbox-profile P           standard, strict or none
  --allow-network               let RUN reach the network
  --allow-command NAME          ask nothing for, and permit this command
  --deny-command NAME           refuse this command
"""
HELP["check"] = """\
usage: tiss check [flags] FILE...

find syntax and static errors

positional arguments:
  FILE                         plans, or - for standard input

options:
  -h, --help                   show this help message and exit
  --var NAME=VALUE             take the variable as set, as a run would
  --secret NAME                take the variable as set, as a run would
  --output-format {text,json}  for people (default), or one JSON object
  --color {auto,always,never}  auto: in a terminal, unless NO_COLOR is set
  --debug                      show Python's tracebacks of internal errors
"""
HELP["lint"] = """\
usage: tiss lint [flags] FILE...

find errors, and what is probably not meant

positional arguments:
  FILE                          plans, or - for standard input

options:
  -h, --help                    show this help message and exit
  --var NAME=VALUE              take the variable as set, as a run would
  --secret NAME                 take the variable as set, as a run would
  --fail-on {info,warning,error}
                                exit 1 from this severity on (default: warning)
  --select CODES                these rules only: codes or their beginnings, as T2 or T203
  --ignore CODES                all but these rules: codes or their beginnings, as T2 or T203
  --fix                         make the edits that are safe and plainly meant
  --output-format {text,json}   for people (default), or one JSON object
  --color {auto,always,never}   auto: in a terminal, unless NO_COLOR is set
  --debug                       show Python's tracebacks of internal errors
"""
HELP["fmt"] = """\
usage: tiss fmt [flags] FILE...

lay out scripts in the one style

positional arguments:
  FILE                         scripts, or - for standard input

options:
  -h, --help                   show this help message and exit
  --check                      only list the files that would change
  --diff                       only show the changes, as diff -u does
  --output-format {text,json}  for people (default), or one JSON object
  --color {auto,always,never}  auto: in a terminal, unless NO_COLOR is set
  --debug                      show Python's tracebacks of internal errors
"""
HELP["ast"] = """\
usage: tiss ast [flags] FILE

print the syntax tree as JSON

positional arguments:
  FILE                         the plan, or - for standard input

options:
  -h, --help                   show this help message and exit
  --output-format {text,json}  for people (default), or one JSON object
  --color {auto,always,never}  auto: in a terminal, unless NO_COLOR is set
  --debug                      show Python's tracebacks of internal errors
"""
HELP["list"] = """\
usage: tiss list [flags] FILE

show what a plan holds and needs

positional arguments:
  FILE                         the plan, or - for standard input

options:
  -h, --help                   show this help message and exit
  --output-format {text,json}  for people (default), or one JSON object
  --color {auto,always,never}  auto: in a terminal, unless NO_COLOR is set
  --debug                      show Python's tracebacks of internal errors
"""
HELP["lsp"] = """\
usage: tiss lsp [flags]

be the language server of an editor

options:
  -h, --help                   show this help message and exit
  --stdio                      talk over standard input and output, which is what happens anyway
  --output-format {text,json}  for people (default), or one JSON object
  --color {auto,always,never}  auto: in a terminal, unless NO_COLOR is set
  --debug                      show Python's tracebacks of internal errors

It needs pygls: pip install "quantatissu[editor]". An editor starts the server by itself and
talks to it over standard input and output.

VS Code      install the extension (make vscode builds it); it finds `tiss` in the .venv of the
             workspace, else on the PATH

Neovim 0.11  in init.lua:
               vim.filetype.add({ extension = { tiss = "tiss" } })
               vim.lsp.config("tiss", { cmd = { "tiss", "lsp" }, filetypes = { "tiss" },
                                        root_markers = { ".git" } })
               vim.lsp.enable("tiss")

JupyterLab   pip install jupyterlab-lsp, then in jupyter_server_config.py:
               c.LanguageServerManager.language_servers = {"tiss": {"version": 2,
                 "argv": ["tiss", "lsp"], "languages": ["tiss"],
                 "mime_types": ["text/x-tisslang"]}}

Others       the command is `tiss lsp`, the files are *.tiss, the language is called tiss
"""
HELP["doctor"] = """\
usage: tiss doctor [flags]

show which sandbox this machine allows

options:
  -h, --help                   show this help message and exit
  --output-format {text,json}  for people (default), or one JSON object
  --color {auto,always,never}  auto: in a terminal, unless NO_COLOR is set
  --debug                      show Python's tracebacks of internal errors
"""
HELP["version"] = """\
usage: tiss version [flags]

print the versions

options:
  -h, --help                   show this help message and exit
  --output-format {text,json}  for people (default), or one JSON object
  --color {auto,always,never}  auto: in a terminal, unless NO_COLOR is set
  --debug                      show Python's tracebacks of internal errors
"""


@pytest.mark.parametrize("command", HELP)
def test_the_help(tmp_path: Path, command: str) -> None:
    """It is as wide whatever the terminal, so that it needs no time to find out."""
    for flag in ("--help", "-h"):
        words = [command, flag] if command else [flag]
        done = tiss(*words, cwd=tmp_path, env={"COLUMNS": "40"})
        assert done == (0, HELP[command], "")


def test_every_flag_of_the_reference_is_there() -> None:
    flags = """--root --dry-run --output-format --events --var --timeout --max-output --max-memory
    --max-processes --max-disk --sandbox-profile --allow-network --non-interactive --answer --yes
    --allow-command --deny-command --env --keep-going --agent --jobs --budget --choose-by --secret
    --step --from-step --junit --color"""
    for flag in flags.split():
        assert f"\n  {flag} " in HELP["run"] or f"\n  {flag}\n" in HELP["run"]
    for command in HELP.keys() - {""}:
        assert "--output-format {text,json" in HELP[command]
        assert "--color {auto,always,never}" in HELP[command]
    assert max(len(line) for text in HELP.values() for line in text.splitlines()) <= 96
