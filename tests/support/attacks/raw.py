"""Copied beside the attack scripts: system calls by number, and how a script tells its success."""

import ctypes
import errno
import os
from collections.abc import Callable
from typing import Any

_X86_64 = """
read 0 write 1 open 2 mmap 9 mprotect 10 ioctl 16 shmget 29 shmat 30 shmctl 31 sendfile 40 socket 41
connect 42 sendto 44 bind 49 listen 50 socketpair 53 clone 56 semget 64 semctl 66 msgget 68
msgsnd 69 msgrcv 70 msgctl 71 fcntl 72 truncate 76 ptrace 101 syslog 103 mknod 133 personality 135
setpriority 141 sched_setparam 142 sched_setscheduler 144 modify_ldt 154 pivot_root 155 prctl 157
adjtimex 159 chroot 161 acct 163 settimeofday 164 mount 165 umount2 166 swapon 167 swapoff 168
reboot 169 sethostname 170 setdomainname 171 iopl 172 ioperm 173 init_module 175 delete_module 176
quotactl 179 tkill 200 clock_settime 227 tgkill 234 mq_open 240 mq_unlink 241
kexec_load 246 waitid 247 add_key 248 request_key 249 keyctl 250 ioprio_set 251 ioprio_get 252
inotify_init1 294 migrate_pages 256 openat 257 mknodat 259 unshare 272 splice 275 vmsplice 278
move_pages 279 fallocate 285 rt_tgsigqueueinfo 297 rt_sigqueueinfo 129 perf_event_open 298
fanotify_init 300 fanotify_mark 301 prlimit64 302 name_to_handle_at 303 open_by_handle_at 304
clock_adjtime 305 setns 308 process_vm_readv 310 process_vm_writev 311 kcmp 312 finit_module 313
sched_setattr 314 seccomp 317 memfd_create 319 kexec_file_load 320 bpf 321 execveat 322
userfaultfd 323 copy_file_range 326 statx 332 pidfd_send_signal 424 io_uring_setup 425
io_uring_enter 426 io_uring_register 427 open_tree 428 move_mount 429 fsopen 430 fsconfig 431
fsmount 432 fspick 433 pidfd_open 434 clone3 435 openat2 437 pidfd_getfd 438 process_madvise 440
mount_setattr 442 quotactl_fd 443 process_mrelease 448 lookup_dcookie 212 nfsservctl 180
open_tree_attr 467 listmount 458 statmount 457 setxattrat 463 file_setattr 469 fchmodat2 452
uselib 134 ustat 136 sysfs 139 vhangup 153 create_module 174 set_mempolicy 238 mbind 237
kill 62 chmod 90 fchmodat 268 chown 92 lchown 94 fchownat 260 utimensat 280 setxattr 188
"""
_AARCH64 = """
setxattr 5 fcntl 25 inotify_init1 26 ioctl 29 mknodat 33 umount2 39 mount 40 pivot_root 41
truncate 45 fallocate 47 chroot 51 fchmodat 53 fchownat 54 openat 56 vhangup 58 quotactl 60 read 63
write 64 sendfile 71 vmsplice 75 splice 76 utimensat 88 acct 89 personality 92 waitid 95 unshare 97
kexec_load 104 init_module 105 delete_module 106 clock_settime 112 syslog 116 ptrace 117
sched_setparam 118 sched_setscheduler 119 kill 129 tkill 130 tgkill 131 rt_sigqueueinfo 138
setpriority 140 reboot 142 sethostname 161 setdomainname 162 prctl 167 settimeofday 170
adjtimex 171 mq_open 180 mq_unlink 181 msgget 186 msgctl 187 msgrcv 188 msgsnd 189 semget 190
semctl 191 shmget 194 shmctl 195 shmat 196 socket 198 socketpair 199 bind 200 listen 201 connect 203
sendto 206 add_key 217 request_key 218 keyctl 219 clone 220 mmap 222 mprotect 226 swapon 224
swapoff 225 mbind 235 set_mempolicy 237 migrate_pages 238 move_pages 239 rt_tgsigqueueinfo 240
perf_event_open 241 prlimit64 261 fanotify_init 262 fanotify_mark 263 name_to_handle_at 264
open_by_handle_at 265 clock_adjtime 266 setns 268 process_vm_readv 270 process_vm_writev 271
kcmp 272 finit_module 273 sched_setattr 274 seccomp 277 memfd_create 279 bpf 280 execveat 281
userfaultfd 282 copy_file_range 285 statx 291 kexec_file_load 294 ioprio_set 30 ioprio_get 31
lookup_dcookie 18 nfsservctl 42
pidfd_send_signal 424 io_uring_setup 425 io_uring_enter 426 io_uring_register 427 open_tree 428
move_mount 429 fsopen 430 fsconfig 431 fsmount 432 fspick 433 pidfd_open 434 clone3 435 openat2 437
pidfd_getfd 438 process_madvise 440 mount_setattr 442 quotactl_fd 443 process_mrelease 448
fchmodat2 452 statmount 457 listmount 458 setxattrat 463 open_tree_attr 467 file_setattr 469
"""
X86_64 = os.uname().machine == "x86_64"
_words = (_X86_64 if X86_64 else _AARCH64).split()
NUMBERS = {name: int(number) for name, number in zip(_words[::2], _words[1::2])}
TESTS = "@tests@"  # the process that runs the tests: above it no attack goes
REFUSED = (errno.EPERM, errno.EACCES, errno.ENOSYS)
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


def syscall(name: str | int, *arguments: Any) -> int:
    """The result of a system call; `OSError` when it failed. Texts and bytes go as pointers."""
    given = [_argument(argument) for argument in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name] if isinstance(name, str) else name), *given)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(name))
    return result


def _argument(value: Any) -> Any:
    if isinstance(value, int):
        return ctypes.c_long(value)
    return value.encode() if isinstance(value, str) else value


def escaped(how: str) -> None:
    """Tell that the attack succeeded."""
    print("\nESCAPED: " + how, flush=True)


def probe(name: str | int, *arguments: Any) -> None:
    """Tell whether a system call is permitted: it may fail, but not by being refused."""
    try:
        syscall(name, *arguments)
    except OSError as error:
        if error.errno in REFUSED:
            print(f"{name}: {error.strerror}", flush=True)
            return
    escaped(f"{name} is permitted")


def attempt(*acts: Callable[[], object]) -> None:
    """Do each act whatever becomes of the others; print what it gives, or why it failed."""
    for act in acts:
        try:
            print(act(), flush=True)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", flush=True)


def parents() -> list[int]:
    """The processes above this one, nearest first, up to tiss: nobody else's are touched."""
    found = []
    process = os.getppid()
    while process > 1 and str(process) != TESTS:
        found.append(process)
        try:
            with open(f"/proc/{process}/stat") as file:
                process = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            break
    return found
