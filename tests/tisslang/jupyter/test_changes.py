"""What a run has changed below the root."""

import os
import socket
from pathlib import Path
from random import Random
from typing import Any

import pytest
from trees import tree_of

from tisslang.jupyter import changes
from tisslang.jupyter.changes import Snapshot, changes_between


def look(root: Path, earlier: Snapshot | None = None) -> Snapshot:
    return Snapshot(os.path.realpath(root), earlier)


def changed(
    root: Path, before: Snapshot, mask: changes.Mask = str
) -> tuple[list[dict[str, Any]], str]:
    return changes_between(before, look(root, before), mask)


def short(found: list[dict[str, Any]]) -> dict[str, str]:
    return {change["path"]: change["kind"] for change in found}


def test_new_changed_and_deleted_files_with_their_difference(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "old.txt").write_text("one\ntwo\nthree\n")
    (tmp_path / "gone.txt").write_text("here\n")
    (tmp_path / "same.txt").write_text("same\n")
    before = look(tmp_path)
    (tmp_path / "sub" / "old.txt").write_text("one\n2\nthree")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "new.txt").write_text("<b>\n")
    os.utime(tmp_path / "same.txt", (1, 1))
    found, note = changed(tmp_path, before)
    assert note == ""
    plain = {"binary": False, "clipped": False}
    assert found == [
        {
            "path": "gone.txt",
            "kind": "deleted",
            "diff": "--- gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-here\n",
            **plain,
        },
        {
            "path": "new.txt",
            "kind": "new",
            "diff": "--- /dev/null\n+++ new.txt\n@@ -0,0 +1 @@\n+<b>\n",
            **plain,
        },
        {
            "path": "sub/old.txt",
            "kind": "changed",
            "diff": "--- sub/old.txt\n+++ sub/old.txt\n@@ -1,3 +1,3 @@\n one\n-two\n-three\n"
            "+2\n+three\n\\ No newline at end of file\n",
            **plain,
        },
    ]


def author(random: Random, root: Path) -> None:
    """Do something to a random tree."""
    places = [root, *(path for path in root.rglob("*") if path.is_dir() and not path.is_symlink())]
    path = random.choice(places) / random.choice(("a", "b", "c.txt", "d"))
    if path.is_symlink() or path.is_file():
        if random.random() < 0.5:
            path.unlink()
            return
        if path.is_symlink():
            return
    if path.is_dir():
        if not any(path.iterdir()):
            path.rmdir()
        return
    kind = random.randrange(4)
    if kind == 0 and not path.exists():
        path.mkdir()
    elif kind == 1 and not path.exists():
        path.symlink_to(random.choice(("a", "b", "missing", "..", "/")))
    else:
        path.write_bytes(random.choice((b"x\n", b"y\n", b"z", b"", b"\0\1", b"\xff", b"a\nb\n")))


@pytest.mark.parametrize("seed", range(60))
def test_random_trees(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    for _ in range(20):
        author(random, tmp_path)
    earlier = look(tmp_path)
    for _ in range(3):
        before, snapshot = tree_of(tmp_path), earlier
        for _ in range(random.randrange(8)):
            author(random, tmp_path)
        after, earlier = tree_of(tmp_path), look(tmp_path, snapshot)
        expected = {}
        for path in sorted(before.keys() | after.keys()):
            old, new = (tree.get(path) for tree in (before, after))
            old, new = (None if entry == "directory" else entry for entry in (old, new))
            if old != new:
                expected[path] = "new" if old is None else "deleted" if new is None else "changed"
        found, note = changes_between(snapshot, earlier)
        assert short(found) == expected
        assert note == ""
        for change in found:
            states = {tree.get(change["path"]) for tree in (before, after)}
            is_empty = b"" in states and states <= {None, "directory", b""}
            assert bool(change["diff"]) != (change["binary"] or is_empty)


def test_links_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "away").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "loop").symlink_to(".")
    before = look(root)
    assert set(before.files) == {"away", "file", "loop"}
    assert "secret\n" not in {entry.text for entry in before.files.values()}
    (outside / "secret").write_text("changed\n")
    (outside / "more").write_text("more\n")
    (root / "loop").unlink()
    (root / "loop").symlink_to("away")
    found, _ = changed(root, before)
    assert short(found) == {"loop": "changed"}
    assert "-a link to .\n+a link to away\n" in found[0]["diff"]


def test_what_is_not_looked_at_is_said(tmp_path: Path) -> None:
    for name in (".git", "node_modules", "sub/__pycache__", "env", "conda"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    (tmp_path / "conda" / "conda-meta").mkdir()
    before = look(tmp_path)
    for name in (".git", "node_modules", "sub/__pycache__", "env", "conda", "sub"):
        (tmp_path / name / "new").touch()
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "pyvenv.cfg").touch()
    (tmp_path / "later" / "new").touch()
    found, note = changed(tmp_path, before)
    assert short(found) == {"sub/new": "new"}
    assert note == "not looked at: .git, conda, env, later, node_modules, sub/__pycache__"


def test_a_directory_that_becomes_an_environment_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "file").touch()
    before = look(tmp_path)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    assert changed(tmp_path, before) == ([], "not looked at: env")


def test_a_root_that_is_an_environment_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").touch()
    assert set(look(tmp_path).files) == {"pyvenv.cfg"}


