"""Comments that silence findings: `# tiss: ignore T203, T204`, with a remark behind if you like.

At the end of a line it counts for that line; alone on a line for the line itself and the next one
that holds more than a comment. What a heredoc holds counts for the line of its opener too. A code
that is unknown, or that finds nothing there, does no harm. Errors of syntax and static errors are
never silenced.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from tisslang.linting.source import Source
from tisslang.syntax.diagnostics import Diagnostic
from tisslang.syntax.lexer import Heredoc

_CODE = re.compile(r"T\d{3}")
_IGNORE = re.compile(r"#[ \t]*tiss:[ \t]*ignore[ \t]+(T\d{3}(?:[ \t]*,[ \t]*T\d{3})*+)(?!\w)")


class Suppressions:
    """The codes that comments silence, by line."""

    def __init__(self, source: Source) -> None:
        self.by_line: dict[int, set[str]] = {}
        for comment in source.comments:
            match = _IGNORE.match(comment.text)
            codes = set(_CODE.findall(match[1])) if match else set()
            codes |= self.by_line.get(comment.line, set())  # from the comment above
            if codes:
                self.by_line[comment.line] = codes
                before = source.text[source.line_starts[comment.line - 1] : comment.start]
                if not before.strip():
                    self.by_line[comment.line + 1] = codes
        heredocs = [token for token in source.tokens if isinstance(token, Heredoc)]
        self.openers = [token.line for token in heredocs]
        self.ends = [token.end_line for token in heredocs]

    def silence(self, finding: Diagnostic) -> bool:
        """Whether a comment silences the finding."""
        if not self.by_line:
            return False
        lines = [finding.line]
        index = bisect_right(self.openers, finding.line) - 1
        if index >= 0 and finding.line <= self.ends[index]:
            lines.append(self.openers[index])
        return any(finding.code in self.by_line.get(line, ()) for line in lines)
