"""MKDIR, DELETE and the directory of @cwd: exactly the promised change, and nothing outside."""

import contextlib
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from races import race
from trees import tree_of

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.paths import ProjectFiles, ProjectFilesByName
from tisslang.state import State
from tisslang.tools.delete_path import delete_path
from tisslang.tools.make_directory import make_directory


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside/empty").mkdir(parents=True)
    (tmp_path / "outside/file").write_bytes(b"outside")
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / "sub/file").write_bytes(b"inside")
    (root / "empty").mkdir()
    (root / "out").symlink_to("../outside")
    return root


@pytest.fixture(params=[ProjectFiles, ProjectFilesByName])
def files(request: pytest.FixtureRequest, root: Path) -> Iterator[ProjectFiles]:
    files = request.param(root)
    yield files
    files.close()


def fails(act: Callable[[str], object], path: str, text: str = "") -> TissCommandError:
    with pytest.raises(TissCommandError, match=text or None) as caught:
        act(path)
    assert caught.value.kind == "io"
    assert repr(path) in caught.value.message
    return caught.value


# MKDIR


@pytest.mark.parametrize("path", ["new", "new/", "./new//.", "a/b/c", "x/../new", "sub/new"])
def test_a_directory_is_made_with_its_parents(files: ProjectFiles, root: Path, path: str) -> None:
    files.make_directory(path)
    assert Path(os.path.realpath(root / path)).is_dir()
    assert not (root / "x").exists()
    before = tree_of(root)
    files.make_directory(path)
    assert tree_of(root) == before


def test_a_directory_that_exists_is_fine(files: ProjectFiles, root: Path) -> None:
    (root / "link").symlink_to("sub")
    before = tree_of(root)
    for path in (".", "sub", "sub/", "sub/..", "link", "link/", "out/../project/sub"):
        files.make_directory(path)
    assert tree_of(root) == before


def test_no_directory_in_place_of_a_file(files: ProjectFiles, root: Path) -> None:
    (root / "to_file").symlink_to("sub/file")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    before = list(root.rglob("*"))
    for path in ("sub/file", "sub/file/", "to_file", "fifo"):
        assert "DELETE" in (fails(files.make_directory, path, "is a file").hint or "")
    for path in ("sub/file/x", "to_file/x/y", "loop/x", "loop"):
        fails(files.make_directory, path)
    assert list(root.rglob("*")) == before


def test_a_dangling_link_inside_is_followed(files: ProjectFiles, root: Path) -> None:
    (root / "dangling").symlink_to("new/place")
    files.make_directory("dangling/deep")
    assert (root / "new/place/deep").is_dir()
    assert (root / "dangling").is_symlink()


def test_the_mode_of_a_new_directory_is_the_usual_one(files: ProjectFiles, root: Path) -> None:
    before = os.umask(0o027)
    try:
        files.make_directory("a/b")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((root / path).stat().st_mode) for path in ("a", "a/b")] == [0o750] * 2


# DELETE


def test_each_kind_of_entry_is_deleted(files: ProjectFiles, root: Path) -> None:
    (root / "dangling").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    (root / "to_file").symlink_to("sub/file")
    (root / "to_empty").symlink_to("empty")
    (root / "to_root").symlink_to(".")
    os.mkfifo(root / "fifo")
    expected = tree_of(root / "sub")
    everything = [
        *("out", "dangling", "loop", "to_file", "to_empty/", "to_root/.", "fifo", "empty"),
        *("sub/../sub/./file", "sub/."),
    ]
    for path in everything[:-2]:
        files.delete(path)
    assert tree_of(root / "sub") == expected
    for path in everything[-2:]:
        files.delete(path)
    assert tree_of(root) == {}
    assert tree_of(root.parent / "outside") == {"empty": "directory", "file": b"outside"}


def test_a_link_on_the_way_is_followed_a_last_one_is_not(files: ProjectFiles, root: Path) -> None:
    (root / "sub/deep").mkdir()
    (root / "link").symlink_to("sub")
    files.delete("link/deep")
    assert not (root / "sub/deep").exists()
    files.delete("link/")
    assert not (root / "link").is_symlink()
    assert (root / "sub/file").exists()


