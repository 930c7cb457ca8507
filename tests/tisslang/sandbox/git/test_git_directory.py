"""A repository stays one, and what a command made under another name runs nothing."""

import os
from pathlib import Path

import pytest
from repositories import NOBODY, make, not_root, prepare, sh, state

from tisslang.sandbox.git.repositories import RepositoryGuard

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
