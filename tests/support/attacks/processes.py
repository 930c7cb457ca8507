"""Processes: signalling, tracing, reading, slowing down or taking over one that is outside."""

from typing import Any

from attacks.attack import Attack, script, shows

TARGET = """
import os, signal, sys
from raw import *
victim = @victim@

def environment():
    fields = open(f"/proc/{victim}/stat").read().rpartition(")")[2].split()
    return int(fields[47])  # env_start
"""


def program(name: str, code: str, **more: Any) -> Attack:
    return script(name, "processes", TARGET + code, **more)


def command(name: str, text: str, **more: Any) -> Attack:
    return Attack(name, "processes", text, **more)


SIGNALS = [
    command("killed", "kill -9 @victim@"),
    command("stopped", "kill -STOP @victim@"),
    command("its group killed", "kill -9 -@victim@"),
    program("killed by tkill", "syscall('tkill', victim, 9)"),
    program("killed by tgkill", "syscall('tgkill', victim, victim, 9)"),
    program(
        "killed with a value",
        "import ctypes, struct\n"
        "given = ctypes.create_string_buffer(struct.pack('iii', 9, 0, -1).ljust(128, b'\\0'))\n"
        "syscall('rt_sigqueueinfo', victim, 9, given)",
    ),
    program(
        "its thread killed with a value",
        "import ctypes, struct\n"
        "given = ctypes.create_string_buffer(struct.pack('iii', 9, 0, -1).ljust(128, b'\\0'))\n"
        "syscall('rt_tgsigqueueinfo', victim, victim, 9, given)",
    ),
    program(
        "killed by its descriptor",
        "syscall('pidfd_send_signal', syscall('pidfd_open', victim, 0), 9, 0, 0)",
    ),
    program(
        "killed by its folder in /proc",
        "syscall('pidfd_send_signal', os.open(f'/proc/{victim}', os.O_RDONLY), 9, 0, 0)",
    ),
    program(
        "killed as the owner of a pipe",
        "import fcntl, time\n"
        "out, into = os.pipe()\n"
        "fcntl.fcntl(out, fcntl.F_SETOWN, victim)\n"
        "fcntl.fcntl(out, 10, 9)  # F_SETSIG\n"
        "fcntl.fcntl(out, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)\n"
        "os.write(into, b'x')\n"
        "time.sleep(0.1)",
    ),
    program(
        "killed as the owner of a pipe, by the usual signal",
        "import fcntl, struct, time\n"
        "out, into = os.pipe()\n"
        "fcntl.fcntl(out, 15, struct.pack('ii', 1, victim))  # F_SETOWN_EX, a process\n"
        "fcntl.fcntl(out, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)\n"
        "os.write(into, b'x')\n"
        "time.sleep(0.1)",
    ),
    program("every parent killed, nearest first", "for parent in parents(): os.kill(parent, 9)"),
    program("every parent killed", "for parent in reversed(parents()): os.kill(parent, 9)"),
    program(
        "every parent stopped",
        "import time\n"
        "for parent in parents():\n"
        "    attempt(lambda: os.kill(parent, signal.SIGSTOP))\n"
        "with open('stopped', 'w') as file: file.write('x')\n"
        "time.sleep(0.2)",
        flags=("--timeout", "2s"),
        timeout=6.0,
    ),
    program(
        "every parent interrupted",
        "for parent in reversed(parents()): os.kill(parent, signal.SIGTERM)",
    ),
    program(
        "its memory given back by force",
        "probe('process_mrelease', syscall('pidfd_open', victim, 0), 0)",
    ),
]

TRACING = [
    program("attached to", "syscall('ptrace', 16, victim, 0, 0)\nescaped('the victim is traced')"),
    program("seized", "syscall('ptrace', 0x4206, victim, 0, 0)\nescaped('the victim is traced')"),
    program(
        "its parent traced",
        "for parent in parents()[1:]:\n"
        "    syscall('ptrace', 0x4206, parent, 0, 0)\n"
        "    escaped('a parent is traced')",
    ),
    program(
        "its memory read",
        "import ctypes, struct\n"
        "line = next(line for line in open(f'/proc/{victim}/maps') if '[stack]' in line)\n"
        "start, end = (int(edge, 16) for edge in line.split()[0].split('-'))\n"
        "data = ctypes.create_string_buffer(end - start)\n"
        "ours = ctypes.create_string_buffer(struct.pack('QQ', ctypes.addressof(data), len(data)))\n"
        "theirs = ctypes.create_string_buffer(struct.pack('QQ', start, len(data)))\n"
        "syscall('process_vm_readv', victim, ours, 1, theirs, 1, 0)\n"
        "print(data.raw[data.raw.find(b'VICTIM_SECRET'):][:100])",
    ),
    program("its memory read, without a map", "probe('process_vm_readv', victim, 0, 0, 0, 0, 0)"),
    program(
        "its memory changed",
        "import ctypes, struct\n"
        "at = environment()\n"
        "data = ctypes.create_string_buffer(b'CHANGED')\n"
        "ours = ctypes.create_string_buffer(struct.pack('QQ', ctypes.addressof(data), 7))\n"
        "theirs = ctypes.create_string_buffer(struct.pack('QQ', at, 7))\n"
        "syscall('process_vm_writev', victim, ours, 1, theirs, 1, 0)",
    ),
    program(
        "its memory changed through /proc",
        "at = environment()\n"
        "with open(f'/proc/{victim}/mem', 'r+b', buffering=0) as memory:\n"
        "    memory.seek(at)\n"
        "    memory.write(b'CHANGED')",
    ),
    program(
        "its open file taken",
        "print(os.pread(syscall('pidfd_getfd', syscall('pidfd_open', victim, 0), 0, 0), 100, 0))",
    ),
    program(
        "the open files of the parents taken",
        "def take(parent):\n"
        "    process = syscall('pidfd_open', parent, 0)\n"
        "    for number in range(3, 64):\n"
        "        try: print(os.pread(syscall('pidfd_getfd', process, number, 0), 100, 0))\n"
        "        except OSError: pass\n"
        "attempt(*(lambda p=p: take(p) for p in parents()))",
    ),
    program("compared with us", "probe('kcmp', os.getpid(), victim, 0, 0, 0)"),
    program(
        "its namespaces entered",
        "probe('setns', syscall('pidfd_open', victim, 0), 0x04000000)  # CLONE_NEWUTS",
    ),
    program(
        "the place of its code, from /proc",
        "print(open(f'/proc/{victim}/syscall').read(), open(f'/proc/{victim}/stack').read())\n"
        "escaped('the stack of the victim')",
        needs_root=True,
    ),
]

