"""Lifetime: what goes on after its command has ended, has run out of time, or lost its tiss.

Each writes a file of the root when it has begun, and all end by themselves within a minute. The
profile `none` ends a tree as well, so that they are proven against careless.py.
"""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from attacks.attack import Attack, script
from attacks.world import Report, World

DAEMON = """
import os, signal, sys, time
from raw import *

def daemon(work):
    \"\"\"A child of nobody, in a session of its own.\"\"\"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            work()
            os._exit(0)
        os._exit(0)
    os.wait()

def begun():
    open("begun", "w").close()

def wait_until_begun():
    while not os.path.exists("begun"):
        time.sleep(0.005)

def stay():
    begun()
    time.sleep(30)

def close_everything():
    for number in range(256):
        try: os.close(number)
        except OSError: pass
"""

CHAIN = """
def run_on():
    end = time.monotonic() + 3
    begun()
    while time.monotonic() < end:
        if os.fork():
            os._exit(0)
        os.setsid()
        with open("diary", "a") as file:
            file.write("x")
"""


def command(name: str, text: str, **more: Any) -> Attack:
    return Attack(name, "lifetime", text, guarded_by_none=True, **more)


def program(name: str, code: str, **more: Any) -> Attack:
    return script(name, "lifetime", DAEMON + code, guarded_by_none=True, **more)


def ends_tiss(number: int) -> Any:
    """Send tiss a signal once the attack has begun."""

    def during(world: World, tiss: "subprocess.Popen[bytes]") -> None:
        world.wait_for(world.project / "begun")
        world.ended_by_us = True
        with_everything = os.getpgid(tiss.pid) if number == signal.SIGINT else 0
        if with_everything == tiss.pid:
            os.killpg(tiss.pid, number)  # as a terminal does
        else:
            os.kill(tiss.pid, number)

    return during


def ends_tiss_and_waits(world: World, tiss: "subprocess.Popen[bytes]") -> None:
    ends_tiss(signal.SIGKILL)(world, tiss)
    tiss.wait()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def nothing_comes_later(world: World, report: Report) -> str | None:
    """Look whether a file of the root still grows."""
    diary = world.project / "diary"
    before = _size(diary)
    time.sleep(0.1)
    return "the root is still written to" if _size(diary) != before else None