def test_a_last_step_back_is_followed(files: ProjectFiles, root: Path) -> None:
    (root / "a/b").mkdir(parents=True)
    (root / "a/b/link").symlink_to("../../empty")
    (root / "c").mkdir()
    fails(files.delete, "a/b/..", "is not empty")
    files.delete("c/missing/..")
    assert not (root / "c").exists()
    with pytest.raises(TissSecurityError, match="root itself"):
        files.delete("a/b/link/..")  # where the link leads, one step back
    (root / "a/b/link").unlink()
    files.delete("a/b/missing/../.")
    assert not (root / "a/b").exists()


@pytest.mark.parametrize(
    "path", [".", "./", "./.", "sub/..", "x/..", "../project", "out/../project", "to_root/x/.."]
)
def test_the_root_is_never_deleted(files: ProjectFiles, root: Path, path: str) -> None:
    (root / "to_root").symlink_to(root)
    with pytest.raises(TissSecurityError):
        files.delete(path)
    with pytest.raises(TissSecurityError):
        files.check(path, deleting=True)
    assert root.is_dir()


def test_an_empty_root_is_not_deleted_either(tmp_path: Path) -> None:
    for kind in (ProjectFiles, ProjectFilesByName):
        files = kind(tmp_path)
        with pytest.raises(TissSecurityError, match="root itself"):
            files.delete(".")
        files.close()


@pytest.mark.parametrize(
    "path", ["..", "../outside/empty", "out/file", "out/empty", "out/..", "../other", "to_out/.."]
)
def test_nothing_outside_is_deleted(files: ProjectFiles, root: Path, path: str) -> None:
    (root.parent / "other").symlink_to("project/sub")
    (root / "to_out").symlink_to("out")
    before = tree_of(root.parent)
    with pytest.raises(TissSecurityError, match="outside"):
        files.delete(path)
    with pytest.raises(TissSecurityError, match="outside"):
        files.check(path, deleting=True)
    assert tree_of(root.parent) == before


def test_what_cannot_be_deleted(files: ProjectFiles, root: Path) -> None:
    (root / "loop").symlink_to("loop")
    before = tree_of(root)
    assert "rm -r" in (fails(files.delete, "sub", "is not empty").hint or "")
    for path in ("nope", "sub/nope", "nope/x", "nope/x/.."):
        assert "EXISTS" in (fails(files.delete, path, "does not exist").hint or "")
    fails(files.delete, "sub/file/x", "a file where a directory should be")
    fails(files.delete, "loop/x")
    fails(files.delete, "x" * 300)
    assert tree_of(root) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_no_permission(root: Path) -> None:
    files = ProjectFiles(root)
    before = tree_of(root)
    os.seteuid(65534)
    try:
        fails(files.delete, "sub/file", "permission denied")
        fails(files.delete, "empty", "permission denied")
        fails(files.make_directory, "sub/new/deep", "permission denied")
    finally:
        os.seteuid(0)
    files.close()
    assert tree_of(root) == before


def test_no_descriptor_is_left_open(root: Path) -> None:
    def use() -> None:
        files = ProjectFiles(root)
        paths = ["sub/file", "a/b/c", "..", ".git/x", "sub/..", "out/x", "loop/x", ".", "a/b/x/.."]
        for act in (files.make_directory, files.delete, files.directory):
            for path in paths:
                with contextlib.suppress(TissCommandError, TissSecurityError):
                    act(path)
        files.close()

    (root / "loop").symlink_to("loop")
    use()
    before = len(os.listdir("/proc/self/fd"))
    use()
    assert len(os.listdir("/proc/self/fd")) == before


# What git and tiss own


@pytest.mark.parametrize("name", [".git", ".GIT", ".Tiss", "deep/.git"])
def test_version_control_is_neither_made_nor_deleted(
    files: ProjectFiles, root: Path, name: str
) -> None:
    for path in (name, f"{name}/", f"{name}/x/y", f"{name}/x/..", f"new/{name}"):
        with pytest.raises(TissSecurityError, match="may not change"):
            files.make_directory(path)
    (root / name / "empty").mkdir(parents=True)
    (root / name / "file").write_bytes(b"")
    (root / "link").symlink_to(name)
    (root / "link_deep").symlink_to(f"{name}/empty")
    before = tree_of(root)
    for path in (name, f"{name}/empty", f"{name}/file", "link/file", "link/empty", "link_deep/.."):
        with pytest.raises(TissSecurityError, match="may not change"):
            files.delete(path)
    with pytest.raises(TissSecurityError, match="may not change"):
        files.make_directory("link_deep/new")
    assert tree_of(root) == before
    files.delete("link")  # the link is no part of it
    files.delete("link_deep")


