"""The numbers of system calls are those of the kernel's own headers; the filter does as it says."""

import ctypes
import errno
import os
import platform
import re
import struct
import sys
from pathlib import Path

import pytest

from tisslang.sandbox import seccomp
from tisslang.sandbox.system_calls import _numbers

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
_DEFINITION = re.compile(r"#define __NR(?:3264)?_(\w+)\s+(\d+)")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_numbers_are_the_kernels(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed (linux-libc-dev)")
    theirs = {name: int(n) for name, n in _DEFINITION.findall(HEADERS[machine].read_text())}
    ours = _numbers(machine)
    newest = max(theirs.values())
    assert {name for name, number in ours.items() if number <= newest} <= theirs.keys()
    assert {name: theirs[name] for name in ours if name in theirs} == {
        name: number for name, number in ours.items() if name in theirs
    }


def test_both_processors_close_the_same_calls() -> None:
    """What only one has is an old form of a call that both have, or belongs to a PC."""
    only_x86 = _numbers("x86_64").keys() - _numbers("aarch64").keys()
    old = {"open", "creat", "mkdir", "mknod", "chmod", "chown", "lchown"}
    old |= {"utime", "utimes", "futimesat", "create_module", "uselib", "ustat", "sysfs", "_sysctl"}
    assert only_x86 == old | {"iopl", "ioperm", "modify_ldt"}
    assert _numbers("aarch64").keys() <= _numbers("x86_64").keys()


def test_every_forbidden_name_has_a_number() -> None:
    for names in (seccomp.FORBIDDEN, seccomp.ABSENT, seccomp.UNSUPPORTED, seccomp.DECIDED):
        assert not set(names) - _numbers("x86_64").keys()
        assert len(set(names)) == len(names)


linux_only = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="a filter of x86_64"
)


