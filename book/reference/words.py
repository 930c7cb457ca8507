"""Writes words.md from the list of all words: `python book/reference/words.py`."""

from __future__ import annotations

import re
from pathlib import Path

from tisslang.vocabulary import Word, words

PAGE = Path(__file__).with_suffix(".md")

_INTRODUCTION = """\
# The words of TissLang

This page has every word of the language: how it is written, what it means, and a small plan that
uses it. [The language guide](language.md) tells how they go together, and is the place to begin.
[The list of diagnostics](diagnostics.md) explains what can be wrong with a plan.

In the forms, `…` stands for statements. Each example is checked and run by a test. One that begins
with `# Run with: --yes` wants this flag: `tiss run --yes plan.tiss`.

In an editor the same texts come up when the pointer rests on a word. This page is made by
`python book/reference/words.py`.
"""
# Title, kinds, and what to know about all words of the group.
_GROUPS = (
    (
        "Blocks",
        ("block",),
        "They hold other statements. The guide has more on [steps](language.md#steps), on"
        " [decisions](language.md#decisions), and on what to do"
        " [when something fails](language.md#when-something-fails).",
    ),
    (
        "Commands",
        ("command",),
        "Each does one thing. A command may stand anywhere a statement may; a `STEP` groups and"
        " names, nothing more.",
    ),
    ("Clauses", ("clause",), "They go on with a statement."),
    (
        "Conditions",
        ("condition",),
        "They follow `ASSERT` and `IF`, and are explained in"
        " [the guide](language.md#conditions). A single boolean is a condition too.",
    ),
    (
        "Values",
        ("constant", "value"),
        "Two constants, and three values that the engine gives. Texts, numbers and variables are"
        " explained in [the guide](language.md#values-and-variables).",
    ),
    ("Fields", ("field",), "They follow `LAST_RUN`, `ERROR` or `COST`, with a dot between."),
    (
        "Directives",
        ("directive",),
        "A directive holds from its line to the end of its block, inner blocks included, and the"
        " innermost wins. See [the guide](language.md#directives).",
    ),
    (
        "Filters",
        ("filter",),
        "One may follow a name and a `|`, inside `{{…}}` and outside of texts. See"
        " [the guide](language.md#texts).",
    ),
    (
        "Budgets",
        ("budget",),
        "They follow `SET_BUDGET`, and `--budget` on the command line. See"
        " [the guide](language.md#choices-and-costs).",
    ),
    (
        "Comments with a meaning",
        ("header",),
        "All other comments are for people. See [the guide](language.md#the-header).",
    ),
    (
        "Reserved words",
        ("reserved",),
        "They have no meaning yet, and cannot be names: outside of texts they are the error T001."
        " What to write in their place stands with each.",
    ),
)
# Where the guide tells more about a word than about its group.
_GUIDE = {
    "TASK": "a-first-plan",
    "DEFINE_TASK": "sub-tasks",
    "CALL": "sub-tasks",
    "WITH": "sub-tasks",
    "PARALLEL": "side-by-side",
    "CHOOSE": "choices-and-costs",
    "OPTION": "choices-and-costs",
    "ESTIMATE_COST": "choices-and-costs",
    "SET_BUDGET": "choices-and-costs",
    "COST": "choices-and-costs",
    "READ": "files",
    "WRITE": "files",
    "MKDIR": "files",
    "DELETE": "files",
    "RUN": "commands",
    "LAST_RUN": "commands",
    "ASSERT": "conditions",
    "VAR": "values-and-variables",
    "?=": "values-and-variables",
    "PROMPT_AGENT": "asking-a-language-model",
    "INTO": "asking-a-language-model",
    "PAUSE": "asking-a-person",
    "REQUEST_REVIEW": "asking-a-person",
    "CATCH": "when-something-fails",
    "ERROR": "when-something-fails",
    "ELSE": "decisions",
    "raw": "a-value-is-never-code",
}
_CODE = re.compile(r"\b([TE]\d{3})\b")


def page() -> str:
    """The whole page."""
    links = [f"[{title}](#{_slug(title)})" for title, _, _ in _GROUPS]
    parts = [_INTRODUCTION, " · ".join(links) + "\n"]
    for title, kinds, about in _GROUPS:
        group = [word for kind in kinds for word in words(kind)]
        parts += [f"## {title}\n", _linked(about) + "\n", _table(group), *map(_section, group)]
    return "\n".join(parts)


def _table(group: list[Word]) -> str:
    rows = []
    for word in group:
        name, summary = (text.replace("|", "\\|") for text in (word.name, word.summary))
        anchor = f"[`{name}`](#{_anchor(word)})" if _anchor(word) else f"`{name}`"
        rows.append(f"| {anchor} | {summary} |")
    return "\n".join(["| Word | Meaning |", "|---|---|", *rows]) + "\n"


def _section(word: Word) -> str:
    about = " ".join(filter(None, [word.summary, _linked(word.details)]))
    if word.name in _GUIDE and word.kind != "budget":
        about += f" [More in the guide](language.md#{_GUIDE[word.name]})."
    parts = [f"### `{word.name}`\n", f"Form: `{word.form}`\n", about + "\n"]
    if word.example:
        parts.append(f"```tiss\n{_shown(word)}```\n")
    return "\n".join(parts)


def _shown(word: Word) -> str:
    """The example, without the header line that it has in common with all others."""
    if word.kind == "header":
        return word.example
    return word.example.partition("\n")[2].lstrip("\n")


def _linked(text: str) -> str:
    """Codes of diagnostics as links."""
    return _CODE.sub(lambda match: f"[{match[1]}](diagnostics.md#{match[1].lower()})", text)


def _anchor(word: Word) -> str:
    """Where the section of a word is on the page; empty for words of signs alone."""
    if word.kind == "budget" and word.name == "COST":
        return "cost-1"  # the second heading with this name
    return _slug(word.name)


def _slug(heading: str) -> str:
    """The anchor that renderers make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
