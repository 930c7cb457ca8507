"""Scripts that cannot be read, are no scripts, or are odd ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiss_process import place_of_a_user, refused, run_plan, tiss

from tisslang import cli

COMMANDS = ["run", "check", "lint", "fmt", "ast", "list"]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_cannot_be_read(tmp_path: Path, command: str) -> None:
    (tmp_path / "plan.tiss").write_text("LOG 1")
    (tmp_path / "loop").symlink_to("loop")
    for path, said in (
        ("missing.tiss", "cannot open missing.tiss: no such file or directory"),
        (".", "cannot open .: is a directory"),
        ("plan.tiss/x", "cannot open plan.tiss/x: not a directory"),
        ("loop", "too many levels of symbolic links"),
        ("x" * 300, "file name too long"),
        ("", "no such file or directory"),
        ("a\nb\x1b[2J", "cannot open a\\nb\\x1b[2J: no such file"),
    ):
        assert said in refused(command, path, cwd=tmp_path)


def test_a_nul_in_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "a\0b"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: cannot open 'a\\x00b': ")


def test_no_permission() -> None:
    with place_of_a_user() as (place, command):
        (place / "plan.tiss").write_text("LOG 1")
        (place / "plan.tiss").chmod(0)
        (place / "closed").mkdir()
        (place / "closed/plan.tiss").write_text("LOG 1")
        (place / "closed").chmod(0)
        for path in ("plan.tiss", "closed/plan.tiss"):
            for name in COMMANDS:
                done = tiss(name, path, cwd=place, command=command)
                said = f"error: cannot open {path}: permission denied\n"
                assert done == (2, "", said)
        flags = ["--root", "closed", "--output-format", "json"]
        done = tiss("run", "-", *flags, cwd=place, command=command, stdin='READ "plan.tiss" AS x')
        assert (done.code, json.loads(done.out)["error"]["kind"]) == (4, "io")


@pytest.mark.parametrize("flag", ["--events", "--junit"])
def test_no_permission_for_what_a_run_leaves(flag: str) -> None:
    with place_of_a_user() as (place, command):
        (place / "plan.tiss").write_text('WRITE "made" <<W\nW\n')
        (place / "closed").mkdir(mode=0o755)  # of another user, where the tests run as root
        (place / "old").write_text("old")
        (place / "old").chmod(0o444)
        (place / "closed").chmod(0o555)
        for path in ("closed/x", "old"):
            done = tiss("run", "plan.tiss", flag, path, cwd=place, command=command)
            assert done == (2, "", f"error: cannot open {path}: permission denied\n")
        assert not (place / "made").exists()
        done = tiss("run", "plan.tiss", flag, "/dev/null", cwd=place, command=command)
        assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x00\xff",
        b"LOG 1\x00",
        b"LOG '\xff'",
        b"LOG 1\rLOG 2",
        b"#" * (8 * 1024 * 1024 + 1),
        b"\xff\xfeL\x00",
    ],
    ids=["binary", "NUL", "not UTF-8", "lone CR", "too large", "UTF-16"],
)
def test_what_is_no_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "plan.tiss").write_bytes(data)
    for command in COMMANDS:
        done = tiss(command, "plan.tiss", cwd=tmp_path)
        assert done.code == 3
        assert "error[T009]" in done.err
        assert len(done.err) < 1500
    assert (tmp_path / "plan.tiss").read_bytes() == data
    assert run_plan(data, cwd=tmp_path).report["diagnostics"][0]["code"] == "T009"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_without_end(tmp_path: Path, command: str) -> None:
    assert tiss(command, "/dev/zero", cwd=tmp_path).code == 3


def test_a_pipe_is_a_file(tmp_path: Path) -> None:
    assert tiss("check", "/dev/stdin", cwd=tmp_path, stdin="LOG 1").code == 0
    assert tiss("run", "/dev/null", cwd=tmp_path).code == 0


def test_standard_input(tmp_path: Path) -> None:
    text = "\ufeffLOG 'é'\r\nLOG 2"
    assert run_plan(text, cwd=tmp_path).report["log"] == ["é", "2"]
    for command in ("check", "lint", "list", "ast"):
        assert tiss(command, "-", cwd=tmp_path, stdin=text).code in (0, 1)
    os.symlink("nowhere", tmp_path / "-")  # a file called so is named ./-
    assert "./-" in refused("check", "./-", cwd=tmp_path)


def test_very_long_lines(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    ran = run_plan(f'LOG "{long}"\nASSERT "{long}" == "y"', cwd=tmp_path)
    assert ran.code == 1
    assert ran.report["log"] == [long]
    assert len(ran.err) < 5000
    done = tiss("check", "-", cwd=tmp_path, stdin=f'LOG "{long} {{{{nope}}}} {long}"')
    assert (done.code, len(done.err) < 1000) == (3, True)
    done = tiss("run", "-", cwd=tmp_path, stdin=f'STEP "{long}" {{ ASSERT "{long}" == "y" }}')
    assert done.code == 1


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    name = b"na\xffme.tiss"
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:
        file.write(b'STEP "x" {LOG 1\nASSERT 1 == 2 }')
    for command in COMMANDS:
        done = tiss(command, name, cwd=tmp_path)
        assert done.code in (0, 1)
        assert "Traceback" not in done.err
    flags = ["--output-format", "json", "--junit", b"j\xff.xml", "--events", b"e\xff"]
    done = tiss("run", name, *flags, cwd=tmp_path)
    assert json.loads(done.out)["script"] == "na\udcffme.tiss"
    done = tiss("check", name, "--output-format", "json", "-", cwd=tmp_path, stdin="LOG nope")
    assert done.code == 3
    made = {b"j\xff.xml", b"e\xff"}
    assert made <= set(os.listdir(os.fsencode(tmp_path)))


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "plan.tiss").write_text("LOG 1")
    (tmp_path / "gone").mkdir()
    for arguments, code in (
        (f"run {tmp_path}/plan.tiss", 2),
        (f"run {tmp_path}/plan.tiss --root {tmp_path}", 2),
        (f"check {tmp_path}/plan.tiss", 0),
        ("check plan.tiss", 2),
    ):
        (tmp_path / "gone").mkdir(exist_ok=True)
        line = f"cd gone && rmdir ../gone && exec {sys.executable} -m tisslang {arguments}"
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == code
        assert done.stderr.count("\n") == (code == 2)
        assert "internal" not in done.stderr
