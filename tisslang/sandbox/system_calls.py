"""Numbers of the system calls that the sandbox makes or forbids, for the processors it knows.

From the tables of the Linux kernel (x86: arch/x86/entry/syscalls; ARM: asm-generic/unistd.h).
"""

from __future__ import annotations

import os

# name, number on x86_64, number on aarch64 ("-": no such call there)
_TABLE = """
open 2 -, creat 85 -, openat 257 56, openat2 437 437, mkdir 83 -, mknod 133 -, mknodat 259 33,
chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452,
chown 92 -, lchown 94 -, fchown 93 55, fchownat 260 54,
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88,
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, setxattrat 463 463,
getxattr 191 8, lgetxattr 192 9, fgetxattr 193 10, getxattrat 464 464,
listxattr 194 11, llistxattr 195 12, flistxattr 196 13, listxattrat 465 465,
removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16, removexattrat 466 466,
file_setattr 469 469, ioctl 16 29, fcntl 72 25, fallocate 285 47, io_setup 206 0,
inotify_add_watch 254 27,
fanotify_init 300 262, fanotify_mark 301 263, name_to_handle_at 303 264, open_by_handle_at 304 265,

socket 41 198, socketpair 53 199,
shmget 29 194, shmat 30 196, shmctl 31 195, shmdt 67 197,
semget 64 190, semop 65 193, semctl 66 191, semtimedop 220 192,
msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187,
mq_open 240 180, mq_unlink 241 181, memfd_create 319 279, memfd_secret 447 447,

clone 56 220, clone3 435 435, unshare 272 97, setns 308 268,
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51,
open_tree 428 428, open_tree_attr 467 467, move_mount 429 429, mount_setattr 442 442,
fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433,

ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, kcmp 312 272,
pidfd_getfd 438 438, process_madvise 440 440, process_mrelease 448 448,
prlimit64 302 261, setrlimit 160 164, setpriority 141 140, ioprio_set 251 30,
sched_setparam 142 118, sched_setscheduler 144 119, sched_setaffinity 203 122,
sched_setattr 314 274, migrate_pages 256 238, move_pages 279 239,

keyctl 250 219, add_key 248 217, request_key 249 218,
io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282,
init_module 175 105, finit_module 313 273, delete_module 176 106, create_module 174 -,
kexec_load 246 104, kexec_file_load 320 294, reboot 169 142, syslog 103 116,
swapon 167 224, swapoff 168 225, acct 163 89, vhangup 153 58, nfsservctl 180 42,
quotactl 179 60, quotactl_fd 443 443, lookup_dcookie 212 18, lsm_set_self_attr 460 460,
settimeofday 164 170, clock_settime 227 112, adjtimex 159 171, clock_adjtime 305 266,
sethostname 170 161, setdomainname 171 162, personality 135 92,
iopl 172 -, ioperm 173 -, modify_ldt 154 -, uselib 134 -, ustat 136 -, sysfs 139 -, _sysctl 156 -,

seccomp 317 277, capget 125 90, capset 126 91,
landlock_create_ruleset 444 444, landlock_add_rule 445 445, landlock_restrict_self 446 446
"""

LAST_KNOWN = 469  # what a later kernel adds behind this is not there for a confined command

# How a seccomp filter sees the processor: AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64.
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def _numbers(machine: str) -> dict[str, int]:
    column = {"x86_64": 1, "aarch64": 2}.get(machine)
    if column is None:
        return {}
    rows = [entry.split() for entry in _TABLE.split(",")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


MACHINE = os.uname().machine if hasattr(os, "uname") else ""
ARCHITECTURE = _ARCHITECTURES.get(MACHINE)  # None: a processor that the sandbox does not know
NUMBERS = _numbers(MACHINE)
