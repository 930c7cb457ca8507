"""What a profile grants: which places can be a project, what of this Python is shown."""

import os
import socket
import subprocess
import sys
import types
from pathlib import Path

import pytest
from missing import missing
from sandboxes import BACKENDS, client_of, run_in

import tisslang
from tisslang.sandbox import policy

LIMITS = {"processes": 512, "memory": 1 << 32, "disk": 1 << 32}


@pytest.mark.parametrize(
    "root", ["/", "/usr", "/etc", "/home", "/proc/self", os.path.realpath(os.path.expanduser("~"))]
)
def test_some_places_are_no_project(root: str) -> None:
    report = tisslang.run('RUN "true"', root)
    assert (report["error"]["kind"], report["exit_code"]) == ("security", 5)
    assert "cannot be the project root" in report["error"]["message"]
    assert "--root" in report["error"]["hint"]


def test_the_home_directory_is_no_project_by_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "people" / "me"
    home.mkdir(parents=True)
    (tmp_path / "link").symlink_to(home)
    monkeypatch.setenv("HOME", str(tmp_path / "link"))
    assert "home directory" in str(policy.why_no_project(str(home)))
    assert "lies in it" in str(policy.why_no_project(str(tmp_path)))
    project = home / "project"
    project.mkdir()
    assert policy.why_no_project(str(project)) is None


def test_homes_of_other_people_and_places_of_the_system_are_no_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = types.SimpleNamespace(pw_uid=1000, pw_dir="/home/alice")
    service = types.SimpleNamespace(pw_uid=33, pw_dir="/srv/www")
    monkeypatch.setattr("pwd.getpwall", lambda: [person, service])
    assert "somebody's home" in str(policy.why_no_project("/home/alice"))
    for root in ("/etc/cron.d", "/usr/bin/x", "/boot/grub", "/tmp", "/dev/shm", "/sys/kernel"):
        assert policy.why_no_project(root) is not None, root
    for root in ("/srv/www", "/home/alice/work", "/usr/src/app", "/tmp/x", "/dev/shm/x", "/opt/x"):
        assert policy.why_no_project(root) is None, root


def test_without_a_sandbox_any_place_will_do(tmp_path: Path) -> None:
    plan = [{"type": "RUN", "command": "pwd"}]
    report = tisslang.run(plan, "/usr", sandbox_profile="none")
    assert report["last_run"]["stdout"] == "/usr\n"


def test_nothing_of_the_home_directory_is_granted_but_this_python() -> None:
    home = os.path.realpath(os.path.expanduser("~"))
    grant = policy.grant(policy.PROFILES["standard"], "/srv/project", False, LIMITS)
    python = [os.path.realpath(p) for p in (sys.prefix, sys.base_prefix)]
    for path in [*grant["readable"], *grant["listable"]]:
        inside_home = path == home or path.startswith(home + "/")
        assert not inside_home or any(path.startswith(place) for place in python), path
        assert path not in ("/", home, "/etc", "/home", "/var", "/root")
    secret = ("shadow", "passwd", "sudoers", "ssh", "machine-id", "hosts", "resolv.conf")
    assert not {f"/etc/{name}" for name in secret} & set(grant["readable"])


def test_what_python_runs_from_is_protected_in_the_project() -> None:
    def protected(root: str) -> list[str]:
        grant = policy.grant(policy.PROFILES["standard"], root, False, LIMITS)
        return list(grant["protected"])

    prefix = os.path.realpath(sys.prefix)
    assert os.path.basename(prefix) in protected(os.path.dirname(prefix))
    assert {"bin", "lib", "pyvenv.cfg"} & set(protected(prefix)) == {"bin", "lib", "pyvenv.cfg"}
    assert "tisslang" in protected(os.path.dirname(policy.PACKAGE))
    assert protected("/srv/project") == []


def test_the_temporary_directory_is_never_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert policy.temporary_directory("/srv/project") == str(tmp_path)
    assert policy.temporary_directory(str(tmp_path)) == os.path.realpath("/tmp")
    monkeypatch.setenv("TMPDIR", "relative")
    assert policy.temporary_directory("/srv/project") == os.path.realpath("/tmp")


ASKS = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).close()
    print("connected")
except OSError as error:
    print(type(error).__name__)
try:
    socket.socket(socket.AF_UNIX)
    print("a local daemon could be asked")
except PermissionError:
    pass
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_network_is_opened_by_the_operator_alone(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tisslang.sandbox.backends", lambda: [backend])
    (tmp_path / "asks.py").write_text(ASKS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        plan = [{"type": "RUN", "command": f"python3 asks.py {server.getsockname()[1]}"}]
        closed = tisslang.run(plan, tmp_path)
        opened = tisslang.run(plan, tmp_path, allow_network=True)
    if closed["sandbox"] is None:
        missing(closed["error"]["message"])
    assert closed["sandbox"]["network"] == "off"
    assert closed["last_run"]["stdout"] in ("ConnectionRefusedError\n", "PermissionError\n")
    assert opened["sandbox"] == {**closed["sandbox"], "network": "open"}
    assert opened["last_run"]["stdout"] == "connected\n"


CHECK = "import sys, tisslang; print(sys.prefix, sys.version_info[:3], tisslang.__version__)"


@pytest.mark.parametrize("backend", BACKENDS)
def test_python_is_the_one_that_runs_the_plan(tmp_path: Path, backend: str) -> None:
    with client_of(backend, tmp_path) as client:
        command = f"{os.path.dirname(sys.executable)}/python3 -c '{CHECK}'"
        done = run_in(client, command, tmp_path)
    expected = f"{sys.prefix} {sys.version_info[:3]} {tisslang.__version__}\n"
    assert (done.stdout, done.stderr) == (expected, "")


RUNS_ITSELF = """
import sys
sys.path.append({path!r})
import tisslang
shows = "import sys; print(sys.executable, sys.prefix)"
report = tisslang.run([{{"type": "RUN", "command": f"python -c '{{shows}}'"}}], {root!r})
print(report["last_run"]["stdout"] == f"{{sys.executable}} {{sys.prefix}}\\n", report["last_run"])
"""


@pytest.mark.parametrize(
    "python", ["bin/python", "pythons/link/bin/python", "pythons/real/bin/python"]
)
def test_a_python_that_is_reached_by_links(tmp_path: Path, python: str) -> None:
    """Like those of uv and pyenv: a virtual environment, a link to it, or to its directory."""
    real = tmp_path / "pythons" / "real"
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(real)], check=True)
    (tmp_path / "pythons" / "link").symlink_to("real")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("../pythons/link/bin/python")
    path = os.path.dirname(os.path.dirname(tisslang.__file__))
    command = [str(tmp_path / python), "-c", RUNS_ITSELF.format(path=path, root=str(root))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("True"), done


def test_without_a_posix_shell_there_is_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tisslang.sandbox.os", types.SimpleNamespace(name="nt"))
    report = tisslang.run('RUN "true"', tmp_path, sandbox_profile="none")
    assert (report["error"]["kind"], report["exit_code"]) == ("io", 4)
    report = tisslang.run('RUN "true"', tmp_path)
    assert (report["error"]["kind"], report["exit_code"]) == ("security", 5)


def test_a_read_only_root_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text\n")
    tmp_path.chmod(0o555)
    try:
        report = tisslang.run('RUN "cat file; touch new"', tmp_path)
    finally:
        tmp_path.chmod(0o755)
    assert report["exit_code"] == 0
    assert report["last_run"]["stdout"] == "text\n"
    assert os.geteuid() == 0 or not (tmp_path / "new").exists()
