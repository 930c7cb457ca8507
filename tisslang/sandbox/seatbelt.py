"""The backend of macOS: a profile for its `sandbox-exec`, in the language of that program.

It was written from the published descriptions of that language and has not run on a Mac yet; the
trial before the first command refuses it where it does not hold.
"""

from __future__ import annotations

import shlex
from typing import Any

PROGRAM = "/usr/bin/sandbox-exec"

# Forbid all; then the few things without which no program starts.
_PROFILE = """\
(version 1)
(deny default)
(allow process-exec process-fork)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow file-read-metadata)
(allow file-read* file-map-executable
  (literal "/") (literal "/dev/null") (literal "/dev/zero") (literal "/dev/random")
  (literal "/dev/urandom") (subpath "/dev/fd") (subpath "/usr") (subpath "/bin") (subpath "/sbin")
  (subpath "/System") (subpath "/Library/Developer") (subpath "/private/var/db/timezone")
  (subpath "/private/var/db/dyld") (literal "/private/etc/localtime"))
(allow file-write* (literal "/dev/null") (literal "/dev/zero") (subpath "/dev/fd"))
"""


def wrapper(settings: dict[str, Any]) -> list[str]:
    """What stands before `/bin/sh -c command`."""
    lines = [_PROFILE]
    for path in settings["readable"]:
        lines.append(f"(allow file-read* file-map-executable (subpath {_quoted(path)}))")
    for path in [settings["root"], *settings["writable"]]:
        lines.append(f"(allow file* (subpath {_quoted(path)}))")
    lines.append("(deny file-write-setugid)")
    if settings["network"]:
        lines.append("(allow network-outbound (remote ip)) (allow network-bind (local ip))")
        lines.append("(allow network-inbound (local ip)) (allow mach-lookup)")
    return [PROGRAM, "-p", "\n".join(lines)]


def trial(settings: dict[str, Any]) -> str:
    """A command that fails when a file outside can be read or written."""
    canary = shlex.quote(settings["canary"])
    return f"! cat {canary} 2>/dev/null && ! (: >>{canary}) 2>/dev/null"


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
