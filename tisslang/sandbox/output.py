"""What is kept of a command's output: the beginning of a stream, and the number of its bytes."""

from __future__ import annotations

CHUNK = 1 << 16  # bytes read at once


class Head:
    """The first `limit` bytes of a stream; the rest is counted and dropped."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.kept = bytearray()
        self.count = 0

    def take(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        self.kept += chunk[: self.limit - len(self.kept)]
        self.count += len(chunk)


def text_of(kept: bytes, count: int) -> str:
    """The kept bytes as text: no half character where they were cut, U+FFFD for bad bytes."""
    if count > len(kept):
        kept = _without_cut_character(kept)
    return kept.decode("utf-8", "replace")


def _without_cut_character(data: bytes) -> bytes:
    """`data` without the incomplete UTF-8 character at its end, if there is one."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:  # the first byte of a character that wants `length` bytes
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if length > back else data
        if byte < 0x80:
            break
    return data
