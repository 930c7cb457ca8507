"""Landlock: which files a process may open, and whom it may signal; kept by all it starts.

Landlock only takes away, so it needs no privilege. A rule holds for a directory and all below it.
https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterable

from tisslang.sandbox.linux import PR_SET_NO_NEW_PRIVS, prctl, system_call

# Rights on files, in the order of the kernel's bits. Linux 6.10 (version 5) knows them all.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = (1 << bit for bit in range(4))
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_MAKE_CHAR, _MAKE_BLOCK, _MAKE_SOCK = 1 << 6, 1 << 11, 1 << 9
EVERYTHING = (1 << 16) - 1
_KNOWN = (0, 13, 14, 15, 15, 16)  # how many of these rights each version knows; later ones all 16

READ = EXECUTE | READ_FILE | READ_DIR
# Making devices and sockets stays forbidden: what listens on a socket is talked to without an open.
READ_WRITE = EVERYTHING & ~(_MAKE_CHAR | _MAKE_BLOCK | _MAKE_SOCK | _IOCTL_DEV)
DEVICE = READ_FILE | WRITE_FILE | _TRUNCATE
TERMINAL = READ | WRITE_FILE | _IOCTL_DEV
LIST = READ_DIR
_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV

_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1, 2
_GET_VERSION = 1
_RULE_PATH_BENEATH = 1
NEEDED_VERSION = 6  # Linux 6.12: the first that keeps signals inside


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scope", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("directory", ctypes.c_int32))


def version() -> int:
    """Landlock's version in this kernel; 0 where there is none or it may not be used."""
    try:
        return system_call(
            "landlock_create_ruleset",
            ctypes.c_void_p(None),
            ctypes.c_size_t(0),
            ctypes.c_uint32(_GET_VERSION),
        )
    except OSError:
        return 0


def restrict_files(rules: Iterable[tuple[str | int, int]]) -> None:
    """From now on open only what `rules` name: paths or descriptors, each with its rights. From
    version 6 on signals stay inside too.

    A path that does not exist, or may not be looked at, grants nothing.
    """
    known = EVERYTHING & (1 << _KNOWN[min(version(), len(_KNOWN) - 1)]) - 1
    ruleset = _create(known)
    try:
        for path, rights in rules:
            _allow(ruleset, path, rights & known)
        _enter(ruleset)
    finally:
        os.close(ruleset)


def keep_signals_inside() -> None:
    """From now on this process and its children signal only those of them that come later.

    So `kill(-1)` ends everything that was started from here, and nothing else.
    """
    if (here := version()) < NEEDED_VERSION:
        raise OSError(
            errno.EOPNOTSUPP,
            f"Landlock of version {NEEDED_VERSION} is needed (Linux 6.12), here is {here}",
        )
    # Two layers allow what both allow, and a move between directories (REFER) only if both say so.
    ruleset = _create(_REFER)
    try:
        _allow(ruleset, "/", _REFER)
        _enter(ruleset)
    finally:
        os.close(ruleset)


def _create(files: int) -> int:
    attributes = _Ruleset(files, 0, _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS)
    keeps_inside = version() >= NEEDED_VERSION
    return system_call(
        "landlock_create_ruleset",
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes) if keeps_inside else 8),
        ctypes.c_uint32(0),
    )


def _allow(ruleset: int, path: str | int, rights: int) -> None:
    try:
        place = os.dup(path) if isinstance(path, int) else os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = _PathBeneath(rights, place)
        system_call(
            "landlock_add_rule",
            ctypes.c_int(ruleset),
            ctypes.c_int(_RULE_PATH_BENEATH),
            ctypes.byref(rule),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(place)


def _enter(ruleset: int) -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)  # the kernel's condition for taking rights away from oneself
    system_call("landlock_restrict_self", ctypes.c_int(ruleset), ctypes.c_uint32(0))
