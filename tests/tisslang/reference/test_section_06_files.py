"""Section 6: READ, WRITE, MKDIR, DELETE."""

import os
import socket
import stat
from pathlib import Path

import pytest
from conformance import logged, run, stopped_by
from conformance_runs import attempt

MIB = 1 << 20


def write(path: str, text: str = "new") -> str:
    return f'WRITE "{path}" <<W\n{text}\nW'


@pytest.mark.parametrize("data", [b"", b"a\n", b"a\r\nb\r", b"\xef\xbb\xbfa", "é😀\0".encode()])
def test_read_keeps_every_character(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f").write_bytes(data)
    report = run('READ "f" AS v', tmp_path)
    assert report["variables"] == {"v": data.decode("utf-8")}


@pytest.mark.parametrize(("size", "kind"), [(16 * MIB, None), (16 * MIB + 1, "io")])
def test_read_takes_16_mib_at_most(tmp_path: Path, size: int, kind: str | None) -> None:
    (tmp_path / "f").write_bytes(b"a" * size)
    assert attempt('READ "f" AS v', tmp_path) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [("missing", "io"), ("folder", "io"), ("text/below", "io"), ("latin", "decode")],
)
def test_read_says_what_hinders_it(tmp_path: Path, path: str, kind: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("a")
    (tmp_path / "latin").write_bytes("é".encode("latin-1"))
    assert attempt(f'READ "{path}" AS v', tmp_path) == kind


def test_read_of_a_fifo_or_a_socket_fails_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(".", os.O_RDONLY)
        try:  # a socket's path must be short
            os.chdir(tmp_path)
            listener.bind("socket")
        finally:
            os.chdir(here)
            os.close(here)
        assert attempt('READ "fifo" AS v', tmp_path) == "io"
        assert attempt('READ "socket" AS v', tmp_path) == "io"


def test_read_of_a_device_fails_at_once(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "device", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("a device can be made by a privileged user only")
    assert attempt('READ "device" AS v', tmp_path) == "io"


def test_read_that_fails_leaves_its_variable_as_it_was(tmp_path: Path) -> None:
    text = 'VAR v = "old"\nTRY { READ "missing" AS v } CATCH { }\nLOG v'
    assert logged(text, tmp_path) == ["old"]


def test_write_creates_missing_parents(tmp_path: Path) -> None:
    assert attempt(write("a/b/c.txt"), tmp_path) is None
    assert (tmp_path / "a/b/c.txt").read_bytes() == b"new\n"


def test_write_replaces_the_file_in_one_step(tmp_path: Path) -> None:
    old = tmp_path / "f"
    old.write_text("old")
    with old.open() as reader:  # who reads the old file keeps it whole
        assert attempt(write("f"), tmp_path) is None
        assert reader.read() == "old"
    assert old.read_text() == "new\n"
    assert os.listdir(tmp_path) == ["f"]  # the temporary file is gone


def test_write_breaks_a_hard_link(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    os.link(tmp_path / "f", tmp_path / "other")
    assert attempt(write("f"), tmp_path) is None
    assert (tmp_path / "f").read_text() == "new\n"
    assert (tmp_path / "other").read_text() == "old"


def test_write_replaces_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f")
    assert attempt(write("f"), tmp_path) is None
    assert (tmp_path / "f").is_file()


@pytest.mark.parametrize("there", [True, False])
def test_write_follows_a_link_inside_the_root_and_leaves_it(tmp_path: Path, there: bool) -> None:
    (tmp_path / "sub").mkdir()
    if there:
        (tmp_path / "sub/target").write_text("old")
    (tmp_path / "link").symlink_to("sub/target")
    assert attempt(write("link"), tmp_path) is None
    assert os.readlink(tmp_path / "link") == "sub/target"
    assert (tmp_path / "sub/target").read_text() == "new\n"


def test_write_does_not_follow_a_link_that_leaves_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for target in ("../outside", str(tmp_path / "outside")):
        (root / "link").unlink(missing_ok=True)
        (root / "link").symlink_to(target)
        assert stopped_by(run(write("link"), root)) == "security"
    assert os.listdir(tmp_path) == ["root"]


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o444, 0o640])
def test_write_keeps_the_mode_of_a_file_that_exists(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(mode)
    assert attempt(write("f"), tmp_path) is None
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_write_is_utf_8_without_newline_translation(tmp_path: Path) -> None:
    text = 'VAR x = "a\\r\\nb\\r"\nWRITE "f" <<W\n{{x}}é😀\nW'
    assert run(text, tmp_path)["error"] is None
    assert (tmp_path / "f").read_bytes() == "a\r\nb\ré😀\n".encode()


def test_write_of_an_empty_body_makes_an_empty_file(tmp_path: Path) -> None:
    assert attempt('WRITE "f" <<W\nW', tmp_path) is None
    assert (tmp_path / "f").read_bytes() == b""


@pytest.mark.parametrize("path", ["folder", "new/", "folder/", "file/", "link", "file/below"])
def test_write_says_what_hinders_it_and_leaves_nothing(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("folder")
    assert attempt(write(path), tmp_path) == "io"
    assert sorted(os.listdir(tmp_path)) == ["file", "folder", "link"]
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path / "folder") == []


def test_mkdir_makes_a_directory_and_its_parents(tmp_path: Path) -> None:
    assert attempt('MKDIR "a/b/c"', tmp_path) is None
    assert (tmp_path / "a/b/c").is_dir()


@pytest.mark.parametrize("path", ["folder", "folder/", ".", "link"])
def test_mkdir_is_fine_with_a_directory_that_exists(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/kept").write_text("")
    (tmp_path / "link").symlink_to("folder")
    assert attempt(f'MKDIR "{path}"', tmp_path) is None
    assert os.listdir(tmp_path / "folder") == ["kept"]


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_mkdir_says_when_a_file_is_there(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("old")
    assert attempt(f'MKDIR "{path}"', tmp_path) == "io"
    assert (tmp_path / "file").read_text() == "old"


def test_delete_removes_a_file_and_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder/sub").mkdir(parents=True)
    assert attempt('DELETE "file"\nDELETE "folder/sub"', tmp_path) is None
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(tmp_path / "folder") == []


@pytest.mark.parametrize("target", ["file", "folder", "nowhere", "/etc"])
def test_delete_removes_a_link_not_its_target(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(target)
    assert attempt('DELETE "link"', tmp_path) is None
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


@pytest.mark.parametrize("path", ["missing", "full", "full/file/below"])
def test_delete_says_what_hinders_it(tmp_path: Path, path: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("")
    assert attempt(f'DELETE "{path}"', tmp_path) == "io"
    assert os.listdir(tmp_path / "full") == ["file"]


@pytest.mark.parametrize("path", [".", "./", "sub/..", "here"])
def test_delete_of_the_root_itself_is_security(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "here").symlink_to(".")
    if path == "here":  # the link is not the root, and goes
        assert attempt(f'DELETE "{path}"', root) is None
    else:
        assert stopped_by(run(f'DELETE "{path}"', root)) == "security"
    assert (root / "sub").is_dir()
