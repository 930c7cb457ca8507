"""Paths of a plan: nothing outside the root is read, written or seen, whatever they look like."""

import contextlib
import errno
import os
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from races import race

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.paths import MAX_READ, ProjectFiles, ProjectFilesByName, open_project

SECRET = b"secret"

Both = pytest.mark.parametrize("kind", [ProjectFiles, ProjectFilesByName])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_bytes(SECRET)
    root = tmp_path / "project"
    (root / "sub").mkdir(parents=True)
    (root / "sub/file").write_bytes(b"inside")
    return root


@pytest.fixture
def files(root: Path) -> Iterator[ProjectFiles]:
    files = ProjectFiles(root)
    yield files
    files.close()


def _uses(files: ProjectFiles) -> list[Callable[[str], object]]:
    """What can be done with a path that is followed to its end."""
    return [files.check, files.exists, files.read, files.make_directory, files.directory]


BAD_FORMS = ["", "/etc/passwd", "~", "~/x", "~root/x", "a\0b", "a\\b", "C:", "C:/x", "c:x"]


@Both
@pytest.mark.parametrize("path", BAD_FORMS)
def test_bad_forms_are_refused(kind: type[ProjectFiles], root: Path, path: str) -> None:
    files = kind(root)
    for use in (*_uses(files), lambda p: files.write(p, b""), files.delete):
        with pytest.raises(TissSecurityError):
            use(path)
    files.close()


@Both
@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../outside/secret",
        "sub/../../outside/secret",
        "./../outside/secret",
        "sub/..//../outside/secret",
        "missing/../../outside/secret",
        "out/secret",
        "out/../outside/secret",
        "absolute/secret",
        "chain/secret",
        "file_out",
        "dangling_out",
        "sub/up/outside/secret",
    ],
)
def test_leaving_the_root_is_refused(kind: type[ProjectFiles], root: Path, path: str) -> None:
    (root / "out").symlink_to("../outside")
    (root / "absolute").symlink_to(root.parent / "outside")
    (root / "chain").symlink_to("out")
    (root / "file_out").symlink_to("../outside/secret")
    (root / "dangling_out").symlink_to("../outside/new")
    (root / "sub/up").symlink_to("../..")
    before = sorted(root.parent.rglob("*"))
    files = kind(root)
    for use in (*_uses(files), lambda p: files.write(p, b"changed")):
        with pytest.raises(TissSecurityError, match="outside"):
            use(path)
    files.close()
    assert (root.parent / "outside/secret").read_bytes() == SECRET
    assert sorted(root.parent.rglob("*")) == before


@Both
@pytest.mark.parametrize("path", ["loop/../out/secret", "loop/../loop/../to_out/secret"])
def test_a_loop_of_links_leads_nowhere(kind: type[ProjectFiles], root: Path, path: str) -> None:
    """Python's `realpath` stops at a loop and leaves the links behind it as they are."""
    (root / "loop").symlink_to("loop")
    (root / "out").symlink_to("../outside")
    (root / "to_out").symlink_to("loop/../out")
    files = kind(root)
    for use in (files.read, files.directory, lambda p: files.write(p, b"changed"), files.delete):
        with pytest.raises((TissSecurityError, TissCommandError)):
            use(path)
    files.close()
    assert (root.parent / "outside/secret").read_bytes() == SECRET


@pytest.mark.parametrize(
    "path",
    [
        "sub/file",
        "./sub//file",
        "sub/../sub/file",
        "missing/../sub/file",
        "missing/deeper/../../sub/file",
        "link/file",
        "link_absolute/file",
        "link_file",
        "link/../sub/file",
        "sub/back/file",
        "../project/sub/file",
        "out_and_in/file",
    ],
)
def test_paths_that_end_inside_are_followed(files: ProjectFiles, root: Path, path: str) -> None:
    (root / "link").symlink_to("sub")
    (root / "link_absolute").symlink_to(root / "sub")
    (root / "link_file").symlink_to("sub/file")
    (root / "sub/back").symlink_to("../sub")
    (root / "out_and_in").symlink_to(f"../../{root.parent.name}/project/sub")
    assert files.exists(path)
    assert files.read(path) == b"inside"
    files.write(path, b"changed")
    assert (root / "sub/file").read_bytes() == b"changed"
    assert (root / "link_file").is_symlink()


def test_a_step_back_after_a_link_is_taken_from_where_the_link_led(
    files: ProjectFiles, root: Path
) -> None:
    (root / "deep/er").mkdir(parents=True)
    (root / "deep/here").write_bytes(b"real parent")
    (root / "here").write_bytes(b"parent by name")
    (root / "link").symlink_to("deep/er")
    assert files.read("link/../here") == b"real parent"


