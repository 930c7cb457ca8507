"""The words of TissLang as plain lists, for whatever has lists of its own: grammars and lexers.

All come from `tisslang.vocabulary`, which a test keeps equal to what the parser knows.
"""

from tisslang.vocabulary import words


def _names(*kinds: str) -> list[str]:
    return [word.name for kind in kinds for word in words(kind)]


STATEMENTS = _names("block", "command")
BLOCKS = _names("block")
COMMANDS = _names("command")
# Words that go on with a statement or a condition; the operators are apart.
CLAUSES = [name for name in _names("clause", "condition") if name.isidentifier()]
CONDITIONS = [name for name in _names("condition") if name.isidentifier()]
OPERATORS = [name for name in _names("clause", "condition") if not name.isidentifier()]
CONSTANTS = _names("constant")
VALUES = _names("value")  # LAST_RUN, ERROR, COST
# The fields of each value, without its name: {"ERROR": ["KIND", …], …}.
FIELDS = {
    value: [name.partition(".")[2] for name in _names("field") if name.startswith(f"{value}.")]
    for value in VALUES
}
# Without the `@`, and without the entry that stands for all other directives.
DIRECTIVES = [name[1:] for name in _names("directive") if name != "@"]
FILTERS = _names("filter")
BUDGETS = _names("budget")
HEADERS = _names("header")
RESERVED = _names("reserved")  # without a meaning yet
# Every word that cannot be a name.
ALL_RESERVED = [*STATEMENTS, *CLAUSES, *CONSTANTS, *VALUES, *RESERVED]
