"""The kernel's surface: system calls that a command has no use for, and an attacker has.

A probe calls with arguments with which nothing happens. Success is that the call was permitted: it
failed by its arguments, not by being refused.
"""

from typing import Any

from attacks.attack import Attack, script


def probe(call: str, *arguments: object, title: str = "", **more: Any) -> Attack:
    given = ", ".join(repr(argument) for argument in arguments)
    code = f"from raw import *\nprobe({call!r}, {given})\n"
    return script(title or call, "kernel", code, **more)


def program(name: str, code: str, **more: Any) -> Attack:
    return script(name, "kernel", "import os, sys\nfrom raw import *\n" + code, **more)


ROOT: dict[str, Any] = {"needs_root": True}
NOWHERE = 1  # an address that cannot be read
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET, NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x80

NAMESPACES = [
    probe("unshare", NEWUSER, title="unshare: users"),
    probe("unshare", NEWNS, title="unshare: mounts", **ROOT),
    probe("unshare", NEWNET, title="unshare: network", **ROOT),
    probe("unshare", NEWPID, title="unshare: processes", **ROOT),
    probe("unshare", NEWIPC | NEWUTS | NEWCGROUP, title="unshare: the others", **ROOT),
    probe("unshare", NEWUSER | NEWNS | NEWNET, title="unshare: users with mounts and network"),
    program(
        "clone: users",
        "child = syscall('clone', 0x10000000 | 17, 0, 0, 0, 0)  # CLONE_NEWUSER, SIGCHLD\n"
        "if child == 0: os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "escaped('a user namespace')",
    ),
    program(
        "clone3: users",
        "import ctypes, struct\n"
        "given = ctypes.create_string_buffer(struct.pack('8Q', 0x10000000, 0, 0, 0, 17, 0, 0, 0))\n"
        "child = syscall('clone3', given, 64)\n"
        "if child == 0: os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "escaped('a user namespace')",
    ),
    program(
        "mounts of one's own in a user namespace",
        "syscall('unshare', 0x10000000 | 0x20000)\n"
        "syscall('mount', 'x', '@outside@', 'tmpfs', 0, 0)\n"
        "escaped('a file system is mounted')",
    ),
    program("setns", "probe('setns', os.open('/proc/self/ns/uts', os.O_RDONLY), 0)", **ROOT),
    program(
        "setns to the namespaces of process 1",
        "probe('setns', os.open('/proc/1/ns/uts', os.O_RDONLY), 0)",
        **ROOT,
    ),
]

MOUNTS = [
    probe("mount", "x", ".", "no-such-file-system", 0, 0, **ROOT),
    probe("mount", 0, "no-such-folder", 0, 0x1020, 0, title="mount: again, writable", **ROOT),
    probe("mount", ".", "no-such-folder", 0, 0x1000, 0, title="mount: bind", **ROOT),
    probe("umount2", "no-such-folder", 2, **ROOT),
    probe("pivot_root", "no-such-folder", "no-such-folder", **ROOT),
    program(
        "chroot", "os.mkdir('inner')\nos.chroot('inner')\nescaped('a root of its own')", **ROOT
    ),
    program(
        "out of the root, by chroot",
        "place = os.open('/', os.O_RDONLY)\n"
        "os.mkdir('inner')\n"
        "os.chroot('inner')\n"
        "os.fchdir(place)\n"
        "for _ in range(64): os.chdir('..')\n"
        "os.chroot('.')\n"
        "print(open('@secret@').read())",
        **ROOT,
    ),
    probe("fsopen", "no-such-file-system", 0, **ROOT),
    probe("fspick", -100, "no-such-folder", 0, **ROOT),
    probe("fsconfig", -1, 0, 0, 0, 0),
    probe("open_tree", -100, "no-such-folder", 1, **ROOT),
    program(
        "open_tree: without a copy",
        'print(open(f\'/proc/self/fd/{syscall("open_tree", -100, "@secret@", 0)}\').read())',
    ),
    probe("move_mount", -1, "", -1, "no-such-folder", 0, **ROOT),
    probe("mount_setattr", -100, "no-such-folder", 0, NOWHERE, 32, **ROOT),
    probe("fsmount", -1, 0, 0, **ROOT),
]