def test_existence(files: ProjectFiles, root: Path) -> None:
    (root / "dangling").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    (root / "link").symlink_to("sub")
    there = ["sub", "sub/", ".", "sub/file", "link", "link/file", "sub/.."]
    missing = ["nope", "sub/nope", "sub/file/x", "dangling", "loop", "loop/x", "x" * 300]
    assert [path for path in there + missing if files.exists(path)] == there


def test_write_makes_parents_and_follows_links_inside(files: ProjectFiles, root: Path) -> None:
    files.write("a/b/c.txt", b"1")
    assert (root / "a/b/c.txt").read_bytes() == b"1"
    (root / "dangling").symlink_to("new/target")
    files.write("dangling", b"2")
    assert (root / "new/target").read_bytes() == b"2"
    assert (root / "dangling").is_symlink()
    files.write("missing/../plain", b"3")
    assert not (root / "missing").exists()
    assert (root / "plain").read_bytes() == b"3"


def test_write_keeps_the_mode_and_breaks_hard_links(files: ProjectFiles, root: Path) -> None:
    script = root / "script.sh"
    script.write_bytes(b"old")
    script.chmod(0o751)
    os.link(script, root / "second")
    files.write("script.sh", b"new")
    assert stat.S_IMODE(script.stat().st_mode) == 0o751
    assert (root / "second").read_bytes() == b"old"
    old_umask = os.umask(0o027)
    try:
        files.write("fresh", b"")
    finally:
        os.umask(old_umask)
    assert stat.S_IMODE((root / "fresh").stat().st_mode) == 0o640


def test_a_fifo_is_replaced_by_write_and_refused_by_read(files: ProjectFiles, root: Path) -> None:
    os.mkfifo(root / "fifo")
    started = time.monotonic()
    with pytest.raises(TissCommandError, match="not a regular file"):
        files.read("fifo")
    assert time.monotonic() - started < 1
    files.write("fifo", b"file now")
    assert (root / "fifo").read_bytes() == b"file now"


@pytest.mark.skipif(os.geteuid() != 0, reason="making a device needs root")
def test_a_device_is_refused_by_read(files: ProjectFiles, root: Path) -> None:
    try:
        os.mknod(root / "zero", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("devices cannot be made here")
    with pytest.raises(TissCommandError, match="not a regular file"):
        files.read("zero")


@Both
def test_what_cannot_be_read_or_written(kind: type[ProjectFiles], root: Path) -> None:
    (root / "loop").symlink_to("loop")
    files = kind(root)
    for path in ("nope", "sub", "sub/file/x", "loop"):
        with pytest.raises(TissCommandError) as caught:
            files.read(path)
        assert caught.value.kind == "io"
    for path in (".", "sub", "new/", "sub/file/x"):
        with pytest.raises(TissCommandError) as caught:
            files.write(path, b"")
        assert caught.value.kind == "io"
    files.close()
    assert not (root / "new").exists()


def test_a_read_is_limited(files: ProjectFiles, root: Path) -> None:
    with open(root / "big", "wb") as file:
        file.truncate(MAX_READ)
    assert len(files.read("big")) == MAX_READ
    with open(root / "big", "ab") as file:
        file.write(b"x")
    with pytest.raises(TissCommandError, match="16 MiB"):
        files.read("big")


PROTECTED = [
    ".git/hooks/pre-commit",
    ".GIT/config",
    ".tiss/x",
    ".Tiss",
    ".git",
    "sub/.git/config",
    "new/.git/config",
    "to_git/hooks/pre-commit",
    "to_hooks/pre-commit",
    "to_config",
    "x/../.git/config",
]


@Both
@pytest.mark.parametrize("path", PROTECTED)
def test_version_control_is_read_only(kind: type[ProjectFiles], root: Path, path: str) -> None:
    (root / ".git/hooks").mkdir(parents=True)
    (root / ".git/config").write_bytes(b"[core]")
    (root / "to_git").symlink_to(".git")
    (root / "to_hooks").symlink_to(".git/hooks")
    (root / "to_config").symlink_to(".git/config")
    before = sorted(root.rglob("*"))
    files = kind(root)
    with pytest.raises(TissSecurityError, match="may not change"):
        files.write(path, b"")
    with pytest.raises(TissSecurityError, match="may not change"):
        files.check(path, writing=True)
    assert sorted(root.rglob("*")) == before
    assert files.read("to_git/config") == b"[core]"
    assert files.exists("to_git/hooks")
    files.write(".gitignore", b"*")
    files.write("git/.github/x", b"")
    files.close()


@Both
@pytest.mark.parametrize("last", ["HEAD", "objects/x", "refs/x", "commondir"])
def test_no_directory_becomes_a_repository(kind: type[ProjectFiles], root: Path, last: str) -> None:
    """git takes any directory with these for one, and runs what its config names."""
    files = kind(root)
    first = ["HEAD"] if last == "commondir" else ["HEAD", "objects/x", "refs/x"]
    for directory in ("", "new/"):
        for name in first:
            if name != last:
                files.write(directory + name, b"ref: refs/heads/x\n")
        with pytest.raises(TissSecurityError, match="repository"):
            files.write(directory + last, b"ref: refs/heads/x\n")
    files.close()


@Both
def test_a_repository_of_another_name_is_read_only(kind: type[ProjectFiles], root: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", str(root / "x.git")], check=True)
    files = kind(root)
    for name in ("config", "hooks/post-update", "refs/heads/new", "deep/er"):
        with pytest.raises(TissSecurityError, match="repository"):
            files.write(f"x.git/{name}", b"")
    assert b"bare = true" in files.read("x.git/config")
    files.close()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    files: ProjectFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TissCommandError, match="disk is full"):
        files.write("sub/file", b"new")
    assert os.listdir(root / "sub") == ["file"]
    assert (root / "sub/file").read_bytes() == b"inside"


def test_no_descriptor_is_left_open(root: Path) -> None:
    def use() -> None:
        files = ProjectFiles(root)
        for path in ("sub/file", "a/b/c", "../x", ".git/x", "sub/file/x", "sub/../sub"):
            for act in (*_uses(files), lambda p: files.write(p, b""), files.delete):
                with contextlib.suppress(TissCommandError, TissSecurityError):
                    act(path)
        files.close()

    use()
    before = len(os.listdir("/proc/self/fd"))
    use()
    assert len(os.listdir("/proc/self/fd")) == before


PARTS = st.sampled_from(["..", ".", "", "sub", "file", "out", "in", "new", ".git", "abs", "loop"])


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parts=st.lists(PARTS, min_size=1, max_size=7))
def test_any_path_agrees_with_realpath(files: ProjectFiles, root: Path, parts: list[str]) -> None:
    """The walk reaches what the system's own resolution reaches, and refuses exactly the rest."""
    if not (root / "out").is_symlink():
        (root / "out").symlink_to("../outside")
        (root / "in").symlink_to("sub/../sub")
        (root / "abs").symlink_to(root / "sub")
        (root / "loop").symlink_to("loop")
    path = "/".join(parts)
    if not path or path.startswith("/") or "loop" in parts:
        with pytest.raises((TissSecurityError, TissCommandError)):
            files.read(path)
        return
    real = os.path.realpath(root / path)
    inside = real == str(root) or real.startswith(f"{root}/")
    try:
        found = files.exists(path)
    except TissSecurityError:
        assert not inside
    else:
        assert inside
        assert found == os.path.exists(real)


