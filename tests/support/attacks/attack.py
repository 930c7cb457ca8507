"""What an attack is: one command of a plan, what it finds in the root, and how it is judged.

`@name@` in a command, plan, flag or file stands for a value of the world: `@secret@` is the path
of a file that must not be read, `@victim@` the number of a process that must not be touched; the
whole list is `World.values`. Everything that `World.evidence` looks at is judged for every attack;
`succeeded` adds what only one attack can know. A script tells by `escaped("…")` of raw.py (a line
`ESCAPED: …` on standard output) what cannot be seen from outside: that a system call was permitted.

Every attack is bounded: at most 1.5 GiB of memory, 600 processes for 3 s, 300 MB of disk, nothing
that stays, and nothing that hurts a process or a file that is not the world's.
"""

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attacks.world import Report, World

KINDS = (
    "files",
    "processes",
    "network",
    "kernel",
    "lifetime",
    "resources",
    "terminal",
    "injection",
    "version_control",
)
# What Landlock cannot hide: that a known path exists, its size and times, where a link leads. Never
# a content, and never a name that was not known. No gap of a report has a name for it.
METADATA = "metadata"
RAW = Path(__file__).with_name("raw.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Attack:
    """One attempt."""

    name: str
    kind: str
    command: "str | Callable[[World], str]" = ""
    files: Mapping[str, str] = field(default_factory=dict)  # written below the root before the run
    flags: tuple[str, ...] = ()  # of `tiss run`
    environment: Mapping[str, str] = field(default_factory=dict)  # of tiss, beside what it has
    plan: str = ""  # a whole plan, where one RUN of `command` does not do
    setup: "Callable[[World], None] | None" = None  # before the run, as the test
    during: "Callable[[World, subprocess.Popen[bytes]], None] | None" = None  # while it runs
    succeeded: "Callable[[World, Report], str | None] | None" = None  # evidence, or None
    needs_root: bool = False  # an ordinary user could not do it without a sandbox either
    guarded_by_none: bool = False  # the profile `none` must stop it too: does not count there
    gap: str = ""  # an accepted gap of the sandbox that lets it through: does not count there
    tty: bool = False  # tiss has a terminal and prints text; the report's stdout is what it got
    timeout: float = 60.0  # seconds that the whole run may take

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"

    @property
    def looks_at_tiss(self) -> bool:
        """Whether it may see or touch the process of tiss itself, or how that was started."""
        code = [text for text in self.files.values() if text != RAW]
        shown = "\n".join([self.plan, *code, self.command if isinstance(self.command, str) else ""])
        by_name = re.search(r"/proc|parents\(|getppid|PPID|kill|ptrace|process_|setpgid", shown)
        return bool(self.tty or self.during or self.environment or by_name)


def script(name: str, kind: str, code: str, **more: Any) -> Attack:
    """An attack that is a Python program, with raw.py beside it."""
    files = {"attack.py": code, "raw.py": RAW, **more.pop("files", {})}
    return Attack(name, kind, "python3 attack.py", files=files, **more)


def shows(text: str) -> "Callable[[World, Report], str | None]":
    """For `succeeded`: the command printed `text` (filled like a command)."""

    def succeeded(world: "World", report: "Report") -> str | None:
        found = world.fill(text) in report.output
        return f"the command printed {text}" if found else None

    return succeeded
