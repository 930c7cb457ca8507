"""No network, and no writing elsewhere: Python starts this file if its folder is on PYTHONPATH.

This process, and every Python that it starts, may then talk to this machine alone and write below
the folder OFFLINE_ROOT alone. What it may not raises `PermissionError`. See tests/qt/test_trust.py.
"""

import os
import sys
from typing import Any

ROOT = os.path.realpath(os.environ["OFFLINE_ROOT"]) + os.sep
HERE = {None, "", "localhost", "127.0.0.1", "::1", b"localhost", b"127.0.0.1"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PLACE = {"open": 0, "os.mkdir": 0, "os.rename": 1, "sqlite3.connect": 0}  # which argument it is


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """Called for every event that Python's audit table lists, before it happens."""
    if event in ("socket.connect", "socket.sendto") and isinstance(args[1], tuple):
        if args[1][0] not in HERE:
            raise PermissionError(f"no network here: {args[1]}")
    elif event == "socket.getaddrinfo" and args[0] not in HERE:
        raise PermissionError(f"no network here: {args[0]}")
    elif event in PLACE and not (event == "open" and not args[2] & WRITES):
        path = args[PLACE[event]]
        if isinstance(path, str | bytes | os.PathLike) and os.fspath(path) not in ("", ":memory:"):
            real = os.path.realpath(os.fsdecode(path))
            made = event == "os.mkdir" and os.path.isdir(real)
            if not (real + os.sep).startswith((ROOT, "/dev/")) and not made:
                raise PermissionError(f"nothing may be written here: {real}")


sys.addaudithook(refuse)
