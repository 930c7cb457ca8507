"""The VS Code extension under test: its folder, its packages from npm, and running Node there."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from missing import missing

FOLDER = Path(__file__).resolve().parents[2] / "editors" / "vscode"


def npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run npm in the extension's folder; what it says stands in the error if it fails."""
    return _run("npm", *arguments)


def node(script: str, text: str = "") -> str:
    """What a script of the extension writes when it reads this text."""
    return _run("node", script, text=text).stdout


def need_packages() -> None:
    """Skip without npm (in CI: fail); install what package-lock.json names unless it is there."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        missing("the VS Code extension needs Node.js and npm")
    lock, marker = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed"
    with open(lock, encoding="utf-8") as held:  # two processes of pytest-xdist install once
        fcntl.flock(held, fcntl.LOCK_EX)
        wanted = held.read()
        if not marker.exists() or marker.read_text(encoding="utf-8") != wanted:
            npm("ci", "--no-audit", "--no-fund")
            marker.write_text(wanted, encoding="utf-8")


def _run(program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [program, *arguments],
        cwd=FOLDER,
        input=text,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if program == "npm" else subprocess.PIPE,
        timeout=600,
    )
    assert done.returncode == 0, f"{program} {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done