def under_filter(program: bytes, attempt: str) -> int:
    """The errno of a system call (`name(arguments)`) under a filter; 0 when it is let through."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(38, 1, 0, 0, 0)
        seccomp.install(program)
        name, _, rest = attempt.partition("(")
        arguments = [ctypes.c_long(int(a, 0)) for a in rest.rstrip(")").split(",") if a]
        number = int(name) if name.isdigit() else _numbers("x86_64")[name]
        result = libc.syscall(ctypes.c_long(number), *arguments)
        os.write(writer, struct.pack("i", ctypes.get_errno() if result == -1 else 0))
        os._exit(0)
    os.close(writer)
    data = os.read(reader, 4)
    os.close(reader)
    status = os.waitpid(pid, 0)[1]
    return struct.unpack("i", data)[0] if data else -os.WTERMSIG(status)


_BEHIND_MOUNTS = {"network": True, "own_processes": True, "decide_modes": False}
_ALONE = {"network": False, "own_processes": False, "decide_modes": False}


@linux_only
@pytest.mark.parametrize(
    ("attempt", "behind_mounts", "alone"),
    [
        ("unshare(0x10000000)", errno.EPERM, errno.EPERM),
        ("clone(0x10000011,0,0,0,0)", errno.EPERM, errno.EPERM),
        ("clone3(0,0)", errno.ENOSYS, errno.ENOSYS),
        ("openat2(-100,0,0,0)", errno.ENOSYS, errno.ENOSYS),
        ("470(0)", errno.ENOSYS, errno.ENOSYS),  # a call that came after these lists were made
        ("1073741828(0)", errno.ENOSYS, errno.ENOSYS),  # stat by its x32 number
        ("socket(1,1,0)", errno.EPERM, errno.EPERM),  # AF_UNIX
        ("socket(16,3,0)", errno.EPERM, errno.EPERM),  # AF_NETLINK
        ("socket(40,1,0)", errno.EPERM, errno.EPERM),  # AF_VSOCK
        ("socket(2,3,0)", errno.EPERM, errno.EPERM),  # SOCK_RAW
        ("socket(2,1,132)", errno.EPERM, errno.EPERM),  # SCTP
        ("socket(2,1,0)", 0, errno.EPERM),
        ("socket(10,0x80802,17)", 0, errno.EPERM),  # UDP, nonblocking, close-on-exec
        ("socket(0x100000001,1,0)", errno.EPERM, errno.EPERM),  # the kernel reads 32 bits
        ("socketpair(1,1,0,0)", errno.EFAULT, errno.EFAULT),
        ("socketpair(1,2,0,0)", errno.EPERM, errno.EPERM),  # datagrams
        ("socketpair(2,1,0,0)", errno.EPERM, errno.EPERM),
        ("ioctl(0,0x5412,0)", errno.ENOTTY, errno.ENOTTY),  # TIOCSTI
        ("ioctl(0,0x100005412,0)", errno.ENOTTY, errno.ENOTTY),
        ("ioctl(-1,0x5401,0)", errno.EBADF, errno.EBADF),  # TCGETS
        ("fchmod(-1,0o4755)", errno.EPERM, errno.EPERM),
        ("fchmod(-1,0o755)", errno.EBADF, errno.EBADF),
        ("openat(-1,0,0,0o4755)", errno.EBADF, errno.EBADF),  # no new file: the mode is not read
        ("openat(-1,0,0o101,0o4755)", errno.EPERM, errno.EPERM),
        ("openat(-1,0,0o20200001,0o4755)", errno.EPERM, errno.EPERM),  # O_TMPFILE
        ("personality(0xffffffff)", 0, 0),
        ("personality(0x0040000)", errno.EPERM, errno.EPERM),  # no random addresses
        ("fcntl(-1,1024,0)", errno.EPERM, errno.EPERM),  # F_SETLEASE
        ("fcntl(-1,1,0)", errno.EBADF, errno.EBADF),
        ("fallocate(-1,0,0,10)", errno.EOPNOTSUPP, errno.EOPNOTSUPP),
        ("fallocate(-1,3,0,10)", errno.EBADF, errno.EBADF),  # a hole gives space back
        ("io_setup(1,0)", errno.ENOSYS, errno.ENOSYS),
        ("setrlimit(4,0)", 0, 0),  # RLIMIT_CORE stays what it is
        ("prlimit64(0,4,1,0)", 0, 0),
        ("prlimit64(0,4,0x100000000,0)", 0, 0),
        ("prlimit64(0,4,0,1)", errno.EFAULT, errno.EFAULT),  # reading it
        ("prlimit64(0,0,1,0)", errno.EFAULT, errno.EFAULT),
        ("prlimit64(1,0,0,0)", None, errno.EPERM),
        ("setpriority(2,0,19)", None, errno.EPERM),  # all processes of the user
        ("setpriority(0,1,19)", None, errno.EPERM),
        ("sched_setaffinity(1,0,0)", None, errno.EPERM),
        ("ioprio_set(3,0,0)", None, errno.EPERM),
        ("inotify_add_watch(-1,0,0)", errno.EPERM, errno.EPERM),
        ("setxattr(0,0,0,0,0)", errno.EOPNOTSUPP, errno.EOPNOTSUPP),
    ],
)
def test_what_the_filter_answers(attempt: str, behind_mounts: int | None, alone: int) -> None:
    attempt = re.sub(r"0o([0-7]+)", lambda match: str(int(match[1], 8)), attempt)
    if behind_mounts is not None:
        assert under_filter(seccomp.program(**_BEHIND_MOUNTS), attempt) in (
            behind_mounts,
            errno.EFAULT if behind_mounts == errno.EBADF else behind_mounts,
        )
    assert under_filter(seccomp.program(**_ALONE), attempt) in (
        alone,
        errno.EFAULT if alone == errno.EBADF else alone,
    )


@linux_only
def test_calls_of_32_bit_programs_end_the_process(tmp_path: Path) -> None:
    """`int 0x80` with the number of getpid; 20 there, and writev in the 64-bit table."""
    code = bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3])  # mov eax, 20; int 0x80; ret
    script = (
        "import ctypes, mmap\n"
        f"m = mmap.mmap(-1, 4096, prot=7)\nm.write({code!r})\n"
        "f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))\n"
        "print(f())\n"
    )
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
        seccomp.install(seccomp.program(**_BEHIND_MOUNTS))
        os.execv(sys.executable, [sys.executable, "-c", script])
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status)
