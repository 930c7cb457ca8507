"""Which findings do not count while a statement is broken: it may be what they miss.

Somebody who has written `VAR name = ` is about to give the name its value. So what a broken
statement could refute is not said: about the names and sub-tasks in it; about `LAST_RUN`, where it
has a RUN; about who stands in which block, where a block may be lost.
"""

from __future__ import annotations

import re

from tisslang.syntax.lexer import NAME, Fault, Heredoc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.script import Script
    from tisslang.syntax.diagnostics import Diagnostic

_OF_A_NAME = frozenset({"T103", "T110", "T201", "T203", "T205"})
_OF_A_RUN = frozenset({"T111", "T202", "T207"})
_OF_BLOCKS = frozenset({"T102", "T104", "T105", "T106", "T108", "T204", "T218"})
_OF_THE_WAY = frozenset({"T110", "T111", "T201", "T202", "T207"})
_RUNS = frozenset({"RUN", "CALL", "LAST_RUN"})
_BRANCHING = frozenset(
    {"IF", "ELSE", "TRY", "CATCH", "PARALLEL", "CHOOSE", "DEFINE_TASK", "ESTIMATE_COST"}
)
_BETWEEN = frozenset({"NL", "{", "}", "EOF", "ELSE", "CATCH"})


class Doubts:
    """What the broken statements of a script leave open."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.is_broken = bool(script.errors)
        self.words = frozenset(re.findall(NAME, _broken_text(script)) if self.is_broken else ())
        # What stands in the blocks of a broken statement seems to stand around it.
        braces = ("T006", "T007", "T008")
        self.is_open = any(error.code in braces for error in script.errors)
        self.is_open = self.is_open or not self.words.isdisjoint(_BRANCHING)

    def refute(self, finding: Diagnostic) -> bool:
        """Whether the finding may be wrong once the statements are mended."""
        if not self.is_broken:
            return False
        code = finding.code
        if self.script.fault is not None or code in _OF_BLOCKS:
            return True
        if code in _OF_THE_WAY and self.is_open:
            return True
        if code in _OF_A_NAME:
            return bool(self.words & self.words_at(finding))
        if code in _OF_A_RUN:
            return bool(self.words & _RUNS)
        return code == "T208" and "TASK" in self.words

    def words_at(self, finding: Diagnostic) -> set[str]:
        """The words of what a finding is about; a CALL's name stands somewhere on its line."""
        script = self.script
        start = script.offset(finding.line, finding.column)
        end = script.offset(finding.end_line, finding.end_column)
        if finding.code == "T103":
            end = script.line_end(finding.line)
        return set(re.findall(NAME, script.text[start:end]))


def _broken_text(script: Script) -> str:
    """The lines with an error, and everything that belongs to no statement of the tree."""
    parts = []
    for error in script.errors:
        start = script.offset(error.line, 1)
        parts.append(script.text[start : script.line_end(error.line)])
    kept = {id(token) for each in script.source.statements for token in each.tokens}
    for token in script.tokens:
        if isinstance(token, Fault):
            parts.append(script.text[token.start : token.resume])
        elif id(token) not in kept and token.kind not in _BETWEEN:
            parts.append(token.text)
            if isinstance(token, Heredoc):
                parts.append(token.body)
    last = script.tokens[-2:][0]
    if isinstance(last, Fault):  # behind the last of very many nothing has been read
        parts.append(script.text[last.start :])
    return "\n".join(parts)
