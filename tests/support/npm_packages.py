"""Packages of npm that tests use: as a package-lock.json names them, installed when they differ."""

import json
import shutil
import subprocess
from pathlib import Path

from missing import missing


def npm_packages(folder: Path) -> Path:
    """Its node_modules. Without npm the test is skipped (in CI it fails)."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        missing(f"{folder.name} needs Node.js and npm")
    wanted, there = (_versions(folder / name) for name in ("", "node_modules"))
    if any(there.get(name) != version for name, version in wanted.items()):
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "node_modules"


def _versions(folder: Path) -> dict[str, str]:
    """What a lock file names, or the one that npm keeps of what it has installed."""
    file = folder / ("package-lock.json" if folder.name != "node_modules" else ".package-lock.json")
    if not file.exists():
        return {}
    packages = json.loads(file.read_text(encoding="utf-8"))["packages"]
    return {name: about["version"] for name, about in packages.items() if name}
