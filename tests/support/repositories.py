"""Repositories for tests: git without anybody's settings, and trees to compare."""

import contextlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tisslang.sandbox.git.directories import Place, remove

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@b",
    "GIT_EDITOR": "true",
}
NOBODY = 65534


def sh(command: str, cwd: Path, check: bool = True) -> str:
    environment = ENVIRONMENT | {
        "GIT_CEILING_DIRECTORIES": str(cwd.parent),
        "CANARY": str(canary_of(cwd)),
    }
    done = subprocess.run(
        ["sh", "-e", "-c", command], cwd=cwd, env=environment, capture_output=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return os.fsdecode(done.stdout)


def canary_of(root: Path) -> Path:
    return root.parent / "canary"


def remove_tree(directory: Path, name: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    with Place(descriptor) as place:
        assert remove(place, name)
    os.close(descriptor)


@contextlib.contextmanager
def not_root() -> Iterator[None]:
    """For root, be an ordinary user for a while."""
    if os.getuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def state(path: Path) -> dict[str, tuple[int, bytes | str]]:
    """All that is below a path: modes, contents, texts of links."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for name in [path, *path.rglob("*")]:
        status = name.lstat()
        content: bytes | str = b""
        if stat.S_ISLNK(status.st_mode):
            content = os.readlink(name)
        elif stat.S_ISREG(status.st_mode):
            content = name.read_bytes()
        found[str(name.relative_to(path))] = status.st_mode, content
    return found


def make(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make_anything(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        path.write_text("new")
    elif kind == "directory":
        make(path / "deep/file")
    elif kind == "link":
        path.symlink_to("..")
    elif kind == "dangling":
        path.symlink_to("nowhere")
    else:
        os.mkfifo(path)


KINDS = ["file", "directory", "link", "dangling", "fifo"]


def prepare(root: Path, attack: str) -> None:
    sh("git init -q . && echo 1 > file && git add . && git commit -q -m x", root)
    sh("git init -q ../sub && git -C ../sub commit -q --allow-empty -m x", root)
    sh("git -c protocol.file.allow=always submodule add -q ../sub logs 2>&1", root)
    sh("git commit -q -m y && git worktree add -q w", root)
    if attack.startswith("linked"):
        sh("rm -r .git/hooks && mkdir my-hooks && ln -s ../my-hooks .git/hooks", root)
    if attack.startswith("set hooks"):
        sh("git config core.hooksPath tools/hooks", root)
    if attack == "set hooks":
        sh("mkdir -p tools/hooks", root)
    if attack.endswith("of a submodule"):
        sh("git -C logs config core.hooksPath tools", root)
    if attack.startswith("set include"):
        sh("git config includeIf.gitdir:/.path ../tools/config", root)
    if attack in ("set include", "set include of an include"):
        sh("mkdir tools && git config -f tools/config include.path more", root)
