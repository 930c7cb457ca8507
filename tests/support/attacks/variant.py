"""Under what an attack is run: which backend confines it, and as whom."""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SUPPORT = Path(__file__).resolve().parent.parent
REPOSITORY = SUPPORT.parent.parent
ORDINARY_USER = int(os.environ.get("TISS_TEST_UID", "61234"))
PLAIN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Variant(NamedTuple):
    """A backend (`namespaces`, `landlock` or `none`) and a user (`root` or `user`)."""

    backend: str
    user: str
    warm: bool = False  # tiss may be one that warm.py has loaded already

    def __str__(self) -> str:
        return f"{self.backend}/{self.user}"

    @property
    def uid(self) -> int:
        """Whose files and processes the world's are."""
        return ORDINARY_USER if self.user == "user" and os.geteuid() == 0 else os.geteuid()

    def command(self, *arguments: str) -> list[str]:
        """`tiss` with these arguments, under this backend, as this user."""
        tiss = [interpreter(self.uid), "-P", "-m", "tisslang", *arguments]
        if self.uid != os.geteuid():
            tiss = [sys.executable, str(SUPPORT / "as_user.py"), str(self.uid), *tiss]
        if self.backend == "landlock":  # where namespaces are refused, Landlock is what is left
            tiss = [sys.executable, str(SUPPORT / "like_docker.py"), *tiss]
        return tiss

    def flags(self) -> list[str]:
        """What `tiss run` is told about the sandbox."""
        return ["--sandbox-profile", "none" if self.backend == "none" else "standard"]

    def search_path(self) -> str:
        """PATH: an ordinary user cannot use the programs of root's home."""
        same = self.uid == os.geteuid()
        return os.environ.get("PATH", PLAIN_PATH) if same else PLAIN_PATH

    def missing(self) -> str:
        """Why this variant cannot be had here, or nothing when it can."""
        return _missing(self)


# Where a machine can have both backends, and both users.
CONFINED = [
    Variant(backend, user) for backend in ("namespaces", "landlock") for user in ("root", "user")
]
UNCONFINED = [Variant("none", "root"), Variant("none", "user")]


@functools.cache
def interpreter(uid: int) -> str:
    """A Python that this user can execute: ours, or the system's (tisslang needs nothing more)."""
    if uid == os.geteuid():
        return sys.executable
    for python in (sys.executable, "/usr/bin/python3"):
        runs = "import sys; sys.exit(sys.version_info < (3, 11))"
        try:
            done = subprocess.run(
                [sys.executable, str(SUPPORT / "as_user.py"), str(uid), python, "-c", runs],
                capture_output=True,
                cwd="/",
                check=False,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return python
    return sys.executable  # it will fail, and say so


@functools.cache
def _missing(variant: Variant) -> str:
    if not sys.platform.startswith("linux"):
        return "the attacks are written for Linux"
    if variant.user == "root" and os.geteuid() != 0:
        return "only root can be root"
    folder = tempfile.mkdtemp(prefix="tiss-attack-")
    root, plan = Path(folder, "root"), Path(folder, "plan.tiss")
    try:
        root.mkdir()
        plan.write_text('RUN "true"\n', encoding="utf-8")
        if variant.uid != os.geteuid():
            for path in (folder, root, plan):
                os.chown(path, variant.uid, variant.uid)
        done = subprocess.run(
            variant.command(
                "run", str(plan), "--root", str(root), "--output-format", "json", *variant.flags()
            ),
            capture_output=True,
            cwd=root,
            env={"PATH": variant.search_path(), "HOME": folder, "PYTHONPATH": str(REPOSITORY)},
            timeout=60,
            check=False,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return f"tiss ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}"
    if report["status"] != "passed":
        error = report["error"] or {}
        return f"tiss: {error.get('message')} ({error.get('hint')})"
    backend = report["sandbox"]["backend"]
    return "" if backend == variant.backend else f"the backend is {backend} here"
