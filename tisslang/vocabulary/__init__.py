"""Every word of the language, for editors, for colours, and for the page of words.

The parser has its own lists, which are all that a run needs; a test keeps both the same.
"""

from __future__ import annotations

from tisslang.vocabulary import (
    blocks,
    budgets,
    clauses,
    commands,
    conditions,
    directives,
    fields,
    filters,
    headers,
    reserved,
    values,
)
from tisslang.vocabulary.word import Word

__all__ = ["BY_NAME", "KINDS", "WORDS", "Word", "words"]

WORDS: tuple[Word, ...] = (
    *blocks.WORDS,
    *commands.WORDS,
    *clauses.WORDS,
    *conditions.WORDS,
    *values.CONSTANTS,
    *values.VALUES,
    *fields.WORDS,
    *directives.WORDS,
    *filters.WORDS,
    *budgets.WORDS,
    *headers.WORDS,
    *reserved.WORDS,
)
KINDS = tuple(dict.fromkeys(word.kind for word in WORDS))
# COST is a value and a budget: its name leads to the value.
BY_NAME: dict[str, Word] = {word.name: word for word in reversed(WORDS)}


def words(kind: str) -> tuple[Word, ...]:
    """The words of one kind; that is how to get at the budget COST."""
    return tuple(word for word in WORDS if word.kind == kind)
