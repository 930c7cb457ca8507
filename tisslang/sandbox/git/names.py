"""The names by which git knows a repository, and those in it that make it run something."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

# Each entry of a `.git` directory that makes git run something, with the way in which it does.
GUARDED = frozenset(
    {
        "hooks",  # programs
        "config",  # names of programs, and of other files of configuration
        "config.worktree",  # the same
        "commondir",  # another directory to take hooks and config from
        "info",  # attributes, which choose the filters of the configuration
        "modules",  # the repositories of submodules
        "worktrees",  # those of other work trees
        "rebase-merge",  # lists of commands that `git rebase --continue` goes on with
        "rebase-apply",
        "sequencer",
        "remotes",  # the old form of remotes: `git push` runs the hooks of a repository nearby
        "branches",
    }
)
TELLING = GUARDED | {"head", "objects", "refs"}  # the names that are asked for below

FRAME = ("HEAD", "objects", "refs", "commondir")  # as git spells what makes a repository


def may_be_repository(names: Collection[str]) -> bool:
    """Whether a directory with these case-folded names in it is a repository if its HEAD is one."""
    return "head" in names and ("commondir" in names or ("objects" in names and "refs" in names))