AFTERWARDS = [
    command("in a session of its own", "setsid sleep 30 & sleep 0.1"),
    command("deaf to hangups", "setsid nohup sleep 30 >/dev/null 2>&1 & sleep 0.1"),
    command("by setsid --fork", "setsid --fork sleep 30; sleep 0.1"),
    program("a daemon", "daemon(stay)\nwait_until_begun()"),
    program(
        "deaf to all signals",
        "def deaf():\n"
        "    for number in range(1, 65):\n"
        "        try: signal.signal(number, signal.SIG_IGN)\n"
        "        except (OSError, ValueError): pass\n"
        "    stay()\n"
        "daemon(deaf)\nwait_until_begun()",
    ),
    program(
        "all signals held back",
        "def deaf():\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
        "    stay()\n"
        "daemon(deaf)\nwait_until_begun()",
    ),
    program("without streams", "daemon(lambda: (close_everything(), stay()))\nwait_until_begun()"),
    program(
        "all streams closed by the command",
        "daemon(stay)\nwait_until_begun()\nprint('bye', flush=True)\nclose_everything()",
    ),
    program(
        "stopped",
        "def stop():\n    begun()\n    os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    time.sleep(30)\ndaemon(stop)\nwait_until_begun()",
    ),
    program(
        "stopped, many",
        "def stop():\n"
        "    for _ in range(20):\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            os.kill(os.getpid(), signal.SIGSTOP)\n"
        "            time.sleep(30)\n"
        "    begun()\n"
        "daemon(stop)\nwait_until_begun()",
    ),
    program(
        "not dumpable",
        "def hidden():\n    libc.prctl(4, 0, 0, 0, 0)\n    stay()\n"
        "daemon(hidden)\nwait_until_begun()",
    ),
    program(
        "a subreaper",
        "def reaper():\n    libc.prctl(36, 1, 0, 0, 0)\n"
        "    if os.fork() == 0:\n        daemon(stay)\n        os._exit(0)\n    stay()\n"
        "daemon(reaper)\nwait_until_begun()",
    ),
    program(
        "another name",
        "def other():\n    libc.prctl(15, b'(a) S 1 1', 0, 0, 0)\n    stay()\n"
        "daemon(other)\nwait_until_begun()",
    ),
    program(
        "a chain that forks on and on",  # one at a time: each child outlives its parent
        CHAIN + "daemon(run_on)\nwait_until_begun()",
        succeeded=nothing_comes_later,
    ),
    program(
        "twenty chains that fork on and on",
        CHAIN + "for _ in range(20): daemon(run_on)\nwait_until_begun()",
        succeeded=nothing_comes_later,
    ),
    program(
        "two that start each other again",
        "def guard():\n"
        "    os.setsid()\n"
        "    end = time.monotonic() + 3\n"
        "    begun()\n"
        "    while time.monotonic() < end:\n"
        "        other = os.fork()\n"
        "        if other == 0: libc.prctl(1, 0, 0, 0, 0); time.sleep(0.01); continue\n"
        "        os.waitpid(other, 0)\n"
        "    time.sleep(20)\n"
        "daemon(lambda: os.fork() or guard())\nwait_until_begun()",
    ),
    program("a pipe held open", "daemon(stay)\nwait_until_begun()\nos.write(1, b'held\\n')"),
    program(
        "a writer into the root",
        "def write():\n"
        "    begun()\n"
        "    end = time.monotonic() + 20\n"
        "    while time.monotonic() < end:\n"
        "        with open('diary', 'a') as file: file.write('x')\n"
        "        time.sleep(0.01)\n"
        "daemon(write)\nwait_until_begun()",
        succeeded=nothing_comes_later,
    ),
    program(
        "two hundred daemons",
        "def many():\n"
        "    for _ in range(200):\n"
        "        if os.fork() == 0:\n"
        "            os.setsid()\n"
        "            time.sleep(10)\n"
        "            os._exit(0)\n"
        "    begun()\n"
        "daemon(many)\nwait_until_begun()",
    ),
    program(
        "a thread's child without a signal",
        "def cloned():\n"
        "    child = syscall('clone', 0, 0, 0, 0, 0)  # its end tells nobody\n"
        "    if child == 0:\n"
        "        os.setsid()\n"
        "        stay()\n"
        "daemon(cloned)\nwait_until_begun()",
    ),
    program(
        "a sibling of its parent",
        "child = syscall('clone', 0x8000 | 17, 0, 0, 0, 0)  # CLONE_PARENT\n"
        "if child == 0:\n"
        "    os.setsid()\n"
        "    stay()\n"
        "wait_until_begun()",
    ),
    program(
        "the main thread gone, another goes on",
        "import threading\n"
        "def split():\n"
        "    threading.Thread(target=stay).start()\n"
        "    syscall(60 if X86_64 else 93, 0)  # exit of this thread alone\n"
        "daemon(split)\nwait_until_begun()",
    ),
]

OUT_OF_TIME = [
    program(
        "after its time: a daemon",
        "daemon(stay)\nwait_until_begun()\ntime.sleep(30)",
        flags=("--timeout", "1s"),
    ),
    program(
        "after its time: a daemon of a stopped command",
        "daemon(stay)\nwait_until_begun()\nos.kill(os.getpid(), signal.SIGSTOP)",
        flags=("--timeout", "1s"),
    ),
    program(
        "after its time: born when the command ends",
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    parent = os.getppid()\n"
        "    begun()\n"
        "    while os.getppid() == parent: time.sleep(0.001)\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        time.sleep(30)\n"
        "    os._exit(0)\n"
        "time.sleep(30)",
        flags=("--timeout", "1s"),
    ),
]

TISS_ENDED = [
    program(
        f"{how}: {name}", code, during=ends_tiss_and_waits if number == 9 else ends_tiss(number)
    )
    for how, number in (
        ("Ctrl-C", signal.SIGINT),
        ("tiss terminated", signal.SIGTERM),
        ("tiss killed", signal.SIGKILL),
    )
    for name, code in (
        ("a daemon goes on", "daemon(stay)\nwait_until_begun()\ntime.sleep(30)"),
        (
            "the command, deaf to signals, and its daemon go on",
            "for number in (1, 2, 3, 13, 15): signal.signal(number, signal.SIG_IGN)\n"
            "daemon(stay)\nwait_until_begun()\ntime.sleep(30)",
        ),
    )
]

ATTACKS = [*AFTERWARDS, *OUT_OF_TIME, *TISS_ENDED]