def test_binary_and_large_files_are_named_only(tmp_path: Path) -> None:
    for name, data in (("binary", b"\0a"), ("latin", b"\xe9"), ("large", b"x\n" * 60_000)):
        (tmp_path / name).write_bytes(data)
    before = look(tmp_path)
    for name, data in (("binary", b"\0b"), ("latin", b"\xe8"), ("large", b"y\n" * 60_000)):
        (tmp_path / name).write_bytes(data)
    found, _ = changed(tmp_path, before)
    assert [(c["path"], c["binary"], c["clipped"], c["diff"]) for c in found] == [
        ("binary", True, False, ""),
        ("large", False, True, ""),
        ("latin", True, False, ""),
    ]


def test_pipes_and_sockets_do_not_hold_it_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert look(tmp_path).files == {}


def test_a_change_right_behind_the_first_look_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for number in range(50):  # in place, of the same size, within a tick of the clock
        path.write_text(f"{number:02}")
        before = look(tmp_path)
        with open(path, "r+") as file:
            file.write("xx")
        assert short(changed(tmp_path, before)[0]) == {"a": "changed"}


def test_unchanged_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        (tmp_path / f"{number}").write_text("x\n")
        os.utime(tmp_path / f"{number}", (1, 1))
    monkeypatch.setattr(changes, "_SETTLED", 0)
    read: list[str] = []
    real = changes._read
    monkeypatch.setattr(changes, "_read", lambda d, name: (read.append(name), real(d, name))[1])
    before = look(tmp_path)
    assert len(read) == 300
    (tmp_path / "7").write_text("y\n")
    found, _ = changed(tmp_path, before)
    assert short(found) == {"7": "changed"}
    assert read[300:] == ["7"]


def test_secrets_are_masked_before_anything_is_cut(tmp_path: Path) -> None:
    secret = "first line\nsecond line"
    (tmp_path / "a").write_text(f"x\n{secret}\n")
    before = look(tmp_path)
    (tmp_path / "a").write_text(f"y\n{secret}\n" + "z" * 5000)
    (tmp_path / "first").write_text("x")
    found, _ = changed(tmp_path, before, lambda t: t.replace(secret, "***").replace("first", "***"))
    assert [change["path"] for change in found] == ["a", "***"]
    assert "second" not in str(found)
    assert "first" not in str(found)
    assert " ***\n" in found[0]["diff"]
    assert found[0]["clipped"]


def test_there_are_bounds(tmp_path: Path) -> None:
    before = look(tmp_path)
    for number in range(250):
        (tmp_path / f"{number:03}").write_text(f"{number}\n" * 1000)
    found, note = changed(tmp_path, before)
    assert len(found) == changes.MAX_CHANGES
    assert note == "not looked at: more than 200 changes"
    assert sum(len(change["diff"]) for change in found) <= changes.MAX_DIFFS
    assert max(len(change["diff"]) for change in found) <= changes.MAX_DIFF
    assert found[150]["clipped"]
    assert found[150]["diff"] == ""


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_FILES", 5)
    for number in range(9):
        (tmp_path / f"{number}").touch()
    before = look(tmp_path)
    (tmp_path / "00").touch()  # it pushes another one beyond the limit
    (tmp_path / "1").write_text("x")
    found, note = changed(tmp_path, before)
    assert note == "not looked at: more than 5 files"
    assert short(found) == {"1": "changed"}


def test_a_root_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").touch()
    before = look(root)
    (root / "a").unlink()
    root.rmdir()
    assert short(changed(root, before)[0]) == {"a": "deleted"}


def test_names_that_are_no_text(tmp_path: Path) -> None:
    before = look(tmp_path)
    with open(os.fsencode(tmp_path) + b"/\xff\n", "w") as file:
        file.write("\u202e\n")
    found, _ = changed(tmp_path, before)
    assert found[0]["path"] == "\\udcff\\n"
    assert "\\u202e" in found[0]["diff"]


def test_a_name_with_a_line_end_is_one_line(tmp_path: Path) -> None:
    before = look(tmp_path)
    (tmp_path / "a\n+++ b").write_text("x\n")
    [change] = changed(tmp_path, before)[0]
    assert change["path"] == "a\\n+++ b"
    assert change["diff"] == "--- /dev/null\n+++ a\\n+++ b\n@@ -0,0 +1 @@\n+x\n"


def test_directories_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_FILES", 5)
    for number in range(9):
        (tmp_path / f"d{number}").mkdir()
        (tmp_path / f"d{number}" / "file").touch()
    found = look(tmp_path)
    assert not found.is_whole
    assert len(found.files) <= 5


@pytest.mark.parametrize("kind", ["pipe", "longer"])
def test_what_is_swapped_behind_the_first_look(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    known = changes._read
    writers = []

    def swap(directory: int, name: str) -> bytes:
        if kind == "pipe":
            file.unlink()
            os.mkfifo(file)
            writers.append(os.open(file, os.O_RDWR))  # else it would be at its end at once
        else:
            file.write_text("x" * (changes.MAX_SIZE + 10))
        return known(directory, name)

    monkeypatch.setattr(changes, "_read", swap)
    entry = look(tmp_path).files.get("file")
    for writer in writers:
        os.close(writer)
    assert entry is None if kind == "pipe" else entry is not None and entry.text is None


def test_there_is_a_bound_to_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_READ", 5)
    for name in "abc":
        (tmp_path / name).write_bytes(b"\0" * 4)
    assert [entry.digest is None for entry in look(tmp_path).files.values()] == [False, False, True]
