"""Budgets: what SET_BUDGET and `--budget` can limit."""

from __future__ import annotations

from tisslang.vocabulary.word import Word, plan

_ASKED = """\
# Run with: --agent echo

TASK "Stay within a budget"

%s
PROMPT_AGENT "Write a haiku." INTO poem
LOG poem
"""

WORDS = (
    Word(
        "API_CALLS",
        "budget",
        form="SET_BUDGET API_CALLS = 10",
        summary="Limits how often the agent is asked.",
        example=plan(_ASKED % "SET_BUDGET API_CALLS = 1"),
        snippet="API_CALLS = ${1:10}",
    ),
    Word(
        "TOKEN_COUNT",
        "budget",
        form="SET_BUDGET TOKEN_COUNT = 5000",
        summary="Limits the tokens that go to and from the agent.",
        details="The next call counts beforehand as the words of its prompt and 256 tokens.",
        example=plan(_ASKED % "SET_BUDGET TOKEN_COUNT = 1000"),
        snippet="TOKEN_COUNT = ${1:5000}",
    ),
    Word(
        "RUN_COUNT",
        "budget",
        form="SET_BUDGET RUN_COUNT = 20",
        summary="Limits how many commands are run.",
        example=plan("""\
TASK "Run two commands at most"

SET_BUDGET RUN_COUNT = 2
RUN "true"
ASSERT LAST_RUN.EXIT_CODE == 0
"""),
        snippet="RUN_COUNT = ${1:20}",
    ),
    Word(
        "COST",
        "budget",
        form="SET_BUDGET COST = 2.5",
        summary="Limits `COST.TOTAL`.",
        details="One call of the agent costs 1, and a thousand tokens cost 1, unless the operator"
        " set other rates.",
        example=plan(_ASKED % "SET_BUDGET COST = 2.5"),
        snippet="COST = ${1:2.5}",
    ),
    Word(
        "EXECUTION_TIME",
        "budget",
        form="SET_BUDGET EXECUTION_TIME = 5m",
        summary="Limits the time of the whole run, from its start.",
        details="It takes a duration, or a number of seconds. A command that runs when the time is"
        " up is ended.",
        example=plan("""\
TASK "Be done in five minutes"

SET_BUDGET EXECUTION_TIME = 5m
RUN "true"
ASSERT LAST_RUN.EXIT_CODE == 0
"""),
        snippet="EXECUTION_TIME = ${1:5m}",
    ),
)
