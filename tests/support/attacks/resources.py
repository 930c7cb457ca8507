"""Resources: more memory, processes, disk, time or output than the operator allows.

Each attack takes a bounded amount, holds it for as long as any watchdog may need, and gives it
back. It succeeds when it got so far; many also when no error tells which limit ended them.
"""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks.attack import Attack, script
from attacks.world import Report, World

MiB = 1 << 20
HOLD = "import time\nfrom raw import *\ndef hold(what):\n    time.sleep(1)\n    escaped(what)\n"


def ended_by(flag: str) -> Callable[[World, Report], str | None]:
    """For `succeeded`: whether the run ended without an error that names the flag."""

    def succeeded(world: World, report: Report) -> str | None:
        error = (report.data or {}).get("error") or {}
        told = f"{error.get('message')} {error.get('hint')}"
        return None if flag in told else f"no error names {flag}"

    return succeeded


# ------------------------------------------------------------------------------------- memory

LITTLE = ("--max-memory", "200M")
ALLOCATED = "block = bytearray(1200 << 20)\n"  # zeros: not there before it is written
TOUCH = "block[::4096] = b'x' * len(block[::4096])\nhold('1.2 GiB of memory')\n"
MAPPED = "import mmap\nblock = mmap.mmap(-1, 1200 << 20)\n"
TOUCH_MAP = "for at in range(0, len(block), 4096):\n    block[at] = 1\nhold('1.2 GiB shared')\n"
BREAK = """
libc.sbrk.restype = ctypes.c_void_p
start = libc.sbrk(ctypes.c_ssize_t(900 << 20))
assert start != ctypes.c_void_p(-1).value
ctypes.memset(start, 1, 900 << 20)
hold("900 MiB by brk")
"""
PARTS = """
import os
children = []
for _ in range(8):
    if (child := os.fork()) == 0:
        {0}block = bytearray(100 << 20)
        block[::4096] = b"x" * len(block[::4096])
        time.sleep(3)
        os._exit(0)
    children.append(child)
time.sleep(1.5)
if all(os.waitpid(child, os.WNOHANG) == (0, 0) for child in children):
    escaped("800 MiB in eight processes")
"""
NAMELESS = """
import os
memory = os.memfd_create("nobody maps it")
for _ in range(600):
    os.write(memory, b"x" * (1 << 20))
hold("600 MiB that no process has mapped")
"""
TMPFS = """
import os
path = "{0}/@mark@"
with open(path, "wb") as file:
    if {1}:
        os.unlink(path)
    try:
        for _ in range({2}):
            file.write(b"x" * (1 << 20))
        file.flush()
        hold("{2} MiB in {0}")
    finally:
        if os.path.exists(path):
            os.unlink(path)
"""
# What no process shows is known by what the machine lost. The kernel keeps some of what was freed
# for the next one who asks, and others give memory back: it counts when the machine has less.
AVAILABLE = """
import time
def available():
    lines = open("/proc/meminfo").read().splitlines()
    return sum(int(l.split()[1]) << 10 for l in lines if l.startswith("MemAvailable"))
def lost(before):
    time.sleep(0.7)
    return before - available() > 300 << 20
"""
PIPES = (
    AVAILABLE
    + """
import fcntl, os
for _ in range(4):
    before, ends, filled = available(), [], 0
    for _ in range(1000):
        ends += os.pipe2(os.O_NONBLOCK)
        try:
            fcntl.fcntl(ends[-1], 1031, 1 << 20)  # F_SETPIPE_SZ
        except OSError:
            pass
        try:
            while filled < 600 << 20:
                filled += os.write(ends[-1], b"x" * 65536)
        except BlockingIOError:
            pass
    if lost(before):
        hold("hundreds of MiB in pipes")
        break
    for end in ends:
        os.close(end)
"""
)
SOCKETS = (
    AVAILABLE
    + """
import socket
for _ in range(4):
    before, pairs, filled = available(), [], 0
    while filled < 500 << 20 and len(pairs) < 4000:
        pairs.append(socket.socketpair())
        pairs[-1][0].setblocking(False)
        try:
            while True:
                filled += pairs[-1][0].send(b"x" * 65536)
        except BlockingIOError:
            pass
    if lost(before):
        hold("hundreds of MiB in sockets")
        break
    for pair in pairs:
        pair[0].close(), pair[1].close()
"""
)
UNSEEN = "libc.prctl(4, 0, 0, 0, 0)\n"  # PR_SET_DUMPABLE: only root may look at it now
RAISED = """
import resource
for name in ("AS", "DATA", "FSIZE", "NPROC", "RSS", "STACK"):
    limit = getattr(resource, "RLIMIT_" + name)
    attempt(lambda: resource.setrlimit(limit, (resource.getrlimit(limit)[1],) * 2),
            lambda: resource.setrlimit(limit, (resource.RLIM_INFINITY,) * 2))
"""


