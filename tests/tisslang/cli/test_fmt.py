"""`tiss fmt`: in place and in one step, to standard output, or only listed and shown."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tiss_process import TISS, place_of_a_user, refused, tiss

ROUGH = 'STEP "é" {LOG   1 }\r\nLOG 2'
SMOOTH = 'STEP "é" {\n    LOG 1\n}\n\nLOG 2\n'
BROKEN = 'STEP "x" {LOG   1'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "rough.tiss").write_bytes(ROUGH.encode())
    (tmp_path / "smooth.tiss").write_text(SMOOTH, encoding="utf-8")
    (tmp_path / "broken.tiss").write_text(BROKEN)
    return tmp_path


def contents(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.iterdir()}


def test_in_place(project: Path) -> None:
    """The mode and a symbolic link stay; what is formatted already is not touched."""
    path = project / "rough.tiss"
    path.chmod(0o750)
    (project / "link.tiss").symlink_to("rough.tiss")
    before = os.stat(project / "smooth.tiss")
    assert tiss("fmt", "link.tiss", "smooth.tiss", cwd=project) == (0, "", "")
    assert path.read_text(encoding="utf-8") == SMOOTH
    assert path.stat().st_mode & 0o777 == 0o750
    assert (project / "link.tiss").is_symlink()
    after = os.stat(project / "smooth.tiss")
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert {p.name for p in project.iterdir()} == {
        *("rough.tiss", "smooth.tiss", "broken.tiss", "link.tiss")
    }


def test_in_one_step(project: Path) -> None:
    """Whoever has the old file open still reads all of it: a new one took its place."""
    with open(project / "rough.tiss", "rb") as old:
        assert tiss("fmt", "rough.tiss", cwd=project).code == 0
        assert old.read() == ROUGH.encode()


def test_standard_input(project: Path) -> None:
    assert tiss("fmt", "-", cwd=project, stdin=ROUGH) == (0, SMOOTH, "")
    assert tiss("fmt", "-", cwd=project, stdin="") == (0, "", "")
    done = tiss("fmt", "-", cwd=project, stdin=BROKEN)
    assert (done.code, done.out) == (3, "")
    assert "<stdin>:1:10" in done.err
    done = tiss("fmt", "-", "--output-format", "json", cwd=project, stdin=ROUGH)
    assert json.loads(done.out) == {
        **{"ok": True, "diagnostics": [], "changed": ["<stdin>"]},
        "text": SMOOTH,
    }


def test_what_does_not_parse_stays_as_it_is(project: Path) -> None:
    done = tiss("fmt", "broken.tiss", "rough.tiss", cwd=project)
    assert (done.code, done.out) == (3, "")
    assert "error[T006]" in done.err
    assert (project / "broken.tiss").read_text() == BROKEN
    assert (project / "rough.tiss").read_text(encoding="utf-8") == SMOOTH


def test_check_lists_and_writes_nothing(project: Path) -> None:
    before = contents(project)
    done = tiss("fmt", "--check", "rough.tiss", "smooth.tiss", cwd=project)
    assert done == (1, "rough.tiss\n", "")
    assert tiss("fmt", "--check", "smooth.tiss", cwd=project) == (0, "", "")
    done = tiss("fmt", "--check", "rough.tiss", "broken.tiss", cwd=project)
    assert (done.code, done.out) == (3, "rough.tiss\n")
    assert tiss("fmt", "--check", "-", cwd=project, stdin=ROUGH) == (1, "<stdin>\n", "")
    flags = ["--check", "--output-format", "json"]
    done = tiss("fmt", *flags, "rough.tiss", "smooth.tiss", "broken.tiss", cwd=project)
    found = json.loads(done.out)
    assert (done.code, found["ok"], found["changed"]) == (3, False, ["rough.tiss"])
    assert [finding["code"] for finding in found["diagnostics"]] == ["T006"]
    found = json.loads(tiss("fmt", *flags, "rough.tiss", cwd=project).out)
    assert found == {"ok": False, "diagnostics": [], "changed": ["rough.tiss"]}
    assert contents(project) == before


@pytest.mark.parametrize("rough", [ROUGH, "LOG 1", "\n\nLOG 1\n\n\n", 'LOG  1\n\n\nLOG "x"'])
def test_the_diff_is_a_patch(project: Path, rough: str) -> None:
    path = project / "rough.tiss"
    path.write_bytes(rough.encode())
    before = contents(project)
    command = [*TISS, "fmt", "--diff", "rough.tiss"]
    done = subprocess.run(command, cwd=project, capture_output=True, check=False)
    assert done.returncode == 1
    assert contents(project) == before
    patch = done.stdout.replace(b"rough.tiss (formatted)", b"rough.tiss")
    git = ["git", "apply", "-p0", "--whitespace=nowarn"]
    subprocess.run(git, cwd=project, input=patch, check=True)
    assert tiss("fmt", "--check", "--diff", "rough.tiss", cwd=project) == (0, "", "")


def test_a_file_that_may_not_be_written() -> None:
    """Also where its directory would let it be replaced."""
    with place_of_a_user() as (place, command):
        (place / "rough.tiss").write_bytes(ROUGH.encode())
        (place / "rough.tiss").chmod(0o444)
        done = tiss("fmt", "rough.tiss", cwd=place, command=command)
        assert done == (2, "", "error: cannot write rough.tiss: permission denied\n")
        assert (place / "rough.tiss").read_bytes() == ROUGH.encode()


def test_wrong_usage_does_nothing(project: Path) -> None:
    before = contents(project)
    refused("fmt", "rough.tiss", "missing.tiss", cwd=project)
    refused("fmt", "rough.tiss", ".", cwd=project)
    refused("fmt", "-", "rough.tiss", "-", cwd=project)
    refused("fmt", cwd=project)
    refused("fmt", "rough.tiss", "--chec", cwd=project)
    assert contents(project) == before
    assert "regular file" in refused("fmt", "/dev/stdin", cwd=project, stdin=ROUGH)