def test_this_platform_has_the_walk() -> None:
    assert open_project is ProjectFiles


# Long enough in `make test` to catch a walk that checks first and uses later.
SECONDS = pytest.mark.parametrize("seconds", [1.0, pytest.param(15.0, marks=pytest.mark.long)])


@SECONDS
def test_a_race_of_links_leaks_nothing(files: ProjectFiles, root: Path, seconds: float) -> None:
    """A directory that is, in turn, a link inside and a link outside, swapped without a gap."""
    (root / "sub/secret").write_bytes(b"inside")
    (root / "link").symlink_to("sub")

    def swap() -> None:
        for target in ("../outside", "sub"):
            os.symlink(target, root / "next")
            os.replace(root / "next", root / "link")

    outcomes: set[bytes] = set()

    def act() -> None:
        try:
            files.write("link/secret", b"inside")
            outcomes.add(files.read("link/secret"))
        except TissSecurityError:
            outcomes.add(b"refused")

    tries = race(swap, act, seconds)
    assert outcomes == {b"inside", b"refused"}, tries
    assert (root.parent / "outside/secret").read_bytes() == SECRET
    assert os.listdir(root.parent / "outside") == ["secret"]


@SECONDS
def test_a_race_of_a_directory_and_a_link_leaks_nothing(
    files: ProjectFiles, root: Path, seconds: float
) -> None:
    """A real directory that is renamed away, and a link outside put in its place."""
    (root / "real").mkdir()
    (root / "real/secret").write_bytes(b"inside")
    (root / "link").symlink_to("../outside")

    def swap() -> None:
        os.rename(root / "real", root / "spare")
        os.rename(root / "link", root / "real")
        os.rename(root / "real", root / "link")
        os.rename(root / "spare", root / "real")

    outcomes: set[bytes] = set()

    def act() -> None:
        try:
            outcomes.add(files.read("real/secret"))
        except (TissSecurityError, TissCommandError):
            outcomes.add(b"refused")

    tries = race(swap, act, seconds)
    assert outcomes == {b"inside", b"refused"}, tries
