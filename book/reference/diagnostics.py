"""Writes diagnostics.md from the list of all codes: `python book/reference/diagnostics.py`."""

from __future__ import annotations

from pathlib import Path

from tisslang.rules import RULES, Rule

PAGE = Path(__file__).with_suffix(".md")
MAX_LINES = 12

_INTRODUCTION = """\
# Diagnostics

Everything that TissLang can find wrong with a plan has a code. *Errors* of syntax (T0) and static
errors (T1) are certain to fail: `tiss check` finds them, and `tiss run` refuses the plan before it
does anything. `tiss lint` finds them too, and what runs but may not be meant (T2) or may do harm
(T3). A run that goes wrong ends with one of the codes that begin with E.

A finding of `tiss lint` is silenced by a comment, at the end of its line or alone on the line
before. Several codes stand with commas between them, and a remark may follow:

```tiss
VAR build = 7  # tiss: ignore T203 (the report shows it)
```

For what a heredoc holds, the comment may also stand with the line that opens the heredoc. Errors of
syntax and static errors cannot be silenced. `--select` and `--ignore` take codes or their
beginnings, such as `T2`; `--fix` mends what can be mended safely: T214 and T219.

Each example is run by a test. This page is made by `python book/reference/diagnostics.py`.
"""
_GROUPS = {
    "T0": "Syntax",
    "T1": "Static errors",
    "T2": "Plans that may not do what was meant",
    "T3": "Plans that may do harm",
    "E": "Errors of a run",
}


def page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, _table()]
    for beginning, title in _GROUPS.items():
        rules = [rule for rule in RULES if rule.code.startswith(beginning)]
        parts += [f"## {title}\n", *map(_section, rules)]
    return "\n".join(parts)


def _table() -> str:
    rows = []
    for rule in RULES:
        title = rule.title.replace("|", "\\|")
        rows.append(f"| [{rule.code}](#{rule.code.lower()}) | {rule.severity} | {title} |")
    return "\n".join(["| Code | Severity | Finding |", "|---|---|---|", *rows]) + "\n"


def _section(rule: Rule) -> str:
    return f"""\
### {rule.code}

**{rule.title}** ({rule.severity}). {rule.meaning}

```tiss
{_shown(rule.failing)}
```

Instead:

```tiss
{_shown(rule.mended)}
```
"""


def _shown(script: str) -> str:
    """A script as a page can show it: cut where it is long, its invisible characters by name."""
    lines = script.rstrip("\n").split("\n")
    if len(lines) > MAX_LINES:
        lines = [*lines[:3], f"# … and so on, {len(lines)} lines"]
    return "\n".join("".join(map(_visible, line)) for line in lines)


def _visible(character: str) -> str:
    return character if character.isprintable() else f"⟨U+{ord(character):04X}⟩"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
