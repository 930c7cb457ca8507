"""Calls into the Linux kernel that Python has no function for. Each raises `OSError` on failure."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os

from tisslang.sandbox.system_calls import NUMBERS

# PyDLL keeps Python's own lock during a call, so that `clone` leaves a child that can go on.
_libc = ctypes.PyDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4

SIGCHLD = 17

# clone(2) and unshare(2)
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# mount(2)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_GET_SECCOMP = 21
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR = {MS_RDONLY: 1, MS_NOSUID: 2, MS_NODEV: 4, MS_NOEXEC: 8}
_MNT_DETACH = 2
_LAST_CAPABILITY = 63
_SECUREBITS = 0xEF  # NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, and the locks of all
_CAPABILITY_VERSION = 0x20080522


def system_call(name: str, *arguments: object) -> int:
    """Make a system call by its name; `OSError(ENOSYS)` where the processor has none of it."""
    if name not in NUMBERS:
        raise OSError(errno.ENOSYS, f"{name}: no such system call here")
    ctypes.set_errno(0)
    result = _libc.syscall(ctypes.c_long(NUMBERS[name]), *arguments)
    return _checked(result, name)


def clone(flags: int) -> int:
    """`os.fork()` into new namespaces: 0 in the child, its number in the parent."""
    zero = ctypes.c_long(0)
    return system_call("clone", ctypes.c_long(flags | SIGCHLD), zero, zero, zero, zero)


def prctl(option: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> int:
    """Change or ask a property of this process."""
    return _checked(_libc.prctl(option, a, b, c, d), f"prctl {option}")


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount a file system, or with `MS_BIND` a file or directory at a second place."""
    arguments = os.fsencode(source), os.fsencode(target), kind.encode() if kind else None
    _checked(_libc.mount(*arguments, flags, data.encode()), f"mount {kind or 'bind'} {target}")


def restrict_mount(target: str, flags: int) -> None:
    """Add read-only, nosuid, … to a mount and every mount below it."""
    bits = sum(attribute for flag, attribute in _MOUNT_ATTR.items() if flags & flag)
    attributes = (ctypes.c_uint64 * 4)(bits, 0, 0, 0)
    system_call(
        "mount_setattr",
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(os.fsencode(target)),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )


def set_times(path: str, times: bytes | None) -> None:
    """utimensat(2) with the two `struct timespec` as they are; None is now."""
    _checked(_libc.utimensat(_AT_FDCWD, os.fsencode(path), times, 0), f"utimensat {path}")


def pivot_root(new_root: str) -> None:
    """Make a mount the root of this mount namespace, and let go of everything outside it."""
    os.chdir(new_root)
    system_call("pivot_root", ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    # The old root now lies on top of the new one; without it the new one is all there is.
    system_call("umount2", ctypes.c_char_p(b"."), ctypes.c_int(_MNT_DETACH))
    os.chdir("/")


def drop_privileges() -> None:
    """No capability now, none from a program with a set-uid bit, and none for user 0 at exec."""
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # the last one that the kernel has is behind us, or we have no CAP_SETPCAP
            break
    with contextlib.suppress(OSError):  # without CAP_SETPCAP; the next line does the same at exec
        prctl(PR_SET_SECUREBITS, _SECUREBITS)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    system_call("capset", ctypes.byref(header), ctypes.byref(nothing))


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    system_call("unshare", ctypes.c_int(flags))


def have_same_memory(pid: int, other: int) -> bool:
    """Whether two processes are in one address space; False also where that may not be asked."""
    try:
        kcmp_vm, zero = ctypes.c_int(1), ctypes.c_ulong(0)
        return system_call("kcmp", ctypes.c_int(pid), ctypes.c_int(other), kcmp_vm, zero, zero) == 0
    except OSError:
        return False


def prefer_for_oom_killer() -> None:
    """Should memory run out, the kernel ends this process before anything of the operator's."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def capabilities() -> int:
    """The effective and permitted capabilities of this process, as one number; 0 is none."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    system_call("capget", ctypes.byref(header), ctypes.byref(sets))
    return sets[0] | sets[1] | sets[3] | sets[4]


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
