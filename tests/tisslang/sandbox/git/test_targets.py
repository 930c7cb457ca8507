"""What the links and settings of a repository lead to is guarded like what is in it."""

import shutil
from pathlib import Path

import pytest
from repositories import make, sh, state

from tisslang.sandbox.git.repositories import GuardError, RepositoryGuard

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
