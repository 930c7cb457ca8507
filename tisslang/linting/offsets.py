"""Where a place of the text that `decode` makes is in the script as it was given, and back.

A byte order mark at the start and the CRs of line ends are only in the latter.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from tisslang.syntax.source import BYTE_ORDER_MARK


class Offsets:
    """The offsets of one script, in code points; bytes count as the text that they are in UTF-8."""

    def __init__(self, original: str | bytes) -> None:
        text = original.decode() if isinstance(original, bytes) else original
        self.mark = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
        self.returns: list[int] = []  # where a CR stood: the place of its LF
        if "\r" in text:
            for count, match in enumerate(re.finditer("\r(?=\n)", text)):
                self.returns.append(match.start() - self.mark - count)

    def original(self, offset: int) -> int:
        """The offset in the script as it was given."""
        return offset + self.mark + bisect_left(self.returns, offset)

    def decoded(self, original: int) -> int:
        """The offset in the decoded text; one within a CRLF counts as the one before it."""
        offset = max(original - self.mark, 0)
        # The nth CR, from 0, stood n places behind where its LF is now.
        returns = self.returns
        gone = bisect_left(range(len(returns)), offset, key=lambda n: returns[n] + n)
        return offset - gone
