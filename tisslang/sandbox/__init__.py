"""What confines a RUN. `obtain` grants a profile whole, or refuses.

This version has the profile `none` alone: commands run as the operator's own. `standard` and
`strict` are refused until something enforces them; they are never weakened in silence.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from tisslang.errors import TissSecurityError

PROFILES = ("standard", "strict", "none")
DEFAULT_PROFILE = "standard"
BANNER = "no sandbox: the commands of this plan run with all your rights (--sandbox-profile none)"


class Sandbox(NamedTuple):
    """A granted profile: what was obtained, for the report, and what starts a command in it."""

    facts: dict[str, Any]
    launch: Callable[..., Any]  # called and answering like tisslang.process.run_shell


def obtain(profile: str) -> Sandbox:
    """The sandbox of a profile; `TissSecurityError` when this machine or version cannot give it."""
    if profile != "none":
        raise TissSecurityError(
            f"RUN is refused: no sandbox exists in this version yet (profile {profile!r})",
            hint="run a plan that you trust without a sandbox: --sandbox-profile none "
            '(after tiss run or %%tiss; in Python sandbox_profile="none")',
        )
    from tisslang.process import run_shell  # only a plan that runs commands pays for subprocess

    facts: dict[str, Any] = {
        "profile": "none",
        "backend": "none",
        "network": "open",
        "files": "open",
        "processes": "open",
        "gaps": [],
    }
    return Sandbox(facts, run_shell)