def _memory(name: str, code: str, named: bool = True, **more: Any) -> Attack:
    more.setdefault("flags", LITTLE)
    if named:
        more["succeeded"] = ended_by("--max-memory")
    return script(f"memory: {name}", "resources", HOLD + code, **more)


_MEMORY = [
    _memory("allocated", ALLOCATED + TOUCH),
    _memory("mapped and shared", MAPPED + TOUCH_MAP),
    _memory("by brk", BREAK),
    _memory("in eight processes", PARTS.format("")),
    _memory("in processes that left the session", PARTS.format("os.setsid(); ")),
    _memory("in a process that hides", UNSEEN + ALLOCATED + TOUCH),
    _memory("after raising the limits", RAISED + ALLOCATED + TOUCH),
    _memory("a file that no process maps", NAMELESS, named=False),
    _memory("in /dev/shm", TMPFS.format("/dev/shm", False, 600), named=False),
    _memory("in /dev/shm, without a name", TMPFS.format("/dev/shm", True, 600), named=False),
    _memory(
        "in /tmp",
        TMPFS.format("/tmp", False, 290),
        named=False,
        flags=(*LITTLE, "--max-disk", "100M"),
    ),
    _memory("in pipes", PIPES, named=False, needs_root=True),  # the kernel limits others
    _memory("in sockets", SOCKETS, named=False),
    Attack(
        "memory: of a stream that grows",
        "resources",
        'python3 -c \'import zlib; print("x" * 1, end=""); '
        "z = zlib.compress(bytes(600 << 20), 1); b = zlib.decompress(z); import time; "
        'time.sleep(1); print("\\nESCAPED: it was unpacked")\'',
        flags=LITTLE,
        succeeded=ended_by("--max-memory"),
    ),
]

# ---------------------------------------------------------------------------------- processes

FEW = ("--max-processes", "50")
MANY = """
n=0
while [ $n -lt 300 ]; do sleep 3 & n=$((n + 1)); done
sleep 1
[ "$(jobs -r | wc -l)" -lt 250 ] || printf '\\nESCAPED: 300 processes at once\\n'
kill $(jobs -p)
"""
THREADS = """
import threading
go = threading.Event()
started = 0
try:
    for _ in range(300):
        threading.Thread(target=go.wait, daemon=True).start()
        started += 1
finally:
    if started >= 250:
        hold(f"{started} threads")
    go.set()
"""
DAEMONS = """
import os
ready, tell = os.pipe()
for _ in range({0}):
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.write(tell, b"x")
        time.sleep(3)
        os._exit(0)
    os.wait()
os.set_blocking(ready, False)
time.sleep(0.7)
count = len(os.read(ready, 10000))
if count >= {0} - 30:
    escaped(f"{{count}} daemons at once")
"""

