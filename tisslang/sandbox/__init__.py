"""What confines a RUN. `obtain` grants a profile whole, or refuses; nothing is weakened in silence.

| file | what it says |
|---|---|
| `policy.py` | what a profile grants |
| `client.py`, `messages.py` | the run's side |
| `supervisor.py` | the process that serves a run: which backend holds |
| `service.py`, `running.py` | its event loop: commands side by side, one guard for all of them |
| `monitor.py` | one command: its output, its limits, the end of its whole tree |
| `tree.py`, `memory.py`, `disks.py`, `output.py` | what a tree is and uses; what is kept |
| `neighbours.py` | what of that cannot be told apart while several run |
| `scratch.py`, `places.py` | what a run has for itself; whether what is guarded is where it was |
| `command.py`, `restrict.py` | what a process gives up before the shell, and the proof |
| `world.py`, `namespaces.py`, `bubblewrap.py` | backend: a small world, laid out in two ways |
| `landlock.py`, `notify.py` | backend where those are refused; the first also behind namespaces |
| `seccomp.py`, `system_calls.py`, `linux.py` | the system calls that are closed; those made here |
| `seatbelt.py` | backend of macOS, not offered before it has been tried there |
| `root.py` | the same project for every command, whatever is renamed |
| `git/` | git runs nothing that a command left |
| `advice.py` | what a person can do where a backend is refused |
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.sandbox.advice import advice
from tisslang.sandbox.policy import DEFAULT_PROFILE, GAPS, PROFILES, Profile, grant, why_no_project

__all__ = ["BANNER", "DEFAULT_PROFILE", "PROFILES", "Sandbox", "attempt", "backends", "obtain"]

BANNER = "no sandbox: the commands of this plan run with all your rights (--sandbox-profile none)"

# sandbox-exec (macOS) is written and not offered: nobody has tried yet whether it holds, and its
# limits are those on time and output alone.
_BACKENDS = {"linux": ["namespaces", "landlock"]}
_TRUST = (
    "or run a plan that you trust without a sandbox: --sandbox-profile none "
    '(after tiss run or %%tiss; in Python sandbox_profile="none")'
)


class Sandbox:
    """A granted profile: `facts` for the report, and the `client` that runs commands in it."""

    def __init__(self, facts: dict[str, Any], client: Any) -> None:
        self.facts = facts
        self.client = client


def obtain(profile_name: str, root: str, network: bool, limits: dict[str, int]) -> Sandbox:
    """The sandbox of a profile for a project; `TissSecurityError` says why there is none."""
    profile = PROFILES[profile_name]
    if profile.confined and (why := why_no_project(root)):
        raise TissSecurityError(
            f"RUN is refused: {root} cannot be the project root of commands: {why}",
            hint="work in a directory of its own below it, and name that with --root",
        )
    if os.name != "posix" and not profile.confined:
        raise TissCommandError(
            "io",
            "RUN needs a POSIX shell, and this system has none",
            hint="run the plan on Linux or macOS (on Windows: in WSL)",
        )
    client, refused = attempt(profile, root, network, limits)
    if client is None:
        raise TissSecurityError(
            f"RUN is refused: this machine cannot give the sandbox profile {profile.name!r}: "
            + _why_refused(refused),
            hint="; ".join([*advice(refused), "tiss doctor shows more", _TRUST]),
        )
    return Sandbox(facts_of(profile, client.backend, network), client)


def backends() -> list[str]:
    """Those of this system, the one that is tried first in front."""
    return _BACKENDS.get(sys.platform, [])


def attempt(
    profile: Profile,
    root: str,
    network: bool,
    limits: dict[str, int],
    names: list[str] | None = None,
) -> tuple[Any, dict[str, str]]:
    """A client whose backend holds, or None; and of each backend that was tried why it does not."""
    if names is None:
        names = backends() if profile.confined else ["none"]
    refused = {
        name: "leaves gaps: " + ", ".join(GAPS[name])
        for name in names
        if GAPS[name] and not profile.accepts_gaps
    }
    names = [name for name in names if name not in refused]
    if os.name != "posix" or not names:
        return None, refused
    from tisslang.sandbox.client import Client, SupervisorError

    try:
        client = Client({**grant(profile, root, network, limits), "backends": names})
    except (OSError, SupervisorError) as error:
        return None, {**refused, "supervisor": str(error)}
    refused.update(client.refused)
    if client.backend is None:
        client.close()
        return None, refused
    return client, refused


def facts_of(profile: Profile, backend: str, network: bool) -> dict[str, Any]:
    """The `sandbox` object of the report."""
    confined = "isolated" if profile.confined else "open"
    return {
        "profile": profile.name,
        "backend": backend,
        "network": "off" if profile.confined and not network else "open",
        "files": confined,
        "processes": confined,
        "gaps": list(GAPS[backend]),
    }


def _why_refused(refused: dict[str, str]) -> str:
    """The reasons, one for each backend of this system."""
    if not refused:
        return f"there is no sandbox for {sys.platform} yet"
    return "; ".join(f"{backend}: {reason}" for backend, reason in refused.items())
