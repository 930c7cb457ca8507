"""Section 10.2: the profiles of the sandbox, and what a RUN may not leave in a repository."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conformance import logged, run, stopped_by
from conformance_runs import events_of, tiss, write
from missing import missing
from processes import is_running, sleepers, wait_until

NO_SANDBOX = ("--sandbox-profile", "none")
GAPS = {
    "namespaces": set(),
    "landlock": {"private_tmp", "dev_shm", "git_restored_after", "memory_sampled", "process_list"},
    "sandbox-exec": {"private_tmp", "memory_sampled", "process_list"},
    "none": set(),
}


@pytest.fixture(scope="module")
def offered() -> dict[str, Any]:
    """What `standard` is on this machine, as `tiss doctor` says."""
    done = tiss("doctor", "--output-format", "json", cwd=Path.cwd())
    if done.returncode != 0:
        missing("standard cannot be had here")
    return json.loads(done.stdout)["profiles"]["standard"]


@pytest.fixture
def root(tmp_path: Path, offered: dict[str, Any]) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


def output(command: str, root: Path, **options: Any) -> str:
    """What a command prints in the profile `standard`, stdout and stderr."""
    settings = {"sandbox_profile": "standard"} | options
    report = run(f"RUN <<'SH'\n{command}\nSH", root, **settings)
    assert report["error"] is None
    return report["last_run"]["stdout"] + report["last_run"]["stderr"]


def python(code: str) -> str:
    return f"python3 -c {shlex.quote(code)}"


# what is granted


def test_standard_is_the_default(root: Path) -> None:
    write(root, 'RUN "true"')
    done = tiss("run", "plan.tiss", "--output-format", "json", cwd=root)
    assert json.loads(done.stdout)["sandbox"]["profile"] == "standard"
    assert "no sandbox" not in done.stderr


def test_what_was_obtained_stands_in_the_report_and_in_run_start(
    root: Path, offered: dict[str, Any]
) -> None:
    events = events_of('RUN "true"', root, sandbox_profile="standard")
    obtained = events[-1]["report"]["sandbox"]
    assert events[0]["sandbox"] == obtained == offered
    assert obtained["backend"] in ("namespaces", "landlock", "sandbox-exec")
    assert set(obtained["gaps"]) <= GAPS[obtained["backend"]]
    assert {key: obtained[key] for key in ("profile", "network", "files", "processes")} == {
        "profile": "standard",
        "network": "off",
        "files": "isolated",
        "processes": "isolated",
    }


def test_it_is_null_for_a_plan_without_run_and_in_a_dry_run(root: Path) -> None:
    for profile in ("standard", "none"):
        for text, dry_run in (("LOG 1", False), ('RUN "true"', True)):
            events = events_of(text, root, sandbox_profile=profile, dry_run=dry_run)
            assert (events[0]["sandbox"], events[-1]["report"]["sandbox"]) == (None, None)


WITHOUT_BACKEND = """
import sys
from tisslang import cli, sandbox
sandbox.backends = list
sys.exit(cli.main())
"""


@pytest.mark.parametrize("profile", ["standard", "strict"])
def test_a_profile_is_granted_whole_or_nothing_starts(tmp_path: Path, profile: str) -> None:
    def on_a_poor_machine(text: str) -> subprocess.CompletedProcess[str]:
        write(tmp_path, text)
        return subprocess.run(
            [
                sys.executable,
                "-c",
                WITHOUT_BACKEND,
                "run",
                "plan.tiss",
                "--sandbox-profile",
                profile,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = on_a_poor_machine('MKDIR "made"\nRUN "touch ran"')
    assert done.returncode == 5
    assert os.listdir(tmp_path) == ["plan.tiss"]
    assert "--sandbox-profile none" in done.stdout + done.stderr  # one way out
    assert on_a_poor_machine('MKDIR "made"').returncode == 0  # a plan without RUN needs none


# files


def test_the_root_is_read_write_and_system_directories_are_read_only(root: Path) -> None:
    (root / "old").write_text("old")
    assert output("cat old; echo new > made; mkdir d; mv made d/; cat d/made", root) == "old" + (
        "new\n"
    )
    for directory in ("/usr", "/etc", "/bin", "/lib", sys.prefix, "/"):
        name = f"{directory}/tiss-conformance-{os.getpid()}"
        try:
            assert "worked" not in output(f"touch {name} && echo worked", root)
            assert not os.path.exists(name)
        finally:
            Path(name).unlink(missing_ok=True)


def test_programs_and_the_interpreter_run(root: Path) -> None:
    assert output(python("import sys; print(sys.prefix)"), root) == f"{sys.prefix}\n"
    assert output("ls /usr > /dev/null && echo fine", root) == "fine\n"


def test_everything_else_is_hidden(root: Path) -> None:
    (root.parent / "secret").write_text("xyzzy")
    home = os.path.expanduser("~")
    for path in (root.parent / "secret", root.parent, home):
        said = output(f"cat {path} && echo read; ls {path} && echo listed", root)
        assert "xyzzy" not in said
        assert "read" not in said
        if path == root.parent:  # a way to the root may be there, nothing beside it
            assert "secret" not in said
        elif os.listdir(home):
            assert not set(os.listdir(home)) & set(said.split())


def test_tmp_is_private(root: Path) -> None:
    name = f"/tmp/tiss-conformance-{os.getpid()}"
    output(f"echo x > {name}; echo y > $TMPDIR/x", root)
    assert not os.path.exists(name)
    Path(name).write_text("xyzzy")
    try:
        assert "xyzzy" not in output(f"cat {name}; ls /tmp", root)
    finally:
        os.unlink(name)


# network

CONNECT = """
import socket
try:
    with socket.create_connection(("127.0.0.1", {port}), 5):
        print("connected")
