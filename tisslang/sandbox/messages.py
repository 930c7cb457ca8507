"""How a run and its supervisor talk: a length, that many bytes of JSON, and bytes as it announces.

What a command printed travels as those bytes; nothing is ever unpickled. Each request of a run has
a `number`, and so has its reply: replies come in the order in which the commands end.
"""

from __future__ import annotations

import json
import os
from typing import Any

_LENGTH = 4  # bytes of the number in front


def send(descriptor: int, header: dict[str, Any], *blobs: bytes | bytearray) -> None:
    """Write one message. Raises `OSError` when nobody reads any more."""
    text = json.dumps({"header": header, "sizes": [len(blob) for blob in blobs]}).encode()
    for part in (len(text).to_bytes(_LENGTH, "big"), text, *blobs):
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def receive(descriptor: int) -> tuple[dict[str, Any], list[bytes]] | None:
    """The next message; None when there is none any more, or only the beginning of one."""
    try:
        size = int.from_bytes(_read_exactly(descriptor, _LENGTH), "big")
        message = json.loads(_read_exactly(descriptor, size))
        blobs = [_read_exactly(descriptor, size) for size in message["sizes"]]
    except EOFError:
        return None
    return message["header"], blobs


def _read_exactly(descriptor: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = os.read(descriptor, min(size - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