def test_a_link_called_git_is_not_deleted(files: ProjectFiles, root: Path) -> None:
    (root / ".git").symlink_to("empty")
    with pytest.raises(TissSecurityError, match="may not change"):
        files.delete(".git")
    assert (root / ".git").is_symlink()


def test_a_repository_of_another_name_stays(files: ProjectFiles, root: Path) -> None:
    bare = root / "x.git"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    (root / "link").symlink_to("x.git/refs")
    before = tree_of(root)
    for path in ("x.git/HEAD", "x.git/config", "x.git/refs/tags", "link/heads", "link/heads/x/.."):
        with pytest.raises(TissSecurityError, match="repository"):
            files.delete(path)
    for path in ("x.git/new", "x.git/refs", "link/heads/deep/er"):
        with pytest.raises(TissSecurityError, match="repository"):
            files.make_directory(path)
    assert tree_of(root) == before


@pytest.mark.parametrize("last", ["HEAD", "objects", "refs/x", "commondir"])
def test_no_directory_becomes_a_repository(files: ProjectFiles, root: Path, last: str) -> None:
    names = ["HEAD"] if last == "commondir" else ["HEAD", "objects", "refs/x"]
    for name in names:
        if name != last:
            files.make_directory(name)
    with pytest.raises(TissSecurityError, match="repository"):
        files.make_directory(last)


# @cwd


def test_the_directory_for_commands(files: ProjectFiles, root: Path) -> None:
    (root / "link").symlink_to("sub")
    for path, real in ((".", root), ("sub", root / "sub"), ("link/", root / "sub"), ("x/..", root)):
        assert files.directory(path) == str(real)
    for path in ("sub/file", "nope", "sub/file/x"):
        fails(files.directory, path)
    for path in ("..", "out", "out/empty"):
        with pytest.raises(TissSecurityError):
            files.directory(path)


def test_a_root_that_was_replaced_gives_no_directory(root: Path) -> None:
    files = ProjectFiles(root)
    root.rename(root.parent / "moved")
    fails(files.directory, ".", "does not exist")
    (root / "sub").mkdir(parents=True)
    fails(files.directory, "sub", "was moved")
    files.close()


# Tools


def test_the_tools_do_it(root: Path) -> None:
    state = State(root)
    make_directory(state, {"path": "a/b"})
    assert (root / "a/b").is_dir()
    delete_path(state, {"path": "a/b"})
    assert not (root / "a/b").exists()
    with pytest.raises(TissCommandError, match="not empty"):
        delete_path(state, {"path": "sub"})
    state.close()


# Another process that renames files meanwhile changes nothing outside.

SECONDS = pytest.mark.parametrize("seconds", [1.0, pytest.param(15.0, marks=pytest.mark.long)])


def race_outside(root: Path, swap: Callable[[], None], seconds: float, *names: str) -> set[str]:
    """How MKDIR and DELETE of these names end meanwhile."""
    files = ProjectFiles(root)
    before = tree_of(root.parent / "outside")
    outcomes: set[str] = set()

    def act() -> None:
        for name in names:
            command, path = name.split()
            try:
                (files.delete if command == "DELETE" else files.make_directory)(path)
                outcomes.add(command)
            except (TissSecurityError, TissCommandError) as error:
                outcomes.add(error.kind)

    race(swap, act, seconds)
    files.close()
    assert tree_of(root.parent / "outside") == before
    return outcomes


@SECONDS
def test_a_race_of_links_changes_nothing_outside(root: Path, seconds: float) -> None:
    (root / "link").symlink_to("sub")

    def swap() -> None:
        for target in ("../outside", "sub"):
            os.symlink(target, root / "next")
            os.replace(root / "next", root / "link")

    commands = "MKDIR link/new", "DELETE link/new", "DELETE link/empty", "DELETE link/file"
    outcomes = race_outside(root, swap, seconds, *commands)
    assert {"MKDIR", "DELETE", "security"} <= outcomes


@SECONDS
def test_a_race_of_a_directory_and_a_link_changes_nothing_outside(
    root: Path, seconds: float
) -> None:
    (root / "real").mkdir()

    def swap() -> None:
        os.rename(root / "real", root / "spare")
        os.rename(root / "out", root / "real")
        os.rename(root / "real", root / "out")
        os.rename(root / "spare", root / "real")

    outcomes = race_outside(root, swap, seconds, "DELETE real/empty", "DELETE real/file")
    assert outcomes == {"io", "security"}
