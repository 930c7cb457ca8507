"""Builds the book as `make book` does, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from npm_packages import npm_packages

ROOT = Path(__file__).resolve().parents[2]
EXTENSIONS = ROOT / "book" / "extensions"


def build(folder: Path, *options: str, timeout: int = 900, **environment: str) -> Path:
    """The pages in `folder`/html. `AssertionError` with all warnings when there is one.

    `options` are those of sphinx-build, `-W -n` if none are given; variables of the environment
    decide as they do for `make book`. Without npm the test is skipped; in CI it fails.
    """
    npm_packages(ROOT / "book")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("QT_BOOK_")}
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-b", "html", *(options or ("-W", "-n")),
         "--keep-going", "-c", "book", "-d", folder / "doctrees", ".", folder / "html"],
        cwd=ROOT, env=clean | {"QT_PROGRESS": ""} | environment, timeout=timeout,
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"
