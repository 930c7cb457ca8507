"""Where only bubblewrap may make namespaces, a command gets the same world through it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attacks.variant import ORDINARY_USER, interpreter
from missing import missing

from tisslang.sandbox import bubblewrap

SUPPORT = Path(__file__).parents[2] / "support"
REPOSITORY = SUPPORT.parent.parent
USER = ORDINARY_USER if os.geteuid() == 0 else os.geteuid()


def run(root: Path, *commands: str, flags: tuple[str, ...] = ()) -> dict[str, Any]:
    """The report of a plan on a machine like Ubuntu; each LOG is what a command printed."""
    if not os.path.exists(bubblewrap.PROGRAM):
        missing("bubblewrap is not installed")
    lines = [f"RUN <<'SH'\n{command}\nSH\nLOG LAST_RUN.STDOUT" for command in commands]
    (root.parent / "plan.tiss").write_text("\n".join(lines), encoding="utf-8")
    python = interpreter(USER)
    tiss = [python, "-m", "tisslang", "run", "plan.tiss", "--root", str(root), *flags]
    command = [python, str(SUPPORT / "like_ubuntu.py"), *tiss, "--output-format", "json"]
    if os.geteuid() == 0:  # user 0 may make namespaces itself
        command = [sys.executable, str(SUPPORT / "as_user.py"), str(USER), *command]
        for path in (root.parent, root, root.parent / "plan.tiss"):
            os.chown(path, USER, USER)
        root.parent.chmod(0o755)
    done = subprocess.run(
        command,
        cwd=root.parent,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.fixture
def root() -> Iterator[Path]:
    """In no directory of pytest's, for those are closed to other users."""
    with tempfile.TemporaryDirectory(prefix="tiss-test-") as base:
        (Path(base) / "secret").write_text("secret")
        place = Path(base) / "root"
        place.mkdir()
        yield place


def test_the_world_is_the_same(root: Path) -> None:
    report = run(
        root,
        "tr '\\0' ' ' < /proc/1/cmdline | cut -c 1-14",
        f"cat {root.parent}/secret 2>/dev/null; ls {root.parent}; ls -A $HOME /tmp | wc -l",
        "python3 -c 'import sys; print(sys.executable)'",
        "touch /usr/x /etc/x /dev/x /x 2>/dev/null; echo $?; cat /etc/hosts | head -1",
        "sleep 60 & setsid sleep 60 & kill -9 $$",
        "echo $$ > /dev/shm/x && cat /dev/shm/x >&2; id -u; ulimit -c",
    )
    assert report["error"] is None, report["error"]
    assert report["sandbox"]["backend"] == "namespaces"
    assert report["sandbox"]["gaps"] == []
    first, second, prefix, touched, _, last = report["log"]
    assert first == "/usr/bin/bwrap\n"
    assert second.splitlines()[0] == "root"
    assert prefix == f"{interpreter(USER)}\n"
    assert touched == "1\n127.0.0.1 localhost\n"
    assert last.splitlines()[0] == str(USER)


def test_exit_codes_and_limits(root: Path) -> None:
    report = run(root, "kill -9 $$", "exit 7")
    assert report["last_run"]["exit_code"] == 7
    report = run(
        root, "for i in $(seq 30); do sleep 60 & done; wait", flags=("--max-processes", "9")
    )
    assert report["error"]["kind"] == "io"
    assert "--max-processes" in report["error"]["hint"]
    report = run(root, "sleep 60", flags=("--timeout", "300ms"))
    assert (report["error"]["kind"], report["last_run"]["exit_code"]) == ("timeout", 124)


def test_version_control_is_read_only(root: Path) -> None:
    git = "git -c user.email=a@b -c user.name=a"
    report = run(
        root,
        f"git init -q . && echo x > x && git add x && {git} commit -q -m x && echo made",
        "echo '[core] fsmonitor = x' >> .git/config; echo evil > .git/hooks/post-checkout; "
        "mv .git other; echo more > more; git add more; "
        f"{git} commit -q -m more && git log --format=%s",
    )
    assert report["error"] is None, report["error"]
    assert report["log"][0] == "made\n"
    assert report["log"][1] == "more\nx\n"
    assert "Read-only" in report["last_run"]["stderr"]
    assert "fsmonitor" not in (root / ".git/config").read_text()