except OSError as error:
    print("refused")
"""
UNIX = """
import socket
try:
    with socket.socket(socket.AF_UNIX) as s:
        s.connect({name!r})
        print("connected")
except OSError:
    print("refused")
"""


def test_nothing_outside_is_reachable_unless_the_network_is_allowed(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = python(CONNECT.format(port=server.getsockname()[1]))
        assert output(connect, root) == "refused\n"
        assert output(connect, root, allow_network=True) == "connected\n"


def test_an_open_network_changes_nothing_else(root: Path) -> None:
    report = run('RUN "true"', root, sandbox_profile="standard", allow_network=True)
    assert report["sandbox"]["network"] == "open"
    assert (report["sandbox"]["files"], report["sandbox"]["processes"]) == ("isolated",) * 2


@pytest.mark.parametrize("allow_network", [False, True])
def test_no_socket_leads_to_a_program_outside(root: Path, allow_network: bool) -> None:
    abstract = f"\0tiss-conformance-{os.getpid()}"
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as hidden:
        try:  # a socket's path must be short
            os.chdir(root)
            named.bind("socket")
        finally:
            os.chdir(here)
        hidden.bind(abstract)
        named.listen()
        hidden.listen()
        for name in ("socket", abstract):
            said = output(python(UNIX.format(name=name)), root, allow_network=allow_network)
            assert said == "refused\n"


def test_a_private_loopback(root: Path, offered: dict[str, Any]) -> None:
    if offered["backend"] != "namespaces":
        pytest.skip("only namespaces have a private loopback")
    code = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.sendall(b"hello")
print(server.accept()[0].recv(5).decode())
"""
    assert "hello\n" in output(python(code), root)


# processes


def test_no_process_outside_is_seen_or_touched(root: Path, offered: dict[str, Any]) -> None:
    outside = subprocess.Popen(["sleep", "71.1451"])
    try:
        said = output("cat /proc/[0-9]*/cmdline | tr '\\0' ' '", root)
        if "process_list" not in offered["gaps"]:
            assert "sleep 71.1451" not in said
        output(f"kill -9 {outside.pid}; kill -9 -1", root)
        assert is_running(outside.pid)
    finally:
        outside.kill()
        outside.wait()


def test_no_process_outlives_its_command(root: Path) -> None:
    output("setsid sleep 71.1453 >/dev/null 2>&1 & (setsid nohup sleep 71.1453 &) ; echo", root)
    wait_until(lambda: sleepers("71.1453") == [], "a process outlived its command")


