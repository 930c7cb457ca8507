"""What `tiss doctor` finds: which sandbox this machine allows, guarantee by guarantee."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from typing import Any

from tisslang import sandbox
from tisslang.amounts import size_text
from tisslang.sandbox.advice import advice
from tisslang.sandbox.policy import GAP_TEXTS, PROFILES


def examine() -> dict[str, Any]:
    """Try each backend and each confining profile here; the findings, for programs.

    `ok` is whether `standard` can be had; of each profile its `sandbox` object as in a report, or
    null, and then why in `refused`; of each backend null when it holds, else why it does not.
    """
    backends: dict[str, str | None] = {}
    profiles: dict[str, Any] = {}
    for name in sandbox.backends():
        backends.update(_attempt("standard", [name])[1])
    reasons: dict[str, str] = {}
    for name in ("standard", "strict"):
        profiles[name], refused = _attempt(name, sandbox.backends())
        reasons[name] = "; ".join(f"{backend}: {why}" for backend, why in refused.items())
    missing = {name: why for name, why in backends.items() if why is not None}
    return {
        "ok": profiles["standard"] is not None,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": sys.executable,
        "profiles": profiles,
        "refused": {name: reasons[name] for name, facts in profiles.items() if facts is None},
        "backends": backends,
        "advice": advice(missing),
    }


def render(findings: dict[str, Any]) -> str:
    """The findings for people."""
    lines = [findings["system"], f"Python  {findings['python']}", ""]
    for name, facts in findings["profiles"].items():
        lines += _profile_lines(name, facts, findings["refused"].get(name, ""))
    lines.append("Backends")
    for backend, why in findings["backends"].items():
        lines.append(f"  {backend:<13} {'yes' if why is None else f'no: {why}'}")
    if not findings["backends"]:
        lines.append(f"  none for {sys.platform} yet")
    if findings["advice"]:
        lines += ["", "For more"]
        lines += [f"  {number}. {way}" for number, way in enumerate(findings["advice"], 1)]
    if not findings["ok"]:
        lines += ["", "Until then RUN is refused, except with --sandbox-profile none: no sandbox."]
    return "\n".join(lines) + "\n"


def _profile_lines(name: str, facts: dict[str, Any] | None, why: str) -> list[str]:
    profile = PROFILES[name]
    if facts is None:
        return [f"Profile {name}: no", *([f"  {why}"] if why else []), ""]
    memory, disk = size_text(profile.memory), size_text(profile.disk)
    guarantees = {
        "files": "yes: the project, the system's programs and this Python; all else is hidden"
        + (", but not that it exists" if facts["backend"] == "landlock" else ""),
        "network": "yes: nothing outside is reachable",
        "processes": "yes: none outside can be touched, none outlives its command",
        "environment": "yes: PATH HOME LANG LC_* TERM TMPDIR and what you add",
        "git": "yes: no hook or setting that a command left is run",
        "limits": f"yes, for the whole tree: {memory} of memory, {disk} of disk, "
        f"{profile.processes} processes",
    }
    lines = [f"Profile {name}: yes, by {facts['backend']}"]
    lines += [f"  {guarantee:<13} {text}" for guarantee, text in guarantees.items()]
    gaps = [f"  gap: {gap:<18} {GAP_TEXTS[gap]}" for gap in facts["gaps"]]
    return [*lines, *(gaps or ["  gaps          none"]), ""]


def _attempt(
    profile_name: str, backends: list[str]
) -> tuple[dict[str, Any] | None, dict[str, str | None]]:
    profile = PROFILES[profile_name]
    with tempfile.TemporaryDirectory(prefix="tiss-doctor-") as root:
        client, refused = sandbox.attempt(
            profile, os.path.realpath(root), network=False, limits=profile.limits, names=backends
        )
        if client is None:
            return None, dict(refused)
        client.close()
        return sandbox.facts_of(profile, client.backend, network=False), {client.backend: None}