_PROCESSES = [
    Attack(
        "processes: a loop of the shell",
        "resources",
        MANY,
        flags=FEW,
        succeeded=ended_by("--max-processes"),
    ),
    script("processes: threads", "resources", HOLD + THREADS, flags=FEW),
    script(
        "processes: daemons",
        "resources",
        HOLD + DAEMONS.format(300),
        flags=FEW,
        succeeded=ended_by("--max-processes"),
    ),
    script(
        "processes: more than are allowed without a flag",
        "resources",
        HOLD + DAEMONS.format(590),
        succeeded=ended_by("--max-processes"),
    ),
    script(
        "processes: after raising the limits",
        "resources",
        HOLD + RAISED + DAEMONS.format(300),
        flags=FEW,
        succeeded=ended_by("--max-processes"),
    ),
]

# --------------------------------------------------------------------------------------- disk

SMALL = ("--max-disk", "50M")
FILE = """
import os
path = os.path.expandvars("{0}")
with open(path, "wb") as file:
    if {1}:
        os.unlink(path)
    for _ in range(250):
        file.write(b"x" * (1 << 20))
    file.flush()
    hold("a file of 250 MB")
"""
FILES = """
import os
os.mkdir("many")
for number in range({0}):
    with open(f"many/{{number}}", "wb") as file:
        file.write(b"x" * ({1} << 10))
hold("{0} files of {1} KiB")
"""
RESERVED = """
import os
file = os.open("reserved", os.O_RDWR | os.O_CREAT)
os.posix_fallocate(file, 0, 250 << 20)
hold("250 MB reserved")
"""
COPIES = """
import os
with open("one", "wb") as file:
    file.write(b"x" * (40 << 20))
for number in range(6):
    source, target = os.open("one", os.O_RDONLY), os.open(f"c{number}", os.O_WRONLY | os.O_CREAT)
    left = 40 << 20
    while left > 0:
        left -= os.sendfile(target, source, (40 << 20) - left, left)
hold("seven copies of a file of 40 MB")
"""


def _disk(name: str, code: str, named: bool = True, **more: Any) -> Attack:
    if named:
        more["succeeded"] = ended_by("--max-disk")
    return script(f"disk: {name}", "resources", HOLD + code, flags=SMALL, **more)


# One file meets the kernel's limit of a file's size first, and then no error tells which it was.
_DISK = [
    _disk("one file", FILE.format("large", False), named=False),
    _disk("one file without a name", FILE.format("large", True), named=False),
    _disk("one file in TMPDIR", FILE.format("$TMPDIR/large", False), named=False),
    _disk("one file in HOME", FILE.format("$HOME/large", False), named=False),
    _disk("many small files", FILES.format(4000, 60)),
    _disk("files that are each allowed", FILES.format(6, 45 << 10)),
    _disk("reserved", RESERVED, named=False),
    _disk("copies within the kernel", COPIES),
    _disk("one file, after raising the limits", RAISED + FILE.format("large", False), named=False),
]

# --------------------------------------------------------------------------------------- time

SHORT = ("--timeout", "1s")
END = "printf '\\nESCAPED: it ran to its end\\n'"
IGNORES = """
import os, signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
end = time.monotonic() + 4
while time.monotonic() < end:
    time.sleep(0.05)
escaped("it ran to its end")
"""


def _time(name: str, command: str, **more: Any) -> Attack:
    more.setdefault("guarded_by_none", True)
    more.setdefault("succeeded", ended_by("--timeout"))
    return Attack(f"time: {name}", "resources", command, flags=SHORT, timeout=30, **more)


