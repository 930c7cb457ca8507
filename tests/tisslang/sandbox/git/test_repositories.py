"""After a command, version control is what it was, and the operator's git runs nothing of it."""

import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tisslang
from tisslang.sandbox.git import snapshots
from tisslang.sandbox.git.directories import Place, remove
from tisslang.sandbox.git.repositories import GUARDED, GuardError, RepositoryGuard

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


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "root"
    root.mkdir()
    yield root
    remove_tree(tmp_path, "root")  # no other function removes what is as deep


def remove_tree(directory: Path, name: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    with Place(descriptor) as place:
        assert remove(place, name)
    os.close(descriptor)


@pytest.fixture
def guard(root: Path) -> Iterator[RepositoryGuard]:
    descriptors = len(os.listdir("/proc/self/fd"))
    guard = RepositoryGuard(str(root))
    yield guard
    guard.close()
    assert len(os.listdir("/proc/self/fd")) == descriptors


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

# What exists


def test_what_is_there_is_reported(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q . && git init -q 'a/s p' && mkdir .TISS && touch .TISS/x", root)
    sh("mkdir b c && echo gitdir: x > b/.git && ln -s ../.git c/.Git", root)
    os.mkfifo(root / "a/.git")
    shutil.rmtree(root / ".git/branches", ignore_errors=True)
    shutil.rmtree(root / "a/s p/.git/branches", ignore_errors=True)
    found = {r.path: (r.is_directory, sorted(r.guarded)) for r in guard.before()}
    assert found == {
        ".git": (True, [".git/config", ".git/hooks", ".git/info"]),
        ".TISS": (False, [".TISS"]),
        "a/s p/.git": (True, [f"a/s p/.git/{name}" for name in ("config", "hooks", "info")]),
        "a/.git": (False, []),
        "b/.git": (False, ["b/.git"]),
        "c/.Git": (False, []),
    }
    assert guard.after() == []


def test_nothing_happens_where_nothing_is(root: Path, guard: RepositoryGuard) -> None:
    assert guard.before() == []
    assert guard.after() == []


def test_nothing_is_undone_before_anything_was_looked_at(
    root: Path, guard: RepositoryGuard
) -> None:
    make(root / ".git/hooks/pre-commit")
    with pytest.raises(GuardError, match="was not looked at"):
        guard.after()
    assert (root / ".git/hooks/pre-commit").exists()


def test_git_in_its_daily_use_is_left_alone(root: Path, guard: RepositoryGuard) -> None:
    guard.before()
    sh("git init -q . && git config user.email a@b && git config user.name 'A; B'", root)
    sh("echo 1 > f && git add f && git commit -q -m one", root)
    assert guard.after() == []
    config = (root / ".git/config").read_bytes()
    for command in (
        "echo 2 > f && git commit -q -a -m two",
        "git checkout -q -b other && git stash list && git tag t",
        "git checkout -q - && git merge -q other && git reset -q --hard && git clean -fdx",
        "git log && git diff HEAD~1 && git status && git branch -d other",
    ):
        guard.before()
        sh(command, root)
        assert guard.after() == []
    guard.before()
    sh("git gc -q", root)
    assert guard.after() == [".git/info/refs"]  # a list for servers, which git makes anew
    assert sh("git log --format=%s", root).split() == ["two", "one"]
    assert sh("git fsck", root) == ""
    assert (root / ".git/config").read_bytes() == config


def test_git_config_in_an_old_repository_is_undone(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q .", root)
    before = state(root / ".git")
    guard.before()
    sh("git config user.name x && git config alias.x '!x' && git remote add o /x", root)
    assert guard.after() == [".git/config"]
    assert state(root / ".git") == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", sorted(GUARDED))
def test_a_guarded_name_that_was_missing_is_removed(
    root: Path, guard: RepositoryGuard, name: str, kind: str
) -> None:
    for where in (".git", "sub/.git", "sub/.git/objects/.GIT"):
        make(root / where / "HEAD")
    before = state(root)
    guard.before()
    names = {f"{where}/{name}" for where in (".git", "sub/.git", "sub/.git/objects/.GIT")}
    names |= {f".git/{name.upper()}", f".git/{name.title()}"}
    for path in names:
        make_anything(root / path, kind)
    assert guard.after() == sorted(names)
    assert state(root) == before


@pytest.mark.parametrize("now", ["file", "directory", "dangling", "fifo", "missing"])
@pytest.mark.parametrize("kind", ["file", "directory", "dangling"])
def test_whatever_becomes_of_what_is_guarded_it_comes_back(
    root: Path, guard: RepositoryGuard, kind: str, now: str
) -> None:
    places = [*(f".git/{name}" for name in sorted(GUARDED)), "a/b/.git/Config", ".tiss"]
    if kind != "directory":
        places.append("d/.git")
    for path in places:
        make_anything(root / path, kind)
    before = state(root)
    guard.before()
    for path in places:
        remove_any(root / path)
        if now != "missing":
            make_anything(root / path, now)
    assert guard.after() == ([] if kind == now else sorted(places))
    assert state(root) == before
    assert guard.after() == []


def remove_any(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def test_contents_modes_links_and_odd_names_come_back(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q . && cd .git/hooks && echo good > pre-commit && chmod 755 pre-commit", root)
    sh("ln -s pre-commit post-commit && mkdir -m 710 d", root / ".git/hooks")
    odd = [b"-x", b"\xff\n", b"n" * 255, b" ", b"*"]
    for name in odd:
        Path(os.fsdecode(os.fsencode(root / ".git/hooks/d") + b"/" + name)).write_text("odd")
    before = state(root)
    guard.before()
    sh("cd .git/hooks && echo evil > pre-commit && chmod 600 d/-x && chmod 777 d", root)
    sh("ln -sf evil .git/hooks/post-commit && rm .git/info/exclude", root)
    for name in odd[1:]:
        Path(os.fsdecode(os.fsencode(root / ".git/hooks/d") + b"/" + name)).write_text("evil")
    undone = guard.after()
    assert set(undone) == {
        ".git/hooks/d",
        ".git/hooks/post-commit",
        ".git/hooks/pre-commit",
        ".git/info/exclude",
        *(f".git/hooks/d/{os.fsdecode(name)}" for name in odd),
    }
    assert undone == sorted(undone)
    assert state(root) == before


def test_a_change_that_keeps_size_and_time_is_seen(root: Path, guard: RepositoryGuard) -> None:
    make(root / ".git/config", "good")
    for _ in range(50):
        guard.before()
        with open(root / ".git/config", "r+b") as file:
            file.write(b"evil")
        os.utime(root / ".git/config", ns=(0, 0))
        assert guard.after() == [".git/config"]
        assert (root / ".git/config").read_text() == "good"


def test_the_other_name_of_a_file_leads_nowhere_afterwards(
    root: Path, guard: RepositoryGuard
) -> None:
    sh("git init -q . && git config user.name before && ln .git/config link", root)
    before = (root / ".git/config").read_bytes()
    guard.before()
    make(root / "link", "[core]\n\tfsmonitor = x\n")
    assert guard.after() == [".git/config"]
    assert (root / ".git/config").read_bytes() == before
    assert b"fsmonitor" in (root / "link").read_bytes()
    guard.before()
    sh("git init -q new && ln new/.git/config new/link", root)
    assert guard.after() == []
    make(root / "new/link", "evil")
    assert b"evil" not in (root / "new/.git/config").read_bytes()


# Moved, replaced, deleted


def repositories(root: Path) -> None:
    sh("for r in . a b/c; do git init -q $r && git -C $r config user.name $r; done", root)


@pytest.mark.parametrize(
    ("command", "undone"),
    [
        ("mv .git x", [".git"]),
        ("mv .git a/x && ln -s a/x .git", [".git"]),
        ("mv .git x && mkdir -p .git/hooks/deep", [".git"]),
        ("mv .git x && git init -q .", [".git"]),
        ("mv a/.git x && echo gitdir: ../x > a/.git", ["a/.git"]),
        ("mv a/.git x && mkfifo a/.git", ["a/.git"]),
        ("mv a/.git x && mv b/c/.git a/.git && mv x b/c/.git", ["a/.git", "b/c/.git"]),
        ("mv a/.git x && mv b/c/.git a/.git && mv x a/.git/x", ["a/.git", "b/c/.git"]),
        ("mv a/.git a/.git.old && cp -r a/.git.old a/.git && rm -r a/.git/hooks", ["a/.git"]),
        ("mv a/.git .git/x && mv b/c/.git .git/x/y && mv .git z", [".git", "a/.git", "b/c/.git"]),
        ("mv a/.git a/.GIT", ["a/.git"]),
        ("mv a/.git x && git init -q a && mv x a/.git/x", ["a/.git"]),
    ],
)
def test_a_repository_is_moved_back(
    root: Path, guard: RepositoryGuard, command: str, undone: list[str]
) -> None:
    repositories(root)
    before = state(root)
    guard.before()
    sh(command, root)
    assert [path for path in guard.after() if path in before or "hooks" in path] == undone
    for extra in ("a/.git.old",):
        if (root / extra).exists():
            shutil.rmtree(root / extra)
    assert state(root) == before
    assert guard.after() == []


def test_a_directory_may_be_moved_with_its_repository(root: Path, guard: RepositoryGuard) -> None:
    repositories(root)
    before = state(root / "b/c")
    guard.before()
    sh("mv b a/new && git -C a/new/c config user.name evil", root)
    assert guard.after() == ["a/new/c/.git/config"]
    assert state(root / "a/new/c") == before
    assert [r.path for r in guard.before()] == [".git", "a/.git", "a/new/c/.git"]
    sh("mv a/new b && mkdir -p a/new/c && git init -q a/new/c && touch b/c/.git/commondir", root)
    sh("git -C a/new/c config alias.x y", root)
    assert guard.after() == ["a/new/c/.git/config", "b/c/.git/commondir"]


def test_a_repository_whose_directory_is_gone_is_still_put_right(
    root: Path, guard: RepositoryGuard
) -> None:
    repositories(root)
    guard.before()
    sh("mkdir n m && mv a/.git n && rm -r a && git -C n config alias.x y", root)
    sh("mv b/c/.git m/other && rm -r b && touch m/other/commondir", root)
    assert guard.after() == ["m/other/commondir", "n/.git/config"]


def test_a_deleted_repository_is_reported_and_its_successor_cleaned(
    root: Path, guard: RepositoryGuard
) -> None:
    repositories(root)
    make(root / "file/.git", "gitdir: x")
    make(root / "gone/.git", "gitdir: x")
    guard.before()
    sh("rm -rf a/.git b file gone && git init -q a && git -C a config alias.x y", root)
    assert guard.after() == ["a/.git", "a/.git/config", "b/c/.git", "file/.git", "gone/.git"]
    assert "alias" not in (root / "a/.git/config").read_text()
    assert [r.path for r in guard.before()] == [".git", "a/.git"]


def test_the_work_tree_file_of_another_repository_comes_back(
    root: Path, guard: RepositoryGuard
) -> None:
    sh("git init -q . && git commit -q --allow-empty -m x && git worktree add -q w", root)
    sh("git init -q sub && git -C sub commit -q --allow-empty -m x", root)
    sh("git -c protocol.file.allow=always submodule add -q ./sub logs 2>&1", root)
    git_file = (root / "w/.git").read_text()
    assert guard.before()[1].guarded == ["logs/.git"]
    sh("echo gitdir: /x > w/.git && mv logs/.git y && git init -q logs", root)
    sh("echo x >> .git/modules/logs/config && touch .git/worktrees/w/config.worktree", root)
    sh("mkdir .git/modules/logs/lfs && echo x > .git/modules/logs/logs/data", root)
    assert guard.after() == [
        ".git/modules/logs/config",
        ".git/worktrees/w/config.worktree",
        "logs/.git",
        "w/.git",
    ]
    assert (root / "w/.git").read_text() == git_file
    assert (root / ".git/modules/logs/logs/data").exists()
    sh("git status && git -C w log && git -C logs log && git submodule status", root)


# Links in guarded trees


def test_what_a_link_of_hooks_leads_to_is_guarded_too(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q . && rm -r .git/hooks && ln -s ../link .git/hooks && mkdir -p t/my", root)
    sh("ln -s t/my link && echo good > t/my/pre-commit && ln -s ../../s t/my/post-commit", root)
    sh("echo good > s && ln -s $PWD/nothing/here .git/info/attributes", root)
    sh("ln -s /etc/hosts .git/info/exclude2", root)
    before = state(root)
    [repository] = guard.before()
    guarded = set(repository.guarded) - {".git/branches"}  # some versions of git make this one
    assert guarded == {".git/config", ".git/info", "s", "t/my"}
    sh("mv t t2 && mkdir -p evil/my nothing && cp -r t2/my evil && ln -s evil t", root)
    sh("echo evil > evil/my/pre-commit; echo evil > nothing/here; echo evil > s", root)
    sh("ln -sfn evil/my link", root)
    assert guard.after() == ["link", "nothing/here", "s", "t", "t/my"]
    shutil.rmtree(root / "t2")
    shutil.rmtree(root / "evil")
    (root / "nothing").rmdir()
    assert state(root) == before


@pytest.mark.parametrize("target", ["..", "../..", "../../root/.git", "hooks", "{root}", "loop"])
def test_links_that_lead_in_circles(root: Path, guard: RepositoryGuard, target: str) -> None:
    sh("git init -q . && rm -r .git/hooks && ln -s loop .git/loop", root)
    (root / ".git/hooks").symlink_to(target.format(root=root))
    if target in ("hooks", "loop", "../.."):  # the last leads outside, to where no command writes
        guard.before()
        assert guard.after() == []
    else:
        with pytest.raises(GuardError, match=r"^\.git/hooks: leads to a directory that holds"):
            guard.before()


# New repositories


def test_of_a_new_repository_stays_what_runs_nothing(root: Path, guard: RepositoryGuard) -> None:
    guard.before()
    sh("git init -q sub && git -C sub config user.email a@b", root)
    kept = state(root)
    git = root / "sub/.git"
    make(git / "hooks/pre-commit")
    make(git / "hooks/dir.sample/x")
    (git / "hooks/link.sample").symlink_to("x")
    make(git / "hooks/large.sample", "x" * (1 << 20))
    make(git / "info/attributes")
    make(git / "branches/origin")
    make(git / "HOOKS/pre-commit")
    make(git / "modules/x/config")
    (git / "commondir").symlink_to(".")
    assert guard.after() == [
        f"sub/.git/{name}"
        for name in (
            "HOOKS",
            "branches/origin",
            "commondir",
            "hooks/dir.sample",
            "hooks/large.sample",
            "hooks/link.sample",
            "hooks/pre-commit",
            "info/attributes",
            "modules",
        )
    ]
    (git / "branches").rmdir() if "sub/.git/branches" not in kept else None
    assert state(root) == kept


@pytest.mark.parametrize("name", ["hooks", "info", "config", "branches"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_stays_in_a_new_repository_is_of_its_kind(
    root: Path, guard: RepositoryGuard, name: str, kind: str
) -> None:
    guard.before()
    (root / ".git").mkdir()
    make_anything(root / ".git" / name, kind)
    undone = guard.after()
    if name == "config" and kind == "file":
        assert (undone, (root / ".git/config").read_text()) == ([".git/config"], "")
    elif name != "config" and kind == "directory":
        assert undone == [f".git/{name}/deep"]
    else:
        assert undone == [f".git/{name}"]


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "fifo"])
@pytest.mark.parametrize("place", [".git", "a/b/.GIT", ".git/.git", "a/.git/objects/.git"])
def test_a_new_git_that_is_no_directory_is_removed(
    root: Path, guard: RepositoryGuard, place: str, kind: str
) -> None:
    guard.before()
    make_anything(root / place, kind)
    assert guard.after() == [place]
    assert not os.path.lexists(root / place)


def test_a_new_tiss_is_removed_in_the_root_alone(root: Path, guard: RepositoryGuard) -> None:
    guard.before()
    for name in (".tiss", ".TISS", "a/.tiss"):
        make(root / name / "x")
    assert guard.after() == [".TISS", ".tiss"]
    assert (root / "a/.tiss/x").exists()


# The proof with git itself

EVIL = 'printf "#!/bin/sh\\ntouch $CANARY\\n"'
MONITOR = "$(printf '[core]\\n\\tfsmonitor = \"touch %s; false\"\\n' $CANARY)"
MANY_HOOKS = (
    "for h in pre-commit commit-msg post-commit post-checkout post-index-change "
    "reference-transaction pre-auto-gc prepare-commit-msg; do "
    f"{EVIL} > $D/$h; chmod 755 $D/$h; done"
)
COPY = 'cp -r .git .evil && git config -f .evil/config core.fsmonitor "touch $CANARY; false"'
BARE_CONFIG = (  # it takes the directory for the work tree, too
    "printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tworktree = .\\n"
    '\\tfsmonitor = "touch %s; false"\\n\' $CANARY'
)
BARE = f"cp -r .git/objects .git/refs .git/HEAD .; {BARE_CONFIG} > config"
ATTACKS = {
    "hooks": f"D=.git/hooks; mkdir -p $D; {MANY_HOOKS}",
    "fsmonitor": f'echo "{MONITOR}" >> .git/config',
    "hooksPath": f"git config core.hooksPath e; D=e; mkdir e; {MANY_HOOKS}",
    "include": f'git config include.path ../e; echo "{MONITOR}" > e',
    "filter": 'git config filter.e.clean "touch $CANARY; cat"; '
    "echo '* filter=e' > .gitattributes; echo 2 > file",
    "external diff": 'git config diff.external "touch $CANARY; true"; echo 2 > file',
    "other name": f'ln .git/config e; echo "{MONITOR}" >> e',
    "config.worktree": "git config extensions.worktreeConfig true; "
    f'echo "{MONITOR}" > .git/config.worktree',
    "commondir": f"{COPY}; echo ../.evil > .git/commondir",
    "link": f"{COPY}; mv .git old; ln -s .evil .git",
    "file": f"{COPY}; mv .git old; echo gitdir: .evil > .git",
    "exchanged": f"{COPY}; mv .git old; mv .evil .git",
    "deleted": f"{COPY}; rm -rf .git; mv .evil .git",
    "hooks replaced": f"mv .git/hooks h; D=e; mkdir e; {MANY_HOOKS}; ln -s ../e .git/hooks",
    "linked hooks": f"D=my-hooks; {MANY_HOOKS}",
    "linked hooks moved": f"mv my-hooks o; D=my-hooks; mkdir $D; {MANY_HOOKS}",
    "submodule": f'echo "{MONITOR}" >> .git/modules/logs/config',
    "submodule file": f"cp -r .git/modules/logs e; echo gitdir: ../e > logs/.git; "
    f'echo "{MONITOR}" >> e/config; echo "\tworktree = ../logs" >> e/config',
    "submodule replaced": f'rm logs/.git; git init -q logs; echo "{MONITOR}" >> logs/.git/config',
    "work tree": "git config -f .git/worktrees/w/config.worktree core.fsmonitor "
    '"touch $CANARY; false"; git config extensions.worktreeConfig true',
    "new repository": f'git init -q new; echo "{MONITOR}" >> new/.git/config',
    "new work tree file": f"{COPY}; mkdir new; echo gitdir: $PWD/.evil > new/.git",
    "rebase": "git checkout -q -b t; git commit -q --allow-empty -m 1; "
    'GIT_SEQUENCE_EDITOR="sed -i \'1i break\'" git rebase -q -i HEAD~1 2>&1; '
    'echo "exec touch $CANARY" > .git/rebase-merge/git-rebase-todo',
    "remotes": f"git init -q --bare e.git; D=e.git/hooks; {EVIL} > $D/pre-receive; "
    "chmod 755 $D/pre-receive; mkdir .git/remotes; "
    "printf 'URL: ./e.git\\nPush: HEAD:refs/heads/x\\n' > .git/remotes/origin",
    "branches": f"git init -q --bare e.git; D=e.git/hooks; {EVIL} > $D/pre-receive; "
    "chmod 755 $D/pre-receive; mkdir -p .git/branches; echo ./e.git > .git/branches/origin",
    "switched off": f'{BARE}; rm .git/HEAD',
    "HEAD spoilt": f'{BARE}; echo x > .git/HEAD',
    "HEAD replaced": f'{BARE}; rm .git/HEAD; mkdir .git/HEAD',
    "HEAD led away": f'{BARE}; mv .git/HEAD h; ln -s ../h .git/HEAD',
    "no refs": f'{BARE}; rm -r .git/refs .git/packed-refs 2>&1 || true',
    "refs a file": f'{BARE}; rm -r .git/refs; touch .git/refs',
    "objects a dead link": f'{BARE}; rm -r .git/objects; ln -s nowhere .git/objects',
    "bare": f"mkdir new; cp -r .git/objects .git/refs .git/HEAD new; {BARE_CONFIG} > new/config",
    "bare with links": "mkdir new; cd new; ln -s ../.git/objects; ln -s ../.git/refs; "
    f"ln -s refs/heads/master HEAD; {BARE_CONFIG} > config",
    "cloned bare": "git clone -q --bare . new; git -C new config core.bare false; "
    f"{BARE_CONFIG} >> new/config",
    "set hooks": f"D=tools/hooks; {MANY_HOOKS}",
    "set hooks made": f"D=tools/hooks; mkdir -p $D; {MANY_HOOKS}",
    "set hooks of a work tree": f"D=w/tools/hooks; mkdir -p $D; {MANY_HOOKS}",
    "set hooks of a submodule": f"D=logs/tools; mkdir $D; {MANY_HOOKS}",
    "set include": f'echo "{MONITOR}" >> tools/config',
    "set include made": f'mkdir -p tools; echo "{MONITOR}" >> tools/config',
    "set include of an include": f'echo "{MONITOR}" > tools/more',
}  # fmt: skip
OPERATOR = (
    "git status; git log -p; git diff; git commit --allow-empty -m x; git checkout -b y; git gc; "
    "git push origin HEAD:refs/heads/z; git rebase --continue; git add -A"
)


def operate(root: Path) -> None:
    """What an operator does next, in the root and in the work trees below it."""
    elsewhere = "git status; git commit --allow-empty -m x"
    places = [(root, OPERATOR)]
    places += [(root / name, elsewhere) for name in ("new", "logs", "w") if (root / name).is_dir()]
    for place, commands in places:
        environment = ENVIRONMENT | {"GIT_CEILING_DIRECTORIES": str(root.parent)}
        subprocess.run(["sh", "-c", commands], cwd=place, env=environment, capture_output=True)


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


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_operators_git_runs_nothing_of_the_command(
    root: Path, guard: RepositoryGuard, attack: str, guarded: bool
) -> None:
    prepare(root, attack)
    guard.before()
    sh(ATTACKS[attack], root)
    assert not canary_of(root).exists() or attack == "work tree"
    canary_of(root).unlink(missing_ok=True)
    if guarded:
        assert guard.after() != []
    operate(root)
    assert canary_of(root).exists() != guarded
    if guarded and attack not in ("deleted", "objects a dead link"):  # and git still works
        sh("git status && git fsck && git -C w status && git -C logs status", root)


# A repository stays one

SPOILED = [
    ("rm .git/HEAD", [".git/HEAD"]),
    ("rm .git/HEAD && mkdir -p .git/HEAD/deep", [".git/HEAD"]),
    ("rm .git/HEAD && mkfifo .git/HEAD", [".git/HEAD"]),
    ("echo ref: x > .git/HEAD", [".git/HEAD"]),
    ("echo 0123456789 > .git/HEAD", [".git/HEAD"]),
    ("mv .git/HEAD h && ln -s ../h .git/HEAD", [".git/HEAD"]),
    ("rm -r .git/refs", [".git/refs"]),
    ("rm -r .git/objects && touch .git/objects", [".git/objects"]),
    ("mv .git/objects . && ln -s ../objects .git/objects", [".git/objects"]),
    ("rm -rf .git/* && mkfifo .git/refs", None),
]


@pytest.mark.parametrize(("command", "undone"), SPOILED)
def test_a_repository_stays_one(
    root: Path, guard: RepositoryGuard, command: str, undone: list[str] | None
) -> None:
    sh("git init -q . && git commit -q --allow-empty -m x", root)
    mode = (root / ".git/objects").stat().st_mode
    guard.before()
    sh(command, root)
    found = guard.after()
    assert found == undone or undone is None
    assert sh("git rev-parse --git-dir && git symbolic-ref HEAD", root).startswith(".git\nrefs/")
    assert (root / ".git/objects").stat().st_mode == mode
    guard.before()
    assert guard.after() == []


def test_locks_do_not_hide_a_repository(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q . && git init -q sub && chmod 500 sub/.git/refs", root)
    if not os.getuid():
        sh(f"chown -R -h {NOBODY}:{NOBODY} .", root)
    before = state(root)
    with not_root():
        guard.before()
    sh("chmod 0 .git/HEAD .git/objects .git && chmod 466 sub/.git/refs sub/.git", root)
    with not_root():
        assert guard.after() == [".git", ".git/HEAD", ".git/objects", "sub/.git", "sub/.git/refs"]
    sh("chmod g-w,o-w sub/.git sub/.git/refs", root)
    assert {path: mode & 0o40700 for path, (mode, _) in state(root).items()} == {
        path: mode & 0o40700 for path, (mode, _) in before.items()
    }


@pytest.mark.parametrize(
    "command",
    [
        "git checkout -q -b other",
        "git checkout -q --detach",
        "ln -sf refs/heads/old .git/HEAD",
        "printf 'ref:\\t refs/heads/x' > .git/HEAD",
        "git commit -q --allow-empty -m y && git pack-refs --all",
        "git checkout -q --orphan new",
    ],
)
def test_another_head_stays(root: Path, guard: RepositoryGuard, command: str) -> None:
    sh("git init -q . && git commit -q --allow-empty -m x", root)
    guard.before()
    sh(command, root)
    before = state(root)
    assert guard.after() == []
    assert state(root) == before


def test_what_was_no_repository_need_not_be_one(root: Path, guard: RepositoryGuard) -> None:
    make(root / ".git/HEAD", "ref: x")
    sh("mkdir .git/objects .git/refs && git init -q sub && rm sub/.git/HEAD", root)
    guard.before()
    sh("rm -r .git/objects .git/HEAD sub/.git/refs", root)
    assert guard.after() == []


def test_links_to_data_elsewhere_stay(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q old && mkdir -p new/.git && cd new/.git && cp ../../old/.git/HEAD .", root)
    sh("ln -s ../../old/.git/objects && ln -s ../../old/.git/refs", root / "new/.git")
    before = state(root / "new")
    guard.before()
    sh("cd new/.git && rm refs && mkdir refs && ln -sfn nowhere objects", root)
    assert guard.after() == ["new/.git/objects", "new/.git/refs"]
    assert state(root / "new") == before


# Repositories under other names


def test_a_bare_repository_can_be_made_and_used(root: Path, guard: RepositoryGuard) -> None:
    guard.before()
    sh("git init -q --bare x.git && git clone -q x.git y 2>&1 && cd y", root)
    sh("git commit -q --allow-empty -m one && git push -q origin HEAD 2>&1", root / "y")
    sh("git clone -q --bare x.git z.git", root)
    assert guard.after() == ["y/.git/config", "z.git/config"]  # the remotes
    for _ in range(2):
        guard.before()
        sh("cd y && git commit -q --allow-empty -m two && git push -q ../x.git HEAD 2>&1", root)
        assert guard.after() == []
    assert sh("git -C x.git log --format=%s --all", root).split() == ["two", "two", "one"]


def test_what_a_command_made_is_cleaned_after_later_ones_too(
    root: Path, guard: RepositoryGuard
) -> None:
    guard.before()
    sh("git init -q --bare a/x.git", root)
    assert guard.after() == []
    guard.before()
    sh("mv a b && git -C b/x.git config core.fsmonitor x && touch b/x.git/hooks/update", root)
    sh("mkdir s && cp -r b/x.git/* s && rm s/HEAD", root)  # in two steps
    assert guard.after() == ["b/x.git/config", "b/x.git/hooks/update"]
    guard.before()
    sh("cp b/x.git/HEAD s", root)
    assert guard.after() == ["s/HEAD"]


def test_a_directory_whose_objects_are_elsewhere_is_a_repository_too(
    root: Path, guard: RepositoryGuard
) -> None:
    guard.before()
    sh(
        "git init -q --bare x.git && mkdir d && cp x.git/HEAD d && echo ../x.git > d/commondir",
        root,
    )
    assert "x.git" in sh("git -C d rev-parse --git-common-dir", root)
    assert guard.after() == ["d/commondir"]


def test_a_bare_repository_that_was_there_is_left_alone(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q --bare x.git && cp -r x.git y.git", root)
    guard.before()
    sh("for r in x y; do git -C $r.git config user.x 1; touch $r.git/hooks/update; done", root)
    sh("mkdir d && mv y.git d/z && cp -r x.git copy", root)
    assert guard.after() == ["copy/config", "copy/hooks/update"]
    guard.before()
    sh("touch d/z/hooks/other", root)
    assert guard.after() == []
    guard.before()
    sh("cp -r d/z new && rm -r d/z x.git copy", root)  # no new one is taken for one of them
    sh("for i in $(seq 20); do cp -r new n$i; done", root)
    assert guard.after() == sorted(
        f"{name}/{path}"
        for name in ("new", *(f"n{i}" for i in range(1, 21)))
        for path in ("config", "hooks/other", "hooks/update")
    )


def test_a_repository_that_lost_its_home_and_name_becomes_the_commands(
    root: Path, guard: RepositoryGuard
) -> None:
    sh("git init -q a && touch a/.git/hooks/update", root)
    guard.before()
    sh("mv a/.git x && rm -r a && touch x/hooks/other", root)
    assert guard.after() == ["x/hooks/other"]
    guard.before()
    assert guard.after() == ["x/hooks/update"]


def test_what_a_directory_held_is_not_lost_when_it_becomes_a_repository(
    root: Path, guard: RepositoryGuard
) -> None:
    for name in ("modules/a.py", "hooks/b.py", "config"):
        make(root / "src" / name)
    before = state(root)
    guard.before()
    sh("cd src && mkdir -p objects refs && echo ref: refs/heads/x > HEAD", root)
    assert guard.after() == ["src/HEAD"]
    sh("rmdir src/objects src/refs", root)
    assert state(root) == before


@pytest.mark.parametrize("head", ["", "nothing", "ref: x", "0123", "x" * 40])
def test_what_only_looks_like_a_repository_is_left_alone(
    root: Path, guard: RepositoryGuard, head: str
) -> None:
    guard.before()
    for name in ("HEAD", "objects/x", "refs/x", "hooks/x", "config"):
        make(root / "a" / name, head)
    (root / "b").mkdir()
    (root / "b/HEAD").symlink_to("elsewhere")
    make(root / "b/objects/x")
    make(root / "b/refs/x")
    os.mkfifo(root / "b/config")
    assert guard.after() == []


def test_a_submodule_is_no_new_repository_after_it_was_put_back(
    root: Path, guard: RepositoryGuard
) -> None:
    prepare(root, "")
    before = (root / ".git/modules/logs/config").read_bytes()
    guard.before()
    sh("cp -r .git/modules m && rm -r .git/modules && mkdir -p .git/modules/logs", root)
    sh("cp -r m/logs/objects m/logs/refs .git/modules/logs && rm -r m", root)
    assert ".git/modules/logs/config" in guard.after()
    assert (root / ".git/modules/logs/config").read_bytes() == before
    sh("git status && git -C logs log", root)


# What settings lead to


def test_what_settings_lead_to_is_guarded(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q sub && cd sub && git config core.hooksPath ../my/hooks", root)
    sh("mkdir -p my/hooks inc && touch my/hooks/pre-commit inc/a inc/b && ln -s a inc/l", root)
    sh("git config -f sub/.git/config include.path ../../inc/l", root)
    sh("git config -f inc/a include.path b && git config -f inc/b include.path $PWD/inc/c", root)
    sh("git config -f sub/.git/config --add include.path ~/x && git config -f inc/b a.path x", root)
    sh("git config -f sub/.git/config.worktree core.hooksPath .githooks", root)
    before = state(root)
    [repository] = guard.before()
    assert {path for path in repository.guarded if ".git/" not in path} == {
        "inc/a",
        "inc/b",
        "my/hooks",
    }
    sh("for f in a b c; do echo x > inc/$f; done && rm inc/l && mkdir sub/.githooks", root)
    sh("rm my/hooks/pre-commit && touch my/hooks/post-commit", root)
    assert guard.after() == [
        "inc/a", "inc/b", "inc/c", "inc/l", "my/hooks/post-commit", "my/hooks/pre-commit",
        "sub/.githooks",
    ]  # fmt: skip
    assert state(root) == before


@pytest.mark.parametrize("path", [".", "..", "{root}", ".git", "x/../.."])
def test_hooks_in_a_directory_that_holds_the_repository_are_refused(
    root: Path, guard: RepositoryGuard, path: str
) -> None:
    sh(f"git init -q sub && cd sub && git config core.hooksPath {path.format(root=root)}", root)
    with pytest.raises(GuardError, match=r"^sub/\.git/config \(core\.hooksPath\): leads to a dir"):
        guard.before()


@pytest.mark.parametrize("path", ["/dev/null", "", "/usr/share/x", "~/hooks", "../../../x"])
def test_settings_that_lead_outside_are_left_alone(
    root: Path, guard: RepositoryGuard, path: str
) -> None:
    sh(f"git init -q . && git config core.hooksPath '{path}'", root)
    [repository] = guard.before()
    assert all(one.startswith(".git/") for one in repository.guarded)
    assert guard.after() == []


def test_includes_in_circles_come_to_an_end(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q . && git config include.path ../a/x && mkdir a && ln -s . a/l", root)
    make(root / "a/x", "[include]\npath = l/x\npath = x\npath = ../a/x\npath = l/l/./x\n" * 5)
    assert set(guard.before()[0].guarded) > {"a/x"}
    assert guard.after() == []


# Trees that resist

NEST = """
import os, sys
for level in range(int(sys.argv[1])):
    os.mkdir("d"); os.chdir("d")
    if level % 1000 == 999:
        os.symlink("x", ".git")
        os.makedirs(".GIT/hooks/h")
"""


def nest(directory: Path, levels: int) -> None:
    subprocess.run([sys.executable, "-c", NEST, str(levels)], cwd=directory, check=True)


def test_five_thousand_levels(root: Path, guard: RepositoryGuard) -> None:
    guard.before()
    nest(root, 5000)
    undone = guard.after()
    assert len(undone) > 2
    assert all(len(path) <= 4097 for path in undone)  # the longer ones are cut
    guard.before()
    assert guard.after() == []
    remove_tree(root, "d")
    assert os.listdir(root) == []


def test_a_deep_impostor_is_removed(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q .", root)
    before = state(root)
    guard.before()
    (root / "new").mkdir()
    nest(root / "new", 5000)
    sh("mv .git new/d/x && mv new .git", root)
    assert guard.after() == [".git"]
    assert state(root) == before


def test_a_repository_far_down_is_guarded(root: Path, guard: RepositoryGuard) -> None:
    script = NEST + "\nos.mkdir('.git'); open('.git/config', 'w').write(sys.argv[2])"
    (root / "deep").mkdir()
    command = [sys.executable, "-c", script]
    subprocess.run([*command, "999", "good"], cwd=root / "deep", check=True)
    assert len(guard.before()) == 1
    evil = (
        "import os\nwhile os.path.isdir('d'): os.chdir('d')\nopen('.git/config', 'w').write('evil')"
    )
    subprocess.run([sys.executable, "-c", evil], cwd=root / "deep", check=True)
    assert len(guard.after()) == 1
    look = evil.replace("'w').write('evil')", "'r').read() == 'good' or exit(1)")
    subprocess.run([sys.executable, "-c", look], cwd=root / "deep", check=True)
    remove_tree(root, "deep")


def test_locked_directories_are_opened_and_locked_again(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q . && mkdir -p locked/sub free && git init -q locked/sub", root)
    sh("ln -s ../../../../t locked/sub/.git/hooks/x && mkdir -m 700 t && touch t/t", root)
    sh("chmod 500 locked/sub/.git/hooks && chmod 0 locked/sub locked", root)
    if not os.getuid():
        sh(f"chown -R -h {NOBODY}:{NOBODY} .", root)
    before = state(root)
    with not_root():
        guard.before()
    sh("chmod 700 locked locked/sub locked/sub/.git/hooks", root)
    sh(
        "echo evil > locked/sub/.git/hooks/pre-commit && mkdir -p free/a && git init -q free/a",
        root,
    )
    sh("echo evil > free/a/.git/hooks/evil && ln -s x free/.git && echo evil > t/t", root)
    sh("mv .git free/g && git init -q . && echo x >> free/g/config", root)
    sh("chmod 000 free/g/hooks free/a/.git/hooks free/a/.git .git/hooks t/t t", root)
    sh("chmod 000 locked/sub/.git/hooks locked/sub/.git && chmod 300 free/a", root)
    sh("chmod 100 locked/sub && chmod 400 locked && chmod 000 free/g free .git", root)
    if not os.getuid():
        sh(f"chown -R -h {NOBODY}:{NOBODY} .", root)
    modes = {path: (root / path).stat().st_mode for path in ("free", "locked")}
    root.chmod(0)
    with not_root():
        undone = guard.after()
    assert stat.S_IMODE(root.stat().st_mode) == 0
    root.chmod(0o755)
    assert undone == [
        ".git",
        ".git/config",
        ".git/hooks",
        "free/.git",
        "free/a/.git/hooks/evil",
        "locked/sub/.git",
        "locked/sub/.git/hooks",
        "locked/sub/.git/hooks/pre-commit",
        "t",
        "t/t",
    ]
    assert modes == {path: (root / path).stat().st_mode for path in modes}
    sh("chmod -R u+rwx free && rm -r free/* && chmod 755 free locked .git", root)
    sh("chmod 700 locked/sub && chmod 755 locked/sub/.git", root)
    sh("chmod 0 locked/sub locked", root)
    if not os.getuid():  # another may not look
        assert state(root) == before


CAREFUL = """
import ctypes, os, struct, sys
sys.path.insert(0, sys.argv[1])
from tisslang.sandbox.git.repositories import RepositoryGuard

libc = ctypes.CDLL(None, use_errno=True)
header = struct.pack("Ii", 0x20080522, 0)
held = ctypes.create_string_buffer(24)
assert libc.capget(header, held) == 0
for_files = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
low = [word & ~for_files for word in struct.unpack("6I", held.raw)[:3]]
assert libc.capset(header, struct.pack("6I", *low, *struct.unpack("6I", held.raw)[3:])) == 0
guard = RepositoryGuard(sys.argv[2])
print(guard.before())
exec(sys.argv[3])
print(guard.after())
"""
LOCK = """
import subprocess
for mode in ("000", "444", "111", "333"):
    subprocess.run(["sh", "-ec", "git init -q $0; touch $0/.git/hooks/update; chmod $0 $0", mode])
"""


def test_a_superuser_without_its_capabilities_opens_locks_too(root: Path) -> None:
    package = str(Path(tisslang.__file__).parents[1])
    command = [sys.executable, "-I", "-S", "-c", CAREFUL, package, str(root), LOCK]
    done = subprocess.run(command, cwd=root, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.stderr == b""
    modes = ("000", "111", "333", "444")
    assert done.stdout.decode().splitlines() == [
        "[]",
        str([f"{mode}/.git/hooks/update" for mode in modes]),
    ]
    for mode in modes:
        assert stat.S_IMODE((root / mode).stat().st_mode) == int(mode, 8)
        (root / mode).chmod(0o755)


def test_a_race_of_renames_leads_nowhere(root: Path, guard: RepositoryGuard) -> None:
    """Whatever is exchanged while the guard works, it changes nothing outside."""
    outside = root.parent / "outside"
    for name in (".git/hooks", ".git/modules/x", "sub/.git/hooks", "hooks", "info"):
        make(outside / name / "file")
    make(outside / "config")
    sh("git init -q . && mkdir -p a/b/c && git init -q a/b/c", root)
    before = {path: (state(path), path.lstat()) for path in [outside, *outside.rglob("*")]}
    stop = threading.Event()

    def rename(here: int, name: str) -> None:
        os.symlink(outside, "link", dir_fd=here)
        while not stop.is_set():
            for source, target in ((name, "old"), ("link", name), (name, "link"), ("old", name)):
                with contextlib.suppress(OSError):
                    os.rename(source, target, src_dir_fd=here, dst_dir_fd=here)
        os.close(here)

    names = [("a", "b"), ("a/b", "c"), ("a/b/c", ".git"), (".git", "hooks"), (".", "a")]
    places = [(os.open(root / directory, os.O_RDONLY), name) for directory, name in names]
    threads = [threading.Thread(target=rename, args=place) for place in places]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 2
    rounds = 0
    while time.monotonic() < end:
        with contextlib.suppress(GuardError):
            guard.before()
            guard.after()
        rounds += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert rounds > 3
    after = {path: (state(path), path.lstat()) for path in [outside, *outside.rglob("*")]}
    for path, (content, status) in before.items():
        assert after[path][0] == content
        assert after[path][1].st_ctime_ns == status.st_ctime_ns
    assert set(after) == set(before)


# Bounds


def test_what_does_not_fit_into_memory_is_refused(root: Path, guard: RepositoryGuard) -> None:
    make(root / "a/.git/hooks/large")
    os.truncate(root / "a/.git/hooks/large", snapshots.MAX_KEPT)
    with pytest.raises(GuardError, match=r"^a/\.git/hooks/large: .* 64 MiB"):
        guard.before()
    os.truncate(root / "a/.git/hooks/large", 1 << 20)
    make(root / "a/.git/modules/m/HEAD")
    make(root / "a/.git/modules/m/objects/pack")
    os.truncate(root / "a/.git/modules/m/objects/pack", 1 << 30)  # data is not kept
    guard.before()
    assert guard.after() == []


def test_too_many_repositories_are_refused(root: Path, guard: RepositoryGuard) -> None:
    import resource

    for number in range(60):
        make(root / f"{number}/.git/config")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 60, hard))
    try:
        with pytest.raises(GuardError, match=r"too many repositories .* \(ulimit -n\)"):
            guard.before()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(guard.before()) == 60


def test_a_long_list_is_cut(
    root: Path, guard: RepositoryGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots.Log, "_MOST", 10)
    make(root / ".git/hooks/x")
    guard.before()
    for number in range(15):
        (root / f".git/hooks/{number}").touch()
    undone = guard.after()
    assert len(undone) == 11
    assert undone[-1] == "… and 5 more"
    assert os.listdir(root / ".git/hooks") == ["x"]


def test_what_cannot_be_written_back_is_removed_and_reported(
    root: Path, guard: RepositoryGuard
) -> None:
    import resource

    make(root / ".git/config", "good")
    make(root / ".git/hooks/pre-commit", "good")
    guard.before()
    make(root / ".git/config", "evil")
    make(root / ".git/hooks/pre-commit", "evil")
    make(root / "a/.git/config", "[core]\n\tbare = no\n")
    make(root / "a/.git/hooks/pre-commit", "evil")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # as on a full disk
    try:
        with pytest.raises(GuardError, match=r"could not be put right: \.git/(config|hooks)"):
            guard.after()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in root.rglob("*") if path.is_file()] == []
    guard.after()
    assert (root / ".git/hooks/pre-commit").read_text() == "good"


def test_files_that_did_not_change_are_not_read_again(
    root: Path, guard: RepositoryGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    sh("git init -q . && mkdir -p a/b/c", root)
    monkeypatch.setattr("tisslang.sandbox.git.snapshots.RACY", 0)
    monkeypatch.setattr("tisslang.sandbox.git.directories.RACY", 0)
    time.sleep(0.1)  # several ticks of the clock of files
    read: list[str] = []
    real = snapshots._read

    def spy(directory: int, name: str, most: int) -> tuple[bytes | None, os.stat_result]:
        read.append(name)
        return real(directory, name, most)

    monkeypatch.setattr(snapshots, "_read", spy)
    guard.before()
    assert "config" in read
    read.clear()
    guard.after()
    guard.before()
    assert read == []
    make(root / ".git/config", "evil")
    make(root / "a/b/c/.git/commondir")
    assert guard.after() == [".git/config", "a/b/c/.git/commondir"]
    assert read == []  # the size was another


def test_the_module_starts_without_site_packages_and_calls_no_program() -> None:
    package = str(Path(tisslang.__file__).parents[1])
    code = (
        "import sys, json; old = set(sys.modules); sys.path.insert(0, sys.argv[1]);"
        "import tisslang.sandbox.git.repositories; "
        "print(json.dumps(sorted(set(sys.modules) - old)))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, package]
    loaded = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert not {"subprocess", "re", "pathlib", "dataclasses", "shutil"} & set(loaded)


# Any sequence of changes

PATHS = st.sampled_from(
    [
        ".git", ".git/hooks", ".git/hooks/pre-commit", ".git/config", ".git/commondir", ".git/.git",
        ".git/modules", ".git/modules/m/config", ".git/x", "a", "a/.git", "a/.git/hooks", "a/b",
        "a/b/.git", "a/b/.git/config", "a/b/.git/info/x", "b", "b/.git", "b/c", "b/c/.git", ".tiss",
        ".tiss/x", "x", "x/.Git", "x/y", "x/hooks",
    ]
)  # fmt: skip
CHANGES = st.one_of(
    st.tuples(st.just("move"), PATHS, PATHS),
    st.tuples(st.sampled_from(["remove", "file", "directory", "fifo", "lock"]), PATHS, st.just("")),
    st.tuples(st.just("link"), PATHS, PATHS),
)


def change(root: Path, kind: str, path: str, other: str) -> None:
    with contextlib.suppress(OSError):
        if kind == "move":
            os.rename(root / path, root / other)
        elif kind == "remove":
            remove_any(root / path)
        elif kind == "lock":
            os.chmod(root / path, 0o500)
        elif kind == "link":
            os.symlink(root / other, root / path)
        elif not os.path.lexists(root / path):
            make_anything(root / path, kind)


def guarded_state(git: Path) -> dict[str, object]:
    return {
        name: state(git / name) for name in sorted(os.listdir(git)) if name.casefold() in GUARDED
    }


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.lists(st.lists(CHANGES, max_size=6), min_size=1, max_size=4))
def test_any_sequence_of_changes(
    tmp_path: Path, commands: list[list[tuple[str, str, str]]]
) -> None:
    root = tmp_path / "root"
    shutil.rmtree(root, ignore_errors=True)
    for path in (".git/hooks/pre-commit", ".git/modules/m/config", "a/.git/config", "a/b/x"):
        make(root / path, "good")
    make(root / "b/c/.git", "gitdir: x")
    guard = RepositoryGuard(str(root))
    for command in commands:
        known: dict[tuple[int, int], dict[str, object]] = {}
        whole: dict[tuple[int, str], object] = {}
        for repository in guard.before():
            path = root / repository.path
            if repository.is_directory:
                known[path.stat().st_dev, path.stat().st_ino] = guarded_state(path)
            else:
                whole[path.parent.stat().st_ino, path.name] = state(path)
        for one in command:
            change(root, *one)
        try:
            undone = guard.after()
        except GuardError as error:
            if "Invalid argument" in str(error):  # it would have to be moved into itself
                break
            raise
        for found in root.rglob("*"):
            if found.name.casefold() != ".git" and found != root / ".tiss":
                continue
            status = found.lstat()
            if (found.parent.stat().st_ino, found.name) in whole:
                assert state(found) == whole[found.parent.stat().st_ino, found.name]
            elif (status.st_dev, status.st_ino) in known:
                assert guarded_state(found) == known[status.st_dev, status.st_ino]
            else:
                assert found.is_dir()
                assert not found.is_symlink()
                assert {name.casefold() for name in os.listdir(found)} & GUARDED <= {
                    "hooks", "info", "branches", "config",
                }  # fmt: skip
                assert not list(found.glob("hooks/*"))
        assert undone == sorted(set(undone))
        guard.before()
        assert guard.after() == []
    guard.close()
