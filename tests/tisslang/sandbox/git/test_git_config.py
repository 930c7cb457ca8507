"""The config of a new repository: after cleaning, git itself finds only keys that run nothing."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tisslang.sandbox.git.git_config import MAX_CONFIG, cleaned, named_paths

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
BOOLEANS = {
    "core.filemode",
    "core.bare",
    "core.logallrefupdates",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
}
KEPT = BOOLEANS | {
    "core.repositoryformatversion",
    "extensions.objectformat",
    "user.name",
    "user.email",
}


def git(*arguments: str | bytes, cwd: Path) -> "subprocess.CompletedProcess[bytes]":
    command = ["git", *arguments]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, check=False)


def listed(data: bytes, directory: Path) -> dict[str, bytes | None] | None:
    """What git reads in a config; None when it refuses the file."""
    (directory / "file").write_bytes(data)
    done = git("config", "--list", "-z", "-f", "file", cwd=directory)
    if done.returncode:
        return None
    found: dict[str, bytes | None] = {}
    for entry in done.stdout.split(b"\0")[:-1]:
        key, newline, value = entry.partition(b"\n")
        found[os.fsdecode(key)] = value if newline else None
    return found


def check(data: bytes, directory: Path) -> None:
    """Git reads only kept keys in what stays, and in those what it read before."""
    clean = cleaned(data)
    assert cleaned(clean) == clean
    after = listed(clean, directory)
    assert after is not None, clean
    assert set(after) <= KEPT
    before = listed(data, directory)
    if before is None:
        return
    for key, value in after.items():
        if key in BOOLEANS:
            assert value in (b"true", b"false")
        elif key in before:
            assert value == before[key]


@pytest.mark.parametrize("options", [(), ("--bare",), ("--object-format=sha256",)])
def test_what_git_init_writes_stays_byte_for_byte(tmp_path: Path, options: tuple[str, ...]) -> None:
    git("init", "-q", *options, "r", cwd=tmp_path)
    config = tmp_path / ("r/config" if "--bare" in options else "r/.git/config")
    data = config.read_bytes()
    assert b"repositoryformatversion" in data
    assert cleaned(data) == data
    git("config", "-f", str(config), "user.email", "a@b", cwd=tmp_path)
    git("config", "-f", str(config), "user.name", "Ada O'Neil", cwd=tmp_path)
    data = config.read_bytes()
    assert b"O'Neil" in data
    assert cleaned(data) == data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30))
@example(' a "b" \\ #;= [x]')
@example("ends with a backslash\\")
@example("é" * 30)
def test_what_git_config_writes_stays_byte_for_byte(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").unlink(missing_ok=True)
    done = git("config", "-f", "file", "user.name", os.fsencode(name), cwd=tmp_path)
    assert done.returncode == 0
    data = (tmp_path / "file").read_bytes()
    assert cleaned(data) == data


HEAD = b"[core]\n\trepositoryformatversion = 0\n"
ATTACKS = [
    HEAD + b"\tfsmonitor = touch x\n",
    HEAD + b"\thooksPath = x\n",
    HEAD + b"\tpager = x\n[alias]\n\tst = !x\n",
    b"[include]\n\tpath = x\n",
    b'[includeIf "gitdir:/"]\n\tpath = x\n',
    b'[filter "x"]\n\tclean = x\n',
    b"[core]bare=false fsmonitor=x\n",
    b"[core]\n\tbare = false\\\n\n\tfsmonitor = x\n",
    b"[core]\n\tbare = false # \\\n\tfsmonitor = x\n",
    b"[core]\n\tbare = false ; c\n\tfsmonitor = x\n",
    b"[core]\r\n\tbare = false\r\n\tfsmonitor = x\r\n",
    b"[core]\r\tfsmonitor = x\n",
    b"[core]\n\tbare = false\r\tfsmonitor = x\n",
    b"\xef\xbb\xbf[core]\n\tfsmonitor = x\n",
    b"[user]\n\tname = a\\\n[core]\n\tfsmonitor = x\n",
    b'[user]\n\tname = "a\n[core]\n\tfsmonitor = x\n',
    b'[user]\n\tname = "a\\\n"\n[core]\n\tfsmonitor = x\n',
    b'[user]\n\tname = a\\n[core]\\n\tfsmonitor = x"\n',
    b'[user "]\n[core]"]\n\tname = a\n[core]\n\tfsmonitor = x\n',
    b'[user "\\"]"]\n\tname = a\n',
    b"[user.sub]\n\tname = a\n",
    b"[core.fsmonitor]\n\tbare = x\n",
    b'[core "fsmonitor"]\n\tbare = x\n',
    b"[CORE]\n\tFSMONITOR = x\n\tBare\n",
    b"[core]\n\tbare\n\tsymlinks =\n\tfilemode = maybe\n",
    b"[core]\n\trepositoryformatversion = 1\n[extensions]\n\tworktreeConfig = true\n",
    b"[extensions]\n\tobjectformat = sha256\n\tpartialClone = x\n",
    b"[user]\n\tname = a\0b\n[core]\n\tfsmonitor = x\n",
    b"[user]\n\tname = \x1b[31m\n",
    b"[user]\n\tname = a\\tb\\nc\n",
    b"fsmonitor = x\n",
    b"[core]\n\tbare = true\n\tbare = false\n",
    b"[core",
    b"[core]\n\tbare = false\\",
    b'[core "',
    b'[core "\\',
    b"",
    b"\n",
    HEAD * 5000,
]


@pytest.mark.parametrize("data", ATTACKS)
def test_attacks(tmp_path: Path, data: bytes) -> None:
    check(data, tmp_path)
    assert b"fsmonitor" not in cleaned(data)


PIECES = st.sampled_from(
    [
        b"\n", b"\r\n", b"\r", b" ", b"\t", b"\\", b"\\\n", b'"', b'\\"', b"#", b";", b"=", b"[",
        b"]", b".", b"-", b"\0", b"\x0b", b"\xef\xbb\xbf", b"\xa0", b"\xff", b"[core]", b"[user]",
        b"[Core]\n", b'[core "x"]', b"[core.x]", b"[extensions]\n", b"[alias]\n", b"[include]\n",
        b"[user]\n\t", b"name", b"email = ", b"bare", b"bare = true", b"\tbare = false\n",
        b"fsmonitor = x", b"hooksPath = x", b"path = x", b"\tname = ", b"\trepositoryformatversion",
        b" = 0\n", b" = 1\n", b"true", b"objectformat = sha256\n", b"ignorecase", b"a", b"A B",
    ]
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(st.lists(PIECES, max_size=25).map(b"".join))
def test_whatever_is_written_git_reads_kept_keys_alone(tmp_path: Path, data: bytes) -> None:
    check(data, tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    check(data, tmp_path)
    check(b"[user]\n\tname = " + data, tmp_path)


def test_kept_keys_survive_the_rewriting(tmp_path: Path) -> None:
    data = (
        b'# mine\n[User] Name = "Ada \\"O\'Neil\\"; #1 " ; comment\n'
        b"[core]\n  bare = no\n  Symlinks\n\tfilemode = ON\n\tfsmonitor = x\n"
        b"repositoryFormatVersion=1\n[extensions]\nobjectFormat = sha256"
    )
    found = listed(cleaned(data), tmp_path)
    assert found == {
        "core.repositoryformatversion": b"1",
        "core.filemode": b"true",
        "core.bare": b"false",
        "core.symlinks": b"true",
        "extensions.objectformat": b"sha256",
        "user.name": b'Ada "O\'Neil"; #1 ',
    }


def test_nothing_of_a_huge_config_is_kept() -> None:
    line = b"[user]\n\tname = a\n"
    assert cleaned(line * (MAX_CONFIG // len(line))) != b""
    assert cleaned(line * (MAX_CONFIG // len(line) + 1)) == b""


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        (b"[core]\n\thooksPath = a\n", [("hookspath", "a")]),
        (b'[CORE] HOOKSPATH = "a # b" ; c\n', [("hookspath", "a # b")]),
        (b"\xef\xbb\xbf[core]\r\n\thookspath=a\\\r\nb\r\n", [("hookspath", "ab")]),
        (b"[core]\n\thooksPath = a\n\thooksPath = b\n", [("hookspath", "a"), ("hookspath", "b")]),
        (b"[core]\n\tworktree = ..\n\thooksPath = a", [("worktree", ".."), ("hookspath", "a")]),
        (b'[core "x"]\n\thooksPath = a\n[x]\n\tpath = b\n', []),
        (b"[include]\n\tpath = a\n\tpath\n\tpath =\n\tpath = ~/b\n", [("path", "a")]),
        (b'[includeIf "onbranch:\\"x]"]\n\tpath = a\n', [("path", "a")]),
        (b"[includeIf.gitdir]\n\tpath = \xff\n", [("path", "\udcff")]),
        (b"[include]\n\tpath = :(optional)a\n", [("path", "a")]),
        (b"[include]\n\tpath = a\0b\n", [("path", "a")]),
        (b"[include]\n\tpath = a\n[error\n[include]\n\tpath = b\n", [("path", "a")]),
        (b"key = x\n[include]\n\tpath = a\n", [("path", "a")]),
        (b"# path", []),
        (b"", []),
    ],
)
def test_what_a_config_leads_to(data: bytes, paths: list[tuple[str, str]]) -> None:
    assert named_paths(data) == paths


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(PIECES, max_size=25).map(b"".join))
def test_each_path_that_git_finds_is_found(tmp_path: Path, data: bytes) -> None:
    for text in (data, data + b"\n[core]\n\thooksPath = h\n", b"[include]\n\tpath = " + data):
        after = listed(text, tmp_path)
        found = dict(named_paths(text))
        for key, name in (("core.hookspath", "hookspath"), ("include.path", "path")):
            value = (after or {}).get(key)
            if value:
                assert name in found, text
