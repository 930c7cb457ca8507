"""The parts of a TextMate grammar, as its JSON wants them."""

from __future__ import annotations

from typing import Any

Rule = dict[str, Any]


def any_of(choices: tuple[str, ...] | list[str]) -> str:
    """One of these texts, as a regular expression."""
    return "(?:" + "|".join(choice.replace("?", r"\?") for choice in choices) + ")"


def match(pattern: str, name: str | None, *groups: str | None) -> Rule:
    """A rule for a piece of one line: its scope, and the scopes of its groups."""
    rule: Rule = {"match": pattern}
    if name:
        rule["name"] = name
    if groups:
        rule["captures"] = captures(*groups)
    return rule


def captures(*scopes: str | None) -> Rule:
    """Scopes of the groups, from 1; None is a group without one."""
    return {str(group): scope(name) for group, name in enumerate(scopes, 1) if name}


def scope(name: str) -> Rule:
    """A scope as the format wants it."""
    return {"name": name}