# environment


@pytest.mark.parametrize("profile", ["standard", "none"])
def test_the_environment_is_small(root: Path, profile: str) -> None:
    write(root, '@env "ADDED=1"\nRUN "env"')
    done = tiss(
        *("run", "plan.tiss", "--sandbox-profile", profile, "--env", "GIVEN=2"),
        *("--output-format", "json"),
        cwd=root,
        SECRET_TOKEN="x",
        TERM="vt100",
        LANG="en_GB.UTF-8",
        LC_TIME="de_DE.utf8",
        LC_ALL="C",
        PYTHONPATH=os.environ.get("PYTHONPATH", ""),
    )
    lines = json.loads(done.stdout)["last_run"]["stdout"].splitlines()
    seen = dict(line.split("=", 1) for line in lines)
    from_the_shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert seen.keys() - from_the_shell == {
        *("PATH", "HOME", "TMPDIR", "TERM", "LANG", "LC_TIME", "ADDED", "GIVEN")
    }
    assert (seen["ADDED"], seen["GIVEN"], seen["LANG"]) == ("1", "2", "en_GB.UTF-8")
    assert seen["HOME"] != os.environ.get("HOME")


def test_a_language_that_is_not_utf_8_is_replaced(root: Path) -> None:
    write(root, 'RUN "echo $LANG $LC_ALL"')
    for language in ("C", "de_DE.ISO-8859-1", "POSIX"):
        done = tiss(
            *("run", "plan.tiss", *NO_SANDBOX, "--output-format", "json"),
            cwd=root,
            LANG=language,
            LC_ALL=language,
        )
        assert json.loads(done.stdout)["last_run"]["stdout"] == "C.UTF-8\n"


@pytest.mark.parametrize("profile", ["standard", "none"])
def test_home_and_tmpdir_are_fresh_for_each_run(root: Path, profile: str) -> None:
    text = """RUN "ls -A $HOME $TMPDIR; touch $HOME/left $TMPDIR/left"
    LOG "{{LAST_RUN.STDOUT}}{{LAST_RUN.STDERR}}"
    RUN "ls $HOME/left && ls $TMPDIR/left > /dev/null && echo kept"
    ASSERT LAST_RUN.STDOUT CONTAINS "kept\""""
    for _ in range(2):
        (said,) = logged(text, root, sandbox_profile=profile)
        assert "left" not in said
    homes = {output("echo $HOME", root, sandbox_profile=profile) for _ in range(2)}
    assert f"{os.path.expanduser('~')}\n" not in homes


# strict


def test_strict_has_no_gaps_and_no_network(root: Path) -> None:
    report = run('RUN "true"', root, sandbox_profile="strict")
    if report["exit_code"] == 5:
        missing("strict cannot be had here")
    assert report["sandbox"]["profile"] == "strict"
    assert (report["sandbox"]["network"], report["sandbox"]["gaps"]) == ("off", [])


def test_strict_refuses_a_plan_with_env(root: Path) -> None:
    report = run('MKDIR "made"\n@env "A=1"\nRUN "true"', root, sandbox_profile="strict")
    assert (stopped_by(report), report["exit_code"]) == ("security", 5)
    assert os.listdir(root) == []


@pytest.mark.parametrize("flag", [("--env", "A=1"), ("--allow-network",)])
def test_under_strict_these_flags_are_wrong_usage(root: Path, flag: tuple[str, ...]) -> None:
    write(root, 'RUN "true"')
    done = tiss("run", "plan.tiss", "--sandbox-profile", "strict", *flag, cwd=root)
    assert (done.returncode, done.stdout) == (2, "")


# limits


