"""What a person can do where a backend does not work, found out by looking at this machine."""

from __future__ import annotations

import os
import sys

_SWITCHES = {  # settings of the kernel that forbid user namespaces: the value that does, the mend
    "/proc/sys/kernel/unprivileged_userns_clone": (
        "0",
        "sysctl kernel.unprivileged_userns_clone=1",
    ),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "/proc/sys/user/max_user_namespaces": ("0", "sysctl user.max_user_namespaces=10000"),
}
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


def advice(refused: dict[str, str]) -> list[str]:
    """One sentence for each way to a backend that was refused; what is needed is written out."""
    if sys.platform != "linux":
        return ["run it on Linux, or in a Linux container (on Windows: in WSL)"]
    ways = []
    reasons = " ".join(refused.values())
    if "lies in the project" in reasons or "leads to this Python" in reasons:
        ways.append("keep the Python environment outside of the project (python3 -m venv ~/env)")
    if "hidepid" in reasons:
        ways.append("mount /proc without hidepid")
    if "namespaces" in refused and not ways:
        mends = [mend for path, (bad, mend) in _SWITCHES.items() if _content(path) == bad]
        if mends:
            ways.append(f"allow user namespaces: sudo {' && sudo '.join(mends)}")
        elif any(map(os.path.exists, _CONTAINER_MARKS)):
            ways.append(
                "start the container with user namespaces: docker run --security-opt "
                "seccomp=unconfined --security-opt systempaths=unconfined …"
            )
        else:
            ways.append("use a machine or container in which user namespaces are allowed")
    if "landlock" in refused and "Landlock" in refused["landlock"]:
        ways.append(
            f"use a kernel whose Landlock keeps signals inside: Linux 6.12 or later "
            f"(this is {os.uname().release})"
        )
    return ways


def _content(path: str) -> str | None:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None
