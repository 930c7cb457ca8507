"""Each limit ends the whole tree, and the error names it and says how to raise it."""

import sys
from pathlib import Path
from typing import Any

import pytest
from sandboxes import BACKENDS, client_of, run_in

import tisslang
from tisslang.errors import CATCHABLE
from tisslang.options import Options

MIB = 1 << 20
PYTHON = sys.executable
GROW = f"{PYTHON} -c 'x = bytearray({{size}}); import time; time.sleep(20)'"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize(
    ("limit", "value", "command"),
    [
        # one process, several that share the work, memory shared between processes
        ("memory", 120 * MIB, GROW.format(size=100 * MIB) + " & " + GROW.format(size=100 * MIB)),
        (
            "memory",
            120 * MIB,
            f"{PYTHON} -c 'import mmap, time; m = mmap.mmap(-1, {200 * MIB}); "
            f'[m.write(b"x" * {MIB}) for _ in range(200)]; time.sleep(20)\'',
        ),
        ("processes", 20, "for i in $(seq 40); do sleep 20 & done; wait"),
        (
            "processes",
            20,
            f"{PYTHON} -c 'import threading, time; "
            "[threading.Thread(target=time.sleep, args=(20,)).start() for _ in range(40)]'",
        ),
        ("disk", 20 * MIB, "for i in 1 2 3 4; do head -c 8M /dev/zero > f$i; done; sleep 20"),
        ("file", 5 * MIB, "head -c 20M /dev/zero > big; exit $?"),
    ],
)
def test_a_limit_ends_the_tree(
    tmp_path: Path, backend: str, limit: str, value: int, command: str
) -> None:
    name = "disk" if limit == "file" else limit
    with client_of(backend, tmp_path, **{name: value}) as client:
        done = run_in(client, command, tmp_path)
        assert done.ended_by in {limit, name}, done
        assert done.exit_code == (153 if done.ended_by == "file" else 137)
        assert done.seconds < 15
        assert run_in(client, "echo on", tmp_path).stdout == "on\n"


def test_one_process_that_asks_for_much_is_ended_too(tmp_path: Path, backend: str) -> None:
    with client_of(backend, tmp_path, memory=100 * MIB) as client:
        done = run_in(client, f"{PYTHON} -c 'x = b\"x\" * {1000 * MIB}'", tmp_path)
        assert done.ended_by == "memory"
        done = run_in(client, f"{PYTHON} -c 'x = b\"x\" * {8000 * MIB}'", tmp_path)
        assert done.ended_by == "memory" or "MemoryError" in done.stderr


def test_pages_that_processes_share_count_once(tmp_path: Path, backend: str) -> None:
    share = "import os, time; x = bytearray(os.urandom(60_000_000)); "
    share += "[os.fork() for _ in range(2)]; time.sleep(1.5)"
    with client_of(backend, tmp_path, memory=200 * MIB) as client:
        done = run_in(client, f"{PYTHON} -c '{share}'", tmp_path)
        assert (done.ended_by, done.exit_code) == (None, 0), done


def test_a_file_that_is_read_through_memory_does_not_count(tmp_path: Path, backend: str) -> None:
    (tmp_path / "large").write_bytes(bytes(200 * MIB))
    code = "import mmap, time; file = open('large', 'rb'); "
    code += "m = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ); "
    code += "print(sum(m[::4096])); time.sleep(0.3)"
    with client_of(backend, tmp_path, memory=100 * MIB) as client:
        done = run_in(client, f'{PYTHON} -c "{code}"', tmp_path)
        assert (done.ended_by, done.stdout) == (None, "0\n"), done


def test_what_is_allowed_is_not_ended(tmp_path: Path, backend: str) -> None:
    limits = {"memory": 400 * MIB, "processes": 30, "disk": 200 * MIB}
    with client_of(backend, tmp_path, **limits) as client:
        command = "for i in $(seq 10); do sleep 0.2 & done; head -c 8M /dev/zero > f; wait; rm f"
        assert run_in(client, command, tmp_path)[:3] == (0, "", "")


def test_many_descriptors_are_refused(tmp_path: Path, backend: str) -> None:
    code = (
        "import os\ntry:\n while True: os.dup(0)\nexcept OSError: print(len(os.listdir(chr(46))))"
    )
    (tmp_path / "many.py").write_text(code)
    with client_of(backend, tmp_path) as client:
        done = run_in(client, f"ulimit -n $(ulimit -Hn); ulimit -n; {PYTHON} many.py", tmp_path)
        assert int(done.stdout.split()[0]) <= 16_384


@pytest.mark.parametrize(
    ("option", "value", "command"),
    [
        ("max_memory", "60M", GROW.format(size=50 * MIB) + " & " + GROW.format(size=50 * MIB)),
        ("max_processes", "10", "for i in $(seq 30); do sleep 20 & done; wait"),
        ("max_disk", "8M", "head -c 6M /dev/zero > a; head -c 6M /dev/zero > b; sleep 20"),
        ("max_disk", "5M", "head -c 20M /dev/zero > big; exit $?"),
        ("timeout", "300ms", "sleep 20"),
    ],
)
def test_the_error_names_the_limit_and_how_to_raise_it(
    tmp_path: Path, option: str, value: str, command: str
) -> None:
    limit: dict[str, Any] = {option: value}
    report = tisslang.run([{"type": "RUN", "command": command}], tmp_path, **limit)
    error = report["error"]
    assert report["exit_code"] == 4
    assert error["kind"] == ("timeout" if option == "timeout" else "io")
    assert f"--{option.replace('_', '-')}" in error["hint"]
    assert report["last_run"]["exit_code"] in (124, 137, 153)


def test_a_limit_can_be_caught_like_a_timeout(tmp_path: Path) -> None:
    report = tisslang.run(
        [{"type": "RUN", "command": "for i in $(seq 30); do sleep 20 & done; wait"}],
        tmp_path,
        max_processes=10,
    )
    assert report["error"]["kind"] in CATCHABLE


def test_strict_has_smaller_limits_and_they_can_be_raised() -> None:
    strict = Options(sandbox_profile="strict")
    assert strict.limits == {"processes": 64, "memory": 1 << 30, "disk": 1 << 30}
    more = Options(sandbox_profile="strict", max_memory="2G", max_processes="100", max_disk=5)
    assert more.limits == {"processes": 100, "memory": 2 << 30, "disk": 5}
    assert Options().limits == {"processes": 512, "memory": 4 << 30, "disk": 4 << 30}


@pytest.mark.parametrize(
    "options",
    [
        {"max_memory": "4X"},
        {"max_memory": -1},
        {"max_disk": "1.5G"},
        {"max_processes": 0},
        {"max_processes": "many"},
        {"max_processes": "-3"},
        {"sandbox_profile": "strict", "allow_network": True},
        {"sandbox_profile": "strict", "env": {"A": "1"}},
        {"allow_command": "curl"},
        {"answer": "yes"},
    ],
)
def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options)).replace("sandbox_profile", "strict")):
        Options(**options)


def test_a_file_in_a_private_place_is_limited_too(tmp_path: Path, backend: str) -> None:
    """What lies in memory counts for no process: it is bounded by the size of the place."""
    with client_of(backend, tmp_path, memory=80 * MIB) as client:
        done = run_in(client, "head -c 100M /dev/zero > /dev/shm/x; echo $?", tmp_path)
        assert done.stdout != "0\n"
