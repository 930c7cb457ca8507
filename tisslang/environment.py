"""The environment that a RUN sees: a few variables of ours, and what the operator adds."""

import os
import sys
from collections.abc import Mapping


def command_environment(
    outer: Mapping[str, str], home: str, temporary: str, extra: Mapping[str, str]
) -> dict[str, str]:
    """`PATH HOME LANG LC_* TERM TMPDIR` and `extra`; nothing else of `outer` gets through."""
    environment = {
        name: value
        for name, value in outer.items()
        if (name == "LANG" or name.startswith("LC_")) and _names_utf8(value)
    }
    environment.setdefault("LANG", "C.UTF-8")
    if "TERM" in outer:
        environment["TERM"] = outer["TERM"]
    environment["PATH"] = _search_path(outer.get("PATH", os.defpath))
    return {**environment, "HOME": home, "TMPDIR": temporary, **extra}


def _search_path(path: str) -> str:
    # Our own interpreter comes first: `python3` in a plan is the Python that runs the plan. A
    # relative entry would let a file of the project stand in for a program.
    entries = [os.path.dirname(sys.executable), *path.split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(entry for entry in entries if os.path.isabs(entry)))


def _names_utf8(locale: str) -> bool:
    return "utf-8" in locale.lower() or "utf8" in locale.lower()