_TIME = [
    _time("a loop", f"timeout 4 sh -c 'while :; do :; done'\n{END}"),
    _time("sleep", f"sleep 4\n{END}"),
    _time("a tree that sleeps", f"for n in 1 2 3; do (sleep 4; :) & done; wait\n{END}"),
    _time("traps", f"trap '' TERM INT HUP QUIT ALRM PIPE USR1 USR2\nsleep 4\n{END}"),
    script(
        "time: every signal ignored",
        "resources",
        HOLD + IGNORES,
        flags=SHORT,
        guarded_by_none=True,
        succeeded=ended_by("--timeout"),
        timeout=30,
    ),
    _time("a command that stops itself", f"(sleep 4; kill -CONT $$) & kill -STOP $$\n{END}"),
    _time("streams closed", f"exec > /dev/null 2>&1; sleep 4; touch late\n{END}"),
    _time("in a session of its own", "setsid sh -c 'sleep 5; echo > late' & sleep 4"),
    _time("a stream without end", f"yes | head -c 300M; sleep 4\n{END}"),
    _time("a process that holds the stream", "setsid sleep 4 & sleep 3"),
]

# ------------------------------------------------------------------------------------- output


def memory_of_tiss(world: World, process: "subprocess.Popen[bytes]") -> None:
    """The most that tiss and what it started ever had in memory together, in bytes."""
    highest = 0
    while process.poll() is None:
        highest = max(highest, sum(_resident(pid) for pid in (process.pid, *_below(process.pid))))
        time.sleep(0.01)
    world.values["highest"] = str(highest)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError):
        return 0


def _below(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [found for child in map(int, children) for found in (child, *_below(child))]


def much_was_kept(world: World, report: Report) -> str | None:
    """Whether memory followed the stream, or more was printed than was asked for."""
    highest = int(world.values.get("highest", "0"))
    found = []
    if highest > 150 * MiB:
        found.append(f"{highest // MiB} MiB of memory")
    if len(report.output) + len(report.errors) > 2 * 65536:
        found.append(f"{len(report.output):,} characters of output in the report")
    if (report.data or {}).get("exit_code", 0) not in (0, 4):
        found.append(f"exit {report.exit_code}")
    return ", ".join(found) or None


def _output(name: str, command: str, **more: Any) -> Attack:
    return Attack(
        f"output: {name}",
        "resources",
        command,
        during=memory_of_tiss,
        succeeded=much_was_kept,
        guarded_by_none=True,
        **more,
    )


_OUTPUT = [
    _output("200 MB", "head -c 200M /dev/zero | tr '\\0' x"),
    _output("200 MB of errors", "head -c 200M /dev/zero | tr '\\0' x >&2"),
    _output("200 MB of both", "head -c 100M /dev/zero & head -c 100M /dev/zero >&2; wait"),
    _output("NUL bytes", "head -c 200M /dev/zero"),
    _output("short lines", "yes | head -c 200M"),
    _output("no UTF-8", "head -c 200M /dev/zero | tr '\\0' '\\377'"),
    _output("a packed stream", "head -c 200M /dev/zero | gzip -1 > p; gzip -dc p"),
    _output("by many writers", "for n in 1 2 3 4 5 6 7 8; do head -c 25M /dev/zero & done; wait"),
    _output("little is to be kept", "yes | head -c 200M", flags=("--max-output", "1K")),
]

# ------------------------------------------------------------------------- before others

PRIORITY = (
    "import os\nfrom raw import *\nos.setpriority(os.PRIO_PROCESS, 0, -5)\nescaped('nice -5')\n"
)
REAL_TIME = """
import os
from raw import *
os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
escaped("before every other process of the machine")
os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
"""
LOCKED = """
from raw import *
import mmap
block = mmap.mmap(-1, 64 << 20)
libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
if libc.mlock(ctypes.addressof(ctypes.c_char.from_buffer(block)), 64 << 20) == 0:
    escaped("64 MiB that cannot be swapped out")
"""

_FIRST = [
    script("a better nice value", "resources", PRIORITY, needs_root=True),
    script("real time", "resources", REAL_TIME, needs_root=True),
    script("locked memory", "resources", LOCKED, needs_root=True),
]

ATTACKS = [*_MEMORY, *_PROCESSES, *_DISK, *_TIME, *_OUTPUT, *_FIRST]