@pytest.mark.parametrize(
    ("command", "limit"),
    [
        (
            python("x = b'x' * (400 << 20); import time; time.sleep(71.1459)"),
            {"max_memory": "100M"},
        ),
        (
            "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 71.1459 & done; wait",
            {"max_processes": 8},
        ),
        ("head -c 60000000 /dev/zero > f; sync; sleep 71.1459", {"max_disk": "20M"}),
    ],
)
def test_limits_hold_for_the_whole_tree(root: Path, command: str, limit: dict[str, Any]) -> None:
    report = run(f"RUN <<'SH'\n{command}\nSH", root, sandbox_profile="standard", **limit)
    assert (stopped_by(report), report["last_run"]["exit_code"]) == ("io", 137)
    wait_until(lambda: sleepers("71.1459") == [], "a process was left")


def test_the_default_limits() -> None:
    said = tiss("doctor", cwd=Path.cwd()).stdout
    standard, _, strict = said.partition("Profile strict")
    for text, limits in ((standard, ("4 GiB", "512")), (strict, ("1 GiB", "64"))):
        if "limits" in text:
            for limit in limits:
                assert limit in text


# none


def test_none_says_so_in_a_banner(tmp_path: Path) -> None:
    write(tmp_path, 'RUN "true"')
    for form in ("text", "json", "jsonl"):
        done = tiss("run", "plan.tiss", *NO_SANDBOX, "--output-format", form, cwd=tmp_path)
        assert "no sandbox" in done.stderr
        assert "no sandbox" not in done.stdout


def test_none_says_what_it_is(tmp_path: Path) -> None:
    assert run('RUN "true"', tmp_path)["sandbox"] == {
        "profile": "none",
        "backend": "none",
        "network": "open",
        "files": "open",
        "processes": "open",
        "gaps": [],
    }


def test_a_script_cannot_turn_the_sandbox_off(root: Path) -> None:
    text = '#TISS! sandbox=none\n@sandbox "none"\n@sandbox_profile "none"\nRUN "true"'
    assert run(text, root, sandbox_profile="standard")["sandbox"]["profile"] == "standard"


def test_an_unknown_profile_is_wrong_usage(tmp_path: Path) -> None:
    write(tmp_path, "LOG 1")
    assert tiss("run", "plan.tiss", "--sandbox-profile", "lax", cwd=tmp_path).returncode == 2


# version control

GUARDED = ["hooks/new", "config", "config.worktree", "commondir", "info/new", "modules/new"]
GUARDED += ["worktrees/new"]
profiles = pytest.mark.parametrize("profile", ["standard", "none"])


def repository(root: Path) -> Path:
    """A repository that exists before the run."""
    root.mkdir(exist_ok=True, parents=True)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root / ".git"


def content(directory: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
    }


@profiles
@pytest.mark.parametrize("where", [".", "sub/deep"])
def test_what_is_guarded_comes_out_as_it_was(root: Path, profile: str, where: str) -> None:
    git = repository(root / where)
    before = content(git)
    changes = "\n".join(f"mkdir -p {where}/.git/{Path(name).parent}; echo x >> {where}/.git/{name}"
                        for name in GUARDED)  # fmt: skip
    report = run(f"RUN <<'SH'\n{changes}\ntrue\nSH", root, sandbox_profile=profile)
    assert content(git) == before
    reset = {re.sub(r"^\./", "", path) for path in report["files_reset"]}
    inside = "" if where == "." else f"{where}/"
    # what was missing could be made, and was removed and named
    for name in ("config.worktree", "commondir", "modules", "worktrees"):
        assert any(each.startswith(f"{inside}.git/{name}") for each in reset)


@profiles
def test_a_git_that_exists_cannot_be_replaced(root: Path, profile: str) -> None:
    git = repository(root)
    before = {
        name: data for name, data in content(git).items() if name.startswith(("hooks", "config"))
    }
    command = "mv .git away; rm -rf .git; ln -s away .git\nmkdir -p .git/hooks"
    command += "; echo x > .git/hooks/pre-commit"
    run(f"RUN <<'SH'\n{command}\nSH", root, sandbox_profile=profile)
    after = content(git)
    assert {name: after.get(name) for name in before} == before
    assert "hooks/pre-commit" not in after
    assert not git.is_symlink()
    assert not (root / "away").exists()


