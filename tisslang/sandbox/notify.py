"""Changes of a file's mode, owner and times, decided one by one for the backend without mounts.

Landlock does not govern these calls, so the seccomp filter stops them and asks here. To answer
"go on" would be a race: the command could exchange the path after it was judged. So the monitor
does what was asked itself, on a descriptor that it holds and has found inside the project.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import struct

from tisslang.sandbox.linux import set_times, system_call
from tisslang.sandbox.system_calls import NUMBERS

_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102  # SECCOMP_IOCTL_NOTIF_…
_REQUEST = struct.Struct("=QIIiIQ6Q")  # id, pid, flags; seccomp_data: number, arch, ip, arguments
_REPLY = struct.Struct("=QqiI")  # id, value, error, flags

_AT_FDCWD = 0xFFFFFF9C  # -100 in the low word
_AT_SYMLINK_NOFOLLOW, _AT_EMPTY_PATH = 0x100, 0x1000
_RESOLVE_NO_MAGICLINKS = 0x02
_PATH_MAX = 4096
_UNCHANGED = 0xFFFFFFFF
_TIMES_SIZE = 32  # two struct timespec
_NAMES = {number: name for name, number in NUMBERS.items()}
_OWN_DESCRIPTORS = (b"/proc/self/fd/", b"/proc/thread-self/fd/", b"/dev/fd/")


def answer(listener: int, places: tuple[str, ...]) -> None:
    """Take one request from the filter, do it if its file lies in one of `places`, and reply."""
    buffer = bytearray(_REQUEST.size)
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer)
    except OSError:  # whoever asked is gone
        return
    identity, thread, _, number, _, _, *arguments = _REQUEST.unpack(buffer)
    try:
        _Request(listener, identity, thread, places).carry_out(_NAMES[number], arguments)
        error = 0
    except OSError as refusal:
        error = -(refusal.errno or errno.EPERM)
    with contextlib.suppress(OSError):
        fcntl.ioctl(listener, _SEND, _REPLY.pack(identity, 0, error, 0))


class _Request:
    """One call of a thread of the command."""

    def __init__(self, listener: int, identity: int, thread: int, places: tuple[str, ...]) -> None:
        self._listener = listener
        self._identity = identity
        self._process = f"/proc/{thread}"
        self._places = places

    def carry_out(self, name: str, arguments: list[int]) -> None:
        """Do it, or raise the `OSError` that the command is to see."""
        first, second, third, fourth, fifth, _ = arguments
        if name == "chmod":
            self._change_mode(self._at_path(_AT_FDCWD, first), second)
        elif name == "fchmod":
            self._change_mode(self._at_descriptor(first), second)
        elif name in ("fchmodat", "fchmodat2"):
            flags = fourth if name == "fchmodat2" else 0
            self._change_mode(self._at_path(first, second, flags), third)
        elif name == "fchown":
            self._change_owner(self._at_descriptor(first), second, third)
        elif name in ("chown", "lchown"):
            flags = _AT_SYMLINK_NOFOLLOW if name == "lchown" else 0
            self._change_owner(self._at_path(_AT_FDCWD, first, flags), second, third)
        elif name == "fchownat":
            self._change_owner(self._at_path(first, second, fifth), third, fourth)
        elif name == "utimensat":
            times = self._read(third, _TIMES_SIZE) if third else None
            if times is not None and len(times) != _TIMES_SIZE:
                raise OSError(errno.EFAULT, "bad address")
            file = self._at_path(first, second, fourth) if second else self._at_descriptor(first)
            self._change_times(file, times)
        else:
            raise OSError(errno.EPERM, name)

    def _change_mode(self, file: int, mode: int) -> None:
        try:
            self._require_inside(file)
            os.chmod(f"/proc/self/fd/{file}", mode & 0o1777)
        finally:
            os.close(file)

    def _change_owner(self, file: int, user: int, group: int) -> None:
        """Without a privilege nobody gives a file away: only what changes nothing succeeds."""
        try:
            status = self._require_inside(file)
            wanted = user & _UNCHANGED, group & _UNCHANGED
            for new, old in zip(wanted, (status.st_uid, status.st_gid)):
                if new not in (_UNCHANGED, old):
                    raise OSError(errno.EPERM, "chown")
        finally:
            os.close(file)

    def _change_times(self, file: int, times: bytes | None) -> None:
        try:
            self._require_inside(file)
            set_times(f"/proc/self/fd/{file}", times)
        finally:
            os.close(file)

    def _require_inside(self, file: int) -> os.stat_result:
        """The very file that is open must be below one of the places, and of this user."""
        path = os.readlink(f"/proc/self/fd/{file}")
        if not any(path == place or path.startswith(place + "/") for place in self._places):
            raise OSError(errno.EPERM, "outside the project")
        status = os.fstat(file)
        if status.st_uid != os.geteuid():
            raise OSError(errno.EPERM, "another user's file")
        return status

    def _at_descriptor(self, descriptor: int) -> int:
        number = descriptor & 0xFFFFFFFF
        try:
            file = os.open(f"{self._process}/fd/{number}", os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            raise OSError(errno.EBADF, "no such descriptor") from None
        return self._still_valid(file)

    def _at_path(self, directory: int, address: int, flags: int = 0) -> int:
        path, end, _ = self._read(address, _PATH_MAX).partition(b"\0")
        if not end:
            raise OSError(errno.ENAMETOOLONG, "no end")
        if not path:
            if flags & _AT_EMPTY_PATH:
                return self._at_descriptor(directory)
            raise OSError(errno.ENOENT, "empty path")
        for prefix in _OWN_DESCRIPTORS:  # there they mean the command's, here they would mean ours
            number = path[len(prefix) :]
            if path.startswith(prefix) and number.isdigit():
                return self._at_descriptor(int(number))
        base = self._base(path, directory & 0xFFFFFFFF)
        try:
            no_follow = os.O_NOFOLLOW if flags & _AT_SYMLINK_NOFOLLOW else 0
            how = struct.pack(
                "=QQQ", os.O_PATH | os.O_CLOEXEC | no_follow, 0, _RESOLVE_NO_MAGICLINKS
            )
            file = system_call(
                "openat2",
                ctypes.c_int(base),
                ctypes.c_char_p(path),
                ctypes.c_char_p(how),
                ctypes.c_size_t(len(how)),
            )
        finally:
            os.close(base)
        return self._still_valid(file)

    def _base(self, path: bytes, directory: int) -> int:
        place = (
            f"{self._process}/cwd" if directory == _AT_FDCWD else f"{self._process}/fd/{directory}"
        )
        if path.startswith(b"/"):
            place = "/"
        return os.open(place, os.O_PATH | os.O_CLOEXEC)

    def _read(self, address: int, size: int) -> bytes:
        """Bytes of the thread's memory, up to the first page that it does not have."""
        memory = os.open(f"{self._process}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            to_page_end = 4096 - address % 4096
            data = os.pread(memory, min(size, to_page_end), address)
            if len(data) == to_page_end < size:
                with contextlib.suppress(OSError):
                    data += os.pread(memory, size - to_page_end, address + to_page_end)
            return data
        except (OSError, OverflowError):
            raise OSError(errno.EFAULT, "bad address") from None
        finally:
            os.close(memory)

    def _still_valid(self, file: int) -> int:
        """Had the thread died meanwhile, its number might name another process by now."""
        try:
            fcntl.ioctl(self._listener, _IS_VALID, struct.pack("=Q", self._identity))
        except OSError:
            os.close(file)
            raise
        return file
