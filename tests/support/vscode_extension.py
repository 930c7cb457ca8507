"""The VS Code extension under test: its folder, its packages from npm, and running Node there."""

import subprocess
from pathlib import Path

from npm_packages import npm_packages

FOLDER = Path(__file__).resolve().parents[2] / "editors" / "vscode"


def npm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run npm in the extension's folder; what it says stands in the error if it fails."""
    return _run("npm", *arguments)


def node(script: str, text: str = "") -> str:
    """What a script of the extension writes when it reads this text."""
    return _run("node", script, text=text).stdout


def need_packages() -> None:
    """Skip without npm (in CI: fail); install what package-lock.json names unless it is there."""
    npm_packages(FOLDER)


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