SETTINGS = [
    program(
        "its limits",
        "import resource\n"
        "resource.prlimit(victim, resource.RLIMIT_CORE, (0, 0))\n"
        "resource.prlimit(victim, resource.RLIMIT_NOFILE, (64, 64))",
    ),
    program("its nice value", "os.setpriority(os.PRIO_PROCESS, victim, 19)"),
    program("the nice value of its group", "os.setpriority(os.PRIO_PGRP, victim, 18)"),
    program("its processors", "os.sched_setaffinity(victim, {0})"),
    program("its policy", "os.sched_setscheduler(victim, os.SCHED_BATCH, os.sched_param(0))"),
    program(
        "its policy, by sched_setattr",
        "import ctypes, struct\n"
        "given = struct.pack('IIQiIQQQ', 48, 3, 0, 7, 0, 0, 0, 0)  # SCHED_BATCH\n"
        "syscall('sched_setattr', victim, ctypes.create_string_buffer(given), 0)",
    ),
    program("its input and output", "syscall('ioprio_set', 1, victim, 3 << 13)  # idle"),
    program(
        "its memory moved",
        "import ctypes\n"
        "nodes = ctypes.create_string_buffer(b'\\1'.ljust(16, b'\\0'))\n"
        "probe('migrate_pages', victim, 64, nodes, nodes)",
    ),
    program("its pages moved", "probe('move_pages', victim, 0, 0, 0, 0, 0)"),
    program(
        "advised about its memory",
        "probe('process_madvise', syscall('pidfd_open', victim, 0), 0, 0, 20, 0)",
    ),
    command("chosen to be killed", "echo 500 > /proc/@victim@/oom_score_adj"),
    program(
        "chosen to be killed: the parents",
        "for parent in parents()[1:]:\n"
        "    with open(f'/proc/{parent}/oom_score_adj', 'w') as file: file.write('999')\n"
        "    escaped('a parent is the first to be killed')",
    ),
    program(
        "the limits of its parents",
        "import resource\n"
        "for parent in parents()[1:]:\n"
        "    resource.prlimit(parent, resource.RLIMIT_CORE, (0, 0))\n"
        "    escaped('the limits of a parent are changed')",
    ),
    program(
        "the nice value of its parents",
        "for parent in parents()[1:]:\n"
        "    os.setpriority(os.PRIO_PROCESS, parent, 19)\n"
        "    escaped('a parent is slowed down')",
    ),
    program(
        "what its core dump holds",
        "open(f'/proc/{victim}/coredump_filter', 'w').write('0')\n"
        "escaped('what the victim would dump is changed')",
    ),
    program(
        "its references cleared",
        "open(f'/proc/{victim}/clear_refs', 'w').write('1')\n"
        "escaped('the pages of the victim are marked')",
    ),
]

SEEING = [
    command(
        "listed with its arguments",
        "tr '\\0' ' ' < /proc/@victim@/cmdline",
        succeeded=shows("sleep 300"),
        gap="process_list",
    ),
    command(
        "whether it is there", "kill -0 @victim@ && echo it-lives", succeeded=shows("it-lives")
    ),
    command(
        "its folder listed",
        "ls /proc/@victim@/fd && echo fd-listed",
        succeeded=shows("fd-listed"),
        gap="process_list",
    ),
    command(
        "where it stands",
        "readlink /proc/@victim@/cwd /proc/@victim@/exe",
        succeeded=shows("@outside@"),
    ),
    program(
        "told when it ends",
        "syscall('pidfd_open', victim, 0)\nescaped('the victim is watched')",
        gap="process_list",
    ),
    command("what it reads and writes", "cat /proc/@victim@/io", succeeded=shows("rchar")),
    program(
        "the arguments of the parents",
        "attempt(*(lambda p=p: open(f'/proc/{p}/cmdline').read() for p in parents()))",
        succeeded=shows("plan.tiss"),
        gap="process_list",
    ),
]

ATTACKS = [*SIGNALS, *TRACING, *SETTINGS, *SEEING]