@profiles
@pytest.mark.parametrize(
    "make", ["ln -s elsewhere .git", "echo 'gitdir: elsewhere' > .git", "ln -s x sub/.GIT"]
)
def test_a_new_git_that_is_a_file_or_a_link_goes(root: Path, profile: str, make: str) -> None:
    report = run(f'RUN "mkdir sub elsewhere; {make}"', root, sandbox_profile=profile)
    assert report["last_run"]["exit_code"] == 0
    assert not os.path.lexists(root / ".git")
    assert not os.path.lexists(root / "sub/.GIT")
    assert len(report["files_reset"]) == 1


KEPT_CONFIG = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
\tignorecase = false
\tprecomposeunicode = true
\tsymlinks = true
[user]
\tname = A
\temail = a@b
"""


@profiles
def test_of_a_new_repository_stays_what_runs_nothing(root: Path, profile: str) -> None:
    files = {
        "HEAD": "ref: refs/heads/main\n",
        "hooks/pre-commit.sample": "sample",
        "hooks/pre-commit": "evil",
        "info/exclude": "x",
        "info/attributes": "evil",
        "config": KEPT_CONFIG + "[core]\n\tfsmonitor = evil\n[alias]\n\tst = !evil\n",
        "commondir": "evil",
        "config.worktree": "evil",
        "modules/x": "evil",
        "worktrees/x": "evil",
    }
    for name, text in files.items():
        path = root / "new" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    report = run('RUN "mkdir objects refs; mv objects refs new; mv new .git"', root,
                 sandbox_profile=profile)  # fmt: skip
    assert report["last_run"]["exit_code"] == 0
    assert report["files_reset"] != []
    left = {name for name, data in content(root / ".git").items() if data is not None}
    assert left >= {"HEAD", "config", "hooks/pre-commit.sample", "info/exclude"}
    assert all(b"evil" not in data for data in content(root / ".git").values() if data)
    keys = subprocess.run(
        ["git", "config", "--file", str(root / ".git/config"), "--list", "--name-only"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert sorted(keys) == sorted(
        [f"core.{key}" for key in ("repositoryformatversion", "filemode", "bare")]
        + [f"core.{key}" for key in ("logallrefupdates", "ignorecase", "precomposeunicode")]
        + ["core.symlinks", "user.name", "user.email"]
    )


@profiles
def test_init_configure_and_commit_then_commit_but_not_configure(root: Path, profile: str) -> None:
    text = """RUN <<'SH'
git init -q && git config user.email a@b && git config user.name A
touch f && git add f && git commit -qm 1
SH
    ASSERT LAST_RUN.EXIT_CODE == 0
    RUN "touch g && git add g && git commit -qm 2"
    ASSERT LAST_RUN.EXIT_CODE == 0
    RUN "git config alias.st status; git config user.email evil@b; true"
    RUN "git log --oneline | wc -l; git config --get alias.st; git config user.email"
    LOG LAST_RUN.STDOUT"""
    (said,) = logged(text, root, sandbox_profile=profile)
    assert said.split() == ["2", "a@b"]


@profiles
def test_tiss_in_the_root_is_guarded(root: Path, profile: str) -> None:
    (root / ".tiss").mkdir()
    (root / ".tiss/kept").write_text("kept")
    command = "echo x > .tiss/kept; touch .tiss/new; mkdir -p sub/.tiss; touch sub/.tiss/new; true"
    run(f'RUN "{command}"', root, sandbox_profile=profile)
    assert content(root / ".tiss") == {"kept": b"kept"}
    assert (root / "sub/.tiss/new").exists()


@profiles
def test_a_new_tiss_goes(root: Path, profile: str) -> None:
    report = run('RUN "mkdir -p .tiss; touch .tiss/x"', root, sandbox_profile=profile)
    assert not (root / ".tiss").exists()
    assert report["files_reset"] == [".tiss"]


@profiles
def test_nothing_undone_nothing_listed(root: Path, profile: str) -> None:
    repository(root)
    report = run('RUN "touch f; git status --short"', root, sandbox_profile=profile)
    assert (report["last_run"]["stdout"], report["files_reset"]) == ("?? f\n", [])
