"""What a profile grants a command. How that is enforced is not said here.

The whole list: the project, read and write; the system's programs and this Python with its
packages, read only; a HOME and a TMPDIR of the run; so much time, output, memory, processes, disk.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple


class Profile(NamedTuple):
    """What the operator chooses with `--sandbox-profile`."""

    name: str
    confined: bool
    accepts_gaps: bool
    processes: int  # limits of a command's whole tree, where the operator sets no others
    memory: int  # bytes
    disk: int  # bytes

    @property
    def limits(self) -> dict[str, int]:
        """The limits of a command's whole tree."""
        return {"processes": self.processes, "memory": self.memory, "disk": self.disk}


PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # of tisslang
GIB = 1 << 30
PROFILES = {
    "standard": Profile("standard", True, True, 512, 4 * GIB, 4 * GIB),
    "strict": Profile("strict", True, False, 64, 1 * GIB, 1 * GIB),
    "none": Profile("none", False, True, 512, 4 * GIB, 4 * GIB),
}
DEFAULT_PROFILE = "standard"

# What a backend cannot do, of what the profile promises (language reference, section 10.2).
GAPS: dict[str, list[str]] = {
    "namespaces": [],
    "landlock": ["private_tmp", "dev_shm", "git_restored_after", "memory_sampled", "process_list"],
    "sandbox-exec": ["private_tmp", "memory_sampled", "process_list"],
    "none": [],
}
GAP_TEXTS = {
    "private_tmp": "/tmp is hidden instead of private: programs must use TMPDIR",
    "dev_shm": "there is no /dev/shm: multiprocessing's locks and pools do not work",
    "git_restored_after": "what git would run is restored after each command, not read-only",
    "memory_sampled": "memory is looked at 20 times a second: a short peak can pass",
    "process_list": "other processes can be seen in a list; nothing of them can be touched",
}

