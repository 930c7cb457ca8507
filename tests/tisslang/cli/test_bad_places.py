"""A root that is missing, goes away during a run, or is full: one line, nothing half-written."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiss_process import NO_SANDBOX, run_plan, tiss

# Limits the size of files that a process may write, as a full disk would: `File too large`.
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
from tisslang.cli import main
sys.exit(main())
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    """The old file stays whole, and nothing half-written is left."""
    (small_disk / "big").write_text("old")
    plan = f'WRITE "big" <<W\n{"x" * 200_000}\nW\n'
    ran = run_plan(plan, cwd=small_disk)
    assert (ran.code, ran.report["error"]["kind"]) == (4, "io")
    assert "disk is full" in ran.report["error"]["message"].lower()
    assert (small_disk / "big").read_text() == "old"
    assert [path.name for path in small_disk.iterdir()] == ["big"]
    assert ran.report["files_written"] == []
    done = tiss("run", "-", "--dry-run", cwd=small_disk, stdin=plan)
    assert done.code == 0


def test_a_full_disk_can_be_caught(small_disk: Path) -> None:
    text = "x" * 200_000
    plan = f'TRY {{\nWRITE "big" <<W\n{text}\nW\n}} CATCH {{ LOG ERROR.KIND }}'
    ran = run_plan(plan, cwd=small_disk)
    assert (ran.code, ran.report["log"]) == (0, ["io"])


def test_fmt_on_a_full_disk(small_disk: Path) -> None:
    text = "LOG  1\n" * 8000
    (small_disk / "plan.tiss").write_text(text)
    done = tiss("fmt", "plan.tiss", cwd=small_disk)
    assert done == (2, "", "error: cannot write plan.tiss: no space left on device\n")
    assert (small_disk / "plan.tiss").read_text() == text
    assert [path.name for path in small_disk.iterdir()] == ["plan.tiss"]


def test_events_junit_and_output_on_a_full_disk(small_disk: Path) -> None:
    (small_disk / "plan.tiss").write_text(f'LOG "{"x" * 8000}"\n' * 5)
    (small_disk / "j.xml").write_text("old")
    files = ["--events", "e.jsonl", "--junit", "j.xml"]
    done = tiss("run", "plan.tiss", *files, cwd=small_disk)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert done.err.startswith("error: cannot write ")
    assert (small_disk / "j.xml").read_text() in ("old",) or "<testsuite" in (
        small_disk / "j.xml"
    ).read_text()


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    plan = f'WRITE "small" <<W\nW\nWRITE "big" <<W\n{"x" * 5000}\nW\n'
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(size=1000), "run", "-"],
        cwd=tmp_path,
        input=plan,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "error[E203]" in done.stderr
    assert "too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


@pytest.mark.parametrize(
    "statement",
    [
        'WRITE "x" <<W\nW',
        'READ "x" AS y',
        'MKDIR "d"',
        'DELETE "x"',
        'RUN "true"',
        'IF FILE "x" EXISTS { LOG 1 }',
    ],
)
def test_a_root_that_vanishes_during_the_run(tmp_path: Path, statement: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    plan = f'RUN "rmdir \\"$PWD\\""\nSTEP "then" {{\n{statement}\n}}\nLOG "end"'
    ran = run_plan(plan, "--root", "root", cwd=tmp_path)
    if "EXISTS" in statement:
        assert ran.code in (0, 4)
    else:
        assert ran.code == 4
        assert ran.report["error"]["kind"] == "io"
    assert not root.exists()
    assert "internal" not in ran.err


def test_a_root_that_vanishes_and_comes_back_as_a_link(tmp_path: Path) -> None:
    """What is written goes into the directory that was opened first, or nowhere."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "elsewhere").mkdir()
    plan = 'MKDIR "d"\nRUN "mv ../root ../old; ln -s elsewhere ../root"\nWRITE "x" <<W\nW\n'
    ran = run_plan(plan, "--root", "root", cwd=tmp_path)
    assert ran.code in (0, 4, 5)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_root_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    ran = run_plan('WRITE "x" <<W\nW\n', "--root", "link", *NO_SANDBOX, cwd=tmp_path)
    assert ran.report["root"] == str(tmp_path / "real")
    assert (tmp_path / "real/x").exists()


def test_nothing_is_left_in_the_temporary_directory(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    plan = 'RUN "touch $HOME/x $TMPDIR/y; chmod 500 $HOME; ls -d $HOME $TMPDIR"'
    assert run_plan(plan, cwd=tmp_path, env={"TMPDIR": str(tmp_path / "tmp")}).code == 0
    assert list((tmp_path / "tmp").iterdir()) == []
