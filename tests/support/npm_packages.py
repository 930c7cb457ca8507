"""Packages of npm that tests use: as a package-lock.json names them, installed when they differ."""

import json
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from missing import missing


def npm_packages(folder: Path) -> Path:
    """Its node_modules. Without npm the test is skipped (in CI it fails)."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        missing(f"{folder.name} needs Node.js and npm")
    lock = folder / "package-lock.json"
    with open(lock, encoding="utf-8") as held:  # two processes of pytest-xdist install once
        with suppress(ImportError):  # which Windows lacks
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX)
        there = _versions(folder / "node_modules" / ".package-lock.json")
        if any(there.get(name) != version for name, version in _versions(lock).items()):
            command = ["npm", "ci", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, done.stdout + done.stderr
    return folder / "node_modules"


def _versions(lock: Path) -> dict[str, str]:
    """What a lock file names, or the one that npm keeps of what it has installed.

    Without what is optional: programs for other systems, which are not installed here.
    """
    if not lock.exists():
        return {}
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"].items()
    return {name: p["version"] for name, p in packages if name and not p.get("optional")}