# The system's programs and libraries, the same for every user. /nix and /gnu are those of two
# distributions that keep them elsewhere.
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/nix/store", "/gnu/store", "/run/current-system/sw"),
)
# Of /etc only what programs need to start, to draw text, to compile, and the names of protocols:
# nothing about users, hosts or keys.
_ETC = (
    *("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "timezone"),
    *("locale.alias", "locale.conf", "mime.types", "magic", "inputrc", "terminfo", "fonts"),
    *("os-release", "debian_version", "lsb-release", "gitconfig", "perl", "python3"),
    *("ssl/openssl.cnf", "ssl/certs", "pki/tls/certs", "pki/ca-trust", "ca-certificates"),
    *("protocols", "services", "nsswitch.conf"),
)
_ETC_FOR_NETWORK = ("resolv.conf", "hosts", "host.conf", "gai.conf")

# Places that are no project, whatever else they are.
_NO_PROJECT = (
    *("/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run"),
    *("/sbin", "/sys", "/usr", "/var"),
    *("/tmp", "/var/tmp", "/dev/shm"),  # shared by all programs
)
_OF_SYSTEM = (
    *("/proc/", "/sys/", "/dev/", "/etc/", "/boot/", "/bin/", "/sbin/", "/lib/", "/lib64/"),
    *("/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib64/"),
)


def why_no_project(root: str) -> str | None:
    """Why this directory may not be opened to a command; None when it may."""
    home = [os.path.realpath(path) for path in {os.path.expanduser("~"), _home_of_user()} if path]
    if root == os.sep:
        return "it is the whole file system"
    if root in home:
        return "it is the home directory, with its keys, settings and everybody's work"
    if any(_is_inside(path, root) for path in home):
        return "the home directory lies in it"
    if root in _homes_of_others():
        return "it is somebody's home directory"
    of_system = root.startswith(_OF_SYSTEM) and not root.startswith("/dev/shm/")
    if root in _NO_PROJECT or of_system:
        return "it is a directory of the system"
    return None


def grant(profile: Profile, root: str, network: bool, limits: dict[str, int]) -> dict[str, Any]:
    """What a command gets, as the settings of the supervisor: plain paths and numbers."""
    names = [*_ETC, *(_ETC_FOR_NETWORK if network else ())]
    prefixes = _prefixes()
    listable, packages = _added_packages(prefixes)
    readable = [*_SYSTEM, *(f"/etc/{name}" for name in names), *prefixes, *packages]
    readable = [path for path in dict.fromkeys(readable) if os.path.exists(path)]
    # What is shown, or stays as it is, holds its own links.
    links = [path for path in _links_to_python() if not _is_inside_any(path, prefixes)]
    return {
        "confined": profile.confined,
        "root": root,
        "readable": [path for path in readable if not _is_inside(path, root)],
        "protected": _protected(root, prefixes),
        # Links in the project by which this Python is started: nothing keeps a link in its place.
        "exchangeable": [path for path in links if _is_inside(path, root)],
        "listable": [path for path in listable if not _is_inside(path, root)],
        "links": [
            [path, os.readlink(path)]
            for path in links
            if not _is_inside_any(path, [*_SYSTEM, root])
        ],
        "network": network,
        "limits": limits,
        "temporary": temporary_directory(root),
    }


def temporary_directory(root: str) -> str:
    """Where a run keeps what it has for itself: not in the project, which is the command's."""
    wanted = [os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp", "/dev/shm"]
    for path in wanted:
        real = os.path.realpath(path)
        usable = os.path.isdir(real) and os.access(real, os.W_OK | os.X_OK)
        if os.path.isabs(path) and usable and not _is_inside(real, root):
            return real
    raise OSError("no directory for temporary files outside the project: set TMPDIR")


def _prefixes() -> list[str]:
    """Where this Python and its environment are installed."""
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    parts = [_parts_of_prefix(path) for path in dict.fromkeys(map(os.path.realpath, prefixes))]
    return [part for of_one in parts for part in of_one]


def _parts_of_prefix(prefix: str) -> list[str]:
    """A prefix as a whole; of one that is the home directory or more, only what is Python's."""
    if prefix in ("/usr", "/usr/local"):
        return []
    return [prefix] if why_no_project(prefix) is None else _pythons_part(prefix)


def _pythons_part(prefix: str) -> list[str]:
    return [os.path.join(prefix, part) for part in ("bin", "lib", "lib64", "include", "pyvenv.cfg")]


def _protected(root: str, prefixes: list[str]) -> list[str]:
    """What lies in the project and stays read-only: this Python's environment, and this program.
    Whoever starts them next would run what a command left there. Paths relative to the root.
    """
    inside = [path for path in [*prefixes, PACKAGE] if _is_inside(path, root) and path != root]
    if root in prefixes:
        inside += _pythons_part(root)
    real = [path for path in inside if os.path.exists(path) and not os.path.islink(path)]
    return sorted(os.path.relpath(path, root) for path in dict.fromkeys(real))


def _added_packages(readable: list[str]) -> tuple[list[str], list[str]]:
    """What `.pth` files add to the search path, as packages installed for editing do: their
    directories to list, and in these the packages and modules alone.
    """
    import site

    listable, packages = [], []
    for directory in site.getsitepackages():
        for line in _lines_of_pth_files(directory):
            path = os.path.realpath(os.path.join(directory, line))
            if not os.path.isdir(path) or _is_inside_any(path, readable):
                continue
            listable.append(path)
            with os.scandir(path) as entries:
                packages += [entry.path for entry in entries if _is_importable(entry)]
    return listable, packages


def _lines_of_pth_files(directory: str) -> list[str]:
    lines: list[str] = []
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(".pth"))
    except OSError:
        return []
    for name in names:
        try:
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                lines += [line.strip() for line in file]
        except (OSError, UnicodeDecodeError):
            continue
    return [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]


def _is_importable(entry: os.DirEntry[str]) -> bool:
    if entry.name.endswith((".py", ".so")):
        return entry.is_file()
    return os.path.isfile(os.path.join(entry.path, "__init__.py"))


def _links_to_python() -> list[str]:
    """Every symbolic link that must be followed to get to this Python."""
    found: dict[str, None] = {}
    waiting = [sys.executable, sys.prefix, sys.base_prefix]
    while waiting:
        path = os.path.normpath(waiting.pop())
        parts = path.split(os.sep)
        for count in range(2, len(parts) + 1):
            here = os.sep.join(parts[:count])
            if os.path.islink(here):
                if here not in found:
                    found[here] = None
                    target = os.path.join(os.path.dirname(here), os.readlink(here))
                    waiting.append(os.path.join(target, *parts[count:]))
                break
    return list(found)


def _is_inside(path: str, place: str) -> bool:
    return path == place or path.startswith(place.rstrip(os.sep) + os.sep)


def _is_inside_any(path: str, places: list[str]) -> bool:
    return any(_is_inside(path, place) for place in places)


def _homes_of_others() -> set[str]:
    """The home directories of people, not of services."""
    try:
        import pwd

        people = [entry for entry in pwd.getpwall() if 1000 <= entry.pw_uid < 60_000]
    except ImportError:
        return set()
    return {os.path.realpath(entry.pw_dir) for entry in people}


def _home_of_user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_dir
    except (ImportError, KeyError):
        return ""
