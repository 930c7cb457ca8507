"""The filter of system calls: what a confined command cannot ask of the kernel.

A filter is a program for a small machine inside the kernel (classic BPF), run at every system call
and kept by all that the command starts. https://docs.kernel.org/userspace-api/seccomp_filter.html

Each rule below stands with the attack that it stops.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import struct

from tisslang.sandbox.linux import system_call
from tisslang.sandbox.system_calls import ARCHITECTURE, LAST_KNOWN, MACHINE, NUMBERS


def _names(text: str) -> list[str]:
    lines = text.splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


# Nothing of these a plan's command needs; they answer "not permitted".
FORBIDDEN = _names("""
# New namespaces and mounts, which would undo the ones it is in; escapes to another root.
unshare setns mount umount2 pivot_root chroot open_tree open_tree_attr move_mount mount_setattr
fsopen fsconfig fsmount fspick
# Looking into other processes, or steering them.
ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd process_madvise process_mrelease
migrate_pages move_pages
# Files by handle, past all paths; the watch of a whole mount; a file's flags.
open_by_handle_at name_to_handle_at fanotify_init fanotify_mark file_setattr
# Memory and queues that stay when the command is gone, or that no limit counts.
shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
mq_open mq_unlink memfd_secret
# The watch of a directory: it tells of programs that others start, and of names in hidden places.
inotify_add_watch
# The keys of the operator.
keyctl add_key request_key
# Parts of the kernel that were attacked often and that a plan does not need.
bpf perf_event_open userfaultfd modify_ldt uselib ustat sysfs _sysctl lookup_dcookie
# The machine itself: modules, clock, name, swap, accounts, log, ports.
init_module finit_module delete_module create_module kexec_load kexec_file_load reboot syslog
swapon swapoff acct vhangup nfsservctl quotactl quotactl_fd lsm_set_self_attr settimeofday
clock_settime adjtimex clock_adjtime sethostname setdomainname iopl ioperm
""")

# Programs try these and take another way where a kernel does not have them. clone3 and openat2 hide
# their flags from a filter, and io_uring everything; what memfd_create makes no limit counts.
# The old asynchronous input and output draws on a table of the whole machine.
ABSENT = _names("""
clone3 openat2 memfd_create io_uring_setup io_uring_enter io_uring_register io_setup
""")

# Attributes beside a file's content: an access list among them changes who may read it. Landlock
# would show those of hidden files.
UNSUPPORTED = _names("""
getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat
setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
""")

# Without a mount namespace nothing guards a file's mode, owner and times, for Landlock does not:
# the monitor decides these calls one by one (notify.py). All programs use utimensat now.
DECIDED = _names("chmod fchmod fchmodat fchmodat2 chown lchown fchown fchownat utimensat")
_OLD_TIMES = _names("utime utimes futimesat")

_NEW_NAMESPACES = 0x7E020000  # all CLONE_NEW* flags of clone
_SET_ID = 0o6000  # a program that runs as its owner, left for another user to start
_O_CREAT, _O_TMPFILE = 0o100, 0o20000000
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOCK_STREAM, _SOCK_DGRAM, _SOCK_SEQPACKET, _SOCK_TYPE = 1, 2, 5, 0xF
_IPPROTO_TCP, _IPPROTO_UDP = 6, 17
_ASK_PERSONALITY = 0xFFFFFFFF
_RLIMIT_CORE = 4
_F_SETLEASE, _F_NOTIFY = 1024, 1026
_PUNCH_HOLE = 2

# What programs ask of terminals, pipes and sockets. All else is refused: putting characters into
# the operator's terminal (TIOCSTI, TIOCLINUX), flags and labels of files, devices.
_IOCTLS = (
    *range(0x5401, 0x5409),  # TCGETS … TCSETAF: a terminal's modes
    *(0x5409, 0x540A, 0x540B, 0x540E, 0x540F, 0x5410, 0x5411, 0x5413, 0x5414),  # flow, group, size
    *(0x541B, 0x5420, 0x5421, 0x5422, 0x5429),  # FIONREAD, TIOCPKT, FIONBIO, TIOCNOTTY, TIOCGSID
    *(0x5441, 0x5450, 0x5451, 0x5452, 0x5460),  # TIOCGPTPEER, FIONCLEX, FIOCLEX, FIOASYNC, FIOQSIZE
    *(0x802C542A, 0x402C542B, 0x402C542C, 0x402C542D),  # TCGETS2 …: the same, with any speed
    *(0x80045430, 0x40045431),  # TIOCGPTN, TIOCSPTLCK: a terminal of one's own
    *(0x80086601, 0xC020660B, 0x40049409, 0x4020940D),  # GETFLAGS, FIEMAP, FICLONE, FICLONERANGE
    *(0x8905, 0x8910, 0x8912, 0x8913, 0x8915, 0x8919, 0x891B, 0x8921, 0x8927, 0x8933),  # SIOCG…
)

_NEW_LISTENER = 1 << 3
_SET_MODE_FILTER = 1

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand

# Classic BPF: load a 32-bit word of seccomp_data, compare, and, return.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
ALLOW: Instruction = (_RETURN, 0, 0, 0x7FFF0000)
KILL: Instruction = (_RETURN, 0, 0, 0x80000000)  # the whole process
DECIDE: Instruction = (_RETURN, 0, 0, 0x7FC00000)


def fail(number: int) -> Instruction:
    """Answer the call with this error."""
    return (_RETURN, 0, 0, 0x00050000 | number)


NOT_PERMITTED, NO_SUCH_CALL = fail(errno.EPERM), fail(errno.ENOSYS)
DONE = fail(0)  # it seems to have succeeded


@functools.cache
def program(*, network: bool, own_processes: bool, decide_modes: bool) -> bytes:
    """The filter. `network`: Internet sockets exist; `own_processes`: a PID namespace hides others;
    `decide_modes`: the calls of `DECIDED` go to the monitor.
    """
    rules: dict[str, list[Instruction]] = {}
    rules.update({name: [NOT_PERMITTED] for name in FORBIDDEN})
    rules.update({name: [NO_SUCH_CALL] for name in ABSENT})
    rules.update({name: [fail(errno.EOPNOTSUPP)] for name in UNSUPPORTED})
    rules["clone"] = [*_if_any_bit(0, _NEW_NAMESPACES, NOT_PERMITTED), ALLOW]
    rules["ioctl"] = [*_if_one_of(1, _IOCTLS, ALLOW), fail(errno.ENOTTY)]
    # A lease on a file that may be read lets others wait for it, up to 45 s.
    rules["fcntl"] = [*_if_one_of(1, (_F_SETLEASE, _F_NOTIFY), NOT_PERMITTED), ALLOW]
    # A disk can be filled by it faster than anybody looks; the C library then writes instead.
    rules["fallocate"] = [*_if_any_bit(1, _PUNCH_HOLE, ALLOW), fail(errno.EOPNOTSUPP)]
    # A layout of memory without random addresses, or that of an old system.
    rules["personality"] = [*_if_one_of(0, (0, _ASK_PERSONALITY), ALLOW), NOT_PERMITTED]
    rules["socket"] = _sockets() if network else [NOT_PERMITTED]
    rules["socketpair"] = _socket_pairs()
    for name, mode in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2)):
        rules[name] = [*_if_any_bit(mode, _SET_ID, NOT_PERMITTED), ALLOW]
    for name, mode in (("creat", 1), ("mknod", 1), ("mknodat", 2)):
        rules[name] = [*_if_any_bit(mode, _SET_ID, NOT_PERMITTED), ALLOW]
    for name, flags in (("open", 1), ("openat", 2)):  # the mode counts only for a new file
        rules[name] = [
            *_if_none_of(flags, _O_CREAT | _O_TMPFILE, ALLOW),
            *_if_any_bit(flags + 1, _SET_ID, NOT_PERMITTED),
            ALLOW,
        ]
    rules["setrlimit"] = [*_if_one_of(0, (_RLIMIT_CORE,), DONE), ALLOW]
    rules["prlimit64"] = [*_unless_core_limit_is_set(), ALLOW]
    if not own_processes:
        # Others of the same user are in sight: their priority, processors and limits are not ours.
        for name in ("sched_setparam", "sched_setscheduler", "sched_setaffinity", "sched_setattr"):
            rules[name] = [*_if_one_of(0, (0,), ALLOW), NOT_PERMITTED]
        rules["prlimit64"] = [
            *_unless_one_of(0, (0,), NOT_PERMITTED),
            *_unless_core_limit_is_set(),
            ALLOW,
        ]
        for name, of_user in (("setpriority", 2), ("ioprio_set", 3)):
            rules[name] = [
                *_if_one_of(0, (of_user,), NOT_PERMITTED),
                *_if_one_of(1, (0,), ALLOW),
                NOT_PERMITTED,
            ]
    if decide_modes:
        for name in DECIDED:
            rules[name] = [*rules.get(name, [ALLOW])[:-1], DECIDE]
        rules.update({name: [NO_SUCH_CALL] for name in _OLD_TIMES})
    return assemble(rules)


def install(filter_program: bytes, listen: bool = False) -> int:
    """Install a filter for good. With `listen` returns a descriptor of what is to be decided."""
    buffer = ctypes.create_string_buffer(filter_program, len(filter_program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    argument = Program(len(filter_program) // 8, ctypes.addressof(buffer))
    return system_call(
        "seccomp",
        ctypes.c_uint(_SET_MODE_FILTER),
        ctypes.c_uint(_NEW_LISTENER if listen else 0),
        ctypes.byref(argument),
    )


def _sockets() -> list[Instruction]:
    """TCP and UDP over IP; no AF_UNIX, since a socket file of the project may belong to a daemon
    outside, and none of the families that reach the host or rare parts of the kernel.
    """
    return [
        *_unless_one_of(0, (_AF_INET, _AF_INET6), NOT_PERMITTED),
        *_unless_one_of(1, (_SOCK_STREAM, _SOCK_DGRAM), NOT_PERMITTED, mask=_SOCK_TYPE),
        *_unless_one_of(2, (0, _IPPROTO_TCP, _IPPROTO_UDP), NOT_PERMITTED),
        ALLOW,
    ]


def _socket_pairs() -> list[Instruction]:
    """Connected to each other for good; of datagram sockets either could write to any other."""
    return [
        *_unless_one_of(0, (_AF_UNIX,), NOT_PERMITTED),
        *_unless_one_of(1, (_SOCK_STREAM, _SOCK_SEQPACKET), NOT_PERMITTED, mask=_SOCK_TYPE),
        ALLOW,
    ]


def _unless_core_limit_is_set() -> list[Instruction]:
    """A limit of 1 byte on memory images keeps the machine's crash handler from being started; a
    command that sets another one is told that it did.
    """
    at_limits = _ARGUMENTS_AT + 8 * 2  # the pointer to new limits: null when they are only read
    return [
        _argument(1),
        (_EQUAL, 0, 5, _RLIMIT_CORE),
        (_LOAD, 0, 0, at_limits),
        (_EQUAL, 0, 2, 0),
        (_LOAD, 0, 0, at_limits + 4),
        (_EQUAL, 1, 0, 0),
        DONE,
    ]


# The kernel reads these arguments as 32-bit numbers, so their low word is what counts.


def _argument(index: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * index)


def _if_any_bit(index: int, bits: int, then: Instruction) -> list[Instruction]:
    return [_argument(index), (_ANY_BIT, 0, 1, bits), then]


def _if_none_of(index: int, bits: int, then: Instruction) -> list[Instruction]:
    return [_argument(index), (_ANY_BIT, 1, 0, bits), then]


def _if_one_of(index: int, values: tuple[int, ...], then: Instruction) -> list[Instruction]:
    return [_argument(index), *(step for v in values for step in ((_EQUAL, 0, 1, v), then))]


def _unless_one_of(
    index: int, values: tuple[int, ...], then: Instruction, mask: int = 0xFFFFFFFF
) -> list[Instruction]:
    last = len(values)
    tests = [(_EQUAL, last - i, 0, value) for i, value in enumerate(values)]
    return [_argument(index), (_AND, 0, 0, mask), *tests, then]


def assemble(rules: dict[str, list[Instruction]]) -> bytes:
    """One program: each system call that has a rule runs it, the rest is allowed."""
    if ARCHITECTURE is None:
        raise OSError(errno.ENOSYS, f"no table of system calls for {MACHINE}")
    steps: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, ARCHITECTURE),  # the numbers of a 32-bit program mean other calls
        KILL,
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, LAST_KNOWN + 1),  # so are the x32 calls of x86_64, which begin at 2³⁰
        NO_SUCH_CALL,
    ]
    for name, body in rules.items():
        if name in NUMBERS:
            steps += [(_EQUAL, 0, len(body), NUMBERS[name]), *body]
    steps.append(ALLOW)
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
