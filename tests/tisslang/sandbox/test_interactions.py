"""What one command does to the next, to another run, and to those who watch over it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sandboxes import BACKENDS, client_of, run_in

import tisslang
from tisslang.sandbox import messages
from tisslang.sandbox.client import SupervisorError

PYTHON = sys.executable
MIB = 1 << 20


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


TAKES_BACK = """
import os, time
own = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
end = time.monotonic() + 8
while time.monotonic() < end:
    os.write(1, b"x")
    try:
        os.read(own, 1)
    except BlockingIOError:
        pass
"""


def test_a_command_that_takes_its_output_back_does_not_stop_the_clock(
    tmp_path: Path, backend: str
) -> None:
    """Between the look at the pipe and the reading of it the byte is gone."""
    (tmp_path / "take.py").write_text(TAKES_BACK)
    with client_of(backend, tmp_path) as client:
        started = time.monotonic()
        done = run_in(client, f"{PYTHON} take.py", tmp_path, timeout=1.5)
        assert done.ended_by == "timeout"
        assert time.monotonic() - started < 4


PLAN = """
import sys
sys.path.append({path!r})
import tisslang
plan = [{{"type": "RUN", "command": command}} for command in {commands!r}]
report = tisslang.run(plan, {root!r})
print(report["exit_code"], report["error"], report["last_run"])
"""


def in_project(python: Path, root: Path, *commands: str) -> str:
    """What a run says that was started by a Python that lies in the project itself."""
    path = os.path.dirname(os.path.dirname(tisslang.__file__))
    code = PLAN.format(path=path, commands=list(commands), root=str(root))
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_environment_in_the_project_stays_what_and_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret")
    root = tmp_path / "root"
    environment = root / "env" / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(environment)], check=True)
    before = sorted(environment.rglob("*"))
    python = environment / "bin" / "python"
    assert in_project(python, root, "python -c 'print(1 + 1)'").startswith("0 None")
    said = in_project(
        python,
        root,
        "mv env old; rm -rf env; mkdir env; ln -s ../.. env/venv; touch env/venv/evil.pth; "
        f"echo x >> env/venv/pyvenv.cfg; cat {tmp_path}/secret; true",
        "cat env/venv/secret; ls env/venv; true",
    )
    assert "a secret" not in said
    assert "pyvenv.cfg" in said
    assert sorted(environment.rglob("*")) == before


def test_a_link_to_the_environment_could_be_exchanged(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(tmp_path / "real")], check=True)
    (root / ".venv").symlink_to("../real")
    said = in_project(root / ".venv/bin/python", root, "rm .venv")
    assert said.startswith("5 ")
    assert "could be exchanged" in said
    assert "outside of the project" in said
    assert (root / ".venv").is_symlink()


def test_the_project_itself_as_an_environment(tmp_path: Path) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(tmp_path)], check=True)
    said = in_project(
        tmp_path / "bin" / "python",
        tmp_path,
        "touch lib/evil.pth bin/evil; echo x >> pyvenv.cfg; touch fine; true",
    )
    assert said.startswith("0 None")
    assert (tmp_path / "fine").exists()
    assert not list(tmp_path.rglob("evil*"))
    assert "x" not in (tmp_path / "pyvenv.cfg").read_text().splitlines()


def test_landlock_alone_cannot_keep_a_part_of_the_project_read_only(tmp_path: Path) -> None:
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(tmp_path / ".venv")], check=True)
    code = "from tisslang import sandbox; sandbox.backends = lambda: ['landlock']\n" + PLAN
    path = os.path.dirname(os.path.dirname(tisslang.__file__))
    code = "import sys; sys.path.append({path!r})\n" + code
    done = subprocess.run(
        [
            str(tmp_path / ".venv/bin/python"),
            "-c",
            code.format(path=path, commands=["true"], root=str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("5 "), done
    assert ".venv lies in the project" in done.stdout


def test_another_directory_in_place_of_the_root_is_not_entered(
    tmp_path: Path, backend: str
) -> None:
    """Somebody who may rename things above the root puts a link, or a directory, in its place."""
    root, victim = tmp_path / "root", tmp_path / "victim"
    for exchange in ("link", "directory"):
        for path in (root, victim):
            path.mkdir(exist_ok=True)
        (victim / "secret").write_text("a secret")
        with client_of(backend, root) as client:
            assert run_in(client, "pwd", root).stdout == f"{root}\n"
            root.rename(tmp_path / f"away-{exchange}")
            if exchange == "link":
                root.symlink_to(victim)
            else:
                victim.rename(root)
            with pytest.raises((SupervisorError, OSError)):
                run_in(client, "cat secret; echo changed > secret", root)
        assert (tmp_path / "root" / "secret").read_text() == "a secret"
        if exchange == "link":
            root.unlink()


def test_a_disk_is_not_filled_at_one_stroke(tmp_path: Path, backend: str) -> None:
    with client_of(backend, tmp_path, disk=40 * MIB) as client:
        code = (
            f"import os; os.posix_fallocate(os.open('big', os.O_CREAT | os.O_RDWR), 0, {500 * MIB})"
        )
        done = run_in(client, f'{PYTHON} -c "{code}"', tmp_path)
        assert done.ended_by in ("disk", "file") or done.exit_code == 1
    assert (tmp_path / "big").stat().st_blocks * 512 < 200 * MIB


HOPS = """
import os, time
end = time.monotonic() + 3
for _ in range(40):
    if os.fork() == 0:
        for _ in range(60):
            if os.fork():
                os._exit(0)
            time.sleep(0.001)
        time.sleep(5)
        os._exit(0)
