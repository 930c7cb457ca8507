"""The environment that a RUN sees: a few variables of ours, and what the operator adds."""

import os
import sys
from collections.abc import Mapping


class Scratch:
    """A fresh HOME and TMPDIR for one run of a plan, made when first needed, removed at its end."""

    def __init__(self) -> None:
        self._directory: str | None = None

    def directories(self) -> dict[str, str]:
        """`HOME` and `TMPDIR`, which exist."""
        if self._directory is None:
            import tempfile  # slow to load, and only plans with a RUN need it

            self._directory = tempfile.mkdtemp(prefix="tiss-")
            for name in ("home", "tmp"):
                os.mkdir(os.path.join(self._directory, name))
        return {
            "HOME": os.path.join(self._directory, "home"),
            "TMPDIR": os.path.join(self._directory, "tmp"),
        }

    def remove(self) -> None:
        """Remove both, whatever the commands left in them."""
        if self._directory is None:
            return
        import shutil

        for directory, names, _ in os.walk(self._directory):
            for path in (os.path.join(directory, name) for name in names):
                if not os.path.islink(path):
                    os.chmod(path, 0o700)  # a command may have locked its own directories
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory = None


def command_environment(
    outer: Mapping[str, str], scratch: Scratch, extra: Mapping[str, str]
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
    return {**environment, **scratch.directories(), **extra}


def _search_path(path: str) -> str:
    # Our own interpreter comes first: `python3` in a plan is the Python that runs the plan. A
    # relative entry would let a file of the project stand in for a program.
    entries = [os.path.dirname(sys.executable), *path.split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(entry for entry in entries if os.path.isabs(entry)))


def _names_utf8(locale: str) -> bool:
    return "utf-8" in locale.lower() or "utf8" in locale.lower()
