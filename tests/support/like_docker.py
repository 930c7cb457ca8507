"""Run a command as Docker's defaults would: few capabilities, and neither namespaces nor mounts."""

import ctypes
import errno
import os
import struct
import sys

# CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT
# MKNOD AUDIT_WRITE SETFCAP
CAPABILITIES = sum(1 << n for n in (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31))
LAST_CAPABILITY = 63

# unshare setns mount umount2 pivot_root move_mount fsopen open_tree mount_setattr
MACHINES = {
    "x86_64": (0xC000003E, (272, 308, 165, 166, 155, 429, 430, 428, 442), 56),
    "aarch64": (0xC00000B7, (97, 268, 40, 39, 41, 429, 430, 428, 442), 220),
}
CLONE3 = 435
NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag of clone

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_CAP_AMBIENT = 24, 38, 22, 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
CAPABILITY_VERSION_3 = 0x20080522

LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: ld [k], jeq, jset, ret
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data

libc = ctypes.CDLL(None, use_errno=True)


def program() -> bytes:
    """The filter, as struct sock_filter[]."""
    architecture, refused, clone = MACHINES[os.uname().machine]
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
        (LOAD, 0, 0, NUMBER),
        (EQUAL, 0, 1, CLONE3),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
        (EQUAL, 0, 4, clone),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 0, 1, NEW_NAMESPACES),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    for number in refused:
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    steps.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def prctl(option: int, *arguments: int) -> int:
    """`prctl`, with its arguments as the kernel wants them; -1 when it fails."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    return libc.prctl(option, *(ctypes.c_ulong(argument) for argument in padded))


def confine() -> None:
    """Take the capabilities and the system calls away, for good."""
    steps = ctypes.create_string_buffer(program())
    length = (len(steps) - 1) // 8
    filtered = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", length, ctypes.addressof(steps)))
    for capability in range(LAST_CAPABILITY + 1):
        if not CAPABILITIES >> capability & 1:
            prctl(PR_CAPBSET_DROP, capability)
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    if prctl(PR_SET_SECCOMP, 2, ctypes.addressof(filtered)):  # without privilege only after this:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        if prctl(PR_SET_SECCOMP, 2, ctypes.addressof(filtered)):
            raise OSError(ctypes.get_errno(), "no seccomp filter can be set")
    if os.geteuid() == 0:
        low, high = CAPABILITIES & 0xFFFFFFFF, CAPABILITIES >> 32
        header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
        data = struct.pack("6I", low, low, low, high, high, high)
        if libc.capset(header, data):
            raise OSError(ctypes.get_errno(), "the capabilities cannot be dropped")


def main() -> None:
    """Confine this process and execute the command."""
    confine()
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