time.sleep(5)
"""


def test_chains_of_processes_that_end_at_once_are_counted(tmp_path: Path, backend: str) -> None:
    (tmp_path / "hops.py").write_text(HOPS)
    with client_of(backend, tmp_path, processes=10) as client:
        done = run_in(client, f"{PYTHON} hops.py", tmp_path)
        assert done.ended_by == "processes"


def test_a_program_started_by_a_large_one_counts_once(tmp_path: Path, backend: str) -> None:
    """With vfork both show the same pages until the new program begins."""
    code = (
        "import subprocess, time; x = bytearray(250_000_000); x[::4096] = b'x' * len(x[::4096]); "
        "end = time.monotonic() + 1.5\n"
        "while time.monotonic() < end: subprocess.run(['true'])"
    )
    (tmp_path / "large.py").write_text(code)
    with client_of(backend, tmp_path, memory=400 * MIB) as client:
        done = run_in(client, f"{PYTHON} large.py", tmp_path)
        assert (done.ended_by, done.exit_code) == (None, 0), done


FILLS = """
import ctypes, socket, sys, time
if sys.argv[1:]:
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE: nobody may look into this process
def available():
    lines = open("/proc/meminfo").read().splitlines()
    return sum(int(line.split()[1]) >> 10 for line in lines if line.startswith("MemAvailable"))
before = available()
pairs = [socket.socketpair() for _ in range(1900)]
for one, _ in pairs:
    one.setblocking(False)
    try:
        while True: one.send(bytes(1 << 16))
    except BlockingIOError: pass
time.sleep(1)
print(before - available())
"""


@pytest.mark.parametrize("hides", ["", "hides"])
def test_memory_that_waits_in_sockets_counts(tmp_path: Path, backend: str, hides: str) -> None:
    """No process shows it; the machine has less. (The kernel keeps for the next one who asks what
    the last one gave back: then the machine loses nothing, and nothing is held against anybody.)
    """
    (tmp_path / "fills.py").write_text(FILLS)
    with client_of(backend, tmp_path, memory=100 * MIB) as client:
        done = run_in(client, f"{PYTHON} fills.py {hides}", tmp_path)
        assert done.ended_by == "memory" or int(done.stdout) < 200


def test_an_answer_that_was_cut_off_leaves_no_supervisor(tmp_path: Path, backend: str) -> None:
    """Ctrl-C while a long output arrives: what follows in the pipe is no message."""
    with client_of(backend, tmp_path) as client:
        home = client.home
        process = client._process
        assert process.stdin is not None
        assert process.stdout is not None
        request = {
            "command": "head -c 3000000 /dev/zero",
            "cwd": str(tmp_path),
            "environment": {"PATH": os.environ["PATH"]},
            "timeout": 20,
            "max_output": 4_000_000,
        }
        messages.send(process.stdin.fileno(), request)
        os.read(process.stdout.fileno(), 100_000)
        client.close()
        assert process.returncode == 0
        assert not os.path.exists(home)


def test_others_memory_is_not_held_against_a_command(tmp_path: Path, backend: str) -> None:
    hungry = [PYTHON, "-c", "x = b'x' * 1_500_000_000; import time; time.sleep(1)"]
    with client_of(backend, tmp_path, memory=64 * MIB) as client:
        with subprocess.Popen(hungry) as other:
            done = run_in(client, "sleep 1.5", tmp_path)
            other.wait()
        assert (done.ended_by, done.exit_code) == (None, 0), done


CROSSES_A_PAGE = """
import ctypes, mmap, os, struct
pages = mmap.mmap(-1, 8192)
place = 4096 - 16
pages[place : place + 32] = struct.pack("qqqq", 1_000_000_000, 0, 1_000_000_001, 5)
address = ctypes.addressof(ctypes.c_char.from_buffer(pages)) + place
libc = ctypes.CDLL(None, use_errno=True)
open("file", "w").close()
assert libc.utimensat(-100, b"file", ctypes.c_void_p(address), 0) == 0, ctypes.get_errno()
print(os.stat("file").st_mtime_ns)
"""


def test_times_that_lie_on_two_pages_are_set(tmp_path: Path, backend: str) -> None:
    (tmp_path / "times.py").write_text(CROSSES_A_PAGE)
    with client_of(backend, tmp_path) as client:
        done = run_in(client, f"{PYTHON} times.py", tmp_path)
        assert (done.stdout, done.stderr) == ("1000000001000000005\n", "")


def test_what_remains_of_the_first_command_does_not_harm_the_second(
    tmp_path: Path, backend: str
) -> None:
    with client_of(backend, tmp_path) as client:
        run_in(
            client,
            "rm -rf $TMPDIR/* $HOME/*; mkdir -p $HOME/a/b; chmod 0 $HOME/a; "
            "rmdir $TMPDIR; ln -s / $TMPDIR; ln -s /etc $HOME/etc; mkfifo $HOME/fifo",
            tmp_path,
        )
        done = run_in(client, "echo text > $HOME/x; cat $HOME/x; ls -d $TMPDIR/usr", tmp_path)
        assert done.stdout.splitlines()[:1] == ["text"]
        home = Path(client.home)
    assert not home.exists()
    assert os.path.isdir("/etc")