MACHINERY = [
    probe("bpf", 0, NOWHERE, 8),
    probe("perf_event_open", NOWHERE, 0, -1, -1, 0),
    program(
        "perf_event_open: counting",
        "import ctypes, struct\n"
        "what = struct.pack('IIQ', 1, 112, 0).ljust(40, b'\\0') + struct.pack('Q', 0x63)\n"
        "syscall('perf_event_open', ctypes.create_string_buffer(what.ljust(112, b'\\0')),"
        " 0, -1, -1, 0)\n"
        "escaped('a counter of performance')",
    ),
    probe("userfaultfd", 1),
    program(
        "userfaultfd by its device",
        "os.open('/dev/userfaultfd', os.O_RDWR)\nescaped('/dev/userfaultfd opens')",
        **ROOT,
    ),
    probe("io_uring_setup", 1, NOWHERE),
    probe("io_uring_enter", -1, 0, 0, 0, 0, 0),
    probe("io_uring_register", -1, 0, 0, 0),
    probe("keyctl", 0, -3, 0),
    program(
        "keyctl: the keys of the session",
        "syscall('keyctl', 0, -4, 1)\nescaped('the keys of the user')",
    ),
    probe("add_key", "no-such-type", "x", NOWHERE, 0, -1),
    probe("request_key", "no-such-type", "x", 0, 0),
    program(
        "ptrace",
        "child = os.fork()\n"
        "if child == 0: os.pause() if hasattr(os, 'pause') else __import__('signal').pause()\n"
        "try:\n"
        "    syscall('ptrace', 0x4206, child, 0, 0)\n"
        "    escaped('a child is traced')\n"
        "finally: os.kill(child, 9)",
    ),
    program(
        "ptrace: traced by the parent",
        "if os.fork() == 0:\n    syscall('ptrace', 0, 0, 0, 0)\n    escaped('traced')\nos.wait()",
    ),
    program("process_vm_readv: of itself", "probe('process_vm_readv', os.getpid(), 0, 0, 0, 0, 0)"),
    probe("init_module", NOWHERE, 1, "", **ROOT),
    probe("finit_module", -1, "", 0, **ROOT),
    probe("delete_module", "no-such-module", 0o4000, **ROOT),
    probe("kexec_load", 0, 17, NOWHERE, 0, **ROOT),
    probe("kexec_file_load", -1, -1, 0, 0, 0, **ROOT),
    probe("reboot", 0, 0, 0, 0, **ROOT),
    probe("swapon", "no-such-file", 0, **ROOT),
    probe("swapoff", "no-such-file", **ROOT),
    probe("acct", "no-such-folder/x", **ROOT),
    probe("quotactl", 0x800002 << 8, "/no-such-device", 0, NOWHERE),
    probe("settimeofday", NOWHERE, 0, **ROOT),
    probe("clock_settime", 0, NOWHERE, **ROOT),
    program(
        "clock_adjtime: a change",
        "import ctypes, struct\n"
        "given = struct.pack('Iiq', 0x4000, 0, 0)  # ADJ_TICK, of no sane length\n"
        "probe('clock_adjtime', 0, ctypes.create_string_buffer(given.ljust(256, b'\\0')))",
        **ROOT,
    ),
    probe("sethostname", NOWHERE, 1, **ROOT),
    probe("setdomainname", NOWHERE, 1, **ROOT),
    probe("iopl", 3, **ROOT),
    probe("ioperm", 0x80, 1, 1, **ROOT),
    probe("personality", 0x0040000, title="personality: addresses that do not vary"),
    probe("modify_ldt", 0, NOWHERE, 0),
    Attack(
        "new rights by a program",
        "kernel",
        "grep -q 'NoNewPrivs:.*0' /proc/self/status && echo 'ESCAPED: a program may give rights'",
    ),
    Attack(
        "rights kept",
        "kernel",
        "grep -qE '^Cap(Inh|Prm|Eff|Amb):[[:space:]]*0*[1-9a-f]' /proc/self/status"
        " && echo 'ESCAPED: capabilities are left'",
        needs_root=True,
    ),
    probe("syslog", 3, NOWHERE, 1, **ROOT),
    probe("fanotify_init", 0, 0, **ROOT),
    probe("fanotify_init", 0x200, 0, title="fanotify_init: for everybody"),
    program(
        "lookup of handles",
        "import ctypes\n"
        "handle = ctypes.create_string_buffer(b'\\x08\\0\\0\\0\\1\\0\\0\\0'.ljust(16, b'\\0'))\n"
        "probe('open_by_handle_at', os.open('.', os.O_RDONLY), handle, 0)",
        **ROOT,
    ),
]

INTEL = """
import ctypes, mmap
if not X86_64: sys.exit('only on x86_64')

def run(code):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex(code))
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_int)(start)()
"""
# mov eax, N; xor ebx, ebx; int 0x80; ret, with rbx kept
OLD_ENTRY = "53b8{}31dbcd805bc3"

OTHER_ENTRIES = [
    program(
        "the entry of 32-bit programs",
        INTEL + f"if run('{OLD_ENTRY.format('14000000')}') == os.getpid():\n"
        "    escaped('int 0x80 works')",
    ),
    program(
        "unshare by the entry of 32-bit programs",
        INTEL + f"if run('{OLD_ENTRY.format('36010000')}') == 0:\n"
        "    escaped('unshare works by int 0x80')",
    ),
    program(
        "a socket by the entry of 32-bit programs",
        INTEL + "# socket(AF_UNIX, SOCK_STREAM, 0)\n"
        "code = '53b867010000bb01000000b90100000031d2cd805bc3'\n"
        "if run(code) >= 0:\n"
        "    escaped('a socket by int 0x80')",
    ),
    program(
        "the calls of x32",
        "import errno\n"
        "if not X86_64: sys.exit('only on x86_64')\n"
        "try: escaped(f'x32: {syscall(0x40000000 + 39)}')\n"
        "except OSError as error: print(error)",
        guarded_by_none=True,  # most kernels are built without it
    ),
]

SOCKETS = [
    program(
        f"a socket: {name}",
        f"import socket\nsocket.socket({family}, {kind}, {protocol}).close()\n"
        f"escaped('a socket of {name}')",
        **more,
    )
    for name, family, kind, protocol, more in (
        ("AF_VSOCK", 40, 1, 0, {}),
        ("AF_ALG", 38, 5, 0, {}),
        ("AF_NETLINK of routes", 16, 3, 0, {}),
        ("AF_NETLINK of devices", 16, 2, 15, {}),
        ("AF_NETLINK of audit", 16, 3, 9, {}),
        ("AF_PACKET", 17, 3, 0, ROOT),
        ("raw AF_INET", 2, 3, 1, ROOT),
        ("AF_UNIX", 1, 1, 0, {}),
        ("AF_INET6 of MPTCP", 10, 1, 262, {}),
        ("AF_XDP", 44, 3, 0, ROOT),
        ("AF_BLUETOOTH", 31, 5, 1, ROOT),
    )
]

ATTACKS = [*NAMESPACES, *MOUNTS, *MACHINERY, *OTHER_ENTRIES, *SOCKETS]
