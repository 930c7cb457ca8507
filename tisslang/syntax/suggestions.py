"""`did you mean …?` for names of the script: there may be many, and looking takes its time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Suggestions:
    """Looks for names that look alike, for the first faults of a script only."""

    MOST = 20

    def __init__(self) -> None:
        self.made = 0

    def nearest(self, word: str, choices: Callable[[], Iterable[str]]) -> str | None:
        """The hint, if a choice looks much like the word."""
        self.made += 1
        if self.made > self.MOST:
            return None
        from tisslang.syntax import hints

        return hints.nearest(word, choices())
